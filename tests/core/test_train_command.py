"""`dynaprot train`: the same weights from one seed, after a kill, and on several processes."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from safetensors import safe_open  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

import dynaprot  # noqa: E402
from dynaprot import Dynamics, Structure, predict  # noqa: E402
from dynaprot.command_line import app  # noqa: E402
from dynaprot.datasets.distillation import TEACHER_SEQUENCES  # noqa: E402
from dynaprot.datasets.labels import labels_of  # noqa: E402
from dynaprot.datasets.prepared import PreparedProtein  # noqa: E402
from dynaprot.datasets.splits import Split  # noqa: E402
from dynaprot.datasets.training_sequences import TrainingSequences, sequences_path  # noqa: E402
from dynaprot.errors import TrainingDataError  # noqa: E402
from dynaprot.network.architecture import DYNAPROT_J, DYNAPROT_M, Architecture  # noqa: E402
from dynaprot.network.torch_network import build_network  # noqa: E402
from dynaprot.network.weights import find_weights, load_weights  # noqa: E402
from dynaprot.training.augmentation import augmented  # noqa: E402
from dynaprot.training.checkpoint import TrainingState  # noqa: E402
from dynaprot.training.configuration import (  # noqa: E402
    BUNDLED,
    Augmentation,
    Configuration,
    TrainingSource,
    bundled_configurations,
    read_configuration,
)
from dynaprot.training.examples import Example, load_examples  # noqa: E402
from dynaprot.training.folds import assign_folds, load_data  # noqa: E402
from dynaprot.training.losses import LOSSES, matrix_log  # noqa: E402
from dynaprot.training.moments import predict_moments  # noqa: E402
from dynaprot.training.train import Task, passes, plan_epoch, train  # noqa: E402
from dynaprot.training.trials import COLUMNS  # noqa: E402

from .conftest import EVERY_FEATURE, random_protein  # noqa: E402

LENGTHS = (16, 20, 13, 18, 19, 14)
SPRINGS = Architecture(
    dimension=16,
    layers=1,
    heads=2,
    **EVERY_FEATURE,
    prior="1",
    congruence=True,
    dropout=0.1,
)
MARGINALS = Architecture(dimension=16, layers=2, heads=2, marginals=True)
PAIR = Architecture(dimension=4, layers=1, heads=2, coupling="pair")
KERNEL = Architecture(dimension=16, layers=1, heads=2, marginals=True, coupling="kernel")
TOML = """
epochs = 3
folds = 3
members = 1
batch = {batch}
learning_rate = 3e-3
warm_up = 1
checkpoint = 2
data = "{data}"
losses = "paper"

[architecture]
dimension = 16
layers = 1
heads = 2
marginals = true
coupling = "kernel"

[[source]]
path = "md"
"""


def simulation(seed: int, length: int) -> tuple[Structure, np.ndarray]:
    """A protein with frames of an elastic network whose chain ends move more: (F, N, 3), Å."""
    structure = random_protein(seed, (length,))
    frames = predict(structure, model="anm").sample(120, seed)
    ends = 1.0 + np.abs(np.linspace(-1, 1, length))[:, None]
    return structure, structure.ca + 0.4 * (frames - structure.ca) * ends


def prepared(structure: Structure, frames: np.ndarray, name: str, kind: str = "simulation") -> PreparedProtein:
    """A protein as `dynaprot prepare` writes it."""
    labels, rotations = labels_of(frames, structure.ca), structure.rotations
    backbone = np.stack([structure.n, structure.ca, structure.c], axis=1)
    crystal = kind == "crystal"
    return PreparedProtein(
        replace(structure, name=name),
        np.swapaxes(rotations, 1, 2) @ labels.marginals @ rotations,
        None if crystal else labels.coupling,
        structure.ca,
        backbone[None] + np.linspace(-0.2, 0.2, 0 if crystal else 3)[:, None, None, None],
        kind,
        120,
        1,
        50.0,
        0.9,
        "test",
        "CC0",
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sources: simulations, some of them as conformers, and all with a split and a crystal among them."""
    folder = tmp_path_factory.mktemp("data")
    simulations = [simulation(seed, length) for seed, length in enumerate(LENGTHS)]
    for name, count in (("md", 6), ("conformers", 4), ("prepared", 6)):
        (folder / name).mkdir()
        for k, (structure, frames) in enumerate(simulations[:count]):
            crystal = name == "prepared" and k == 5
            kind = "crystal" if crystal else "conformers" if name == "conformers" else "simulation"
            protein = prepared(structure, frames, f"p{k}", kind)
            # One with clusters by number, as archives have them, one without clusters.
            replace(protein, cluster="" if name == "prepared" else str(k)).save(folder / name / f"p{k}.npz")
    names = [f"p{k}" for k in range(6)]
    Split("clusters", tuple(names[2:]), (names[1],), (names[0],)).save(folder / "prepared" / "split.json")
    return folder


def small(data: Path, architecture: Architecture = SPRINGS, **changes: object) -> Configuration:
    """Twelve steps, with every source of chance; the best weights are kept."""
    sources = (
        TrainingSource("md"),
        TrainingSource("conformers", probability=0.5, weight=0.5, scale_free=True),
    )
    options: dict = {
        "source": sources,
        "augmentation": Augmentation(frames=0.5, position_noise=0.1, rotation_noise=3.0),
        "data": str(data),
        "epochs": 3,
        "folds": 4,
        "members": 1,
        "warm_up": 1,
        "checkpoint": 2,
        "patience": 3,
    }
    return Configuration(architecture, **options | changes)


def tensors_of(weights: Path) -> dict[str, np.ndarray]:
    """Parameters by name."""
    return load_weights(weights).tensors


def assert_identical(one: Path, other: Path) -> None:
    """Every parameter equal in every bit."""
    expected, found = tensors_of(one), tensors_of(other)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name], tensor, err_msg=name)


def quiet(line: str) -> None:
    """Report nothing."""


@pytest.fixture(scope="module")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small training from beginning to end."""
    return train(small(data), tmp_path_factory.mktemp("whole"), report=quiet)


def test_training_twice_with_one_seed_gives_the_same_weights(data: Path, tmp_path: Path, uninterrupted: Path) -> None:
    """Frames, noise, dropout and the order of proteins included; another seed gives others."""
    assert_identical(uninterrupted, train(small(data), tmp_path / "same", report=quiet))
    other = tensors_of(train(small(data, seed=1), tmp_path / "other", report=quiet))
    assert any((other[name] != tensor).any() for name, tensor in tensors_of(uninterrupted).items())


@pytest.mark.parametrize("step", [1, 2, 4, 7, 11])
def test_killed_at_any_step_and_resumed_gives_the_weights_of_the_uninterrupted(
    data: Path, tmp_path: Path, uninterrupted: Path, step: int
) -> None:
    """Before the first checkpoint, on one, between two, at the end of an epoch, near the end."""

    def kill(state: TrainingState) -> None:
        if state.step == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(small(data), tmp_path, report=quiet, after_step=kill)
    resumed_from = []
    weights = train(
        small(data), tmp_path, resume=True, report=quiet, after_step=lambda state: resumed_from.append(state.step)
    )
    assert resumed_from[0] == step // 2 * 2 + 1
    assert_identical(uninterrupted, weights)
    history = "member-0.csv"
    assert (tmp_path / history).read_text() == (uninterrupted.parent / history).read_text()


def test_a_finished_training_is_resumed_without_a_step(data: Path, tmp_path: Path) -> None:
    """Its weights are written again, the same."""
    configuration = small(data, epochs=1)
    before = tensors_of(train(configuration, tmp_path, report=quiet))
    steps: list[int] = []
    after = train(configuration, tmp_path, resume=True, report=quiet, after_step=lambda state: steps.append(state.step))
    assert not steps
    assert all((tensors_of(after)[name] == tensor).all() for name, tensor in before.items())


def command(arguments: list[str], processes: int = 1) -> subprocess.Popen:
    """`dynaprot` in a process of its own, or in several as torchrun starts them."""
    python = [sys.executable, "-c", "from dynaprot.command_line import main; main()", *arguments]
    if processes > 1:
        launcher = ["-m", "torch.distributed.run", "--standalone", "--no-python", "--nproc-per-node", str(processes)]
        python = [sys.executable, *launcher, *python]
    source = str(Path(dynaprot.__file__).resolve().parents[1])
    environment = os.environ | {"PYTHONPATH": source, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(python, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow
def test_a_process_that_is_killed_outright_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    """SIGKILL, which no program can catch, in the middle of a step or of writing."""
    file = tmp_path / "tiny.toml"
    file.write_text(TOML.format(data=data, batch=1).replace("epochs = 3", "epochs = 8"))
    process, whole = (command(["train", str(file), "-o", str(tmp_path / folder)]) for folder in ("killed", "whole"))
    while not (tmp_path / "killed" / "member-0.safetensors").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    # All by the same command, in the same surroundings: with other threads, sums are rounded differently.
    again = command(["train", str(file), "-o", str(tmp_path / "killed"), "--resume"])
    for each in (again, whole):
        output, _ = each.communicate()
        assert each.returncode == 0, output
    assert_identical(*(tmp_path / folder / "tiny.safetensors" for folder in ("whole", "killed")))


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(data: Path, tmp_path: Path) -> None:
    """Loss and weights agree to rounding, with batches that do not divide evenly."""
    file = tmp_path / "tiny.toml"
    file.write_text(TOML.format(data=data, batch=3))
    process = command(["train", str(file), "-o", str(tmp_path / "two")], processes=2)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    one = train(read_configuration(str(file)), tmp_path / "one", name="tiny", report=quiet)
    expected, found = tensors_of(one), tensors_of(tmp_path / "two" / one.name)
    for name, tensor in expected.items():
        np.testing.assert_allclose(found[name], tensor, rtol=1e-3, atol=2e-5, err_msg=name)
    losses = [
        np.genfromtxt(tmp_path / folder / "member-0.csv", delimiter=",", names=True)["training_loss"]
        for folder in ("one", "two")
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


@pytest.mark.parametrize("losses", ["paper", "full"])
@pytest.mark.parametrize("architecture", [MARGINALS, PAIR, KERNEL, SPRINGS], ids=["M", "J", "kernel", "springs"])
def test_every_architecture_learns(data: Path, tmp_path: Path, architecture: Architecture, losses: str) -> None:
    """A few steps on six proteins lower the loss, with either loss."""
    trained = replace(architecture, dropout=0.0)
    configuration = small(
        data,
        trained,
        losses=losses,
        epochs=8,
        augmentation=Augmentation(),
        batch=2,
        learning_rate=1e-2,
        ema_steps=2,
        folds=6,
    )
    history: list[dict[str, float]] = []
    train(
        configuration, tmp_path, report=quiet, after_step=lambda state: history.__setitem__(slice(None), state.history)
    )
    assert history[-1]["training_loss"] < 0.95 * history[0]["training_loss"]


def test_a_loss_that_is_not_a_number_ends_the_training(data: Path, tmp_path: Path) -> None:
    """At once, naming the step and the proteins; no weights are written."""
    with pytest.raises(TrainingDataError, match=r"not a number \(NaN\) in step 2, with p"):
        train(small(data, MARGINALS, learning_rate=1e30, epochs=1), tmp_path, report=quiet)
    assert not list(tmp_path.iterdir())


def test_early_stopping_keeps_the_best_weights(data: Path, tmp_path: Path) -> None:
    """Where nothing gets better, training ends `patience` epochs after the first."""
    configuration = small(data, learning_rate=0.0, patience=2, epochs=50)
    epochs: list[str] = []
    train(configuration, tmp_path, report=epochs.append)
    assert sum(line.startswith("network 1 of 1, epoch") for line in epochs) == 3


@pytest.mark.parametrize(("every", "validated"), [(0, []), (1, [1, 2, 3, 4]), (3, [3])])
def test_validation_is_as_frequent_as_asked(data: Path, tmp_path: Path, every: int, validated: list[int]) -> None:
    """Where validations cost more than steps they are few; without any, only the end is validated."""
    path = train(small(data, epochs=4, validate_every=every, patience=0), tmp_path, report=quiet)
    with open(tmp_path / "member-0.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [k for k, row in enumerate(rows, start=1) if row.get("rmsf_r")] == validated
    assert "rmsf_r" in load_weights(path).metadata["validation"]


def test_a_checkpoint_is_safetensors_and_of_one_configuration(data: Path, tmp_path: Path) -> None:
    """No pickle; another configuration, or a folder in use, is refused."""
    train(small(data, epochs=1), tmp_path, report=quiet)
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".csv", ".gz"}
    with safe_open(tmp_path / "member-0.safetensors", framework="numpy") as file:
        assert {name.split(".")[0] for name in file.keys()} == {"network", "average", "best", "optimiser"}  # noqa: SIM118
    with pytest.raises(TrainingDataError, match="--resume"):
        train(small(data, epochs=1), tmp_path, report=quiet)
    with pytest.raises(TrainingDataError, match="another epochs"):
        train(small(data, epochs=2), tmp_path, resume=True, report=quiet)
    (tmp_path / "member-0.safetensors").write_bytes(b"broken")
    with pytest.raises(TrainingDataError, match="damaged"):
        train(small(data, epochs=1), tmp_path, resume=True, report=quiet)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("epochs = 3", "epoch = 3", "epoch"),
        ("heads = 2", "head = 2", "head"),
        ("epochs = 3", 'epochs = "3"', "epochs"),
        ("epochs = 3", "epochs = true", "epochs"),
        ('"paper"', '"huber"', "losses"),
        ('path = "md"', 'path = "md"\nkind = "pdb"', "kind"),
        ('path = "md"', 'path = "md"\nexclude = "ApoE"', "exclude"),
        ('path = "md"', 'path = "md"\nexclude = [1]', "exclude"),
        ('path = "md"', "", "path"),
        ("members = 1", "members = 4", "members"),
        ("members = 1", "members = 1\npatience = 2\nvalidate_every = 0", "validate_every"),
        ("[[source]]", "[sources]", "source"),
    ],
)
def test_what_a_configuration_says_wrongly_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    """Unknown keys, wrong kinds of values, missing tables."""
    file = tmp_path / "wrong.toml"
    file.write_text(TOML.format(data=".", batch=1).replace(old, new))
    with pytest.raises(TrainingDataError, match=named):
        read_configuration(str(file))


def test_the_bundled_configurations_are_what_they_are_called() -> None:
    """The paper's networks by their numbers of parameters; the default by the shipped weights."""
    configurations = {name: read_configuration(name) for name in bundled_configurations()}
    assert sorted(configurations) == ["default", "dynaprot", "dynaprot-m", "dynaprot-twin", "paper-j", "paper-m"]
    assert configurations["paper-m"].architecture == DYNAPROT_M
    assert configurations["paper-j"].architecture == DYNAPROT_J
    sizes = [sum(p.numel() for p in build_network(a).parameters()) for a in (DYNAPROT_M, DYNAPROT_J)]
    assert sizes == [955_078, 1_902_145]
    path = find_weights("default")
    assert path is not None
    shipped = load_weights(path)
    default = configurations["default"]
    assert replace(default.architecture, members=default.members) == shipped.architecture
    with pytest.raises(TrainingDataError, match="default, dynaprot, dynaprot-m, dynaprot-twin, paper-j, paper-m"):
        read_configuration("nonsense")


def test_the_command_trains_weights_that_predict(data: Path, tmp_path: Path) -> None:
    """From TOML to `predict`, with curves."""
    file = tmp_path / "tiny.toml"
    file.write_text(TOML.format(data="nowhere", batch=2))
    result = CliRunner().invoke(app, ["train", str(file), "-o", str(tmp_path / "out"), "--data", str(data)])
    assert result.exit_code == 0, result.output
    weights = tmp_path / "out" / "tiny.safetensors"
    assert weights.name in result.output.replace("\n", "")
    (held_out,) = load_weights(weights).metadata["held_out_clusters"]
    assert len(held_out) == 2
    records = TrainingSequences.load(sequences_path(weights)).records
    assert {record.cluster for record in records} == {str(k) for k in range(6) if k not in held_out}
    assert {record.members for record in records} == {frozenset({0})}
    dynamics = predict(random_protein(9), model=str(weights))
    assert np.linalg.eigvalsh(dynamics.marginals).min() > 0


def test_curves_go_to_tensorboard(data: Path, tmp_path: Path) -> None:
    """Where the package is there."""
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    train(small(data, tensorboard=True, epochs=1), tmp_path, report=quiet)
    assert list((tmp_path / "tensorboard" / "member-0").iterdir())


def test_prepared_proteins_train_by_their_split(data: Path, tmp_path: Path) -> None:
    """Those to test on are not looked at; a crystal among them teaches what it knows."""
    configuration = small(data / "prepared", source=(TrainingSource("."),), split="split.json", folds=1, per_cluster=0)
    fold = assign_folds(load_data(configuration), configuration)[0]
    assert [example.structure.name for example in fold.training[0]] == ["p2", "p3", "p4", "p5"]
    assert [example.structure.name for example in fold.held_out] == ["p1"]
    assert fold.training[0][-1].coupling is None
    assert [len(e.frames) for e in fold.training[0]] == [3, 3, 3, 0]
    train(configuration, tmp_path, report=quiet)


@pytest.mark.slow
def test_the_miniature_of_atlas_goes_from_trajectories_to_a_prediction(tmp_path: Path) -> None:
    """Three replicas of each protein, prepared, split, trained on by the paper's recipe, and predicted with."""
    from .test_prepare import Simulation, motion

    (tmp_path / "atlas").mkdir()
    for seed in range(4):
        structure = random_protein(60 + seed, (24,))
        molecule = Simulation(structure)
        molecule.write(tmp_path / "atlas" / f"{seed}abc_A.pdb", molecule.positions[None])
        for replica in (1, 2, 3):
            frames = molecule.atoms(motion(structure, 50, replica)[0])
            molecule.write(tmp_path / "atlas" / f"{seed}abc_A_prod_R{replica}_fit.xtc", frames)
    recipe = (BUNDLED / "paper-m.toml").read_text().replace("epochs = 200", "epochs = 2")
    (tmp_path / "two-epochs.toml").write_text(recipe)
    for arguments in (
        ["prepare", tmp_path / "atlas", "-o", tmp_path / "prepared", "--jobs", "1"],
        ["train", tmp_path / "two-epochs.toml", "-o", tmp_path / "out", "--data", tmp_path / "prepared"],
        ["predict", tmp_path / "atlas" / "0abc_A.pdb", "-o", tmp_path / "out", "--no-pictures"]
        + ["-m", tmp_path / "out" / "two-epochs.safetensors"],
    ):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
    weights = load_weights(tmp_path / "out" / "two-epochs.safetensors")
    assert weights.metadata["configuration"]["source"][0]["path"] == "."
    assert np.isfinite(Dynamics.load(tmp_path / "out" / "dynamics.npz").rmsf).all()


def test_an_epoch_looks_at_every_protein_in_batches_of_like_length(data: Path) -> None:
    """Sources of share 1 once; the order is that of the seed."""
    configuration = small(data, batch=2, folds=6, source=(TrainingSource("md"),))
    fold = assign_folds(load_data(configuration), configuration)[0]
    steps = plan_epoch(fold, configuration, (0, 0), 0)
    seen = [len(task.example) for step in steps for task in step]
    assert sorted(seen) == sorted(map(len, fold.training[0]))
    ordered = [sorted(len(task.example) for task in step) for step in steps]
    assert all(one[-1] <= other[0] or other[-1] <= one[0] for one in ordered for other in ordered if one is not other)
    again = plan_epoch(fold, configuration, (0, 0), 0)
    assert [len(task.example) for step in again for task in step] == seen


def test_a_padded_batch_predicts_what_each_protein_alone_does(data: Path) -> None:
    """For every kind of head."""
    examples = load_examples(TrainingSource("md"), data)[:3]
    for architecture in (KERNEL, PAIR, SPRINGS):
        torch.manual_seed(0)
        network = build_network(architecture).eval()
        read = [replace(example, architecture=architecture) for example in examples]
        together = predict_moments(network, [example.input for example in read])
        for example, moments in zip(read, together, strict=True):
            alone = predict_moments(network, [example.input])[0]
            for one, other in zip(moments, alone, strict=True):
                if one is not None:
                    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_augmentation_changes_what_is_seen_not_what_is_true(data: Path) -> None:
    """Labels are cut with the crop and otherwise kept; bond lengths of each residue survive the noise."""
    example = load_examples(TrainingSource("md"), data, frames=True)[0]
    how = Augmentation(frames=1.0, position_noise=0.2, rotation_noise=5.0, crop=12)
    seen = augmented(example, how, np.random.default_rng(0))
    assert len(seen) == len(seen.input) == len(seen.structure) == 12
    assert replace(seen, architecture=SPRINGS).input.arguments[5].numel()
    assert not replace(seen, architecture=MARGINALS).input.arguments[5].numel()
    kept = [k for k in range(len(example)) if (example.marginals[k] == seen.marginals).all((1, 2)).any()]
    assert kept == list(range(kept[0], kept[0] + 12))
    assert seen.structure.sequence == example.structure.sequence[kept[0] : kept[0] + 12]
    assert example.coupling is not None
    np.testing.assert_array_equal(seen.coupling, example.coupling[kept][:, kept])
    bonds = np.linalg.norm(seen.structure.n - seen.structure.ca, axis=1)
    np.testing.assert_allclose(bonds, 1.458, atol=0.01)
    whole = augmented(example, replace(how, crop=0), np.random.default_rng(0))
    assert whole.marginals is example.marginals
    moved = np.linalg.norm(whole.structure.ca - example.structure.ca, axis=1)
    assert 0.1 < moved.mean() < 5.0


def names_of(folder: Path, **options: object) -> list[str]:
    """Names of the proteins that the options of a source select, in their order."""
    return [example.structure.name for example in load_examples(TrainingSource(".", **options), folder)]


def test_each_option_of_a_source_selects_what_it_says(tmp_path: Path) -> None:
    """Names, length, conformations, agreement of halves, size of motion, quality, clusters and number."""
    structure, frames = simulation(1, 24)
    longer, other_frames = simulation(2, 30)
    plain = prepared(structure, frames, "plain")
    apart = structure.c + np.where(np.arange(24) < 12, 0.0, 30.0)[:, None]
    broken = replace(structure, c=apart, ca=structure.ca + (apart - structure.c), n=structure.n + (apart - structure.c))
    proteins = {
        "ApoE3": plain,
        "broken": replace(plain, structure=broken),
        "few": replace(plain, conformations=7),
        "long": replace(prepared(longer, other_frames, "long"), cluster="3"),
        "rebuilt": replace(plain, backbone_rebuilt=True),
        "unlike": replace(plain, split_half_rmsf_r=0.6),
        "unknown": replace(plain, split_half_rmsf_r=float("nan")),
        "wild": replace(plain, marginals=plain.marginals * (5.0 / np.sqrt((plain.rmsf**2).mean())) ** 2),
    }
    for name, protein in proteins.items():
        named = replace(protein.structure, name=name)
        replace(protein, structure=named, cluster=protein.cluster or "12").save(tmp_path / f"{name}.npz")
    everything = sorted(proteins)
    assert names_of(tmp_path) == everything

    def without(*left_out: str) -> list[str]:
        return [name for name in everything if name not in left_out]

    assert names_of(tmp_path, exclude=("ApoE*", "*ild")) == without("ApoE3", "wild")
    assert names_of(tmp_path, max_residues=29) == without("long")
    assert names_of(tmp_path, min_residues=25) == ["long"]
    assert names_of(tmp_path, min_conformations=8) == without("few")
    assert names_of(tmp_path, min_split_half_r=0.7) == without("unlike", "unknown")
    assert names_of(tmp_path, max_rmsf=4.0) == without("wild")
    assert names_of(tmp_path, broken_chains=False) == without("broken")
    assert names_of(tmp_path, rebuilt_backbones=False) == without("rebuilt")
    best_first = names_of(tmp_path, max_per_cluster=5)
    assert best_first == ["long", "ApoE3", "broken", "rebuilt", "wild", "unlike"], "12 after 3; the best sampled of it"
    drawn = names_of(tmp_path, max_proteins=3)
    assert len(drawn) == 3
    assert drawn == sorted(drawn)
    with pytest.raises(TrainingDataError, match="leave no protein"):
        names_of(tmp_path, min_residues=31)
    with pytest.raises(TrainingDataError, match="holds no protein that `dynaprot prepare` wrote"):
        names_of(tmp_path / "elsewhere")


def test_conformers_are_kept_from_zero_and_simulations_are_left_as_they_are(data: Path) -> None:
    """A hair of isotropic motion is added where experimental conformers may be equal."""
    structure, frames = simulation(0, LENGTHS[0])
    truth = labels_of(frames, structure.ca).marginals
    for folder, added in (("md", 0.0), ("conformers", 1e-3)):
        example = load_examples(TrainingSource(folder), data)[0]
        np.testing.assert_allclose(example.marginals, truth + added * np.eye(3), rtol=1e-9, atol=1e-12)


def test_the_logarithm_of_a_matrix_has_its_gradient_where_eigenvalues_are_equal() -> None:
    """Against finite differences, at a multiple of the identity, near it and far from it."""
    far = torch.randn(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    identity = torch.eye(4, dtype=torch.float64)
    for matrix in (2.0 * identity, 2.0 * identity + 1e-7 * (far + far.T), far @ far.T + 0.1 * identity):
        point = matrix.clone().requires_grad_()
        assert torch.autograd.gradcheck(lambda m: matrix_log((m + m.T) / 2.0), (point,), atol=1e-6)
    spectrum = torch.linalg.eigvalsh(matrix_log(far @ far.T))
    torch.testing.assert_close(spectrum.exp(), torch.linalg.eigvalsh(far @ far.T))


@pytest.mark.parametrize("losses", sorted(LOSSES))
def test_a_loss_is_least_at_the_truth_and_blind_to_an_scale_free(losses: str) -> None:
    """Of marginals and of coupling, each alone too."""
    structure, frames = simulation(3, 24)
    labels = labels_of(frames, structure.ca)
    example = Example.of(structure, labels, 0)
    truth = torch.from_numpy(labels.marginals), torch.from_numpy(labels.coupling)
    identity = torch.eye(24, dtype=torch.float64)
    loss = LOSSES[losses]
    for wrong in ((1.4 * truth[0], truth[1]), (truth[0], 0.5 * (truth[1] + identity))):
        assert loss(*wrong, example) > loss(*truth, example) + 1e-3
    assert loss(None, wrong[1], example) > loss(None, truth[1], example)
    assert loss(1.4 * truth[0], None, example) > loss(truth[0], None, example)
    own = replace(example, scale_free=True)
    torch.testing.assert_close(loss(1.4 * truth[0], None, own), loss(truth[0], None, own), rtol=1e-6, atol=1e-6)


def test_steps_hold_as_many_residues_and_an_epoch_as_many_steps(data: Path) -> None:
    """Whatever the order of the proteins, so that a resumed training finds its place."""
    configuration = small(data, batch_residues=40, folds=6, source=(TrainingSource("md"),))
    fold = assign_folds(load_data(configuration), configuration)[0]
    total = sum(map(len, fold.training[0]))
    for epoch in range(5):
        steps = plan_epoch(fold, configuration, (0, 0), epoch)
        assert len(steps) == round(total / 40)
        assert sorted(len(task.example) for step in steps for task in step) == sorted(map(len, fold.training[0]))
    # Of two clusters with proteins of 13 to 20 residues, one of each is drawn.
    examples = [replace(each, cluster=k % 2) for k, each in enumerate(load_examples(TrainingSource("md"), data))]
    drawn, mixed = replace(configuration, per_cluster=1, batch_residues=4), replace(fold, training=[examples])
    epochs = [plan_epoch(mixed, drawn, (0, 0), epoch) for epoch in range(8)]
    assert len({sum(len(task.example) for step in epoch for task in step) for epoch in epochs}) > 1
    assert len(set(map(len, epochs))) == 1
    capped = replace(configuration, augmentation=Augmentation(crop=10))
    assert len(plan_epoch(fold, capped, (0, 0), 0)) == round(len(fold.training[0]) * 10 / 40)


def test_a_source_comes_in_after_a_fraction_of_the_epochs(data: Path) -> None:
    """And not before; a source that an epoch goes through is there from the start."""
    sources = (TrainingSource("md"), TrainingSource("conformers", probability=0.9, start=0.5, scale_free=True))
    configuration = small(data, epochs=4, source=sources)
    fold = assign_folds(load_data(configuration), configuration)[0]
    sizes = [sum(map(len, plan_epoch(fold, configuration, (0, 0), epoch))) for epoch in range(4)]
    leading = len(fold.training[0])
    assert sizes[:2] == [leading, leading]
    assert min(sizes[2:]) > leading
    with pytest.raises(TrainingDataError, match="from the start"):
        Configuration.of({"architecture": {}, "source": [{"path": "md", "start": 0.5}]})


def test_listed_clusters_are_held_out_of_every_source(data: Path) -> None:
    """In place of folds; they validate where their sizes are thermal."""
    configuration = small(data, held_out=("1", "5"))
    fold = assign_folds(load_data(configuration), configuration)[0]
    trained = {str(example.cluster) for group in fold.training for example in group}
    assert trained == {"0", "2", "3", "4"}
    assert sorted(str(example.cluster) for example in fold.held_out) == ["1", "5"]
    assert not any(example.scale_free for example in fold.held_out)


def test_a_crop_keeps_the_features_that_its_residues_have_in_the_whole(data: Path) -> None:
    """The ends of a crop are no ends of a chain; of springs, the network of the part is made anew."""
    example = replace(load_examples(TrainingSource("md"), data)[1], architecture=replace(
        KERNEL, residue_features=("near_chain_end_3", "density_r2")))  # fmt: skip
    part = augmented(example, Augmentation(crop=12), np.random.default_rng(1))
    kept = slice(start := example.structure.sequence.index(part.structure.sequence), start + 12)
    whole, cut = example.input.arguments, part.input.arguments
    for k in (0, 1, 3):  # types, rotations, residue features
        torch.testing.assert_close(cut[k], whole[k][:, kept])
    torch.testing.assert_close(cut[2][0].mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    assert len(part) == len(part.input) == 12


def test_forward_passes_share_little_padding(data: Path) -> None:
    """Proteins of a step are divided by length; each is in one pass."""
    examples = load_examples(TrainingSource("md"), data)
    tasks = list(enumerate(Task(example, 1.0) for example in examples))
    shared = list(passes(tasks, small(data, KERNEL)))
    assert sorted(number for together in shared for number, _ in together) == list(range(len(tasks)))
    for together in shared:
        sizes = [len(task.example) for _, task in together]
        assert max(sizes) <= 1.4 * min(sizes)
    assert len(shared) < len(tasks)
    assert all(len(together) == 1 for together in passes(tasks, small(data, SPRINGS)))


def test_weights_are_stored_in_half_precision_where_asked(data: Path, tmp_path: Path) -> None:
    """Half as large; they are read, and predict, in single precision."""
    path = train(small(data, KERNEL, epochs=1), tmp_path / "single", report=quiet)
    half = train(small(data, KERNEL, epochs=1, half=True), tmp_path / "half", report=quiet)
    with safe_open(half, framework="numpy") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {np.dtype(np.float16)}  # noqa: SIM118
    for name, tensor in tensors_of(path).items():
        read = tensors_of(half)[name]
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, tensor, rtol=1e-3, atol=1e-6)


def test_a_configuration_may_be_based_on_a_bundled_one(tmp_path: Path) -> None:
    """It has the values of that one where it gives none itself."""
    file = tmp_path / "mine.toml"
    file.write_text('base = "paper-m"\nepochs = 3\n')
    mine, paper = read_configuration(str(file)), read_configuration("paper-m")
    assert mine == replace(paper, epochs=3)
    file.write_text('base = "nonsense"\n')
    with pytest.raises(TrainingDataError, match="'base' is one of"):
        read_configuration(str(file))


def test_the_twin_is_trained_as_what_ships_but_for_what_is_held_out() -> None:
    """Its figures stand for those of `dynaprot`."""
    ships, twin = read_configuration("dynaprot"), read_configuration("dynaprot-twin")
    said = {"about": "", "data_needed": "", "held_out": ()}
    assert replace(ships, **said) == replace(twin, **said)
    assert set(ships.held_out) < set(twin.held_out)


def test_a_student_is_said_to_have_seen_what_its_teacher_saw(data: Path, tmp_path: Path) -> None:
    """And not the structures that it was taught, whose motion nobody measured."""
    folder = tmp_path / "data"
    (folder / "taught").mkdir(parents=True)
    for k in range(3):
        protein = PreparedProtein.load(data / "md" / f"p{k}.npz")
        replace(protein, kind="taught").save(folder / "taught" / f"p{k}.npz")
    (folder / "md").mkdir()
    PreparedProtein.load(data / "md" / "p4.npz").save(folder / "md" / "p4.npz")
    seen = TrainingSequences.of([(random_protein(77, (30,)), 99, 2)])
    seen.save(folder / "taught" / TEACHER_SEQUENCES)
    sources = (TrainingSource("taught"), TrainingSource("md"))
    configuration = small(folder, KERNEL, source=sources, epochs=1, held_out=("none",), patience=0)
    path = train(configuration, tmp_path / "out", report=quiet)
    records = TrainingSequences.load(sequences_path(path)).records
    assert {record.cluster for record in records} == {"99", "4"}
    assert {record.members for record in records} == {frozenset({0})}


def test_trials_are_kept_in_a_table(data: Path, tmp_path: Path) -> None:
    """One row a training, with its recipe and the figures of its weights."""
    table = tmp_path / "trials.csv"
    for seed in (0, 1):
        path = train(small(data, KERNEL, epochs=1, seed=seed), tmp_path / str(seed), trials=table, report=quiet)
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["0", "1"]
    assert tuple(rows[0]) == COLUMNS
    assert rows[1]["rmsf_r"] == load_weights(path).metadata["validation"]["rmsf_r"].split()[0]
    assert json.loads(rows[1]["recipe"])["epochs"] == 1
    assert int(rows[1]["parameters"]) == load_weights(path).parameters

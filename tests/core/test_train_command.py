"""`dynaprot train`: the same weights from one seed, after a kill, and on several processes."""

from __future__ import annotations

import csv
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
from dynaprot.datasets.labels import labels_of  # noqa: E402
from dynaprot.datasets.prepared import PreparedProtein  # noqa: E402
from dynaprot.datasets.splits import Split  # noqa: E402
from dynaprot.errors import TrainingDataError  # noqa: E402
from dynaprot.network.architecture import DYNAPROT_J, DYNAPROT_M, Architecture  # noqa: E402
from dynaprot.network.torch_network import build_network  # noqa: E402
from dynaprot.network.weights import load_weights, shipped_weights  # noqa: E402
from dynaprot.training.augmentation import augmented  # noqa: E402
from dynaprot.training.checkpoint import TrainingState  # noqa: E402
from dynaprot.training.configuration import (  # noqa: E402
    BUNDLED,
    Augmentation,
    Configuration,
    Source,
    bundled_configurations,
    read_configuration,
)
from dynaprot.training.examples import Example, load_examples  # noqa: E402
from dynaprot.training.folds import deal, load_data  # noqa: E402
from dynaprot.training.losses import LOSSES, matrix_log  # noqa: E402
from dynaprot.training.moments import predict_moments  # noqa: E402
from dynaprot.training.train import plan_epoch, train  # noqa: E402

from .conftest import EVERY_FEATURE, random_protein  # noqa: E402

LENGTHS = (24, 31, 20, 27, 29, 22)
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
rate = 3e-3
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
kind = "md_archive"
path = "md_ensembles.npz"
"""


def simulation(seed: int, length: int) -> tuple[Structure, np.ndarray]:
    """A protein with frames of an elastic network whose chain ends move more: (F, N, 3), Å."""
    structure = random_protein(seed, (length,))
    frames = predict(structure, model="anm").sample(120, seed)
    ends = 1.0 + np.abs(np.linspace(-1, 1, length))[:, None]
    return structure, structure.ca + 0.4 * (frames - structure.ca) * ends


def archive(path: Path, simulations: list[tuple[Structure, np.ndarray]]) -> None:
    """Write simulations as ``md_ensembles.npz`` has them, each of a cluster of its own."""
    structures = [structure for structure, _ in simulations]
    np.savez(
        path,
        name=[f"protein{k}" for k in range(len(structures))],
        seq=[structure.sequence for structure in structures],
        cluster=np.arange(len(structures)),
        offset=np.cumsum([0, *map(len, structures)]),
        N=np.concatenate([s.n for s in structures]),
        CA=np.concatenate([s.ca for s in structures]),
        C=np.concatenate([s.c for s in structures]),
        n_frames=[len(frames) for _, frames in simulations],
        traj=np.concatenate([np.zeros(len(frames), dtype=int) for _, frames in simulations]),
        frames=np.concatenate([frames.ravel() for _, frames in simulations]).astype(np.float32),
        split_half_rmsf_r=np.full(len(structures), 0.9),
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sources: simulations in an archive, and the same prepared with a crystal among them."""
    folder = tmp_path_factory.mktemp("data")
    simulations = [simulation(seed, length) for seed, length in enumerate(LENGTHS)]
    archive(folder / "md_ensembles.npz", simulations)
    archive(folder / "conformers.npz", simulations[:4])
    (folder / "prepared").mkdir()
    for k, (structure, frames) in enumerate(simulations):
        labels = labels_of(frames, structure.ca)
        crystal = k == 5
        backbone = np.stack([structure.n, structure.ca, structure.c], axis=1)
        rotations = structure.rotations
        PreparedProtein(
            replace(structure, name=f"p{k}"),
            np.swapaxes(rotations, 1, 2) @ labels.marginals @ rotations,
            None if crystal else labels.coupling,
            structure.ca,
            backbone[None] + np.linspace(-0.2, 0.2, 0 if crystal else 3)[:, None, None, None],
            "crystal" if crystal else "simulation",
            120,
            1,
            50.0,
            0.9,
            "plain",
            "test",
            "CC0",
        ).save(folder / "prepared" / f"p{k}.npz")
    names = [f"p{k}" for k in range(6)]
    Split("clusters", tuple(names[2:]), (names[1],), (names[0],)).save(folder / "prepared" / "split.json")
    return folder


def small(data: Path, architecture: Architecture = SPRINGS, **changes: object) -> Configuration:
    """Twelve steps, with every source of chance; the best weights are kept."""
    sources = (
        Source("md_archive", "md_ensembles.npz"),
        Source("conformers", "conformers.npz", share=0.5, weight=0.5, own_scale=True),
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


def test_a_process_that_is_killed_outright_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    """SIGKILL, which no program can catch, in the middle of a step or of writing."""
    file = tmp_path / "tiny.toml"
    file.write_text(TOML.format(data=data, batch=1).replace("epochs = 3", "epochs = 20"))
    process = command(["train", str(file), "-o", str(tmp_path / "killed")])
    while not (tmp_path / "killed" / "member-0.safetensors").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    # The same command as was killed, in the same surroundings: with other threads, sums round otherwise.
    for folder, more in (("killed", ["--resume"]), ("whole", [])):
        again = command(["train", str(file), "-o", str(tmp_path / folder), *more])
        output, _ = again.communicate()
        assert again.returncode == 0, output
    whole, resumed = (tmp_path / folder / "tiny.safetensors" for folder in ("whole", "killed"))
    assert_identical(whole, resumed)


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
        data, trained, losses=losses, epochs=8, augmentation=Augmentation(), batch=2, rate=1e-2, memory=2, folds=6
    )
    history: list[dict[str, float]] = []
    train(
        configuration, tmp_path, report=quiet, after_step=lambda state: history.__setitem__(slice(None), state.history)
    )
    assert history[-1]["training_loss"] < 0.95 * history[0]["training_loss"]


def test_a_loss_that_is_no_number_ends_the_training(data: Path, tmp_path: Path) -> None:
    """At once, naming the step and the proteins; no weights are written."""
    with pytest.raises(TrainingDataError, match="step 2, with protein"):
        train(small(data, MARGINALS, rate=1e30, epochs=1), tmp_path, report=quiet)
    assert not list(tmp_path.iterdir())


def test_early_stopping_keeps_the_best_weights(data: Path, tmp_path: Path) -> None:
    """Where nothing gets better, training ends `patience` epochs after the first."""
    configuration = small(data, rate=0.0, patience=2, epochs=50)
    epochs: list[str] = []
    train(configuration, tmp_path, report=epochs.append)
    assert sum(line.startswith("network 1 of 1, epoch") for line in epochs) == 3


@pytest.mark.parametrize(("every", "looks"), [(0, []), (1, [1, 2, 3, 4]), (3, [3])])
def test_what_is_held_out_is_looked_at_as_often_as_asked(
    data: Path, tmp_path: Path, every: int, looks: list[int]
) -> None:
    """Where looks cost more than steps they are few; without any, the end alone is judged."""
    path = train(small(data, epochs=4, judge_every=every, patience=0), tmp_path, report=quiet)
    with open(tmp_path / "member-0.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [k for k, row in enumerate(rows, start=1) if row.get("rmsf_r")] == looks
    assert "rmsf_r" in load_weights(path).metadata["validation"]


def test_a_checkpoint_is_safetensors_and_of_one_configuration(data: Path, tmp_path: Path) -> None:
    """No pickle; another configuration, or a folder in use, is refused."""
    train(small(data, epochs=1), tmp_path, report=quiet)
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".csv"}
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
        ('kind = "md_archive"', 'kind = "pdb"', "kind"),
        ('path = "md_ensembles.npz"', "", "path"),
        ("members = 1", "members = 4", "members"),
        ("members = 1", "members = 1\npatience = 2\njudge_every = 0", "judge_every"),
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
    assert sorted(configurations) == ["default", "paper-j", "paper-m", "published-j", "published-m"]
    assert configurations["paper-m"].architecture == configurations["published-m"].architecture == DYNAPROT_M
    assert configurations["paper-j"].architecture == configurations["published-j"].architecture == DYNAPROT_J
    sizes = [sum(p.numel() for p in build_network(a).parameters()) for a in (DYNAPROT_M, DYNAPROT_J)]
    assert sizes == [955_078, 1_902_145]
    shipped = load_weights(shipped_weights()[0])
    default = configurations["default"]
    assert replace(default.architecture, members=default.members) == shipped.architecture
    with pytest.raises(TrainingDataError, match="default, paper-j, paper-m, published-j, published-m"):
        read_configuration("nonsense")


def test_the_command_trains_weights_that_predict(data: Path, tmp_path: Path) -> None:
    """From TOML to `predict`, with curves."""
    file = tmp_path / "tiny.toml"
    file.write_text(TOML.format(data="nowhere", batch=2))
    result = CliRunner().invoke(app, ["train", str(file), "-o", str(tmp_path / "out"), "--data", str(data)])
    assert result.exit_code == 0, result.output
    weights = tmp_path / "out" / "tiny.safetensors"
    assert weights.name in result.output.replace("\n", "")
    assert load_weights(weights).metadata["held_out_clusters"]
    dynamics = predict(random_protein(9), model=str(weights))
    assert np.linalg.eigvalsh(dynamics.marginals).min() > 0


def test_curves_go_to_tensorboard(data: Path, tmp_path: Path) -> None:
    """Where the package is there."""
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    train(small(data, tensorboard=True, epochs=1), tmp_path, report=quiet)
    assert list((tmp_path / "tensorboard" / "member-0").iterdir())


def test_prepared_proteins_train_by_their_split(data: Path, tmp_path: Path) -> None:
    """Those to test on are not looked at; a crystal among them teaches what it knows."""
    configuration = small(
        data / "prepared", source=(Source("prepared", "."),), split="split.json", folds=1, per_cluster=0
    )
    fold = deal(load_data(configuration), configuration)[0]
    assert [example.structure.name for example in fold.training[0]] == ["p2", "p3", "p4", "p5"]
    assert [example.structure.name for example in fold.held_out] == ["p1"]
    assert fold.training[0][-1].coupling is None
    assert [len(e.frames) for e in fold.training[0]] == [3, 3, 3, 0]
    train(configuration, tmp_path, report=quiet)


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
    assert weights.metadata["configuration"]["source"][0]["kind"] == "prepared"
    assert np.isfinite(Dynamics.load(tmp_path / "out" / "dynamics.npz").rmsf).all()


def test_an_epoch_looks_at_every_protein_in_batches_of_like_length(data: Path) -> None:
    """Sources of share 1 once; the order is that of the seed."""
    configuration = small(data, batch=2, folds=6, source=(Source("md_archive", "md_ensembles.npz"),))
    fold = deal(load_data(configuration), configuration)[0]
    steps = plan_epoch(fold, configuration, (0, 0), 0)
    seen = [len(task.example) for step in steps for task in step]
    assert sorted(seen) == sorted(map(len, fold.training[0]))
    ordered = [sorted(len(task.example) for task in step) for step in steps]
    assert all(one[-1] <= other[0] or other[-1] <= one[0] for one in ordered for other in ordered if one is not other)
    again = plan_epoch(fold, configuration, (0, 0), 0)
    assert [len(task.example) for step in again for task in step] == seen


def test_a_padded_batch_predicts_what_each_protein_alone_does(data: Path) -> None:
    """For every kind of head."""
    examples = load_examples(Source("md_archive", "md_ensembles.npz"), data)[:3]
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


@pytest.mark.parametrize("shape", ["space", "sequence"])
def test_augmentation_changes_what_is_seen_not_what_is_true(data: Path, shape: str) -> None:
    """Labels are cut with the crop and otherwise kept; bond lengths of each residue survive the noise."""
    example = load_examples(Source("md_archive", "md_ensembles.npz"), data, frames=True)[0]
    how = Augmentation(frames=1.0, position_noise=0.2, rotation_noise=5.0, crop=12, crop_shape=shape)  # type: ignore[arg-type]
    seen = augmented(example, how, np.random.default_rng(0))
    assert len(seen) == len(seen.input) == len(seen.structure) == 12
    assert replace(seen, architecture=SPRINGS).input.arguments[5].numel()
    assert not replace(seen, architecture=MARGINALS).input.arguments[5].numel()
    assert seen.coupling is not None
    assert seen.coupling.shape == (12, 12)
    kept = [k for k in range(len(example)) if (example.marginals[k] == seen.marginals).all((1, 2)).any()]
    assert len(kept) == 12
    if shape == "sequence":
        assert kept == list(range(kept[0], kept[0] + 12))
    bonds = np.linalg.norm(seen.structure.n - seen.structure.ca, axis=1)
    np.testing.assert_allclose(bonds, 1.458, atol=0.01)
    whole = augmented(example, replace(how, crop=0), np.random.default_rng(0))
    assert whole.marginals is example.marginals
    moved = np.linalg.norm(whole.structure.ca - example.structure.ca, axis=1)
    assert 0.1 < moved.mean() < 5.0


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
def test_a_loss_is_least_at_the_truth_and_blind_to_an_own_scale(losses: str) -> None:
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
    own = replace(example, own_scale=True)
    torch.testing.assert_close(loss(1.4 * truth[0], None, own), loss(truth[0], None, own), rtol=1e-6, atol=1e-6)

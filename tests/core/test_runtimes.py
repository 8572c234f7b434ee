"""One network in numpy and in PyTorch: the same outputs, from files that are checked first."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dynaprot
from dynaprot import PredictionError, Structure, WeightsError, load_structure, predict
from dynaprot.network import features as named
from dynaprot.network import runtime
from dynaprot.network.architecture import DYNAPROT_J, DYNAPROT_M, Architecture
from dynaprot.network.features import Features, featurise
from dynaprot.network.numpy_network import NumpyNetwork
from dynaprot.network.runtime import choose_device
from dynaprot.network.weights import Weights, find_weights, load_weights, save_weights, shipped_weights
from dynaprot.springs import prior

from .conftest import EVERY_FEATURE, SHARED, random_protein

ALL_HEADS = Architecture(
    dimension=32, layers=2, heads=4, scalars=8, residual=True, **EVERY_FEATURE, final_norm=True,
    marginals=True, coupling="kernel", prior="1", congruence=True,
)  # fmt: skip
ARCHITECTURES = {
    "published marginals": DYNAPROT_M,
    "every head": ALL_HEADS,
    "committee": replace(ALL_HEADS, members=3),
    "no attention": replace(ALL_HEADS, layers=0, coupling="none"),
    "few features": replace(ALL_HEADS, residue_features=("helix", "packing"), pair_features=("disulfide",)),
}
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None  # importing it fails, as where it is not installed\n"


def weights_of(architecture: Architecture, folder: Path, scale: float = 0.05) -> Weights:
    """Weights that are nowhere zero, so that every part of the network matters."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from dynaprot.network.torch_network import build_network

    torch.manual_seed(0)
    network = build_network(architecture)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    path = folder / "network.safetensors"
    save_weights(path, architecture, {name: t.numpy() for name, t in network.state_dict().items()}, {"name": "network"})
    return load_weights(path)


def in_torch(weights: Weights, features: Features, double: bool = False) -> dict[str, np.ndarray]:
    """Outputs as PyTorch has them, in single or in double precision."""
    import torch

    from dynaprot.network.torch_network import load_network, tensors

    network, arguments = load_network(weights), tensors(features)
    if double:
        network = network.double()
        arguments = tuple(tensor.double() if tensor.is_floating_point() else tensor for tensor in arguments)
    with torch.no_grad():
        return {name: output.double().numpy() for name, output in network(*arguments).unbatch().items()}


def relative(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference relative to the largest entry."""
    return float(np.abs(a - b).max() / np.abs(b).max())


def real_protein(size: int) -> Structure:
    """So many residues of real proteins, side by side."""
    files = [SHARED / "structures" / f"{name}.gz" for name in ("3w7t.pdb", "4urw_final.cif")]
    if not all(file.exists() for file in files):
        pytest.skip(f"real data is not here: {SHARED}")
    proteins = [load_structure(file) for file in files]
    atoms = [
        np.concatenate([getattr(protein, name) + [90.0 * k, 0.0, 0.0] for k, protein in enumerate(proteins)])[:size]
        for name in ("n", "ca", "c")
    ]
    chains = np.concatenate([np.char.add(protein.chain_ids, str(k)) for k, protein in enumerate(proteins)])[:size]
    return Structure.from_arrays(*atoms, "".join(protein.sequence for protein in proteins)[:size], chains)


def scattered(size: int) -> Structure:
    """Residues a hundred Å from each other."""
    structure = random_protein(1, (size,))
    apart = 100.0 * np.arange(size)[:, None]
    return Structure.from_arrays(structure.n + apart, structure.ca + apart, structure.c + apart, structure.sequence)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("structure", [random_protein(4, (30, 12)), scattered(4)], ids=["protein", "no pair"])
def test_numpy_and_pytorch_run_one_network(name: str, structure: Structure, tmp_path: Path) -> None:
    """Every architecture without a pair head, also without a single pair of residues."""
    weights = weights_of(ARCHITECTURES[name], tmp_path)
    architecture = weights.architecture
    features = featurise(structure, architecture.residue_features, architecture.pair_features)
    ours, theirs = NumpyNetwork(weights)(features), in_torch(weights, features)
    assert set(ours) == set(theirs)
    for output, expected in theirs.items():
        np.testing.assert_allclose(ours[output], expected, atol=2e-6 * max(1.0, np.abs(expected).max(initial=0.0)))


@pytest.mark.parametrize("size", [271, 2000])
def test_numpy_and_pytorch_agree_on_the_published_network_of_large_proteins(size: int, tmp_path: Path) -> None:
    """Eight layers of attention, where queries come in several blocks."""
    weights = weights_of(DYNAPROT_M, tmp_path, scale=0.0)
    features = featurise(real_protein(size))
    ours, theirs = NumpyNetwork(weights)(features), in_torch(weights, features)
    assert relative(ours["marginal_factor"], theirs["marginal_factor"]) < 1e-5


def test_attention_holds_with_large_weights_far_from_the_centre(tmp_path: Path) -> None:
    """Point weights a hundred times larger and residues 1,000 Å away: logits are differences of very large numbers."""
    weights = weights_of(replace(ALL_HEADS, prior="", congruence=False, pair_features=()), tmp_path)
    large = {
        name: 100.0 * tensor if name.endswith("point_weight") else tensor for name, tensor in weights.tensors.items()
    }
    weights = replace(weights, tensors=large)
    features = featurise(random_protein(2, (40,)), weights.architecture.residue_features)
    features = replace(features, positions=features.positions + np.float32(1000.0))
    ours, theirs = NumpyNetwork(weights)(features), in_torch(weights, features, double=True)
    for output, expected in theirs.items():
        assert relative(ours[output], expected) < 1e-3, output


def test_only_the_features_that_are_asked_for_are_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two that solve an N x N system cost nothing where they are not read."""
    monkeypatch.setattr(named, "invert_root", None)
    structure = random_protein(1, (20,))
    cheap = [name for name in named.RESIDUE_FEATURES if "mobility" not in name]
    assert featurise(structure, cheap).residue_features.shape == (20, len(cheap))
    with pytest.raises(TypeError):
        featurise(structure, ["mobility_r6"])


def test_features_come_in_the_order_in_which_they_are_named() -> None:
    """One column a name."""
    structure = random_protein(5, (20, 9))
    for kind, names in EVERY_FEATURE.items():
        whole = getattr(featurise(structure, **{kind: names}), kind)
        backwards = getattr(featurise(structure, **{kind: names[::-1]}), kind)
        np.testing.assert_array_equal(whole[:, ::-1], backwards)


def test_every_feature_follows_the_residues_when_they_are_stored_in_another_order() -> None:
    """A feature belongs to its residue, whatever its name."""
    structure = random_protein(6, (20, 14))
    order = np.random.default_rng(0).permutation(len(structure))
    names = EVERY_FEATURE["residue_features"]
    whole = featurise(structure, names).residue_features
    shuffled = featurise(structure[order], names).residue_features
    np.testing.assert_allclose(shuffled, whole[order], atol=2e-5)


@pytest.fixture
def good(tmp_path: Path) -> Weights:
    """A copy of the shipped network, to be damaged."""
    shipped = find_weights("default")
    assert shipped is not None
    path = tmp_path / "copy.safetensors"
    path.write_bytes(shipped.read_bytes())
    return load_weights(path)


@pytest.mark.parametrize("kind", ["residue_features", "pair_features"])
def test_weights_that_read_an_unknown_feature_are_refused_by_its_name(good: Weights, kind: str) -> None:
    """As those of a later DynaProt."""
    names = (*getattr(good.architecture, kind)[:-1], "moonlight")
    save_weights(good.path, replace(good.architecture, **{kind: names}), good.tensors, good.metadata)
    with pytest.raises(WeightsError, match=r"copy\.safetensors: the weights read a feature 'moonlight'"):
        predict(random_protein(1, (8,)), str(good.path))


@pytest.mark.parametrize("constant", ["angle", "torsion", "contact", "cutoff"])
def test_weights_whose_prior_had_other_force_constants_are_refused(
    good: Weights, monkeypatch: pytest.MonkeyPatch, constant: str
) -> None:
    """Whoever changes a released prior is told, before a wrong prediction is."""
    name = good.architecture.prior
    value = 1.5 * getattr(prior.PRIORS[name], constant)
    monkeypatch.setitem(prior.PRIORS, name, replace(prior.PRIORS[name], **{constant: value}))
    with pytest.raises(WeightsError, match=r"trained with other prior.*Install the DynaProt that they were made with"):
        load_weights(good.path)


def test_weights_are_refused_when_features_have_come_to_mean_something_else(
    good: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version of the features is part of the file."""
    monkeypatch.setattr(named, "VERSION", named.VERSION + 1)
    with pytest.raises(WeightsError, match="trained with other features version"):
        load_weights(good.path)


def test_weights_of_an_unknown_prior_are_refused(good: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a later DynaProt."""
    monkeypatch.setitem(prior.PRIORS, "later", prior.PRIORS["1"])
    save_weights(good.path, replace(good.architecture, prior="later"), good.tensors, good.metadata)
    monkeypatch.delitem(prior.PRIORS, "later")
    with pytest.raises(WeightsError, match="correct an elastic network 'later'"):
        load_weights(good.path)


def test_weights_that_are_not_finite_are_refused(good: Weights) -> None:
    """A training that diverged gives no predictions of NaN."""
    tensors = dict(good.tensors)
    name = next(iter(tensors))
    tensors[name] = np.full_like(tensors[name], np.nan)
    save_weights(good.path, good.architecture, tensors, good.metadata)
    with pytest.raises(WeightsError, match=r"copy\.safetensors: some weights are not finite"):
        predict(random_protein(1, (8,)), str(good.path))


def test_weights_that_lack_a_parameter_are_refused(good: Weights) -> None:
    """The message names the file."""
    tensors = {name: tensor for name, tensor in good.tensors.items() if "spring_head.chain" not in name}
    save_weights(good.path, good.architecture, tensors, good.metadata)
    with pytest.raises(WeightsError, match=r"copy\.safetensors: the weights do not fit their own architecture"):
        predict(random_protein(1, (8,)), str(good.path))


def test_the_same_weights_are_the_same_file(good: Weights) -> None:
    """So that a hash of the file names them."""
    before = good.path.read_bytes()
    save_weights(good.path, good.architecture, good.tensors, good.metadata)
    assert good.path.read_bytes() == before


def test_every_shipped_network_runs_where_pytorch_cannot_be_imported() -> None:
    """None is replaced by the elastic network, and `dynaprot info` says what runs them."""
    done = _python(
        WITHOUT_TORCH + "from tests.core.conftest import random_protein; from dynaprot import predict\n"
        f"for name in {[path.stem for path in shipped_weights()]}:\n"
        "    dynamics = predict(random_protein(1, (30,)), name); print(dynamics.model, len(dynamics.notices))"
    )
    assert done.stdout.splitlines() == [f"{path.stem} on cpu 0" for path in shipped_weights()]
    done = _python(WITHOUT_TORCH + "sys.argv = ['dynaprot', 'info']; from dynaprot.command_line import main; main()")
    assert "numpy on the CPU: " in done.stdout


def test_the_pair_head_without_pytorch_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DYNAPROT-J alone needs PyTorch to predict."""
    weights = weights_of(replace(DYNAPROT_J, layers=1, dimension=16), tmp_path)
    monkeypatch.setattr(runtime, "_imports", lambda package: package != "torch")
    with pytest.raises(PredictionError, match="pair head runs in PyTorch alone, which is not installed: pip install"):
        predict(random_protein(1, (8,)), str(weights.path))


@pytest.mark.parametrize(
    ("device", "driver", "torch_is_here", "gpu", "expected"),
    [
        ("auto", False, True, None, ("cpu", "no GPU was found")),
        ("auto", True, False, None, ("cpu", "a GPU needs PyTorch, which is not installed")),
        ("auto", True, True, "cuda", ("cuda", "PyTorch found a GPU")),
        ("auto", True, True, "mps", ("mps", "PyTorch found a GPU")),
        ("auto", True, True, None, ("cpu", "PyTorch found no GPU that it can use")),
        ("cpu", True, True, "cuda", ("cpu", "as asked for")),
        ("cuda:1", True, True, "cuda", ("cuda:1", "as asked for")),
    ],
)
def test_a_gpu_is_used_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, device: str, driver: bool, torch_is_here: bool, gpu: str | None, expected: tuple
) -> None:
    """With the reason."""
    monkeypatch.setattr(runtime, "_has_gpu_driver", lambda: driver)
    monkeypatch.setattr(runtime, "_imports", lambda package: torch_is_here)
    monkeypatch.setattr(runtime, "_gpu_of_torch", lambda: gpu)
    assert choose_device(device) == expected


def test_a_gpu_without_pytorch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to get it."""
    monkeypatch.setattr(runtime, "_imports", lambda package: package != "torch")
    with pytest.raises(PredictionError, match=r"no device 'cuda' here.*pip install torch"):
        choose_device("cuda")


def _python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own, whose warnings are errors."""
    source = Path(dynaprot.__file__).resolve().parent.parent
    paths = {"PYTHONPATH": os.pathsep.join([str(source), str(Path(__file__).parents[2])]), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, env=os.environ | paths
    )

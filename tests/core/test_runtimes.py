"""Networks run by ONNX Runtime and by PyTorch: the same answers, from files that are checked first."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import dynaprot
from dynaprot import PredictionError, Structure, WeightsError, load_structure, predict
from dynaprot.network import runtime
from dynaprot.network.architecture import DYNAPROT_J, DYNAPROT_M, Architecture
from dynaprot.network.features import Features, featurise
from dynaprot.network.onnx_runtime import OnnxNetwork
from dynaprot.network.runtime import Runtime, choose_runtime
from dynaprot.network.weights import (
    find_weights,
    graph_path,
    load_graph,
    load_weights,
    save_weights,
    shipped_weights,
)
from dynaprot.prediction import _network

from .conftest import SHARED, random_protein

ONNX_RUNTIME, PYTORCH = Runtime("ONNX Runtime", "cpu", ""), Runtime("PyTorch", "cpu", "")
ALL_HEADS = Architecture(
    dimension=32, layers=2, heads=4, scalars=8, residual=True, environment=True, final_norm=True,
    marginals=True, coupling="kernel", springs=True, congruence=True,
)  # fmt: skip
ARCHITECTURES = {
    "published marginals": DYNAPROT_M,
    "published coupling": DYNAPROT_J,
    "every head": ALL_HEADS,
    "committee": replace(ALL_HEADS, members=3),
    "no attention": replace(ALL_HEADS, layers=0, coupling="none"),
}
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None  # importing it fails, as where it is not installed\n"


@pytest.fixture(scope="session")
def default_weights() -> Path:
    """The shipped network."""
    path = find_weights("default")
    assert path is not None
    return path


@pytest.fixture
def weights_copy(default_weights: Path, tmp_path: Path) -> Path:
    """The shipped network's files, to be damaged."""
    for path in (default_weights, graph_path(default_weights)):
        (tmp_path / f"copy{path.suffix}").write_bytes(path.read_bytes())
    return tmp_path / "copy.safetensors"


def real_protein(size: int) -> Structure:
    """So many residues of real proteins, side by side, of which a part may be cut off."""
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


def relative(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference relative to the largest entry."""
    return float(np.abs(a - b).max() / np.abs(b).max())


@pytest.mark.parametrize("size", [20, 64, 271, 620, 2000])
def test_both_runtimes_give_the_same_dynamics(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every head, and every output made from them, to 1e-4: on real proteins of 20 to 2000 residues."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    structure = real_protein(size)
    by = {}
    for choice in (ONNX_RUNTIME, PYTORCH):
        monkeypatch.setattr("dynaprot.prediction.choose_runtime", lambda device, exported, choice=choice: choice)
        _network.cache_clear()
        by[choice.program] = predict(structure)
    _network.cache_clear()
    one, other = by["ONNX Runtime"], by["PyTorch"]
    for name, array in one.joint.arrays().items():
        assert relative(array, other.joint.arrays()[name]) < 1e-4, name
    assert relative(one.marginals, other.marginals) < 1e-4
    assert relative(one.rmsf, other.rmsf) < 1e-4
    assert np.abs(one.coupling - other.coupling).max() < 1e-4
    assert np.abs(one.anisotropy - other.anisotropy).max() < 1e-4
    assert np.abs(one.sample(3, seed=0) - other.sample(3, seed=0)).max() < 1e-3 * other.rmsf.max()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_exported(name: str, tmp_path: Path) -> None:
    """To a graph of any length, also without a single pair, that gives PyTorch's heads."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed")
    from dynaprot.network.export import save_network
    from dynaprot.network.model import network_of
    from dynaprot.network.torch_runtime import TorchNetwork

    torch.manual_seed(0)
    network = network_of(ARCHITECTURES[name]).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    path = tmp_path / "network.safetensors"
    save_network(path, network, {"name": name})
    weights = load_weights(path)
    ours, reference = OnnxNetwork(weights), TorchNetwork(weights, "cpu")
    chain = random_protein(1, (4,))
    scattered = Structure.from_arrays(*(at + 100.0 * np.eye(4, 3) for at in (chain.n, chain.ca, chain.c)), "ACDE")
    for structure in (random_protein(2, (20,)), random_protein(3, (70, 31)), scattered):
        features = featurise(structure)
        heads, expected = ours(features), reference(features)
        assert heads.keys() == expected.keys()
        for head in heads:
            assert heads[head].shape == expected[head].shape
            assert heads[head].dtype == np.float64
            np.testing.assert_allclose(heads[head], expected[head], atol=1e-4 * np.abs(expected[head]).max(initial=1.0))
    assert not featurise(scattered).pairs.size


def test_a_saved_network_is_always_the_same_two_files(tmp_path: Path) -> None:
    """With one description in both, and nothing of the machine that made them."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    from dynaprot.network.export import save_network
    from dynaprot.network.model import network_of

    torch.manual_seed(0)
    network, path = network_of(ALL_HEADS), tmp_path / "network.safetensors"
    contents = []
    for _ in range(2):
        save_network(path, network, {"name": "twice", "validation": {"rmsf_r": "0.8"}})
        contents.append((path.read_bytes(), graph_path(path).read_bytes()))
    assert contents[0] == contents[1]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["network.onnx", "network.safetensors"]
    properties = {entry.key: entry.value for entry in onnx.load(graph_path(path)).metadata_props}
    for key in ("format", "sha256", "architecture", "metadata"):
        assert properties[key].encode() in contents[0][0].replace(b'\\"', b'"')
    assert str(Path.cwd()).encode() not in contents[0][1]


def test_exporting_anew_changes_no_weights(default_weights: Path, weights_copy: Path) -> None:
    """`python -m dynaprot.network.export FILE` gives old weights their graph and leaves them as they are."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed")
    before = load_weights(weights_copy)
    save_weights(weights_copy, before.architecture, before.tensors, before.metadata)
    assert not graph_path(weights_copy).exists()
    subprocess.run([sys.executable, "-m", "dynaprot.network.export", weights_copy], check=True, env=_environment())
    after = load_weights(weights_copy)
    assert (after.architecture, after.metadata) == (before.architecture, before.metadata)
    for name, tensor in before.tensors.items():
        np.testing.assert_array_equal(after.tensors[name], tensor)
    assert graph_path(weights_copy).exists()
    assert graph_path(default_weights).exists()


@pytest.mark.parametrize("damage", ["truncated", "altered", "empty", "foreign", "text"])
def test_a_damaged_graph_is_refused_before_it_runs(
    weights_copy: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """The message names the file; ONNX Runtime never sees it."""
    path = graph_path(weights_copy)
    content = path.read_bytes()
    path.write_bytes(
        {
            "truncated": content[:-100],
            "altered": content[:-1] + bytes([content[-1] ^ 1]),
            "empty": b"",
            "foreign": content + content[:10],
            "text": b"no model at all",
        }[damage]
    )
    monkeypatch.setattr("onnxruntime.InferenceSession", None)
    with pytest.raises(WeightsError, match=r"copy\.onnx: is damaged, or does not belong to copy\.safetensors"):
        predict(random_protein(1, (8,)), str(weights_copy), device="cpu")


def test_a_graph_of_other_weights_is_refused(weights_copy: Path) -> None:
    """Weights that were saved without a graph, or with another, do not run a graph that lies beside them."""
    graph = graph_path(weights_copy).read_bytes()
    weights = load_weights(weights_copy)
    save_weights(weights_copy, weights.architecture, weights.tensors, weights.metadata)
    graph_path(weights_copy).write_bytes(graph)
    with pytest.raises(WeightsError, match=r"copy\.onnx: is damaged, or does not belong"):
        predict(random_protein(1, (8,)), str(weights_copy), device="cpu")


def test_a_graph_that_this_onnx_runtime_cannot_run_is_named(weights_copy: Path) -> None:
    """Such as one of a later format."""
    weights = load_weights(weights_copy)
    save_weights(weights_copy, weights.architecture, weights.tensors, weights.metadata, b"of the future")
    with pytest.raises(WeightsError, match=r"copy\.onnx: this ONNX Runtime cannot run it"):
        predict(random_protein(1, (8,)), str(weights_copy), device="cpu")


def test_weights_without_a_graph_run_in_pytorch(weights_copy: Path) -> None:
    """Weights from before there were graphs, or from `save_weights` alone."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    structure = random_protein(1, (20,))
    expected = predict(structure, str(weights_copy))
    graph_path(weights_copy).unlink()
    dynamics = predict(structure, str(weights_copy))
    np.testing.assert_allclose(dynamics.marginals, expected.marginals, rtol=1e-3, atol=1e-4)


def test_the_shipped_network_runs_where_pytorch_cannot_be_imported(tmp_path: Path) -> None:
    """It is the network, not the elastic network that steps in; and `dynaprot info` says what runs it."""
    done = _python(
        WITHOUT_TORCH
        + "import numpy as np; from tests.core.conftest import random_protein; from dynaprot import predict;"
        "dynamics = predict(random_protein(1, (30,))); print(dynamics.model, len(dynamics.notices))"
    )
    assert done.stdout.strip() == "DynaProt default on cpu 0"
    done = _python(WITHOUT_TORCH + "sys.argv = ['dynaprot', 'info']; from dynaprot.command_line import main; main()")
    assert "ONNX Runtime on cpu: " in done.stdout


def test_where_nothing_can_run_a_network_the_elastic_network_steps_in_loudly() -> None:
    """And a model that was asked for by name is refused."""
    nothing = WITHOUT_TORCH + "sys.modules['onnxruntime'] = None\n"
    done = _python(
        nothing + "from tests.core.conftest import random_protein; from dynaprot import predict, models\n"
        "structure = random_protein(1, (8,))\n"
        "print(*predict(structure).notices)\n"
        "try: predict(structure, 'springs-1')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    loud, refused = done.stdout.splitlines()
    assert "ONNX Runtime is not installed, and PyTorch is not installed either" in loud
    assert "NOT DynaProt's network" in loud
    assert refused.startswith("PredictionError The model 'springs-1' cannot run: ONNX Runtime is not installed")


@pytest.mark.parametrize(
    ("device", "driver", "here", "gpu", "expected"),
    [
        ("auto", False, {"torch", "onnxruntime"}, None, ("ONNX Runtime", "cpu", "no GPU was found")),
        ("auto", False, {"onnxruntime"}, None, ("ONNX Runtime", "cpu", "no GPU was found")),
        ("auto", True, {"onnxruntime"}, None, ("ONNX Runtime", "cpu", "a GPU needs PyTorch, which is not installed")),
        ("auto", True, {"torch", "onnxruntime"}, "cuda", ("PyTorch", "cuda", "PyTorch found a GPU")),
        ("auto", True, {"torch"}, "mps", ("PyTorch", "mps", "PyTorch found a GPU")),
        ("auto", True, {"torch", "onnxruntime"}, None, ("ONNX Runtime", "cpu", "PyTorch found no GPU that it can use")),
        ("auto", False, {"torch"}, None, ("PyTorch", "cpu", "ONNX Runtime is not installed")),
        ("cpu", True, {"torch", "onnxruntime"}, "cuda", ("ONNX Runtime", "cpu", "as asked for")),
        ("cpu", True, {"torch"}, "cuda", ("PyTorch", "cpu", "ONNX Runtime is not installed")),
        ("cuda:1", True, {"torch", "onnxruntime"}, "cuda", ("PyTorch", "cuda:1", "as asked for")),
    ],
)
def test_the_fastest_runtime_that_is_there_is_taken(
    monkeypatch: pytest.MonkeyPatch, device: str, driver: bool, here: set[str], gpu: str | None, expected: tuple
) -> None:
    """A GPU by PyTorch, then ONNX Runtime, then PyTorch on the CPU; with a reason."""
    monkeypatch.setattr(runtime, "_has_gpu_driver", lambda: driver)
    monkeypatch.setattr(runtime, "_imports", lambda package: package in here)
    monkeypatch.setattr(runtime, "_gpu_of_torch", lambda: gpu)
    assert choose_runtime(device) == Runtime(*expected)


def test_a_gpu_without_pytorch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to get it."""
    monkeypatch.setattr(runtime, "_imports", lambda package: package != "torch")
    with pytest.raises(PredictionError, match=r"no device 'cuda' here.*dynaprot\[torch\]"):
        choose_runtime("cuda")


@pytest.mark.parametrize("path", shipped_weights(), ids=lambda path: path.stem)
def test_every_shipped_network_has_its_graph(path: Path) -> None:
    """None needs PyTorch; and no length of the structure that it was exported with is left in it."""
    import onnxruntime

    session = onnxruntime.InferenceSession(load_graph(load_weights(path)), providers=["CPUExecutionProvider"])
    for node in (*session.get_inputs(), *session.get_outputs()):
        lengths = {"residues", "pairs"} & set(node.shape)
        assert lengths, f"{node.name} has the fixed shape {node.shape}"


def test_the_graph_reads_features_by_their_names(default_weights: Path) -> None:
    """What `featurise` makes is what the graph asks for: a feature renamed is a network that must be exported anew."""
    import onnxruntime

    session = onnxruntime.InferenceSession(graph_path(default_weights), providers=["CPUExecutionProvider"])
    assert {node.name for node in session.get_inputs()} <= {field.name for field in fields(Features)}


def _environment() -> dict[str, str]:
    source = Path(dynaprot.__file__).resolve().parent.parent
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(source), str(Path(__file__).parents[2])]), "COLUMNS": "200"}


def _python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own, whose warnings are errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, env=_environment()
    )

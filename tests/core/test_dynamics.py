"""What `predict` promises of every model: positive definite, equivariant, reproducible, and honest in failing."""

from __future__ import annotations

import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import dynaprot
from dynaprot import (
    Dynamics,
    DynaProtError,
    OutputError,
    PredictionError,
    Structure,
    StructureError,
    WeightsError,
    predict,
)
from dynaprot.joint import FactoredJoint, SuperposedJoint, elastic
from dynaprot.joint.linear_algebra import matrix_log
from dynaprot.network.architecture import DYNAPROT_J, DYNAPROT_M, Architecture
from dynaprot.network.weights import find_weights, load_weights, save_weights, shipped_weights
from dynaprot.prediction import LARGEST_OF_PAIRS, parts

from .conftest import (
    EVERY_FEATURE,
    SHARED,
    moved,
    proteins,
    random_protein,
    rotation_matrix,
    shared_structures,
)

ARCHITECTURES = {
    "published marginals": replace(DYNAPROT_M, layers=2),
    "published coupling": replace(DYNAPROT_J, layers=2, dimension=32),
    "both heads": Architecture(dimension=32, layers=2, marginals=True, coupling="kernel", residual=True),
    "springs": Architecture(
        dimension=32,
        layers=2,
        residual=True,
        **EVERY_FEATURE,
        prior="1",
    ),
    "springs and congruence": Architecture(
        dimension=32,
        layers=1,
        **EVERY_FEATURE,
        prior="1",
        congruence=True,
    ),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every kind of model: the elastic network, the shipped network, and where PyTorch is, one of each architecture."""
    names = ["anm"] + (["default"] if shipped_weights() else [])
    if find_spec("torch") is None:
        return names
    import torch

    from dynaprot.network.torch_network import DynaProt

    for name, architecture in ARCHITECTURES.items():
        torch.manual_seed(0)
        tensors = {
            key: (tensor + 0.05 * torch.randn_like(tensor)).numpy()
            for key, tensor in DynaProt(architecture).state_dict().items()
        }
        path = tmp_path_factory.mktemp("weights") / f"{name}.safetensors"
        save_weights(path, architecture, tensors, {"name": name})
        names.append(str(path))
    return [*names, f"{names[-1]}+{names[-3]}"]  # springs, and a network of marginals beside them


def relative(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference relative to the largest entry."""
    return float(np.abs(a - b).max() / np.abs(b).max())


@given(proteins)
def test_marginals_coupling_and_joint_are_positive_definite(models: list[str], structure: Structure) -> None:
    """For every model and protein, with a unit diagonal of the coupling."""
    for model in models:
        dynamics = predict(structure, model)
        assert dynamics.marginals.shape == (len(structure), 3, 3)
        assert dynamics.marginals.dtype == np.float64
        for matrices in (dynamics.marginals, dynamics.coupling, dynamics.covariance()):
            assert np.linalg.eigvalsh(matrices).min() > 0
        np.testing.assert_allclose(np.diag(dynamics.coupling), 1.0)
        np.testing.assert_allclose(dynamics.rmsf**2, np.trace(dynamics.marginals, axis1=1, axis2=2))
        assert (dynamics.anisotropy >= 0).all()
        assert (dynamics.anisotropy <= 1).all()


@given(proteins, st.integers(0, 999), st.floats(-200, 200))
def test_outputs_move_with_the_protein(models: list[str], structure: Structure, turn: int, shift: float) -> None:
    """Rotation and translation of the input rotate marginals, joint and modes, and leave the coupling alone."""
    rotation = rotation_matrix(turn)
    there = moved(structure, rotation, np.array([shift, -shift, 3.0]))
    block = np.kron(np.eye(len(structure)), rotation)
    for model in models:
        before, after = predict(structure, model), predict(there, model)
        assert relative(after.marginals, rotation @ before.marginals @ rotation.T) < 1e-4, model
        assert relative(after.covariance(), block @ before.covariance() @ block.T) < 1e-4, model
        assert relative(after.coupling, before.coupling) < 1e-4, model
        variances, directions = before.modes(3)
        turned = (directions @ rotation.T).reshape(3, -1)
        residual = after.covariance() @ turned.T - turned.T * variances
        assert np.linalg.norm(residual, axis=0).max() < 1e-4 * variances[0], model


@given(proteins, st.integers(0, 999))
def test_the_order_of_residues_and_chains_only_permutes(models: list[str], structure: Structure, seed: int) -> None:
    """Storing residues, or whole chains, in another order changes nothing else.

    But for a ring, as a random chain may close by chance, which is cut before its first stored residue.
    """
    assume((structure.next_residue < 0).sum() == len(np.unique(structure.segments)))
    generator = np.random.default_rng(seed)
    chains = list(dict.fromkeys(structure.chain_ids))
    by_chain = np.concatenate([np.flatnonzero(structure.chain_ids == chain) for chain in generator.permutation(chains)])
    for order in (generator.permutation(len(structure)), by_chain):
        shuffled = structure[order]
        for model in models:
            if "published coupling" in model:
                continue  # L L^T with a triangular L that the head reads off pair by pair knows an order: published so
            before, after = predict(structure, model), predict(shuffled, model)
            assert relative(after.marginals, before.marginals[order]) < 1e-4, model
            assert relative(after.coupling, before.coupling[np.ix_(order, order)]) < 1e-4, model


def test_a_saved_prediction_is_the_same_when_loaded(models: list[str], tmp_path: Path) -> None:
    """Arrays, samples, modes, structure and notices, without recomputing what was known."""
    structure = random_protein(5, (14, 9))
    for k, model in enumerate(models):
        dynamics = predict(structure, model)
        path = tmp_path / f"{k}.npz"
        dynamics.save(path)
        loaded = Dynamics.load(path)
        np.testing.assert_array_equal(loaded.marginals, dynamics.marginals)
        np.testing.assert_array_equal(loaded.coupling, dynamics.coupling)
        np.testing.assert_allclose(loaded.sample(3, seed=1), dynamics.sample(3, seed=1), atol=1e-12)
        np.testing.assert_allclose(loaded.covariance(), dynamics.covariance(), atol=1e-12)
        assert (loaded.model, loaded.notices) == (dynamics.model, dynamics.notices)
        assert loaded.structure.sequence == structure.sequence
        assert loaded.structure.residue_ids.tolist() == structure.residue_ids.tolist()


def test_a_damaged_result_is_refused(tmp_path: Path) -> None:
    """Truncated, foreign, pickled or missing: one clear line, and no code is run."""
    path = tmp_path / "dynamics.npz"
    predict(random_protein(1, (8,)), "anm").save(path)
    content = path.read_bytes()
    for name, damaged in (("short.npz", content[: len(content) // 2]), ("text.npz", b"hello")):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(OutputError, match=name):
            Dynamics.load(tmp_path / name)
    np.savez(tmp_path / "foreign.npz", a=np.zeros(3))
    np.savez(tmp_path / "pickled.npz", a=np.array([{"x": 1}], dtype=object))
    for name in ("foreign.npz", "pickled.npz", "missing.npz"):
        with pytest.raises(OutputError, match=name):
            Dynamics.load(tmp_path / name)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result is replaced whole or not at all."""
    path = tmp_path / "dynamics.npz"
    dynamics = predict(random_protein(1, (8,)), "anm")
    dynamics.save(path)
    before = path.read_bytes()

    def fail(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OutputError, match="No space left"):
        dynamics.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["dynamics.npz"]
    with pytest.raises(OutputError, match="nowhere"):
        dynamics.save(tmp_path / "nowhere" / "dynamics.npz")


def test_samples_repeat_with_their_seed() -> None:
    """The same seed the same conformations, another seed others, none at all refused."""
    dynamics = predict(random_protein(1, (8,)), "anm")
    np.testing.assert_array_equal(dynamics.sample(4, seed=7), dynamics.sample(4, seed=7))
    assert not np.array_equal(dynamics.sample(4, seed=7), dynamics.sample(4, seed=8))
    assert dynamics.sample(4).shape == (4, 8, 3)
    with pytest.raises(PredictionError, match="at least one sample"):
        dynamics.sample(0)
    with pytest.raises(PredictionError, match="seed is 0 or"):
        dynamics.sample(2, seed=-1)


def test_predictions_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window that cancels a large protein leaves its thread behind: a small one is not held up by it."""
    finish, hessian = threading.Event(), elastic.hessian

    def slow(positions: np.ndarray, *springs: object) -> np.ndarray:
        if len(positions) > 10:
            finish.wait(20)
        return hessian(positions, *springs)

    monkeypatch.setattr(elastic, "hessian", slow)
    large, small = (predict(random_protein(1, (size,)), "anm") for size in (20, 8))
    with ThreadPoolExecutor() as pool:
        marginals = pool.submit(lambda: large.marginals)
        try:
            assert pool.submit(lambda: (small.marginals, small.coupling)).result(timeout=10)
            assert not marginals.done()
        finally:
            finish.set()
    assert len(marginals.result()) == 20


def test_twenty_thousand_samples_have_the_predicted_covariance(models: list[str]) -> None:
    """The ensemble is the Gaussian that was predicted, around the input structure."""
    structure = random_protein(2, (10,))
    for model in models:
        dynamics = predict(structure, model)
        deviation = (dynamics.sample(20_000, seed=0) - structure.ca).reshape(20_000, -1)
        covariance = dynamics.covariance()
        assert np.linalg.norm(deviation.T @ deviation / 20_000 - covariance) < 0.05 * np.linalg.norm(covariance), model


def test_modes_are_counted_without_the_rigid_motions() -> None:
    """3N - 6 there are, the most of them by far below the largest."""
    dynamics = predict(random_protein(2, (10,)), "anm")
    variances, directions = dynamics.modes(24)
    assert directions.shape == (24, 10, 3)
    assert (np.diff(variances) <= 1e-12).all()
    assert variances[-1] > 100 * np.linalg.eigvalsh(dynamics.covariance())[5]
    for count in (0, 25):
        with pytest.raises(PredictionError, match="there are 1 to 24"):
            dynamics.modes(count)


def test_too_small_and_too_large_proteins_are_refused() -> None:
    """One clear line before any memory is taken."""
    for length in (1, 2, 3):
        with pytest.raises(StructureError, match=f"has {length} residues"):
            predict(random_protein(1, (length,)), "anm")
    size = 10_000
    ca = np.random.default_rng(0).normal(0, 60, (size, 3))
    giant = Structure.from_arrays(ca + [1.4, 0, 0], ca, ca + [-0.4, 1.4, 0], "A" * size)
    with pytest.raises(PredictionError, match="10000 residues are more than"):
        predict(giant)


def test_unknown_models_and_devices_are_named() -> None:
    """With what there is to choose from."""
    structure = random_protein(1, (8,))
    with pytest.raises(PredictionError, match=r"no model 'alphafold'. Choose one of default.*anm"):
        predict(structure, "alphafold")
    with pytest.raises(WeightsError, match=r"nothing\.safetensors: no such weights"):
        predict(structure, "nothing.safetensors")
    if shipped_weights():
        with pytest.raises(PredictionError, match="no device 'abacus'"):
            predict(structure, device="abacus")


def test_without_weights_the_elastic_network_steps_in_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result says that it is not the network's, in its notices and in its model."""
    monkeypatch.setattr("dynaprot.network.weights.shipped_weights", lambda: [])
    structure = random_protein(1, (8,))
    dynamics = predict(structure)
    assert "NOT DynaProt's network" in dynamics.notices[0]
    assert "elastic network" in dynamics.model
    np.testing.assert_array_equal(dynamics.marginals, predict(structure, "anm").marginals)


@pytest.mark.parametrize("damage", ["truncated", "altered", "foreign", "mismatched", "pickle"])
def test_damaged_weights_are_refused(tmp_path: Path, damage: str) -> None:
    """Each with a message that names the file; nothing is executed."""
    good = find_weights("default")
    assert good is not None
    content, path = good.read_bytes(), tmp_path / "weights.safetensors"
    if damage == "truncated":
        path.write_bytes(content[:-100])
    elif damage == "altered":
        path.write_bytes(content[:-4] + bytes(4))
    elif damage == "pickle":
        path.write_bytes(b"\x80\x04cos\nsystem\n")
    elif damage == "foreign":
        from safetensors.numpy import save_file

        save_file({"a": np.zeros(3, dtype=np.float32)}, path)
    else:
        weights = load_weights(good)
        save_weights(path, replace(weights.architecture, layers=2), weights.tensors, weights.metadata)
    with pytest.raises(WeightsError, match=r"weights\.safetensors"):
        predict(random_protein(1, (8,)), str(path))


def test_chains_out_of_reach_of_each_other_are_predicted_and_doubted(models: list[str]) -> None:
    """Parts too far apart for learned springs hang together by the elastic network's, and the result says so."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    near, far = random_protein(1, (12,)), random_protein(2, (9,))
    atoms = [np.concatenate([getattr(near, name), getattr(far, name) + 60.0]) for name in ("n", "ca", "c")]
    structure = Structure.from_arrays(*atoms, near.sequence + far.sequence, ["A"] * 12 + ["B"] * 9)
    dynamics = predict(structure, next(model for model in models if Path(model).stem == "springs"))
    assert "2 parts of the structure lie more than" in dynamics.notices[0]
    assert np.linalg.eigvalsh(dynamics.covariance()).min() > 0
    block = dynamics.coupling[:12, 12:]
    assert np.isfinite(dynamics.rmsf).all()
    assert np.abs(block).max() < 1


def test_weights_of_an_earlier_format_say_so(tmp_path: Path) -> None:
    """They would give wrong numbers, or none; the message names both formats and what to do."""
    from safetensors.numpy import save_file

    path = tmp_path / "earlier.safetensors"
    save_file(load_weights(shipped_weights()[0]).tensors, path, {"format": "dynaprot-weights-1"})
    with pytest.raises(WeightsError, match="their format is dynaprot-weights-1, and dynaprot-weights-2 is expected"):
        predict(random_protein(1, (8,)), str(path))


def test_what_no_memory_holds_is_refused_before_the_work(models: list[str]) -> None:
    """The published pair head takes memory by N^2 and time by N^3; the message names the model and the way out."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    published = next(model for model in models if Path(model).stem == "published coupling")
    structure = random_protein(1, (LARGEST_OF_PAIRS + 1,))
    with pytest.raises(PredictionError, match=r"701 residues are more than the 700 .*published coupling.*fewer chains"):
        predict(structure, published)


def test_factored_and_elastic_joints_come_from_the_heads_that_are_there(models: list[str]) -> None:
    """A network of marginals keeps exactly its marginals when the elastic network lends its coupling."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    structure = random_protein(3, (15,))
    by_name = {Path(model).stem: predict(structure, model) for model in models if "+" not in model}
    assert isinstance(by_name["both heads"].joint, FactoredJoint)
    assert "predicts no coupling: the elastic network stands in" in by_name["published marginals"].notices[0]
    assert "predicts no marginals: the elastic network stands in" in by_name["published coupling"].notices[0]
    assert by_name["springs"].notices == ()
    assert relative(by_name["springs and congruence"].marginals, by_name["springs"].marginals) > 0.01


def test_springs_and_a_network_of_marginals_predict_the_mean_of_both(models: list[str]) -> None:
    """The logarithm of marginals is halfway, but for rigid motions; the coupling is that of the recoloured joint."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    structure = random_protein(4, (40,))
    both = next(model for model in models if "+" in model)
    springs, heads = (predict(structure, part) for part in parts(both))
    together = predict(structure, both)
    assert predict(structure, "+".join(reversed(parts(both)))).rmsf == pytest.approx(together.rmsf)
    halfway = torch.from_numpy((matrix_log(springs.marginals) + matrix_log(heads.marginals)) / 2.0)
    recoloured = springs.joint.recoloured(torch.matrix_exp(halfway).numpy())
    expected = SuperposedJoint(recoloured, structure.ca)
    np.testing.assert_allclose(together.marginals, expected.marginals, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(together.coupling, expected.coupling, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(together.marginals, recoloured.marginals, atol=0.1 * together.marginals.max())
    rigid = elastic.rigid_motions(structure.ca)
    assert np.abs(rigid.T @ together.covariance() @ rigid).max() < 1e-4 * together.rmsf.max() ** 2
    assert together.notices == springs.notices


def test_the_public_interface_is_the_one_that_other_programs_call() -> None:
    """Names, arguments and defaults are fixed."""
    signatures = {
        dynaprot.load_structure: "path, chains=None, model=0",
        dynaprot.predict: "structure, model='default', device='auto'",
        dynaprot.Dynamics.sample: "self, n, seed=None",
        dynaprot.Dynamics.modes: "self, k",
    }
    for function, expected in signatures.items():
        given_parameters = inspect.signature(function).parameters.values()
        assert ", ".join(str(p.replace(annotation=inspect.Parameter.empty)) for p in given_parameters) == expected
    leading = list(inspect.signature(Structure.from_arrays).parameters)[:6]
    assert leading == ["n", "ca", "c", "sequence", "chain_ids", "residue_ids"]
    for error in (OutputError, PredictionError, StructureError, WeightsError):
        assert issubclass(error, DynaProtError)
    assert set(dynaprot.__all__) <= set(dir(dynaprot))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dynaprot.nothing


@pytest.mark.skipif(not shared_structures(), reason=f"real data is not here: {SHARED / 'structures'}")
@pytest.mark.parametrize("path", shared_structures(), ids=lambda path: path.name)
def test_every_awkward_real_file_predicts(path: Path) -> None:
    """From a file to a sound result, complexes of 1500 residues included."""
    structure = dynaprot.load_structure(path)
    dynamics = predict(structure)
    assert 0.2 < np.median(dynamics.rmsf) < 8.0  # Å; 4cfq is six chains that barely touch
    assert np.linalg.eigvalsh(dynamics.marginals).min() > 0

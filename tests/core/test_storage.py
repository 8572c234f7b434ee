"""What is read back from disk: whole and the same, or refused in one clear line, whatever happened to the file."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynaprot import Atoms, Dynamics, OutputError, PredictionError, TrainingDataError, predict
from dynaprot.datasets.prepared import PreparedProtein
from dynaprot.dynamics import EARLIER_NAMES
from dynaprot.joint import ElasticJoint, FactoredJoint, InternalSprings, SuperposedJoint

from .conftest import random_protein


def sound(path: Path) -> bool:
    """Whether a file is a result that can be used; an OutputError says that it is not, and nothing else may happen."""
    message = ""
    try:
        dynamics = Dynamics.load(path)
    except OutputError as error:
        message = str(error)
    if message:
        assert message.startswith(f"{path}: is ")
        return False
    try:
        conformations = dynamics.sample(2, seed=0)
        variances = dynamics.modes(2)[0]
    except PredictionError:  # numbers of the right kind that are no covariance
        return True
    for array in (conformations, variances, dynamics.rmsf, dynamics.anisotropy, dynamics.coupling):
        assert np.isfinite(array).all()
    return True


@pytest.fixture(scope="module", params=["elastic", "factored", "superposed"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result in each form of the joint, with springs on internal coordinates and atoms."""
    generator = np.random.default_rng(0)
    structure = random_protein(5, (14, 9))
    residue = np.repeat(np.arange(23), 5)
    atoms = Atoms(np.repeat("CB", 115), np.repeat("C", 115), generator.normal(size=(115, 3)), residue)
    structure = replace(structure, atoms=atoms, notices=("Ignored ligands and ions: ATP.",))
    dynamics = predict(structure, "anm")
    joint = dynamics.joint
    assert isinstance(joint, ElasticJoint)
    if request.param == "elastic":
        residues, gradients = generator.integers(0, 23, (7, 3)), 0.1 * generator.normal(size=(7, 3, 3))
        bent = {"angles": InternalSprings(residues, gradients, np.ones(7))}
        dynamics = Dynamics(structure, ElasticJoint(joint.positions, joint.springs, joint.congruence, bent), "bent")
    elif request.param == "superposed":
        dynamics = Dynamics(structure, SuperposedJoint(joint, structure.ca, np.arange(23.0)), "superposed")
    else:
        dynamics = Dynamics(structure, FactoredJoint(joint.marginals, joint.coupling), "factored", ("A notice.",))
    path = tmp_path_factory.mktemp("saved") / "dynamics.npz"
    dynamics.save(path)
    return path


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150)
def test_any_damage_to_a_result_is_told_as_such(saved: Path, seed: int) -> None:
    """Flipped bits, cut ends and stretches of noise anywhere, the directory and the headers of arrays among them."""
    path = damaged(saved, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns of headers that only Python 2 wrote
        sound(path)


def damaged(path: Path, seed: int) -> Path:
    """A copy of a file with some of its bytes changed or cut off."""
    generator = np.random.default_rng(seed)
    content = np.frombuffer(path.read_bytes(), dtype=np.uint8).copy()
    if generator.random() < 0.2:
        content = content[: generator.integers(len(content))]
    elif generator.random() < 0.2:
        start = generator.integers(len(content))
        content[start : start + 8] = generator.integers(0, 256, len(content[start : start + 8]))
    else:
        first = 0 if generator.random() < 0.5 else max(0, len(content) - 2500)  # the directory is at the end
        for place in generator.integers(first, len(content), generator.integers(1, 4)):
            content[place] ^= 1 << generator.integers(8)
    path = path.with_name("damaged.npz")
    path.write_bytes(content.tobytes())
    return path


def altered(saved: Path, name: str, /, **arrays: np.ndarray | None) -> Path:
    """The same result with other arrays, or without those that are None."""
    with np.load(saved) as file:
        content = {key: file[key] for key in file.files} | arrays
    path = saved.with_name(f"{name}.npz")
    np.savez(path, **{key: array for key, array in content.items() if array is not None})
    return path


def test_a_result_without_one_of_its_arrays_is_refused(saved: Path) -> None:
    """Whichever it is, but for those that a result may lack; the message says which."""
    with np.load(saved) as file:
        names = file.files
    for name in names:
        path = altered(saved, "lacking", **{name: None})
        if name in ("rmsf", "structure_label_chain_ids", "structure_label_residue_ids", "structure_atom_names"):
            assert sound(path)
        elif name in ("format", "joint_angles_gradients"):  # then it is not a result, or one without these springs
            sound(path)
        else:
            with pytest.raises(OutputError, match=rf"lacking.npz: is damaged: the array '{name}' is missing"):
                Dynamics.load(path)


def test_arrays_of_another_shape_or_kind_are_refused(saved: Path) -> None:
    """One residue less, one axis more, other values: each is an array that does not belong to this result."""
    with np.load(saved) as file:
        arrays = {name: file[name] for name in file.files}
    for name, array in arrays.items():
        if name in ("rmsf", "format"):
            continue
        shapes = [array[None]] if array.ndim == 0 or name.endswith("notices") else [array[None], array[:-1]]
        for other in [*shapes, np.zeros(array.shape, dtype=complex)]:
            assert not sound(altered(saved, "other", **{name: other})), (name, other.shape, other.dtype)
        if array.dtype.kind == "f":
            broken = array.copy()
            broken.flat[-1] = np.nan
            assert not sound(altered(saved, "other", **{name: broken})), name
        if array.dtype.kind in "iu":
            for wrong in (-1, 23):
                broken = array.copy()
                broken.flat[0] = wrong
                assert not sound(altered(saved, "other", **{name: broken})), name


def test_a_result_of_the_earlier_format_still_loads(saved: Path) -> None:
    """Version 1 had other names for the sequence, the structure's name and the atoms; unknown versions are named."""
    with np.load(saved) as file:
        arrays = {name: file[name] for name in file.files}
    for before, since in EARLIER_NAMES.items():
        arrays[before] = arrays.pop(since)
    path = saved.with_name("earlier.npz")
    np.savez(path, **arrays | {"format": np.array("dynaprot-dynamics-1")})
    earlier, present = Dynamics.load(path), Dynamics.load(saved)
    assert earlier.structure.fingerprint == present.structure.fingerprint
    assert earlier.structure.atoms is not None
    assert present.structure.atoms is not None
    for name, array in vars(present.structure.atoms).items():
        np.testing.assert_array_equal(getattr(earlier.structure.atoms, name), array)
    np.testing.assert_array_equal(earlier.sample(2, seed=0), present.sample(2, seed=0))
    with pytest.raises(OutputError, match=r"later.npz: is in the form dynaprot-dynamics-9.*dynaprot-dynamics-2"):
        Dynamics.load(altered(saved, "later", format=np.array("dynaprot-dynamics-9")))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels of a protein of two chains."""
    structure = random_protein(2, (9, 6))
    protein = PreparedProtein(
        structure,
        marginals=np.tile(np.eye(3), (15, 1, 1)),
        coupling=np.eye(15),
        mean=structure.ca,
        frames=np.tile(np.stack([structure.n, structure.ca, structure.c], axis=1), (2, 1, 1, 1)),
        kind="simulation",
        conformations=100,
        trajectories=1,
        effective_samples=12.5,
        split_half_rmsf_r=np.nan,
        source="a test",
        licence="CC0",
    )
    path = tmp_path_factory.mktemp("prepared") / "protein.npz"
    protein.save(path)
    return path


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_any_damage_to_a_prepared_protein_is_told_as_such(prepared: Path, seed: int) -> None:
    """The error of training data, or a protein whose labels are numbers."""
    path = damaged(prepared, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        try:
            protein = PreparedProtein.load(path)
        except TrainingDataError:
            return
    assert np.isfinite(protein.rmsf).all()


def test_a_prepared_protein_without_one_of_its_arrays_is_refused(prepared: Path) -> None:
    """Except coupling, which crystals lack, and label ids, which earlier files lack."""
    with np.load(prepared) as file:
        names = file.files
    for name in names:
        path = altered(prepared, "lacking", **{name: None})
        if name == "coupling" or name.startswith("label"):
            PreparedProtein.load(path)
        else:
            with pytest.raises(TrainingDataError, match=r"lacking.npz: is (damaged|not a protein)"):
                PreparedProtein.load(path)


def test_what_is_stored_of_a_structure_comes_back(prepared: Path) -> None:
    """In results and prepared proteins alike: all columns, the name and the notices."""
    structure = PreparedProtein.load(prepared).structure
    assert structure.fingerprint == random_protein(2, (9, 6)).fingerprint
    assert structure.name == "random-2"

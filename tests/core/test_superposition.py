"""From which residues a motion is seen: all alike, a core, a part that is named, or all but loose ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynaprot import Dynamics, Structure, StructureError, load_structure, predict
from dynaprot.datasets.distillation import extended
from dynaprot.joint import FactoredJoint, SuperposedJoint
from dynaprot.joint.elastic import rigid_motions
from dynaprot.structure.selection import select, selection_text

from .conftest import random_protein
from .golden.predictions import PROTEINS, STRUCTURES

FOLD = "1hpv"


def superpositions(dynamics: Dynamics) -> list[str]:
    """What the notices say on superposition."""
    return [str(notice) for notice in dynamics.notices if notice.kind == "superposition"]


@pytest.fixture(scope="module")
def tailed() -> tuple[Structure, np.ndarray]:
    """A real fold with an extended tail, and which of its residues are the fold."""
    whole = load_structure(STRUCTURES / "1hpv.pdb.gz")
    chain = whole[whole.chain_ids == "A"]
    for seed in range(20):
        structure = extended(chain, np.random.default_rng(seed))
        if len(structure) > len(chain) + 30:
            start = structure.sequence.index(chain.sequence)
            return structure, (np.arange(len(structure)) >= start) & (np.arange(len(structure)) < start + len(chain))
    raise AssertionError("no long tail was drawn")


@pytest.mark.parametrize("protein", PROTEINS)
def test_a_clean_structure_is_superposed_on_all_residues(protein: str) -> None:
    """There, `auto` says what `all` does, and there is nothing to tell."""
    dynamics = predict(load_structure(STRUCTURES / f"{protein}.pdb.gz"))
    assert not superpositions(dynamics)
    np.testing.assert_array_equal(dynamics.marginals, dynamics.superposed("all").marginals)


def test_a_tail_does_not_blur_the_fold(tailed: tuple[Structure, np.ndarray]) -> None:
    """Its residues are left out of the superposition, which a notice says; the fold moves nearly as it does alone."""
    structure, fold = tailed
    alone, automatic = predict(structure[fold]), predict(structure)
    blurred = automatic.superposed("all")
    (said,) = superpositions(automatic)
    assert "all residues but the" in said
    assert not superpositions(blurred)
    errors = [np.abs(d.rmsf[fold] - alone.rmsf).mean() for d in (automatic, blurred)]
    assert errors[0] < 0.5 * errors[1]
    assert np.corrcoef(automatic.rmsf[fold], alone.rmsf)[0, 1] > 0.9
    by_hand = automatic.superposed(fold)
    loose = np.concatenate([notice.residues for notice in automatic.notices if notice.kind == "loose"])
    if set(loose.tolist()) == set(np.flatnonzero(~fold).tolist()):
        np.testing.assert_allclose(by_hand.marginals, automatic.marginals)


def test_what_is_superposed_on_moves_least(tailed: tuple[Structure, np.ndarray]) -> None:
    """Of all superpositions, that on some residues leaves these the least variance; the core weighs the quiet ones."""
    structure, _ = tailed
    dynamics = predict(structure)
    parts = {on: dynamics.superposed(on) for on in ("all", "core", "A:10-40", "A:60-90")}
    for on in ("A:10-40", "A:60-90"):
        chosen = select(structure, on)
        variance = {name: np.trace(d.marginals[chosen].sum(0)) for name, d in parts.items()}
        assert min(variance, key=lambda name: variance[name]) == on
    total = {name: np.trace(d.marginals.sum(0)) for name, d in parts.items()}
    assert min(total, key=lambda name: total[name]) == "all"
    quiet = np.argsort(dynamics.rmsf)[: len(dynamics) // 3]
    assert np.median(parts["core"].rmsf[quiet]) < np.median(parts["all"].rmsf[quiet])
    for on, part in parts.items():
        assert bool(superpositions(part)) == (on != "all")


def test_one_superposition_takes_the_place_of_another() -> None:
    """They do not pile up, and `all` brings back what was there before."""
    dynamics = predict(random_protein(3, (50,)), "anm")
    core = dynamics.superposed("core").superposed("A:5-30").superposed("core")
    assert len(superpositions(core)) == 1
    np.testing.assert_allclose(core.marginals, dynamics.superposed("core").marginals)
    np.testing.assert_allclose(core.superposed("all").marginals, dynamics.marginals, rtol=1e-4, atol=1e-6)


def test_a_superposition_is_saved_with_the_result(tmp_path: Path) -> None:
    """The joint, and what is said of it."""
    dynamics = predict(random_protein(3, (50,))).superposed("A:5-30")
    dynamics.save(tmp_path / "dynamics.npz")
    loaded = Dynamics.load(tmp_path / "dynamics.npz")
    assert superpositions(loaded) == superpositions(dynamics)
    assert isinstance(loaded.joint, SuperposedJoint)
    np.testing.assert_allclose(loaded.joint.marginals, dynamics.marginals, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(loaded.sample(3, 0), dynamics.sample(3, 0), atol=1e-8)
    np.testing.assert_allclose(loaded.superposed("core").rmsf, dynamics.superposed("core").rmsf, rtol=1e-6)


def test_factored_joints_are_superposed_too() -> None:
    """As networks with heads of their own give them."""
    structure = random_protein(2, (30,))
    given_ = predict(structure, "anm")
    dynamics = Dynamics(structure, FactoredJoint(given_.marginals, given_.coupling), "test").superposed("A:3-20")
    chosen = np.repeat(select(structure, "A:3-20"), 3)[:, None] * rigid_motions(structure.ca)
    assert np.abs(chosen.T @ dynamics.covariance() @ chosen).max() < 1e-4 * np.trace(dynamics.covariance())
    assert np.linalg.eigvalsh(dynamics.covariance()).min() > 0


@pytest.mark.parametrize(
    ("on", "named"),
    [
        ("C", r"no residue C; its chains are A, B"),
        ("A:900-901", "no residue A:900-901"),
        ("A:x", "named as A:10-80,B"),
        ("A:5-6", "at least three residues"),
        (",", "no residue was named"),
        ([True, False], "a mask of 50 residues"),
    ],
)
def test_what_cannot_be_superposed_on_is_named(on: object, named: str) -> None:
    """With what there is."""
    with pytest.raises(StructureError, match=named):
        predict(random_protein(1, (30, 20)), "anm").superposed(on)  # type: ignore[arg-type]


def test_residues_are_selected_by_chain_and_number() -> None:
    """Both ends belong to a range; insertion codes follow their number; numbers may be negative."""
    structure = random_protein(1, (6, 4))
    numbers = ["-2", "-1", "1", "52", "52A", "53", "1", "2", "3", "4"]
    numbered = Structure.from_arrays(
        structure.n, structure.ca, structure.c, structure.sequence, structure.chain_ids, numbers
    )
    chosen = {text: np.flatnonzero(select(numbered, text)).tolist() for text in (
        "A", "A:-2-1", "A:-1", "A:52A", "A:52-52A", "A:52-53, B:2-3", "B")}  # fmt: skip
    assert chosen == {
        "A": [0, 1, 2, 3, 4, 5], "A:-2-1": [0, 1, 2], "A:-1": [1], "A:52A": [4], "A:52-52A": [3, 4],
        "A:52-53, B:2-3": [3, 4, 5, 7, 8], "B": [6, 7, 8, 9],
    }  # fmt: skip


@given(seed=st.integers(0, 500), first=st.integers(1, 20), size=st.integers(3, 20))
def test_superposition_on_any_part_keeps_the_joint_positive_definite(seed: int, first: int, size: int) -> None:
    """Also on three residues alone."""
    dynamics = predict(random_protein(seed, (40,)), "anm").superposed(f"A:{first}-{first + size - 1}")
    for matrices in (dynamics.marginals, dynamics.coupling):
        assert np.linalg.eigvalsh(matrices).min() > 0


@given(seed=st.integers(0, 500))
def test_residues_are_spelled_as_they_are_selected(seed: int) -> None:
    """The text of any choice selects that choice again."""
    structure = random_protein(seed % 7, (12, 9, 5))
    chosen = np.random.default_rng(seed).random(26) < 0.6
    chosen[0] = True
    np.testing.assert_array_equal(select(structure, selection_text(structure, chosen)), chosen)
    assert selection_text(structure, np.ones(26, dtype=bool)) == "A,B,C"

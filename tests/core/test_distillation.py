"""Learning from a model: structures alone get its predictions as labels, some of them changed as people's files are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from dynaprot import Structure, predict
from dynaprot.command_line import app
from dynaprot.datasets import distillation
from dynaprot.datasets.distillation import (
    TEACHER_SEQUENCES,
    Taught,
    extended,
    keep_sequences_of,
    taught,
    without_stretch,
)
from dynaprot.datasets.prepare import prepare_protein
from dynaprot.datasets.prepared import PreparedProtein
from dynaprot.datasets.sources import Source, StructureAlone, find_sources, find_structures
from dynaprot.datasets.training_sequences import TrainingSequences, sequences_path
from dynaprot.errors import TrainingDataError
from dynaprot.network.weights import find_weights
from dynaprot.structure.backbone import dihedrals

from .conftest import random_protein


def alone(structure: Structure, name: str = "p") -> Source:
    """A source of a structure of cluster 7."""
    return Source(name, "test", "CC0", lambda: StructureAlone(structure, 7))


@pytest.fixture
def backbones(tmp_path: Path) -> Path:
    """An archive of three chains without anything on how they move."""
    proteins = [random_protein(k, (length,)) for k, length in enumerate((45, 60, 50))]
    path = tmp_path / "backbones.npz"
    np.savez(
        path,
        name=["1abc:A", "2abc:A", "3abc:A"],
        seq=[protein.sequence for protein in proteins],
        cluster=[7, 8, 9],
        offset=[0, 45, 105, 155],
        **{name: np.concatenate([getattr(protein, name.lower()) for protein in proteins]) for name in ("N", "CA", "C")},
    )
    return path


def test_the_command_labels_structures_by_a_model(backbones: Path, tmp_path: Path) -> None:
    """What is written is what the model predicts, with the cluster that the archive states."""
    arguments = ["prepare", str(backbones), "-o", str(tmp_path / "taught"), "--teacher", "anm", "--jobs", "1"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "3 proteins prepared" in done.output
    protein = PreparedProtein.load(tmp_path / "taught" / "2abc_A.npz")
    expected = predict(protein.structure, "anm")
    np.testing.assert_allclose(protein.marginals_in_place, expected.marginals, atol=1e-6)
    np.testing.assert_allclose(protein.coupling, expected.coupling, atol=1e-5)
    assert (protein.kind, protein.cluster) == ("taught", "8")
    assert "predicted by anm" in protein.source
    again = CliRunner().invoke(app, arguments)
    assert "0 proteins prepared, 3 kept" in again.output
    other = CliRunner().invoke(app, [*arguments, "--varied", "0.5"])
    assert "3 proteins prepared, 0 kept" in other.output, "labels of another recipe are made anew"


def test_what_the_teacher_was_trained_on_is_kept_beside_what_it_taught(tmp_path: Path) -> None:
    """Of all members of a committee together, and of two models with a plus between them."""
    keep_sequences_of("anm", tmp_path)
    assert not list(tmp_path.iterdir()), "an elastic network was trained on nothing"
    keep_sequences_of("springs-2", tmp_path)
    path = find_weights("springs-2")
    assert path is not None
    own = TrainingSequences.load(sequences_path(path))
    kept = TrainingSequences.load(tmp_path / TEACHER_SEQUENCES)
    assert [record.letters for record in kept.records] == [record.letters for record in own.records]
    assert {record.members for record in kept.records} == {frozenset({0})}
    keep_sequences_of("springs-1+springs-2", tmp_path)
    assert len(TrainingSequences.load(tmp_path / TEACHER_SEQUENCES).records) >= len(kept.records)
    alone_ = own.of_one_member(0, 3)
    assert len(alone_.records) == sum(3 in record.members for record in own.records)
    both = own.of_one_member(0, 1) | own.of_one_member(1, 2)
    seen = {record.letters: record.members for record in both.records}
    assert seen == {
        record.letters: frozenset({k for k, member in ((0, 1), (1, 2)) if member in record.members})
        for record in own.records
        if record.members & {1, 2}
    }


def test_structure_files_are_taught_too(tmp_path: Path) -> None:
    """Whatever their file says of motion; a folder without any structure is refused."""
    files = Path(__file__).parents[1] / "structures"
    found = [source.name for source in find_structures([files])]
    assert "6gof_gap" in found
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingDataError, match="holds no structure file"):
        find_structures([tmp_path / "empty"])
    with pytest.raises(TrainingDataError, match="no such file"):
        find_structures([tmp_path / "missing"])


def test_a_source_with_labels_of_its_own_is_not_taught(tmp_path: Path) -> None:
    """The model's labels do not replace measured ones unseen."""
    files = Path(__file__).parents[1] / "structures"
    simulated = next(source for source in find_sources([files / "1tii.pdb.gz"]))
    with pytest.raises(TrainingDataError, match=r"labels of its own|says nothing"):
        taught(simulated, "anm").read()


def test_what_is_changed_follows_from_the_name_alone() -> None:
    """About as many structures as asked for, in three kinds, and the same at every reading."""
    structure = random_protein(3, (60,))
    kinds: dict[str, int] = {}
    for k in range(60):
        source = taught(alone(structure, f"p{k}"), "anm", 0.5)
        one, other = source.read(), source.read()
        assert isinstance(one, Taught)
        np.testing.assert_array_equal(one.structure.ca, other.structure.ca)
        size, chains = len(one.structure), len(set(one.structure.chain_ids))
        kind = "cut" if chains == 2 else "gap" if size < 60 else "tail" if size > 60 else "whole"
        kinds[kind] = kinds.get(kind, 0) + 1
    assert set(kinds) == {"cut", "gap", "tail", "whole"}
    assert 20 <= kinds["whole"] <= 40


def test_complexes_and_short_chains_are_left_as_they_are() -> None:
    """There is nothing to cut, and the chains of a complex keep their names."""
    for structure in (random_protein(1, (30, 30)), random_protein(2, (24,))):
        for k in range(8):
            content = taught(alone(structure, f"p{k}"), "anm", 1.0).read()
            np.testing.assert_array_equal(content.structure.ca, structure.ca)
            assert (content.structure.chain_ids == structure.chain_ids).all()


def test_the_ends_of_a_gap_have_the_labels_of_the_whole_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a crystal does not show moves all the same."""
    structure = random_protein(5, (60,))
    kept = np.concatenate([np.arange(20), np.arange(29, 60)])
    monkeypatch.setattr(distillation, "without_stretch", lambda mobility, generator: kept)
    whole = predict(structure, "anm")
    for k in range(20):
        content = taught(alone(structure, f"p{k}"), "anm", 1.0).read()
        if len(content.structure) < 60:
            np.testing.assert_allclose(content.marginals, whole.marginals[kept])
            np.testing.assert_allclose(content.coupling, whole.coupling[kept][:, kept])
            np.testing.assert_allclose(prepare_protein(taught(alone(structure, f"p{k}"), "anm", 1.0)).rmsf,
                                       whole.rmsf[kept])  # fmt: skip
            return
    raise AssertionError("no structure got a gap")


@given(seed=st.integers(0, 500), length=st.integers(40, 90))
def test_a_tail_is_a_possible_chain_that_touches_nothing(seed: int, length: int) -> None:
    """Ideal bonds, dihedrals of an extended chain, and the protein as it was."""
    structure = random_protein(seed, (length,))
    tailed = extended(structure, np.random.default_rng(seed))
    added = len(tailed) - length
    if not added:  # both ends are buried
        return
    assert distillation.SHORTEST_TAIL <= added <= distillation.LONGEST_TAIL
    at_start = bool(np.allclose(tailed.ca[added:], structure.ca))
    tail = np.arange(added) if at_start else np.arange(length, len(tailed))
    rest = np.setdiff1d(np.arange(len(tailed)), tail)
    for name in ("n", "ca", "c"):
        np.testing.assert_allclose(getattr(tailed, name)[rest], getattr(structure, name))
    assert "".join(tailed.sequence[k] for k in rest) == structure.sequence
    bonded = np.arange(added) if at_start else np.arange(length - 1, len(tailed) - 1)
    assert (tailed.next_residue[bonded] == bonded + 1).all()
    np.testing.assert_allclose(np.linalg.norm(tailed.n[bonded + 1] - tailed.c[bonded], axis=1), 1.329, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(tailed.ca[tail] - tailed.n[tail], axis=1), 1.458, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(tailed.c[tail] - tailed.ca[tail], axis=1), 1.525, atol=1e-6)
    phi, psi = dihedrals(tailed.n, tailed.ca, tailed.c, tailed.next_residue)
    for angle, ideal in ((phi, distillation.TAIL_PHI), (psi, distillation.TAIL_PSI)):
        turned = np.cos(angle[tail] - ideal)
        assert np.nanmean(turned) > 0.8
    distant = tail[:-2] if at_start else tail[2:]
    assert np.linalg.norm(tailed.ca[distant, None] - structure.ca, axis=2).min() > distillation.TAIL_APART


@given(seed=st.integers(0, 1000), size=st.integers(10, 200))
def test_a_stretch_of_3_to_30_residues_is_left_out(seed: int, size: int) -> None:
    """One stretch, never more than a third of the chain."""
    rest = without_stretch(np.random.default_rng(seed).random(size) + 0.1, np.random.default_rng(seed))
    missing = np.setdiff1d(np.arange(size), rest)
    assert 3 <= len(missing) <= max(3, min(30, size // 3))
    assert (np.diff(missing) == 1).all()

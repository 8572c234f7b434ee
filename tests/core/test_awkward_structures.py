"""Predictions of what people bring: gaps, loose pieces, complexes, chains far apart. Nothing jumps or explodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dynaprot import Structure, load_structure, predict
from dynaprot.springs.prior import SpringPrior
from dynaprot.structure.protein import BOND

from .conftest import build_chain, moved, random_protein

STRUCTURES = Path(__file__).resolve().parents[1] / "structures"


def structure(name: str) -> Structure:
    """One of the structures of the tests."""
    return load_structure(STRUCTURES / f"{name}.pdb.gz")


def two_copies(one: Structure, distance: float) -> Structure:
    """A protein and its copy, shifted along the x axis so that so many Å lie between their centres."""
    shift = np.array([distance, 0.0, 0.0])
    atoms = [np.concatenate([getattr(one, name), getattr(one, name) + shift]) for name in ("n", "ca", "c")]
    size = len(one)
    return Structure.from_arrays(*atoms, one.sequence * 2, ["A"] * size + ["B"] * size, [*one.residue_ids] * 2)


def kinds(predicted_residues: tuple, kind: str) -> set[int]:
    """Residues of all notices of a kind."""
    return {int(k) for notice in predicted_residues if notice.kind == kind for k in notice.residues}


def test_nothing_jumps_while_two_copies_part() -> None:
    """In steps of 0.1 Å, from contact to 40 Å, no RMSF changes by more than a few per cent, nor exceeds 15 Å."""
    one = random_protein(1, (24,))
    before = None
    for distance in np.arange(12.0, 40.0, 0.1):
        rmsf = predict(two_copies(one, distance)).rmsf
        assert rmsf.max() < 15.0, distance
        if before is not None:
            assert np.abs(np.log(rmsf / before)).max() < 0.08, distance
        before = rmsf


@pytest.mark.parametrize("distance", [50.0, 200.0, 1000.0])
def test_chains_far_apart_stay_near_where_they_were_seen(distance: float) -> None:
    """However far they are, and the notice names the residues that hardly anything holds."""
    one = random_protein(1, (24,))
    dynamics = predict(two_copies(one, distance))
    assert dynamics.rmsf.max() < 15.0
    assert kinds(dynamics.notices, "loose") == set(range(24, 48))


def test_two_copies_that_part_by_one_angstrom_more_move_alike() -> None:
    """At 32 Å, where RMSF once went from 12 to 244 Å and back."""
    both = structure("two_copies_32A")
    half = len(both) // 2
    apart = both.ca[half:].mean(0) - both.ca[:half].mean(0)
    shift = np.where(np.arange(len(both)) < half, 0.0, 1.0)[:, None] * apart / np.linalg.norm(apart)
    farther = Structure.from_arrays(
        both.n + shift, both.ca + shift, both.c + shift, both.sequence, both.chain_ids, both.residue_ids
    )
    here, there = predict(both).rmsf, predict(farther).rmsf
    assert max(here.max(), there.max()) < 15.0
    assert np.abs(here / there - 1.0).max() < 0.10


def test_a_loose_fragment_stays_and_is_named() -> None:
    """Nine residues beyond a gap that four residues cannot span, 10 Å from everything else."""
    dynamics = predict(structure("loose_fragment"))
    assert dynamics.rmsf.max() < 20.0
    fragment = set(range(189, 198))
    assert kinds(dynamics.notices, "loose") == fragment
    assert kinds(dynamics.notices, "gap") == {188, 189}
    assert not dynamics.structure.links[0].size, "no link spans 61 Å with four residues"


def test_a_long_tail_is_named() -> None:
    """Sixty residues that stick out of a fold, and at most a few of the fold's own beside them."""
    named = kinds(predict(structure("tail_of_60")).notices, "loose")
    assert set(range(172, 232)) <= named <= set(range(168, 232))


def test_ends_of_a_gap_move_about_as_in_the_whole_structure() -> None:
    """Residues 28 and 37 of K-Ras, with 29 to 36 missing: within 50 % of what the whole structure gives."""
    whole, gapped = predict(structure("6gof")), predict(structure("6gof_gap"))
    for residue in ("28", "37"):
        expected = whole.rmsf[whole.structure.residue_ids.tolist().index(residue)]
        assert gapped.rmsf[gapped.structure.residue_ids.tolist().index(residue)] < 1.5 * expected
    labels = gapped.structure.residue_ids[sorted(kinds(gapped.notices, "gap"))]
    assert set(labels) == {"28", "37"}
    assert "8 residues between A PHE 28 and A GLU 37" in " ".join(gapped.notices)
    assert kinds(whole.notices, "gap") == set()


def test_a_structure_without_faults_has_no_notice() -> None:
    """Neither of gaps nor of loose pieces, in one chain or two."""
    for name in ("1hpv", "6gof", "2igd"):
        assert predict(structure(name)).notices == ()


@pytest.mark.parametrize("bonds", [5, 20, 60])
def test_no_tail_moves_farther_than_its_chain_reaches(bonds: int) -> None:
    """A residue k bonds from its fold moves at most 3.8 sqrt(2k) Å, whatever the network has learned.

    Seen from the fold, whose own turning counts for the tail then, it moves no farther than it is away.
    """
    fold = np.array([[-60.0, -45.0]] * 14 + [[-75.0, 145.0]] * 3 + [[-60.0, -45.0]] * 14)
    atoms = build_chain(np.concatenate([fold, np.tile([-120.0, 130.0], (bonds, 1))]))
    tailed = Structure.from_arrays(*atoms.transpose(1, 0, 2), "A" * len(atoms))
    dynamics = predict(tailed)
    away = np.arange(1, bonds + 1)
    for on, farthest in (("all", BOND * np.sqrt(2.0 * away)), ("auto", BOND * away)):
        rmsf = dynamics.superposed(on).rmsf
        assert (rmsf[len(fold) :] < farthest + rmsf[: len(fold)].max()).all()


def test_molecules_are_told_by_bonds_and_not_by_chain_names() -> None:
    """Renaming chains, or calling half of a chain by another name, changes nothing."""
    both = random_protein(4, (20, 16))
    expected = predict(both).marginals
    renamed = Structure.from_arrays(both.n, both.ca, both.c, both.sequence, ["X"] * 20 + ["Y"] * 16, both.residue_ids)
    np.testing.assert_allclose(predict(renamed).marginals, expected, rtol=1e-6)
    split = Structure.from_arrays(
        both.n, both.ca, both.c, both.sequence, ["A"] * 9 + ["C"] * 11 + ["B"] * 16, both.residue_ids
    )
    assert len(set(split.molecules)) == len(set(both.molecules)) == 2


def test_springs_between_molecules_are_stiffer_by_the_factor() -> None:
    """Of the prior: near pairs, far pairs and contacts alike."""
    both = random_protein(4, (20, 16))
    ours, former = SpringPrior.of(both, prior="2"), SpringPrior.of(both, prior="1")
    between = both.molecules[ours.springs.i] != both.molecules[ours.springs.j]
    factor = ours.springs.central / former.springs.central / ours.constants.scale
    np.testing.assert_allclose(factor, np.where(between, ours.constants.between, 1.0))


def test_gaps_are_told_from_ends_of_chains() -> None:
    """By numbers; ends too far apart for so few residues are gaps without a link, and other chains have none."""
    whole = random_protein(2, (40, 12))
    kept = np.r_[0:15, 22:52]
    before, after, missing = whole[kept].gaps
    assert (before.tolist(), after.tolist(), missing.tolist()) == ([14], [15], [7])
    far = whole[kept]
    shift = np.where(np.arange(len(far)) < 15, 300.0, 0.0)[:, None]
    torn = Structure.from_arrays(
        far.n + shift, far.ca + shift, far.c + shift, far.sequence, far.chain_ids, far.residue_ids
    )
    assert torn.gaps[2].tolist() == [7]
    assert torn.links[2].size == 0
    assert len(set(torn.molecules)) == 3


def test_gaps_and_molecules_do_not_depend_on_the_order_in_which_residues_are_stored() -> None:
    """Nor on where the protein lies."""
    gapped = random_protein(2, (40, 12))[np.r_[0:15, 22:52]]
    order = np.random.default_rng(0).permutation(len(gapped))
    shuffled = gapped[order]
    (before,), (after,), _ = shuffled.gaps
    assert (order[before], order[after]) == (14, 15)
    turned = moved(gapped, np.diag([1.0, -1.0, -1.0]), np.array([5.0, 0.0, 0.0]))
    assert np.unique(turned.molecules).size == np.unique(shuffled.molecules).size == np.unique(gapped.molecules).size


def test_gaps_are_found_by_the_sequence_where_numbers_run_on(tmp_path: Path) -> None:
    """SEQRES of a PDB file says that residues are missing, though the author numbered those that are there in a row."""
    whole = random_protein(2, (30,))
    kept = whole[np.r_[0:12, 17:30]]
    names = " ".join(whole.residue_names)
    lines = [f"SEQRES{k + 1:4d} A {30:4d}  {names[52 * k : 52 * k + 51]}" for k in range(3)]
    for k in range(len(kept)):
        for atom, (x, y, z) in zip(("N", "CA", "C"), (kept.n[k], kept.ca[k], kept.c[k]), strict=True):
            place = f"{atom:<3s} {kept.residue_names[k]} A{k + 1:4d}    {x:8.3f}{y:8.3f}{z:8.3f}"
            lines.append(f"ATOM  {len(lines):5d}  {place}  1.00  0.00           {atom[0]}")
    path = tmp_path / "renumbered.pdb"
    path.write_text("\n".join([*lines, "END\n"]))
    found = load_structure(path)
    assert [values.tolist() for values in found.gaps] == [[11], [12], [5]]
    assert found.residue_ids.tolist() == [str(k + 1) for k in range(25)]

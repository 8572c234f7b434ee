"""What moves together and how: strongest couplings, coupling to a set, modes that swing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynaprot import DynaProtError, PredictionError, Structure, predict
from dynaprot.analysis.couplings import coupling_to, strongest_pairs
from dynaprot.analysis.modes import mode_displacement, traverse_mode

from .conftest import moved, proteins, random_protein, rotation_matrix


@given(proteins, st.floats(0.05, 0.9), st.integers(0, 8))
def test_the_strongest_pairs_are_those_a_plain_loop_finds(
    structure: Structure, threshold: float, separation: int
) -> None:
    """Every pair over the threshold, but for neighbours along a chain, strongest first and with its sign."""
    coupling = predict(structure, "anm").coupling
    i, j, value = strongest_pairs(structure, coupling, threshold, separation)
    place = [list(structure.chain_ids[:k]).count(structure.chain_ids[k]) for k in range(len(structure))]
    expected = {
        (a, b)
        for a in range(len(structure))
        for b in range(a + 1, len(structure))
        if abs(coupling[a, b]) >= threshold
        and (structure.chain_ids[a] != structure.chain_ids[b] or abs(place[a] - place[b]) >= separation)
    }
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == expected
    assert (np.diff(np.abs(value)) <= 0).all()
    np.testing.assert_array_equal(value, coupling[i, j])


def test_neighbours_are_told_by_chain_and_not_by_storage() -> None:
    """Residues stored chain by chain or interleaved give the same pairs."""
    structure = random_protein(1, (10, 10))
    coupling = predict(structure, "anm").coupling
    order = np.arange(20).reshape(2, 10).T.ravel()
    shuffled = structure[order]
    i, j, value = strongest_pairs(structure, coupling, 0.1)
    k, m, same = strongest_pairs(shuffled, coupling[np.ix_(order, order)], 0.1)
    assert len(value) > 0
    np.testing.assert_allclose(value, same)
    assert {frozenset(pair) for pair in zip(i, j, strict=True)} == {
        frozenset((order[a], order[b])) for a, b in zip(k, m, strict=True)
    }


@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.5, float("nan")])
def test_a_threshold_without_meaning_is_refused(threshold: float) -> None:
    """Zero would draw every pair."""
    structure = random_protein(2, (12,))
    with pytest.raises(DynaProtError, match="threshold"):
        strongest_pairs(structure, np.eye(12), threshold)


@given(proteins, st.integers(0, 999))
def test_the_coupling_to_a_set_is_a_correlation(structure: Structure, seed: int) -> None:
    """That of sampled motions: the summed scaled motion of the set against each residue's."""
    dynamics = predict(structure, "anm")
    members = np.random.default_rng(seed).choice(len(structure), max(1, len(structure) // 3), replace=False)
    values = coupling_to(dynamics.coupling, members)
    assert np.abs(values).max() <= 1 + 1e-9
    covariance = dynamics.covariance().reshape(len(structure), 3, len(structure), 3)
    traces = np.einsum("iaja->ij", covariance)
    weights = np.zeros(len(structure))
    weights[members] = 1 / np.sqrt(np.diagonal(traces)[members])
    expected = traces @ weights / np.sqrt(np.diagonal(traces) * (weights @ traces @ weights))
    np.testing.assert_allclose(values, expected, atol=1e-6)
    np.testing.assert_allclose(coupling_to(dynamics.coupling, members[:1]), dynamics.coupling[members[0]])


def test_the_coupling_to_nothing_is_refused() -> None:
    """Rather than given as NaN."""
    with pytest.raises(DynaProtError, match="empty"):
        coupling_to(np.eye(5), np.array([], dtype=np.int64))


@given(proteins, st.integers(1, 3))
def test_modes_carry_their_variance_and_turn_with_the_protein(structure: Structure, mode: int) -> None:
    """The squared length is the variance; the sign does not depend on where the protein stands."""
    dynamics = predict(structure, "anm")
    displacement = mode_displacement(dynamics, mode)
    variances, _ = dynamics.modes(mode)
    assert (displacement**2).sum() == pytest.approx(variances[-1])
    farthest = np.argmax((displacement**2).sum(1))
    outward = structure.ca[farthest] - structure.ca.mean(0)
    assert displacement[farthest] @ outward >= 0
    rotation = rotation_matrix(mode)
    turned = mode_displacement(predict(moved(structure, rotation, np.array([5.0, 0.0, 1.0])), "anm"), mode)
    if variances[-1] > 1.05 * dynamics.modes(mode + 1)[0][-1] and (mode == 1 or variances[-2] > 1.05 * variances[-1]):
        np.testing.assert_allclose(np.abs(turned), np.abs(displacement @ rotation.T), atol=1e-3)


def test_there_is_no_mode_zero() -> None:
    """Modes are counted from 1, as people count."""
    with pytest.raises(PredictionError, match="counted from 1"):
        mode_displacement(predict(random_protein(3), "anm"), 0)


def test_a_swing_begins_at_the_input_reaches_its_amplitude_and_loops() -> None:
    """Turning points are the amplitude's standard deviations away, to both sides alike."""
    structure = random_protein(4)
    displacement = mode_displacement(predict(structure, "anm"))
    path = traverse_mode(structure, displacement, amplitude=1.5, frames=40)
    np.testing.assert_allclose(path[0], structure.ca)
    np.testing.assert_allclose(path[10] - structure.ca, 1.5 * displacement)
    np.testing.assert_allclose(path[30] - structure.ca, -1.5 * displacement)
    steps = np.linalg.norm(np.diff(np.concatenate([path, path[:1]]), axis=0), axis=(1, 2))
    assert steps.max() < 1.2 * 2 * np.pi / 40 * 1.5 * np.linalg.norm(displacement)


@given(proteins)
def test_a_fingerprint_tells_structures_apart(structure: Structure) -> None:
    """The same again for a copy, another one for any atom or label changed."""
    same = moved(structure, np.eye(3), np.zeros(3))
    assert same.fingerprint == structure.fingerprint
    nudged = structure.ca.copy()
    nudged[-1, 2] += 1e-3
    others = [
        Structure.from_arrays(structure.n, nudged, structure.c, structure.sequence, structure.chain_ids),
        Structure.from_arrays(structure.n, structure.ca, structure.c, structure.sequence, ["Z"] * len(structure)),
    ]
    assert len({structure.fingerprint, *(other.fingerprint for other in others)}) == 3

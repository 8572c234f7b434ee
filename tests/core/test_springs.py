"""Angles, torsions and side-chain contacts: gradients by finite differences, rigid motions, learned stiffness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynaprot import Dynamics, Structure
from dynaprot.joint import Background, InternalSprings, Springs
from dynaprot.joint.elastic import hessian, rigid_motions
from dynaprot.network.architecture import Architecture
from dynaprot.network.features import FEATURE_SETS, featurise
from dynaprot.springs.prior import PRIOR, PRIORS, SpringPrior
from dynaprot.structure.side_chains import side_chain_centres

from .conftest import EVERY_FEATURE, moved, proteins, random_protein, rotation_matrix

STEP = 1e-5


def prior_of(structure: Structure) -> SpringPrior:
    """With springs between the pairs that the network reads."""
    return SpringPrior.of(structure, featurise(structure, **EVERY_FEATURE).pairs)


def angle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """At b, rad."""
    return float(np.arccos((a - b) @ (c - b) / np.linalg.norm(a - b) / np.linalg.norm(c - b)))


def torsion(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> float:
    """About bc, rad."""
    left, right = np.cross(b - a, c - b), np.cross(c - b, d - c)
    return float(np.arctan2(np.cross(left, right) @ (c - b) / np.linalg.norm(c - b), left @ right))


def carried(structure: Structure, atoms: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """One atom a residue for other C-alphas: each keeps its place in the axes that its residue's two bonds make."""
    places = atoms - structure.ca
    following = structure.next_residue
    middle = [k for k in range(len(structure)) if following[k] >= 0 and k in following]
    before = {int(following[k]): k for k in range(len(structure)) if following[k] >= 0}

    def axes(ca: np.ndarray, k: int) -> np.ndarray:
        u, v = ca[k] - ca[before[k]], ca[following[k]] - ca[k]
        return np.stack([u - v, np.cross(u, v), u + v], axis=1)

    parts = {k: np.linalg.solve(axes(structure.ca, k), places[k]) for k in middle}

    def positions(ca: np.ndarray) -> np.ndarray:
        moved = ca.copy()
        for k in middle:
            moved[k] += axes(ca, k) @ parts[k]
        return moved

    return positions


@pytest.mark.parametrize("lengths", [(14,), (8, 7)])
@pytest.mark.parametrize("kind", ["angles", "torsions", "contacts"])
def test_gradients_are_those_of_the_coordinate(kind: str, lengths: tuple[int, ...]) -> None:
    """Central differences of the angle, the torsion, or the distance, by every position."""
    structure = random_protein(16, lengths)
    coordinates = prior_of(structure).internal[kind]
    side_chains = carried(structure, side_chain_centres(structure))

    def value(ca: np.ndarray, k: int) -> float:
        residues = coordinates.residues[k]
        if kind in ("angles", "torsions"):
            return {"angles": angle, "torsions": torsion}[kind](*ca[residues])
        at = side_chains(ca)
        return float(np.linalg.norm(at[residues[0]] - at[residues[3]]))

    assert len(coordinates.residues)
    for k, (residues, gradients) in enumerate(zip(coordinates.residues, coordinates.gradients, strict=True)):
        gradient = np.zeros_like(structure.ca)
        np.add.at(gradient, residues, gradients)
        for residue in range(len(structure)):
            for axis in range(3):
                step = np.zeros_like(structure.ca)
                step[residue, axis] = STEP
                slope = (value(structure.ca + step, k) - value(structure.ca - step, k)) / (2 * STEP)
                # Gradients fade a little before three residues come into line.
                assert gradient[residue, axis] == pytest.approx(slope, rel=0.05, abs=1e-3)


@given(proteins)
def test_rigid_motions_change_no_coordinate(structure: Structure) -> None:
    """Moved or turned as a whole, a protein bends, twists and opens nowhere; only tethers resist a turn, as isotropic
    springs do, until rigid motions are projected out."""
    rigid = rigid_motions(structure.ca).reshape(-1, 3, 6)
    internal = prior_of(structure).internal
    for coordinates in (internal[kind] for kind in ("angles", "torsions", "contacts")):
        change = np.einsum("kpa,kpam->km", coordinates.gradients, rigid[coordinates.residues])
        np.testing.assert_allclose(change, 0, atol=1e-9 * max(1.0, np.abs(coordinates.gradients).max(initial=0.0)))


def test_residues_in_line_have_neither_angle_nor_torsion() -> None:
    """A ruler, and atoms on one spot, give finite gradients and stiffness."""
    for ca in (np.arange(8)[:, None] * np.array([3.8, 0.0, 0.0]), np.zeros((8, 3))):
        structure = Structure.from_arrays(ca - [1.2, 0.8, 0.0], ca, ca + [1.2, -0.8, 0.0], "AVLKAVLK")
        structure.__dict__["next_residue"] = np.append(np.arange(1, 8), -1)  # as if C and N were bonded
        i, j = np.triu_indices(8, 1)
        for coordinates in SpringPrior.of(structure, np.stack([i, j])).internal.values():
            assert np.isfinite(coordinates.gradients).all()
            assert np.isfinite(coordinates.stiffness).all()


@given(proteins, st.integers(0, 99))
def test_network_turn_with_the_protein_and_know_no_order(structure: Structure, seed: int) -> None:
    """The Hessian in another frame is the turned one; stored in another order, the permuted one."""
    generator = np.random.default_rng(seed)
    rotation, order = rotation_matrix(seed), generator.permutation(len(structure))

    def blocks(of: Structure) -> np.ndarray:
        network = prior_of(of)
        return hessian(of.ca, network.springs, network.internal).reshape(len(of), 3, len(of), 3)

    expected = blocks(structure)
    scale = np.abs(expected).max()
    turned = blocks(moved(structure, rotation, generator.normal(0, 20, 3)))
    np.testing.assert_allclose(
        turned, np.einsum("ac,icjd,bd->iajb", rotation, expected, rotation, optimize=True), atol=1e-8 * scale
    )
    np.testing.assert_allclose(blocks(structure[order]), expected[order][:, :, order], atol=1e-8 * scale)


def test_contacts_are_side_chains_that_touch_and_are_not_neighbours() -> None:
    """Within their distance, more than two bonds apart or in different chains."""
    structure = random_protein(3, (20, 20))
    pairs = featurise(structure, **EVERY_FEATURE).pairs
    touching = SpringPrior.of(structure, pairs).touching
    side = carried(structure, side_chain_centres(structure))(structure.ca)
    i, j = pairs
    near = np.linalg.norm(side[i] - side[j], axis=1) < PRIORS[PRIOR].touching
    apart = (structure.chain_ids[i] != structure.chain_ids[j]) | (np.abs(i - j) > PRIORS[PRIOR].chained)
    assert set(touching) == set(np.flatnonzero(near & apart))
    assert (structure.chain_ids[i[touching]] != structure.chain_ids[j[touching]]).any()


def test_learned_stiffness_multiplies_what_was_there() -> None:
    """Logarithms of zero change nothing; others reach their own springs and no others."""
    structure = random_protein(2, (16,))
    network = prior_of(structure)
    pairs, size = len(network.springs.i), len(structure)
    corrected = network.corrected(np.zeros((pairs, 3)), np.zeros((size, 2)))
    springs, coordinates = corrected.springs, corrected.internal
    np.testing.assert_array_equal(springs.central, network.springs.central)
    for kind, prior in network.internal.items():
        np.testing.assert_array_equal(coordinates[kind].stiffness, prior.stiffness)
    chain = np.zeros((size, 2))
    chain[5] = np.log([2.0, 3.0])
    log_springs = np.zeros((pairs, 3))
    log_springs[network.touching[0]] = np.log([5.0, 7.0, 11.0])
    corrected = network.corrected(log_springs, chain)
    springs, coordinates = corrected.springs, corrected.internal

    def factors(kind: str) -> np.ndarray:
        return coordinates[kind].stiffness / network.internal[kind].stiffness

    residues = network.internal["angles"].residues
    np.testing.assert_allclose(factors("angles"), np.where(residues[:, 1] == 5, 2.0, 1.0))
    residues = network.internal["torsions"].residues
    np.testing.assert_allclose(factors("torsions"), np.where((residues[:, 1:3] == 5).any(axis=1), 3.0, 1.0))
    np.testing.assert_allclose(factors("contacts"), np.where(np.arange(len(network.touching)) == 0, 11.0, 1.0))
    changed = np.flatnonzero(springs.central != network.springs.central)
    np.testing.assert_array_equal(changed, network.touching[:1])


def test_coordinates_enter_the_hessian_as_wilsons_product() -> None:
    """B^T K B by dense algebra."""
    structure = random_protein(4, (13,))
    network = prior_of(structure)
    bare = hessian(structure.ca, network.springs)
    expected = bare.copy()
    for kind in network.internal.values():
        rows = np.zeros((len(kind.residues), len(structure), 3))
        for row, residues, gradients in zip(rows, kind.residues, kind.gradients, strict=True):
            np.add.at(row, residues, gradients)
        rows = rows.reshape(len(rows), 3 * len(structure))
        expected += rows.T @ (kind.stiffness[:, None] * rows)
    assert np.abs(expected - bare).max() > 0.1 * np.abs(bare).max()
    found = hessian(structure.ca, network.springs, network.internal)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())
    twice = {"a": InternalSprings(np.array([[3, 3]]), np.ones((1, 2, 3)), np.ones(1))}
    np.testing.assert_allclose((hessian(structure.ca, network.springs, twice) - bare)[9:12, 9:12], 4.0)


def explicit(structure: Structure, background: Background) -> np.ndarray:
    """The Hessian of the far springs, pair by pair."""
    i, j = np.triu_indices(len(structure), 1)
    distance = np.linalg.norm(structure.ca[i] - structure.ca[j], axis=1)
    central = np.where(distance > background.beyond, background.stiffness / distance**6, 0.0)
    central = np.where(background.molecule[i] == background.molecule[j], 1.0, background.between) * central
    apart = background.segment[i] != background.segment[j]
    weight = np.where(apart, distance**-2.0, 0.0)
    total = {
        segment: weight[apart & ((background.segment[i] == segment) | (background.segment[j] == segment))].sum()
        for segment in np.unique(background.segment)
    }
    held = np.array(
        [1.0 / total[a] + 1.0 / total[b] for a, b in zip(*background.segment[np.stack([i, j])], strict=True)]
    )
    isotropic = background.isotropic * central + 0.5 * background.floor * weight * held
    return hessian(structure.ca, Springs(i, j, central, isotropic))


@pytest.mark.parametrize("lengths", [(30,), (24, 16), (14, 9, 12)])
def test_far_springs_are_those_of_every_far_pair(lengths: tuple[int, ...]) -> None:
    """Worked out some residues at a time, and never stored; each segment is held by at least half of the floor."""
    structure = random_protein(3, lengths)
    shift = 12.0 * np.repeat(np.arange(len(lengths)), lengths)[:, None]
    structure = Structure.from_arrays(
        structure.n + shift, structure.ca + shift, structure.c + shift, structure.sequence, structure.chain_ids
    )
    background = SpringPrior.of(structure, prior="2").background
    assert background is not None
    nothing = Springs(*(np.empty(0, dtype=kind) for kind in (int, int, float, float)))
    matrix = hessian(structure.ca, nothing, background=background)
    if len(lengths) == 1:
        background = replace(background, floor=0.0)
        np.testing.assert_allclose(matrix, hessian(structure.ca, nothing, background=background))
        return
    np.testing.assert_allclose(matrix, explicit(structure, background), atol=1e-12)
    of_floor = matrix - hessian(structure.ca, nothing, background=replace(background, floor=0.0))
    for segment in np.unique(background.segment):
        shifted = np.repeat(background.segment == segment, 3) * np.tile([1.0, 0.0, 0.0], len(structure))
        assert shifted @ of_floor @ shifted >= 0.5 * background.floor - 1e-12


def test_what_is_learned_fades_where_the_prior_goes_on() -> None:
    """A pair at the cutoff has the spring of the elastic network, whatever a network says."""
    structure = random_protein(6, (40,))
    prior = SpringPrior.of(structure, prior="2")
    learned = prior.corrected(np.full((len(prior.springs.i), 3), 2.0), np.zeros((len(structure), 2)))
    distance = np.linalg.norm(structure.ca[prior.springs.i] - structure.ca[prior.springs.j], axis=1)
    factor = learned.springs.central / prior.springs.central
    np.testing.assert_allclose(factor[distance < prior.constants.fade], np.exp(2.0))
    outer = np.argsort(distance)[-3:]
    assert (np.log(factor[outer]) <= 2.0 * ((prior.constants.cutoff - distance[outer]) / 3.0) ** 2 * 3.0).all()


def test_a_joint_with_far_springs_is_saved_and_loaded(tmp_path: Path) -> None:
    """All of it, without its pairs."""
    structure = random_protein(7, (24, 16))
    joint, _ = SpringPrior.of(structure, prior="2").to_joint()
    dynamics = Dynamics(structure, joint, "prior")
    dynamics.save(tmp_path / "dynamics.npz")
    loaded = Dynamics.load(tmp_path / "dynamics.npz")
    np.testing.assert_allclose(loaded.covariance(), dynamics.covariance(), rtol=1e-9, atol=1e-12)


def test_training_sees_the_far_springs_and_the_tethers() -> None:
    """Prediction and training make the same joint of prior 2, with gaps and several chains."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from dynaprot.network.torch_network import DynaProt
    from dynaprot.training.examples import Input
    from dynaprot.training.moments import predict_moments

    structure = random_protein(2, (40, 12))[np.r_[0:15, 22:52]]
    architecture = Architecture(dimension=16, layers=0, **FEATURE_SETS["smooth"], prior="2", congruence=True)
    torch.manual_seed(0)
    moments = predict_moments(DynaProt(architecture).eval(), [Input.of(structure, architecture)])[0]
    joint, _ = SpringPrior.of(structure, prior="2").to_joint()
    scale = joint.marginals.max()
    np.testing.assert_allclose(moments.marginals.detach().numpy(), joint.marginals, atol=1e-3 * scale)

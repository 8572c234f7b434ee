"""Ensembles as chains: what is unphysical, the least repair, and atoms that follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynaprot import Structure, load_structure, predict
from dynaprot.analysis.ellipsoids import Mesh, axes, axis_surface, contour_radius, ellipsoid_surface
from dynaprot.structure.chain_geometry import restore_geometry, unphysical, unphysical_share
from dynaprot.structure.rigid_residues import carry_atoms, residue_rotations

from .conftest import build_chain, moved, proteins, random_protein, rotation_matrix


def helix(size: int = 16) -> Structure:
    """An ideal helix, free of clashes."""
    atoms = build_chain(np.tile([-62.0, -42.0], (size, 1)))
    return Structure.from_arrays(atoms[:, 0], atoms[:, 1], atoms[:, 2], "A" * size)


def test_a_stretched_bond_and_a_clash_are_unphysical_and_the_input_is_not() -> None:
    """Each fault alone is found; small thermal changes are none."""
    structure = helix()
    stretched, clashing, shaken = (structure.ca.copy() for _ in range(3))
    stretched[5:] += 0.2 * (structure.ca[5] - structure.ca[4])
    clashing[9] += 0.7 * (structure.ca[6] - structure.ca[9])
    shaken += np.random.default_rng(0).normal(0, 0.03, shaken.shape)
    faults = unphysical(structure, np.stack([structure.ca, stretched, clashing, shaken]))
    assert faults.tolist() == [False, True, True, False]


@given(st.integers(0, 999))
def test_restored_conformations_are_chains_again(seed: int) -> None:
    """Bonded distances return to those of the input, no pair clashes, and little moves."""
    structure = random_protein(seed, (30,))
    samples = predict(structure, "anm").sample(6, seed=seed)
    restored = restore_geometry(structure, samples)
    assert unphysical_share(structure, restored) == 0
    first = np.flatnonzero(structure.next_residue >= 0)  # where a chain runs through itself, the nearest are bonded
    second = structure.next_residue[first]
    np.testing.assert_allclose(
        np.linalg.norm(restored[:, first] - restored[:, second], axis=2),
        np.broadcast_to(np.linalg.norm(structure.ca[first] - structure.ca[second], axis=1), (6, len(first))),
        atol=2e-3,
    )
    moved_by = np.sqrt(((restored - samples) ** 2).sum(2).mean())
    sampled = np.sqrt(((samples - structure.ca) ** 2).sum(2).mean())
    assert moved_by < 0.6 * sampled, "repair must be small beside the motion it repairs"


def test_clashes_that_mending_brings_on_are_mended_too(adenylosuccinate_synthetase: Path) -> None:
    """Large loops of a real protein: two of fifty conformations clash anew after one round."""
    structure = load_structure(adenylosuccinate_synthetase)
    samples = predict(structure).sample(50, seed=0)
    assert unphysical_share(structure, restore_geometry(structure, samples)) == 0


def test_a_sound_conformation_is_left_alone() -> None:
    """Nothing to mend, nothing moved."""
    structure = helix()
    np.testing.assert_array_equal(restore_geometry(structure, structure.ca[None]), structure.ca[None])


def test_the_repair_is_nearly_the_smallest_there_is() -> None:
    """Within 5 % of the displacement that a general optimiser finds under the same constraints."""
    optimize = pytest.importorskip("scipy.optimize", reason="scipy is a development dependency")
    structure = helix(8)
    start = structure.ca + np.random.default_rng(3).normal(0, 0.5, structure.ca.shape)
    lengths = np.linalg.norm(np.diff(structure.ca, axis=0), axis=1)
    i, j = np.triu_indices(8, 2)

    def distances(x: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.linalg.norm(x.reshape(-1, 3)[a] - x.reshape(-1, 3)[b], axis=1)

    best = optimize.minimize(
        lambda x: ((x - start.ravel()) ** 2).sum(),
        structure.ca.ravel(),
        jac=lambda x: 2 * (x - start.ravel()),
        method="SLSQP",
        constraints=[
            {"type": "eq", "fun": lambda x: distances(x, np.arange(7), np.arange(1, 8)) - lengths},
            {"type": "ineq", "fun": lambda x: distances(x, i, j) - 3.0},
        ],
        options={"maxiter": 500},
    )
    assert best.success
    restored = restore_geometry(structure, start[None])[0]
    assert unphysical_share(structure, restored[None]) == 0
    assert np.linalg.norm(restored - start) < 1.05 * np.sqrt(best.fun)


@given(proteins, st.integers(0, 999))
def test_atoms_follow_a_rigid_motion_exactly(structure: Structure, turn: int) -> None:
    """If the whole protein turns, so does every residue with every atom it carries."""
    rotation, shift = rotation_matrix(turn), np.array([3.0, -4.0, 5.0])
    there = moved(structure, rotation, shift)
    segment_ends = np.bincount(np.maximum(structure.next_residue, 0), minlength=len(structure))
    assert segment_ends.sum() == len(structure)
    residue = np.arange(len(structure))
    carried = carry_atoms(structure, there.ca[None], structure.n, residue)[0]
    # A residue with no neighbour along its chain has nothing that tells how it turns.
    told = (structure.next_residue >= 0) | np.isin(residue, structure.next_residue)
    longer = told & (np.array([(structure.chain_ids == chain).sum() for chain in structure.chain_ids]) > 3)
    np.testing.assert_allclose(carried[longer], there.n[longer], atol=0.25)
    np.testing.assert_allclose(
        carry_atoms(structure, structure.ca[None], structure.n, residue)[0], structure.n, atol=1e-9
    )


@given(st.integers(0, 999))
def test_residues_turn_by_proper_rotations(seed: int) -> None:
    """Never a reflection, however wild the sample."""
    structure = random_protein(seed, (12,))
    samples = structure.ca + np.random.default_rng(seed).normal(0, 3.0, (4, 12, 3))
    rotations = residue_rotations(structure, samples)
    np.testing.assert_allclose(
        rotations @ np.swapaxes(rotations, -1, -2), np.broadcast_to(np.eye(3), (4, 12, 3, 3)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0, atol=1e-9)


def marginals(seed: int, size: int) -> np.ndarray:
    """Covariances from flat to round, in Å^2."""
    generator = np.random.default_rng(seed)
    orientation = np.linalg.qr(generator.normal(size=(size, 3, 3)))[0]
    return orientation @ (generator.uniform(0.02, 3.0, (size, 3, 1)) ** 2 * np.swapaxes(orientation, 1, 2))


def face_normals(mesh: Mesh) -> np.ndarray:
    """From the order of each triangle's vertices; as long as twice its area."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.triangles].astype(float), 1, 0)
    return np.cross(b - a, c - a)


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_every_vertex_lies_on_the_contour_of_its_residue(probability: float) -> None:
    """The Mahalanobis distance of each vertex is the radius that holds the residue with the probability."""
    covariances, radius = marginals(1, 20), contour_radius(probability)
    centres = np.random.default_rng(2).normal(0, 30, (20, 3))
    mesh = ellipsoid_surface(centres, covariances, radius)
    offset = mesh.vertices - centres[mesh.residue]
    inverse = np.linalg.inv(covariances)[mesh.residue]
    distance = np.sqrt(np.einsum("vi,vij,vj->v", offset, inverse, offset))
    np.testing.assert_allclose(distance, radius, rtol=2e-3)


def test_normals_stand_on_the_ellipsoid_and_not_on_a_sphere() -> None:
    """They are the gradient of the quadratic form, which for a flat ellipsoid is far from the direction outwards."""
    covariances = marginals(3, 20)
    mesh = ellipsoid_surface(np.zeros((20, 3)), covariances, 1.0)
    gradient = np.einsum("vij,vj->vi", np.linalg.inv(covariances)[mesh.residue], mesh.vertices.astype(float))
    gradient /= np.linalg.norm(gradient, axis=1, keepdims=True)
    np.testing.assert_allclose(mesh.normals, gradient, atol=2e-3)
    outwards = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    assert (np.einsum("vi,vi->v", mesh.normals, outwards) < 0.5).any()


@pytest.mark.parametrize("surface", [ellipsoid_surface, axis_surface])
def test_surfaces_are_closed_and_face_outwards(surface) -> None:
    """The normals of vertices and of triangles agree, and the faces of each residue close around a volume."""
    mesh = surface(np.random.default_rng(4).normal(0, 9, (6, 3)), marginals(5, 6), 1.5)
    face = face_normals(mesh)
    corner = mesh.normals[mesh.triangles].sum(1)
    assert (np.einsum("ti,ti->t", face, corner) > 0).all()
    for residue in range(6):
        own = mesh.residue[mesh.triangles[:, 0]] == residue
        assert (mesh.residue[mesh.triangles[own]] == residue).all()
        np.testing.assert_allclose(face[own].sum(0), 0, atol=1e-3 * np.abs(face[own]).sum())


def test_the_volume_approaches_that_of_the_ellipsoid() -> None:
    """4/3 pi times the three semi-axes; each subdivision brings it nearer."""
    covariances = marginals(6, 1)
    exact = 4 / 3 * np.pi * np.prod(axes(covariances)[1])
    shares = []
    for subdivisions in range(5):
        mesh = ellipsoid_surface(np.zeros((1, 3)), covariances, 1.0, subdivisions)
        assert len(mesh.triangles) == 20 * 4**subdivisions
        corners = mesh.vertices[mesh.triangles[:, 0]].astype(float)
        shares.append(np.einsum("ti,ti->", face_normals(mesh), corners) / 6 / exact)
    assert (np.diff(shares) > 0).all()
    assert 0.995 < shares[-1] < 1


def test_rods_lie_along_the_principal_axes_and_end_on_the_ellipsoid() -> None:
    """Of three rods, the longest corner along each axis is as far from the centre as the semi-axis."""
    covariances = marginals(7, 8)
    directions, lengths = axes(covariances)
    mesh = axis_surface(np.zeros((8, 3)), covariances, 2.0)
    along = np.abs(np.einsum("vi,vki->vk", mesh.vertices, directions[mesh.residue]))
    reach = np.array([along[mesh.residue == residue].max(0) for residue in range(8)])
    np.testing.assert_allclose(reach, np.maximum(2.0 * lengths, 0.03 * 2.0 * lengths[:, :1]), rtol=1e-4)


def test_a_motion_in_a_plane_is_drawn_as_a_disc() -> None:
    """Without variance along one axis the surface is flat, and its normals are still unit vectors."""
    mesh = ellipsoid_surface(np.zeros((1, 3)), np.diag([1.0, 1.0, 0.0])[None], 1.0)
    assert np.abs(mesh.vertices[:, 2]).max() < 0.01
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)

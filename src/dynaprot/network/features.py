"""From a `Structure` to the numbers a network reads. All are invariant to rotation and to the order of residues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..structure.backbone import chain_positions, dihedrals, hydrogen_bonds, neighbour_pairs
from ..structure.protein import Structure
from ..structure.residues import AMINO_ACIDS

__all__ = ["ENVIRONMENT", "PAIR", "Features", "featurise"]

SPRING_CUTOFF = 26.0
"""Distance in Å beyond which pairs have no spring: r^-6 leaves nothing there."""
ENVIRONMENT = 24
"""Numbers that describe a residue's surroundings."""
PAIR = 38
"""Numbers that describe a pair."""

BURIAL_RADII = (8.0, 12.0, 16.0, 24.0)
SEPARATIONS = 8


@dataclass(frozen=True)
class Features:
    """Input of the network for one structure.

    Attributes
    ----------
    types : ndarray, shape=(N,), dtype=int64
        Index in ``AMINO_ACIDS``, 20 for unknown.
    rotations : ndarray, shape=(N, 3, 3), dtype=float32
        Backbone frames, local to input.
    positions : ndarray, shape=(N, 3), dtype=float32
        C-alpha, Å, centred.
    environment : ndarray, shape=(N, ENVIRONMENT), dtype=float32
    pairs : ndarray, shape=(2, P), dtype=int64
        i < j, closer than `SPRING_CUTOFF`.
    pair_features : ndarray, shape=(P, PAIR), dtype=float32
    """

    types: NDArray[np.int64]
    rotations: NDArray[np.float32]
    positions: NDArray[np.float32]
    environment: NDArray[np.float32]
    pairs: NDArray[np.int64]
    pair_features: NDArray[np.float32]


def featurise(structure: Structure) -> Features:
    """Compute the network's input; see `Features`."""
    ca, following = structure.ca, structure.next_residue
    i, j = neighbour_pairs(ca, SPRING_CUTOFF)
    difference = ca[j] - ca[i]
    distance = np.maximum(np.linalg.norm(difference, axis=1), 1e-3)
    segment, from_start, to_end = chain_positions(following)
    acceptor, donor, energy = hydrogen_bonds(structure.n, ca, structure.c, following, structure.sequence)
    rotations = structure.rotations
    side = _side_chain_centre(structure)
    return Features(
        types=np.array([AMINO_ACIDS.find(letter) % 21 for letter in structure.sequence], dtype=np.int64),
        rotations=rotations.astype(np.float32),
        positions=(ca - ca.mean(0)).astype(np.float32),
        environment=_environment(
            structure, i, j, distance, side, from_start, to_end, (acceptor, donor, energy)
        ).astype(np.float32),
        pairs=np.stack([i, j]),
        pair_features=_pair_features(
            i, j, difference / distance[:, None], distance, side, rotations, segment, from_start, (acceptor, donor, energy)
        ).astype(np.float32),
    )


def _side_chain_centre(structure: Structure) -> NDArray[np.float64]:
    """A point 2.4 Å from C-alpha towards where C-beta would be: stands for the side chain."""
    incoming, outgoing = structure.ca - structure.n, structure.c - structure.ca
    beta = 0.568 * incoming - 0.541 * outgoing - 0.583 * np.cross(incoming, outgoing)   # ideal C-beta
    return structure.ca + 2.4 * _unit(beta)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _environment(
    structure: Structure,
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    distance: NDArray[np.float64],
    side: NDArray[np.float64],
    from_start: NDArray[np.int64],
    to_end: NDArray[np.int64],
    bonds: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    size = len(structure)
    phi, psi = dihedrals(structure.n, structure.ca, structure.c, structure.next_residue)
    angles = np.nan_to_num(np.stack([np.sin(phi), np.cos(phi), np.sin(psi), np.cos(psi)], axis=1))

    def count(weight_i: NDArray[np.float64], weight_j: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(i, weight_i, size) + np.bincount(j, weight_j, size)

    burial = [np.log1p(count(near := (distance < radius).astype(float), near)) for radius in BURIAL_RADII]
    # Half-sphere exposure (Hamelryck 2005): neighbours on the side-chain's side of C-alpha.
    outward = _unit(side - structure.ca)
    direction = structure.ca[j] - structure.ca[i]
    near = distance < 13.0
    up = count(
        (near & ((direction * outward[i]).sum(1) > 0)).astype(float),
        (near & ((-direction * outward[j]).sum(1) > 0)).astype(float),
    )
    side_distance = np.linalg.norm(side[i] - side[j], axis=1)
    packed = count(soft := 1.0 / (1.0 + np.exp((side_distance - 7.0) / 0.8)), soft)
    acceptor, donor, energy = bonds
    bonded = np.stack([np.bincount(donor, -energy, size), np.bincount(acceptor, -energy, size)], axis=1)
    secondary = np.array(list(structure.secondary_structure))
    ends = [np.exp(-from_start / 3.0), np.exp(-to_end / 3.0), np.exp(-from_start / 10.0), np.exp(-to_end / 10.0)]
    far = np.linalg.norm(structure.ca - structure.ca.mean(0), axis=1)
    gyration = np.sqrt((far**2).mean())
    return np.column_stack([
        angles,
        np.array(burial).T - 2.5,
        np.log1p(up) - 2.0,
        np.log1p(packed) - 1.5,
        np.minimum(bonded, 4.0) / 2.0,
        secondary == "H",
        secondary == "E",
        *ends,
        np.isnan(phi),
        np.isnan(psi),
        far / gyration - 1.0,
        np.full(size, np.log(size) - 5.0),
        np.full(size, np.log(gyration / (2.2 * size**0.38))),
        np.exp(-np.minimum(from_start + to_end, 200) / 20.0),
    ])  # fmt: skip


def _pair_features(
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    direction: NDArray[np.float64],
    distance: NDArray[np.float64],
    side: NDArray[np.float64],
    rotations: NDArray[np.float64],
    segment: NDArray[np.int64],
    from_start: NDArray[np.int64],
    bonds: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Symmetric under exchange of i and j."""
    size = len(side)
    radial = np.exp(-(((distance[:, None] - np.linspace(3.5, 24.0, 16)) / 1.6) ** 2))
    side_distance = np.linalg.norm(side[i] - side[j], axis=1)
    side_radial = np.exp(-(((side_distance[:, None] - np.array([3.5, 5.0, 6.5, 8.0, 10.0, 13.0])) / 1.5) ** 2))
    separation = np.where(segment[i] == segment[j], np.abs(from_start[i] - from_start[j]), size)
    sequence = separation[:, None] == np.arange(1, SEPARATIONS + 1)
    toward_i = np.einsum("pa,pab->pb", direction, rotations[i])
    toward_j = np.einsum("pa,pab->pb", -direction, rotations[j])
    axes = np.einsum("pab,pab->pb", rotations[i], rotations[j])
    acceptor, donor, energy = bonds
    keys = np.minimum(acceptor, donor) * size + np.maximum(acceptor, donor)
    bond_energy = np.zeros(len(i))
    place = np.searchsorted(pair_keys := i * size + j, keys)
    known = pair_keys[np.minimum(place, len(pair_keys) - 1)] == keys
    np.add.at(bond_energy, place[known], -energy[known])
    return np.column_stack([
        radial,
        side_radial,
        sequence,
        np.minimum(bond_energy, 4.0) / 2.0,
        toward_i + toward_j,
        axes[:, :3],
        (side_distance - distance) / 3.0,
    ])  # fmt: skip

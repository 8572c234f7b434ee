"""From a `Structure` to the numbers a network reads. All are invariant to rotation and to the order of residues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..joint.linear_algebra import gram, invert_root
from ..structure.backbone import chain_positions, dihedrals, previous_residues
from ..structure.geometry import neighbour_pairs, unit_vectors
from ..structure.protein import Structure
from ..structure.residues import AMINO_ACIDS

__all__ = ["ENVIRONMENT", "PAIR", "Features", "featurise", "side_chain_centres"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

SPRING_CUTOFF = 18.0
"""Distance in Å beyond which pairs have no spring: r^-6 leaves nothing there."""
ENVIRONMENT = 42
"""Numbers that describe a residue's surroundings."""
PAIR = 46
"""Numbers that describe a pair."""

SIDE_CHAINS = {
    "A": (0.40, 0.0, 1, 0.77), "C": (0.56, 0.0, 2, 1.38), "D": (-0.78, -1.0, 4, 1.99), "E": (-0.78, -1.0, 5, 2.63),
    "F": (0.62, 0.0, 7, 2.97), "G": (-0.09, 0.0, 0, 0.50), "H": (-0.71, 0.3, 6, 2.76), "I": (1.00, 0.0, 4, 1.83),
    "K": (-0.87, 1.0, 5, 2.94), "L": (0.84, 0.0, 4, 2.08), "M": (0.42, 0.0, 4, 2.34), "N": (-0.78, 0.0, 4, 1.98),
    "P": (-0.36, 0.0, 3, 1.42), "Q": (-0.78, 0.0, 5, 2.58), "R": (-1.00, 1.0, 7, 3.72), "S": (-0.18, 0.0, 2, 1.28),
    "T": (-0.16, 0.0, 3, 1.43), "V": (0.93, 0.0, 3, 1.49), "W": (-0.20, 0.0, 10, 3.58), "Y": (-0.29, 0.0, 8, 3.36),
    "X": (0.00, 0.0, 4, 2.00),
}  # fmt: skip
"""Hydropathy (Kyte & Doolittle 1982, over 4.5), charge at pH 7, heavy atoms, and Å from C-alpha to their centre."""
BOND = 3.8
"""Å between neighbours along the chain."""
CLOSEST = 2.8
"""Å; closer C-alphas clash and count as this far apart."""
FLEXIBILITY_POWERS = (6, 3)
"""Spring constants of the Gaussian networks fall with distance to these powers."""
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


@dataclass(frozen=True)
class _Geometry:
    """What the descriptions of residues and of pairs share."""

    structure: Structure
    i: Indices
    j: Indices
    distance: Array
    direction: Array
    """Unit vectors from i to j."""
    separation: Array
    """Bonds between i and j along the chain; the size of the structure where no chain joins them."""
    segment: Indices
    from_start: Indices
    to_end: Indices
    side: Array
    """Centres of the side chains."""
    side_distance: Array
    chemistry: Array
    """Rows of `SIDE_CHAINS`, shape=(N, 4)."""
    bonds: tuple[Indices, Indices, Array]
    """Acceptor, donor and energy of hydrogen bonds."""
    responses: list[Array]
    """Covariances of Gaussian networks, one for each of `FLEXIBILITY_POWERS`."""

    @classmethod
    def of(cls, structure: Structure) -> _Geometry:
        ca, following = structure.ca, structure.next_residue
        i, j = neighbour_pairs(ca, SPRING_CUTOFF)
        difference = ca[j] - ca[i]
        distance = np.maximum(np.linalg.norm(difference, axis=1), 1e-3)
        segment, from_start, to_end = chain_positions(following)
        chemistry = np.array([SIDE_CHAINS[letter] for letter in structure.sequence])
        side = side_chain_centres(structure)
        return cls(
            structure,
            i,
            j,
            distance,
            difference / distance[:, None],
            np.where(segment[i] == segment[j], np.abs(from_start[i] - from_start[j]), len(ca)),
            segment,
            from_start,
            to_end,
            side,
            np.linalg.norm(side[i] - side[j], axis=1),
            chemistry,
            structure.hydrogen_bonds,
            [_gaussian_network(len(ca), i, j, distance, power) for power in FLEXIBILITY_POWERS],
        )

    def sum_over_neighbours(self, of_j: Array, of_i: Array | None = None) -> Array:
        """Sum over each residue's pairs: `of_j` where the residue is i, `of_i` (the same by default) where it is j."""
        size = len(self.structure)
        as_j = np.bincount(self.j, of_j if of_i is None else of_i, size)
        return np.add(np.bincount(self.i, of_j, size), as_j, dtype=np.float64)

    def average_along_chain(self, values: Array, reach: int) -> Array:
        """Mean of a number of each residue over those up to `reach` bonds away."""
        following = self.structure.next_residue
        total, count = values.copy(), np.ones(len(values))
        for neighbour in (following, previous_residues(following)):
            at = np.arange(len(values))
            for _ in range(reach):
                at = np.where(at >= 0, neighbour[at], -1)
                total += np.where(at >= 0, values[at], 0.0)
                count += at >= 0
        return total / count


def featurise(structure: Structure, surroundings: bool = True) -> Features:
    """Compute the network's input; see `Features`.

    Parameters
    ----------
    structure : Structure
    surroundings : bool
        Without, there are no pairs and environments are zero: all that the published networks read, in no time.
    """
    size = len(structure)
    geometry = _Geometry.of(structure) if surroundings else None
    return Features(
        types=np.array([AMINO_ACIDS.find(letter) % 21 for letter in structure.sequence], dtype=np.int64),
        rotations=structure.rotations.astype(np.float32),
        positions=(structure.ca - structure.ca.mean(0)).astype(np.float32),
        environment=(_environment(geometry) if geometry else np.zeros((size, ENVIRONMENT))).astype(np.float32),
        pairs=np.stack([geometry.i, geometry.j]) if geometry else np.empty((2, 0), dtype=np.int64),
        pair_features=(_pair_features(geometry) if geometry else np.empty((0, PAIR))).astype(np.float32),
    )


def side_chain_centres(structure: Structure) -> Array:
    """Where the centres of side chains are by the backbone and the residue type, shape=(N, 3), Å."""
    reach = np.array([SIDE_CHAINS[letter][3] for letter in structure.sequence])
    return np.asarray(structure.ca + reach[:, None] * unit_vectors(_beta_direction(structure)))


def _beta_direction(structure: Structure) -> Array:
    incoming, outgoing = structure.ca - structure.n, structure.c - structure.ca
    return 0.568 * incoming - 0.541 * outgoing - 0.583 * np.cross(incoming, outgoing)  # ideal C-beta


def _gaussian_network(size: int, i: Indices, j: Indices, distance: Array, power: int) -> Array:
    """Covariance of a Gaussian network model (Bahar 1997) with springs ~ r^-power, shape=(N, N), no units."""
    stiffness = (np.maximum(distance, CLOSEST) / BOND) ** -power
    laplacian = np.full((size, size), 1.0 / size)
    laplacian[j, i] -= stiffness  # the lower triangle, which is all that is read
    laplacian[np.arange(size), np.arange(size)] += (
        1e-7 + np.bincount(i, stiffness, size) + np.bincount(j, stiffness, size)
    )
    invert_root(laplacian)
    return gram(laplacian) - 1.0 / size


def _soft_contact(distance: Array, at: float) -> Array:
    """1 well below a distance in Å, 0 well above it."""
    return 1.0 / (1.0 + np.exp((distance - at) / 0.8))


def _environment(geometry: _Geometry) -> Array:
    structure, i, j = geometry.structure, geometry.i, geometry.j
    total, smooth = geometry.sum_over_neighbours, geometry.average_along_chain
    size = len(structure)
    phi, psi = dihedrals(structure.n, structure.ca, structure.c, structure.next_residue)
    angles = np.nan_to_num(np.stack([np.sin(phi), np.cos(phi), np.sin(psi), np.cos(psi)], axis=1))
    burial = [np.log1p(total((geometry.distance < radius).astype(float))) for radius in BURIAL_RADII]
    # Half-sphere exposure (Hamelryck 2005): neighbours on the side-chain's side of C-alpha.
    outward = unit_vectors(geometry.side - structure.ca)
    near = geometry.distance < 13.0
    upper = total(
        (near & ((geometry.direction * outward[i]).sum(1) > 0)).astype(float),
        (near & ((geometry.direction * outward[j]).sum(1) < 0)).astype(float),
    )
    contact = _soft_contact(geometry.side_distance, 7.0)
    acceptor, donor, energy = geometry.bonds
    bonded = np.stack([np.bincount(donor, -energy, size), np.bincount(acceptor, -energy, size)], axis=1)
    secondary = np.array(list(structure.secondary_structure))
    helix, strand = ((secondary == letter).astype(float) for letter in "HE")
    ends = [np.exp(-bonds / scale) for scale in (3.0, 10.0) for bonds in (geometry.from_start, geometry.to_end)]
    far = np.linalg.norm(structure.ca - structure.ca.mean(0), axis=1)
    gyration = np.sqrt((far**2).mean())
    flexible, floppy = (np.log(np.diagonal(response)) for response in geometry.responses)
    hydropathy, charge, atoms, _ = geometry.chemistry.T
    packing = total(contact * (atoms[j] + 4.0), contact * (atoms[i] + 4.0)) / 30.0 - 1.5
    tertiary = contact * (geometry.separation > 3)  # contacts that the chain does not force
    tertiary_contacts = total(tertiary)
    order = total(tertiary * np.log1p(np.minimum(geometry.separation, 200))) / (tertiary_contacts + 1.0)
    return np.column_stack([
        angles,
        np.array(burial).T - 2.5,
        np.log1p(upper) - 2.0,
        np.log1p(total(contact)) - 1.5,
        np.minimum(bonded, 4.0) / 2.0,
        helix,
        strand,
        *ends,
        np.isnan(phi),
        np.isnan(psi),
        far / gyration - 1.0,
        np.full(size, np.log(size) - 5.0),
        np.full(size, np.log(gyration / (2.2 * size**0.38))),
        np.exp(-np.minimum(geometry.from_start + geometry.to_end, 200) / 20.0),
        flexible - flexible.mean(),
        floppy - floppy.mean(),
        flexible + 0.8,
        floppy + 2.0,
        smooth(flexible, 3) - flexible.mean(),
        smooth(helix, 3),
        smooth(strand, 3),
        smooth(helix, 8),
        smooth(strand, 8),
        smooth(helix + strand, 1),
        packing,
        total(tertiary * hydropathy[j], tertiary * hydropathy[i]) / 2.2,
        total(contact * charge[j], contact * charge[i]),
        order / 3.0,
        np.log1p(tertiary_contacts) - 1.0,
        smooth(packing, 2),
        smooth(hydropathy, 3),
        np.full(size, helix.mean() - strand.mean()),
    ])  # fmt: skip


def _pair_features(geometry: _Geometry) -> Array:
    """Symmetric under exchange of i and j."""
    i, j, distance = geometry.i, geometry.j, geometry.distance
    rotations = geometry.structure.rotations
    radial = np.exp(-(((distance[:, None] - np.linspace(3.5, 24.0, 16)) / 1.6) ** 2))
    side_centres = np.array([3.5, 5.0, 6.5, 8.0, 10.0, 13.0])
    side_radial = np.exp(-(((geometry.side_distance[:, None] - side_centres) / 1.5) ** 2))
    toward_i = np.einsum("pa,pab->pb", geometry.direction, rotations[i])
    toward_j = np.einsum("pa,pab->pb", -geometry.direction, rotations[j])
    axes = np.einsum("pab,pab->pb", rotations[i], rotations[j])
    hydropathy, charge, atoms, _ = geometry.chemistry.T
    contact = _soft_contact(geometry.side_distance, 7.5)
    cysteine = np.array(list(geometry.structure.sequence)) == "C"
    disulfide = cysteine[i] & cysteine[j] & (distance < 7.2) & (geometry.side_distance < 4.8)
    return np.column_stack([
        radial,
        side_radial,
        geometry.separation[:, None] == np.arange(1, SEPARATIONS + 1),
        np.minimum(_bond_energy(geometry), 4.0) / 2.0,
        toward_i + toward_j,
        axes,
        (geometry.side_distance - distance) / 3.0,
        *(column for response in geometry.responses for column in _relative_motion(response, i, j)),
        contact * hydropathy[i] * hydropathy[j],
        contact * charge[i] * charge[j],
        disulfide,
        contact * (atoms[i] + atoms[j]) / 8.0,
    ])  # fmt: skip


def _bond_energy(geometry: _Geometry) -> Array:
    """Energy of the hydrogen bonds of each pair, positive, kcal/mol."""
    acceptor, donor, energy = geometry.bonds
    size = len(geometry.structure)
    keys, bond_keys = geometry.i * size + geometry.j, np.minimum(acceptor, donor) * size + np.maximum(acceptor, donor)
    place = np.minimum(np.searchsorted(keys, bond_keys), len(keys) - 1)
    known = keys[place] == bond_keys
    return np.asarray(np.bincount(place[known], -energy[known], len(keys)), dtype=np.float64)


def _relative_motion(response: Array, i: Indices, j: Indices) -> tuple[Array, Array]:
    """How much two residues move together and against each other, in a Gaussian network: correlation, log ratio."""
    variance = np.diagonal(response)
    scale = np.sqrt(variance[i] * variance[j])
    against = np.maximum(variance[i] + variance[j] - 2.0 * response[i, j], 1e-12)
    return response[i, j] / scale, 0.5 * np.log(against / scale)

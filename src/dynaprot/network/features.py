"""From a `Structure` to the numbers that a network reads, each by its name.

All are invariant to rotation and to the order of residues. A network names the features that it reads
(`Architecture.residue_features`, `Architecture.pair_features`), and only these are worked out. The names are stored
with the weights; `VERSION` tells what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cached import cached_property
from ..joint.linear_algebra import blocks, gram, invert_root
from ..structure.backbone import HYDROGEN_BOND, chain_positions, dihedrals, previous_residues
from ..structure.geometry import neighbour_pairs, ramp, unit_vectors
from ..structure.protein import Structure
from ..structure.residues import AMINO_ACIDS
from ..structure.side_chains import SIDE_CHAINS, side_chain_centres

__all__ = ["FEATURE_SETS", "PAIR_FEATURES", "RESIDUE_FEATURES", "VERSION", "Features", "featurise"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

VERSION = 1
"""Raised whenever a feature of the same name comes to mean another number."""
CUTOFF = 18.0
"""Å; a residue's neighbours, and the pairs that are described, are nearer than this."""
BOND = 3.8
"""Å between neighbours along the chain."""
HOLD = 1e-3
"""What holds each residue of a Gaussian network where it is, so that parts far from each other stay there; no units."""
CLOSEST = 2.8
"""Å; closer C-alphas clash and count as this far apart."""


@dataclass(frozen=True)
class Features:
    """Input of a network for one structure.

    Attributes
    ----------
    types : ndarray, shape=(N,), dtype=int64
        Index in ``AMINO_ACIDS``, 20 for unknown.
    rotations : ndarray, shape=(N, 3, 3), dtype=float32
        Backbone frames, local to input.
    positions : ndarray, shape=(N, 3), dtype=float32
        C-alpha, Å, centred.
    residue_features : ndarray, shape=(N, R), dtype=float32
        One column for each name asked for.
    pairs : ndarray, shape=(2, P), dtype=int64
        i < j, closer than `CUTOFF`; none where no pair features are asked for.
    pair_features : ndarray, shape=(P, Q), dtype=float32
        One column for each name asked for.
    """

    types: NDArray[np.int64]
    rotations: NDArray[np.float32]
    positions: NDArray[np.float32]
    residue_features: NDArray[np.float32]
    pairs: NDArray[np.int64]
    pair_features: NDArray[np.float32]


def featurise(
    structure: Structure, residue_features: Sequence[str] = (), pair_features: Sequence[str] = ()
) -> Features:
    """Compute a network's input.

    Parameters
    ----------
    structure : Structure
        N residues.
    residue_features, pair_features : sequence of str
        Names of `RESIDUE_FEATURES` and `PAIR_FEATURES`, in the order in which the network reads them.
    """
    geometry = _Geometry(structure)
    return Features(
        types=np.array([AMINO_ACIDS.find(letter) % 21 for letter in structure.sequence], dtype=np.int64),
        rotations=structure.rotations.astype(np.float32),
        positions=(structure.ca - structure.ca.mean(0)).astype(np.float32),
        residue_features=_stack(RESIDUE_FEATURES, residue_features, geometry, len(structure)),
        pairs=np.stack(geometry.pairs) if pair_features else np.empty((2, 0), dtype=np.int64),
        pair_features=_stack(PAIR_FEATURES, pair_features, geometry, len(geometry.i) if pair_features else 0),
    )


class _Geometry:
    """What the features of residues and of pairs are worked out from, each once it is asked for."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.size = len(structure)

    @cached_property
    def pairs(self) -> tuple[Indices, Indices]:
        """Residues i < j nearer than `CUTOFF`, shape=(P,) each."""
        return neighbour_pairs(self.structure.ca, CUTOFF)

    @property
    def i(self) -> Indices:
        return self.pairs[0]

    @property
    def j(self) -> Indices:
        return self.pairs[1]

    @cached_property
    def difference(self) -> Array:
        """From i to j, shape=(P, 3), Å."""
        return self.structure.ca[self.j] - self.structure.ca[self.i]

    @cached_property
    def distance(self) -> Array:
        """Between the C-alphas of pairs, shape=(P,), Å."""
        return np.asarray(np.maximum(np.linalg.norm(self.difference, axis=1), 1e-3))

    @cached_property
    def direction(self) -> Array:
        """Unit vectors from i to j, shape=(P, 3)."""
        return self.difference / self.distance[:, None]

    @cached_property
    def places(self) -> tuple[Indices, Indices, Indices]:
        """Stretch of chain, bonds from its start and to its end, shape=(N,) each."""
        return chain_positions(self.structure.next_residue)

    @cached_property
    def linked(self) -> tuple[Array, Array, Array, Array]:
        """Bonds from the start and to the end of each residue's chain, counting those of gaps that are spanned; bonds
        to the nearest end of a gap, and the residues that are missing in it; shape=(N,) each."""
        structure = self.structure
        start, end = (bonds.astype(float) for bonds in self.places[1:])
        segment = self.places[0]
        _, piece = np.unique(segment, return_inverse=True)
        gap, missing = np.full(self.size, np.inf), np.zeros(self.size)
        before, after, count = structure.gaps
        for last, first, residues in zip(before, after, count, strict=True):
            for members, bonds in ((piece == piece[last], self.places[2]), (piece == piece[first], self.places[1])):
                nearer = members & (bonds < gap)
                gap[nearer], missing[nearer] = bonds[nearer], residues
        before, after, count = structure.links
        for k in range(len(before)):  # `links` runs along each chain
            start[piece == piece[after[k]]] += start[before[k]] + count[k] + 1.0
        for k in reversed(range(len(before))):
            end[piece == piece[before[k]]] += end[after[k]] + count[k] + 1.0
        return start, end, gap, missing

    @cached_property
    def separation(self) -> Array:
        """Bonds between i and j along the chain, shape=(P,); the size of the structure where no chain joins them."""
        segment, from_start, _ = self.places
        apart = np.abs(from_start[self.i] - from_start[self.j])
        return np.where(segment[self.i] == segment[self.j], apart, self.size)

    @cached_property
    def side(self) -> Array:
        """Centres of side chains, shape=(N, 3), Å."""
        return side_chain_centres(self.structure)

    @cached_property
    def side_distance(self) -> Array:
        """Between the centres of side chains of pairs, shape=(P,), Å."""
        return np.asarray(np.linalg.norm(self.side[self.i] - self.side[self.j], axis=1))

    @cached_property
    def chemistry(self) -> Array:
        """Hydropathy, charge and heavy atoms of side chains, shape=(3, N)."""
        return np.array([SIDE_CHAINS[letter][:3] for letter in self.structure.sequence]).T

    @cached_property
    def phi_psi(self) -> tuple[Array, Array]:
        """Backbone dihedrals, rad, NaN where there are none; shape=(N,) each."""
        structure = self.structure
        return dihedrals(structure.n, structure.ca, structure.c, structure.next_residue)

    @cached_property
    def helix(self) -> Array:
        """1 in a helix, shape=(N,)."""
        return (np.array(list(self.structure.secondary_structure)) == "H").astype(float)

    @cached_property
    def strand(self) -> Array:
        """1 in a strand, shape=(N,)."""
        return (np.array(list(self.structure.secondary_structure)) == "E").astype(float)

    @cached_property
    def hydrogen_bond_excess(self) -> Array:
        """Energy of each hydrogen bond beyond the one from which it counts, positive, kcal/mol, shape=(B,)."""
        return -self.structure.hydrogen_bonds[2] + HYDROGEN_BOND

    @cached_property
    def hydrogen_bond_sums(self) -> tuple[NDArray[Any], ...]:
        """Energy of the hydrogen bonds that each residue gives and takes, positive, kcal/mol; two of shape=(N,)."""
        acceptor, donor, energy = self.structure.hydrogen_bonds
        return tuple(np.bincount(residue, -energy, self.size) for residue in (donor, acceptor))

    @cached_property
    def from_centre(self) -> Array:
        """Distance of each C-alpha from the centre of all, shape=(N,), Å."""
        return np.asarray(np.linalg.norm(self.structure.ca - self.structure.ca.mean(0), axis=1))

    @property
    def gyration(self) -> float:
        """Radius of gyration, Å."""
        return float(np.sqrt((self.from_centre**2).mean()))

    @cached_property
    def half_sphere(self) -> Array:
        """Neighbours within 13 Å on the side chain's side of C-alpha (Hamelryck 2005), shape=(N,)."""
        outward = unit_vectors(self.side - self.structure.ca)
        near = self.distance < 13.0
        return self.total(
            (near & ((self.direction * outward[self.i]).sum(1) > 0)).astype(float),
            (near & ((self.direction * outward[self.j]).sum(1) < 0)).astype(float),
        )

    @cached_property
    def contact(self) -> Array:
        """1 for pairs whose side chains touch, falling to 0 about 7 Å, shape=(P,)."""
        return _soft_contact(self.side_distance, 7.0)

    @cached_property
    def tertiary(self) -> Array:
        """The same without the contacts that the chain forces, shape=(P,)."""
        return self.contact * (self.separation > 3)

    @cached_property
    def packing(self) -> Array:
        """Heavy atoms of the residues that touch each, shape=(N,)."""
        atoms = self.chemistry[2]
        return self.total(self.contact * (atoms[self.j] + 4.0), self.contact * (atoms[self.i] + 4.0))

    @cached_property
    def contact_order(self) -> Array:
        """Mean log separation along the chain of the residues in tertiary contact with each, shape=(N,)."""
        sums = self.total(self.tertiary * np.log1p(np.minimum(self.separation, 200)))
        return sums / (self.total(self.tertiary) + 1.0)

    @cached_property
    def response_r6(self) -> Array:
        """Covariance of a Gaussian network with springs ~ r^-6, shape=(N, N): costs N^3."""
        return self._gaussian_network(6)

    @cached_property
    def response_r3(self) -> Array:
        """Covariance of a Gaussian network with springs ~ r^-3, shape=(N, N): costs N^3."""
        return self._gaussian_network(3)

    def _gaussian_network(self, power: int) -> Array:
        """Covariance of a Gaussian network model (Bahar 1997) with springs ~ r^-power, no units."""
        size, i, j = self.size, self.i, self.j
        stiffness = (np.maximum(self.distance, CLOSEST) / BOND) ** -power
        laplacian = np.full((size, size), 1.0 / size)
        laplacian[j, i] -= stiffness  # the lower triangle, which is all that is read
        laplacian[np.arange(size), np.arange(size)] += (
            1e-7 + np.bincount(i, stiffness, size) + np.bincount(j, stiffness, size)
        )
        invert_root(laplacian)
        return gram(laplacian) - 1.0 / size

    @cached_property
    def mobility_steps(self) -> Array:
        """Log variance of each residue in a Gaussian network of r^-6 after four Jacobi steps, shape=(N,).

        m_i = 1/L_ii + sum over j of (k_ij/L_ii)^2 m_j, which each step brings in from one neighbour farther.
        """
        i, j = self.i, self.j
        stiffness = (np.maximum(self.distance, CLOSEST) / BOND) ** -6 * ramp(self.distance, 15.0, CUTOFF)
        total = 1e-3 + self.total(stiffness)
        mobility = alone = 1.0 / total
        for _ in range(4):
            passed_on = self.total((stiffness / total[i]) ** 2 * mobility[j], (stiffness / total[j]) ** 2 * mobility[i])
            mobility = alone + passed_on
        return np.log(mobility)

    def density(self, power: float) -> Array:
        """Sum of r^-power over each residue's neighbours, r in bond lengths, shape=(N,): its contact number, weighted.

        Lin et al. 2008.
        """
        return self.total((np.maximum(self.distance, CLOSEST) / BOND) ** -power * ramp(self.distance, 15.0, CUTOFF))

    @cached_property
    def half_sphere_smooth(self) -> Array:
        """Neighbours within 13 Å or so on the side chain's side of C-alpha, without a sharp edge, shape=(N,)."""
        outward = unit_vectors(self.side - self.structure.ca)
        near = ramp(self.distance, 11.0, 15.0)
        up_i, up_j = ((self.direction * outward[k]).sum(1) for k in (self.i, self.j))
        return self.total(near / (1.0 + np.exp(-5.0 * up_i)), near / (1.0 + np.exp(5.0 * up_j)))

    @cached_property
    def network_r6(self) -> Array:
        """Covariance of a Gaussian network with springs ~ r^-6 between all residues, shape=(N, N): costs N^3."""
        return self._gaussian_network_of_all(6)

    @cached_property
    def network_r3(self) -> Array:
        """The same with springs ~ r^-3 between neighbours, and r^-6 beyond them, shape=(N, N): costs N^3."""
        return self._gaussian_network_of_all(3)

    def _gaussian_network_of_all(self, power: int) -> Array:
        """Covariance of a Gaussian network model (Bahar 1997) without a cutoff: nothing in it jumps; no units."""
        ca, size = self.structure.ca - self.structure.ca.mean(0), self.size
        squared = (ca**2).sum(1)
        laplacian = np.empty((size, size))
        for rows in blocks(0, size, 256):
            distance = np.maximum(squared[rows, None] + squared - 2.0 * ca[rows] @ ca.T, CLOSEST**2)
            inverse = BOND**2 / distance
            sixth = inverse * inverse * inverse
            if power == 3:
                near = ramp(np.sqrt(distance), 15.0, CUTOFF)
                sixth = near * np.sqrt(sixth) + (1.0 - near) * sixth
            laplacian[rows] = -sixth
        np.fill_diagonal(laplacian, 0.0)
        np.fill_diagonal(laplacian, HOLD - laplacian.sum(1))
        laplacian += 1.0 / size
        invert_root(laplacian)
        return gram(laplacian) - 1.0 / size

    @cached_property
    def network_mobility_r6(self) -> Array:
        """Log variance of each residue in `network_r6`, shape=(N,)."""
        return np.log(np.diagonal(self.network_r6))

    @cached_property
    def network_mobility_r3(self) -> Array:
        """Log variance of each residue in `network_r3`, shape=(N,)."""
        return np.log(np.diagonal(self.network_r3))

    @cached_property
    def mobility_r6(self) -> Array:
        """Log variance of each residue in the network of r^-6, shape=(N,)."""
        return np.log(np.diagonal(self.response_r6))

    @cached_property
    def mobility_r3(self) -> Array:
        """Log variance of each residue in the network of r^-3, shape=(N,)."""
        return np.log(np.diagonal(self.response_r3))

    @cached_property
    def bond_energy(self) -> Array:
        """Energy of the hydrogen bonds of each pair, positive, kcal/mol, shape=(P,)."""
        return self.of_bonded_pairs(-self.structure.hydrogen_bonds[2])

    def of_bonded_pairs(self, values: Array) -> Array:
        """Sum of a number of each hydrogen bond over the bonds of each pair, shape=(P,)."""
        acceptor, donor, _ = self.structure.hydrogen_bonds
        keys = self.i * self.size + self.j
        bond_keys = np.minimum(acceptor, donor) * self.size + np.maximum(acceptor, donor)
        place = np.minimum(np.searchsorted(keys, bond_keys), len(keys) - 1)
        known = keys[place] == bond_keys
        return np.asarray(np.bincount(place[known], values[known], len(keys)), dtype=np.float64)

    @cached_property
    def toward(self) -> Array:
        """Where j lies in the frame of i plus where i lies in that of j, shape=(P, 3)."""
        rotations = self.structure.rotations
        toward_j = np.einsum("pa,pab->pb", self.direction, rotations[self.i])
        return toward_j + np.einsum("pa,pab->pb", -self.direction, rotations[self.j])

    @cached_property
    def axes(self) -> Array:
        """Cosines between like axes of both frames, shape=(P, 3)."""
        rotations = self.structure.rotations
        return np.asarray(np.einsum("pab,pab->pb", rotations[self.i], rotations[self.j]))

    @cached_property
    def pair_contact(self) -> Array:
        """1 for pairs whose side chains touch, falling to 0 about 7.5 Å, shape=(P,)."""
        return _soft_contact(self.side_distance, 7.5)

    @cached_property
    def both_cysteine(self) -> NDArray[np.bool_]:
        """Whether both residues of a pair are cysteines, shape=(P,)."""
        cysteine = np.array(list(self.structure.sequence)) == "C"
        return cysteine[self.i] & cysteine[self.j]

    @cached_property
    def disulfide(self) -> NDArray[np.bool_]:
        """Whether two cysteines are near enough for a disulfide bond, shape=(P,)."""
        return self.both_cysteine & (self.distance < 7.2) & (self.side_distance < 4.8)

    def total(self, of_j: Array, of_i: Array | None = None) -> Array:
        """Sum over each residue's pairs: `of_j` where the residue is i, `of_i` (the same by default) where it is j."""
        as_j = np.bincount(self.j, of_j if of_i is None else of_i, self.size)
        return np.add(np.bincount(self.i, of_j, self.size), as_j, dtype=np.float64)

    def smooth(self, values: Array, reach: int) -> Array:
        """Mean of a number of each residue over those up to `reach` bonds away along the chain, shape=(N,)."""
        following = self.structure.next_residue
        total, count = values.copy(), np.ones(len(values))
        for neighbour in (following, previous_residues(following)):
            at = np.arange(len(values))
            for _ in range(reach):
                at = np.where(at >= 0, neighbour[at], -1)
                total += np.where(at >= 0, values[at], 0.0)
                count += at >= 0
        return total / count

    def everywhere(self, value: float) -> Array:
        """A number of the whole structure for each residue, shape=(N,)."""
        return np.full(self.size, value)


Column = Callable[[_Geometry], Array]


def _neighbours(radius: float) -> Column:
    return lambda g: np.log1p(g.total((g.distance < radius).astype(float))) - 2.5


def _near_end(end: int, scale: float) -> Column:
    return lambda g: np.exp(-g.places[end] / scale)


def _neighbours_smooth(radius: float) -> Column:
    return lambda g: np.log1p(g.total(ramp(g.distance, radius - 2.0, radius + 2.0))) - 2.5


def _near_chain_end(end: int, scale: float) -> Column:
    return lambda g: np.exp(-g.linked[end] / scale)


def _near_gap(scale: float) -> Column:
    return lambda g: np.exp(-g.linked[2] / scale)


# Shifts and factors bring each feature to a mean near 0 and a spread near 1 on ordinary proteins.
RESIDUE_FEATURES: dict[str, Column] = {
    "sin_phi": lambda g: np.nan_to_num(np.sin(g.phi_psi[0])),
    "cos_phi": lambda g: np.nan_to_num(np.cos(g.phi_psi[0])),
    "sin_psi": lambda g: np.nan_to_num(np.sin(g.phi_psi[1])),
    "cos_psi": lambda g: np.nan_to_num(np.cos(g.phi_psi[1])),
    "neighbours_8A": _neighbours(8.0),
    "neighbours_12A": _neighbours(12.0),
    "neighbours_16A": _neighbours(16.0),
    "neighbours_24A": _neighbours(24.0),
    "half_sphere_exposure": lambda g: np.log1p(g.half_sphere) - 2.0,
    "side_chain_contacts": lambda g: np.log1p(g.total(g.contact)) - 1.5,
    "hydrogen_bonds_given": lambda g: np.minimum(g.hydrogen_bond_sums[0], 4.0) / 2.0,
    "hydrogen_bonds_taken": lambda g: np.minimum(g.hydrogen_bond_sums[1], 4.0) / 2.0,
    "helix": lambda g: g.helix,
    "strand": lambda g: g.strand,
    "near_start_3": _near_end(1, 3.0),
    "near_end_3": _near_end(2, 3.0),
    "near_start_10": _near_end(1, 10.0),
    "near_end_10": _near_end(2, 10.0),
    "no_phi": lambda g: np.isnan(g.phi_psi[0]).astype(float),
    "no_psi": lambda g: np.isnan(g.phi_psi[1]).astype(float),
    "distance_from_centre": lambda g: g.from_centre / g.gyration - 1.0,
    "log_size": lambda g: g.everywhere(np.log(g.size) - 5.0),
    "log_gyration": lambda g: g.everywhere(np.log(g.gyration / (2.2 * g.size**0.38))),
    "short_stretch": lambda g: np.exp(-np.minimum(g.places[1] + g.places[2], 200) / 20.0),
    "mobility_r6_relative": lambda g: g.mobility_r6 - g.mobility_r6.mean(),
    "mobility_r3_relative": lambda g: g.mobility_r3 - g.mobility_r3.mean(),
    "mobility_r6": lambda g: g.mobility_r6 + 0.8,
    "mobility_r3": lambda g: g.mobility_r3 + 2.0,
    "mobility_r6_nearby": lambda g: g.smooth(g.mobility_r6, 3) - g.mobility_r6.mean(),
    "helix_within_3": lambda g: g.smooth(g.helix, 3),
    "strand_within_3": lambda g: g.smooth(g.strand, 3),
    "helix_within_8": lambda g: g.smooth(g.helix, 8),
    "strand_within_8": lambda g: g.smooth(g.strand, 8),
    "helix_or_strand_within_1": lambda g: g.smooth(g.helix + g.strand, 1),
    "packing": lambda g: g.packing / 30.0 - 1.5,
    "hydropathy_in_contact": lambda g: (
        g.total(g.tertiary * g.chemistry[0][g.j], g.tertiary * g.chemistry[0][g.i]) / 2.2
    ),
    "charge_in_contact": lambda g: g.total(g.contact * g.chemistry[1][g.j], g.contact * g.chemistry[1][g.i]),
    "contact_order": lambda g: g.contact_order / 3.0,
    "tertiary_contacts": lambda g: np.log1p(g.total(g.tertiary)) - 1.0,
    "packing_within_2": lambda g: g.smooth(g.packing / 30.0 - 1.5, 2),
    "hydropathy_within_3": lambda g: g.smooth(g.chemistry[0], 3),
    "helix_over_strand": lambda g: g.everywhere(g.helix.mean() - g.strand.mean()),
    "neighbours_smooth_8A": _neighbours_smooth(8.0),
    "neighbours_smooth_12A": _neighbours_smooth(12.0),
    "neighbours_smooth_16A": _neighbours_smooth(16.0),
    "half_sphere_smooth": lambda g: np.log1p(g.half_sphere_smooth) - 2.0,
    "density_r2": lambda g: np.log1p(g.density(2)) - 2.3,
    "density_r6": lambda g: np.log1p(g.density(6)) - 1.2,
    "density_r2_relative": lambda g: np.log1p(g.density(2)) - np.log1p(g.density(2).mean()),
    "mobility_steps": lambda g: g.mobility_steps + 0.8,
    "mobility_steps_relative": lambda g: g.mobility_steps - g.mobility_steps.mean(),
    "mobility_steps_nearby": lambda g: g.smooth(g.mobility_steps, 3) - g.mobility_steps.mean(),
    "network_mobility_r6": lambda g: g.network_mobility_r6 + 0.8,
    "network_mobility_r3": lambda g: g.network_mobility_r3 + 2.0,
    "network_mobility_r6_relative": lambda g: g.network_mobility_r6 - g.network_mobility_r6.mean(),
    "network_mobility_r3_relative": lambda g: g.network_mobility_r3 - g.network_mobility_r3.mean(),
    "network_mobility_r6_nearby": lambda g: g.smooth(g.network_mobility_r6, 3) - g.network_mobility_r6.mean(),
    "hydrogen_bonds_given_smooth": lambda g: (
        np.minimum(np.bincount(g.structure.hydrogen_bonds[1], g.hydrogen_bond_excess, g.size), 4.0) / 2.0
    ),
    "hydrogen_bonds_taken_smooth": lambda g: (
        np.minimum(np.bincount(g.structure.hydrogen_bonds[0], g.hydrogen_bond_excess, g.size), 4.0) / 2.0
    ),
    "near_chain_start_3": _near_chain_end(0, 3.0),
    "near_chain_end_3": _near_chain_end(1, 3.0),
    "near_chain_start_10": _near_chain_end(0, 10.0),
    "near_chain_end_10": _near_chain_end(1, 10.0),
    "near_gap_3": _near_gap(3.0),
    "near_gap_10": _near_gap(10.0),
    "missing_near_gap": lambda g: np.log1p(g.linked[3]) * np.exp(-g.linked[2] / 3.0) / 2.0,
    "short_chain": lambda g: np.exp(-np.minimum(g.linked[0] + g.linked[1], 200) / 20.0),
}
"""Name of a residue's feature -> how it is worked out, shape=(N,). Those that begin with ``network`` or ``mobility_r``
cost N^3."""


def _radial(centre: float) -> Column:
    return lambda g: np.exp(-(((g.distance - centre) / 1.6) ** 2))


def _side_radial(centre: float) -> Column:
    return lambda g: np.exp(-(((g.side_distance - centre) / 1.5) ** 2))


def _separated_by(bonds: int) -> Column:
    return lambda g: (g.separation == bonds).astype(float)


def _component(vectors: Callable[[_Geometry], Array], axis: int) -> Column:
    return lambda g: vectors(g)[:, axis]


def _correlation(response: Callable[[_Geometry], Array]) -> Column:
    """How much two residues move together in a Gaussian network."""

    def column(g: _Geometry) -> Array:
        covariance = response(g)
        variance = np.diagonal(covariance)
        return covariance[g.i, g.j] / np.sqrt(variance[g.i] * variance[g.j])

    return column


def _relative_motion(response: Callable[[_Geometry], Array]) -> Column:
    """Log of how much two residues move against each other in a Gaussian network, over how much they move."""

    def column(g: _Geometry) -> Array:
        covariance = response(g)
        variance = np.diagonal(covariance)
        against = np.maximum(variance[g.i] + variance[g.j] - 2.0 * covariance[g.i, g.j], 1e-12)
        return 0.5 * np.log(against / np.sqrt(variance[g.i] * variance[g.j]))

    return column


PAIR_FEATURES: dict[str, Column] = {
    **{f"distance_near_{centre:.1f}A": _radial(centre) for centre in np.linspace(3.5, 24.0, 16)},
    **{f"side_distance_near_{centre:.1f}A": _side_radial(centre) for centre in (3.5, 5.0, 6.5, 8.0, 10.0, 13.0)},
    **{f"separation_{bonds}": _separated_by(bonds) for bonds in range(1, 9)},
    "hydrogen_bond": lambda g: np.minimum(g.bond_energy, 4.0) / 2.0,
    **{f"toward_{name}": _component(lambda g: g.toward, axis) for axis, name in enumerate("xyz")},
    **{f"axes_{name}": _component(lambda g: g.axes, axis) for axis, name in enumerate("xyz")},
    "side_beyond_backbone": lambda g: (g.side_distance - g.distance) / 3.0,
    "correlation_r6": _correlation(lambda g: g.response_r6),
    "relative_motion_r6": _relative_motion(lambda g: g.response_r6),
    "correlation_r3": _correlation(lambda g: g.response_r3),
    "relative_motion_r3": _relative_motion(lambda g: g.response_r3),
    "hydropathy_of_contact": lambda g: g.pair_contact * g.chemistry[0][g.i] * g.chemistry[0][g.j],
    "charge_of_contact": lambda g: g.pair_contact * g.chemistry[1][g.i] * g.chemistry[1][g.j],
    "disulfide": lambda g: g.disulfide.astype(float),
    "atoms_of_contact": lambda g: g.pair_contact * (g.chemistry[2][g.i] + g.chemistry[2][g.j]) / 8.0,
    "network_correlation_r6": _correlation(lambda g: g.network_r6),
    "network_relative_motion_r6": _relative_motion(lambda g: g.network_r6),
    "network_correlation_r3": _correlation(lambda g: g.network_r3),
    "network_relative_motion_r3": _relative_motion(lambda g: g.network_r3),
    "hydrogen_bond_smooth": lambda g: np.minimum(g.of_bonded_pairs(g.hydrogen_bond_excess), 4.0) / 2.0,
    "disulfide_smooth": lambda g: g.both_cysteine * ramp(g.side_distance, 4.0, 5.5),
    "mean_density": lambda g: 0.5 * (np.log1p(g.density(2))[g.i] + np.log1p(g.density(2))[g.j]) - 2.3,
}
"""Name of a pair's feature -> how it is worked out, shape=(P,), the same for i and j exchanged."""

_ABRUPT = {
    "neighbours_8A", "neighbours_12A", "neighbours_16A", "neighbours_24A", "half_sphere_exposure", "near_start_3",
    "near_end_3", "near_start_10", "near_end_10", "no_phi", "no_psi", "short_stretch", "mobility_r6_relative",
    "mobility_r3_relative", "mobility_r6", "mobility_r3", "mobility_r6_nearby",
    "hydrogen_bonds_given", "hydrogen_bonds_taken", "hydrogen_bond",
    "correlation_r6", "relative_motion_r6", "correlation_r3", "relative_motion_r3", "disulfide",
    "distance_near_18.5A", "distance_near_19.9A", "distance_near_21.3A", "distance_near_22.6A", "distance_near_24.0A",
}  # fmt: skip
"""Features that jump where a structure is moved a little, or take a gap for the end of a chain."""
FEATURE_SETS = {
    "smooth": {
        "residue_features": tuple(name for name in RESIDUE_FEATURES if name not in _ABRUPT),
        "pair_features": tuple(name for name in PAIR_FEATURES if name not in _ABRUPT),
    },
    "local": {
        "residue_features": tuple(
            name for name in RESIDUE_FEATURES if name not in _ABRUPT and not name.startswith("network_")
        ),
        "pair_features": tuple(
            name for name in PAIR_FEATURES if name not in _ABRUPT and not name.startswith("network_")
        ),
    },
    "all": {"residue_features": tuple(RESIDUE_FEATURES), "pair_features": tuple(PAIR_FEATURES)},
}
"""Names that a configuration may give in place of a list: all that are smooth, those of them that cost no more than
N times the number of neighbours, and all there are."""


def _stack(columns: dict[str, Column], names: Sequence[str], geometry: _Geometry, rows: int) -> NDArray[np.float32]:
    """Columns by name side by side, shape=(rows, len(names))."""
    stacked = np.empty((rows, len(names)), dtype=np.float32)
    for k, name in enumerate(names):
        stacked[:, k] = columns[name](geometry)
    return stacked


def _soft_contact(distance: Array, at: float) -> Array:
    """1 well below a distance in Å, 0 well above it."""
    return 1.0 / (1.0 + np.exp((distance - at) / 0.8))

"""The elastic network that learned force constants correct: pairs of residues, angles and torsions, side chains.

Springs between C-alphas alone leave a chain free to twist: near a straight strand, no distance resists a torsion. So
bond angles and torsions of the C-alpha chain have springs of their own (Lin & Song 2010), and so have the distances
between side chains that touch. A side chain has a fixed place in the axes that its residue makes with the two beside
it, so that its springs are springs between C-alphas, and rigid motions stretch none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..joint import ElasticJoint, InternalSprings, Springs
from ..structure.backbone import chain_positions, previous_residues
from ..structure.geometry import connected_parts, neighbour_pairs
from ..structure.protein import Structure
from ..structure.side_chains import side_chain_centres
from .elastic_networks import CLOSEST, ISOTROPIC, STIFFNESS, parameter_free_springs, parameter_free_stiffness

__all__ = ["PRIOR", "PRIORS", "PriorConstants", "SpringPrior", "log_stiffness", "prior_constants"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class PriorConstants:
    """Force constants (stiffness) before any learning, and what they depend on.

    Attributes
    ----------
    cutoff : float
        Å; pairs of C-alphas nearer than this have a spring whose force constant is learned.
    angle, torsion : float
        kT/rad^2.
    contact : float
        Force constant of side chains in contact, as a share of that of C-alphas as far apart.
    touching : float
        Å between the centres of side chains in contact.
    chained : int
        Bonds along the chain up to which side chains have no contact of their own.
    nearest : float
        Å; side chains nearer than this do not stiffen their spring further.
    straight : float
        Square of the sine below which a gradient fades: three residues in line have neither angle nor torsion.
    """

    cutoff: float = 18.0
    angle: float = 30.0
    torsion: float = 2.0
    contact: float = 0.1
    touching: float = 10.0
    chained: int = 2
    nearest: float = 3.5
    straight: float = 0.01


PRIORS = {"1": PriorConstants()}
"""Every prior that released weights correct, by the name that `Architecture.prior` gives. None is ever changed."""
PRIOR = "1"
"""The one that new weights correct."""


def prior_constants(name: str) -> dict[str, float]:
    """Every constant that a prior is made with, by name: what weights that correct it depend on."""
    return {**vars(PRIORS[name]), "stiffness": STIFFNESS, "isotropic": ISOTROPIC, "closest": CLOSEST}


@dataclass(frozen=True)
class SpringPrior:
    """The elastic network before any learning; force constants in kT over the square of each coordinate's unit.

    Attributes
    ----------
    structure : Structure
        N residues.
    springs : Springs
        Between pairs of C-alphas, shape=(P,).
    internal : dict of str to InternalSprings
        ``angles``, of three residues in a row, rad; the second has the angle. ``torsions``, of four, rad; the second
        and third have the bond that is twisted. ``contacts``: distances between side chains, Å.
    touching : ndarray, shape=(S,), dtype=int
        Which of the pairs these contacts belong to.
    """

    structure: Structure
    springs: Springs
    internal: dict[str, InternalSprings]
    touching: Indices

    @classmethod
    def of(cls, structure: Structure, pairs: Indices | None = None, prior: str = PRIOR) -> SpringPrior:
        """Build the network of a structure.

        Parameters
        ----------
        structure : Structure
        pairs : ndarray, shape=(2, P), dtype=int, optional
            Residues joined by springs, i < j; by default those nearer than the prior's cutoff.
        prior : str
            One of `PRIORS`.
        """
        constants = PRIORS[prior]
        i, j = neighbour_pairs(structure.ca, constants.cutoff) if pairs is None else pairs
        touching, contacts = _contacts(structure, i, j, constants)
        internal = {
            "angles": _angles(structure, constants),
            "torsions": _torsions(structure, constants),
            "contacts": contacts,
        }
        return cls(structure, parameter_free_springs(structure.ca, i, j), internal, touching)

    def corrected(self, springs: Array, chain: Array) -> SpringPrior:
        """The network with learned force constants.

        Parameters
        ----------
        springs : ndarray, shape=(P, 3)
            Logarithm of the force constants of pairs over those before learning: central, isotropic, contact.
        chain : ndarray, shape=(N, 2)
            The same of the angle at each residue, and of torsions; of the two residues of a bond, added up.
        """
        central, isotropic = np.exp(springs[:, :2]).T
        learned = log_stiffness(springs, chain, self.internal, self.touching)
        network = replace(
            self.springs, central=central * self.springs.central, isotropic=isotropic * self.springs.isotropic
        )
        internal = {
            kind: replace(before, stiffness=np.exp(learned[kind]) * before.stiffness)
            for kind, before in self.internal.items()
        }
        return replace(self, springs=network, internal=internal)

    def to_joint(self, congruence: Array | None = None) -> tuple[ElasticJoint, tuple[str, ...]]:
        """The joint Gaussian of the network, and what the user should know of it.

        Parameters
        ----------
        congruence : ndarray, shape=(N, 3, 3), optional
            Correction of each residue in its own backbone frame; see `ElasticJoint`.
        """
        structure, springs = self.structure, self.springs
        part = connected_parts(len(structure), springs.i, springs.j)
        notices: tuple[str, ...] = ()
        if part.any():  # all in part 0 otherwise
            far = parameter_free_springs(structure.ca, *np.nonzero(np.triu(part[:, None] != part[None, :])))
            springs = Springs(*map(np.concatenate, zip(vars(springs).values(), vars(far).values(), strict=True)))
            notices = (
                f"{len(np.unique(part))} parts of the structure lie more than {PRIORS[PRIOR].cutoff:.0f} Å apart: how "
                "they move against each other is the elastic network's guess.",
            )
        if congruence is not None:
            rotations = structure.rotations
            congruence = rotations @ congruence @ np.swapaxes(rotations, 1, 2)
        return ElasticJoint(structure.ca, springs, congruence, self.internal), notices


def log_stiffness(springs: Any, chain: Any, internal: Mapping[str, Any], touching: Any) -> dict[str, Any]:
    """What a network says of each kind of coordinate: the logarithm of its stiffness over that before learning.

    Arguments as those of `SpringPrior.corrected` and attributes of `SpringPrior`, all in arrays or all in tensors, so
    that prediction and training read a network alike.
    """
    return {
        "angles": chain[internal["angles"].residues[:, 1], 0],
        "torsions": chain[internal["torsions"].residues[:, 1:3], 1].sum(1),
        "contacts": springs[touching, 2],
    }


def _angles(structure: Structure, constants: PriorConstants) -> InternalSprings:
    """Angles between virtual bonds."""
    first, middle, last = _stretches(structure, 3).T
    ca = structure.ca
    to_first, to_last = ca[first] - ca[middle], ca[last] - ca[middle]
    normal = np.cross(to_first, to_last)
    scale = _fade(to_first, to_last, constants.straight) / np.sqrt(_squared(normal))
    # The angle opens fastest across each arm, in the plane of both.
    of_first = scale * np.cross(to_first, normal) / _squared(to_first)
    of_last = scale * np.cross(normal, to_last) / _squared(to_last)
    gradients = np.stack([of_first, -of_first - of_last, of_last], axis=1)
    return InternalSprings(np.stack([first, middle, last], axis=1), gradients, np.full(len(first), constants.angle))


def _torsions(structure: Structure, constants: PriorConstants) -> InternalSprings:
    """Torsions about virtual bonds; gradients after Blondel & Karplus (1996)."""
    residues = _stretches(structure, 4)
    a, b, c, d = (structure.ca[column] for column in residues.T)
    before, bond, after = a - b, b - c, d - c
    left, right = np.cross(before, bond), np.cross(after, bond)
    length = np.sqrt(_squared(bond))
    fade = _fade(before, bond, constants.straight) * _fade(after, bond, constants.straight)
    left *= fade / _squared(left)
    right *= fade / _squared(right)
    along_before, along_after = ((vector * bond).sum(1, keepdims=True) / length for vector in (before, after))
    lever = along_before * left - along_after * right
    gradients = np.stack([-length * left, length * left + lever, -lever - length * right, length * right], axis=1)
    return InternalSprings(residues, gradients, np.full(len(residues), constants.torsion))


def _stretches(structure: Structure, length: int) -> Indices:
    """All residues that stand in a row of so many bonded ones, shape=(K, length)."""
    rows = np.arange(len(structure))[:, None]
    for _ in range(length - 1):
        following = structure.next_residue[rows[:, -1]]
        rows = np.column_stack([rows, following])[following >= 0]
    return rows


def _contacts(
    structure: Structure, i: Indices, j: Indices, constants: PriorConstants
) -> tuple[Indices, InternalSprings]:
    """Which pairs have side chains in contact, and the distances between these."""
    segment, place, _ = chain_positions(structure.next_residue)
    apart = (segment[i] != segment[j]) | (np.abs(place[i] - place[j]) > constants.chained)
    side_chains = _side_chains(structure, constants.straight)
    near = np.linalg.norm(side_chains.positions[i] - side_chains.positions[j], axis=1) < constants.touching
    touching = np.flatnonzero(apart & near)
    i, j = i[touching], j[touching]
    between = side_chains.positions[i] - side_chains.positions[j]
    distance = np.linalg.norm(between, axis=1)
    unit = between / np.maximum(distance, 1e-6)[:, None]
    by_i, by_j = (np.einsum("ka,knab->knb", unit, side_chains.gradients[residues]) for residues in (i, j))
    return touching, InternalSprings(
        np.concatenate([side_chains.residues[i], side_chains.residues[j]], axis=1),
        np.concatenate([by_i, -by_j], axis=1),
        constants.contact * parameter_free_stiffness(np.maximum(distance, constants.nearest)),
    )


class _SideChains(NamedTuple):
    """Centres of side chains, and how they follow the C-alphas.

    Attributes
    ----------
    positions : ndarray, shape=(N, 3)
        Å.
    residues : ndarray, shape=(N, 3)
        What each depends on: its residue, the one before and the one after; its own again for one that is missing.
    gradients : ndarray, shape=(N, 3, 3, 3)
        Of its position by theirs; rows by columns.
    """

    positions: Array
    residues: Indices
    gradients: Array


def _side_chains(structure: Structure, straight: float) -> _SideChains:
    """Side chains of fixed places in the axes u - v, u x v and u + v, u and v the bonds to a residue and from it.

    Where a bond is missing, or both are in line, C-alpha stands in.
    """
    ca, own = structure.ca, np.arange(len(structure))
    before, after = previous_residues(structure.next_residue), structure.next_residue
    ends = (before < 0) | (after < 0)
    before, after = np.where(ends, own, before), np.where(ends, own, after)
    u, v = ca - ca[before], ca[after] - ca
    axes = np.stack([u - v, np.cross(u, v), u + v], axis=2)
    bare = _squared_sine(u, v)[:, 0] <= straight
    axes[bare] = np.eye(3)
    offset = np.where(bare[:, None], 0.0, side_chain_centres(structure) - ca)
    along, across, beyond = np.linalg.solve(axes, offset[:, :, None])[:, :, 0].T[:, :, None, None]
    by_u = (along + beyond) * np.eye(3) - across * _cross_matrix(v)
    by_v = (beyond - along) * np.eye(3) + across * _cross_matrix(u)
    gradients = np.stack([np.eye(3) + by_u - by_v, -by_u, by_v], axis=1)
    return _SideChains(ca + offset, np.stack([own, before, after], axis=1), gradients)


def _cross_matrix(vectors: Array) -> Array:
    """The matrix of w x: (K, 3) -> (K, 3, 3)."""
    return np.cross(vectors[:, None, :], np.eye(3)).transpose(0, 2, 1)


def _fade(one: Array, other: Array, straight: float) -> Array:
    """1 where two vectors make an angle, falling to 0 as they come into line, shape=(K, 1)."""
    squared_sine = _squared_sine(one, other)
    return squared_sine / (squared_sine + straight)


def _squared_sine(one: Array, other: Array) -> Array:
    return np.asarray((np.cross(one, other) ** 2).sum(1, keepdims=True) / (_squared(one) * _squared(other)))


def _squared(vectors: Array) -> Array:
    return np.maximum((vectors**2).sum(1, keepdims=True), 1e-9)  # residues on one spot divide by this

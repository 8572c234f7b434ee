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

from ..cached import cached_property
from ..joint import Background, ElasticJoint, InternalSprings, Springs
from ..joint.elastic import rigid_motions
from ..notices import Notice
from ..structure.backbone import chain_positions, previous_residues
from ..structure.geometry import connected_parts, neighbour_pairs, ramp, unit_vectors
from ..structure.protein import BOND, Structure
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
    scale : float
        Factor on all force constants but those of floor and tethers, which brings sizes to those of simulations.
    everywhere : bool
        Whether pairs beyond the cutoff keep the springs of the elastic network; if not, they have them only where
        nothing else joins two parts of the structure.
    fade, loosening : float
        Å; from the first distance of C-alphas to the cutoff, what was learned of a pair fades to nothing; so does a
        contact from the second distance of side chains to `touching`. Nothing jumps where a structure moves a little.
    between : float
        Factor on all springs between molecules.
    floor : float
        kT/Å^2; see `Background`.
    tether : float
        Force constant, kT/Å^2, that holds a residue one bond away from the nearest residue of a fold; k bonds away, or
        across a gap of k bonds, it is this over k: the entropic spring of a Gaussian chain.
    """

    cutoff: float = 18.0
    angle: float = 30.0
    torsion: float = 2.0
    contact: float = 0.1
    touching: float = 10.0
    chained: int = 2
    nearest: float = 3.5
    straight: float = 0.01
    scale: float = 1.0
    everywhere: bool = False
    fade: float = 18.0
    loosening: float = 10.0
    between: float = 1.0
    floor: float = 0.0
    tether: float = 0.0


PRIORS = {
    "1": PriorConstants(),
    "2": PriorConstants(
        scale=0.7, everywhere=True, fade=15.0, loosening=8.0, between=2.0, floor=0.25, tether=3.0 / (8.0 * BOND**2)
    ),
}
"""Every prior that released weights correct, by the name that `Architecture.prior` gives. None is ever changed."""
PRIOR = "2"
"""The one that new weights correct."""
ANCHORED = 4
"""C-alphas of its own segment within 10 Å, beyond the third along the chain, that make a residue part of a fold."""
LONG_TAIL = 10
"""Residues of a tail from which on a notice names it."""


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
    constants : PriorConstants
        Constants of the prior.
    """

    structure: Structure
    springs: Springs
    internal: dict[str, InternalSprings]
    touching: Indices
    constants: PriorConstants

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
        if constants.tether:
            internal["tethers"] = _tethers(structure, constants.tether)
        springs = parameter_free_springs(structure.ca, i, j)
        factor = constants.scale * _between(structure, i, j, constants.between)
        springs = replace(springs, central=factor * springs.central, isotropic=factor * springs.isotropic)
        return cls(structure, springs, internal, touching, constants)

    @property
    def learned_share(self) -> Array:
        """How much of what is learned of each pair counts, shape=(P,): 1 for near pairs, falling to 0 at the cutoff."""
        ca, springs, constants = self.structure.ca, self.springs, self.constants
        distance = np.linalg.norm(ca[springs.i] - ca[springs.j], axis=1)
        return ramp(distance, constants.fade, constants.cutoff)

    @cached_property
    def background(self) -> Background | None:
        """The springs between residues that are far apart; None for a prior without them."""
        if not self.constants.everywhere:
            return None
        return Background(
            self.constants.cutoff,
            self.constants.scale * STIFFNESS,
            ISOTROPIC,
            self.structure.molecules,
            self.constants.between,
            self.structure.segments,
            self.constants.floor,
        )

    def corrected(self, springs: Array, chain: Array) -> SpringPrior:
        """The network with learned force constants.

        Parameters
        ----------
        springs : ndarray, shape=(P, 3)
            Logarithm of the force constants of pairs over those before learning: central, isotropic, contact.
        chain : ndarray, shape=(N, 2)
            The same of the angle at each residue, and of torsions; of the two residues of a bond, added up.
        """
        springs = self.learned_share[:, None] * springs
        central, isotropic = np.exp(springs[:, :2]).T
        learned = log_stiffness(springs, chain, self.internal, self.touching)
        network = replace(
            self.springs, central=central * self.springs.central, isotropic=isotropic * self.springs.isotropic
        )
        internal = {
            kind: replace(before, stiffness=np.exp(learned[kind]) * before.stiffness) if kind in learned else before
            for kind, before in self.internal.items()
        }
        return replace(self, springs=network, internal=internal)

    def to_joint(self, congruence: Array | None = None) -> tuple[ElasticJoint, tuple[Notice, ...]]:
        """The joint Gaussian of the network, and what the user should know of it.

        Parameters
        ----------
        congruence : ndarray, shape=(N, 3, 3), optional
            Correction of each residue in its own backbone frame; see `ElasticJoint`.
        """
        structure, springs = self.structure, self.springs
        notices: tuple[Notice, ...] = ()
        if self.background is not None:
            notices = self._loose()
        elif (part := connected_parts(len(structure), springs.i, springs.j)).any():  # all in part 0 otherwise
            far = parameter_free_springs(structure.ca, *np.nonzero(np.triu(part[:, None] != part[None, :])))
            springs = Springs(*map(np.concatenate, zip(vars(springs).values(), vars(far).values(), strict=True)))
            main = np.bincount(part).argmax()
            notices = (
                Notice(
                    f"{len(np.unique(part))} parts of the structure lie more than {self.constants.cutoff:.0f} Å apart: "
                    "how they move against each other is the elastic network's guess.",
                    "loose",
                    np.flatnonzero(part != main),
                ),
            )
        if congruence is not None:
            rotations = structure.rotations
            congruence = rotations @ congruence @ np.swapaxes(rotations, 1, 2)
        return ElasticJoint(structure.ca, springs, congruence, self.internal, self.background), notices

    def _loose(self) -> tuple[Notice, ...]:
        """Segments, but for the largest, whose softest rigid motion the floor holds more than contacts do."""
        assert self.background is not None
        structure, springs = self.structure, self.springs
        _, segment = np.unique(structure.segments, return_inverse=True)
        tails = _tails(structure)
        if segment.max() == 0:
            return _notice_of_loose(structure, [], tails)
        held = np.zeros((len(structure), 3, 3))
        between = segment[springs.i] != segment[springs.j]
        floor = np.zeros(len(structure))
        for rows, unit, central, isotropic in self.background.rows(structure.ca):
            of_others = np.where(segment[rows, None] == segment, 0.0, central)
            held[rows] += np.einsum("ij,ija,ijb->iab", of_others, unit, unit)
            held[rows] += (ISOTROPIC * of_others).sum(1)[:, None, None] * np.eye(3)
            floor[rows] = (isotropic - ISOTROPIC * central).sum(1)
        unit = unit_vectors(structure.ca[springs.i] - structure.ca[springs.j])
        pairs = springs.central[:, None, None] * unit[:, :, None] * unit[:, None, :]
        pairs += springs.isotropic[:, None, None] * np.eye(3)
        for residue in (springs.i, springs.j):
            np.add.at(held, residue[between], pairs[between])
        loose = [
            members
            for members in (np.flatnonzero(segment == k) for k in np.argsort(-np.bincount(segment), kind="stable")[1:])
            if _rests_on(structure.ca[members], held[members], floor[members])
        ]
        named = set(np.concatenate([[], *loose]).tolist())
        return _notice_of_loose(structure, loose, [tail for tail in tails if not named & set(tail.tolist())])


def _notice_of_loose(structure: Structure, pieces: list[Indices], tails: list[Indices]) -> tuple[Notice, ...]:
    """One notice that names the pieces and the tails that hardly anything holds; none where there is neither."""
    if not pieces and not tails:
        return ()
    names = [f"{structure.residue_label(m[0])} to {structure.residue_label(m[-1])}" for m in pieces]
    names += [f"the tail {structure.residue_label(m[0])} to {structure.residue_label(m[-1])}" for m in tails]
    text = f"Hardly anything holds {', '.join(names)}: how far these residues move is a guess."
    return (Notice(text, "loose", np.concatenate([*pieces, *tails])),)


def _rests_on(positions: Array, held: Array, floor: Array) -> bool:
    """Whether the softest rigid motion of some residues rests more on the floor than on what else holds them.

    Parameters
    ----------
    positions : ndarray, shape=(M, 3)
        Å.
    held : ndarray, shape=(M, 3, 3)
        Stiffness of each residue's springs to other segments, kT/Å^2.
    floor : ndarray, shape=(M,)
        Stiffness of the floor on each residue, kT/Å^2.
    """
    motions = rigid_motions(positions).reshape(len(positions), 3, -1)
    if len(positions) < 3:
        motions = motions[:, :, :3]  # rotations of so few are none, or translations
    of_springs = np.einsum("iax,iab,iby->xy", motions, held, motions)
    of_floor = np.einsum("iax,i,iay->xy", motions, floor, motions)
    softest = np.linalg.eigh(of_springs + of_floor)[1][:, 0]
    return bool(softest @ of_floor @ softest > softest @ of_springs @ softest)


def log_stiffness(springs: Any, chain: Any, internal: Mapping[str, Any], touching: Any) -> dict[str, Any]:
    """What a network says of each kind of coordinate: the logarithm of its stiffness over that before learning.

    Tethers are not learned.

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
    return InternalSprings(
        np.stack([first, middle, last], axis=1), gradients, np.full(len(first), constants.scale * constants.angle)
    )


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
    return InternalSprings(residues, gradients, np.full(len(residues), constants.scale * constants.torsion))


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
    share = constants.scale * constants.contact * ramp(distance, constants.loosening, constants.touching)
    share = share * _between(structure, i, j, constants.between)
    by_i, by_j = (np.einsum("ka,knab->knb", unit, side_chains.gradients[residues]) for residues in (i, j))
    return touching, InternalSprings(
        np.concatenate([side_chains.residues[i], side_chains.residues[j]], axis=1),
        np.concatenate([by_i, -by_j], axis=1),
        share * parameter_free_stiffness(np.maximum(distance, constants.nearest)),
    )


def _between(structure: Structure, i: Indices, j: Indices, factor: float) -> Array:
    """The factor for pairs of different molecules, 1 for others, shape=(P,)."""
    if factor == 1.0:
        return np.ones(len(i))
    return np.where(structure.molecules[i] == structure.molecules[j], 1.0, factor)


def _tethers(structure: Structure, tether: float) -> InternalSprings:
    """What holds tails and the ends of gaps: entropic springs to the nearest residue of the fold along the chain.

    Without them, nothing but torsions says how far the end of a long tail can go. The springs are those of a Gaussian
    chain whose mean square length is 8 times that of a freely jointed one, as proteins have it (Flory 1969): by its
    tether alone, a residue k bonds from the fold is held to 3.8 sqrt(8k) Å.
    """
    anchor, bonds = _anchors(structure)
    before, after, missing = structure.links
    loose = np.flatnonzero((bonds > 0) & (anchor >= 0))
    one = np.concatenate([loose, before])
    other = np.concatenate([anchor[loose], after])
    stiffness = tether / np.concatenate([bonds[loose], missing + 1])
    gradients = np.stack([np.eye(3), -np.eye(3)], axis=1)  # of each coordinate of one less that of the other
    return InternalSprings(
        np.repeat(np.stack([one, other], axis=1), 3, axis=0),
        np.tile(gradients, (len(one), 1, 1)),
        np.repeat(stiffness, 3),
    )


def _anchors(structure: Structure) -> tuple[Indices, Indices]:
    """The nearest residue of a fold along the chain, and how many bonds away, shape=(N,) each; -1 and 0 without one."""
    size, segments = len(structure), structure.segments
    _, place, _ = chain_positions(structure.next_residue)
    i, j = neighbour_pairs(structure.ca, 10.0)
    inner = (segments[i] == segments[j]) & (np.abs(place[i] - place[j]) > 3)
    contacts = np.bincount(i[inner], minlength=size) + np.bincount(j[inner], minlength=size)
    bonded = np.flatnonzero(structure.next_residue >= 0)
    before, after, missing = structure.links
    ends = np.concatenate([bonded, before]), np.concatenate([structure.next_residue[bonded], after])
    length = np.concatenate([np.ones(len(bonded), dtype=np.int64), missing + 1])
    return _nearest_anchor(contacts >= ANCHORED, *ends, length)


def _tails(structure: Structure) -> list[Indices]:
    """Stretches from a fold to an end of its chain that are too long to be held by it, residues in order."""
    anchor, bonds = _anchors(structure)
    following, preceding = structure.next_residue, previous_residues(structure.next_residue)
    tails: dict[int, Indices] = {}  # by their first residue: a chain that is nothing else is met from both ends
    for step, ends in ((preceding, np.flatnonzero(following < 0)), (following, np.flatnonzero(preceding < 0))):
        for end in ends:
            tail = []
            residue = end
            while residue >= 0 and bonds[residue] > 0 and anchor[residue] >= 0:
                tail.append(residue)
                residue = step[residue]
            if len(tail) >= LONG_TAIL:
                tails[int(min(tail))] = np.sort(np.array(tail))
    return list(tails.values())


def _nearest_anchor(
    anchored: NDArray[np.bool_], one: Indices, other: Indices, length: Indices
) -> tuple[Indices, Indices]:
    """The nearest anchored residue along the chain and how many bonds away; -1 and 0 where there is none.

    Parameters
    ----------
    anchored : ndarray, shape=(N,), dtype=bool
    one, other, length : ndarray, shape=(B,), dtype=int
        Bonds and links of the chain, and how many bonds each stands for.
    """
    far = np.iinfo(np.int64).max // 2
    bonds = np.where(anchored, 0, far)
    anchor = np.where(anchored, np.arange(len(anchored)), -1)
    one, other, length = np.concatenate([one, other]), np.concatenate([other, one]), np.concatenate([length, length])
    while True:
        reached = bonds[one] + length
        shorter = reached < bonds[other]
        if not shorter.any():
            return anchor, np.where(anchor >= 0, bonds, 0)
        nearest = np.full(len(bonds), far)
        np.minimum.at(nearest, other[shorter], reached[shorter])
        best = shorter & (reached == nearest[other])
        bonds[other[best]], anchor[other[best]] = reached[best], anchor[one[best]]


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

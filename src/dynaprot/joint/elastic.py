"""The elastic joint Gaussian: residues joined by springs, rigid motions projected out.

The Hessian is H = sum over pairs of k_ij u u^T + q_ij I in each pair's block, u the unit vector between the two
C-alphas (Atilgan et al. 2001; the isotropic part as in generalised networks), and B^T K B of springs on other internal
coordinates, B being Wilson's matrix of their gradients. With the six rigid motions Q projected
out, the covariance at temperature 1 (stiffness in kT/Å^2) is the pseudo-inverse (P H P)^+, P = I - Q Q^T. It comes from
the inverted Cholesky factor V of P H P + s Q Q^T, never from eigenvectors: one array of 3N x 3N, made in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..cached import cached_property
from ..errors import PredictionError
from ..storage import Archive
from .linear_algebra import blocks, invert_root, leading_eigenpairs, matrix_power, unit_diagonal

__all__ = ["Background", "ElasticJoint", "InternalSprings", "Springs", "hessian", "rigid_motions"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

PAIRS = 1 << 20
"""Springs that are added to the Hessian at a time."""
ENTRIES = 1 << 21
"""Entries of springs on internal coordinates that are added to it at a time."""
RIGID_VARIANCE = 1e-6
"""Variance of each rigid motion relative to the mean internal one: invisible, but it keeps the joint, and the coupling
with it, strictly positive definite."""


@dataclass(frozen=True)
class Springs:
    """Springs between pairs of residues.

    Attributes
    ----------
    i, j : ndarray, shape=(P,), dtype=int
        Each pair once.
    central : ndarray, shape=(P,)
        Stiffness (force constant) along the line between the two C-alphas, kT/Å^2.
    isotropic : ndarray, shape=(P,)
        Stiffness in every direction, kT/Å^2.
    """

    i: Indices
    j: Indices
    central: Array
    isotropic: Array


@dataclass(frozen=True)
class InternalSprings:
    """Springs on internal coordinates of one kind: bond angles, torsions, distances between side chains.

    Attributes
    ----------
    residues : ndarray, shape=(K, n), dtype=int
        Residues that each coordinate depends on; one may repeat.
    gradients : ndarray, shape=(K, n, 3)
        Derivatives of each coordinate by the positions of these residues, in units of the coordinate per Å and in the
        frame of the positions: the rows of B (Wilson, Decius & Cross 1955).
    stiffness : ndarray, shape=(K,)
        Stiffness (force constant), kT over the square of the coordinate's unit.
    """

    residues: Indices
    gradients: Array
    stiffness: Array


@dataclass(frozen=True)
class Background:
    """Springs between all residues that are far apart: worked out where they are needed, and never stored pair by pair.

    Attributes
    ----------
    beyond : float
        Å; pairs of C-alphas farther apart than this have these springs.
    stiffness : float
        kT Å^4; the central stiffness of a pair is this over r^6.
    isotropic : float
        Isotropic stiffness as a share of the central one.
    molecule : ndarray, shape=(N,), dtype=int
        Label of the molecule that each residue belongs to.
    between : float
        Factor on the springs between different molecules.
    segment : ndarray, shape=(N,), dtype=int
        Label of the unbroken stretch of chain that each residue belongs to.
    floor : float
        kT/Å^2; isotropic springs that fall with r^-2 hold each segment by at least half of this to all others, however
        far they are, so that a loose piece stays where it was seen.
    """

    beyond: float
    stiffness: float
    isotropic: float
    molecule: Indices
    between: float
    segment: Indices
    floor: float

    def rows(self, positions: Array) -> Iterator[tuple[slice, Array, Array, Array]]:
        """Some residues at a time: which, unit vectors to all others, central and isotropic stiffness with them."""
        holding = self._holding(positions)
        for rows, offset, squared in _distances(positions):
            far = squared > self.beyond**2
            central = np.where(far, self.stiffness / np.maximum(squared, 1.0) ** 3, 0.0)
            central = np.where(self.molecule[rows, None] == self.molecule, central, self.between * central)
            isotropic: Array = self.isotropic * central
            if holding is not None:
                isotropic = isotropic + self._floor(rows, squared, holding)
            yield rows, offset / np.sqrt(np.maximum(squared, 1e-6))[:, :, None], central, isotropic

    def _holding(self, positions: Array) -> Array | None:
        """For each residue, one over the sum of r^-2 between its segment and all others; None for one segment."""
        _, segment = np.unique(self.segment, return_inverse=True)
        if not self.floor or segment.max() == 0:
            return None
        total = np.zeros(segment.max() + 1)
        for rows, _, squared in _distances(positions):
            apart = np.where(segment[rows, None] == segment, 0.0, 1.0 / np.maximum(squared, 1.0))
            total += np.bincount(segment[rows], apart.sum(1), len(total))
        return np.asarray(1.0 / total[segment])

    def _floor(self, rows: slice, squared: Array, holding: Array) -> Array:
        apart = np.where(self.segment[rows, None] == self.segment, 0.0, 1.0 / np.maximum(squared, 1.0))
        return np.asarray(0.5 * self.floor * apart * (holding[rows, None] + holding))

    def arrays(self) -> dict[str, NDArray]:
        """What `from_archive` needs to rebuild it."""
        return {name: np.asarray(value) for name, value in vars(self).items()}


def _distances(positions: Array) -> Iterator[tuple[slice, Array, Array]]:
    """Some residues at a time: which, offsets from all others, (R, N, 3), Å, and their squares, (R, N)."""
    for rows in blocks(0, len(positions), max(1, ENTRIES // (8 * len(positions)))):
        offset = positions[rows, None] - positions
        yield rows, offset, np.einsum("ija,ija->ij", offset, offset)


def hessian(
    positions: Array,
    springs: Springs,
    coordinates: Mapping[str, InternalSprings] | None = None,
    background: Background | None = None,
) -> Array:
    """Second derivatives of the springs' energy, shape=(3N, 3N), kT/Å^2.

    Parameters
    ----------
    positions : ndarray, shape=(N, 3)
        C-alpha positions, Å: where every spring is at rest.
    springs : Springs
    coordinates : mapping of str to InternalSprings, optional
    background : Background, optional
    """
    size = len(positions)
    full = np.zeros((size, 3, size, 3))
    own = np.zeros((size, 3, 3))
    for block in blocks(0, len(springs.i), PAIRS):
        i, j, central, isotropic = springs.i[block], springs.j[block], springs.central[block], springs.isotropic[block]
        unit = positions[i] - positions[j]
        unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-6)
        for a in range(3):
            for b in range(a, 3):
                entry = central * unit[:, a] * unit[:, b]
                if a == b:
                    entry += isotropic
                total = np.bincount(i, entry, size) + np.bincount(j, entry, size)
                for row, column in {(a, b), (b, a)}:
                    full[i, row, j, column] = -entry
                    full[j, row, i, column] = -entry
                    own[:, row, column] += total
    if background is not None:
        _add_background(full, own, background, positions)
    full[np.arange(size), :, np.arange(size)] = own
    for kind in (coordinates or {}).values():
        _add(full.reshape(-1), size, kind)
    return full.reshape(3 * size, 3 * size)


def _add_background(full: Array, own: Array, background: Background, positions: Array) -> None:
    """Add the springs between residues that are far apart to a Hessian, (N, 3, N, 3), and its diagonal, (N, 3, 3)."""
    for rows, unit, central, isotropic in background.rows(positions):
        for a in range(3):
            for b in range(a, 3):
                entry = central * unit[:, :, a] * unit[:, :, b]
                if a == b:
                    entry += isotropic
                for row, column in {(a, b), (b, a)}:
                    full[rows, row, :, column] -= entry
                    own[rows, row, column] += entry.sum(1)


def _add(full: Array, size: int, coordinates: InternalSprings) -> None:
    """Add B^T K B to a flat Hessian."""
    width = 3 * coordinates.residues.shape[1]
    places = (3 * coordinates.residues[:, :, None] + np.arange(3)).reshape(-1, width)
    gradients = coordinates.gradients.reshape(-1, width)
    for block in blocks(0, len(places), ENTRIES // width**2):
        row, gradient = places[block], gradients[block]
        values = (coordinates.stiffness[block, None] * gradient)[:, :, None] * gradient[:, None, :]
        np.add.at(full, (3 * size * row[:, :, None] + row[:, None, :]).ravel(), values.ravel())


def rigid_motions(positions: Array) -> Array:
    """Orthonormal basis of translations and infinitesimal rotations, shape=(3N, 6)."""
    centred = positions - positions.mean(0)
    motions = np.zeros((len(positions), 3, 6))
    for axis in range(3):
        motions[:, axis, axis] = 1.0
        motions[:, :, 3 + axis] = np.cross(np.eye(3)[axis], centred)
    return np.linalg.qr(motions.reshape(-1, 6))[0]


@dataclass(frozen=True)
class _Factors:
    """What every property of the joint is computed from: covariance = V^T V - (held - rigid variance) R R^T.

    V comes from a Hessian that holds the rigid motions by springs; their variance is known and taken away again.

    Attributes
    ----------
    root : ndarray, shape=(3N, N, 3)
        V: row k is zero beyond residue k // 3.
    rigid : ndarray, shape=(3N, 6)
        R: the rigid motions, congruence applied.
    response : ndarray, shape=(3N, 6)
        V times the rigid motions, before any congruence.
    held_variance, rigid_variance : float
        Variance of each rigid motion in V^T V, and in the joint, Å^2.
    """

    root: Array
    rigid: Array
    response: Array
    held_variance: float
    rigid_variance: float

    @property
    def flat(self) -> Array:
        """V, shape=(3N, 3N)."""
        return self.root.reshape(len(self.root), -1)

    def corrected(self, congruence: Array) -> _Factors:
        """The factor with B_i, shape=(N, 3, 3), applied to each residue; V is changed in place."""
        for block in blocks(0, len(self.root)):
            rows = self.root[block, : _reach(block)].transpose(1, 0, 2)
            rows[...] = rows @ np.swapaxes(congruence[: len(rows)], 1, 2)
        rigid = (congruence @ self.rigid.reshape(-1, 3, 6)).reshape(-1, 6)
        return replace(self, rigid=rigid)

    @property
    def excess(self) -> float:
        """Variance of each rigid motion that V^T V has too much of, Å^2."""
        return self.held_variance - self.rigid_variance


def _reach(block: slice) -> int:
    """How many residues have entries other than zero in these rows of the root."""
    return (block.stop + 2) // 3


class ElasticJoint:
    """Joint Gaussian of a network of springs.

    Parameters
    ----------
    positions : ndarray, shape=(N, 3)
        C-alpha positions, Å.
    springs : Springs
        Stiffness in kT/Å^2.
    congruence : ndarray, shape=(N, 3, 3), optional
        B_i in Sigma'_ij = B_i Sigma_ij B_j^T: a correction of each residue that keeps the joint SPD.
    coordinates : mapping of str to InternalSprings, optional
        Springs on internal coordinates other than distances of C-alphas, by kind.
    background : Background, optional
        Springs between all residues that are far apart.
    """

    def __init__(
        self,
        positions: Array,
        springs: Springs,
        congruence: Array | None = None,
        coordinates: Mapping[str, InternalSprings] | None = None,
        background: Background | None = None,
    ) -> None:
        self.positions = positions
        self.springs = springs
        self.congruence = congruence
        self.coordinates = dict(coordinates or {})
        self.background = background

    @cached_property
    def _factors(self) -> _Factors:
        positions, size = self.positions, len(self.positions)
        matrix = hessian(positions, self.springs, self.coordinates, self.background)
        rigid = rigid_motions(positions)
        stiffness = np.trace(matrix) / (3 * size)
        held = matrix @ rigid
        inner = rigid.T @ held
        update = rigid @ ((inner + stiffness * np.eye(6)) / 2) - held
        left, right = np.hstack([rigid, update]), np.hstack([update, rigid])
        for block in blocks(0, 3 * size):
            matrix[block] += left[block] @ right.T  # now P H P + s Q Q^T
        try:
            invert_root(matrix)
        except np.linalg.LinAlgError as error:
            raise PredictionError(
                "The elastic network falls apart: some residues are held by too few springs. Choose chains that touch "
                "each other, or a network without a short cutoff (model='anm')."
            ) from error
        root = matrix.reshape(3 * size, size, 3)
        internal = (np.einsum("ij,ij->", matrix, matrix) - 6 / stiffness) / (3 * size)
        response = matrix @ rigid
        factors = _Factors(root, rigid, response, 1 / stiffness, RIGID_VARIANCE * internal)
        return factors if self.congruence is None else factors.corrected(self.congruence)

    def _columns(self) -> Iterator[Array]:
        """The root in blocks of shape (3, rows, residues), without the residues whose entries are all zero."""
        root = self._factors.root
        for block in blocks(0, len(root)):
            yield np.ascontiguousarray(root[block, : _reach(block)].transpose(2, 0, 1))

    @cached_property
    def marginals(self) -> Array:
        """Covariance of each residue, shape=(N, 3, 3), Å^2."""
        rigid = self._factors.rigid.reshape(-1, 3, 6)
        marginals = -self._factors.excess * (rigid @ np.swapaxes(rigid, 1, 2))
        for columns in self._columns():
            reach = columns.shape[2]
            for a in range(3):
                for b in range(a + 1):
                    marginals[:reach, a, b] += np.einsum("ki,ki->i", columns[a], columns[b])
        for a in range(3):
            marginals[:, :a, a] = marginals[:, a, :a]
        return marginals

    @cached_property
    def coupling(self) -> Array:
        """Coupling (normalised dynamic cross-correlation, DCCM), shape=(N, N), SPD."""
        return unit_diagonal(self.traces())

    def traces(self) -> Array:
        """Trace of each pair's 3 x 3 block of the covariance, shape=(N, N), Å^2."""
        rigid = self._factors.rigid.reshape(len(self.positions), -1)
        total = -self._factors.excess * (rigid @ rigid.T)
        for columns in self._columns():
            reach = columns.shape[2]
            columns = columns.reshape(-1, reach)
            total[:reach, :reach] += columns.T @ columns
        return total

    def product(self, vectors: Array) -> Array:
        """The covariance times vectors, shape=(3N, k), without forming it."""
        factors = self._factors
        internal = factors.flat.T @ (factors.flat @ vectors)
        return internal - factors.rigid @ (factors.excess * (factors.rigid.T @ vectors))

    def covariance(self) -> Array:
        """The full covariance, shape=(3N, 3N), Å^2; coordinates run residue by residue, x y z."""
        factors = self._factors
        return factors.flat.T @ factors.flat - factors.excess * (factors.rigid @ factors.rigid.T)

    def modes(self, count: int) -> tuple[Array, Array]:
        """Leading eigenpairs of the covariance, without forming it: (k,) Å^2 and (k, N, 3) unit vectors."""
        values, vectors = leading_eigenpairs(self.product, 3 * len(self.positions), count)
        return values, vectors.T.reshape(count, -1, 3)

    def displacements(self, count: int, generator: np.random.Generator) -> Array:
        """Random displacements of zero mean, shape=(count, N, 3), Å."""
        factors = self._factors
        noise = generator.standard_normal((count, len(factors.flat)))
        damped = (1.0 - np.sqrt(factors.rigid_variance / factors.held_variance)) * (noise @ factors.response)
        drawn = -damped @ factors.rigid.T
        for block in blocks(0, len(factors.flat)):
            columns = 3 * _reach(block)
            drawn[:, :columns] += noise[:, block] @ factors.flat[block, :columns]
        return drawn.reshape(count, -1, 3)

    def recoloured(self, marginals: Array) -> ElasticJoint:
        """This joint, P, with other marginals: A_i P_ij A_j^T with A_i = Sigma_i^(1/2) P_ii^(-1/2).

        Parameters
        ----------
        marginals : ndarray, shape=(N, 3, 3)
            Sigma, Å^2, in the frame of the positions.
        """
        change = matrix_power(marginals, 0.5) @ matrix_power(self.marginals, -0.5)
        congruence = change if self.congruence is None else change @ self.congruence
        joint = ElasticJoint(self.positions, self.springs, congruence, self.coordinates, self.background)
        # The factor, the one large array, passes on to the new joint: this one makes another if it is asked for more.
        joint._factors = self.__dict__.pop("_factors", self._factors).corrected(change)
        return joint

    def arrays(self) -> dict[str, NDArray]:
        """What `from_archive` needs to rebuild the joint."""
        arrays: dict[str, NDArray] = {
            "positions": self.positions,
            "spring_i": self.springs.i,
            "spring_j": self.springs.j,
            "central": self.springs.central,
            "isotropic": self.springs.isotropic,
        }
        if self.congruence is not None:
            arrays["congruence"] = self.congruence
        for kind, coordinates in self.coordinates.items():
            arrays |= {f"{kind}_{name}": array for name, array in vars(coordinates).items()}
        if self.background is not None:
            arrays |= {f"background_{name}": array for name, array in self.background.arrays().items()}
        return arrays

    @classmethod
    def from_archive(cls, archive: Archive) -> ElasticJoint:
        """Rebuild a joint of N residues from `arrays`."""
        positions = archive.numbers("positions", "N", 3)
        springs = Springs(
            archive.indices("spring_i", "springs", below="N"),
            archive.indices("spring_j", "springs", below="N"),
            archive.numbers("central", "springs"),
            archive.numbers("isotropic", "springs"),
        )
        if (springs.central < 0.0).any() or (springs.isotropic < 0.0).any():
            archive.refuse("springs have a negative stiffness")
        congruence = archive.numbers("congruence", "N", 3, 3) if "congruence" in archive else None
        kinds = [name.removesuffix("_gradients") for name in archive if name.endswith("_gradients")]
        coordinates = {
            kind: InternalSprings(
                archive.indices(f"{kind}_residues", kind, f"residues of {kind}", below="N"),
                archive.numbers(f"{kind}_gradients", kind, f"residues of {kind}", 3),
                archive.numbers(f"{kind}_stiffness", kind),
            )
            for kind in kinds
        }
        background = None
        if "background_beyond" in archive:
            constants = ("beyond", "stiffness", "isotropic", "between", "floor")
            background = Background(
                **{name: float(archive.numbers(f"background_{name}")) for name in constants},
                molecule=archive.indices("background_molecule", "N", below="N"),
                segment=archive.indices("background_segment", "N", below="N"),
            )
        return cls(positions, springs, congruence, coordinates, background)

"""The elastic joint Gaussian: residues joined by springs, rigid motions projected out.

The Hessian is H = sum over pairs of k_ij u u^T + q_ij I in each pair's block, u the unit vector between the two
C-alphas (Atilgan et al. 2001; the isotropic part as in generalised networks). With the six rigid motions Q projected
out, the covariance at temperature 1 (stiffness in kT/Å^2) is the pseudo-inverse (P H P)^+, P = I - Q Q^T. It comes from
one Cholesky factor of P H P + s Q Q^T, never from eigenvectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import PredictionError
from .spd import inverse_lower, leading_eigenpairs, unit_diagonal

__all__ = ["ElasticJoint", "Springs", "hessian", "rigid_motions"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

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
        Stiffness along the line between the two C-alphas, kT/Å^2.
    isotropic : ndarray, shape=(P,)
        Stiffness in every direction, kT/Å^2.
    """

    i: Indices
    j: Indices
    central: Array
    isotropic: Array


def hessian(positions: Array, springs: Springs) -> Array:
    """Second derivatives of the springs' energy, shape=(3N, 3N), kT/Å^2.

    Parameters
    ----------
    positions : ndarray, shape=(N, 3)
        C-alpha positions, Å: where every spring is at rest.
    springs : Springs
    """
    size = len(positions)
    i, j = springs.i, springs.j
    unit = positions[i] - positions[j]
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-6)
    full = np.zeros((size, 3, size, 3))
    residues = np.arange(size)
    for a in range(3):
        for b in range(a, 3):
            block = springs.central * unit[:, a] * unit[:, b]
            if a == b:
                block = block + springs.isotropic
            own = np.bincount(i, block, size) + np.bincount(j, block, size)
            for row, column in {(a, b), (b, a)}:
                full[i, row, j, column] = -block
                full[j, row, i, column] = -block
                full[residues, row, residues, column] = own
    return full.reshape(3 * size, 3 * size)


def rigid_motions(positions: Array) -> Array:
    """Orthonormal basis of translations and infinitesimal rotations, shape=(3N, 6)."""
    centred = positions - positions.mean(0)
    motions = np.zeros((len(positions), 3, 6))
    for axis in range(3):
        motions[:, axis, axis] = 1.0
        motions[:, :, 3 + axis] = np.cross(np.eye(3)[axis], centred)
    return np.linalg.qr(motions.reshape(-1, 6))[0]


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
    """

    def __init__(self, positions: Array, springs: Springs, congruence: Array | None = None) -> None:
        self.positions = positions
        self.springs = springs
        self.congruence = congruence

    @cached_property
    def _root(self) -> Array:
        """V, shape=(3N, N, 3), with covariance V^T V."""
        size = len(self.positions)
        matrix = hessian(self.positions, self.springs)
        rigid = rigid_motions(self.positions)
        stiffness = np.trace(matrix) / (3 * size)
        held = matrix @ rigid
        inner = rigid.T @ held
        update = rigid @ ((inner + stiffness * np.eye(6)) / 2) - held
        matrix += rigid @ update.T
        matrix += update @ rigid.T  # now P H P + s Q Q^T
        try:
            factor = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError as error:
            raise PredictionError(
                "The elastic network falls apart: some residues are held by too few springs. Choose chains that touch "
                "each other, or a network without a short cutoff (model='anm')."
            ) from error
        del matrix
        root = inverse_lower(factor)
        del factor
        internal = (np.einsum("ij,ij->", root, root) - 6 / stiffness) / (3 * size)
        damping = 1.0 - np.sqrt(RIGID_VARIANCE * internal * stiffness)
        root -= (root @ rigid) @ (damping * rigid.T)
        root = root.reshape(3 * size, size, 3)
        if self.congruence is not None:
            for start in range(0, 3 * size, 512):  # in place and in parts: the root is the largest array
                rows = slice(start, start + 512)
                root[rows] = np.einsum("kib,iab->kia", root[rows], self.congruence)
        return root

    @cached_property
    def marginals(self) -> Array:
        """Covariance of each residue, shape=(N, 3, 3), Å^2."""
        return np.einsum("kia,kib->iab", self._root, self._root)

    @cached_property
    def coupling(self) -> Array:
        """Trace coupling tr(Sigma_ij)/3 scaled to unit diagonal, shape=(N, N), SPD."""
        total = np.zeros((len(self.positions),) * 2)
        for axis in range(3):
            component = np.ascontiguousarray(self._root[:, :, axis])
            total += component.T @ component
        return unit_diagonal(total)

    def covariance(self) -> Array:
        """The full covariance, shape=(3N, 3N), Å^2; coordinates run residue by residue, x y z."""
        flat = self._root.reshape(len(self._root), -1)
        return flat.T @ flat

    def modes(self, count: int) -> tuple[Array, Array]:
        """Leading eigenpairs of the covariance, without forming it: (k,) Å^2 and (k, N, 3) unit vectors."""
        flat = self._root.reshape(len(self._root), -1)
        values, vectors = leading_eigenpairs(lambda block: flat.T @ (flat @ block), len(flat), count)
        return values, vectors.T.reshape(count, -1, 3)

    def displacements(self, count: int, generator: np.random.Generator) -> Array:
        """Draws of zero mean, shape=(count, N, 3), Å."""
        noise = generator.standard_normal((count, len(self._root)))
        return (noise @ self._root.reshape(len(self._root), -1)).reshape(count, -1, 3)

    def arrays(self) -> dict[str, NDArray]:
        """What `from_arrays` needs to rebuild the joint."""
        arrays: dict[str, NDArray] = {
            "positions": self.positions,
            "spring_i": self.springs.i,
            "spring_j": self.springs.j,
            "central": self.springs.central,
            "isotropic": self.springs.isotropic,
        }
        if self.congruence is not None:
            arrays["congruence"] = self.congruence
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray]) -> ElasticJoint:
        """Rebuild a joint from `arrays`."""
        springs = Springs(arrays["spring_i"], arrays["spring_j"], arrays["central"], arrays["isotropic"])
        return cls(arrays["positions"], springs, arrays.get("congruence"))

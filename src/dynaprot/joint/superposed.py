"""A joint Gaussian seen from a frame that moves along with some of the residues."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cached import cached_property
from ..storage import Archive
from .elastic import RIGID_VARIANCE, ElasticJoint, rigid_motions
from .factored import FactoredJoint
from .interface import Joint
from .linear_algebra import leading_eigenpairs, unit_diagonal

__all__ = ["SuperposedJoint", "core_weights"]

Array = NDArray[np.floating]

BENEATH: dict[str, type[ElasticJoint] | type[FactoredJoint]] = {"elastic": ElasticJoint, "factored": FactoredJoint}
"""Forms of the joint that is superposed, by their names in a file."""


ROUNDS, SETTLED = 50, 1e-3
"""Iterations of the weights of a core, and the largest change after which they have settled."""


class _Terms(NamedTuple):
    """What is taken away: T x = x - A B^T x, the covariance C becoming C - A D^T - D A^T + A S A^T + v Q Q^T.

    Attributes
    ----------
    rigid : ndarray, shape=(3N, 6)
        Q: translations and infinitesimal rotations.
    fitted : ndarray, shape=(3N, 6)
        A = Q (Q^T W Q)^-1.
    weighted : ndarray, shape=(3N, 6)
        B = W Q.
    response : ndarray, shape=(3N, 6)
        D = C B.
    inner : ndarray, shape=(6, 6)
        S = B^T C B.
    variance : float
        v: what is left to each rigid motion, Å^2, so that the joint stays strictly positive definite.
    """

    rigid: Array
    fitted: Array
    weighted: Array
    response: Array
    inner: Array
    variance: float


class SuperposedJoint:
    """A joint after superposition: each conformation moved rigidly so that the weighted sum of squares is least.

    To first order in the displacements x, the superposition is linear: x becomes x - Q a, with Q the six rigid motions
    and a the least squares fit of Q to x with the weights w of the residues. The covariance follows exactly.

    Parameters
    ----------
    joint : Joint
        In a form of `BENEATH`, if it is to be saved.
    positions : ndarray, shape=(N, 3)
        C-alpha positions, Å.
    weights : ndarray, shape=(N,), optional
        How much each residue counts, not negative, at least three not in line above 0. By default all count alike.
    """

    def __init__(self, joint: Joint, positions: Array, weights: Array | None = None) -> None:
        self.joint = joint
        self.positions = positions
        self.weights = np.ones(len(positions)) if weights is None else np.asarray(weights, dtype=np.float64)

    @cached_property
    def _terms(self) -> _Terms:
        rigid = rigid_motions(self.positions)
        weighted = np.repeat(self.weights, 3)[:, None] * rigid
        fitted = rigid @ np.linalg.inv(rigid.T @ weighted)
        response = self.joint.product(weighted)
        variance = RIGID_VARIANCE * float(np.einsum("iaa->", self.joint.marginals)) / len(rigid)
        return _Terms(rigid, fitted, weighted, response, weighted.T @ response, variance)

    @cached_property
    def _change(self) -> tuple[Array, Array]:
        """L and R, shape=(3N, 24) each, of which L R^T is what superposition adds to the covariance."""
        terms = self._terms
        left = (terms.fitted, terms.response, terms.fitted @ terms.inner, terms.variance * terms.rigid)
        return np.hstack(left), np.hstack([-terms.response, -terms.fitted, terms.fitted, terms.rigid])

    @cached_property
    def marginals(self) -> Array:
        """Covariance of each residue, shape=(N, 3, 3), Å^2."""
        left, right = (side.reshape(len(self.positions), 3, -1) for side in self._change)
        return self.joint.marginals + left @ np.swapaxes(right, 1, 2)

    @cached_property
    def coupling(self) -> Array:
        """Coupling (normalised dynamic cross-correlation, DCCM), shape=(N, N), SPD."""
        return unit_diagonal(self.traces())

    def traces(self) -> Array:
        """Trace of each pair's 3 x 3 block of the covariance, shape=(N, N), Å^2."""
        left, right = (side.reshape(len(self.positions), -1) for side in self._change)
        return self.joint.traces() + left @ right.T

    def product(self, vectors: Array) -> Array:
        """The covariance times vectors, shape=(3N, k), without forming it."""
        terms = self._terms
        moved = self.joint.product(vectors - terms.weighted @ (terms.fitted.T @ vectors))
        moved -= terms.fitted @ (terms.weighted.T @ moved)
        return moved + terms.variance * (terms.rigid @ (terms.rigid.T @ vectors))

    def covariance(self) -> Array:
        """The full covariance, shape=(3N, 3N), Å^2; coordinates run residue by residue, x y z."""
        left, right = self._change
        return self.joint.covariance() + left @ right.T

    def modes(self, count: int) -> tuple[Array, Array]:
        """Leading eigenpairs of the covariance, without forming it: (k,) Å^2 and (k, N, 3) unit vectors."""
        values, vectors = leading_eigenpairs(self.product, 3 * len(self.positions), count)
        return values, vectors.T.reshape(count, -1, 3)

    def displacements(self, count: int, generator: np.random.Generator) -> Array:
        """Random displacements of zero mean, shape=(count, N, 3), Å."""
        terms = self._terms
        drawn = self.joint.displacements(count, generator).reshape(count, -1)
        rigid = np.sqrt(terms.variance) * generator.standard_normal((count, 6)) @ terms.rigid.T
        return (drawn - (drawn @ terms.weighted) @ terms.fitted.T + rigid).reshape(count, -1, 3)

    def arrays(self) -> dict[str, NDArray]:
        """What `from_archive` needs to rebuild the joint."""
        form = next(name for name, kind in BENEATH.items() if isinstance(self.joint, kind))
        arrays: dict[str, NDArray] = {
            "superposed_form": np.array(form),
            "superposed_at": self.positions,
            "superposed_by": self.weights,
        }
        return arrays | self.joint.arrays()

    @classmethod
    def from_archive(cls, archive: Archive) -> SuperposedJoint:
        """Rebuild a joint of N residues from `arrays`."""
        form = archive.text("superposed_form")
        if form not in BENEATH:
            archive.refuse(f"'superposed_form' names no joint Gaussian that can be superposed: '{form}'")
        weights = archive.numbers("superposed_by", "N")
        if (weights < 0.0).any() or not (weights > 0.0).sum() >= 3:
            archive.refuse("'superposed_by' are no weights: some are negative, or too few are above 0")
        return cls(BENEATH[form].from_archive(archive), archive.numbers("superposed_at", "N", 3), weights)


def core_weights(joint: Joint, positions: Array) -> Array:
    """Weights of residues by the inverse of their variance when superposed with these weights: shape=(N,), mean 1.

    Iterated until they settle, as a maximum likelihood superposition does (Theobald & Wuttke 2006). No variance counts
    as less than a quarter of the median, so that a few rigid residues do not draw all weight to themselves.
    """
    weights = np.ones(len(positions))
    for _ in range(ROUNDS):
        marginals = SuperposedJoint(joint, positions, weights).marginals
        variance = np.trace(marginals, axis1=1, axis2=2)
        new = 1.0 / np.maximum(variance, 0.25 * np.median(variance))
        new /= new.mean()
        settled = np.abs(new - weights).max() < SETTLED
        weights = new
        if settled:
            break
    return weights

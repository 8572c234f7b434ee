"""The factored joint Gaussian: a 3x3 covariance for each residue and one scalar coupling for each pair."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..cached import cached_property
from ..errors import PredictionError
from ..storage import Archive
from .linear_algebra import leading_eigenpairs, matrix_power, unit_diagonal

__all__ = ["FactoredJoint"]

Array = NDArray[np.floating]


class FactoredJoint:
    """Sigma_ij = S_i C_ij S_j^T with S_i S_i^T = Sigma_i (DynaProt paper, Eq. 5).

    Parameters
    ----------
    marginals : ndarray, shape=(N, 3, 3)
        Covariance of each residue, Å^2, SPD, frame of the input.
    coupling : ndarray, shape=(N, N)
        Coupling of each pair of residues: SPD, and scaled here to a unit diagonal.
    root : {"symmetric", "cholesky"}
        S_i as the symmetric root, with which the joint rotates with the protein, or as the paper's Cholesky factor in
        the frame of the input, with which it does not.
    """

    def __init__(self, marginals: Array, coupling: Array, root: Literal["symmetric", "cholesky"] = "symmetric") -> None:
        self.marginals = marginals
        self.coupling = unit_diagonal(coupling)
        self.root = root

    @cached_property
    def _roots(self) -> Array:
        if self.root == "cholesky":
            return np.linalg.cholesky(self.marginals)
        return matrix_power(self.marginals, 0.5)

    @cached_property
    def _coupling_factor(self) -> Array:
        try:
            return np.linalg.cholesky(self.coupling)
        except np.linalg.LinAlgError as error:
            raise PredictionError("The coupling is not positive definite; predict the protein again.") from error

    def traces(self) -> Array:
        """Trace of each pair's 3 x 3 block of the covariance, shape=(N, N), Å^2."""
        roots = self._roots.reshape(len(self._roots), -1)
        return self.coupling * (roots @ roots.T)

    def product(self, vectors: Array) -> Array:
        """The covariance times vectors, shape=(3N, k), without forming it."""
        size = len(self.marginals)
        inner = np.einsum("iba,ibk->iak", self._roots, vectors.reshape(size, 3, -1))
        coupled = (self.coupling @ inner.reshape(size, -1)).reshape(inner.shape)
        return np.einsum("iab,ibk->iak", self._roots, coupled).reshape(3 * size, -1)

    def covariance(self) -> Array:
        """The full covariance, shape=(3N, 3N), Å^2; coordinates run residue by residue, x y z."""
        size = 3 * len(self.marginals)
        return np.einsum("iab,ij,jcb->iajc", self._roots, self.coupling, self._roots, optimize=True).reshape(size, size)

    def modes(self, count: int) -> tuple[Array, Array]:
        """Leading eigenpairs of the covariance, without forming it: (k,) Å^2 and (k, N, 3) unit vectors."""
        size = len(self.marginals)
        values, vectors = leading_eigenpairs(self.product, 3 * size, count)
        return values, vectors.T.reshape(count, size, 3)

    def displacements(self, count: int, generator: np.random.Generator) -> Array:
        """Random displacements of zero mean, shape=(count, N, 3), Å: S (chol(C) (x) I) z."""
        size = len(self.marginals)
        noise = generator.standard_normal((size, count * 3))
        correlated = (self._coupling_factor @ noise).reshape(size, count, 3)
        return np.einsum("iab,isb->sia", self._roots, correlated, optimize=True)

    def arrays(self) -> dict[str, NDArray]:
        """What `from_archive` needs to rebuild the joint."""
        return {
            "marginals": self.marginals,
            "coupling": self.coupling,
            "root": np.array(self.root),
        }

    @classmethod
    def from_archive(cls, archive: Archive) -> FactoredJoint:
        """Rebuild a joint of N residues from `arrays`."""
        root: Literal["symmetric", "cholesky"] = "cholesky" if archive.text("root") == "cholesky" else "symmetric"
        marginals, coupling = archive.numbers("marginals", "N", 3, 3), archive.numbers("coupling", "N", "N")
        if not ((np.diagonal(coupling) > 0.0).all() and (np.linalg.eigvalsh(marginals) > 0.0).all()):
            archive.refuse("a covariance of the joint is not positive definite")
        return cls(marginals, coupling, root)

"""Small linear algebra on stacks of symmetric positive definite matrices and blocked factors of large ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import PredictionError

__all__ = ["inverse_lower", "leading_eigenpairs", "matrix_log", "matrix_power", "unit_diagonal"]

Array = NDArray[np.floating]
BLOCK = 192
"""Rows below which a triangular block is inverted directly; above it, matrix products do the work."""


def matrix_power(matrices: Array, exponent: float) -> Array:
    """Symmetric power of a stack of SPD matrices, shape=(..., d, d); 0.5 gives the symmetric root."""
    values, vectors = np.linalg.eigh(matrices)
    return (vectors * values[..., None, :] ** exponent) @ np.swapaxes(vectors, -1, -2)


def matrix_log(matrices: Array) -> Array:
    """Symmetric logarithm of a stack of SPD matrices, shape=(..., d, d)."""
    values, vectors = np.linalg.eigh(matrices)
    return (vectors * np.log(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def unit_diagonal(matrix: Array) -> Array:
    """Scale a covariance, shape=(N, N), to a unit diagonal."""
    deviation = np.sqrt(np.diagonal(matrix))
    scaled = matrix / deviation[:, None] / deviation[None, :]
    np.fill_diagonal(scaled, 1.0)
    return scaled


def inverse_lower(factor: Array) -> Array:
    """Inverse of a lower-triangular matrix, shape=(n, n), by halving: n^3/3 operations, nearly all products."""
    inverse = np.zeros_like(factor)

    def invert(start: int, stop: int) -> None:
        if stop - start <= BLOCK:
            inverse[start:stop, start:stop] = np.tril(np.linalg.inv(factor[start:stop, start:stop]))
            return
        middle = (start + stop) // 2
        invert(start, middle)
        invert(middle, stop)
        inverse[middle:stop, start:middle] = -inverse[middle:stop, middle:stop] @ (
            factor[middle:stop, start:middle] @ inverse[start:middle, start:middle]
        )

    invert(0, len(factor))
    return inverse


def leading_eigenpairs(
    product: Callable[[Array], Array], size: int, count: int, tolerance: float = 1e-10
) -> tuple[Array, Array]:
    """Largest eigenpairs of a symmetric operator that is known only by its products.

    Block Lanczos with full reorthogonalisation (Golub & Van Loan 2013, section 10.3). The start is fixed, so that the
    same operator always gives the same pairs.

    Parameters
    ----------
    product : callable
        Maps an array of shape (size, b) to the operator's product with it.
    size : int
        Order of the operator.
    count : int
        How many pairs.
    tolerance : float
        Largest residual, relative to the largest eigenvalue.

    Returns
    -------
    values : ndarray, shape=(count,)
        From the largest down.
    vectors : ndarray, shape=(size, count)

    Raises
    ------
    PredictionError
        If the pairs do not converge.
    """
    width = min(size, count + 6)
    block = np.linalg.qr(np.random.default_rng(0).standard_normal((size, width)))[0]
    basis, image = block, product(block)
    while True:
        reduced = basis.T @ image
        values, rotation = np.linalg.eigh((reduced + reduced.T) / 2)
        values, rotation = values[::-1][:count], rotation[:, ::-1][:, :count]
        vectors = basis @ rotation
        residual = np.linalg.norm(image @ rotation - vectors * values, axis=0).max()
        if residual <= tolerance * values[0]:
            return values, vectors
        width = min(width, size - basis.shape[1])
        if width == 0:
            raise PredictionError("The collective motions did not converge; are the coordinates sane?")
        block = image[:, -block.shape[1] :][:, :width]
        for _ in range(2):  # twice is enough (Giraud et al. 2005)
            block = np.linalg.qr(block - basis @ (basis.T @ block))[0]
        basis = np.hstack([basis, block])
        image = np.hstack([image, product(block)])

"""Small linear algebra on stacks of symmetric positive definite matrices and blocked factors of large ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import PredictionError

__all__ = [
    "blocks",
    "gram",
    "invert_root",
    "leading_eigenpairs",
    "log_mean",
    "matrix_log",
    "matrix_power",
    "unit_diagonal",
]

Array = NDArray[np.floating]
DIRECT = 192
"""Rows up to which LAPACK factorises and inverts a matrix as a whole; above, matrix products do the work."""
BLOCK = 256
"""Rows or columns of one product."""


def matrix_power(matrices: Array, exponent: float) -> Array:
    """Symmetric power of a stack of SPD matrices, shape=(..., d, d); 0.5 gives the symmetric root."""
    values, vectors = np.linalg.eigh(matrices)
    return (vectors * values[..., None, :] ** exponent) @ np.swapaxes(vectors, -1, -2)


def matrix_log(matrices: Array) -> Array:
    """Symmetric logarithm of a stack of SPD matrices, shape=(..., d, d)."""
    values, vectors = np.linalg.eigh(matrices)
    return (vectors * np.log(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def log_mean(first: Array, second: Array) -> Array:
    """Log-Euclidean mean of two stacks of SPD matrices, shape=(..., d, d) (Arsigny et al. 2006)."""
    values, vectors = np.linalg.eigh((matrix_log(first) + matrix_log(second)) / 2.0)
    return (vectors * np.exp(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def unit_diagonal(matrix: Array) -> Array:
    """Scale a covariance, shape=(N, N), to a unit diagonal."""
    deviation = np.sqrt(np.diagonal(matrix))
    scaled = matrix / deviation[:, None] / deviation[None, :]
    np.fill_diagonal(scaled, 1.0)
    return scaled


def blocks(start: int, stop: int, width: int = BLOCK) -> list[slice]:
    """A range cut into slices of at most `width`."""
    return [slice(first, min(first + width, stop)) for first in range(start, stop, width)]


def invert_root(matrix: Array) -> None:
    """Overwrite an SPD matrix with V, lower triangular, of which V^T V is its inverse.

    Cholesky factor and its inverse by halves, in place and in 2/3 n^3 operations, nearly all of them products of large
    blocks (LAPACK's potrf and trtri, which numpy does not have in place). With A = [[A11, .], [A21, A22]]: V11 of A11,
    L21 = A21 V11^T, V22 of A22 - L21 L21^T, V21 = -V22 L21 V11.

    Parameters
    ----------
    matrix : ndarray, shape=(n, n)
        Only its lower triangle is read.

    Raises
    ------
    numpy.linalg.LinAlgError
        If it is not positive definite.
    """
    size = len(matrix)
    if size <= DIRECT:
        matrix[...] = np.tril(np.linalg.inv(np.linalg.cholesky(matrix)))
        return
    middle = size // 2
    first, below, second = matrix[:middle, :middle], matrix[middle:, :middle], matrix[middle:, middle:]
    invert_root(first)
    # Each product leaves out the zeros of its triangle, and runs from the side that the next blocks do not need.
    for block in reversed(blocks(0, middle)):
        below[:, block] = below[:, : block.stop] @ first[block, : block.stop].T
    for block in blocks(0, size - middle):
        second[block, : block.stop] -= below[block] @ below[: block.stop].T
    invert_root(second)
    for block in blocks(0, middle):
        below[:, block] = below[:, block.start :] @ first[block.start :, block]
    for block in reversed(blocks(0, size - middle)):
        below[block] = -second[block, : block.stop] @ below[: block.stop]
    matrix[:middle, middle:] = 0.0


def gram(root: Array) -> Array:
    """V^T V of a lower-triangular V, shape=(n, n)."""
    total = np.zeros_like(root)
    for block in blocks(0, len(root)):
        rows = root[block, : block.stop]
        total[: block.stop, : block.stop] += rows.T @ rows
    return total


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
        Number of pairs.
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
            raise PredictionError("The collective motions did not converge; check the input coordinates.")
        block = image[:, -block.shape[1] :][:, :width]
        for _ in range(2):  # twice is enough (Giraud et al. 2005)
            block = np.linalg.qr(block - basis @ (basis.T @ block))[0]
        basis = np.hstack([basis, block])
        image = np.hstack([image, product(block)])

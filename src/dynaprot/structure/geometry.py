"""Geometry of points: directions, rotations, dihedral angles, pairs within a distance, connected parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["connected_parts", "dihedral", "nearest_rotations", "neighbour_pairs", "ramp", "unit_vectors"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]


def unit_vectors(vectors: Array) -> Array:
    """Vectors of length 1 in the same directions, shape=(..., 3)."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def nearest_rotations(matrices: Array) -> Array:
    """The proper rotation nearest to each matrix, shape=(..., 3, 3).

    For ``x.T @ y``, x and y centred and of shape (N, 3), it is the R with ``x @ R`` nearest to y (Kabsch 1976).
    """
    u, _, vt = np.linalg.svd(matrices)
    u[..., -1] *= np.sign(np.linalg.det(u @ vt))[..., None]
    return u @ vt


def dihedral(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Dihedral angle about the line from b to c, (N, 3) each, in radians, shape=(N,)."""
    axis = unit_vectors(c - b)
    v = (a - b) - ((a - b) * axis).sum(-1, keepdims=True) * axis
    w = (d - c) - ((d - c) * axis).sum(-1, keepdims=True) * axis
    return np.arctan2((np.cross(axis, v) * w).sum(-1), (v * w).sum(-1))


def neighbour_pairs(positions: Array, cutoff: float) -> tuple[Indices, Indices]:
    """Pairs of points that lie within a distance of each other.

    Parameters
    ----------
    positions : ndarray, shape=(N, 3)
        Positions, Å.
    cutoff : float
        Largest distance of a pair, Å; ``inf`` gives all pairs.

    Returns
    -------
    i, j : ndarray, shape=(P,), dtype=int
        Indices with i < j, ordered by i and then j.
    """
    centred = positions - positions.mean(0)
    squared: Array = (centred**2).sum(1)
    found_i, found_j = [], []
    for start in range(0, len(positions), 512):  # 512 rows at a time: never an N x N array
        rows = slice(start, start + 512)
        distances: Array = squared[rows, None] + squared[None, start:] - 2.0 * centred[rows] @ centred[start:].T
        near_i, near_j = np.nonzero(np.triu(distances <= cutoff**2, k=1))
        found_i.append(near_i + start)
        found_j.append(near_j + start)
    return np.concatenate(found_i), np.concatenate(found_j)


def connected_parts(size: int, i: Indices, j: Indices) -> Indices:
    """The connected part of a graph that each point belongs to.

    Parameters
    ----------
    size : int
        Number of points.
    i, j : ndarray, shape=(P,), dtype=int
        Pairs of connected points.

    Returns
    -------
    ndarray, shape=(size,), dtype=int
        Smallest index in the part of each point, which is equal for points that a path of pairs connects.
    """
    part = np.arange(size)
    while True:
        lower = np.minimum(part[i], part[j])
        joined = part.copy()
        np.minimum.at(joined, i, lower)
        np.minimum.at(joined, j, lower)
        joined = joined[joined]
        if np.array_equal(joined, part):
            return part
        part = joined


def ramp(distance: Array, start: float, end: float) -> Array:
    """1 up to a distance, falling to 0 at another with a continuous slope; 1 everywhere where both are the same."""
    if start >= end:
        return np.ones_like(distance)
    share = np.clip((end - distance) / (end - start), 0.0, 1.0)
    return share**2 * (3.0 - 2.0 * share)

"""Superposition: rigid motions that bring sets of points onto a reference, or an ensemble onto its own mean."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .geometry import nearest_rotations

__all__ = ["chunks", "superpose", "superpose_ensemble"]

Array = NDArray[np.floating]

ROUNDS = 20
"""Superpositions on a new mean at most; a mean settles in fewer than ten."""
SETTLED = 1e-3
"""Å by which the mean may still move."""
AT_ONCE = 1000
"""Frames worked on together, so that the many of a simulation need no second copy in memory."""


def superpose(mobile: Array, target: Array, weights: ArrayLike | None = None) -> tuple[Array, Array]:
    """Find the rigid motion that brings each set of points nearest to a target (Kabsch 1976).

    Parameters
    ----------
    mobile : ndarray, shape=(F, N, 3)
    target : ndarray, shape=(N, 3)
    weights : array_like, shape=(N,), optional
        How much each point counts; points with weight 0 move along. By default all count alike.

    Returns
    -------
    rotations : ndarray, shape=(F, 3, 3)
    shifts : ndarray, shape=(F, 1, 3)
        ``mobile @ rotations + shifts`` is nearest to the target.
    """
    share = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=np.float64)
    share = share / share.sum()
    target_centre = share @ target
    weighted = share[:, None] * (target - target_centre)
    rotations = np.empty((len(mobile), 3, 3))
    centres = np.empty((len(mobile), 1, 3))
    for rows in chunks(len(mobile)):
        centres[rows, 0] = np.einsum("fia,i->fa", mobile[rows], share)
        rotations[rows] = nearest_rotations(np.swapaxes(mobile[rows] - centres[rows], 1, 2) @ weighted)
    return rotations, target_centre - centres @ rotations


def superpose_ensemble(frames: Array, reference: Array) -> tuple[Array, Array]:
    """Find the rigid motion that brings each frame onto the mean of all, and that mean onto a reference.

    Parameters
    ----------
    frames : ndarray, shape=(F, N, 3)
        C-alpha positions, Å.
    reference : ndarray, shape=(N, 3)
        Å.

    Returns
    -------
    rotations : ndarray, shape=(F, 3, 3)
    shifts : ndarray, shape=(F, 1, 3)
        ``frames @ rotations + shifts`` lies in the frame of the reference.
    """
    mean = reference.astype(np.float64)
    for _ in range(ROUNDS):
        rotations, shifts = superpose(frames, mean)
        step = np.zeros_like(mean)
        for rows in chunks(len(frames)):
            step += (frames[rows] @ rotations[rows] + shifts[rows] - mean).sum(0) / len(frames)
        mean = mean + step
        if np.abs(step).max() < SETTLED:
            break
    rotations, shifts = superpose(frames, mean)
    turn, shift = superpose(mean[None], reference)
    return rotations @ turn, shifts @ turn + shift


def chunks(count: int) -> Iterator[slice]:
    """Slices that cover `count` frames, some at a time."""
    for start in range(0, count, AT_ONCE):
        yield slice(start, start + AT_ONCE)

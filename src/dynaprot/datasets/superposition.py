"""Superposition of an ensemble on its own mean, all residues alike or the core before the tails."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..structure.geometry import nearest_rotations

__all__ = ["chunks", "superpose"]

Array = NDArray[np.floating]

ROUNDS = 20
"""At most; a core settles in fewer than ten."""
SETTLED = 1e-3
"""Å by which the mean may still move."""
AT_ONCE = 1000
"""Frames worked on together, so that a simulation's many need no second copy in memory."""


def superpose(frames: Array, reference: Array, core_weighted: bool = False) -> tuple[Array, Array]:
    """Find the rigid motion that brings each frame onto the ensemble's mean, and the mean onto a reference.

    Parameters
    ----------
    frames : ndarray, shape=(F, N, 3)
        C-alpha positions, Å.
    reference : ndarray, shape=(N, 3)
        Å.
    core_weighted : bool
        Weigh residues by the inverse of their variance, found in the same rounds (Theobald & Wuttke 2006): a floppy
        tail no longer drags the core about. The variances are shrunk towards their median, so that no residue can
        draw all weight on itself.

    Returns
    -------
    rotations : ndarray, shape=(F, 3, 3)
    shifts : ndarray, shape=(F, 1, 3)
        ``frames @ rotations + shifts`` lies in the frame of the reference.
    """
    weights = np.full(len(reference), 1.0 / len(reference))
    mean = reference.astype(np.float64)
    for _ in range(ROUNDS):
        rotations, shifts = _fit(frames, mean, weights)
        total, squares = np.zeros_like(mean), np.zeros(len(mean))
        for rows in chunks(len(frames)):
            offset = frames[rows] @ rotations[rows] + shifts[rows] - mean
            total += offset.sum(0)
            squares += (offset**2).sum((0, 2))
        step = total / len(frames)
        mean = mean + step
        if core_weighted:
            variance = squares / len(frames) - (step**2).sum(1)
            weights = 1.0 / (variance + np.median(variance) + 1e-6)
            weights /= weights.sum()
        if np.abs(step).max() < SETTLED:
            break
    rotations, shifts = _fit(frames, mean, weights)
    turn, shift = _fit(mean[None], reference, weights)
    return rotations @ turn, shifts @ turn + shift


def _fit(mobile: Array, target: Array, weights: Array) -> tuple[Array, Array]:
    """Weighted best rotation and shift of each mobile, (F, N, 3), onto the target, (N, 3) (Kabsch 1976)."""
    target_centre = weights @ target
    weighted = weights[:, None] * (target - target_centre)
    rotations = np.empty((len(mobile), 3, 3))
    centres = np.empty((len(mobile), 1, 3))
    for rows in chunks(len(mobile)):
        centres[rows, 0] = np.einsum("fia,i->fa", mobile[rows], weights)
        rotations[rows] = nearest_rotations(np.swapaxes(mobile[rows] - centres[rows], 1, 2) @ weighted)
    return rotations, target_centre - centres @ rotations


def chunks(count: int) -> Iterator[slice]:
    """Slices that cover that many frames, some at a time."""
    for start in range(0, count, AT_ONCE):
        yield slice(start, start + AT_ONCE)

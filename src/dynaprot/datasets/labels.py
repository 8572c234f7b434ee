"""Labels: the second moments of an ensemble of conformations, from which a network learns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..joint.linear_algebra import unit_diagonal
from ..structure.superposition import superpose_ensemble

__all__ = ["Cluster", "Labels", "labels_of"]

Array = NDArray[np.floating]
Cluster = int | str
"""A sequence cluster: a number in archives, a name elsewhere."""


@dataclass(frozen=True)
class Labels:
    """Second moments of an ensemble, superposed on the reference structure.

    Attributes
    ----------
    marginals : ndarray, shape=(N, 3, 3)
        Å^2, frame of the reference.
    coupling : ndarray, shape=(N, N)
        tr(Sigma_ij)/3 scaled to unit diagonal: the same in every orientation.
    """

    marginals: Array
    coupling: Array


def labels_of(frames: Array, reference: Array) -> Labels:
    """Labels of an ensemble, shape=(F, N, 3), for a reference structure, shape=(N, 3)."""
    rotations, shifts = superpose_ensemble(frames, reference)
    frames = frames @ rotations + shifts
    deviation = frames - frames.mean(0)
    marginals = np.einsum("fia,fib->iab", deviation, deviation) / (len(frames) - 1)
    flat = deviation.transpose(1, 0, 2).reshape(len(reference), -1)
    return Labels(marginals, unit_diagonal(flat @ flat.T))

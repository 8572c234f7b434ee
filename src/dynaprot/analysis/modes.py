"""Collective motions (normal modes): the displacement of each residue along a mode, and conformations along it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..defaults import AMPLITUDE, FRAMES
from ..dynamics import Dynamics
from ..errors import PredictionError
from ..structure.protein import Structure

__all__ = ["mode_displacement", "traverse_mode"]

Array = NDArray[np.floating]


def mode_displacement(dynamics: Dynamics, mode: int = 1) -> Array:
    """Displacement of each residue by one standard deviation of a mode.

    Parameters
    ----------
    dynamics : Dynamics
        N residues.
    mode : int
        Number of the mode: 1 for the motion of largest variance, at most 3N - 6.

    Returns
    -------
    ndarray, shape=(N, 3)
        Displacements, Å, in the frame of the input. The sign of a mode is arbitrary; here the residue that moves
        farthest moves away from the centre of the protein, so that a repeated call, or another machine, shows the same.

    Raises
    ------
    PredictionError
        If there is no such mode.
    """
    if mode < 1:
        raise PredictionError(f"{dynamics.structure.name}: modes are counted from 1, so there is no mode {mode}.")
    variances, directions = dynamics.modes(mode)
    displacement = np.sqrt(variances[-1]) * directions[-1]
    farthest = np.argmax((displacement**2).sum(1))
    outward = dynamics.structure.ca[farthest] - dynamics.structure.ca.mean(0)
    return -displacement if displacement[farthest] @ outward < 0 else displacement


def traverse_mode(
    structure: Structure, displacement: Array, amplitude: float = AMPLITUDE, frames: int = FRAMES
) -> Array:
    """One period of an oscillation along a displacement, for an animation that loops.

    Parameters
    ----------
    structure : Structure
        N residues.
    displacement : ndarray, shape=(N, 3)
        Displacement by one standard deviation, Å, as `mode_displacement` gives it.
    amplitude : float
        Number of standard deviations from the input to the turning point.
    frames : int
        Number of conformations. The first is the input, and the last precedes it by one step.

    Returns
    -------
    ndarray, shape=(frames, N, 3)
        C-alpha positions, Å.
    """
    phase = np.sin(2.0 * np.pi * np.arange(frames) / frames)
    return structure.ca + amplitude * phase[:, None, None] * displacement

"""Ensembles: conformations drawn from the predicted Gaussian, with C-alpha geometry restored or left as drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dynamics import Dynamics
from ..structure.chain_geometry import restore_geometry, unphysical_share

__all__ = ["Ensemble", "draw_ensemble"]

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Ensemble:
    """Conformations of one protein.

    Attributes
    ----------
    conformations : ndarray, shape=(n, N, 3)
        C-alpha positions, Å, frame of the input.
    unphysical : float
        Share, 0 to 1, of these conformations that have a broken chain or a clash.
    unphysical_drawn : float
        The same share among the conformations as they were drawn, before anything was restored.
    displacement : float
        Root mean square distance by which restoring moved the C-alphas, Å; 0 where nothing was restored.
    """

    conformations: Array
    unphysical: float
    unphysical_drawn: float
    displacement: float


def draw_ensemble(dynamics: Dynamics, count: int, seed: int | None, restore: bool = True) -> Ensemble:
    """Draw conformations and restore the C-alpha geometry of the input.

    Parameters
    ----------
    dynamics : Dynamics
    count : int
        Number of conformations, 1 or more.
    seed : int or None
        The same seed gives the same conformations.
    restore : bool
        Whether to restore distances between bonded C-alphas and to remove clashes; otherwise the conformations are
        samples of the Gaussian.

    Raises
    ------
    PredictionError
        If none are asked for, or the seed is negative.
    """
    structure = dynamics.structure
    drawn = dynamics.sample(count, seed)
    share = unphysical_share(structure, drawn)
    if not restore:
        return Ensemble(drawn, share, share, 0.0)
    restored = restore_geometry(structure, drawn)
    displacement = float(np.sqrt(((restored - drawn) ** 2).sum(2).mean()))
    return Ensemble(restored, unphysical_share(structure, restored), share, displacement)

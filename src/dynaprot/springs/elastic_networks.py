"""Elastic networks without learned parameters: the baseline, and what learned springs correct."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..joint import ElasticJoint, Springs
from ..structure.geometry import neighbour_pairs
from ..structure.protein import Structure

__all__ = ["classic_anm", "parameter_free_anm", "parameter_free_springs", "parameter_free_stiffness"]

STIFFNESS = 3.18e4
"""kT Å^4: central stiffness is this over r^6. Fitted to the sizes in MD (`benchmarks/calibrate_anm.py`)."""
ISOTROPIC = 0.0067
"""Isotropic stiffness as a share of the central one."""
CLASSIC_STIFFNESS = 0.103
"""kT/Å^2 of each spring of the classic network; fitted likewise."""
CLASSIC_CUTOFF = 15.0
"""Å; the customary choice (Atilgan et al. 2001, ProDy's default)."""
CLOSEST = 2.8
"""Å; distances below that of two bonded C-alphas (cis) are clashes and do not stiffen a spring further."""


def parameter_free_stiffness(distance: NDArray[np.floating]) -> NDArray[np.floating]:
    """Central stiffness at a distance in Å, kT/Å^2: r^-6 for every pair (Yang, Song & Jernigan 2009)."""
    return STIFFNESS / np.maximum(distance, CLOSEST) ** 6


def parameter_free_springs(positions: NDArray[np.floating], i: NDArray[np.int64], j: NDArray[np.int64]) -> Springs:
    """Springs ~ r^-6 between pairs of C-alphas, positions of shape (N, 3), Å; each has a small isotropic part."""
    central = parameter_free_stiffness(np.linalg.norm(positions[i] - positions[j], axis=1))
    return Springs(i, j, central, ISOTROPIC * central)


def parameter_free_anm(structure: Structure) -> ElasticJoint:
    """Such springs between all pairs."""
    return ElasticJoint(structure.ca, parameter_free_springs(structure.ca, *neighbour_pairs(structure.ca, np.inf)))


def classic_anm(structure: Structure) -> ElasticJoint:
    """Equal springs between pairs within a cutoff of 15 Å (Atilgan et al. 2001)."""
    i, j = neighbour_pairs(structure.ca, CLASSIC_CUTOFF)
    return ElasticJoint(structure.ca, Springs(i, j, np.full(len(i), CLASSIC_STIFFNESS), np.zeros(len(i))))

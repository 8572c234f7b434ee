"""Elastic networks without learned parameters: the baseline, and what learned springs correct."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..joint import ElasticJoint, Springs
from ..structure.backbone import neighbour_pairs
from ..structure.protein import Structure

__all__ = ["classic_anm", "parameter_free_anm", "parameter_free_stiffness"]

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


def parameter_free_anm(structure: Structure) -> ElasticJoint:
    """Springs ~ r^-6 between all pairs, each with a small isotropic part."""
    i, j = neighbour_pairs(structure.ca, np.inf)
    central = parameter_free_stiffness(np.linalg.norm(structure.ca[i] - structure.ca[j], axis=1))
    return ElasticJoint(structure.ca, Springs(i, j, central, ISOTROPIC * central))


def classic_anm(structure: Structure) -> ElasticJoint:
    """Equal springs between pairs within a cutoff of 15 Å (Atilgan et al. 2001)."""
    i, j = neighbour_pairs(structure.ca, CLASSIC_CUTOFF)
    return ElasticJoint(structure.ca, Springs(i, j, np.full(len(i), CLASSIC_STIFFNESS), np.zeros(len(i))))

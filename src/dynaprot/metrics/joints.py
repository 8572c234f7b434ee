"""How close the predicted coupling of residues is, by range, and the joint covariance as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..datasets.labels import Labels
from ..dynamics import Dynamics
from ..joint import ElasticJoint, FactoredJoint, Joint
from ..joint.linear_algebra import leading_eigenpairs
from ..springs.elastic_networks import parameter_free_anm
from ..structure.protein import Structure
from ..structure.superposition import superpose_ensemble
from .residues import pearson

__all__ = [
    "DISTANCES",
    "SEPARATIONS",
    "Motion",
    "compare_motions",
    "coupling_by_range",
    "eq5_ceiling",
    "recoloured_anm",
]

Array = NDArray[np.floating]

SEPARATIONS = ((1, 5), (6, 11), (12, 23), (24, 50), (51, None))
"""Bins of |i - j|, both ends included."""
DISTANCES = ((0, 8), (8, 16), (16, 24), (24, 32), (32, None))
"""Bins of the distance between C-alphas in the structure, Å, the upper end excluded."""
FEWEST_PAIRS = 20
"""Fewer pairs in a bin have no meaningful correlation."""
MODES = 10
"""Collective motions whose space RMSIP compares."""


def coupling_by_range(coupling: Array, truth: Array, positions: Array) -> dict[str, float]:
    """Pearson correlation of coupling over the pairs of each bin of separation and of distance.

    Parameters
    ----------
    coupling, truth : ndarray, shape=(N, N)
    positions : ndarray, shape=(N, 3)
        C-alpha, Å.

    Returns
    -------
    dict of str to float
        As ``coupling_r_separation_6_11``, ``coupling_r_distance_32``; NaN in a bin of fewer than 20 pairs.
    """
    i, j = np.triu_indices(len(positions), 1)
    own, true = coupling[i, j], truth[i, j]
    separation, distance = j - i, np.linalg.norm(positions[i] - positions[j], axis=1)
    chosen = {
        f"separation_{low}" + (f"_{high}" if high else ""): (separation >= low) & (separation <= (high or np.inf))
        for low, high in SEPARATIONS
    } | {
        f"distance_{low}" + (f"_{high}" if high else ""): (distance >= low) & (distance < (high or np.inf))
        for low, high in DISTANCES
    }
    return {
        f"coupling_r_{name}": pearson(own[pairs], true[pairs]) if pairs.sum() >= FEWEST_PAIRS else float("nan")
        for name, pairs in chosen.items()
    }


@dataclass(frozen=True)
class Motion:
    """A joint covariance and its leading collective motions.

    Attributes
    ----------
    covariance : ndarray, shape=(3N, 3N)
        Å^2.
    directions : ndarray, shape=(k, 3N)
        Orthonormal; 10, or fewer where there are no more.
    """

    covariance: Array
    directions: Array

    @classmethod
    def of(cls, joint: Joint | Dynamics) -> Motion:
        """The motion of a Gaussian."""
        covariance = joint.covariance()
        _, directions = joint.modes(_count(len(covariance)))
        return cls(covariance, directions.reshape(len(directions), -1))

    @classmethod
    def in_frames(cls, frames: Array, reference: Array) -> Motion:
        """The motion of an ensemble, shape=(F, N, 3), superposed on its mean and that on a reference, as labels are."""
        rotations, shifts = superpose_ensemble(frames, reference)
        superposed = frames @ rotations + shifts
        deviation = (superposed - superposed.mean(0)).reshape(len(frames), -1) / np.sqrt(len(frames) - 1)
        covariance = deviation.T @ deviation
        _, directions = leading_eigenpairs(
            lambda block: covariance @ block, len(covariance), _count(len(covariance)), tolerance=1e-8
        )
        return cls(covariance, directions.T)


def _count(size: int) -> int:
    return min(MODES, size - 6)


def compare_motions(motion: Motion, truth: Motion) -> dict[str, float]:
    """``joint_error``: relative Frobenius error of the covariance; ``rmsip``: root mean square inner product of the
    leading motions (Amadei, Ceruso & Di Nola 1999), 1 where they span the same space."""
    error = np.linalg.norm(motion.covariance - truth.covariance) / np.linalg.norm(truth.covariance)
    overlap = ((motion.directions @ truth.directions.T) ** 2).sum() / len(truth.directions)
    return {"joint_error": float(error), "rmsip": float(np.sqrt(overlap))}


def eq5_ceiling(labels: Labels) -> FactoredJoint:
    """The best that one scalar per pair can do: the paper's Eq. 5 from the simulation's own marginals and coupling."""
    return FactoredJoint(labels.marginals, labels.coupling)


def recoloured_anm(structure: Structure, labels: Labels) -> ElasticJoint:
    """The elastic network without parameters, with the simulation's own marginals."""
    return parameter_free_anm(structure).recoloured(labels.marginals)

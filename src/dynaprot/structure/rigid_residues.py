"""Atoms that are carried along with sampled C-alphas, for display.

Each residue moves as a rigid body: with its own C-alpha, turned as the C-alphas around it along the chain turn. This is
a display aid. The model predicts C-alphas only; side chains do not move within their residue, and peptide bonds bend.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .backbone import previous_residues
from .geometry import nearest_rotations
from .protein import Structure

__all__ = ["carry_atoms", "residue_rotations"]

Array = NDArray[np.floating]

HOLD = 0.05
"""Å^2 added to the diagonal, so that a residue does not turn where no neighbour determines how."""


def residue_rotations(structure: Structure, samples: Array) -> Array:
    """Rotation of each residue from the input to each sample.

    Parameters
    ----------
    structure : Structure
        N residues.
    samples : ndarray, shape=(n, N, 3)
        C-alpha positions, Å.

    Returns
    -------
    ndarray, shape=(n, N, 3, 3)
        Proper rotations R: an offset v from C-alpha in the input becomes R @ v.
    """
    size = len(structure)
    following = structure.next_residue
    correlation = np.zeros((len(samples), size, 3, 3)) + HOLD * np.eye(3)
    for step in (following, previous_residues(following)):
        neighbour = step
        for _ in range(2):  # two residues to either side
            there = np.flatnonzero(neighbour >= 0)
            to = neighbour[there]
            correlation[:, there] += np.einsum(
                "sia,ib->siab", samples[:, to] - samples[:, there], structure.ca[to] - structure.ca[there]
            )
            neighbour = np.where(neighbour >= 0, step[neighbour], -1)
    return nearest_rotations(correlation)


def carry_atoms(
    structure: Structure,
    samples: Array,
    positions: Array,
    residue: NDArray[np.int64],
    rotations: Array | None = None,
) -> Array:
    """Carry atoms along with their residues.

    Parameters
    ----------
    structure : Structure
    samples : ndarray, shape=(n, N, 3)
        C-alpha positions, Å.
    positions : ndarray, shape=(A, 3)
        Positions of the atoms in the input, Å.
    residue : ndarray, shape=(A,), dtype=int
        Index of the residue of each atom.
    rotations : ndarray, shape=(n, N, 3, 3), optional
        Result of `residue_rotations`, if it is known already: computing it is most of the work.

    Returns
    -------
    ndarray, shape=(n, A, 3)
        Positions of the atoms in each sample, Å.
    """
    if rotations is None:
        rotations = residue_rotations(structure, samples)
    offsets = positions - structure.ca[residue]
    turned = np.einsum("sjab,jb->sja", rotations[:, residue], offsets)
    return samples[:, residue] + turned

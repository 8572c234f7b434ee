"""C-alpha geometry of sampled conformations: whether it is physically possible, and how to restore it.

Samples of a Gaussian know nothing of bonds: distances between neighbours along the chain depart from 3.8 Å and strands
run through each other. `restore_geometry` moves the C-alphas as little as possible to correct that. The result is the
possible chain nearest to a sample, no longer a sample of the Gaussian itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .geometry import neighbour_pairs
from .protein import Structure

__all__ = ["restore_geometry", "unphysical", "unphysical_share"]

Array = NDArray[np.floating]

STRETCH = 0.4
"""Largest deviation of the distance between bonded C-alphas from that in the input, Å."""
CLASH = 3.0
"""Distance below which C-alphas that are not bonded clash, Å."""
STEPS = 1000
"""Largest number of corrections between two searches for clashes."""
ROUNDS = 5
"""Largest number of searches for clashes, since resolving some can cause others."""
STEP = 0.8
"""Relaxation factor of the multipliers, which are corrected independently although neighbours share a residue."""
SETTLED = 1e-3
"""Accuracy to which distances are restored, Å."""


def unphysical(structure: Structure, samples: Array) -> NDArray[np.bool_]:
    """Which conformations have a broken chain or a clash of C-alphas.

    Parameters
    ----------
    structure : Structure
        The input, with N residues. Its own distances between bonded neighbours (3.8 Å, or 2.9 Å at a cis bond) are
        the reference; a pair that is nearer than 3 Å in the input may be as near as it is there.
    samples : ndarray, shape=(n, N, 3)
        C-alpha positions, Å.

    Returns
    -------
    ndarray, shape=(n,), dtype=bool
        True where a bonded distance differs by more than 0.4 Å or another pair is nearer than 3 Å.
    """
    first, second, length = _bonds(structure)
    stretched = np.abs(np.linalg.norm(samples[:, first] - samples[:, second], axis=2) - length) > STRETCH
    clashing = []
    for sample in samples:
        i, j, closest = _contacts(structure, sample, CLASH)
        clashing.append((np.linalg.norm(sample[i] - sample[j], axis=1) < closest - SETTLED).any())
    return stretched.any(1) | np.array(clashing)


def unphysical_share(structure: Structure, samples: Array) -> float:
    """Share of conformations, 0 to 1, that are `unphysical`."""
    return float(unphysical(structure, samples).mean())


def restore_geometry(structure: Structure, samples: Array) -> Array:
    """Nearest conformations that have the bonded distances of the input and no clash.

    Seeks the least |x - x0|^2 subject to |x_i - x_j| = d_ij for bonded neighbours and >= 3 Å for other pairs. Each
    distance has a multiplier, nowhere negative for the inequalities, and points move by the multipliers' changes only
    (position-based dynamics: Müller et al. 2007, Macklin et al. 2016); to first order that is the least displacement.

    Parameters
    ----------
    structure : Structure
        The input, whose bonded distances are restored.
    samples : ndarray, shape=(n, N, 3)
        C-alpha positions, Å.

    Returns
    -------
    ndarray, shape=(n, N, 3)
        C-alpha positions, Å.
    """
    first, second, length = _bonds(structure)
    restored = samples.copy()
    for k in range(len(samples)):  # the clashes differ from sample to sample
        for _ in range(ROUNDS):
            # Pairs a little beyond the clash distance count too: resolving one clash can cause the next.
            i, j, closest = _contacts(structure, restored[k], CLASH + 1.5)
            pairs_i, pairs_j = np.concatenate([first, i]), np.concatenate([second, j])
            target = np.concatenate([length, closest])
            at_least = np.arange(len(target)) >= len(length)
            restored[k] = _nearest(restored[k], pairs_i, pairs_j, target, at_least)
            if not unphysical(structure, restored[k : k + 1])[0]:
                break
    return restored


def _nearest(
    start: Array,
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    target: Array,
    at_least: NDArray[np.bool_],
) -> Array:
    """Nearest points to `start`, shape=(N, 3), whose pairs have their target distance, or at least that."""
    size = len(start)
    positions = start
    multiplier = np.zeros(len(target))
    share = STEP / np.maximum(np.sqrt(np.bincount(i, minlength=size)[i] * np.bincount(j, minlength=size)[j]), 2.0)
    for _ in range(STEPS):
        difference = positions[i] - positions[j]
        distance = np.maximum(np.linalg.norm(difference, axis=1), 1e-6)
        lacking = target - distance
        lacking[at_least & (multiplier <= 0) & (lacking < 0)] = 0.0
        if np.abs(np.where(at_least, np.maximum(lacking, 0.0), lacking)).max(initial=0.0) < SETTLED:
            break
        change = share * lacking
        change[at_least] = np.maximum(change[at_least], -multiplier[at_least])
        multiplier = multiplier + change
        force = (change / distance)[:, None] * difference
        positions = positions + np.stack([np.bincount(i, f, size) - np.bincount(j, f, size) for f in force.T], axis=1)
    return positions


def _bonds(structure: Structure) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Bonded neighbours and their distance in the input, Å."""
    first = np.flatnonzero(structure.next_residue >= 0)
    second = structure.next_residue[first]
    return first, second, np.linalg.norm(structure.ca[first] - structure.ca[second], axis=1)


def _contacts(structure: Structure, sample: Array, cutoff: float) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Pairs of a sample within a cutoff that are not bonded, and the least distance each may have, Å."""
    i, j = neighbour_pairs(sample, cutoff)
    apart = (structure.next_residue[i] != j) & (structure.next_residue[j] != i)
    i, j = i[apart], j[apart]
    in_input = np.linalg.norm(structure.ca[i] - structure.ca[j], axis=1)
    return i, j, np.minimum(CLASH, in_input)

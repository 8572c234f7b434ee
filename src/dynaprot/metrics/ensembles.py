"""Samples beside the frames of a simulation, by the definitions of AlphaFlow's published analysis.

Jing, Berger & Jaakkola 2024 (arXiv 2402.04845), on C-alphas. One liberty is taken: the means and covariances of the
simulation come from all its frames, not from a thousand drawn at random.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..joint.linear_algebra import leading_eigenpairs
from ..structure.geometry import neighbour_pairs
from ..structure.superposition import superpose
from .residues import pearson, squared_bures

__all__ = [
    "assignment", "compare_ensembles", "contact_probabilities", "fluctuation", "jaccard", "mean_pairwise_rmsd",
    "principal_components", "superposed", "wasserstein",
]  # fmt: skip

Array = NDArray[np.floating]

CONTACT = 8.0
"""Å between two C-alphas."""
WEAK, TRANSIENT = 0.9, 0.1
"""Probabilities: a contact of the crystal below the first is weak, any other above the second is transient."""
COMPONENTS = 2
"""Principal components in whose plane a W2 distance is taken."""


def superposed(frames: Array, reference: Array) -> Array:
    """Each frame, shape=(F, N, 3), superposed on a reference, shape=(N, 3)."""
    rotations, shifts = superpose(frames, reference)
    return frames @ rotations + shifts


def fluctuation(frames: Array) -> Array:
    """RMSF about the mean of superposed frames, shape=(N,), Å."""
    return np.sqrt(frames.var(0).sum(1))


def mean_pairwise_rmsd(first: Array, second: Array) -> float:
    """Mean RMSD, Å, over all pairs of a frame of each superposed ensemble; an ensemble with itself counts the zeros."""
    centre = first.mean(0)
    a, b = ((frames - centre).reshape(len(frames), -1) for frames in (first, second))
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2.0 * a @ b.T
    # Rounding leaves a hair of distance, or less than none, between a frame and itself.
    squared[squared < 1e-10 * squared.max()] = 0.0
    return float(np.sqrt(squared / first.shape[1]).mean())


def principal_components(frames: Array, count: int = COMPONENTS) -> Array:
    """The leading principal components of superposed frames, shape=(count, 3N), orthonormal."""
    deviation = (frames - frames.mean(0)).reshape(len(frames), -1)
    return leading_eigenpairs(
        lambda block: deviation.T @ (deviation @ block), deviation.shape[1], count, tolerance=1e-8
    )[1].T


def assignment(cost: Array) -> NDArray[np.int64]:
    """The column for each row that makes the total cost least; cost has shape=(n, n).

    The shortest augmenting path algorithm (Jonker & Volgenant 1987), O(n^3): exact, and without scipy.
    """
    size = len(cost)
    row_of = np.full(size, -1)
    column_of = np.full(size, -1)
    row_price, column_price = np.zeros(size), cost.min(0)
    for column in range(size):  # columns whose cheapest row is free cost nothing to place
        row = int(cost[:, column].argmin())
        if column_of[row] < 0:
            row_of[column], column_of[row] = row, column
    for start in np.flatnonzero(column_of < 0):
        distance = np.full(size, np.inf)
        before = np.full(size, -1)
        done = np.zeros(size, dtype=bool)
        row, walked, path = int(start), 0.0, [int(start)]
        while True:
            reach = walked + cost[row] - row_price[row] - column_price
            shorter = ~done & (reach < distance)
            distance[shorter], before[shorter] = reach[shorter], row
            column = int(np.where(done, np.inf, distance).argmin())
            walked = distance[column]
            if row_of[column] < 0:
                break
            done[column] = True
            row = int(row_of[column])
            path.append(row)
        column_price[done] += distance[done] - walked
        row_price[start] += walked
        row_price[path[1:]] += walked - distance[column_of[path[1:]]]
        while column >= 0:  # augment along the path: each of its rows takes the next column
            row = int(before[column])
            row_of[column] = row
            column_of[row], column = column, int(column_of[row])
    return column_of


def wasserstein(first: Array, second: Array) -> float:
    """W2 distance between two sets of as many points, shape=(n, d): the best matching, exactly."""
    squared = ((first[:, None] - second[None]) ** 2).sum(-1)
    return float(np.sqrt(squared[np.arange(len(squared)), assignment(squared)].mean()))


def contact_probabilities(frames: Array) -> Array:
    """How often each pair i < j is in contact, shape=(N, N), upper triangle."""
    counts = np.zeros((frames.shape[1],) * 2)
    for frame in frames:
        counts[neighbour_pairs(frame, CONTACT)] += 1.0
    return counts / len(frames)


def jaccard(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Size of the intersection over that of the union; NaN where both are empty."""
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else float("nan")


def compare_ensembles(
    samples: Array, frames: Array, reference: Array, generator: np.random.Generator
) -> dict[str, float]:
    """Every metric of a sampled ensemble for one protein.

    Parameters
    ----------
    samples : ndarray, shape=(S, N, 3)
        Å, superposed on the reference.
    frames : ndarray, shape=(F, N, 3)
        The simulation, superposed likewise.
    reference : ndarray, shape=(N, 3)
        The crystal.
    generator : numpy.random.Generator
        Draws S frames where as many frames as samples are compared.

    Returns
    -------
    dict of str to float
        ``pairwise_rmsd`` and ``md_pairwise_rmsd``, Å; ``ensemble_rmsf_r``; ``rmwd_total``, ``rmwd_translation`` and
        ``rmwd_variance``: root mean over residues of the squared W2 distance of Gaussians and its two parts, Å;
        ``md_pca_w2`` and ``joint_pca_w2``: Å per root residue; ``pc_cosine``: absolute, of the two first components;
        ``weak_contacts`` and ``transient_contacts``: Jaccard.
    """
    size = len(reference)
    drawn, others = (frames[generator.integers(0, len(frames), len(samples))] for _ in range(2))
    shift = ((samples.mean(0) - frames.mean(0)) ** 2).sum(1)
    own, true = (
        np.einsum("fia,fib->iab", *(ensemble - ensemble.mean(0),) * 2, optimize=True) / len(ensemble)
        for ensemble in (samples, frames)
    )
    spread = squared_bures(own, true)

    def projected(components: Array) -> float:
        flat = [(ensemble - reference).reshape(len(ensemble), -1) @ components.T for ensemble in (drawn, samples)]
        return wasserstein(*flat) / float(np.sqrt(size))

    components = principal_components(frames)
    first = principal_components(samples, 1)[0]
    crystal = contact_probabilities(reference[None]) > 0.5
    likely, likely_true = contact_probabilities(samples), contact_probabilities(drawn)
    return {
        "pairwise_rmsd": mean_pairwise_rmsd(samples, samples),
        "md_pairwise_rmsd": mean_pairwise_rmsd(drawn, others),
        "ensemble_rmsf_r": pearson(fluctuation(samples), fluctuation(frames)),
        "rmwd_total": float(np.sqrt((shift + spread).mean())),
        "rmwd_translation": float(np.sqrt(shift.mean())),
        "rmwd_variance": float(np.sqrt(spread.mean())),
        "md_pca_w2": projected(components),
        "joint_pca_w2": projected(principal_components(np.concatenate([drawn, samples]))),
        "pc_cosine": float(abs(components[0] @ first)),
        "weak_contacts": jaccard(crystal & (likely < WEAK), crystal & (likely_true < WEAK)),
        "transient_contacts": jaccard(~crystal & (likely > TRANSIENT), ~crystal & (likely_true > TRANSIENT)),
    }

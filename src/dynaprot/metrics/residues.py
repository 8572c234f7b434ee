"""How close predicted marginals and coupling are to those of an ensemble, one number for each metric and protein.

Definitions: section 5 of the DYNAPROT paper; docs/theory.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..datasets.labels import Labels
from ..joint.linear_algebra import matrix_power

__all__ = ["METRICS", "compare", "pearson", "shape_cosine", "spearman", "squared_bures"]

Array = NDArray[np.floating]

METRICS = ("rmsf_r", "rmwd", "symmetric_kl", "shape", "coupling_r", "coupling_r50", "amplitude")
"""Names of the metrics that `compare` returns."""


def pearson(a: Array, b: Array) -> float:
    """Pearson correlation of two vectors."""
    return float(np.corrcoef(a, b)[0, 1])


def spearman(a: Array, b: Array) -> float:
    """Spearman correlation of two vectors: Pearson of their ranks; what is equal shares its mean rank."""
    return pearson(_ranks(a), _ranks(b))


def _ranks(values: Array) -> Array:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - 0.5 * (count - 1))[place]


def shape_cosine(first: Array, second: Array) -> float:
    """Cosine between Sigma/tr Sigma - I/3 of two stacks of covariances, shape=(N, 3, 3), mean over residues.

    It compares form and direction of ellipsoids, and not their size: the factor 1/tr Sigma cancels.
    """
    a, b = (m / np.trace(m, axis1=1, axis2=2)[:, None, None] - np.eye(3) / 3 for m in (first, second))
    inner, a_squared, b_squared = ((x * y).sum((1, 2)) for x, y in ((a, b), (a, a), (b, b)))
    return float((inner / np.sqrt(np.maximum(a_squared * b_squared, 1e-12))).mean())


def squared_bures(first: Array, second: Array) -> Array:
    """Squared Bures distance, the squared W2 distance of Gaussians of one mean, of each pair of covariances.

    tr A + tr B - 2 tr (A^(1/2) B A^(1/2))^(1/2) (Bhatia, Jain & Lim 2019).

    Parameters
    ----------
    first, second : ndarray, shape=(N, 3, 3)
        Å^2.

    Returns
    -------
    ndarray, shape=(N,)
        Å^2.
    """
    root = matrix_power(first, 0.5)
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ second @ root), 0.0, None)).sum(1)
    return np.clip(np.trace(first + second, axis1=1, axis2=2) - 2.0 * cross, 0.0, None)


def compare(marginals: Array | None, coupling: Array | None, labels: Labels) -> dict[str, float]:
    """Every metric of marginals, shape=(N, 3, 3), and coupling, shape=(N, N), for one protein.

    Returns
    -------
    dict of str to float
        ``rmsf_r``: Pearson of RMSF; ``rmwd``: root mean squared Bures distance of the marginals, Å;
        ``symmetric_kl``: half the sum of both directions; ``shape``: cosine between Sigma/tr Sigma - I/3;
        ``coupling_r`` and ``coupling_r50``: Pearson over pairs, all and up to 50 residues apart;
        ``amplitude``: mean RMSF over that of the label. Metrics of what is None are left out.
    """
    figures = {} if marginals is None else _compare_marginals(marginals, labels.marginals)
    if coupling is not None:
        i, j = np.triu_indices(len(coupling), 1)
        near = j - i <= 50
        figures["coupling_r"] = pearson(coupling[i, j], labels.coupling[i, j])
        figures["coupling_r50"] = pearson(coupling[i, j][near], labels.coupling[i, j][near])
    return figures


def _compare_marginals(marginals: Array, truth: Array) -> dict[str, float]:
    size, true_size = (np.trace(m, axis1=1, axis2=2) for m in (marginals, truth))
    kl = 0.25 * np.trace(np.linalg.solve(marginals, truth) + np.linalg.solve(truth, marginals), axis1=1, axis2=2)
    return {
        "rmsf_r": pearson(np.sqrt(size), np.sqrt(true_size)),
        "rmwd": float(np.sqrt(squared_bures(marginals, truth).mean())),
        "symmetric_kl": float(kl.mean() - 1.5),
        "shape": shape_cosine(marginals, truth),
        "amplitude": float(np.sqrt(size).mean() / np.sqrt(true_size).mean()),
    }

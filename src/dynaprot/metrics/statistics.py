"""Statistics over proteins with 95 % intervals, which mean the same everywhere: whole sequence clusters are resampled.

A resample of the proteins is a whole number of copies of each. Every statistic takes these numbers as weights, many
resamples at a time, so that one definition gives both the value (all weights 1) and its bootstrap interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Interval", "Statistic", "bootstrap", "deviation", "difference", "mean", "percentile", "pooled_pearson",
]  # fmt: skip

Array = NDArray[np.floating]
Statistic = Callable[[Array], Array]
"""From weights of proteins, shape=(D, P), to values, shape=(D,); NaN where a resample has no value."""

RESAMPLES = 2000


class Interval(NamedTuple):
    """A statistic with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def text(self, decimals: int = 3) -> str:
        """The value and its interval, as ``0.812 [0.790, 0.834]``; ``-`` where the value is not defined.

        One protein has a value and no interval.
        """
        if not np.isfinite(self.value):
            return "-"
        if not np.isfinite(self.low):
            return f"{self.value:.{decimals}f}"
        return f"{self.value:.{decimals}f} [{self.low:.{decimals}f}, {self.high:.{decimals}f}]"


def percentile(values: Array, rank: float) -> Statistic:
    """Percentile `rank` of one value for each protein, shape=(P,), as `numpy.percentile` interpolates it."""
    known = np.isfinite(values)
    order = np.argsort(values[known], kind="stable")
    ascending = values[known][order]

    def statistic(weights: Array) -> Array:
        copies = np.cumsum(weights[:, known][:, order], axis=1)
        total = copies[:, -1] if len(ascending) else np.zeros(len(weights))
        result = np.full(len(weights), np.nan)
        filled = total > 0
        place = rank / 100.0 * (total[filled] - 1.0)
        lower, upper = (
            ascending[(copies[filled] <= whole[:, None]).sum(1)] for whole in (np.floor(place), np.ceil(place))
        )
        result[filled] = lower + (place - np.floor(place)) * (upper - lower)
        return result

    return statistic


def mean(values: Array) -> Statistic:
    """Mean of one value for each protein, shape=(P,)."""
    known = np.isfinite(values)

    def statistic(weights: Array) -> Array:
        total = weights[:, known].sum(1)
        return np.divide(weights[:, known] @ values[known], total, out=np.full(len(weights), np.nan), where=total > 0)

    return statistic


def deviation(values: Array) -> Statistic:
    """Standard deviation of one value for each protein, shape=(P,), as `numpy.std`: all of them, not a sample."""
    centred = values - np.nanmean(values)  # so that the moments do not cancel
    first, second = mean(centred), mean(centred**2)
    return lambda weights: np.sqrt(np.maximum(second(weights) - first(weights) ** 2, 0.0))


def difference(first: Statistic, second: Statistic) -> Statistic:
    """The first less the second of two statistics of the same proteins, which are drawn together: paired."""
    return lambda weights: first(weights) - second(weights)


def pooled_pearson(first: Sequence[Array], second: Sequence[Array]) -> Statistic:
    """Pearson correlation over the values of all proteins together; each protein brings a pair of vectors."""
    shift_first, shift_second = (np.concatenate(list(vectors)).mean() for vectors in (first, second))
    moments = []
    for a, b in zip(first, second, strict=True):
        x, y = a - shift_first, b - shift_second  # near the mean, so that the moments do not cancel
        moments.append([len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y])

    def statistic(weights: Array) -> Array:
        count, x, y, xx, yy, xy = (weights @ np.array(moments)).T
        spread = np.sqrt(np.maximum(count * xx - x * x, 0.0) * np.maximum(count * yy - y * y, 0.0))
        defined = spread > 1e-9 * np.maximum(count * np.sqrt(xx * yy), 1e-300)
        return np.divide(count * xy - x * y, spread, out=np.full(len(weights), np.nan), where=defined)

    return statistic


def bootstrap(statistic: Statistic, clusters: Sequence[int | str], seed: int = 0) -> Interval:
    """A statistic of P proteins and its 95 % bootstrap interval (Efron 1979, percentile method).

    Parameters
    ----------
    statistic : Statistic
    clusters : sequence of int or str, length=P
        Related proteins share one and are drawn together: they are not independent evidence.
    seed : int

    Returns
    -------
    Interval
        NaN where the statistic is not defined; ends are NaN too where all proteins are of one cluster.
    """
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    generator = np.random.default_rng(seed)
    copies = generator.multinomial(len(names), np.full(len(names), 1.0 / len(names)), RESAMPLES)
    value = float(statistic(np.ones((1, len(member))))[0])
    # Piece by piece: a statistic over residues needs an array as long as all proteins for each resample.
    drawn = np.concatenate([statistic(piece[:, member].astype(np.float64)) for piece in np.array_split(copies, 20)])
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(drawn) == 0 or len(names) == 1:
        return Interval(value, np.nan, np.nan)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(value, float(low), float(high))

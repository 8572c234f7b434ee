"""Ellipsoids: the surfaces that hold a residue with a given probability."""

from __future__ import annotations

from math import erf, exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from ..errors import DynaProtError

__all__ = ["axes", "contour_radius"]

Array = NDArray[np.floating]


def contour_radius(probability: float) -> float:
    """How many standard deviations the surface lies out that holds a 3D Gaussian with a probability.

    The distance r of a 3D Gaussian from its mean, in standard deviations, follows the chi distribution with
    three degrees of freedom, F(r) = erf(r / sqrt 2) - sqrt(2 / pi) r exp(-r^2 / 2).

    Parameters
    ----------
    probability : float
        Between 0 and 1, both excluded.

    Returns
    -------
    float
        The r with F(r) = probability.

    Examples
    --------
    >>> round(contour_radius(0.5), 4)
    1.5382
    """
    if not 0.0 < probability < 1.0:
        raise DynaProtError(
            f"The probability of an ellipsoid must lie between 0 and 1, not {probability}; 0.5 is usual."
        )
    # Newton's method from the inflection point of F approaches the root from one side and cannot overshoot.
    radius = sqrt(2.0)
    for _ in range(200):
        excess = erf(radius / sqrt(2.0)) - sqrt(2.0 / pi) * radius * exp(-(radius**2) / 2.0) - probability
        step = excess / (sqrt(2.0 / pi) * radius**2 * exp(-(radius**2) / 2.0))
        radius -= step
        if abs(step) < 1e-12 * radius:
            break
    return radius


def axes(marginals: Array) -> tuple[Array, Array]:
    """Principal axes of each residue's motion.

    Parameters
    ----------
    marginals : ndarray, shape=(N, 3, 3)
        Covariances, Å^2.

    Returns
    -------
    directions : ndarray, shape=(N, 3, 3)
        Row k of a residue is the unit vector of its k-th longest axis; the three are right-handed, so that
        they are a rotation.
    lengths : ndarray, shape=(N, 3)
        Standard deviations along them, longest first, Å; times `contour_radius` they are semi-axes.
    """
    variances, vectors = np.linalg.eigh(marginals)
    directions = np.swapaxes(vectors, 1, 2)[:, ::-1].copy()
    directions[:, 2] *= np.linalg.det(directions)[:, None]
    return directions, np.sqrt(np.maximum(variances[:, ::-1], 0.0))

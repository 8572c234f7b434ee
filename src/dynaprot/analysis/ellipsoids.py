"""Ellipsoids: the surfaces that hold a residue with a given probability."""

from __future__ import annotations

from math import erf, exp, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..defaults import COLOUR_PERCENTILES, MOST_MOBILE
from ..errors import DynaProtError

__all__ = [
    "Mesh",
    "axes",
    "axis_surface",
    "colour_limits",
    "contour_radius",
    "displacement_parameters",
    "drawable",
    "ellipsoid_surface",
    "within_scales",
]

Array = NDArray[np.floating]
Indices = NDArray[np.int32]

FLATTEST = 1e-3
"""Shortest semi-axis that is drawn, Å, so that a surface has a normal everywhere."""
ROD = 0.03
"""Thickness of the rods that show axes, as a share of the residue's longest axis."""


class Mesh(NamedTuple):
    """One triangulated surface of many residues.

    Attributes
    ----------
    vertices, normals : ndarray, shape=(V, 3), dtype=float32
        Positions, Å, and unit vectors that point outwards.
    triangles : ndarray, shape=(T, 3), dtype=int32
        Indices of the vertices of each triangle, anticlockwise when seen from outside.
    residue : ndarray, shape=(V,), dtype=int32
        Index of the residue that each vertex belongs to.
    """

    vertices: Array
    normals: Array
    triangles: Indices
    residue: Indices


def contour_radius(probability: float) -> float:
    """Distance, in standard deviations, of the surface that encloses a 3D Gaussian with a given probability.

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


def drawable(rmsf: Array) -> NDArray[np.bool_]:
    """Residues that get an ellipsoid, shape=(N,): those whose RMSF is not beyond `defaults.MOST_MOBILE`."""
    return rmsf <= MOST_MOBILE


def within_scales(rmsf: Array) -> Array:
    """The RMSF that scales and axes are made for: of the residues with an ellipsoid, or of all if none has one."""
    drawn = drawable(rmsf)
    return rmsf[drawn] if drawn.any() else rmsf


def colour_limits(rmsf: Array) -> tuple[float, float]:
    """RMSF at the ends of the palette, Å: percentiles, so that a few floppy residues do not take all its colours."""
    low, high = np.percentile(within_scales(rmsf), COLOUR_PERCENTILES)
    return float(low), float(high)


def displacement_parameters(marginals: Array) -> Array:
    """The six numbers of each covariance in the order of crystallographers, U11 U22 U33 U12 U13 U23.

    Parameters
    ----------
    marginals : ndarray, shape=(N, 3, 3)
        Covariances, Å^2.

    Returns
    -------
    ndarray, shape=(N, 6)
        Anisotropic displacement parameters, Å^2.
    """
    return marginals[:, (0, 1, 2, 0, 0, 1), (0, 1, 2, 1, 2, 2)]


def ellipsoid_surface(centres: Array, marginals: Array, radius: float, subdivisions: int = 3) -> Mesh:
    """The ellipsoids around residues as one surface.

    Parameters
    ----------
    centres : ndarray, shape=(N, 3)
        C-alpha positions, Å.
    marginals : ndarray, shape=(N, 3, 3)
        Covariances, Å^2.
    radius : float
        Length of the semi-axes in standard deviations, as `contour_radius` gives it.
    subdivisions : int
        Number of times that each triangle is divided into four, beginning with the 20 of an icosahedron.

    Returns
    -------
    Mesh
        A surface with 20 * 4^subdivisions triangles for each residue.
    """
    directions, lengths = axes(marginals)
    sphere, triangles = _unit_sphere(subdivisions)
    return _placed(sphere, sphere, triangles, centres, directions, radius * lengths)


def axis_surface(centres: Array, marginals: Array, radius: float) -> Mesh:
    """The three principal axes of residues as rods, which end on the surface of the ellipsoids.

    Parameters
    ----------
    centres, marginals, radius
        As for `ellipsoid_surface`.

    Returns
    -------
    Mesh
        A surface with 36 triangles for each residue.
    """
    directions, lengths = axes(marginals)
    half = radius * lengths
    thickness = ROD * half[:, :1]
    along = np.eye(3, dtype=bool)  # rod k lies along direction k
    halves = np.where(along, np.maximum(half, thickness)[:, None], thickness[:, None])
    rods = _placed(*_unit_box(), np.repeat(centres, 3, axis=0), np.repeat(directions, 3, axis=0), halves.reshape(-1, 3))
    return rods._replace(residue=rods.residue // 3)


def _unit_sphere(subdivisions: int) -> tuple[Array, Indices]:
    """A sphere of radius 1 by repeated division of an icosahedron: vertices, which are normals too, and triangles."""
    golden = (1 + sqrt(5)) / 2
    vertices = np.array(
        [cyclic for a in (-1, 1) for b in (-golden, golden) for cyclic in ((0, a, b), (a, b, 0), (b, 0, a))],
        dtype=float,
    )
    edge = np.linalg.norm(vertices[:, None] - vertices, axis=2) < 2.1
    near = edge & ~np.eye(12, dtype=bool)
    i, j, k = np.nonzero(near[:, :, None] & near[:, None] & near[None])
    triangles = np.stack([i, j, k], axis=1)[(i < j) & (j < k)]
    inward = np.linalg.det(vertices[triangles]) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    for _ in range(subdivisions):
        sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        ends, middle = np.unique(sides, axis=0, return_inverse=True)
        middle = middle.reshape(-1, 3) + len(vertices)
        vertices = np.concatenate([vertices, vertices[ends].mean(1)])
        corner = np.stack([triangles, middle, np.roll(middle, 1, axis=1)], axis=2).reshape(-1, 3)
        triangles = np.concatenate([corner, middle])
        vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    return vertices / np.linalg.norm(vertices, axis=1, keepdims=True), triangles.astype(np.int32)


def _unit_box() -> tuple[Array, Array, Indices]:
    """A box from -1 to 1 with flat faces: vertices, normals and triangles."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=float)
    vertices, normals = [], []
    for axis in range(3):
        for side in (-1.0, 1.0):
            face = np.insert(corners if side > 0 else corners[::-1], 0, side, axis=1)
            vertices.append(np.roll(face, axis, axis=1))
            normals.append(np.tile(side * np.eye(3)[axis], (4, 1)))
    fan = np.array([(0, 1, 2), (0, 2, 3)])
    triangles = (4 * np.arange(6)[:, None, None] + fan).reshape(-1, 3)
    return np.concatenate(vertices), np.concatenate(normals), triangles.astype(np.int32)


def _placed(
    vertices: Array, normals: Array, triangles: Indices, centres: Array, directions: Array, halves: Array
) -> Mesh:
    """Copies of a shape, each stretched by `halves` (M, 3) along the rows of `directions` (M, 3, 3)."""
    halves = np.maximum(halves, FLATTEST)[:, :, None]
    # Normals go with the inverse transpose, which for rotation times stretch is rotation times inverse stretch.
    stretch, unstretch = (halves * directions).astype(np.float32), (directions / halves).astype(np.float32)
    places = vertices.astype(np.float32) @ stretch
    places += centres[:, None].astype(np.float32)
    outward = (normals.astype(np.float32) @ unstretch).reshape(-1, 3)
    outward /= np.sqrt(np.einsum("vi,vi->v", outward, outward))[:, None]
    copy = np.arange(len(centres), dtype=np.int32)
    corners = (triangles + len(vertices) * copy[:, None, None]).reshape(-1, 3)
    return Mesh(places.reshape(-1, 3), outward, corners, np.repeat(copy, len(vertices)))

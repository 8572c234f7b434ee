"""Pictures of ellipsoids and tubes: an orthographic ray caster in numpy.

Seen along one direction, the front of an ellipsoid is a closed formula: with the covariance split into the
plane of the picture (p) and depth (z), it lies at

    z(d) = z0 + S_zp S_pp^-1 d + sqrt(S_z|p (1 - d' S_pp^-1 d)),    S_z|p = S_zz - S_zp S_pp^-1 S_pz,

for an offset d from the centre in the plane, which is the conditional mean and spread of a Gaussian. So no
ray is traced: each ellipsoid is evaluated on its own pixels, the nearest one wins, and light, occlusion and
outlines are computed once a pixel from what is left.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["RayCaster"]

Array = NDArray[np.floating]

DEPTH_STEPS = 2**14
"""Resolution of the depth buffer, in steps per pixel."""
DEPTH_OFFSET = 2**15
"""Added to a depth in pixels so that it is positive."""

SURFACE = 0xFFFFFFFF
"""Bits of the depth buffer that say which surface is seen."""
LIGHT = np.array([-0.42, 0.52, 0.74], dtype=np.float32)
"""Direction towards the lamp, from over the viewer's left shoulder."""
SPIRAL = np.sqrt((np.arange(32) + 0.5) / 32)[:, None] * np.stack(
    [np.cos(2.399963 * np.arange(32)), np.sin(2.399963 * np.arange(32))], axis=1
)
"""Points spread evenly over the unit disc (golden angle), where occlusion looks for neighbours."""


class RayCaster:
    """A picture in the making.

    Positions are in pixels: x to the right, y up, z towards the viewer, the origin in the middle.

    Parameters
    ----------
    width, height : int
        Pixels of the finished picture.
    supersampling : int
        Samples along each side of a pixel, averaged in the end.
    """

    def __init__(self, width: int, height: int, supersampling: int = 2) -> None:
        self.supersampling = supersampling
        self.shape = (height * supersampling, width * supersampling)
        # One number a sample: depth in the upper 32 bits, which surface in the lower. The nearest is largest.
        self.nearest = np.zeros(self.shape, dtype=np.int64)
        self.centres: list[Array] = []
        self.covariances: list[Array] = []
        self.colours: list[Array] = []
        self.tangents: list[Array] = []

    def add_ellipsoids(self, centres: Array, covariances: Array, colours: Array) -> None:
        """Add the surfaces at one standard deviation of Gaussians.

        Parameters
        ----------
        centres : ndarray, shape=(M, 3)
            Pixels.
        covariances : ndarray, shape=(M, 3, 3)
            Pixels^2; a contour further out is a covariance scaled up.
        colours : ndarray, shape=(M, 3)
            Red, green, blue from 0 to 1.
        """
        # Thinner than half a sample, a surface would fall between the rays.
        centres = self._samples(centres)
        covariances = covariances * self.supersampling**2 + 0.25 * np.eye(3)
        first = self._remember(centres, covariances, colours, np.zeros_like(centres))
        inverse, slope, spread = _conditional(covariances)
        reach = np.sqrt(covariances[:, [0, 1], [0, 1]])
        low = np.maximum(np.ceil(centres[:, :2] - reach), 0).astype(int)
        high = np.minimum(np.floor(centres[:, :2] + reach) + 1, self.shape[::-1]).astype(int)
        for k in range(len(centres)):
            (left, bottom), (right, top) = low[k], high[k]
            if left >= right or bottom >= top:
                continue
            x = np.arange(left, right) - centres[k, 0]
            y = (np.arange(bottom, top) - centres[k, 1])[:, None]
            (a, b), (_, c) = inverse[k]
            inside = 1.0 - (a * x**2 + 2.0 * b * x * y + c * y**2)
            rise = np.sqrt(spread[k] * np.maximum(inside, 0.0))
            z = centres[k, 2] + slope[k, 0] * x + slope[k, 1] * y + rise
            window = self.nearest[bottom:top, left:right]
            np.maximum(window, np.where(inside >= 0.0, _keys(z, first + k), 0), out=window)

    def add_tube(self, points: Array, tangents: Array, radius: float, colours: Array) -> None:
        """Add a tube, as spheres that overlap along a curve.

        Parameters
        ----------
        points : ndarray, shape=(M, 3)
            Points of the curve in pixels, closer together than a third of the radius.
        tangents : ndarray, shape=(M, 3)
            Unit vectors along the curve.
        radius : float
            Pixels.
        colours : ndarray, shape=(M, 3)
            Red, green, blue from 0 to 1.
        """
        points = self._samples(points)
        radius = max(radius * self.supersampling, 1.0)
        spheres = np.broadcast_to(radius**2 * np.eye(3), (len(points), 3, 3))
        first = self._remember(points, spheres, colours, tangents)
        reach = int(np.ceil(radius))
        x, y = (offset.ravel() for offset in np.meshgrid(*2 * [np.arange(-reach, reach + 1)]))
        disc = x**2 + y**2 <= radius**2
        x, y = x[disc], y[disc]
        rise = np.sqrt(radius**2 - x**2 - y**2)
        middle = np.rint(points[:, :2]).astype(int)
        seen = ((middle >= reach) & (middle < np.array(self.shape[::-1]) - reach)).all(1)
        buffer = self.nearest.reshape(-1)
        for chosen in np.array_split(np.flatnonzero(seen), max(1, len(points) * len(x) // 200_000)):
            pixel = (middle[chosen, 1, None] + y) * self.shape[1] + middle[chosen, 0, None] + x
            keys = _keys(points[chosen, 2, None] + rise, first + chosen[:, None])
            np.maximum.at(buffer, pixel.reshape(-1), keys.reshape(-1))

    def picture(self, angstrom: float) -> NDArray[np.uint8]:
        """Light the scene.

        Parameters
        ----------
        angstrom : float
            Pixels per Å: how far shadows and outlines reach.

        Returns
        -------
        ndarray, shape=(height, width, 4), dtype=uint8
            Red, green, blue and opacity, the first row on top.
        """
        factor = self.supersampling
        angstrom *= factor
        bands = [slice(start, start + 64 * factor) for start in range(0, self.shape[0], 64 * factor)]
        edge = 3 * factor // 2
        around = np.full([side + 2 * edge for side in self.shape], -DEPTH_OFFSET, dtype=np.float32)
        depth = around[edge : edge + self.shape[0], edge : edge + self.shape[1]]
        for rows in bands:  # a few rows at a time, so that memory stays small
            keys = self.nearest[rows]
            np.copyto(depth[rows], (keys >> 32) / DEPTH_STEPS - DEPTH_OFFSET, where=keys > 0, casting="same_kind")
        near = depth.max()
        sky = _open_sky(depth, angstrom, factor)
        surfaces = _Surfaces(*map(np.concatenate, (self.centres, self.covariances, self.tangents)))
        colours = np.concatenate(self.colours)
        result = np.empty((self.shape[0] // factor, self.shape[1] // factor, 4), dtype=np.uint8)

        def light(rows: slice) -> None:
            of_band = slice(rows.start // factor, rows.stop // factor)
            open_sky = sky[of_band]
            pixels = np.zeros((*open_sky.shape, 4), dtype=np.float32)
            ink = _outlines(around[rows.start : rows.stop + 2 * edge], edge, angstrom)
            for lit in _lit_samples(self.nearest[rows], depth[rows], ink, factor):
                y, x = lit.pixel
                row = factor * y + lit.place[0] + rows.start
                normals = surfaces.normals(lit.surface, factor * x + lit.place[1], row)
                colour = _lit(colours[lit.surface], normals, open_sky[y, x])
                haze = 0.55 * (1.0 - np.exp(-(((near - lit.depth) / (45.0 * angstrom)) ** 1.5)))
                colour += haze[:, None] * (1.0 - colour)
                colour *= 1.0 - ((1.0 - 0.5 * haze) * 0.85 * lit.ink)[:, None]
                pixels[y, x, :3] += lit.weight * colour
                pixels[y, x, 3] += lit.weight
            pixels[..., :3] /= np.maximum(pixels[..., 3:], 1e-6)
            result[of_band] = np.rint(255.0 * np.clip(pixels, 0.0, 1.0))

        with ThreadPoolExecutor(os.cpu_count()) as threads:  # numpy lets them run side by side
            list(threads.map(light, bands))
        return result[::-1]

    def _samples(self, positions: Array) -> Array:
        """From pixels around the middle to indices of samples."""
        shift = [(self.shape[1] - 1) / 2.0, (self.shape[0] - 1) / 2.0, 0.0]
        return positions * self.supersampling + shift

    def _remember(self, centres: Array, covariances: Array, colours: Array, tangents: Array) -> int:
        first = sum(map(len, self.centres))
        self.centres.append(centres.astype(np.float32))
        self.covariances.append(covariances.astype(np.float32))
        self.colours.append(colours.astype(np.float32))
        self.tangents.append(tangents.astype(np.float32))
        return first


def _conditional(covariances: Array) -> tuple[Array, Array, Array]:
    """S_pp^-1 (M, 2, 2), S_zp S_pp^-1 (M, 2) and S_z|p (M,) of covariances."""
    inverse = np.linalg.inv(covariances[:, :2, :2])
    slope = np.einsum("mi,mij->mj", covariances[:, 2, :2], inverse)
    return inverse, slope, np.maximum(covariances[:, 2, 2] - (slope * covariances[:, 2, :2]).sum(1), 0.0)


def _keys(depth: Array, surface: int | NDArray[np.int64]) -> NDArray[np.int64]:
    return (((depth + DEPTH_OFFSET) * DEPTH_STEPS).astype(np.int64) << 32) | surface


class _Surfaces:
    """What gives the normal of every surface, one row a surface."""

    def __init__(self, centres: Array, covariances: Array, tangents: Array) -> None:
        self.centres, self.tangents = centres, tangents
        self.inverse, self.slope, self.spread = _conditional(covariances)

    def normals(self, surface: NDArray[np.int64], x: Array, y: Array) -> Array:
        """Unit normals (P, 3) of surfaces (P,) where samples (P,) see them."""
        offset = np.stack([x, y], axis=1, dtype=np.float32) - self.centres[surface, :2]
        pull = np.einsum("pij,pj->pi", self.inverse[surface], offset)
        spread = self.spread[surface]
        height = np.sqrt(spread * np.maximum(1.0 - np.einsum("pi,pi->p", pull, offset), 0.0))[:, None]
        normal = np.concatenate([spread[:, None] * pull - height * self.slope[surface], height], axis=1)
        tangent = self.tangents[surface]  # spheres in a row look like one smooth tube
        normal -= np.einsum("pi,pi->p", normal, tangent)[:, None] * tangent
        return normal / np.maximum(np.sqrt(np.einsum("pi,pi->p", normal, normal)), 1e-6)[:, None]


class _Lit(NamedTuple):
    """Samples that are lit together, one of each pixel (y, x): those at one place within their pixels."""

    pixel: tuple[NDArray[np.int64], ...]
    place: tuple[float, float]
    surface: NDArray[np.int64]
    depth: Array
    ink: Array
    weight: float


def _lit_samples(nearest: NDArray[np.int64], depth: Array, ink: Array, factor: int) -> Iterator[_Lit]:
    """What is lit of some rows of samples: pixels that see one surface once, others sample by sample."""
    keys, depths, inks = (_tiles(samples, factor) for samples in (nearest, depth, ink))
    whole = reduce(np.minimum, keys) > 0
    for tile in keys[1:]:
        whole &= (tile ^ keys[0]) & SURFACE == 0
    middle = (factor - 1) / 2.0
    pixel = np.nonzero(whole)
    mean_depth, mean_ink = (reduce(np.add, (tile[pixel] for tile in tiles)) / factor**2 for tiles in (depths, inks))
    yield _Lit(pixel, (middle, middle), keys[0][pixel] & SURFACE, mean_depth, mean_ink, weight=1.0)
    for place, (key, deep, dark) in enumerate(zip(keys, depths, inks, strict=True)):
        pixel = np.nonzero((key > 0) & ~whole)
        of_place = (key[pixel] & SURFACE, deep[pixel], dark[pixel])
        yield _Lit(pixel, divmod(place, factor), *of_place, weight=1.0 / factor**2)


def _lit(colour: Array, normal: Array, light: Array) -> Array:
    """Lambert's law with a soft terminator, a broad highlight and light from all the sky."""
    lamp = LIGHT / np.linalg.norm(LIGHT)
    half = lamp + np.array([0.0, 0.0, 1.0], dtype=np.float32)
    half /= np.linalg.norm(half)
    diffuse = np.clip((normal @ lamp + 0.35) / 1.35, 0.0, 1.0)
    sky = 0.85 + 0.15 * normal[:, 1]
    highlight = 0.16 * np.clip(normal @ half, 0.0, 1.0) ** 24
    return colour * ((0.46 * sky + 0.68 * diffuse) * light)[:, None] + (highlight * light)[:, None]


def _open_sky(depth: Array, angstrom: float, factor: int) -> Array:
    """Share of the sky that each pixel sees past its neighbours: ambient occlusion from the depth of the samples.

    It varies slowly, and is worked out for squares of 2 x 2 pixels.
    """
    height, width = (side // factor for side in depth.shape)
    square = 2 * factor
    depth = np.pad(depth, [(0, -side % square) for side in depth.shape], constant_values=-DEPTH_OFFSET)
    depth = reduce(np.maximum, _tiles(depth, square))
    rows, columns = depth.shape

    def blocked_within(reach: float) -> Array:
        blocked = np.zeros_like(depth)
        pad = int(np.ceil(reach))
        around = np.pad(depth, pad, constant_values=-DEPTH_OFFSET)
        for x, y in np.rint(SPIRAL * reach).astype(int):
            rise = around[pad + y : pad + y + rows, pad + x : pad + x + columns] - depth
            slope = rise / (square * max(np.hypot(x, y), 1.0))
            slope -= 0.1
            np.clip(slope, 0.0, 1.2, out=slope)
            rise /= 12.0 * angstrom
            rise *= rise
            rise += 1.0
            slope /= rise
            blocked += slope
        return blocked

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # numpy lets them run side by side
        near, far = threads.map(blocked_within, (2.0 * angstrom / square, 7.0 * angstrom / square))
    blocked = near + far
    blocked /= 2 * len(SPIRAL)
    blocked = np.repeat(np.repeat(blocked, 2, axis=0), 2, axis=1)[:height, :width]
    return 1.0 - 0.75 * np.clip(_smooth(blocked), 0.0, 1.0)


def _smooth(image: Array) -> Array:
    """Mean over 5 x 5 pixels."""
    for axis in (0, 1):
        padded = np.moveaxis(np.pad(image, [(2, 2) if k == axis else (0, 0) for k in (0, 1)], mode="edge"), axis, 0)
        total = np.zeros_like(padded[: image.shape[axis]])
        for k in range(5):
            total += padded[k : k + len(total)]
        image = np.moveaxis(total / 5.0, 0, axis)
    return image


def _outlines(around: Array, thickness: int, angstrom: float) -> Array:
    """Ink, 0 to 1, where the surface behind an edge lies much deeper; of a depth with a margin of `thickness`."""
    height, width = (side - 2 * thickness for side in around.shape)
    depth = around[thickness:-thickness, thickness:-thickness]
    behind = depth.copy()
    for angle in np.arange(8) * np.pi / 4.0:
        x, y = (int(np.rint(thickness * (1.0 + f(angle)))) for f in (np.cos, np.sin))
        np.minimum(behind, around[y : y + height, x : x + width], out=behind)
    return np.clip(((depth - behind) / angstrom - 1.0) / 2.5, 0.0, 1.0)


def _tiles(samples: NDArray[Any], factor: int) -> list[NDArray[Any]]:
    """The samples at each place within a pixel, an image a place."""
    return [samples[i::factor, j::factor] for i in range(factor) for j in range(factor)]

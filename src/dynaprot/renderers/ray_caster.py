"""Pictures of ellipsoids and tubes: an orthographic ray caster in numpy.

Seen along one direction, the front of an ellipsoid is a closed formula: with the covariance split into the
plane of the picture (p) and depth (z), it lies at

    z(d) = z0 + S_zp S_pp^-1 d + sqrt(S_z|p (1 - d' S_pp^-1 d)),    S_z|p = S_zz - S_zp S_pp^-1 S_pz,

for an offset d from the centre in the plane, which is the conditional mean and spread of a Gaussian. So no
ray is traced: each ellipsoid is evaluated on its own pixels, the nearest one wins, and light, occlusion and
outlines are computed once a pixel from what is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RayCaster"]

Array = NDArray[np.floating]

DEPTH_STEPS = 2**14
"""Resolution of the depth buffer, in steps per pixel."""
DEPTH_OFFSET = 2**15
"""Added to a depth in pixels so that it is positive."""

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
        for chosen in np.array_split(np.flatnonzero(seen), max(1, len(points) * len(x) // 2_000_000)):
            pixel = (middle[chosen, 1, None] + y) * self.shape[1] + middle[chosen, 0, None] + x
            keys = _keys(points[chosen, 2, None] + rise, first + chosen[:, None])
            np.maximum.at(buffer, pixel.reshape(-1), keys.reshape(-1))

    def picture(self, angstrom: float) -> Array:
        """Light the scene.

        Parameters
        ----------
        angstrom : float
            Pixels per Å: how far shadows and outlines reach.

        Returns
        -------
        ndarray, shape=(height, width, 4), dtype=float32
            Red, green, blue and opacity from 0 to 1, the first row on top.
        """
        factor = self.supersampling
        angstrom *= factor
        covered = self.nearest > 0
        depth = (self.nearest >> 32).astype(np.float32) / DEPTH_STEPS - DEPTH_OFFSET
        depth[~covered] = -DEPTH_OFFSET
        near = depth.max()
        light = _open_sky(np.max(_tiles(depth, factor), axis=0), angstrom / factor, factor)
        ink = _outlines(depth, 3 * factor // 2, angstrom)
        surfaces = _Surfaces(*map(np.concatenate, (self.centres, self.covariances, self.tangents)))
        colours = np.concatenate(self.colours)
        result = np.empty((self.shape[0] // factor, self.shape[1] // factor, 4), dtype=np.float32)
        band = 64 * factor  # a few rows at a time, so that memory stays small
        for start in range(0, self.shape[0], band):
            rows = slice(start, start + band)
            y, x = np.nonzero(covered[rows])
            surface = self.nearest[rows][y, x] & 0xFFFFFFFF
            y += start
            colour = _lit(colours[surface], surfaces.normals(surface, x, y), light[y // factor, x // factor])
            haze = 0.55 * (1.0 - np.exp(-(((near - depth[y, x]) / (45.0 * angstrom)) ** 1.5)))
            colour += haze[:, None] * (1.0 - colour)
            colour *= 1.0 - (1.0 - 0.5 * haze[:, None]) * 0.85 * ink[y, x, None]
            samples = np.zeros((*covered[rows].shape, 4), dtype=np.float32)
            samples[y - start, x] = np.concatenate([colour, np.ones_like(colour[:, :1])], axis=1)
            result[start // factor : (start + band) // factor] = np.mean(_tiles(samples, factor), axis=0)
        result[..., :3] /= np.maximum(result[..., 3:], 1e-6)
        return np.clip(result[::-1], 0.0, 1.0)

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

    def normals(self, surface: NDArray[np.int64], x: NDArray[np.int64], y: NDArray[np.int64]) -> Array:
        """Unit normals (P, 3) of surfaces (P,) where samples (P,) see them."""
        offset = np.stack([x, y], axis=1) - self.centres[surface, :2]
        pull = np.einsum("pij,pj->pi", self.inverse[surface], offset)
        spread = self.spread[surface]
        height = np.sqrt(spread * np.maximum(1.0 - (pull * offset).sum(1), 0.0))[:, None]
        normal = np.concatenate([spread[:, None] * pull - height * self.slope[surface], height], axis=1)
        tangent = self.tangents[surface]  # spheres in a row look like one smooth tube
        normal -= (normal * tangent).sum(1, keepdims=True) * tangent
        return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)


def _lit(colour: Array, normal: Array, light: Array) -> Array:
    """Lambert's law with a soft terminator, a broad highlight and light from all the sky."""
    lamp = LIGHT / np.linalg.norm(LIGHT)
    half = lamp + np.array([0.0, 0.0, 1.0], dtype=np.float32)
    half /= np.linalg.norm(half)
    diffuse = np.clip((normal @ lamp + 0.35) / 1.35, 0.0, 1.0)
    sky = 0.85 + 0.15 * normal[:, 1]
    highlight = 0.16 * np.clip(normal @ half, 0.0, 1.0) ** 24
    return colour * ((0.46 * sky + 0.68 * diffuse) * light)[:, None] + (highlight * light)[:, None]


def _open_sky(depth: Array, angstrom: float, scale: int) -> Array:
    """Share of the sky that each pixel sees past its neighbours: ambient occlusion from the depth buffer."""
    height, width = depth.shape
    blocked = np.zeros_like(depth)
    for reach in (2.0 * angstrom, 7.0 * angstrom):
        pad = int(np.ceil(reach))
        around = np.pad(depth, pad, constant_values=-DEPTH_OFFSET)
        for x, y in np.rint(SPIRAL * reach).astype(int):
            rise = around[pad + y : pad + y + height, pad + x : pad + x + width] - depth
            slope = rise / (scale * max(np.hypot(x, y), 1.0))
            blocked += np.clip(slope - 0.1, 0.0, 1.2) / (1.0 + (rise / (12.0 * angstrom * scale)) ** 2)
    blocked /= 2 * len(SPIRAL)
    return 1.0 - 0.75 * np.clip(_smooth(blocked), 0.0, 1.0)


def _smooth(image: Array) -> Array:
    """Mean over 5 x 5 pixels."""
    for axis in (0, 1):
        padded = np.pad(image, [(2, 2) if k == axis else (0, 0) for k in (0, 1)], mode="edge")
        size = image.shape[axis]
        image = np.mean([np.take(padded, range(k, k + size), axis=axis) for k in range(5)], axis=0)
    return image


def _outlines(depth: Array, thickness: int, angstrom: float) -> Array:
    """Ink, 0 to 1, where the surface behind an edge lies much deeper."""
    height, width = depth.shape
    around = np.pad(depth, thickness, constant_values=-DEPTH_OFFSET)
    behind = depth.copy()
    for angle in np.arange(8) * np.pi / 4.0:
        x, y = (int(np.rint(thickness * (1.0 + f(angle)))) for f in (np.cos, np.sin))
        np.minimum(behind, around[y : y + height, x : x + width], out=behind)
    return np.clip(((depth - behind) / angstrom - 1.0) / 2.5, 0.0, 1.0)


def _tiles(samples: Array, factor: int) -> list[Array]:
    """The samples at each place within a pixel, an image a place."""
    return [samples[i::factor, j::factor] for i in range(factor) for j in range(factor)]

"""Images of ellipsoids and tubes: an orthographic ray caster in numpy.

Seen along one direction, the front of an ellipsoid has a closed formula: with the covariance split into the
plane of the picture (p) and depth (z), it lies at

    z(d) = z0 + S_zp S_pp^-1 d + sqrt(S_z|p (1 - d' S_pp^-1 d)),    S_z|p = S_zz - S_zp S_pp^-1 S_pz,

for an offset d from the centre in the plane, which is the conditional mean and spread of a Gaussian. So no
ray is traced: each ellipsoid is evaluated on its own samples, the nearest one wins, and light, occlusion and
outlines are computed once a pixel from what is left.

The picture is made in tiles, so that the arrays at work stay in the processor's cache, and in single precision:
scalars beside arrays are Python's own numbers, since one of numpy's would turn a whole array into double precision.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["RayCaster", "Scene", "Seen"]

Array = NDArray[np.floating]
Indices = NDArray[np.integer]

TILE = 192
"""Pixels along a tile: for a larger one, threads would release and allocate memory after each."""
SQUARE = 2
"""Pixels along a square: occlusion varies slowly, and is computed once in each."""
FAR = -1e6
"""Depth where no surface is seen, in samples."""
STEPS = 2**10
"""Resolution of a depth that is an integer, in steps per sample."""
SURFACE = 0xFFFFFFFF
"""Lower half of an integer that holds a depth and, there, a surface."""
LIGHT = np.array([-0.42, 0.52, 0.74], dtype=np.float32)
"""Direction towards the lamp, from over the viewer's left shoulder."""
SPIRAL = np.sqrt((np.arange(32) + 0.5) / 32)[:, None] * np.stack(
    [np.cos(2.399963 * np.arange(32)), np.sin(2.399963 * np.arange(32))], axis=1
)
"""Points spread evenly over the unit disc (golden angle), where occlusion looks for neighbours."""


class RayCaster:
    """A picture to which surfaces are added, and which is then lit.

    Positions are in pixels: x to the right, y up, z towards the viewer, the origin in the middle.

    Parameters
    ----------
    width, height : int
        Pixels of the finished picture.
    supersampling : int
        Number of samples along each side of a pixel; they are averaged at the end.
    """

    def __init__(self, width: int, height: int, supersampling: int = 2) -> None:
        self.width, self.height = width, height
        self.supersampling = supersampling
        self.shapes: list[_Shapes] = []

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
        self.shapes.append(_Shapes(_cast_ellipsoids, centres, covariances, colours, np.zeros_like(centres)))

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
        spheres = np.tile(radius**2 * np.eye(3), (len(points), 1, 1))
        self.shapes.append(_Shapes(_cast_spheres, points, spheres, colours, tangents))

    def scene(self, density: float) -> Scene:
        """The surfaces added so far, in samples: so many along each side of a pixel."""
        shapes = [group for group in self.shapes if len(group.centres)]
        return Scene(shapes, np.array([self.width, self.height]), density)

    def picture(self, angstrom: float) -> NDArray[np.uint8]:
        """Light the scene.

        Parameters
        ----------
        angstrom : float
            Pixels per Å, which set how far shadows and outlines reach.

        Returns
        -------
        ndarray, shape=(height, width, 4), dtype=uint8
            Red, green, blue and opacity, the first row on top.
        """
        size = np.array([self.width, self.height])
        squares = self.scene(1.0 / SQUARE).cast(np.zeros(2, dtype=int), -(-size // SQUARE)).depth
        picture = np.empty((self.height, self.width, 4), dtype=np.uint8)
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # numpy lets them run side by side
            light = _Light(
                self.scene(self.supersampling),
                self.supersampling,
                float(angstrom) * self.supersampling,
                float(squares.max()) * SQUARE * self.supersampling,
                _exposure(squares, float(angstrom) / SQUARE, threads),
            )

            def draw(low: Indices) -> None:
                high = np.minimum(low + TILE, size)
                picture[low[1] : high[1], low[0] : high[0]] = light.tile(low, high)

            corners = [np.array([x, y]) for y in range(0, self.height, TILE) for x in range(0, self.width, TILE)]
            list(threads.map(draw, corners))
        return picture[::-1]


class Seen(NamedTuple):
    """What a window of samples sees, the first row at the bottom."""

    depth: Array
    """Towards the viewer, in samples; `FAR` where nothing is seen."""
    surface: NDArray[np.int32]
    """Number of the surface, from 1 in the order they were added; 0 where nothing is seen."""

    def window(self, rows: slice, columns: slice) -> Seen:
        """A part of it, to read or to write."""
        return Seen(self.depth[rows, columns], self.surface[rows, columns])

    def add(self, depth: Array, surface: int | np.integer | Indices) -> None:
        """Put a surface wherever it is nearer than what was seen before; where its depth is NaN, it is not."""
        nearer = depth > self.depth
        np.copyto(self.depth, depth, where=nearer)
        np.copyto(self.surface, surface, where=nearer, casting="same_kind")


class _Shapes(NamedTuple):
    """Surfaces that are cast in the same way, in pixels around the middle: M ellipsoids, or M spheres of one size."""

    cast: Callable[[Seen, Array, Array, int], None]
    centres: Array
    covariances: Array
    colours: Array
    tangents: Array


class Scene:
    """Surfaces in samples, counted from the picture's lower left corner.

    Parameters
    ----------
    shapes : list of _Shapes
        Surfaces as they were added to a `RayCaster`.
    size : ndarray, shape=(2,), dtype=int
        Width and height of the picture, pixels.
    density : float
        Number of samples along each side of a pixel.
    """

    def __init__(self, shapes: list[_Shapes], size: Indices, density: float) -> None:
        middle = np.append(density * size / 2.0 - 0.5, 0.0)
        self.casts = [group.cast for group in shapes]
        self.centres = [density * group.centres + middle for group in shapes]
        # Thinner than half a sample, a surface would fall between the rays.
        self.covariances = [density**2 * group.covariances + 0.25 * np.eye(3) for group in shapes]
        columns = [
            np.concatenate([group.colours.T, group.tangents.T, centres[:, :2].T, _conditional(covariances)])
            for group, centres, covariances in zip(shapes, self.centres, self.covariances, strict=True)
        ]
        table = np.concatenate([np.zeros((14, 1)), *columns], axis=1, dtype=np.float32)  # number 0 is no surface
        self.colours, self.geometry = table[:3], table[3:]

    def cast(self, low: Indices, high: Indices) -> Seen:
        """What the samples of a window see, of which `low` (x, y) is the first and `high` the end."""
        shape = tuple(high - low)[::-1]
        seen = Seen(np.full(shape, FAR, dtype=np.float32), np.zeros(shape, dtype=np.int32))
        first = 1
        for cast, centres, covariances in zip(self.casts, self.centres, self.covariances, strict=True):
            cast(seen, centres - [*low, 0.0], covariances, first)
            first += len(centres)
        return seen

    def normals(self, surface: Indices, x: Array, y: Array) -> Array:
        """Unit normals (3, P) of surfaces (P,) where samples (P,) see them."""
        *tangent, centre_x, centre_y, a, b, c, slope_x, slope_y, spread = self.geometry.take(surface, axis=1)
        x = x.astype(np.float32) - centre_x
        y = y.astype(np.float32) - centre_y
        pull_x, pull_y = a * x + b * y, b * x + c * y
        height = np.sqrt(spread * np.maximum(1.0 - pull_x * x - pull_y * y, 0.0))
        normal = np.stack([spread * pull_x - height * slope_x, spread * pull_y - height * slope_y, height])
        normal -= (normal * tangent).sum(0) * tangent  # spheres in a row look like one smooth tube
        return normal / np.maximum(np.sqrt((normal**2).sum(0)), 1e-6)


def _cast_ellipsoids(seen: Seen, centres: Array, covariances: Array, first: int) -> None:
    """Cast ellipsoids, in samples of the window, that are numbered from `first`."""
    reach = np.sqrt(covariances[:, [0, 1], [0, 1]])
    low = np.maximum(np.ceil(centres[:, :2] - reach), 0).astype(int)
    high = np.minimum(np.floor(centres[:, :2] + reach) + 1, seen.depth.shape[::-1]).astype(int)
    shown = np.flatnonzero((low < high).all(1))
    numbers = np.concatenate([centres[shown].T, _conditional(covariances[shown])]).T.tolist()
    for k, (x0, y0, z0, a, b, c, slope_x, slope_y, spread) in zip(shown, numbers, strict=True):
        (left, bottom), (right, top) = low[k], high[k]
        x = np.arange(left, right, dtype=np.float32) - x0
        y = np.arange(bottom, top, dtype=np.float32)[:, None] - y0
        # S_z|p (1 - d' S_pp^-1 d), its root, and the plane that this stands on.
        front = (spread * a) * x + (2.0 * spread * b) * y
        front *= -x
        front += spread - (spread * c) * y**2
        with np.errstate(invalid="ignore"):  # outside, the root is not a number
            np.sqrt(front, out=front)
        front += slope_x * x + z0
        front += slope_y * y
        seen.window(slice(bottom, top), slice(left, right)).add(front, first + k)


def _cast_spheres(seen: Seen, centres: Array, covariances: Array, first: int) -> None:
    """Cast spheres of one size, in samples of the window, that are numbered from `first`: the same disc for each."""
    reach = round(math.sqrt(covariances[0, 0, 0]) - 0.5)
    radius = reach + 0.5  # the outermost row of the disc is then so wide that discs in a row have one smooth edge
    x, y = (offset.ravel() for offset in np.meshgrid(*2 * [np.arange(-reach, reach + 1)]))
    disc = x**2 + y**2 <= radius**2
    x, y = x[disc], y[disc]
    margin = 2 * reach
    height, width = (side + 2 * margin for side in seen.depth.shape)
    middle = np.rint(centres[:, :2]).astype(int) + margin
    shown = np.flatnonzero(((middle >= reach) & (middle < np.array([width, height]) - reach)).all(1))
    if len(shown) == 0:
        return
    # Depth in the upper half of a number and surface in the lower: the nearest is largest.
    nearest = np.full((height, width), _steps(FAR), dtype=np.int64)
    pixel = middle[shown, 1] * width + middle[shown, 0]
    front = _steps(centres[shown, 2]) + first + shown
    rise = _steps(np.sqrt(radius**2 - x**2 - y**2))
    for part in np.array_split(np.arange(len(shown)), max(1, len(shown) * len(x) // 50_000)):
        place = pixel[part, None] + (y * width + x)
        np.maximum.at(nearest.reshape(-1), place.reshape(-1), (front[part, None] + rise).reshape(-1))
    nearest = nearest[margin : height - margin, margin : width - margin]
    depth = (nearest >> 32).astype(np.float32)
    depth /= STEPS
    seen.add(depth, nearest & SURFACE)


def _steps(depth: float | Array) -> Any:
    return np.multiply(depth, STEPS).astype(np.int64) << 32


def _conditional(covariances: Array) -> Array:
    """Rows S_pp^-1 (xx, xy, yy), S_zp S_pp^-1 (x, y) and S_z|p of covariances, shape (6, M)."""
    xx, xy, yy = covariances[:, [0, 0, 1], [0, 1, 1]].T
    xz, yz, zz = covariances[:, 2].T
    a, b, c = np.stack([yy, -xy, xx]) / (xx * yy - xy**2)
    slope_x, slope_y = a * xz + b * yz, b * xz + c * yz
    return np.stack([a, b, c, slope_x, slope_y, np.maximum(zz - slope_x * xz - slope_y * yz, 0.0)])


class _Light(NamedTuple):
    """A scene with the light that falls on it and the haze between it and the viewer."""

    scene: Scene
    factor: int
    """Number of samples along each side of a pixel."""
    angstrom: float
    """Samples per Å."""
    near: float
    """Depth of the nearest surface, in samples."""
    exposure: Array
    """Share of the surrounding light that reaches each square (ambient occlusion), with a margin of one square."""

    def tile(self, low: Indices, high: Indices) -> NDArray[np.uint8]:
        """Red, green, blue and opacity (rows, columns, 4) of a window of pixels, the first row at the bottom."""
        width, height = high - low
        edge = 3 * self.factor // 2  # as far as outlines reach
        around = self.scene.cast(self.factor * low - edge, self.factor * high + edge)
        if not around.surface.any():
            return np.zeros((height, width, 4), dtype=np.uint8)
        seen = around.window(slice(edge, -edge), slice(edge, -edge))
        outline = _outlines(around.depth, edge, self.angstrom)
        exposure = _pixels(self.exposure, low, high).reshape(-1)
        pixels = np.zeros((4, len(exposure)), dtype=np.float32)
        for lit in _lit_samples(seen, outline, self.factor):
            normals = self.scene.normals(lit.surface, lit.x + self.factor * low[0], lit.y + self.factor * low[1])
            colour = _lit(self.scene.colours.take(lit.surface, axis=1), normals, exposure.take(lit.pixel))
            haze = _haze((self.near - lit.depth) / self.angstrom)
            colour += haze * (1.0 - colour)
            colour *= 1.0 - (1.0 - 0.5 * haze) * 0.85 * lit.outline
            for channel, value in zip(pixels, (*colour, 1.0), strict=True):
                channel[lit.pixel] += lit.weight * value
        pixels[:3] /= np.maximum(pixels[3], 1e-6)
        levels = np.rint(255.0 * np.clip(pixels, 0.0, 1.0)).astype(np.uint8)
        return levels.reshape(4, height, width).transpose(1, 2, 0)


class _Lit(NamedTuple):
    """Samples of a tile that are lit together, at most one of each pixel."""

    pixel: Indices
    x: Array
    y: Array
    surface: Indices
    depth: Array
    outline: Array
    weight: float


def _lit_samples(seen: Seen, outline: Array, factor: int) -> Iterator[_Lit]:
    """The samples of a tile to light: one for each pixel that shows a single surface, all of the others."""
    width = outline.shape[1] // factor
    surface, depth, outline = (_places(samples, factor) for samples in (seen.surface, seen.depth, outline))
    alike = (surface == surface[0]).all(0)
    middle = (factor - 1) / 2.0
    pixel = np.flatnonzero(alike & (surface[0] > 0))
    y, x = np.divmod(pixel, width)
    mean_depth, mean_outline = (samples.take(pixel, axis=1).mean(0) for samples in (depth, outline))
    x, y = factor * x + middle, factor * y + middle
    yield _Lit(pixel, x, y, surface[0].take(pixel), mean_depth, mean_outline, weight=1.0)
    mixed = np.flatnonzero(~alike)
    for place in range(factor**2):
        pixel = mixed[surface[place].take(mixed) > 0]
        y, x = np.divmod(pixel, width)
        x, y = factor * x + place % factor, factor * y + place // factor
        surface_there, depth_there, outline_there = (
            samples[place].take(pixel) for samples in (surface, depth, outline)
        )
        yield _Lit(pixel, x, y, surface_there, depth_there, outline_there, weight=1.0 / factor**2)


def _places(samples: NDArray[Any], factor: int) -> NDArray[Any]:
    """Samples (factor^2, pixels), by their place within a pixel."""
    height, width = (side // factor for side in samples.shape)
    return samples.reshape(height, factor, width, factor).transpose(1, 3, 0, 2).reshape(factor**2, -1)


def _lit(colour: Array, normal: Array, light: Array) -> Array:
    """Lambert's law with a soft terminator, a broad highlight and light from all around."""
    lamp = LIGHT / np.linalg.norm(LIGHT)
    half = lamp + np.array([0.0, 0.0, 1.0], dtype=np.float32)
    half /= np.linalg.norm(half)
    diffuse = np.clip((lamp @ normal + 0.35) / 1.35, 0.0, 1.0)
    ambient = 0.85 + 0.15 * normal[1]
    shine = np.maximum(half @ normal, 0.0)
    shine = shine * shine * shine
    for _ in range(3):  # to the 24th power, in a fiftieth of the time that numpy's own takes
        shine *= shine
    return colour * ((0.46 * ambient + 0.68 * diffuse) * light) + 0.16 * shine * light


def _haze(away: Array) -> Array:
    """Share of white that is mixed into what lies so many Å behind the nearest surface."""
    away = np.maximum(away / 45.0, 0.0)
    return 0.55 * (1.0 - np.exp(-away * np.sqrt(away)))


def _exposure(depth: Array, angstrom: float, threads: ThreadPoolExecutor) -> Array:
    """Share of the surrounding light that reaches each square past its neighbours: ambient occlusion.

    The result has a margin of one square.
    """
    reaches = (2.0 * angstrom, 7.0 * angstrom)
    margin = math.ceil(max(reaches))
    around = np.pad(depth, margin, constant_values=FAR)
    offsets = [offset for reach in reaches for offset in np.rint(SPIRAL * reach).astype(int).tolist()]

    def blocked(here: Indices) -> Array:
        level = around.take(here)
        total = np.zeros_like(level)
        for x, y in offsets:
            rise = around.take(here + (y * around.shape[1] + x))
            rise -= level
            slope = rise * (1.0 / max(math.hypot(x, y), 1.0))
            slope -= 0.1
            np.clip(slope, 0.0, 1.2, out=slope)
            rise *= 1.0 / (12.0 * angstrom)
            rise *= rise
            rise += 1.0
            slope /= rise
            total += slope
        return total

    covered = depth > FAR
    row, column = np.nonzero(covered)
    here = (row + margin) * around.shape[1] + column + margin
    parts = np.array_split(here, max(1, len(here) // 32768))
    share = np.zeros_like(depth)
    share[covered] = np.concatenate(list(threads.map(blocked, parts)))
    share *= 0.75 / len(offsets)
    # The mean over neighbours that are covered: the background lets no light through to them.
    share, weight = (_mean(np.pad(squares, 2)) for squares in (share, covered.astype(np.float32)))
    return 1.0 - np.clip(share / np.clip(weight, 0.1, 1.0), 0.0, 0.75)


def _pixels(squares: Array, low: Indices, high: Indices) -> Array:
    """A window of pixels from squares with a margin of one, each running into the next."""
    (left, bottom), (right, top) = low // SQUARE, -(-high // SQUARE)
    squares = squares[bottom : top + 2, left : right + 2]
    pixels = _mean(squares.repeat(SQUARE, axis=0).repeat(SQUARE, axis=1))
    return pixels[SQUARE - 1 :, SQUARE - 1 :][: high[1] - low[1], : high[0] - low[0]]


def _mean(image: Array) -> Array:
    """Over 3 x 3, one row and column less on each side."""
    rows = image[:-2] + image[1:-1] + image[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9.0


def _outlines(around: Array, thickness: int, angstrom: float) -> Array:
    """Darkness of outlines, 0 to 1, where the surface behind an edge lies much deeper.

    The depth `around` a tile has a margin of `thickness` samples.
    """
    height, width = (side - 2 * thickness for side in around.shape)
    depth = around[thickness:-thickness, thickness:-thickness]
    behind = depth.copy()
    for angle in np.arange(8) * np.pi / 4.0:
        x, y = (int(np.rint(thickness * (1.0 + f(angle)))) for f in (np.cos, np.sin))
        np.minimum(behind, around[y : y + height, x : x + width], out=behind)
    return np.clip((depth - behind) * (0.4 / angstrom) - 0.4, 0.0, 1.0)

"""The axis along chains: author's residue numbers, secondary structure as helices and arrows, and RMSF as a curve."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.patches import Polygon
from matplotlib.ticker import Locator
from numpy.typing import NDArray

from ..analysis.ellipsoids import colour_limits, within_scales
from ..notices import Notice
from .figure import FOREGROUND, MOBILITY

__all__ = [
    "MARKS",
    "ResidueLocator",
    "author_numbers",
    "chains",
    "draw_beyond",
    "draw_chain_boundaries",
    "draw_marks",
    "draw_mobility",
    "draw_secondary_structure",
    "marked",
    "mobility_limits",
    "numbered_places",
    "top_of_axis",
]  # fmt: skip

Array = NDArray[np.floating]

BOUNDARY = "#5F6670"
"""Line between two chains, visible on a coupling map, on a white figure and in a dark window."""
MARKS = {"gap": ("#C2410C", "at a gap of the chain"), "loose": ("#7C3AED", "loosely held")}
"""Kinds of notice whose residues are marked, each with its colour and its words in a legend."""
HELIX_FRONT, HELIX_BACK, STRAND, COIL = "#8C93A3", "#3F4757", "#5E6B7F", "#9AA0AB"


def chains(chain_ids: NDArray[np.str_]) -> list[NDArray[np.int64]]:
    """Residues of each chain, chains in the order in which they first appear."""
    return [np.flatnonzero(chain_ids == name) for name in dict.fromkeys(chain_ids)]


def author_numbers(residue_ids: NDArray[np.str_]) -> Array:
    """Residue numbers (N,) without insertion codes, NaN where an id is not a number."""
    found = [re.fullmatch(r"(-?\d+)[A-Za-z]?", label) for label in residue_ids]
    return np.array([float(match[1]) if match else np.nan for match in found])


def numbered_places(residue_ids: NDArray[np.str_], room: int) -> list[int]:
    """Residues at which to write a number: round numbers, as many as there is room for.

    Parameters
    ----------
    residue_ids : ndarray, shape=(N,), dtype=str
        Residue ids of one chain.
    room : int
        Number of labels that fit.

    Returns
    -------
    list of int
        Indices into `residue_ids`.
    """
    numbers = author_numbers(residue_ids)
    plain = np.array([label[-1:].isdecimal() for label in residue_ids]) & (numbers != 0.0)
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000):
        places = np.flatnonzero((numbers % step == 0) & plain)
        if len(places) <= room:
            return places.tolist() or [0][:room]
    return []


class ResidueLocator(Locator):
    """Ticks at round residue numbers of each chain, as many as there is room for; they follow zoom and size.

    Parameters
    ----------
    chain_ids, residue_ids : ndarray, shape=(N,), dtype=str
        Residue k stands at k.
    spacing : float
        Room for one number, in points.
    """

    axis: XAxis | YAxis

    def __init__(self, chain_ids: NDArray[np.str_], residue_ids: NDArray[np.str_], spacing: float = 28.0) -> None:
        self.chains = chains(chain_ids)
        self.residue_ids = residue_ids
        self.spacing = spacing
        self._view: tuple[float, ...] = ()
        self._ticks: list[int] = []

    def __call__(self) -> list[int]:
        low, high = sorted(self.axis.get_view_interval())
        view = low, high, self._length()
        if view != self._view:  # each drawing asks many times
            self._view, self._ticks = view, self._places(*view)
        return self._ticks

    def _places(self, low: float, high: float, points: float) -> list[int]:
        ticks: list[int] = []
        for residues in self.chains:
            shown = residues[(residues > low) & (residues < high)]
            room = int(points * len(shown) / (high - low) / self.spacing)
            ticks += shown[numbered_places(self.residue_ids[shown], room)].tolist() if room else []
        return ticks

    def tick_values(self, vmin: float, vmax: float) -> list[int]:
        """The ticks, which depend on the axis and not on two numbers alone."""
        return self()

    def _length(self) -> float:
        extent = self.axis.axes.get_window_extent()
        pixels = extent.width if self.axis.axis_name == "x" else extent.height
        return 72.0 * pixels / self.axis.axes.figure.dpi


def draw_chain_boundaries(
    axes: Axes, chain_ids: NDArray[np.str_], colour: str = FOREGROUND, upright: bool = False
) -> None:
    """Draw a line where one chain ends and the next begins, and name each at the axes' upper edge.

    Parameters
    ----------
    axes : Axes
        Residue k stands at k along x, and along y too if upright.
    chain_ids : ndarray, shape=(N,), dtype=str
    colour : str
        Colour of the names.
    upright : bool
        Whether the chains run along y as well.
    """
    for residues in chains(chain_ids):
        first, middle, name = residues[0], residues.mean(), chain_ids[residues[0]]
        if first > 0:
            axes.axvline(first - 0.5, color=BOUNDARY, linewidth=0.5)
        axes.annotate(
            name, (middle, 1.0), (0, 2), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="center", va="bottom", weight="bold", color=colour, annotation_clip=True,
        )  # fmt: skip
        if upright:
            if first > 0:
                axes.axhline(first - 0.5, color=BOUNDARY, linewidth=0.5)
            axes.annotate(
                name, (1.0, middle), (3, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                ha="left", va="center", weight="bold", color=colour, annotation_clip=True,
            )  # fmt: skip


def mobility_limits(rmsf: Array) -> Normalize:
    """RMSF at the ends of the palette; see `colour_limits`."""
    return Normalize(*colour_limits(rmsf))


def top_of_axis(rmsf: Array) -> float:
    """End of an axis of RMSF, Å; see `within_scales`."""
    return 1.06 * float(within_scales(rmsf).max())


def draw_beyond(axes: Axes, places: NDArray[np.int64], rmsf: Array, colour: str = FOREGROUND) -> None:
    """Say how far residues move whose RMSF lies beyond the end of the axis.

    Parameters
    ----------
    axes : Axes
    places, rmsf
        As in `draw_mobility`.
    colour : str
    """
    if len(rmsf) and rmsf.max() > axes.get_ylim()[1]:
        farthest = places[rmsf.argmax()]
        axes.annotate(
            f"to {rmsf.max():.0f} Å", (farthest, 1.0), (0, 2), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="right" if farthest > places.mean() else "left", va="bottom", fontsize=7.0,
            color=colour,
        )  # fmt: skip


def draw_mobility(
    axes: Axes, places: NDArray[np.int64], rmsf: Array, limits: Normalize, colour: str = FOREGROUND
) -> None:
    """Draw RMSF along one stretch of chain; below the curve, each height has the colour that it has in 3D.

    Parameters
    ----------
    axes : Axes
    places : ndarray, shape=(N,), dtype=int
        Places of the residues along the axis.
    rmsf : ndarray, shape=(N,)
        RMSF of each residue, Å.
    limits : Normalize
        RMSF at the ends of the palette.
    colour : str
        Colour of the curve.
    """
    heights = np.linspace(0.0, rmsf.max(), 256)
    left, right = places[0] - 0.5, places[-1] + 0.5
    colours = MOBILITY(limits(heights))[:, None].astype(np.float32)
    colours[:, 0, 3] = 0.25 + 0.75 * np.clip(limits(heights), 0.0, 1.0)
    ramp = axes.imshow(colours, extent=(left, right, 0.0, heights[-1]), origin="lower", aspect="auto")
    x = np.concatenate([[left], places, [right]])
    y = np.concatenate([rmsf[:1], rmsf, rmsf[-1:]])
    area = [(left, 0.0), *zip(x, y, strict=True), (right, 0.0)]
    ramp.set_clip_path(Polygon(area, transform=axes.transData))
    axes.plot(x, y, color=colour, linewidth=0.8)


def draw_marks(
    axes: Axes, notices: Sequence[Notice], residues: NDArray[np.int64], places: NDArray[np.int64], height: float
) -> None:
    """Draw a thin line along residues at a gap and along those that are loosely held.

    Parameters
    ----------
    axes : Axes
        The strip to draw on.
    notices : sequence of Notice
    residues, places : ndarray, shape=(N,), dtype=int
        Residues of a chain, or a part of it, and their places along the axis.
    height : float
        Where the line lies across the strip.
    """
    for kind, (colour, _) in MARKS.items():
        about = marked(notices, kind)
        at = places[np.isin(residues, about)]
        for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if len(at) else []:
            ends = [run[0] - 0.5, run[-1] + 0.5]
            line = axes.plot(ends, [height, height], color=colour, linewidth=2.0, solid_capstyle="butt", label=kind)
            line[0].set_clip_on(False)


def marked(notices: Sequence[Notice], kind: str) -> NDArray[np.int64]:
    """Residues that notices of a kind are about."""
    return np.unique(np.concatenate([[], *(notice.residues for notice in notices if notice.kind == kind)])).astype(int)


def draw_secondary_structure(axes: Axes, places: NDArray[np.int64], letters: str, upright: bool = False) -> None:
    """Draw a stretch of chain as a line with helices and arrows.

    Parameters
    ----------
    axes : Axes
        The strip to draw on; across it, values run from -1 to 1.
    places : ndarray, shape=(N,), dtype=int
        Places of the residues along the strip, one apart within a stretch.
    letters : str
        N letters of H, E and -.
    upright : bool
        Whether the chain runs along y.
    """
    polygons: list[tuple[str, Array]] = []
    residues = iter(places)
    for letter, run in groupby(letters):
        stretch = [next(residues) for _ in run]
        start, end = stretch[0] - 0.5, stretch[-1] + 0.5
        if letter == "H":
            polygons += _helix(start, end)
        elif letter == "E":
            head = max(start, end - 2.5)
            body, barb = 0.45, 0.95
            x = [start, head, head, end, head, head, start]
            y = [-body, -body, -barb, 0.0, barb, body, body]
            polygons.append((STRAND, np.stack([x, y], axis=1)))
        else:
            polygons.append((COIL, _box(start, end, 0.09)))
    shapes = [shape[:, ::-1] if upright else shape for _, shape in polygons]
    axes.add_collection(PolyCollection(shapes, facecolors=[colour for colour, _ in polygons], linewidths=0.0))


def _helix(start: float, end: float) -> list[tuple[str, Array]]:
    """A ribbon wound in turns of 3.6 residues: its back first, its front over it."""
    halves = max(3, round((end - start) / 1.8)) | 1  # odd: it begins and ends in front
    rise = (end - start) / (halves + 0.8)  # along the axis in half a turn
    t = np.linspace(0.0, 1.0, 9)
    edge = np.stack([rise * t, -0.95 * np.cos(np.pi * t)], axis=1)
    half_turn = np.concatenate([edge, edge[::-1] + np.array([0.8 * rise, 0.0])])
    shapes = [half_turn * [1, -1 if k % 2 else 1] + np.array([start + k * rise, 0.0]) for k in range(halves)]
    return [(HELIX_BACK, shape) for shape in shapes[1::2]] + [(HELIX_FRONT, shape) for shape in shapes[::2]]


def _box(start: float, end: float, half: float) -> Array:
    return np.array([(start, -half), (end, -half), (end, half), (start, half)])

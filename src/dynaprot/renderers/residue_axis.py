"""The axis along a chain: author's residue numbers, and secondary structure as helices and arrows."""

from __future__ import annotations

import re
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import NDArray

__all__ = ["author_numbers", "chains", "draw_secondary_structure", "numbered_places"]

Array = NDArray[np.floating]

HELIX_FRONT, HELIX_BACK, STRAND, COIL = "#8C93A3", "#3F4757", "#5E6B7F", "#9AA0AB"


def chains(chain_ids: NDArray[np.str_]) -> list[NDArray[np.int64]]:
    """Residues of each chain, chains in the order in which they first appear."""
    return [np.flatnonzero(chain_ids == name) for name in dict.fromkeys(chain_ids)]


def author_numbers(residue_ids: NDArray[np.str_]) -> Array:
    """Residue numbers (N,) without insertion codes, NaN where an id is no number."""
    found = [re.fullmatch(r"(-?\d+)[A-Za-z]?", label) for label in residue_ids]
    return np.array([float(match[1]) if match else np.nan for match in found])


def numbered_places(residue_ids: NDArray[np.str_], room: int) -> list[int]:
    """Residues to put a number at: round ones, as many as there is room for.

    Parameters
    ----------
    residue_ids : ndarray, shape=(N,), dtype=str
        Of one chain.
    room : int
        How many numbers fit.

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


def draw_secondary_structure(axes: Axes, places: NDArray[np.int64], letters: str, upright: bool = False) -> None:
    """Draw a stretch of chain as a line with helices and arrows.

    Parameters
    ----------
    axes : Axes
        The strip to draw on; across it, values run from -1 to 1.
    places : ndarray, shape=(N,), dtype=int
        Where the residues stand along it, one apart within a stretch.
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

"""Palettes and legends: from values to colours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from pymol import CmdException

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["PALETTES", "colours", "draw_legend", "palette_stops"]

PALETTES = {
    "mobility": "0x2B5597 0x4F97CF 0xA6D5E4 0xF7E6A6 0xEE9A45 0xB32E1A",
    "signed": "0x1F4380 0x5B8FC1 0xB9D2E6 0xFFFFFF 0xF4C9AC 0xD9764A 0x96261A",
    "viridis": "0x440154 0x414487 0x2A788E 0x22A884 0x7AD151 0xFDE725",
    "blue_white_red": "blue white red",
    "rainbow": "blue cyan green yellow orange red",
    "grey": "grey90 grey20",
}
"""Colours from the lowest value to the highest. The first two are those of the core's figures."""
HEXADECIMAL = re.compile("0x[0-9a-fA-F]{6}")
RGB = 0x40000000
"""Marks a colour of PyMOL's that is red, green and blue instead of a number in its list."""


def palette_stops(palette: str, *, _self: Cmd) -> np.ndarray:
    """Colours of a palette, shape=(K, 3), 0 to 1.

    Parameters
    ----------
    palette : str
        One of `PALETTES`, or at least two colours of PyMOL's, as ``"blue white red"``.

    Raises
    ------
    CmdException
        If it is neither.
    """
    names = PALETTES.get(palette, palette).replace("_", " ").split()
    known = {name for name, _ in _self.get_color_indices(all=1)}
    if len(names) < 2 or not all(name in known or HEXADECIMAL.fullmatch(name) for name in names):
        raise CmdException(
            f"'{palette}' is no palette: choose one of {', '.join(PALETTES)}, or name colours, as in 'blue white red'."
        )
    return np.array([_self.get_color_tuple(name) for name in names])


def colours(values: np.ndarray, low: float, high: float, stops: np.ndarray) -> list[int]:
    """PyMOL's colours for values, shape=(M,), on a palette from low to high."""
    place = np.clip((values - low) / max(high - low, 1e-9), 0.0, 1.0) * (len(stops) - 1)
    red, green, blue = (
        np.rint(255 * np.interp(place, np.arange(len(stops)), channel)).astype(int) for channel in stops.T
    )
    return (RGB + 65536 * red + 256 * green + blue).tolist()


def draw_legend(name: str, low: float, high: float, stops: np.ndarray, *, _self: Cmd) -> None:
    """Draw the bar of a palette with its ends' values, in place of the one of that name."""
    _self.delete(name)
    _self.ramp_new(name, "none", np.linspace(low, high, len(stops)).tolist(), stops.tolist())

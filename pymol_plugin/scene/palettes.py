"""Palettes and legends: from values to colours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from pymol import CmdException

from ..core import load_core

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["PALETTES", "colours", "draw_legend", "palette_stops"]

PALETTES = {
    **{name: " ".join(stops).replace("#", "0x") for name, stops in load_core(".defaults").PALETTES.items()},
    "viridis": "0x440154 0x414487 0x2A788E 0x22A884 0x7AD151 0xFDE725",
    "blue_white_red": "blue white red",
    "rainbow": "blue cyan green yellow orange red",
    "grey": "grey90 grey20",
}
"""Colours from the lowest value to the highest: those of the core's figures, and some that PyMOL's users know."""
HEXADECIMAL = re.compile("0x[0-9a-fA-F]{6}")
RGB = 0x40000000
"""Marks a colour that is given as red, green and blue instead of a number in PyMOL's list of colours."""


def palette_stops(palette: str, *, _self: Cmd) -> np.ndarray:
    """Colours of a palette, shape=(K, 3), 0 to 1.

    Parameters
    ----------
    palette : str
        One of `PALETTES`, or at least two of PyMOL's colours, such as ``"blue white red"``.

    Raises
    ------
    CmdException
        If it is neither.
    """
    names = PALETTES.get(palette, palette).replace("_", " ").split()
    known = {name for name, _ in _self.get_color_indices(all=1)}
    if len(names) < 2 or not all(name in known or HEXADECIMAL.fullmatch(name) for name in names):
        raise CmdException(
            f"'{palette}' is not a palette: choose one of {', '.join(PALETTES)}, or name colours: 'blue white red'."
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
    """Draw a palette as a bar with the values of its ends; a bar with that name is replaced."""
    _self.delete(name)
    _self.ramp_new(name, "none", np.linspace(low, high, len(stops)).tolist(), stops.tolist())

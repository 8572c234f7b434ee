"""Colours for values: palettes, their range, and the key beside the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.core.colors import hex_color, rgba_to_rgba8
from chimerax.core.commands import ColormapArg, run

if TYPE_CHECKING:
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session
    from numpy.typing import NDArray

MOBILITY = "^rdylbu-5"
"""From blue, the least, over yellow to red, the most."""
SIGNED = "blue:white:red"
"""From blue, against each other, over white to red, together."""


def palette_over(
    session: Session,
    palette: Colormap | str,
    values: NDArray[np.float64],
    limits: tuple[float, float] | str | None = None,
) -> Colormap:
    """Spread a palette over values, as the host's own commands do.

    Parameters
    ----------
    session : chimerax.core.session.Session
    palette : chimerax.core.colors.Colormap or str
        One with values of its own keeps them where no limits are given.
    values : ndarray
    limits : tuple of float or "full", optional
        Least and greatest value; by default, and for "full", those that occur.

    Returns
    -------
    chimerax.core.colors.Colormap
    """
    if isinstance(palette, str):
        palette, _, _ = ColormapArg.parse(palette, session)
    if limits is None and palette.values_specified:
        return palette
    low, high = (float(values.min()), float(values.max())) if limits in (None, "full") else limits
    if low == high:  # all alike: the middle of the palette
        low, high = low - 1.0, high + 1.0
    return palette.rescale_range(low, high) if palette.values_specified else palette.linear_range(low, high)


def show_key(session: Session, palette: Colormap, unit: str = "") -> None:
    """Show the colour key of a palette over values, with its ends and, if it has one, its middle labelled."""
    last = len(palette.colors) - 1
    labels = [""] * (last + 1)
    for place, mark in ((0, ""), (last, ""), (last // 2, unit) if last % 2 == 0 else (last, unit)):
        labels[place] = f"{palette.data_values[place]:.2f}".rstrip("0").rstrip(".") + mark
    labels[-1] += " "  # the host cuts the last label short
    colors = [hex_color(rgba_to_rgba8(color)) for color in palette.colors]
    pairs = (f'"{color}:{label}"' for color, label in zip(colors, labels, strict=True))
    run(session, f"key {' '.join(pairs)}")

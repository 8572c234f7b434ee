"""Palettes: from values to colours, and the key beside the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.core.colors import hex_color, rgba_to_rgba8
from chimerax.core.commands import ColormapArg, run

from ..dynaprot.analysis.ellipsoids import colour_limits
from ..dynaprot.defaults import PALETTES

if TYPE_CHECKING:
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session
    from numpy.typing import NDArray

MOBILITY, SIGNED = (":".join(PALETTES[name]) for name in ("mobility", "signed"))
"""The core's palettes, as the host's commands take them."""


def palette_over(
    session: Session,
    palette: Colormap | str,
    values: NDArray[np.floating],
    limits: tuple[float, float] | str | None = None,
    ends: tuple[float, float] | None = None,
) -> Colormap:
    """Spread a palette over values.

    Parameters
    ----------
    session : chimerax.core.session.Session
    palette : chimerax.core.colors.Colormap or str
        A palette with values of its own keeps them where no limits are given.
    values : ndarray
    limits : tuple of float or "full", optional
        Values at the ends of the palette; "full" for the least and the greatest that occur, by default `ends`.
    ends : tuple of float, optional
        Natural ends of what the values measure; without any, the core's `colour_limits` of the values.

    Returns
    -------
    chimerax.core.colors.Colormap
    """
    if isinstance(palette, str):
        palette, _, _ = ColormapArg.parse(palette, session)
    if limits is None and palette.values_specified:
        return palette
    if limits is None:
        low, high = ends or colour_limits(values)
    elif isinstance(limits, str):
        low, high = float(values.min()), float(values.max())
    else:
        low, high = limits
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

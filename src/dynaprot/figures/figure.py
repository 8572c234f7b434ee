"""What all figures share: size, fonts, palettes, and how they are saved.

Nothing touches pyplot, so that the windows of a host are left alone.
"""

from __future__ import annotations

import os
import zlib
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from ..defaults import FIGURE_SUFFIXES, PALETTES
from ..errors import OutputError
from ..storage import replacing

__all__ = [
    "FOREGROUND", "MOBILITY", "RESOLUTION", "SIGNED", "WIDTH",
    "Raster", "axes_in_inches", "colour_bar", "empty_figure", "round_ticks", "save", "style",
]  # fmt: skip

WIDTH = 7.2
"""Width of every figure in inches: 183 mm, two columns of a journal."""
RESOLUTION = 300
"""Dots per inch."""
FOREGROUND = "#222222"
"""Colour of text and lines on a light background."""
MOBILITY, SIGNED = (LinearSegmentedColormap.from_list(name, PALETTES[name]) for name in ("mobility", "signed"))


def style() -> AbstractContextManager[None]:
    """Type sizes and line widths, in force within a ``with`` block."""
    installed = set(font_manager.get_font_names())
    families = ("Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")
    return matplotlib.rc_context(
        {
            "font.family": next(family for family in families if family in installed),
            "font.size": 8.0,
            "axes.labelsize": 8.0,
            "axes.linewidth": 0.6,
            "axes.edgecolor": FOREGROUND,
            "axes.labelcolor": FOREGROUND,
            "text.color": FOREGROUND,
            "xtick.color": FOREGROUND,
            "ytick.color": FOREGROUND,
            "xtick.labelsize": 7.0,
            "ytick.labelsize": 7.0,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.major.size": 2.5,
            "ytick.major.size": 2.5,
            "pdf.fonttype": 42,  # text stays text in the editors of journals
            "svg.fonttype": "none",
        }
    )


def empty_figure(height: float) -> Figure:
    """An empty figure of the common width and a height in inches."""
    figure = Figure(figsize=(WIDTH, height), dpi=RESOLUTION, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def axes_in_inches(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes placed in inches from the figure's lower left corner."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


class Raster(Artist):
    """An image in dots of the figure, drawn without resampling.

    Parameters
    ----------
    figure : Figure
        The figure that it is drawn on.
    picture : ndarray, shape=(height, width, 4), dtype=uint8
        Red, green, blue and opacity, the first row on top.
    left, bottom : float
        Position of its lower left corner, in inches from that of the figure.
    """

    def __init__(self, figure: Figure, picture: NDArray[np.uint8], left: float, bottom: float) -> None:
        super().__init__()
        self.set_transform(figure.dpi_scale_trans)
        self.picture, self.corner = picture, (left, bottom)

    def draw(self, renderer: RendererBase) -> None:
        """Pass the dots to the renderer, from the lowest row up."""
        left, bottom = self.get_transform().transform(self.corner)
        context = renderer.new_gc()
        renderer.draw_image(context, left, bottom, self.picture[::-1])
        context.restore()


def colour_bar(
    axes: Axes, palette: LinearSegmentedColormap, limits: Normalize, label: str, extend: str = "neither"
) -> None:
    """Fill axes with the colour scale of a palette, with pointed ends where `extend` says so."""
    scale = ScalarMappable(limits, palette)
    bar = axes.figure.colorbar(scale, cax=axes, extend=extend, label=label, ticks=round_ticks())
    bar.outline.set_visible(False)


def round_ticks() -> MaxNLocator:
    """At most five ticks at round numbers."""
    return MaxNLocator(4, steps=[1, 2, 5, 10])


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Save a figure in the format that the suffix of the path names."""
    suffix = Path(path).suffix[1:].lower()
    if suffix not in figure.canvas.get_supported_filetypes():
        raise OutputError(f"Cannot write {path}: figures are written as {', '.join(FIGURE_SUFFIXES)}.")
    with replacing(path) as temporary:
        if suffix == "png":
            # Opaque, and compressed for speed: in half the time of `savefig`, and no larger.
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
            pixels.save(temporary, dpi=(RESOLUTION, RESOLUTION), compress_type=zlib.Z_RLE)
        else:
            figure.savefig(temporary, dpi=RESOLUTION)

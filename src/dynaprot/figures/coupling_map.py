"""Coupling (DCCM) of all pairs of residues as an interactive heat map, in both hosts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import MouseButton, MouseEvent
from matplotlib.figure import Figure
from matplotlib.widgets import RectangleSelector
from numpy.typing import NDArray

from ..dynamics import Dynamics
from .coupling_image import CouplingImage
from .linked_plot import MARGIN, MARK, STRIP, Bands, LinkedPlot
from .residue_axis import chains, draw_chain_boundaries, draw_secondary_structure

__all__ = ["CouplingMap"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

BAR = 0.55
"""Room between the map and the right edge for chain names, the colour scale and its numbers, in inches."""


class CouplingMap(LinkedPlot):
    """A heat map on which a rectangle is dragged to select two blocks of residues.

    Parameters
    ----------
    figure : Figure
        Figure of any backend that has its canvas already.
    dynamics : Dynamics
        N residues.
    on_drag : callable
        Called with the rows and the columns of a rectangle, two arrays of residue indices; one residue each at a click.
    on_hover : callable
        Called with row and column under the pointer, and with None and None when it leaves.
    dark : bool
        Whether the window around the plot is dark.
    """

    def __init__(
        self,
        figure: Figure,
        dynamics: Dynamics,
        *,
        on_drag: Callable[[Indices, Indices], None],
        on_hover: Callable[[int | None, int | None], None],
        dark: bool = False,
    ) -> None:
        super().__init__(figure, dynamics, dark)
        self.on_drag, self.on_hover = on_drag, on_hover
        structure, size = dynamics.structure, len(dynamics)
        self.panel = figure.add_axes((0.1, 0.1, 0.8, 0.8), label="coupling")
        image = CouplingImage(self.panel, dynamics.coupling)
        self.panel.spines[:].set_color(self.foreground)
        draw_chain_boundaries(self.panel, structure.chain_ids, self.foreground, upright=True)
        self._below = figure.add_axes((0.1, 0.0, 0.8, 0.1), label="below", sharex=self.panel)
        self._beside = figure.add_axes((0.0, 0.1, 0.1, 0.8), label="beside", sharey=self.panel)
        for residues in chains(structure.chain_ids):
            letters = "".join(structure.secondary_structure[k] for k in residues)
            draw_secondary_structure(self._below, residues, letters)
            draw_secondary_structure(self._beside, residues, letters, upright=True)
        self._number(self._below.xaxis)
        self._number(self._beside.yaxis)
        self._below.set(xlim=(-0.5, size - 0.5), ylim=(-1.1, 1.1), yticks=[])
        self._beside.set(ylim=(size - 0.5, -0.5), xlim=(-1.1, 1.1), xticks=[])
        self.panel.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
        for strip in (self._below, self._beside):
            strip.set_facecolor(self.background)
            strip.spines[:].set_visible(False)
            strip.set_navigate(False)
        self._bar = figure.add_axes((0.9, 0.3, 0.02, 0.4), label="scale")
        scale = figure.colorbar(image, cax=self._bar, ticks=[-1, 0, 1])
        scale.outline.set_visible(False)
        self._draw_ticks(self._bar.yaxis)
        self._place()
        self._selector = RectangleSelector(
            self.panel,
            self._dragged,
            useblit=figure.canvas.supports_blit,
            button=MouseButton.LEFT,
            minspanx=-1,  # a click is a rectangle too
            minspany=-1,
            props={"facecolor": MARK, "edgecolor": MARK, "alpha": 0.35, "fill": True},
        )

    def describe(self, i: int, j: int) -> str:
        """The pair and its coupling, for a status line."""
        structure = self.dynamics.structure
        return f"{structure.residue_label(i)} – {structure.residue_label(j)}: {self.dynamics.coupling[i, j]:+.2f}"

    def close(self) -> None:
        """Listen to the pointer no more; the figure stays as it is."""
        super().close()
        self._selector.disconnect_events()

    def _dragged(self, press: MouseEvent, release: MouseEvent) -> None:
        (left, right), (top, bottom) = (
            sorted(self._nearest(end) for end in ends)
            for ends in ((press.xdata, release.xdata), (press.ydata, release.ydata))
        )
        self.on_drag(np.arange(top, bottom + 1), np.arange(left, right + 1))

    def _over(self, event: MouseEvent) -> tuple[int, ...] | None:
        return (self._nearest(event.ydata), self._nearest(event.xdata)) if event.inaxes is self.panel else None

    def _tell(self, residues: tuple[int, ...] | None) -> None:
        self.on_hover(*residues or (None, None))

    def _mark(self, runs: Array) -> list[Artist]:
        return [
            Bands(self.panel.xaxis, runs, alpha=0.18),
            Bands(self.panel.yaxis, runs, alpha=0.18),
            Bands(self._below.xaxis, runs, alpha=0.6, zorder=0),
            Bands(self._beside.yaxis, runs, alpha=0.6, zorder=0),
        ]

    def _place(self) -> None:
        across, up = self.figure.get_size_inches()
        above = 0.22
        side = min(across - MARGIN - BAR - 0.25, up - MARGIN - above)
        left = (across - side - MARGIN - BAR - 0.25) / 2 + MARGIN
        bottom = (up - side - MARGIN - above) / 2 + MARGIN
        self._set_in_inches(self.panel, left, bottom, side, side)
        self._set_in_inches(self._below, left, bottom - STRIP - 0.04, side, STRIP)
        self._set_in_inches(self._beside, left - STRIP - 0.04, bottom, STRIP, side)
        self._set_in_inches(self._bar, left + side + 0.3, bottom + side / 4, 0.1, side / 2)

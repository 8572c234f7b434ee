"""RMSF along the chains as a plot that can be clicked: the profile in both hosts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import Event, MouseEvent
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..dynamics import Dynamics
from ..notices import kinds_of_residues
from .figure import round_ticks
from .linked_plot import MARGIN, STRIP, Bands, LinkedPlot
from .residue_axis import (
    chains,
    draw_beyond,
    draw_chain_boundaries,
    draw_marks,
    draw_mobility,
    draw_secondary_structure,
    mobility_limits,
    top_of_axis,
)

__all__ = ["RmsfPlot"]

Array = NDArray[np.floating]


class RmsfPlot(LinkedPlot):
    """A curve on which a residue is picked by a click.

    Parameters
    ----------
    figure : Figure
        Figure of any backend that has its canvas already.
    dynamics : Dynamics
        N residues.
    on_pick : callable
        Called with the index of the residue that was clicked.
    on_hover : callable
        Called with the index of the residue under the pointer, and with None when it leaves.
    dark : bool
        Whether the window around the plot is dark.
    """

    def __init__(
        self,
        figure: Figure,
        dynamics: Dynamics,
        *,
        on_pick: Callable[[int], None],
        on_hover: Callable[[int | None], None],
        dark: bool = False,
    ) -> None:
        super().__init__(figure, dynamics, dark)
        self.on_pick, self.on_hover = on_pick, on_hover
        structure, rmsf = dynamics.structure, dynamics.rmsf
        self.panel = figure.add_axes((0.1, 0.3, 0.8, 0.6), label="rmsf", facecolor=self.background)
        self._strip = figure.add_axes((0.1, 0.1, 0.8, 0.1), label="strip", facecolor=self.background, sharex=self.panel)
        limits = mobility_limits(rmsf)
        for residues in chains(structure.chain_ids):
            broken = structure.next_residue[residues[:-1]] != residues[1:]
            for stretch in np.split(residues, np.flatnonzero(broken) + 1):
                draw_mobility(self.panel, stretch, rmsf[stretch], limits, self.foreground)
                letters = "".join(structure.secondary_structure[k] for k in stretch)
                draw_secondary_structure(self._strip, stretch, letters)
        every = np.arange(len(dynamics))
        draw_marks(self._strip, dynamics.notices, every, every, height=1.2)
        self._kinds = kinds_of_residues(dynamics.notices, len(dynamics))
        draw_chain_boundaries(self.panel, structure.chain_ids, self.foreground)
        self._number(self._strip.xaxis)
        self._strip.set(xlim=(-0.5, len(dynamics) - 0.5), ylim=(-1.2, 1.2), yticks=[])
        self._strip.spines[:].set_visible(False)
        self._strip.set_navigate(False)
        self.panel.set(ylim=(0.0, top_of_axis(rmsf)))
        draw_beyond(self.panel, every, rmsf, self.foreground)
        self.panel.set_ylabel("RMSF (Å)", color=self.foreground, size=9)
        self.panel.yaxis.set_major_locator(round_ticks())
        self._draw_ticks(self.panel.yaxis)
        self.panel.tick_params(axis="x", bottom=False, labelbottom=False)
        self.panel.spines[["top", "right", "bottom"]].set_visible(False)
        self.panel.spines["left"].set_color(self.foreground)
        self._place()
        self._connect("button_press_event", self._clicked)

    def describe(self, index: int) -> str:
        """The residue, its RMSF and the kinds of notice about it, for a status line."""
        about = f" ({self._kinds[index].replace(';', ', ')})" if self._kinds[index] else ""
        return f"{self.dynamics.structure.residue_label(index)}: RMSF {self.dynamics.rmsf[index]:.2f} Å{about}"

    def _clicked(self, event: Event) -> None:
        # A toolbar that pans or zooms holds the lock.
        free = not self.figure.canvas.widgetlock.locked()
        if isinstance(event, MouseEvent) and event.button == 1 and free and (picked := self._over(event)):
            self.on_pick(*picked)

    def _over(self, event: MouseEvent) -> tuple[int, ...] | None:
        return (self._nearest(event.xdata),) if event.inaxes in (self.panel, self._strip) else None

    def _tell(self, residues: tuple[int, ...] | None) -> None:
        self.on_hover(*residues or (None,))

    def _mark(self, runs: Array) -> list[Artist]:
        return [
            Bands(self.panel.xaxis, runs, alpha=0.25, zorder=0),
            Bands(self._strip.xaxis, runs, alpha=0.6, zorder=0),
        ]

    def _place(self) -> None:
        across, up = self.figure.get_size_inches()
        bottom, above = MARGIN, 0.22
        self._set_in_inches(self.panel, MARGIN, bottom, across - MARGIN - 0.12, up - bottom - above)
        self._set_in_inches(self._strip, MARGIN, bottom - STRIP - 0.04, across - MARGIN - 0.12, STRIP)

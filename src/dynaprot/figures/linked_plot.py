"""What the plots in a host's window share: colours for a light or dark window, the pointer, marked residues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.backend_bases import Event, MouseEvent, RendererBase
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from ..dynamics import Dynamics
from .figure import FOREGROUND
from .residue_axis import ResidueLocator

__all__ = ["Bands", "LinkedPlot"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

LIGHT, DARK = ("#FFFFFF", FOREGROUND), ("#2B2D30", "#DADCE0")
"""Colours of the background, and of text and lines."""
MARK = "#12A36D"
"""Colour of marked residues, which is in neither palette."""
STRIP, MARGIN = 0.14, 0.72
"""Thickness of the strip of secondary structure, and room for numbers and the label of an axis, in inches."""


class LinkedPlot:
    """A plot of residues that tells a host where the pointer is and shows what the host has selected.

    It draws on any matplotlib figure that has its canvas already, and keeps its layout when the window changes size.

    Parameters
    ----------
    figure : Figure
        Figure to draw on; what it shows is cleared.
    dynamics : Dynamics
        N residues; residue k stands at k along each axis.
    dark : bool
        Whether the window around the plot is dark.
    """

    def __init__(self, figure: Figure, dynamics: Dynamics, dark: bool = False) -> None:
        self.figure = figure
        self.dynamics = dynamics
        self.background, self.foreground = DARK if dark else LIGHT
        self._marks: list[Artist] = []
        figure.clear()
        figure.set_facecolor(self.background)
        self._inside = False
        self._connections: list[int] = []
        self._connect("resize_event", lambda event: self._place())
        self._connect("motion_notify_event", self._moved)
        self._connect("figure_leave_event", self._moved)

    def mark(self, residues: Indices) -> None:
        """Mark residues, in place of those marked before.

        Parameters
        ----------
        residues : ndarray, shape=(M,), dtype=int
            Indices of the residues; an empty array removes all marks.
        """
        for drawn in self._marks:
            drawn.remove()
        residues = np.unique(residues)
        runs = np.split(residues, np.flatnonzero(np.diff(residues) > 1) + 1) if len(residues) else []
        self._marks = self._mark(np.array([(run[0] - 0.5, run[-1] + 0.5) for run in runs])) if runs else []
        self.figure.canvas.draw_idle()

    def close(self) -> None:
        """Stop listening to the pointer; the figure stays as it is."""
        for connection in self._connections:
            self.figure.canvas.mpl_disconnect(connection)
        self._connections = []

    def _place(self) -> None:
        """Lay out the axes for the present size of the figure."""
        raise NotImplementedError

    def _mark(self, runs: Array) -> list[Artist]:
        """Draw the marks of runs of residues, shape=(M, 2), from where each starts to where it ends."""
        raise NotImplementedError

    def _over(self, event: MouseEvent) -> tuple[int, ...] | None:
        """The residues under the pointer; None beside the plot."""
        raise NotImplementedError

    def _tell(self, residues: tuple[int, ...] | None) -> None:
        """Tell the host what is under the pointer, or that it has left."""
        raise NotImplementedError

    def _moved(self, event: Event) -> None:
        residues = self._over(event) if isinstance(event, MouseEvent) else None
        if residues is not None or self._inside:
            self._tell(residues)
        self._inside = residues is not None

    def _connect(self, event: Any, reaction: Callable[[Event], None]) -> None:
        self._connections.append(self.figure.canvas.mpl_connect(event, reaction))

    def _nearest(self, value: float | None) -> int:
        """The residue nearest to a place along an axis, which matplotlib leaves open where there are no axes."""
        assert value is not None
        return int(np.clip(round(value), 0, len(self.dynamics) - 1))

    def _number(self, axis: Axis) -> None:
        """Number the residues along an axis."""
        structure = self.dynamics.structure
        axis.set_major_locator(ResidueLocator(structure.chain_ids, structure.residue_ids))
        axis.set_major_formatter(FuncFormatter(lambda place, _: structure.residue_ids[self._nearest(place)]))
        axis.set_label_text("Residue", color=self.foreground, size=9)
        self._draw_ticks(axis)

    def _draw_ticks(self, axis: Axis) -> None:
        axis.set_tick_params(labelsize=8, colors=self.foreground, length=2.5, width=0.6)

    def _set_in_inches(self, axes: Axes, left: float, bottom: float, width: float, height: float) -> None:
        across, up = self.figure.get_size_inches()
        axes.set_position((left / across, bottom / up, max(width, 0.1) / across, max(height, 0.1) / up))


class Bands(PolyCollection):
    """Marks across axes, one for each run of residues along an axis, but one artist: a thousand of them take a second.

    Parameters
    ----------
    axis : XAxis or YAxis
        Axis along which the runs lie.
    runs : ndarray, shape=(M, 2)
        Start and end of each run, from the first to the last.
    **look
        Properties of a `PolyCollection`, such as ``alpha``.
    """

    def __init__(self, axis: XAxis | YAxis, runs: Array, **look: Any) -> None:
        self._axis, self._runs = axis, runs
        self._across = isinstance(axis, XAxis)
        transform = axis.axes.get_xaxis_transform() if self._across else axis.axes.get_yaxis_transform()
        super().__init__([], facecolor=MARK, linewidth=0, transform=transform, **look)
        axis.axes.add_collection(self, autolim=False)

    def draw(self, renderer: RendererBase) -> None:
        """Draw each band at least one dot wide, so that one residue among thousands shows; join bands that touch."""
        low, high = self._axis.get_view_interval()
        panel = self._axis.axes.bbox
        dot = abs(high - low) / (panel.width if self._across else panel.height)
        wider = np.maximum(dot - np.ptp(self._runs, axis=1), 0.0) / 2.0
        start, end = self._runs[:, 0] - wider, self._runs[:, 1] + wider
        apart = start[1:] > end[:-1]
        start, end = start[np.append(True, apart)], end[np.append(apart, True)]
        edge, other = np.zeros_like(start), np.ones_like(start)
        corners = np.array([[start, edge], [start, other], [end, other], [end, edge]]).transpose(2, 0, 1)
        self.set_verts(list(corners if self._across else corners[..., ::-1]))
        super().draw(renderer)

"""The coupling map and the RMSF curve, linked with PyMOL's selection in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from pymol.Qt import QtCore, QtWidgets

from ..core import load_core
from ..scene.proteins import Protein
from ..scene.selections import residues_of, selection_of

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

__all__ = ["SELECTION", "PlotPanel"]

SELECTION = "sele"
"""PyMOL's own name for what the user picks."""
HINTS = {
    "coupling": "Drag over the map to select two blocks of residues; what you select in the 3D view is marked.",
    "rmsf": "Click the curve to select a residue; what you select in the 3D view is marked.",
}


class PlotPanel(QtWidgets.QWidget):
    """One of the core's plots in a Qt canvas, and a line below it that says what is under the pointer.

    Parameters
    ----------
    kind : str
        ``"coupling"`` or ``"rmsf"``.
    run : callable
        Prints and runs one of PyMOL's commands, given as text.
    """

    def __init__(self, kind: str, run: Callable[[str], object], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind, self._run = kind, run
        self.protein: Protein | None = None
        self.dynamics: Dynamics | None = None
        self.plot: Any = None
        self._marked = np.zeros(0, dtype=int)
        self.canvas = FigureCanvasQTAgg(Figure())
        self.canvas.setMinimumSize(260, 220)
        self.line = QtWidgets.QLabel("Predict a protein to see its plot here.")
        self.line.setWordWrap(True)
        self.line.setAlignment(QtCore.Qt.AlignmentFlag.AlignTop)
        # Always room for two lines, so that the plot does not change its size under the pointer.
        self.line.setFixedHeight(2 * self.line.fontMetrics().lineSpacing() + 2)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.line)
        self.canvas.figure.set_facecolor("none")

    def show_prediction(self, protein: Protein, dynamics: Dynamics) -> None:
        """Plot a prediction; the plot before is replaced."""
        self.clear()
        self.protein, self.dynamics = protein, dynamics
        dark = self.palette().window().color().lightness() < 128
        if self.kind == "coupling":
            self.plot = load_core(".figures.coupling_map").CouplingMap(
                self.canvas.figure, dynamics, on_drag=self._dragged, on_hover=self._hovered, dark=dark
            )
        else:
            self.plot = load_core(".figures.rmsf_plot").RmsfPlot(
                self.canvas.figure, dynamics, on_pick=self._picked, on_hover=self._hovered, dark=dark
            )
        self._marked = np.zeros(0, dtype=int)
        self.line.setText(HINTS[self.kind])
        self.canvas.draw_idle()

    def rename(self, name: str | None) -> None:
        """Give the protein another name; without one, forget it."""
        if name and self.protein:
            self.protein = replace(self.protein, name=name)
        else:
            self.clear()

    def clear(self) -> None:
        """Forget the prediction."""
        if self.plot:
            self.plot.close()
        self.protein = self.dynamics = self.plot = None
        self.canvas.figure.clear()
        self.canvas.draw_idle()
        self.line.setText("Predict a protein to see its plot here.")

    def mark_selection(self, *, _self: Cmd) -> None:
        """Mark what is selected in the 3D view."""
        if not self.protein:
            return
        residues = residues_of(self.protein, SELECTION, _self=_self)
        if not np.array_equal(residues, self._marked):
            self._marked = residues
            self.plot.mark(residues)

    def changeEvent(self, event: QtCore.QEvent) -> None:
        """Plot again when the desktop turns dark or light."""
        if event.type() == QtCore.QEvent.Type.PaletteChange and self.protein and self.dynamics:
            self.show_prediction(self.protein, self.dynamics)
        super().changeEvent(event)

    def _dragged(self, rows: np.ndarray, columns: np.ndarray) -> None:
        self._select(np.union1d(rows, columns))

    def _picked(self, index: int) -> None:
        self._select([index])

    def _select(self, residues: Iterable[int]) -> None:
        if self.protein:
            self._run(f"select {SELECTION}, {selection_of(self.protein, residues)}")

    def _hovered(self, *place: int | None) -> None:
        self.line.setText(HINTS[self.kind] if None in place else self.plot.describe(*place))

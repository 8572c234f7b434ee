"""Windows with plots that are linked with the structure: the RMSF along the chains, and the coupling of all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from chimerax.atomic import concise_residue_spec
from chimerax.core.commands import run
from chimerax.core.selection import SELECTION_CHANGED
from chimerax.core.tools import ToolInstance
from chimerax.ui import MainToolWindow
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from Qt.QtGui import QAction
from Qt.QtWidgets import QFileDialog, QLabel, QMenu, QVBoxLayout

from ..dynaprot.defaults import FIGURE_SUFFIXES
from ..dynaprot.figures.coupling_map import CouplingMap
from ..dynaprot.figures.rmsf_plot import RmsfPlot
from ..scene.predictions import Prediction
from ..scene.proteins import chain_spec

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from ..dynaprot.figures.linked_plot import LinkedPlot

HELP = "help:user/tools/dynaprot.html"
MOST_WINDOWS = 4
"""Windows that one command opens; otherwise the models of an NMR structure would fill the screen."""


def show_plots(session: Session, figure: str, predicted: list[Prediction]) -> None:
    """Open plots of predictions, in place of earlier ones of their structures.

    Parameters
    ----------
    session : chimerax.core.session.Session
    figure : str
        "rmsf" or "coupling".
    predicted : list of Prediction
        Windows are opened for the first `MOST_WINDOWS`.
    """
    (kind,) = (kind for kind in (RmsfTool, CouplingTool) if kind.figure_name == figure)
    for prediction in predicted[:MOST_WINDOWS]:
        for tool in session.tools.find_by_class(kind):
            if tool.structure is prediction.structure:
                tool.delete()
        kind(session, kind.name).show(prediction)
    if len(predicted) > MOST_WINDOWS:
        session.logger.info(
            f"{kind.name}: windows of the first {MOST_WINDOWS} of {len(predicted)} structures were opened; "
            "specify another to see its own"
        )


class PlotTool(ToolInstance):
    """A window with one plot of a prediction.

    It marks the residues that are selected, closes with its structure or with the first of its residues that is
    deleted, and comes back with a session.

    Parameters
    ----------
    session : chimerax.core.session.Session
    tool_name : str
    """

    SESSION_SAVE = True
    name = ""
    figure_name = ""
    hint = ""
    size_in_inches = (6.0, 6.0)
    help = HELP
    plot: LinkedPlot

    def __init__(self, session: Session, tool_name: str) -> None:
        super().__init__(session, tool_name)
        self.structure: AtomicStructure | None = None
        self._handlers: list[Any] = []

    def show(self, prediction: Prediction) -> None:
        """Make the window."""
        self.prediction = prediction
        self.structure = prediction.structure
        self.residues: Residues = prediction.residues
        self._size = len(self.residues)
        self.display_name = f"{self.name} of {self.structure}"
        self.tool_window = window = MainToolWindow(self)
        window.fill_context_menu = self._fill_context_menu
        area = window.ui_area
        layout = QVBoxLayout(area)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        canvas = FigureCanvasQTAgg(Figure(figsize=self.size_in_inches))
        canvas.setMinimumSize(160, 120)  # matplotlib divides by the height
        layout.addWidget(canvas, stretch=1)
        self.hovered = QLabel(self.hint)
        self.hovered.setContentsMargins(6, 0, 6, 4)
        layout.addWidget(self.hovered)
        dark = area.palette().window().color().lightness() < 128
        self.plot = self._make_plot(canvas.figure, dark)
        self._handlers = [
            self.structure.triggers.add_handler("deleted", lambda *_: self.delete()),
            self.structure.triggers.add_handler("changes", self._structure_changed),
            self.session.triggers.add_handler(SELECTION_CHANGED, lambda *_: self._mark_selected()),
        ]
        self._mark_selected()
        window.manage(placement=None)

    def spec(self, indices: NDArray[np.int64]) -> str:
        """How a command names some of the residues."""
        return concise_residue_spec(self.session, self.residues[np.unique(indices)])

    def delete(self) -> None:
        if self._handlers:  # it was shown
            for handler in self._handlers:
                handler.remove()
            self._handlers = []
            self.plot.close()
        super().delete()

    def _make_plot(self, figure: Figure, dark: bool) -> LinkedPlot:
        raise NotImplementedError

    def _mark_selected(self) -> None:
        if len(self.residues) == self._size:
            self.plot.mark(np.flatnonzero(self.residues.selected))

    def _structure_changed(self, _: str, change: tuple[Any, ...]) -> None:
        if len(self.residues) < self._size:
            self.session.logger.info(f"{self.display_name} closed, because residues of it were deleted")
            self.delete()

    def _fill_context_menu(self, menu: QMenu, x: int, y: int) -> None:
        save = QAction("Save figure...", menu)
        save.triggered.connect(lambda *_: self._save_figure())
        menu.addAction(save)

    def _save_figure(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in FIGURE_SUFFIXES)
        path, _ = QFileDialog.getSaveFileName(
            self.tool_window.ui_area, "Save figure", f"{self.figure_name}.png", f"Figures ({kinds})"
        )
        if path:
            spec = chain_spec(self.structure, self.residues.unique_chain_ids)
            run(self.session, f'dynaprot save {spec} "{path}" figure {self.figure_name}')

    # Sessions.

    def take_snapshot(self, session: Session, flags: int) -> dict[str, Any]:
        return {
            "version": 1,
            "tool": super().take_snapshot(session, flags),
            "structure": self.structure,
            "residues": self.residues,
            "specified": self.prediction.specified,
            "kept": self.prediction.kept,
        }

    @classmethod
    def restore_snapshot(cls, session: Session, data: dict[str, Any]) -> PlotTool:
        tool = cls(session, cls.name)
        tool.show(Prediction(data["structure"], data["residues"], data["specified"], data["kept"]))
        tool.set_state_from_snapshot(session, data["tool"])
        return tool


class RmsfTool(PlotTool):
    """The RMSF along the chains; a click selects a residue and brings it into the centre."""

    name = "DynaProt RMSF"
    figure_name = "rmsf"
    hint = "Click a residue to select it."
    size_in_inches = (7.0, 3.0)
    plot: RmsfPlot

    def _make_plot(self, figure: Figure, dark: bool) -> RmsfPlot:
        return RmsfPlot(figure, self.prediction.dynamics, on_pick=self._picked, on_hover=self._hovered, dark=dark)

    def _picked(self, index: int) -> None:
        spec = self.spec(np.array([index]))
        run(self.session, f"select {spec}")
        run(self.session, f"view {spec} clip false pad 0.8")

    def _hovered(self, index: int | None) -> None:
        self.hovered.setText(self.hint if index is None else self.plot.describe(index))


class CouplingTool(PlotTool):
    """The coupling of all pairs; dragging a box selects residues, or colours them."""

    name = "DynaProt coupling"
    figure_name = "coupling"
    hint = "Drag a box to select residues; right-click for more."
    size_in_inches = (5.6, 5.6)
    plot: CouplingMap
    drag_colors = False
    ROWS, COLUMNS, BOTH = "gold", "dodger blue", "lime"

    def _make_plot(self, figure: Figure, dark: bool) -> CouplingMap:
        return CouplingMap(figure, self.prediction.dynamics, on_drag=self._dragged, on_hover=self._hovered, dark=dark)

    def _dragged(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        if not self.drag_colors:
            run(self.session, f"select {self.spec(np.concatenate([rows, columns]))}")
            return
        both = np.intersect1d(rows, columns)
        blocks = ((np.setdiff1d(rows, both), self.ROWS), (np.setdiff1d(columns, both), self.COLUMNS), (both, self.BOTH))
        commands = [f"color {self.spec(indices)} {color}" for indices, color in blocks if len(indices)]
        run(self.session, "; ".join(commands))

    def _hovered(self, row: int | None, column: int | None) -> None:
        self.hovered.setText(self.hint if row is None or column is None else self.plot.describe(row, column))

    def _fill_context_menu(self, menu: QMenu, x: int, y: int) -> None:
        colors = QAction("Dragging a box colors residues", menu)
        colors.setCheckable(True)
        colors.setChecked(self.drag_colors)
        colors.toggled.connect(lambda on: setattr(self, "drag_colors", on))
        menu.addAction(colors)
        color = QAction("Color by coupling to the selection", menu)
        color.setEnabled(bool(self.residues.selected.any()))
        color.triggered.connect(lambda *_: self._color_by_selection())
        menu.addAction(color)
        super()._fill_context_menu(menu, x, y)

    def _color_by_selection(self) -> None:
        spec = chain_spec(self.structure, self.residues.unique_chain_ids)
        run(self.session, f"dynaprot coupling {spec} from {self.spec(np.flatnonzero(self.residues.selected))}")

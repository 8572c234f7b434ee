"""The tool *Structure Analysis > DynaProt*: the commands as buttons and sliders."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from chimerax.atomic import AtomicStructure
from chimerax.core.commands import run
from chimerax.core.errors import UserError
from chimerax.core.models import ADD_MODELS, MODEL_ID_CHANGED, MODEL_NAME_CHANGED, REMOVE_MODELS
from chimerax.core.tools import ToolInstance, get_singleton
from chimerax.ui import MainToolWindow
from Qt.QtCore import Qt, QTimer
from Qt.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
)

from ..dynaprot.analysis.ensembles import draw_ensemble
from ..dynaprot.analysis.modes import mode_displacement
from ..dynaprot.defaults import AMPLITUDE, CONFORMATIONS, MOST_CONFORMATIONS, PROBABILITY, SEED, THRESHOLD
from ..scene.backbone import protein_residues
from ..scene.couplings import all_couplings, couplings_of
from ..scene.ellipsoids import COLOURINGS, STYLES, ellipsoids_of
from ..scene.predictions import Predictions, Request
from ..scene.proteins import chain_spec, read_proteins
from .jobs import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from chimerax.core.session import Session

Box = TypeVar("Box", QSpinBox, QDoubleSpinBox)

MODELS = {"DynaProt": "default", "Elastic network": "anm"}
SETTLE = 40
"""Milliseconds between a slider's move and the drawing of it, so that moves in between are left out."""


class DynaProtTool(ToolInstance):
    """One window: what to predict, and a row for each view of it. Every action is a command, which is logged."""

    help = "help:user/tools/dynaprot.html"
    SESSION_ENDURING = True

    def __init__(self, session: Session, tool_name: str) -> None:
        super().__init__(session, tool_name)
        self.display_name = "DynaProt"
        self._job: Job | None = None
        self.tool_window = window = MainToolWindow(self)
        layout = QVBoxLayout(window.ui_area)
        layout.addLayout(self._choices())
        layout.addLayout(self._views())
        layout.addStretch(1)
        layout.addLayout(self._progress())
        self._clock = QTimer(window.ui_area)
        self._clock.timeout.connect(self._tick)
        self._settle = QTimer(window.ui_area)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE)
        self._settle.timeout.connect(lambda: self._live())
        self._live: Callable[[], None] = lambda: None
        self._handlers = [
            session.triggers.add_handler(trigger, lambda *_: self._list_structures())
            for trigger in (ADD_MODELS, REMOVE_MODELS, MODEL_ID_CHANGED, MODEL_NAME_CHANGED)
        ]
        self._list_structures()
        window.manage(placement="side")

    @classmethod
    def get_singleton(cls, session: Session) -> DynaProtTool:
        """The tool, opened if need be."""
        return get_singleton(session, cls, "DynaProt", display=True)

    def delete(self) -> None:
        self.cancel()
        for handler in self._handlers:
            handler.remove()
        super().delete()

    # What the window holds.

    def _choices(self) -> QGridLayout:
        self.structure_menu = QComboBox()
        self.structure_menu.currentIndexChanged.connect(lambda _: self._list_chains())
        self.chain_button = QToolButton()
        self.chain_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.chain_button.setMenu(QMenu(self.chain_button))
        self.model_menu = QComboBox()
        self.model_menu.addItems(list(MODELS))
        self.model_menu.currentIndexChanged.connect(lambda _: self._live_ellipsoids(True))
        grid = QGridLayout()
        for row, (label, widget) in enumerate(
            (("Structure", self.structure_menu), ("Chains", self.chain_button), ("Model", self.model_menu))
        ):
            widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            grid.addWidget(QLabel(label), row, 0)
            grid.addWidget(widget, row, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _views(self) -> QGridLayout:
        self.probability, self.probability_text = _slider(0.05, 0.99, PROBABILITY)
        self.threshold, self.threshold_text = _slider(0.20, 0.99, THRESHOLD)
        self.colouring = QComboBox()
        self.colouring.addItems(COLOURINGS)
        self.style = QComboBox()
        self.style.addItems(STYLES)
        self.count = _spin(QSpinBox(), 1, MOST_CONFORMATIONS, CONFORMATIONS)
        self.mode = _spin(QSpinBox(), 1, 99, 1)
        self.amplitude = _spin(QDoubleSpinBox(), 0.5, 10.0, AMPLITUDE)
        self.buttons = {}
        rows = (
            ("Ellipsoids", self.draw_ellipsoids, "probability", self.probability, self.probability_text),
            ("", None, "color by", self.colouring, self.style),
            ("RMSF", self.show_rmsf, "color and plot"),
            ("Couplings", self.show_couplings, "threshold", self.threshold, self.threshold_text),
            ("Ensemble", self.open_ensemble, "conformations", self.count),
            ("Motion", self.play_mode, "mode", self.mode, QLabel("amplitude"), self.amplitude),
        )
        grid = QGridLayout()
        for row, (name, action, label, *widgets) in enumerate(rows):
            if action is not None:
                button = self.buttons[name] = QPushButton(name)
                button.clicked.connect(lambda *_, action=action: action())
                grid.addWidget(button, row, 0)
            grid.addWidget(QLabel(label), row, 1)
            line = QHBoxLayout()
            for widget in widgets:
                line.addWidget(widget)
            if not any(isinstance(widget, QSlider) for widget in widgets):
                line.addStretch(1)
            grid.addLayout(line, row, 2)
        grid.setColumnStretch(2, 1)
        for slider, text, live in (
            (self.probability, self.probability_text, self._live_ellipsoids),
            (self.threshold, self.threshold_text, self._live_couplings),
        ):
            slider.valueChanged.connect(
                lambda value, slider=slider, text=text, live=live: self._slide(slider, text, live)
            )
            slider.sliderReleased.connect(lambda live=live: self._release(live))
        for menu in (self.colouring, self.style):
            menu.currentIndexChanged.connect(lambda _: self._live_ellipsoids(True))
        return grid

    def _progress(self) -> QHBoxLayout:
        self.status = QLabel("")
        self.status.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setMaximumWidth(80)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(lambda *_: self.cancel())
        help_button = QPushButton("Help")
        help_button.clicked.connect(lambda *_: self.display_help())
        line = QHBoxLayout()
        line.addWidget(self.status, stretch=1)
        for widget in (self.bar, self.cancel_button, help_button):
            line.addWidget(widget)
        self.bar.hide()
        self.cancel_button.hide()
        return line

    # What is chosen.

    @property
    def structure(self) -> AtomicStructure | None:
        """The structure that is chosen, if there is one."""
        return self.structure_menu.currentData()

    @property
    def chains(self) -> list[str]:
        """The chains that are chosen."""
        return [action.text() for action in self.chain_button.menu().actions() if action.isChecked()]

    @property
    def spec(self) -> str:
        """How a command names what is chosen."""
        structure = self._chosen_structure()
        if not self.chains:
            raise UserError("Choose a chain first.")
        return chain_spec(structure, self.chains)

    def _chosen_structure(self) -> AtomicStructure:
        if self.structure is None:
            raise UserError("Open a structure first.")
        return self.structure

    def _list_structures(self) -> None:
        before = self.structure
        structures = [model for model in self.session.models.list(type=AtomicStructure) if len(protein_residues(model))]
        menu = self.structure_menu
        menu.blockSignals(True)
        menu.clear()
        for structure in structures:
            menu.addItem(str(structure), structure)
        menu.setCurrentIndex(structures.index(before) if before in structures else min(0, len(structures) - 1))
        menu.blockSignals(False)
        if self.structure is not before or before is None:
            self._list_chains()

    def _list_chains(self) -> None:
        """List the chains of the structure, all of them chosen, unless they are listed already."""
        menu = self.chain_button.menu()
        chain_ids = [] if self.structure is None else protein_residues(self.structure).unique_chain_ids.tolist()
        if chain_ids == [action.text() for action in menu.actions()]:
            return
        menu.clear()
        for chain_id in chain_ids:
            action = menu.addAction(chain_id)
            action.setCheckable(True)
            action.setChecked(True)
            action.toggled.connect(lambda _: self._name_chains())
        self._name_chains()

    def _name_chains(self) -> None:
        is_whole = len(self.chains) == len(self.chain_button.menu().actions())
        self.chain_button.setText("all" if self.chains and is_whole else ", ".join(self.chains) or "none")

    # Actions: what a command will ask for is worked out in a thread; then the command runs.

    def draw_ellipsoids(self) -> None:
        self._predict_and_run(self._ellipsoids_command)

    def show_rmsf(self) -> None:
        self._predict_and_run(lambda: f"dynaprot rmsf {self.spec}")

    def show_couplings(self) -> None:
        self._predict_and_run(self._couplings_command, (all_couplings,))

    def open_ensemble(self) -> None:
        count = self.count.value()
        self._predict_and_run(
            lambda: f"dynaprot ensemble {self.spec} count {count}", (draw_ensemble, count, SEED, True)
        )

    def play_mode(self) -> None:
        mode, amplitude = self.mode.value(), self.amplitude.value()
        self._predict_and_run(
            lambda: f"dynaprot modes {self.spec} mode {mode} amplitude {amplitude:g}", (mode_displacement, mode)
        )

    def _ellipsoids_command(self) -> str:
        return (
            f"dynaprot ellipsoids {self.spec} probability {self.probability.value() / 100:g} "
            f"colorBy {self.colouring.currentText()} style {self.style.currentText()}"
        )

    def _couplings_command(self) -> str:
        return f"dynaprot coupling {self.spec} threshold {self.threshold.value() / 100:g}"

    def _slide(self, slider: QSlider, text: QLabel, live: Callable[[bool], None]) -> None:
        text.setText(f"{slider.value() / 100:.2f}")
        # What the mouse drags is logged when it is let go; keys and the wheel are not held.
        self._live = lambda: live(not slider.isSliderDown())
        self._settle.start()

    def _release(self, live: Callable[[bool], None]) -> None:
        self._settle.stop()
        live(True)

    def _live_ellipsoids(self, log: bool) -> None:
        """Draw the ellipsoids anew if they are shown."""
        if self.structure is not None and ellipsoids_of(self.structure) is not None:
            self._predict_and_run(self._ellipsoids_command, log=log)

    def _live_couplings(self, log: bool) -> None:
        if self.structure is not None and couplings_of(self.structure) is not None:
            self._predict_and_run(lambda: f"{self._couplings_command()} map false", (all_couplings,), log)

    def _predict_and_run(self, command: Callable[[], str], question: tuple[Any, ...] = (), log: bool = True) -> None:
        """Run a command once its prediction, and the answer to what it will ask of it, are there."""
        if self._job is not None:
            return  # one at a time; Cancel ends it
        self._list_chains()  # which commands may have deleted or renamed
        model = MODELS[self.model_menu.currentText()]
        try:
            text = f"{command()} model {model}"
            residues = self._chosen_structure().residues
            (protein,) = read_proteins(self.session, residues.filter(np.isin(residues.chain_ids, self.chains)))
        except UserError as error:
            self._fail(error)
            return
        predictions = Predictions.of(self.session)
        request = predictions.request(protein, model, None)
        known = predictions.find(request)
        if known and (not question or known.knows(*question)):
            self._run(text, log, request)
            return
        self._job = Job(self.session, request, question, lambda: self._run(text, log, request), self._fail)
        work = "Working out the view" if known else "Predicting the motion"
        self._show_work(f"{work} of {protein.structure}, {len(protein.residues)} residues")

    def _run(self, command: str, log: bool, request: Request) -> None:
        self._end_work("")
        try:
            run(self.session, command, log=log)
        except UserError as error:
            self._fail(error)
            return
        if known := Predictions.of(self.session).find(request):
            self.status.setText(" ".join(known.dynamics.notices))

    def cancel(self) -> None:
        """Drop the prediction that is under way."""
        if self._job is not None:
            self._job.cancel()
            self._end_work("Cancelled.")

    def _fail(self, error: Exception) -> None:
        self._end_work(str(error))
        self.session.logger.error(str(error))

    def _show_work(self, text: str) -> None:
        self._work, self._began = text, perf_counter()
        self.bar.show()
        self.cancel_button.show()
        self._allow_changes(False)
        self._tick()
        self._clock.start(500)

    def _allow_changes(self, allowed: bool) -> None:
        """Let the user change what a command says, or not, while one is under way."""
        for widget in (
            self.structure_menu,
            self.chain_button,
            self.model_menu,
            self.probability,
            self.threshold,
            self.colouring,
            self.style,
            *self.buttons.values(),
        ):
            widget.setEnabled(allowed)

    def _tick(self) -> None:
        text = f"{self._work}: {perf_counter() - self._began:.0f} s"
        self.status.setText(text)
        self.session.logger.status(text)

    def _end_work(self, text: str) -> None:
        self._job = None
        self._clock.stop()
        self.bar.hide()
        self.cancel_button.hide()
        self._allow_changes(True)
        self.status.setText(text)
        self.session.logger.status(text)


def _slider(low: float, high: float, value: float) -> tuple[QSlider, QLabel]:
    """A slider of hundredths, and the text beside it."""
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(round(100 * low), round(100 * high))
    slider.setValue(round(100 * value))
    return slider, QLabel(f"{value:.2f}")


def _spin(box: Box, low: float, high: float, value: float) -> Box:
    box.setRange(low, high)
    box.setValue(value)
    return box

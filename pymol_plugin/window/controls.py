"""The controls at the left of the window: they turn clicks into requests, and do not call PyMOL themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pymol.Qt import QtCore, QtWidgets

from ..commands.coupling import dynaprot_coupling
from ..commands.ellipsoids import dynaprot_ellipsoids
from ..commands.ensemble import dynaprot_ensemble
from ..commands.modes import dynaprot_modes
from ..commands.prediction import dynaprot_predict
from ..commands.rmsf import dynaprot_restore, dynaprot_rmsf
from ..scene.couplings import coupling_of
from ..scene.ensembles import ensemble_of
from ..scene.modes import motion_along
from ..scene.palettes import PALETTES
from ..settings import CHOICES, change, choose, settings
from .requests import Request

__all__ = ["Controls"]

ALL = "all that is enabled"
REST = 120
"""Milliseconds without a movement after which a slider counts as resting."""


class Controls(QtWidgets.QScrollArea):
    """Signals what the user asks for.

    ``asked`` carries a `Request` that needs a prediction, ``previewed`` one whose slider still moves, and ``typed`` the
    text of a command that needs no prediction. ``sized`` carries the probability while its slider moves.

    Parameters
    ----------
    models : list of str
        Models that can be chosen.
    """

    asked = QtCore.Signal(object)
    typed = QtCore.Signal(str)
    previewed = QtCore.Signal(object)
    sized = QtCore.Signal(float)
    save_asked = QtCore.Signal()
    movie_asked = QtCore.Signal()

    def __init__(self, models: list[str], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._objects: dict[str, list[str]] | None = None
        kept = settings()
        self.objects = QtWidgets.QComboBox()
        self.chains = QtWidgets.QListWidget()
        self.chains.setFlow(QtWidgets.QListView.Flow.LeftToRight)
        self.chains.setWrapping(True)
        self.chains.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.chains.setMaximumHeight(52)
        self.chains.setToolTip("The ticked chains move as one system")
        self.model = _choice([*models, *({kept["model"]} - set(models))], kept["model"])
        self.predict = QtWidgets.QPushButton("Predict")

        self.ellipsoids = QtWidgets.QPushButton("Ellipsoids")
        self.probability = _Slider(0.05, 0.95, 0.05, kept["probability"], "{:.0%}")
        self.color_by = _choice(CHOICES["color_by"], kept["color_by"])
        self.palette_choice = _choice([*PALETTES, *({kept["palette"]} - set(PALETTES))], kept["palette"])
        self.rmsf = QtWidgets.QPushButton("Colour by RMSF")
        self.putty = QtWidgets.QCheckBox("putty")
        self.restore = QtWidgets.QPushButton("Restore")
        self.coupling = QtWidgets.QPushButton("Couplings")
        self.threshold = _Slider(0.05, 1.0, 0.05, kept["threshold"], "{:.2f}")
        self.from_selection = QtWidgets.QCheckBox("from sele")
        self.from_selection.setToolTip("Only the couplings to the residues selected as sele, and colours by them")
        self.ensemble = QtWidgets.QPushButton("Ensemble")
        self.count = _Slider(1, 100, 1, kept["count"], "{:.0f}")
        self.mode_button = QtWidgets.QPushButton("Normal mode")
        self.mode = QtWidgets.QSpinBox(minimum=1, maximum=99)
        self.play = QtWidgets.QPushButton("Play")
        self.stop = QtWidgets.QPushButton("Stop")
        self.save = QtWidgets.QPushButton("Save …")
        self.movie = QtWidgets.QPushButton("Movie …")

        self._lay_out()
        self._connect()

    def show_objects(self, objects: dict[str, list[str]]) -> None:
        """Offer these objects, given with their chains; the chosen one stays chosen if it still exists."""
        if objects == self._objects:
            return
        before, chosen = list(self._objects or {}), self.objects.currentText()
        if chosen in before and chosen not in objects and len(objects) == len(before):
            chosen = list(objects)[before.index(chosen)]  # PyMOL leaves an object that is renamed in its place
        self._objects = objects
        self.objects.blockSignals(True)
        self.objects.clear()
        self.objects.addItems([*objects, ALL])
        self.objects.setCurrentText(chosen if chosen in objects else next(iter(objects), ALL))
        self.objects.blockSignals(False)
        self._show_chains()

    def selection(self) -> str:
        """What the user has chosen, as a selection of PyMOL's."""
        name = self.objects.currentText()
        if name in ("", ALL):
            return "enabled"
        items = [self.chains.item(row) for row in range(self.chains.count())]
        ticked = [each.data(QtCore.Qt.ItemDataRole.UserRole) for each in items if _is_ticked(each)]
        if len(ticked) in (0, len(items)):
            return name
        return f"{name} and chain {'+'.join(chain or chr(39) * 2 for chain in ticked)}"

    def _show_chains(self) -> None:
        self.chains.clear()
        for chain in (self._objects or {}).get(self.objects.currentText(), []):
            item = QtWidgets.QListWidgetItem(chain or "(blank)", self.chains)
            item.setData(QtCore.Qt.ItemDataRole.UserRole, chain)
            item.setFlags(item.flags() | QtCore.Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(QtCore.Qt.CheckState.Checked)

    def _lay_out(self) -> None:
        content = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(content)
        for title, rows in {
            "Protein": (("Object", self.objects), ("Chains", self.chains), ("Model", self.model), self.predict),
            "Ellipsoids": (
                ("Probability", self.probability), ("Colour", self.color_by), ("Palette", self.palette_choice),
                self.ellipsoids,
            ),
            "RMSF": ((self.rmsf, self.putty, self.restore),),
            "Coupling": (("Threshold", self.threshold), (self.coupling, self.from_selection)),
            "Motion": (
                ("Samples", self.count), self.ensemble, (self.mode_button, self.mode), (self.play, self.stop),
            ),
            "Files": ((self.save, self.movie),),
        }.items():  # fmt: skip
            column.addWidget(_group(title, rows))
        column.addStretch()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = self.style().pixelMetric(QtWidgets.QStyle.PixelMetric.PM_ScrollBarExtent)
        self.setFixedWidth(content.minimumSizeHint().width() + bar + 4)

    def _connect(self) -> None:
        self.objects.currentIndexChanged.connect(lambda _: self._show_chains())
        for name, choice in (("model", self.model), ("color_by", self.color_by), ("palette", self.palette_choice)):
            choice.currentTextChanged.connect(lambda value, name=name: change(name, value))
        for name, slider in (("probability", self.probability), ("threshold", self.threshold), ("count", self.count)):
            slider.settled.connect(lambda value, name=name: change(name, value))
        self.predict.clicked.connect(lambda: self.asked.emit(Request(dynaprot_predict, (self.selection(),))))
        self.rmsf.clicked.connect(lambda: self.asked.emit(self._rmsf_request()))
        self.restore.clicked.connect(lambda: self.typed.emit(Request(dynaprot_restore, (self.selection(),)).text))
        self.mode_button.clicked.connect(lambda: self.asked.emit(self._modes_request()))
        # Once something is drawn, its slider redraws it.
        for slider, button, request in (
            (self.probability, self.ellipsoids, self._ellipsoids_request),
            (self.threshold, self.coupling, self._coupling_request),
            (self.count, self.ensemble, self._ensemble_request),
        ):
            button.clicked.connect(lambda _, button=button, request=request: self._ask(button, request))
            slider.settled.connect(
                lambda _, button=button, request=request: self._ask_again(self.asked, button, request)
            )
            if slider is not self.probability:
                slider.paused.connect(
                    lambda _, button=button, request=request: self._ask_again(self.previewed, button, request)
                )
        self.probability.moved.connect(self.sized)
        self.play.clicked.connect(lambda: self.typed.emit("mplay"))
        self.stop.clicked.connect(lambda: self.typed.emit("mstop"))
        self.save.clicked.connect(lambda: self.save_asked.emit())
        self.movie.clicked.connect(lambda: self.movie_asked.emit())

    def _ask(self, button: QtWidgets.QPushButton, request: Callable[[], Request]) -> None:
        button.setProperty("asked", True)
        self.asked.emit(request())

    def _ask_again(self, signal: Any, button: QtWidgets.QPushButton, request: Callable[[], Request]) -> None:
        if button.property("asked"):
            signal.emit(request())

    def _ellipsoids_request(self) -> Request:
        size, colours = (
            f"{self.probability.value():g}",
            (self.color_by.currentText(), self.palette_choice.currentText()),
        )
        return Request(dynaprot_ellipsoids, (self.selection(), size, *colours))

    def _rmsf_request(self) -> Request:
        return Request(dynaprot_rmsf, (self.selection(),), {"putty": str(int(self.putty.isChecked()))})

    def _coupling_request(self) -> Request:
        origin = ("sele",) if self.from_selection.isChecked() else ()
        arguments = (self.selection(), f"{self.threshold.value():g}", *origin)
        return Request(dynaprot_coupling, arguments, question=(coupling_of,))

    def _ensemble_request(self) -> Request:
        count = round(self.count.value())
        question = (ensemble_of, count, choose("seed", ""), True, 0)
        return Request(dynaprot_ensemble, (self.selection(), str(count)), question=question)

    def _modes_request(self) -> Request:
        mode = self.mode.value()
        question = (motion_along, mode, choose("amplitude", ""))
        return Request(dynaprot_modes, (self.selection(), str(mode)), question=question)


class _Slider(QtWidgets.QWidget):
    """A slider over numbers, with its value beside it.

    ``moved`` while it moves, ``paused`` when it rests but is still held, ``settled`` when it is released.
    """

    moved = QtCore.Signal(float)
    paused = QtCore.Signal(float)
    settled = QtCore.Signal(float)

    def __init__(self, least: float, most: float, step: float, value: float, form: str) -> None:
        super().__init__()
        self._step, self._form = step, form
        self.slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self.slider.setRange(round(least / step), round(most / step))
        self.slider.setValue(round(value / step))
        self.label = QtWidgets.QLabel(form.format(self.value()))
        self.label.setMinimumWidth(36)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.label)
        self._rest = QtCore.QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST)
        self._rest.timeout.connect(lambda: self.slider.isSliderDown() and self.paused.emit(self.value()))
        self.slider.valueChanged.connect(self._changed)
        self.slider.sliderReleased.connect(lambda: self.settled.emit(self.value()))

    def value(self) -> float:
        """The number that the slider shows."""
        return float(round(self.slider.value() * self._step, 6))

    def _changed(self, _: int) -> None:
        self.label.setText(self._form.format(self.value()))
        self.moved.emit(self.value())
        self._rest.start()
        if not self.slider.isSliderDown():  # by the keyboard or the wheel
            self.settled.emit(self.value())


def _group(title: str, rows: Iterable[Any]) -> QtWidgets.QGroupBox:
    """A titled box of rows: a widget, several widgets side by side, or a label and a widget."""
    box = QtWidgets.QGroupBox(title)
    form = QtWidgets.QFormLayout(box)
    form.setContentsMargins(8, 4, 8, 6)
    form.setVerticalSpacing(4)
    for row in rows:
        if not isinstance(row, tuple):
            form.addRow(row)
        elif isinstance(row[0], str):
            form.addRow(*row)
        else:
            line = QtWidgets.QHBoxLayout()
            for widget in row:
                line.addWidget(widget)
            form.addRow(line)
    return box


def _choice(values: Iterable[str], chosen: str) -> QtWidgets.QComboBox:
    choice = QtWidgets.QComboBox()
    choice.addItems(values)
    choice.setCurrentText(chosen)
    return choice


def _is_ticked(item: QtWidgets.QListWidgetItem) -> bool:
    return item.checkState() == QtCore.Qt.CheckState.Checked

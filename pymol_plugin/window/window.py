"""The window Plugin > DynaProt: runs the commands on a click and shows the plots."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator
from contextlib import redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymol import CmdException
from pymol.Qt import QtCore, QtWidgets

from .. import settings
from ..commands.save import dynaprot_save
from ..core import core_refusals, latest_refusal, load_core, without_collection
from ..scene.couplings import coupling_of
from ..scene.ellipsoids import resize
from ..scene.ensembles import ensemble_of
from ..scene.linked_objects import calphas_of, is_at, is_linked, linked_objects
from ..scene.movies import require_encoder, write_movie
from ..scene.predictions import answer, has_answer, kept_prediction, predict_structure
from ..scene.proteins import Protein, read_proteins
from .controls import Controls
from .jobs import Job
from .plots import PlotPanel
from .requests import Request, quoted

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics, Structure

__all__ = ["DynaProtWindow"]

INTERVAL = 400
"""Milliseconds between two checks of PyMOL's objects and its selection."""


class DynaProtWindow(QtWidgets.QDialog):
    """Controls at the left, two plots at the right, progress below.

    Parameters
    ----------
    session : Cmd
        The PyMOL that the window belongs to.
    parent : QWidget, optional
    """

    def __init__(self, session: Cmd, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.job: Job | Recording | None = None
        self._names: list[str] = []  # the objects at the last check
        self._calphas: Any = None  # of the protein that is plotted, as they were loaded
        self.setWindowTitle("DynaProt")
        self.resize(1060, 800)
        self.controls = Controls(load_core().models())
        self.panels = {kind: PlotPanel(kind, self.run) for kind in ("coupling", "rmsf")}
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.addTab(self.panels["coupling"], "Coupling")
        self.tabs.addTab(self.panels["rmsf"], "RMSF")
        self.status = QtWidgets.QLabel()
        self.status.setWordWrap(True)
        self.progress = QtWidgets.QProgressBar()
        self.progress.setMaximumWidth(180)
        self.cancel_button = QtWidgets.QPushButton("Cancel")
        below = QtWidgets.QHBoxLayout()
        below.addWidget(self.status, 1)
        below.addWidget(self.progress)
        below.addWidget(self.cancel_button)
        beside = QtWidgets.QHBoxLayout()
        beside.addWidget(self.controls)
        beside.addWidget(self.tabs, 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addLayout(beside, 1)
        layout.addLayout(below)
        self._show_busy(False)

        self.cancel_button.clicked.connect(self.cancel)
        self.controls.asked.connect(self.do)
        self.controls.typed.connect(self.run)
        self.controls.previewed.connect(self.preview)
        self.controls.sized.connect(self.resize_ellipsoids)
        self.controls.save_asked.connect(self.save)
        self.controls.movie_asked.connect(self.record)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.look)
        self.look()

    # What the session holds ----------------------------------------------------------------------------------

    def look(self) -> None:
        """Update the lists of objects and chains, and the marks in the plots."""
        with suppress(CmdException):  # an object that is deleted meanwhile
            names = self.session.get_object_list() or []
            names = [name for name in names if not is_linked(name, _self=self.session)]
            chains = {name: self.session.get_chains(f"model {name} and polymer.protein") for name in names}
            self.controls.show_objects({name: ids for name, ids in chains.items() if ids})
            appeared, self._names = [name for name in names if name not in self._names], names
            for panel in self.panels.values():
                if panel.protein and panel.protein.name not in names:
                    state = panel.protein.state
                    same = (each for each in appeared if is_at(each, state, self._calphas, _self=self.session))
                    panel.rename(next(same, None))
                panel.mark_selection(_self=self.session)

    def showEvent(self, event: QtCore.QEvent) -> None:
        """Start checking the session."""
        self._timer.start(INTERVAL)
        super().showEvent(event)

    def hideEvent(self, event: QtCore.QEvent) -> None:
        """Stop checking the session, and stop waiting."""
        self._timer.stop()
        self.cancel()
        super().hideEvent(event)

    # What the user asks for ----------------------------------------------------------------------------------

    def run(self, command: str) -> None:
        """Run a command as if it had been typed, so that PyMOL prints it."""
        latest_refusal.clear()
        with without_collection():
            self.session.do(command)
        if latest_refusal:
            self._refuse(*latest_refusal)

    def do(self, request: Request) -> None:
        """Work out in a thread what a command needs, then run it."""
        self.cancel()
        self._work_out(request, self._draw)

    def preview(self, request: Request) -> None:
        """Run a command whose slider still moves, without printing it; that is done when the slider is released."""
        if not self.job:
            self._work_out(request, self._draw_preview)

    def _work_out(self, request: Request, draw: Callable[[Request, list[Protein], list[Dynamics]], None]) -> None:
        selection = self.controls.selection()
        by = tuple(settings.choose(name, "") for name in ("model", "device", "superimpose"))
        try:
            with core_refusals():
                proteins = read_proteins(selection, _self=self.session)
        except CmdException as refusal:
            self._refuse(refusal)
            return
        structures = [protein.structure for protein in proteins]
        questions: list[list[tuple[Any, ...]]] = [[request.question] if request.question else [] for _ in proteins]
        questions[0].append((coupling_of,))  # for the map, which shows the first

        def work_out(structure: Structure, questions: list[tuple[Any, ...]]) -> Dynamics:
            dynamics = predict_structure(structure, *by)
            for each in questions:
                answer(dynamics, *each)
            return dynamics

        found = (kept_prediction(structure, *by) for structure in structures)
        kept = [dynamics for dynamics in found if dynamics]
        is_complete = len(kept) == len(proteins)
        if is_complete and all(
            has_answer(dynamics, *each) for dynamics, own in zip(kept, questions, strict=True) for each in own
        ):
            draw(request, proteins, kept)
            return

        def ended(predictions: list[Dynamics] | None, failure: Exception | None) -> None:
            self._show_busy(False)
            self._say("")
            self.job = None
            if predictions is None:
                self._refuse(failure)
            elif gone := {each.name for each in proteins} - set(self.session.get_names("objects")):
                self._say(f"{', '.join(sorted(gone))} was deleted or renamed meanwhile.")
            else:
                draw(request, proteins, predictions)

        work = "Computing the view of" if is_complete else "Predicting"
        names = ", ".join(protein.name for protein in proteins)
        self._say(f"{work} {names}: {sum(map(len, structures))} residues …")
        self._show_busy(True, len(proteins))
        steps = [partial(work_out, *each) for each in zip(structures, questions, strict=True)]
        self.job = Job(self, steps, self.progress.setValue, ended)

    def cancel(self) -> None:
        """Stop waiting for what was asked for."""
        if self.job:
            self.job.cancel()
            self.job = None
            self._show_busy(False)
            self._say("Cancelled.")

    def resize_ellipsoids(self, probability: float) -> None:
        """Let drawn ellipsoids grow and shrink while the slider moves."""
        parents = set(self.session.get_object_list(f"({self.controls.selection()})") or [])
        for name, title in linked_objects(_self=self.session).items():
            if title["kind"] == "ellipsoids" and title["parent"] in parents:
                resize(name, probability, _self=self.session)

    def save(self) -> None:
        """Ask for a file and save the result to it."""
        defaults = load_core(".defaults")
        trajectories = [suffix for suffix in defaults.ENSEMBLE_SUFFIXES if suffix not in defaults.RESULT_SUFFIXES]
        kinds = {words[0].upper() + words[1:]: [suffix] for suffix, words in defaults.RESULT_SUFFIXES.items()}
        kinds |= {"Conformations": trajectories, "Figure of the RMSF": defaults.FIGURE_SUFFIXES}
        filters = [f"{words} ({' '.join(f'*{suffix}' for suffix in suffixes)})" for words, suffixes in kinds.items()]
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Save the prediction", "dynamics.npz", ";;".join(filters))
        if path:
            drawn = (ensemble_of, settings.choose("count", ""), settings.choose("seed", ""), True, 0)
            question = drawn if Path(path).suffix in trajectories else ()
            self.do(Request(dynaprot_save, (quoted(path), self.controls.selection()), question=question))

    def record(self) -> None:
        """Ask for a file and write the scene's frames to it, one at a time so that the window keeps responding."""
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Save a movie", "movie.gif", "Movie (*.gif *.mp4)")
        if path:
            self.record_to(Path(path))

    def record_to(self, path: Path) -> None:
        """Write the scene's frames to a file, one at a time so that the window keeps responding."""
        self.cancel()
        try:
            require_encoder(path)
        except CmdException as refusal:
            self._refuse(refusal)
            return
        print(f"PyMOL>dynaprot_movie {quoted(str(path))}")
        self._show_busy(True, 0)
        self.job = Recording(self, write_movie(path, 640, 480, 20, True, _self=self.session), self._recorded)

    def _recorded(self, done: int, count: int, failure: CmdException | None) -> None:
        self.progress.setRange(0, count)
        self.progress.setValue(done)
        self._say(f"Frame {done} of {count} …")
        if failure or done == count:
            self.job = None
            self._show_busy(False)
            self._refuse(failure) if failure else self._say("The movie was written.")

    def show_map(self, protein: Protein, dynamics: Dynamics) -> None:
        """Bring the map of a prediction to the front."""
        self.show_prediction(protein, dynamics)
        self.tabs.setCurrentWidget(self.panels["coupling"])

    def show_prediction(self, protein: Protein, dynamics: Dynamics) -> None:
        """Plot a prediction."""
        self._calphas = calphas_of(protein.name, protein.state, _self=self.session)
        for panel in self.panels.values():
            if panel.dynamics is None or panel.dynamics.joint is not dynamics.joint:
                panel.show_prediction(protein, dynamics)

    def _draw(self, request: Request, proteins: list[Protein], predictions: list[Dynamics]) -> None:
        self.show_prediction(proteins[0], predictions[0])
        rmsf = predictions[0].rmsf
        self._say(
            " ".join(predictions[0].notices)
            or f"{proteins[0].name}: RMSF {rmsf.min():.2f} to {rmsf.max():.2f} Å, by {predictions[0].model}."
        )
        self.run(request.text)

    def _draw_preview(self, request: Request, proteins: list[Protein], predictions: list[Dynamics]) -> None:
        with without_collection(), redirect_stdout(io.StringIO()), suppress(CmdException):
            request.call(_self=self.session)

    def _say(self, text: str) -> None:
        self.status.setText(text)

    def _refuse(self, reason: object) -> None:
        self.status.setText(f"<b>{getattr(reason, 'message', reason)}</b>")

    def _show_busy(self, busy: bool, steps: int = 0) -> None:
        # With a single step there is no progress to show: the bar then only says that something is going on.
        self.progress.setRange(0, steps if steps > 1 else 0)
        self.progress.setValue(0)
        self.progress.setVisible(busy)
        self.cancel_button.setVisible(busy)


class Recording(QtCore.QObject):
    """A movie that is drawn one frame at a time, whenever the window has nothing else to do.

    Parameters
    ----------
    parent : QObject
    frames : generator of (int, int)
        Draws one frame in each step.
    on_frame : callable
        Called with how many frames are done, of how many, and the exception that ended it, if any.
    """

    def __init__(
        self,
        parent: QtCore.QObject,
        frames: Generator[tuple[int, int], None, None],
        on_frame: Callable[[int, int, CmdException | None], None],
    ) -> None:
        super().__init__(parent)
        self._frames, self._on_frame = frames, on_frame
        self._done = (0, 1)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._next)
        self._timer.start(10)

    def cancel(self) -> None:
        """Stop drawing; no file is written."""
        self._timer.stop()
        self._frames.close()
        self.deleteLater()

    def _next(self) -> None:
        try:
            with core_refusals():
                self._done = next(self._frames)
            if self._done[0] == self._done[1]:
                self._timer.stop()
                next(self._frames, None)  # writes the file
                self.deleteLater()
            self._on_frame(*self._done, None)
        except CmdException as refusal:
            self._timer.stop()
            self._on_frame(*self._done, refusal)

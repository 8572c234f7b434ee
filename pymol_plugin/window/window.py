"""The window Plugin > DynaProt: what the commands do, on a click."""

from __future__ import annotations

import io
from contextlib import redirect_stdout, suppress
from functools import partial
from pathlib import Path

from pymol import CmdException
from pymol.Qt import QtCore, QtWidgets

from .. import settings
from ..commands.arguments import quoted
from ..core import core_refusals, latest_refusal, load_core, without_collection
from ..scene.ensembles import ensemble_of
from .controls import Controls
from .jobs import Job
from .plots import PlotPanel

__all__ = ["DynaProtWindow"]

INTERVAL = 400
"""Milliseconds between two looks at PyMOL's objects and its selection."""


class DynaProtWindow(QtWidgets.QDialog):
    """Controls at the left, the two plots at the right, progress below.

    Parameters
    ----------
    session : Cmd
        PyMOL's commands.
    parent : QWidget, optional
    """

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self.job = None
        self._names, self._calphas = [], None  # at the last look: the objects, and what is plotted
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
        self.controls.typed.connect(lambda command: self.run(command.replace("{selection}", self.controls.selection())))
        self.controls.previewed.connect(self.preview)
        self.controls.sized.connect(self.resize_ellipsoids)
        self.controls.save_asked.connect(self.save)
        self.controls.movie_asked.connect(self.record)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.look)
        self.look()

    # What is there -------------------------------------------------------------------------------------------

    def look(self):
        """Bring the lists of objects and chains, and the marks in the plots, up to date."""
        from ..scene.companions import is_at, is_companion

        with suppress(CmdException):  # an object that goes while it is looked at
            names = self.session.get_object_list() or []
            names = [name for name in names if not is_companion(name, _self=self.session)]
            chains = {name: self.session.get_chains(f"model {name} and polymer.protein") for name in names}
            self.controls.show_objects({name: ids for name, ids in chains.items() if ids})
            appeared, self._names = [name for name in names if name not in self._names], names
            for panel in self.panels.values():
                if panel.protein and panel.protein.name not in names:
                    state = panel.protein.state
                    same = (each for each in appeared if is_at(each, state, self._calphas, _self=self.session))
                    panel.rename(next(same, None))
                panel.mark_selection(self.session)

    def showEvent(self, event):
        """Start looking."""
        self._timer.start(INTERVAL)
        super().showEvent(event)

    def hideEvent(self, event):
        """Stop looking, and waiting."""
        self._timer.stop()
        self.cancel()
        super().hideEvent(event)

    # What is asked for ---------------------------------------------------------------------------------------

    def run(self, command):
        """Run a command as if it were typed, so that PyMOL prints it."""
        latest_refusal.clear()
        with without_collection():
            self.session.do(command)
        if latest_refusal:
            self._refuse(*latest_refusal)

    def do(self, command, question=()):
        """Work out beside the window what a command needs, then run it.

        Parameters
        ----------
        command : str
            With ``{selection}`` where that belongs.
        question : tuple
            What the command will ask of `Dynamics.once`, if anything.
        """
        self.cancel()
        self._work_out(command, question, self._draw)

    def preview(self, command, question):
        """Run a command whose slider still moves, without a word; it is printed when the slider is let go."""
        if not self.job:
            self._work_out(command, question, self._draw_preview)

    def _work_out(self, command, question, draw):
        from ..scene.predictions import kept_prediction, predict_structure
        from ..scene.proteins import read_proteins

        selection = self.controls.selection()
        model, device = settings.choose("model", ""), settings.choose("device", "")
        try:
            with core_refusals():
                proteins = read_proteins(selection, _self=self.session)
        except CmdException as refusal:
            self._refuse(refusal)
            return
        command = command.replace("{selection}", selection)
        structures = [protein.structure for protein in proteins]
        questions = [[question] if question else [] for _ in proteins]
        questions[0].append((load_core(".analysis.couplings").all_couplings,))  # the map shows the first

        def work_out(structure, questions):
            dynamics = predict_structure(structure, model, device)
            for each in questions:
                dynamics.once(*each)
            return dynamics

        kept = [kept_prediction(structure, model, device) for structure in structures]
        known = zip(kept, questions, strict=True)
        if all(dynamics and all(dynamics.knows(*each) for each in own) for dynamics, own in known):
            draw(command, proteins, kept)
            return

        def ended(predictions, failure):
            self._show_busy(False)
            self._say("")
            self.job = None
            if failure:
                self._refuse(failure)
            elif gone := {each.name for each in proteins} - set(self.session.get_names("objects")):
                self._say(f"{', '.join(sorted(gone))} was deleted or renamed meanwhile.")
            else:
                draw(command, proteins, predictions)

        work = "Working out the view of" if all(kept) else "Predicting"
        names = ", ".join(protein.name for protein in proteins)
        self._say(f"{work} {names}: {sum(map(len, structures))} residues …")
        self._show_busy(True, len(proteins))
        steps = [partial(work_out, *each) for each in zip(structures, questions, strict=True)]
        self.job = Job(self, steps, self.progress.setValue, ended)

    def cancel(self):
        """Wait no more for what was asked for."""
        if self.job:
            self.job.cancel()
            self.job = None
            self._show_busy(False)
            self._say("Cancelled.")

    def resize_ellipsoids(self, probability):
        """While the slider moves, let the ellipsoids that are there grow and shrink with it."""
        from ..scene.companions import companions
        from ..scene.ellipsoids import resize

        parents = set(self.session.get_object_list(f"({self.controls.selection()})") or [])
        for name, title in companions(_self=self.session).items():
            if title["kind"] == "ellipsoids" and title["parent"] in parents:
                resize(name, probability, _self=self.session)

    def save(self):
        """Ask for a file and save into it."""
        path, _ = QtWidgets.QFileDialog.getSaveFileName(
            self, "Save the prediction", "dynamics.npz",
            "Everything (*.npz);;Table (*.csv);;Structure (*.pdb *.cif);;Trajectory (*.dcd *.xtc);;Picture (*.png)",
        )  # fmt: skip
        if path:
            drawn = (ensemble_of, settings.choose("count", ""), settings.choose("seed", ""), True, 0)
            question = drawn if Path(path).suffix in (".dcd", ".xtc") else ()
            self.do(f"dynaprot_save {quoted(path)}, {{selection}}", question)

    def record(self):
        """Ask for a file and write the scene's frames into it, one at a time between the window's own work."""
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Save a movie", "movie.gif", "Movie (*.gif *.mp4)")
        if path:
            self.record_to(Path(path))

    def record_to(self, path):
        """Write the scene's frames into a file, frame by frame so that the window stays alive."""
        from ..scene.movies import require_encoder, write_movie

        self.cancel()
        try:
            require_encoder(path)
        except CmdException as refusal:
            self._refuse(refusal)
            return
        print(f"PyMOL>dynaprot_movie {quoted(str(path))}")
        self._show_busy(True, 0)
        self.job = Recording(self, write_movie(path, 640, 480, 20, True, _self=self.session), self._recorded)

    def _recorded(self, done, count, failure):
        self.progress.setRange(0, count)
        self.progress.setValue(done)
        self._say(f"Frame {done} of {count} …")
        if failure or done == count:
            self.job = None
            self._show_busy(False)
            self._refuse(failure) if failure else self._say("The movie is written.")

    def show_map(self, protein, dynamics):
        """Bring the map of a prediction to the front."""
        self.show_prediction(protein, dynamics)
        self.tabs.setCurrentWidget(self.panels["coupling"])

    def show_prediction(self, protein, dynamics):
        """Plot a prediction."""
        from ..scene.companions import calphas_of

        self._calphas = calphas_of(protein.name, protein.state, _self=self.session)
        for panel in self.panels.values():
            if panel.dynamics is None or panel.dynamics.joint is not dynamics.joint:
                panel.show_prediction(protein, dynamics)

    def _draw(self, command, proteins, predictions):
        self.show_prediction(proteins[0], predictions[0])
        rmsf = predictions[0].rmsf
        self._say(
            " ".join(predictions[0].notices)
            or f"{proteins[0].name}: RMSF {rmsf.min():.2f} to {rmsf.max():.2f} Å, by {predictions[0].model}."
        )
        self.run(command)

    def _draw_preview(self, command, proteins, predictions):
        from ..commands import COMMANDS

        name, _, arguments = command.partition(" ")
        (function,) = [each for each in COMMANDS if each.__name__ == name]
        with without_collection(), redirect_stdout(io.StringIO()), suppress(CmdException):
            function(*(argument.strip() for argument in arguments.split(",")), _self=self.session)

    def _say(self, text):
        self.status.setText(text)

    def _refuse(self, reason):
        self.status.setText(f"<b>{getattr(reason, 'message', reason)}</b>")

    def _show_busy(self, busy, steps=0):
        # One step tells no progress: the bar then only shows that something is going on.
        self.progress.setRange(0, steps if steps > 1 else 0)
        self.progress.setValue(0)
        self.progress.setVisible(busy)
        self.cancel_button.setVisible(busy)


class Recording(QtCore.QObject):
    """A movie in the making: a frame at a time, whenever the window has nothing else to do.

    Parameters
    ----------
    parent : QObject
    frames : iterator of (int, int)
        Draws a frame a step.
    on_frame : callable
        Called with how many are done, of how many, and the exception that ended it, if any.
    """

    def __init__(self, parent, frames, on_frame):
        super().__init__(parent)
        self._frames, self._on_frame = frames, on_frame
        self._done = (0, 1)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._next)
        self._timer.start(10)

    def cancel(self):
        """Draw no more; no file is written."""
        self._timer.stop()
        self._frames.close()
        self.deleteLater()

    def _next(self):
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

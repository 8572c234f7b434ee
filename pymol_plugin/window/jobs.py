"""Long computations, done in a thread so that the window keeps responding."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from pymol.Qt import QtCore

__all__ = ["Job"]

INTERVAL = 50
"""Milliseconds between two checks of whether a job is done."""


class Job(QtCore.QObject):
    """Steps done one after the other in a thread of their own; the window is told when they end.

    The thread is Python's, not Qt's: a QThread must not be destroyed while it runs, so that closing a window would have
    to wait for it.

    Parameters
    ----------
    parent : QObject
        Nothing is called back once this is gone.
    steps : list of callable
        Must not call PyMOL.
    on_progress : callable
        Called with the number of steps that are done.
    on_end : callable
        Called with the results of all steps and None, or with None and the exception that ended them.
    """

    def __init__(
        self,
        parent: QtCore.QObject,
        steps: Sequence[Callable[[], Any]],
        on_progress: Callable[[int], object],
        on_end: Callable[[list[Any] | None, Exception | None], object],
    ) -> None:
        super().__init__(parent)
        self._steps, self._on_progress, self._on_end = steps, on_progress, on_end
        self._results: list[Any] = []
        self._failure: Exception | None = None
        self._told = 0
        self._cancelled = threading.Event()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(INTERVAL)
        self._thread = threading.Thread(target=self._work, name="DynaProt", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop waiting for it. The step that is running ends by itself; its result is kept for the next time."""
        self._cancelled.set()
        self._timer.stop()
        self.deleteLater()

    def _work(self) -> None:
        try:
            for step in self._steps:
                if self._cancelled.is_set():
                    return
                self._results.append(step())
        except Exception as failure:
            self._failure = failure

    def _look(self) -> None:
        ended = not self._thread.is_alive()
        if len(self._results) > self._told:
            self._told = len(self._results)
            self._on_progress(self._told)
        if ended and not self._cancelled.is_set():
            self._timer.stop()
            self._on_end(None if self._failure else self._results, self._failure)
            self.deleteLater()

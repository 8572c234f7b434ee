"""Predictions in a thread of their own, so that the window goes on living."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING

from .dynaprot import DynaProtError
from .predictions import Predictions, finish

if TYPE_CHECKING:
    from chimerax.core.session import Session

    from .dynaprot import Dynamics
    from .predictions import Request


PAUSE = 0.03
"""Seconds between two looks at the window's events."""


def predict_beside_window(request: Request) -> Dynamics:
    """Predict for a command that was typed: it returns when all is done, but the window is painted meanwhile.

    What the user clicks or types waits, so that no other command comes in between.
    """
    from Qt.QtCore import QEventLoop
    from Qt.QtWidgets import QApplication

    with ThreadPoolExecutor(max_workers=1) as pool:
        prediction = pool.submit(request.predict)
        while not prediction.done():
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
            wait([prediction], PAUSE)
    return prediction.result()


class Job:
    """Predict systems one after the other, and keep each in the session.

    Parameters
    ----------
    session : chimerax.core.session.Session
    requests : list of Request
        Those that have been predicted before cost nothing.
    on_done : callable
        Called without arguments in the main thread when all are there.
    on_failure : callable
        Called in the main thread with the error that ended the job.
    """

    def __init__(
        self,
        session: Session,
        requests: list[Request],
        on_done: Callable[[], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.session = session
        self.on_done, self.on_failure = on_done, on_failure
        self.cancelled = False
        self.missing = [request for request in requests if Predictions.of(session).find(request) is None]
        self.started = perf_counter()
        if self.missing:
            Thread(target=self._work, name="DynaProt", daemon=True).start()
        else:
            on_done()

    def cancel(self) -> None:
        """Drop the result; the thread ends by itself."""
        self.cancelled = True

    def _work(self) -> None:
        thread_safe = self.session.ui.thread_safe
        for request in self.missing:
            if self.cancelled:
                return
            start = perf_counter()
            try:
                dynamics = request.predict()
            except Exception as error:  # of whatever kind, or it would be lost with the thread
                thread_safe(self._failed, error)
                return
            thread_safe(self._keep, request, dynamics, perf_counter() - start)
        thread_safe(self._finished)

    def _keep(self, request: Request, dynamics: Dynamics, seconds: float) -> None:
        if not self.cancelled and not request.structure.deleted:
            finish(self.session, request, dynamics, seconds)

    def _failed(self, error: Exception) -> None:
        if not self.cancelled:
            self.on_failure(error)
            if not isinstance(error, DynaProtError):
                raise error  # the host reports it as a bug

    def _finished(self) -> None:
        if not self.cancelled:
            self.on_done()

"""A prediction, and what a view asks of it, in a thread of their own, so that the window goes on answering."""

from __future__ import annotations

from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..dynaprot import DynaProtError
from ..scene.predictions import Predictions, finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from chimerax.core.session import Session

    from ..dynaprot import Dynamics
    from ..scene.predictions import Request


class Job:
    """Predict if need be, keep the prediction in the session, and ask of it what takes its time.

    Parameters
    ----------
    session : chimerax.core.session.Session
    request : Request
    question : tuple
        What `Dynamics.once` takes; empty where nothing else takes its time.
    on_done : callable
        Called without arguments in the main thread when all is there, or when its structure was closed meanwhile.
    on_failure : callable
        Called in the main thread with the error that ended the job.
    """

    def __init__(
        self,
        session: Session,
        request: Request,
        question: tuple,
        on_done: Callable[[], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.session, self.request, self.question = session, request, question
        self.on_done, self.on_failure = on_done, on_failure
        self.cancelled = False
        self.known = Predictions.of(session).find(request)
        Thread(target=self._work, name="DynaProt", daemon=True).start()

    def cancel(self) -> None:
        """Drop what is not there yet; the thread ends by itself."""
        self.cancelled = True

    def _work(self) -> None:
        start = perf_counter()
        try:
            if self.known:
                dynamics = self.known.dynamics
            else:
                dynamics = self.request.predict()
                self._call(self._keep, dynamics, perf_counter() - start)
            if self.question and not self.cancelled:
                dynamics.once(*self.question)
        except Exception as error:  # of whatever kind, or it would be lost with the thread
            self._call(self._fail, error)
        else:
            self._call(self.on_done)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call in the main thread."""
        self.session.ui.thread_safe(lambda: None if self.cancelled else function(*arguments))

    def _keep(self, dynamics: Dynamics, seconds: float) -> None:
        if not self.request.system.structure.deleted:
            finish(self.session, self.request, dynamics, seconds)

    def _fail(self, error: Exception) -> None:
        self.on_failure(error)
        if not isinstance(error, DynaProtError):
            raise error  # the host reports it as a bug

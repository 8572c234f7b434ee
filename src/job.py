"""A prediction in a thread of its own, so that the window goes on answering."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING

from .dynaprot import DynaProtError
from .predictions import finish

if TYPE_CHECKING:
    from chimerax.core.session import Session

    from .dynaprot import Dynamics
    from .predictions import Request


class Job:
    """Predict, and keep the prediction in the session.

    Parameters
    ----------
    session : chimerax.core.session.Session
    request : Request
    on_done : callable
        Called without arguments in the main thread when it is there, or when its structure was closed meanwhile.
    on_failure : callable
        Called in the main thread with the error that ended the job.
    """

    def __init__(
        self,
        session: Session,
        request: Request,
        on_done: Callable[[], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.session, self.request = session, request
        self.on_done, self.on_failure = on_done, on_failure
        self.cancelled = False
        Thread(target=self._work, name="DynaProt", daemon=True).start()

    def cancel(self) -> None:
        """Drop the result; the thread ends by itself."""
        self.cancelled = True

    def _work(self) -> None:
        start = perf_counter()
        try:
            dynamics = self.request.predict()
        except Exception as error:  # of whatever kind, or it would be lost with the thread
            self.session.ui.thread_safe(self._failed, error)
        else:
            self.session.ui.thread_safe(self._finished, dynamics, perf_counter() - start)

    def _failed(self, error: Exception) -> None:
        if not self.cancelled:
            self.on_failure(error)
            if not isinstance(error, DynaProtError):
                raise error  # the host reports it as a bug

    def _finished(self, dynamics: Dynamics, seconds: float) -> None:
        if not self.cancelled:
            if not self.request.system.structure.deleted:
                finish(self.session, self.request, dynamics, seconds)
            self.on_done()

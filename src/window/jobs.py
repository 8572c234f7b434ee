"""Predictions, and what a view asks of them, in threads of their own, so that the window goes on answering."""

from __future__ import annotations

from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..dynaprot import DynaProtError
from ..scene.predictions import Predictions, finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from chimerax.core.session import Session

    from ..scene.predictions import KeptDynamics, Request


class Job:
    """Predict if need be, keep the prediction in the session, and work out the answer to a view's question.

    Parameters
    ----------
    session : chimerax.core.session.Session
    request : Request
    question : tuple
        Arguments of `KeptDynamics.answer`; empty where a view asks nothing that takes long.
    on_done : callable
        Called without arguments in the main thread when the work is done, also if the structure was closed meanwhile.
    on_failure : callable
        Called in the main thread with the error that ended the job.
    """

    def __init__(
        self,
        session: Session,
        request: Request,
        question: tuple[Any, ...],
        on_done: Callable[[], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.session, self.request, self.question = session, request, question
        self.on_done, self.on_failure = on_done, on_failure
        self.cancelled = False
        self.known = Predictions.of(session).find(request)
        Thread(target=self._work, name="DynaProt", daemon=True).start()

    def cancel(self) -> None:
        """Drop what is not finished; the thread ends by itself."""
        self.cancelled = True

    def _work(self) -> None:
        start = perf_counter()
        try:
            kept = self.known
            if kept is None:
                kept = self.request.predict()
                self._call(self._keep, kept, perf_counter() - start)
            if self.question and not self.cancelled:
                kept.answer(*self.question)
        except Exception as error:  # of whatever kind, or it would be lost with the thread
            self._call(self._fail, error)
        else:
            self._call(self.on_done)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call in the main thread."""
        self.session.ui.thread_safe(lambda: None if self.cancelled else function(*arguments))

    def _keep(self, kept: KeptDynamics, seconds: float) -> None:
        if not self.request.protein.structure.deleted:
            finish(self.session, self.request, kept, seconds)

    def _fail(self, error: Exception) -> None:
        self.on_failure(error)
        if not isinstance(error, DynaProtError):
            raise error  # the host reports it as a bug

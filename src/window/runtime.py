"""What runs the trained network: whether it is there, and how it is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import invalidate_caches
from threading import Thread
from typing import TYPE_CHECKING

from chimerax.core.commands import log_equivalent_command
from chimerax.core.python_utils import run_logged_pip

from ..dynaprot.network.runtime import choose_runtime

if TYPE_CHECKING:
    from chimerax.core.session import Session

PACKAGE = "onnxruntime"
DOWNLOAD = "about 30 MB"
INSTALL = f"pip install {PACKAGE}"
"""The host's own command for it."""


def runtime_is_there() -> bool:
    """Whether anything is installed that runs the trained network."""
    return choose_runtime().program is not None


def install_runtime(session: Session, on_end: Callable[[str | None], None]) -> None:
    """Install the small runtime into the host, in a thread of its own, as `INSTALL` does.

    Parameters
    ----------
    session : chimerax.core.session.Session
    on_end : callable
        Called in the main thread, with what went wrong or None.
    """

    def work() -> None:
        error = None
        try:
            run_logged_pip(["install", "--user", "--no-warn-script-location", PACKAGE], None)
        except (RuntimeError, OSError) as cause:
            error = f"{PACKAGE} could not be installed: {cause}"
        invalidate_caches()
        session.ui.thread_safe(on_end, error)

    log_equivalent_command(session, INSTALL)
    Thread(target=work, name="DynaProt installation", daemon=True).start()

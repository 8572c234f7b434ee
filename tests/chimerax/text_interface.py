"""The user interface of a ChimeraX without a window: the module `chimerax.core.nogui`, which the PyPI wheel leaves out.

`environment.py` copies this file to that place. It offers only what the host asks of an interface when there is
neither a window nor a terminal session: a log that prints, and off-screen rendering.
"""

import sys

from .logger import PlainTextLog


class NoGuiLog(PlainTextLog):
    """Prints every message of the session, with its level in front."""

    def log(self, level: int, msg: str) -> bool:
        name = ("INFO", "WARNING", "ERROR", "BUG")[level]
        print(f"{name}: {msg.rstrip()}", flush=True)
        return True

    def status(self, msg: str, color: str, secondary: bool) -> bool:
        return False


class UI:
    """The interface of the one session of this process, `UI.instance().session`."""

    is_gui = False
    has_graphics = False
    _instance = None

    def __init__(self, session):
        self.session = session
        UI._instance = self

    @classmethod
    def instance(cls) -> "UI":
        return cls._instance

    def initialize_color_output(self, color_output: bool | None) -> None:
        """The log is plain: there is nothing to colour."""

    def initialize_offscreen_rendering(self) -> None:
        from chimerax.graphics import OffScreenRenderingContext
        from Qt.QtWidgets import QApplication

        self.session.main_view.initialize_rendering(OffScreenRenderingContext())
        self.has_graphics = True
        # The scene itself needs no Qt, but text in it (color key, labels) is painted by Qt, which wants an application.
        self.application = QApplication.instance() or QApplication([sys.argv[0], "-platform", "offscreen"])

    def thread_safe(self, function, *args, **keywords) -> None:
        function(*args, **keywords)

    def event_loop(self) -> None:
        """A process without a window has done its work once its commands have run."""

    def quit(self) -> None:
        raise SystemExit(0)

"""DynaProt's window in PyMOL's: it runs the same commands as a user who types. Qt is imported when it opens."""

import sys
import threading
from contextlib import suppress

__all__ = ["follow_in_window", "pymol_window"]

INTERVAL = 300
"""Milliseconds between two looks at where the proteins are."""


def pymol_window():
    """PyMOL's main window; None where PyMOL runs without one, or this is not its thread."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return getattr(sys.modules.get("pmg_qt.pymol_qt_gui"), "window", None)


def follow_in_window():
    """Let what DynaProt draws follow its proteins by itself, as PyMOL tells no plugin when an object was moved."""
    from pymol import CmdException, cmd
    from pymol.Qt import QtCore

    def follow():
        companions = sys.modules.get(f"{__package__.rpartition('.')[0]}.scene.companions")
        if companions:  # else DynaProt has drawn nothing yet, and nothing of it is loaded
            with suppress(CmdException):  # an object that goes while it is looked at
                companions.follow(_self=cmd)

    timer = QtCore.QTimer(pymol_window())
    timer.timeout.connect(follow)
    timer.start(INTERVAL)

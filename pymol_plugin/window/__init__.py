"""DynaProt's window in PyMOL's: it runs the same commands as a user who types. Qt is imported when it opens."""

import sys
import threading
from contextlib import suppress

from pymol import CmdException, cmd

from .. import installer
from ..core import require_python

__all__ = ["follow_in_window", "pymol_window", "show_window"]

INTERVAL = 300
"""Milliseconds between two looks at where the proteins are."""

_window = None


def pymol_window():
    """PyMOL's main window; None where PyMOL runs without one, or this is not its thread."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return getattr(sys.modules.get("pmg_qt.pymol_qt_gui"), "window", None)


def show_window():
    """Open the window, or bring it to the front; where packages are missing, offer to install them first.

    Returns
    -------
    DynaProtWindow or None
        None where Python is too old, or packages without which nothing works are still missing.
    """
    global _window
    try:
        require_python()
    except CmdException as refusal:
        from pymol.Qt import QtWidgets

        QtWidgets.QMessageBox.warning(pymol_window(), "DynaProt", refusal.message)
        return None
    if missing := installer.missing_packages():
        from .packages import PackagesDialog

        PackagesDialog(missing, pymol_window()).exec()
        if set(installer.missing_packages()) - {"onnxruntime"}:
            return None
    if _window is None:
        from .window import DynaProtWindow

        _window = DynaProtWindow(cmd, pymol_window())
    _window.show()
    _window.raise_()
    return _window


def follow_in_window():
    """Let what DynaProt draws follow its proteins by itself, as PyMOL tells no plugin when an object was moved."""
    from pymol.Qt import QtCore

    def follow():
        companions = sys.modules.get(f"{__package__.rpartition('.')[0]}.scene.companions")
        if companions:  # else DynaProt has drawn nothing yet, and nothing of it is loaded
            with suppress(CmdException):  # an object that goes while it is looked at
                companions.follow(_self=cmd)

    timer = QtCore.QTimer(pymol_window())
    timer.timeout.connect(follow)
    timer.start(INTERVAL)

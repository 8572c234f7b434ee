"""DynaProt's window in PyMOL's: it runs the same commands as a user who types. Qt is imported when it opens."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pymol import CmdException, cmd

from .. import installer
from ..core import require_python
from ..scene.listeners import on_coupling

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

    from ..scene.proteins import Protein
    from .window import DynaProtWindow

__all__ = ["connect", "show_window"]

INTERVAL = 300
"""Milliseconds between two checks of where the proteins are."""

_window: DynaProtWindow | None = None


def show_window() -> DynaProtWindow | None:
    """Open the window, or bring it to the front; where packages are missing, offer to install them first.

    Returns
    -------
    DynaProtWindow or None
        None where Python is too old or packages are still missing.
    """
    global _window
    try:
        require_python()
    except CmdException as refusal:
        from pymol.Qt import QtWidgets

        QtWidgets.QMessageBox.warning(_pymol_window(), "DynaProt", refusal.message)
        return None
    if missing := installer.missing_packages():
        from .packages import PackagesDialog

        PackagesDialog(missing, _pymol_window()).exec()
        if installer.missing_packages():
            return None
    if _window is None:
        from .window import DynaProtWindow

        _window = DynaProtWindow(cmd, _pymol_window())
    _window.show()
    _window.raise_()
    return _window


def connect() -> None:
    """Open the map when couplings are drawn, and let what DynaProt draws follow its proteins.

    PyMOL does not tell a plugin that an object was moved.
    """
    from pymol.Qt import QtCore

    on_coupling.append(_show_map)

    def follow() -> None:
        linked_objects = sys.modules.get(f"{__package__.rpartition('.')[0]}.scene.linked_objects")
        if linked_objects:  # otherwise DynaProt has drawn nothing yet, and nothing of it is loaded
            with suppress(CmdException):  # an object that is deleted meanwhile
                linked_objects.follow(_self=cmd)

    timer = QtCore.QTimer(_pymol_window())
    timer.timeout.connect(follow)
    timer.start(INTERVAL)


def _show_map(protein: Protein, dynamics: Dynamics, *, _self: Cmd) -> None:
    """Show the map of a prediction, where the command ran in the PyMOL that has the window."""
    if _self is cmd and _pymol_window() and (window := show_window()):
        window.show_map(protein, dynamics)


def _pymol_window() -> Any:
    """PyMOL's main window; None where PyMOL runs without one, or this is not its thread."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return getattr(sys.modules.get("pmg_qt.pymol_qt_gui"), "window", None)

# Name: DynaProt
# Version: 0.1.0
# Author: The DynaProt team
# License: MIT
# Description: Predicts how each residue of a protein moves and draws it.
"""DynaProt for PyMOL: the commands `dynaprot_...` and the window Plugin > DynaProt.

Loading the plugin only registers these; DynaProt itself is loaded with the first prediction.
"""

from __future__ import annotations

from typing import Any

from .commands import register
from .window import connect, show_window

register()


def __init_plugin__(app: Any = None) -> None:
    """Add the plugin to the menu; PyMOL calls this once its window exists."""
    from pymol.plugins import addmenuitemqt

    addmenuitemqt("DynaProt", show_window)
    connect()

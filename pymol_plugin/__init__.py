# Name: DynaProt
# Version: 0.1.0
# Author: The DynaProt developers
# License: MIT
# Description: Predicts how each residue of a protein moves and draws it.
"""DynaProt for PyMOL: commands `dynaprot_ellipsoids` and `dynaprot_info`, and the menu Plugin > DynaProt.

Loading the plugin only registers these; DynaProt itself is loaded with the first prediction.
"""

from pymol import cmd

from . import commands

commands.register()


def __init_plugin__(app: object = None) -> None:
    """Add the plugin's menu; PyMOL calls this once its window is there."""
    from pymol.plugins import addmenuitemqt

    addmenuitemqt("DynaProt|Ellipsoids", show_ellipsoids)


def show_ellipsoids() -> None:
    """Run the command on what is shown, as if typed, so that the log tells how to repeat it."""
    cmd.do("dynaprot_ellipsoids enabled")

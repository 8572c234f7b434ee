"""The commands that DynaProt adds to PyMOL, one module for each subject, and their registration.

A command checks its arguments, reads the proteins, predicts and draws, in this order, so that a refused command leaves
no trace. What it draws with is imported when it runs: registering the commands does not slow down PyMOL's start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymol import cmd
from pymol.shortcut import Shortcut

from ..core import load_core
from ..settings import CHOICES, defaults
from .coupling import dynaprot_coupling
from .ellipsoids import dynaprot_ellipsoids
from .ensemble import dynaprot_ensemble
from .modes import dynaprot_modes
from .movie import dynaprot_movie
from .prediction import dynaprot_predict
from .rmsf import dynaprot_restore, dynaprot_rmsf
from .save import dynaprot_save
from .session import dynaprot_follow, dynaprot_info, dynaprot_settings

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["COMMANDS", "register"]

COMMANDS = (
    dynaprot_predict,
    dynaprot_ellipsoids,
    dynaprot_rmsf,
    dynaprot_restore,
    dynaprot_coupling,
    dynaprot_ensemble,
    dynaprot_modes,
    dynaprot_movie,
    dynaprot_save,
    dynaprot_follow,
    dynaprot_info,
    dynaprot_settings,
)
ON_SELECTIONS = (
    "dynaprot_predict", "dynaprot_ellipsoids", "dynaprot_rmsf", "dynaprot_restore", "dynaprot_coupling",
    "dynaprot_ensemble", "dynaprot_modes",
)  # fmt: skip


def register(*, _self: Cmd = cmd) -> None:
    """Add the commands and the completion of their arguments to PyMOL."""
    for command in COMMANDS:
        _self.extend(command.__name__, command)
    of_selections = _self.auto_arg[0]["zoom"]
    of_models = [lambda: Shortcut(load_core().models()), "model", ""]
    of_palettes = [lambda: Shortcut(_palettes()), "palette", ""]
    of_colouring = [lambda: Shortcut(CHOICES["color_by"]), "colouring", ""]
    of_settings = [lambda: Shortcut(defaults()), "setting", ""]
    of_results = [lambda: Shortcut(_results()), "result", ""]
    for name in ON_SELECTIONS:
        _self.auto_arg[0][name] = of_selections
    for place, name, completion in (
        (1, "dynaprot_predict", of_models),
        (2, "dynaprot_ellipsoids", of_colouring),
        (3, "dynaprot_ellipsoids", of_palettes),
        (1, "dynaprot_rmsf", of_palettes),
        (2, "dynaprot_coupling", of_selections),
        (1, "dynaprot_save", of_selections),
        (2, "dynaprot_save", of_results),
        (0, "dynaprot_settings", of_settings),
    ):
        _self.auto_arg[place][name] = completion


def _palettes() -> list[str]:
    from ..scene.palettes import PALETTES

    return list(PALETTES)


def _results() -> list[str]:
    from ..scene.saving import WHAT

    return list(WHAT)

"""The DynaProt core: the installed package, else the copy that the plugin's zip carries."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from pymol import CmdException

from . import installer

__all__ = ["core_refusals", "latest_refusal", "load_core", "require_python", "without_collection"]

OLDEST_PYTHON = (3, 11)
latest_refusal: list[str] = []
"""At most one text: why the last command failed. Of a command run by `do`, PyMOL only prints it."""


def load_core(part: str = "") -> ModuleType:
    """Import the core, or a part of it, on first use: most parts bring numpy, some gemmi.

    Parameters
    ----------
    part : str
        A module of the core, such as ``".analysis.ellipsoids"``; by default the package itself.

    Returns
    -------
    module
    """
    installed = importlib.util.find_spec("dynaprot")
    # A folder named `dynaprot` in the working directory is importable too, but has no origin.
    is_package = installed is not None and installed.origin is not None
    return importlib.import_module(("dynaprot" if is_package else f"{__package__}.dynaprot") + part)


def require_python() -> None:
    """Refuse a PyMOL whose Python is too old for the core, before anything of the core is imported."""
    if sys.version_info < OLDEST_PYTHON:
        raise CmdException(
            f"DynaProt needs Python {'.'.join(map(str, OLDEST_PYTHON))} or later; this PyMOL runs "
            f"{sys.version.split()[0]}. Install a PyMOL that comes with a later Python."
        )


@contextmanager
def core_refusals() -> Iterator[None]:
    """Turn the core's errors and missing packages into PyMOL's own error: one text instead of a traceback."""
    try:
        require_python()
        yield
    except Exception as error:
        reason = _reason(error)
        if reason is None:
            raise
        latest_refusal[:] = [reason]
        raise CmdException(reason) from error


@contextmanager
def without_collection() -> Iterator[None]:
    """Postpone Python's garbage collection: searching the objects of all atoms doubles the time of a drawing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _reason(error: Exception) -> str | None:
    """What to tell the user; None where the error is a fault of the program."""
    if isinstance(error, CmdException):
        return error.message
    if isinstance(error, ModuleNotFoundError):
        missing = installer.missing_packages()
        if error.name is None or error.name.split(".")[0] not in missing:
            return None
        return (
            f"DynaProt needs the Python packages {', '.join(missing)}, which this PyMOL does not have "
            f"(about {installer.megabytes(missing)} MB). Plugin > DynaProt installs them on a click, or type in a "
            f"terminal: {' '.join(installer.pip_command(missing))}"
        )
    return str(error) if isinstance(error, load_core(".errors").DynaProtError) else None

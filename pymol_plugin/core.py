"""The DynaProt core: the installed package, else the copy that the plugin's zip carries."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from pymol import CmdException

from . import installer

__all__ = ["core_refusals", "load_core"]

OLDEST_PYTHON = (3, 10)


def load_core(part: str = "") -> ModuleType:
    """Import the core, on first use only: it brings numpy and gemmi.

    Parameters
    ----------
    part : str
        A module of the core, as ``".views.ellipsoids"``. The package itself by default.

    Returns
    -------
    module
    """
    if sys.version_info < OLDEST_PYTHON:
        raise CmdException(
            f"DynaProt needs Python {'.'.join(map(str, OLDEST_PYTHON))} or later; this PyMOL runs "
            f"{sys.version.split()[0]}. PyMOL 3 has a later one."
        )
    installed = importlib.util.find_spec("dynaprot")
    # A mere folder `dynaprot` in the working directory is importable too, but has no origin.
    is_package = installed is not None and installed.origin is not None
    return importlib.import_module(("dynaprot" if is_package else f"{__package__}.dynaprot") + part)


@contextmanager
def core_refusals() -> Iterator[None]:
    """Turn what the core refuses, or lacks, into PyMOL's own error: one text instead of a traceback."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = installer.missing_packages()
        if error.name is None or error.name.split(".")[0] not in missing:
            raise
        raise CmdException(
            f"DynaProt needs the Python packages {', '.join(missing)}, which this PyMOL does not have "
            f"(about {installer.megabytes(missing)} MB). Plugin > DynaProt installs them on a click, or type in a "
            f"terminal: {' '.join(installer.pip_command(missing))}"
        ) from error
    except Exception as error:
        if isinstance(error, load_core(".errors").DynaProtError):
            raise CmdException(str(error)) from error
        raise

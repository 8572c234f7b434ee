"""The DynaProt core: the installed package, else the copy that the plugin's zip carries."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from pymol import CmdException

__all__ = ["core_refusals", "load_core"]


def load_core(part: str = "") -> ModuleType:
    """Import the core, on first use only: it brings numpy, gemmi and torch.

    Parameters
    ----------
    part : str
        A module of the core, as ``".views.ellipsoids"``. The package itself by default.

    Returns
    -------
    module
    """
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
        package = "dynaprot" if error.name == f"{__package__}.dynaprot" else error.name
        raise CmdException(
            f"DynaProt needs the Python package '{package}', which this PyMOL does not have. "
            f"Install it with: {sys.executable} -m pip install {package}"
        ) from error
    except Exception as error:
        if isinstance(error, load_core(".errors").DynaProtError):
            raise CmdException(str(error)) from error
        raise

"""Results in one `.npz` file: without pickles, whole or not there, and refused where they are damaged."""

from __future__ import annotations

import os
import zipfile
from typing import Any

import numpy as np

from .errors import DynaProtError
from .safe_file import replacing

__all__ = ["read_archive", "write_archive"]


def write_archive(path: str | os.PathLike[str], form: str, arrays: dict[str, Any]) -> None:
    """Write arrays, and the name of the form they are in.

    Parameters
    ----------
    path : path-like
    form : str
        Name and version of what the arrays mean, as ``"dynaprot-dynamics-1"``.
    arrays : dict of str to array_like

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, format=form, **arrays)


def read_archive(path: str | os.PathLike[str], form: str, what: str, error: type[DynaProtError]) -> dict[str, Any]:
    """Read what `write_archive` wrote in the same form.

    Parameters
    ----------
    path : path-like
    form : str
        The form that is expected.
    what : str
        What the file should be, for messages, as ``"result of DynaProt"``.
    error : type of DynaProtError
        Raised if the file is missing, damaged, or something else.

    Returns
    -------
    dict of str to ndarray
    """
    try:
        with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError as cause:
        raise error(f"{path}: no such file.") from cause
    # What a damaged archive raises depends on where the damage is.
    except (OSError, ValueError, EOFError, AttributeError, NotImplementedError, zipfile.BadZipFile) as cause:
        raise error(f"{path}: is damaged or no {what} ({cause}).") from cause
    if str(arrays.get("format")) != form:
        raise error(f"{path}: is no {what} ({form} expected).")
    return arrays

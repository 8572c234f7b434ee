"""Files that are whole or not there, and archives of arrays (`.npz`) in which any damage is found on reading."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .errors import DynaProtError, OutputError

__all__ = ["Archive", "read_archive", "replacing", "write_archive"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file beside its target and put it in place once it is whole.

    Parameters
    ----------
    path : path-like
        The target. It is untouched if writing fails.

    Yields
    ------
    Path
        The file to write: in the same folder and with the same suffix.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    target = Path(path)
    # Named here, not by `tempfile`, whose files only their owner may read.
    temporary = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_archive(path: str | os.PathLike[str], form: str, arrays: Mapping[str, Any]) -> None:
    """Write arrays to one ``.npz`` file without pickles, and the name of the form that they are in.

    Parameters
    ----------
    path : path-like
    form : str
        Name and version of what the arrays mean, such as ``"dynaprot-dynamics-2"``.
    arrays : mapping of str to array_like

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, format=form, **arrays)


class Archive:
    """Arrays of a file, each of which is checked when it is taken.

    Shapes are given as numbers and letters. A letter stands for the same length throughout the file: the first array
    that has it says how long, so that all arrays of one entry per residue agree.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    arrays : mapping of str to ndarray
    error : type of DynaProtError
        Raised where an array is missing or not what it should be.
    """

    def __init__(self, source: str, arrays: Mapping[str, NDArray], error: type[DynaProtError] = OutputError) -> None:
        self.source = source
        self.arrays = dict(arrays)
        self.error = error
        self.lengths: dict[str, int] = {}
        self.prefix = ""

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def section(self, prefix: str) -> Archive:
        """The arrays whose names begin with a prefix, by the rest of their names; lengths hold for both archives."""
        arrays = {name.removeprefix(prefix): array for name, array in self.arrays.items() if name.startswith(prefix)}
        part = Archive(self.source, arrays, self.error)
        part.lengths, part.prefix = self.lengths, self.prefix + prefix
        return part

    def numbers(self, name: str, *shape: int | str, finite: bool = True) -> NDArray[Any]:
        """An array of real numbers or truth values, all finite unless NaN may stand for what is not known."""
        array = self._array(name, "fiub", "numbers", shape)
        if finite and not np.isfinite(array).all():
            self.refuse(f"'{self.prefix}{name}' has values that are not finite numbers")
        return array

    def indices(self, name: str, *shape: int | str, below: str) -> NDArray[np.int64]:
        """An array of indices into an axis, which a letter names whose length is known."""
        array = self._array(name, "iu", "whole numbers", shape)
        if array.size and not (array.min() >= 0 and array.max() < self.lengths[below]):
            self.refuse(f"'{self.prefix}{name}' has indices outside 0 to {self.lengths[below] - 1}")
        return array.astype(np.int64)

    def texts(self, name: str, *shape: int | str) -> NDArray[np.str_]:
        """An array of texts."""
        return self._array(name, "U", "texts", shape)

    def text(self, name: str) -> str:
        """One text."""
        return str(self.texts(name))

    def refuse(self, reason: str) -> NoReturn:
        """Raise the archive's error.

        Parameters
        ----------
        reason : str
            A clause without a full stop.
        """
        raise self.error(f"{self.source}: is damaged: {reason}. Make the file again.")

    def _array(self, name: str, kinds: str, what: str, shape: tuple[int | str, ...]) -> NDArray[Any]:
        if name not in self.arrays:
            self.refuse(f"the array '{self.prefix}{name}' is missing")
        array = self.arrays[name]
        if array.dtype.kind not in kinds:
            self.refuse(f"'{self.prefix}{name}' should hold {what}, not {array.dtype}")
        if array.ndim == len(shape):
            for length, expected in zip(array.shape, shape, strict=True):
                if isinstance(expected, str):
                    self.lengths.setdefault(expected, length)
        wanted = tuple(self.lengths.get(length, length) if isinstance(length, str) else length for length in shape)
        if array.shape != wanted:
            described = str(wanted).replace("'", "")
            self.refuse(f"'{self.prefix}{name}' has shape {array.shape}, where {described} is expected")
        return array


def read_archive(
    path: str | os.PathLike[str], forms: Iterable[str], what: str, error: type[DynaProtError]
) -> tuple[str, Archive]:
    """Read what `write_archive` wrote.

    Parameters
    ----------
    path : path-like
    forms : iterable of str
        Forms that can be read, the present one first.
    what : str
        Kind of file that is expected, with its article, for messages, such as ``"a result of DynaProt"``.
    error : type of DynaProtError
        Raised if the file is missing, damaged, or something else.

    Returns
    -------
    form : str
        The form that the file is in.
    archive : Archive
    """
    try:
        with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except FileNotFoundError as cause:
        raise error(f"{path}: no such file.") from cause
    # Damage surfaces wherever it is met: zipfile, zlib, the tokenizer that reads an array's header and numpy each
    # raise errors of their own, KeyError and RuntimeError among them. None of them is more than "damaged".
    except Exception as cause:
        raise error(f"{path}: is damaged or not {what} ({type(cause).__name__}: {cause}).") from cause
    form = str(arrays.pop("format", ""))
    if form not in forms:
        current, *_ = forms
        if form.rpartition("-")[0] == current.rpartition("-")[0]:
            raise error(
                f"{path}: is in the form {form}, which this version of DynaProt cannot read ({current} expected). "
                "Make the file again, or use the version that wrote it."
            )
        raise error(f"{path}: is not {what} ({current} expected).")
    return form, Archive(str(path), arrays, error)

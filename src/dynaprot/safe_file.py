"""Files that are either whole or not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import OutputError

__all__ = ["replacing"]


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

"""Arguments as PyMOL hands them over, which is as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pymol import CmdException

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["path_of", "switch", "whole_number"]


def path_of(filename: str, *, _self: Cmd) -> Path:
    """Where a file name leads; it may stand in quotes, which keep PyMOL from splitting it at a comma."""
    text = str(filename)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return Path(_self.exp_path(text))


def whole_number(name: str, text: str | int, least: int | None = None) -> int:
    """A whole number, not below `least`."""
    try:
        number = int(text)
    except ValueError:
        raise CmdException(f"The {name} must be a whole number, not '{text}'.") from None
    if least is not None and number < least:
        raise CmdException(f"The {name} must be at least {least}, not {number}.")
    return number


def switch(name: str, text: str | int) -> bool:
    """Whether a switch is on: 1 or 0, as PyMOL's own are, or on, off, yes, no, true, false."""
    word = str(text).lower()
    if word not in ("0", "1", "on", "off", "yes", "no", "true", "false"):
        raise CmdException(f"The {name} must be 1 or 0, not '{text}'.")
    return word in ("1", "on", "yes", "true")

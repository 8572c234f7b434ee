"""Arguments as PyMOL hands them over, which is as text."""

from pymol import CmdException

__all__ = ["switch", "whole_number"]


def whole_number(name, text, least=None):
    """A whole number, not below `least`."""
    try:
        number = int(text)
    except ValueError:
        raise CmdException(f"The {name} must be a whole number, not '{text}'.") from None
    if least is not None and number < least:
        raise CmdException(f"The {name} must be at least {least}, not {number}.")
    return number


def switch(name, text):
    """Whether a switch is on: 1 or 0, as PyMOL's own are, or on, off, yes, no, true, false."""
    word = str(text).lower()
    if word not in ("0", "1", "on", "off", "yes", "no", "true", "false"):
        raise CmdException(f"The {name} must be 1 or 0, not '{text}'.")
    return word in ("1", "on", "yes", "true")

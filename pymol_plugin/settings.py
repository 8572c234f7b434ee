"""The values that commands use where an argument is left out; PyMOL keeps them with its own preferences.

Loading this costs nothing: neither the core nor numpy is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from pymol import CmdException

from .core import load_core

__all__ = ["CHOICES", "change", "choose", "defaults", "settings"]

PREFERENCE = "dynaprot"
CHOICES = {"color_by": ("rmsf", "anisotropy", "chain", "parent")}
"""Settings that take one of a few values."""


def defaults() -> dict[str, Any]:
    """Every setting with its default; the type of the default is the type of the value."""
    core = load_core(".defaults")
    return {
        "model": core.MODEL,
        "device": core.DEVICE,
        "superimpose": core.SUPERPOSITION,
        "probability": core.PROBABILITY,
        "color_by": "rmsf",
        "palette": "mobility",
        "threshold": core.THRESHOLD,
        "count": core.CONFORMATIONS,
        "seed": core.SEED,
        "amplitude": core.AMPLITUDE,
    }


def settings() -> dict[str, Any]:
    """All settings by name, as the user has set them or as they are by default."""
    kept = _plugins().pref_get(PREFERENCE, {})
    return {name: kept.get(name, default) for name, default in defaults().items()}


def choose(name: str, given: object) -> Any:
    """The value of an argument, in its own type: as given, or the setting where it was left out.

    Parameters
    ----------
    name : str
        Name of the setting.
    given : object
        The argument as typed; an empty string where it was left out.

    Raises
    ------
    CmdException
        If it is not a value of that type, or is outside its limits.
    """
    if given in ("", None):  # PyMOL reads "a,,b" as the latter
        return settings()[name]
    default = defaults()[name]
    try:
        value = type(default)(given)
    except ValueError:
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise CmdException(f"The {name} must be {kind} such as {default}, not '{given}'.") from None
    if name in CHOICES and value not in CHOICES[name]:
        raise CmdException(f"The {name} must be one of {', '.join(CHOICES[name])}, not '{value}'.")
    words, is_inside = _limits().get(name, ("", lambda _: True))
    if not is_inside(value):
        raise CmdException(f"The {name} must be {words}, not {value}.")
    return value


def change(name: str, value: object) -> None:
    """Keep a value for the next time; an empty one brings the default back.

    Raises
    ------
    CmdException
        If there is no such setting or it does not take the value.
    """
    if name not in defaults():
        raise CmdException(f"There is no setting '{name}': choose one of {', '.join(defaults())}.")
    changed = {**settings(), name: defaults()[name] if value == "" else choose(name, value)}
    # Only what differs, so that a later DynaProt may have better defaults.
    _plugins().pref_set(PREFERENCE, {key: kept for key, kept in changed.items() if kept != defaults()[key]})


def _limits() -> dict[str, tuple[str, Callable[[Any], bool]]]:
    """Settings that have limits: the limits in words, and whether a value is inside them."""
    most = load_core(".defaults").MOST_CONFORMATIONS
    return {
        "probability": ("between 0 and 1", lambda value: 0.0 < value < 1.0),
        "threshold": ("above 0 and at most 1", lambda value: 0.0 < value <= 1.0),
        "count": (f"from 1 to {most}", lambda value: 1 <= value <= most),
        "seed": ("0 or more", lambda value: value >= 0),
        "amplitude": ("above 0 and at most 100", lambda value: 0.0 < value <= 100.0),
    }


def _plugins() -> ModuleType:
    """PyMOL's preferences, read from disk if `pymol -c` has not: writing them unread would lose the user's others."""
    from pymol import plugins

    if not plugins.plugins:
        plugins.initialize(-2)  # reads them and loads no plugin
    return plugins

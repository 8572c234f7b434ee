"""What the commands take where an argument is left out; PyMOL keeps it with its own preferences.

Loading this costs nothing: neither the core nor numpy is imported.
"""

from pymol import CmdException

__all__ = ["CHOICES", "DEFAULTS", "change", "choose", "settings"]

PREFERENCE = "dynaprot"

DEFAULTS = {
    "model": "default",
    "device": "auto",
    "probability": 0.5,
    "color_by": "rmsf",
    "palette": "mobility",
    "threshold": 0.6,
    "count": 20,
    "seed": 0,
    "amplitude": 2.0,
}
"""Every setting; the type of its default is the type of its value."""
CHOICES = {"color_by": ("rmsf", "anisotropy", "chain", "parent")}
"""Settings that know few values."""
LIMITS = {
    "probability": ("between 0 and 1", lambda value: 0.0 < value < 1.0),
    "threshold": ("above 0 and at most 1", lambda value: 0.0 < value <= 1.0),
    "count": ("from 1 to 10000", lambda value: 1 <= value <= 10_000),
    "seed": ("0 or more", lambda value: value >= 0),
    "amplitude": ("above 0 and at most 100", lambda value: 0.0 < value <= 100.0),
}
"""Settings that know limits: these in words, and whether a value keeps to them."""


def settings():
    """All settings by name, as the user has set them or as they are by default."""
    kept = _plugins().pref_get(PREFERENCE, {})
    return {name: kept.get(name, default) for name, default in DEFAULTS.items()}


def choose(name, given):
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
        If it is no value of that type, or none that makes sense.
    """
    if given in ("", None):  # PyMOL reads "a,,b" as the latter
        return settings()[name]
    default = DEFAULTS[name]
    try:
        value = type(default)(given)
    except ValueError:
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise CmdException(f"The {name} must be {kind} such as {default}, not '{given}'.") from None
    if name in CHOICES and value not in CHOICES[name]:
        raise CmdException(f"'{value}' is no {name}: choose one of {', '.join(CHOICES[name])}.")
    words, keeps = LIMITS.get(name, ("", lambda _: True))
    if not keeps(value):
        raise CmdException(f"The {name} must be {words}, not {value}.")
    return value


def change(name, value):
    """Keep a value for the next time; an empty one brings the default back.

    Raises
    ------
    CmdException
        If there is no such setting or it does not take the value.
    """
    if name not in DEFAULTS:
        raise CmdException(f"There is no setting '{name}': they are {', '.join(DEFAULTS)}.")
    changed = {**settings(), name: DEFAULTS[name] if value == "" else choose(name, value)}
    # Only what differs, so that a later DynaProt may have better defaults.
    _plugins().pref_set(PREFERENCE, {key: kept for key, kept in changed.items() if kept != DEFAULTS[key]})


def _plugins():
    """PyMOL's preferences, read from disk if `pymol -c` has not: writing them unread would lose the user's others."""
    from pymol import plugins

    if not plugins.plugins:
        plugins.initialize(-2)  # reads them and loads no plugin
    return plugins

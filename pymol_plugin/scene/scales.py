"""One colour scale for each quantity in the whole session, so that equal colours always mean equal motion.

Atoms that show a quantity hold it as B factor (RMSF, coupling) or, in ellipsoids, as occupancy (anisotropy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pymol import CmdException

from ..core import load_core
from .linked_objects import linked_objects
from .painting import painted, recolour
from .palettes import colours, draw_legend, palette_stops

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["QUANTITIES", "draw_scale", "require_free_legend"]


@dataclass(frozen=True)
class Quantity:
    """A quantity that colours can show.

    Attributes
    ----------
    title : str
        Its name, in words for the user.
    unit : str
        Its unit, with a space before it; empty where it has none.
    carrier : str
        The property of atoms that holds it in ellipsoids.
    limits : tuple of float or None
        Ends of the scale; None where they are percentiles of all values shown.
    """

    title: str
    unit: str
    carrier: str
    limits: tuple[float, float] | None = None


DEFAULT = "mobility"
QUANTITIES = {
    "rmsf": Quantity("RMSF", " Å", "b"),
    "anisotropy": Quantity("anisotropy", "", "q", (0.0, 1.0)),
    "coupling": Quantity("coupling", "", "b", (-1.0, 1.0)),
}


def require_free_legend(quantity: str, *, _self: Cmd) -> None:
    """Refuse to draw a legend over an object or selection that belongs to the user."""
    name = _legend(quantity)
    if name in _self.get_names("all") and not _is_there(name, _self=_self):
        raise CmdException(f"'{name}' exists and was not drawn by DynaProt: rename or delete it first.")


def draw_scale(quantity: str, palette: str = "", *, _self: Cmd) -> None:
    """Colour all that shows a quantity on one palette, with one legend; if nothing shows it, remove the legend.

    The legends of other quantities stay, disabled.

    Parameters
    ----------
    quantity : str
        One of `QUANTITIES`.
    palette : str
        As in `palette_stops`; by default the one that the scale has.
    """
    kind = QUANTITIES[quantity]
    palette = palette or _palettes(_self=_self).get(quantity, DEFAULT)
    stops = palette_stops(palette, _self=_self)
    drawn = [
        name
        for name, title in linked_objects(_self=_self).items()
        if title["remark"].startswith(f"coloured by {quantity}")
    ]
    values: dict[str, list[float]] = {name: [] for name in drawn}
    for name in drawn:
        _self.iterate(f"model {name}", f"values.append({kind.carrier})", space={"values": values[name]})
    for name in (on_proteins := painted(quantity, _self=_self)):
        values[name] = list(on_proteins[name].values())
    shown = [value for each in values.values() for value in each]
    if not shown:
        if _is_there(_legend(quantity), _self=_self):
            _self.delete(_legend(quantity))
        return
    low, high = kind.limits or load_core(".analysis.ellipsoids").colour_limits(np.array(shown))
    for name in drawn:
        space = {"own": iter(colours(np.array(values[name]), low, high, stops))}
        _self.alter(f"model {name}", "color = next(own)", space=space)
        _self.recolor(f"model {name}")
    for name, residues in on_proteins.items():
        own = colours(np.array(list(residues.values())), low, high, stops)
        recolour(name, dict(zip(residues, own, strict=True)), _self=_self)
    draw_legend(_legend(quantity), low, high, stops, _self=_self)
    for other in set(QUANTITIES) - {quantity}:  # PyMOL draws all legends in one place
        if _is_there(_legend(other), _self=_self):
            _self.disable(_legend(other))
    _palettes(_self=_self)[quantity] = palette
    print(f" DynaProt: {', '.join(values)}: {kind.title} {low:.2f} to {high:.2f}{kind.unit}, {palette}.")


def _palettes(*, _self: Cmd) -> dict[str, str]:
    """The palette of each scale, kept in PyMOL's session and so in saved ones."""
    session = _self._pymol.session
    if not hasattr(session, "dynaprot_palettes"):
        session.dynaprot_palettes = {}
    return session.dynaprot_palettes


def _legend(quantity: str) -> str:
    return f"dynaprot_{quantity}"


def _is_there(legend: str, *, _self: Cmd) -> bool:
    return legend in _self.get_names("objects") and _self.get_type(legend) == "object:ramp"

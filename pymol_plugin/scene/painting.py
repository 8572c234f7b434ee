"""Painting: values as B factors and colours of the user's own atoms, and the way back to what was there before.

Earlier B factors and colours are kept in PyMOL's session, and so in saved ones. If the user has given an atom another B
factor or colour since then, it is neither recoloured with the others nor restored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .linked_objects import is_linked
from .proteins import Protein

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["inflate", "paint", "painted", "recolour", "restore"]

# A painting, plain values only because sessions pickle it:
#   shows     the quantity
#   putty     whether the cartoon's thickness shows it too
#   atoms     of each atom, known by segment, chain, residue, name and conformer: a list of
B, COLOUR, CARTOON, REPRESENTATIONS = 0, 1, 2, 3  # as they were
GIVEN_B, GIVEN_COLOUR = 4, 5  # as DynaProt made them; no colour yet is None
NUMBER = 6  # ID and rank, which an atom keeps where chain or residue get another name

PROPERTIES = "b, color, cartoon, reps"
PUTTY_CARTOON, SHOWN_AS_CARTOON = 7, 32


def paint(protein: Protein, values: np.ndarray, quantity: str, *, _self: Cmd) -> None:
    """Make values the B factors of a protein's selected residues, ready to be coloured on the quantity's scale.

    Parameters
    ----------
    protein : Protein
        N residues.
    values : ndarray, shape=(N,)
    quantity : str
        What the values are. Residues that show another quantity are restored first.
    """
    name = protein.name
    before = _paintings(_self=_self).get(name)
    residues = {key: float(np.float32(value)) for key, value in zip(protein.keys, values, strict=True)}
    residues = {key: residues[key] for key in protein.selected_keys}
    if before:
        restore(name, None if before["shows"] != quantity else set(residues), _self=_self)
    painting = _paintings(_self=_self).setdefault(name, {"shows": quantity, "putty": False, "atoms": {}})
    numbers = _read(name, "ID, rank", _self=_self)
    for atom, properties in _read(name, _self=_self).items():
        if atom[:3] in residues:
            painting["atoms"][atom] = [*properties, residues[atom[:3]], None, numbers[atom]]
    _self.alter(f"model {name}", "b = own.get((segi, chain, resi), b)", space={"own": residues})


def inflate(protein: Protein, *, _self: Cmd) -> None:
    """Show painted values by the thickness of the cartoon too."""
    painting = _paintings(_self=_self)[protein.name]
    painting["putty"] = True
    chosen = set(protein.selected_keys)
    _self.alter(
        f"model {protein.name}",
        "cartoon, reps = (putty, reps | shown) if (segi, chain, resi) in own else (cartoon, reps)",
        space={"own": chosen, "putty": PUTTY_CARTOON, "shown": SHOWN_AS_CARTOON},
    )
    _self.rebuild(protein.name)


def painted(quantity: str, *, _self: Cmd) -> dict[str, dict[tuple[str, str, str], float]]:
    """Values that are painted and still show a quantity, by object and residue."""
    shown = {}
    for name, painting in _paintings(_self=_self).items():
        if painting["shows"] == quantity and name in _self.get_names("objects"):
            now = _read_painted(name, painting, _self=_self)
            shown[name] = {
                atom[:3]: kept[GIVEN_B]
                for atom, kept in painting["atoms"].items()
                if atom in now and now[atom][B] == kept[GIVEN_B]
            }
    return {name: residues for name, residues in shown.items() if residues}


def recolour(name: str, colours: dict[tuple[str, str, str], int], *, _self: Cmd) -> None:
    """Colour painted residues, except the atoms that the user has coloured since."""
    atoms = _paintings(_self=_self)[name]["atoms"]
    own = {}
    for atom, (*_, colour_now) in ((atom, properties[:2]) for atom, properties in _read(name, _self=_self).items()):
        kept = atoms.get(atom)
        if kept and atom[:3] in colours and kept[GIVEN_COLOUR] in (None, colour_now):
            own[atom] = kept[GIVEN_COLOUR] = colours[atom[:3]]
    _self.alter(f"model {name}", "color = own.get((segi, chain, resi, name, alt), color)", space={"own": own})
    _self.recolor(f"model {name}")


def restore(name: str, residues: set[tuple[str, str, str]] | None = None, *, _self: Cmd) -> bool:
    """Bring back the earlier B factors, colours and cartoon.

    Parameters
    ----------
    name : str
        Name of the object.
    residues : set, optional
        The residues to restore; by default all.

    Returns
    -------
    bool
        Whether there was anything to restore. Another object that has the name now is not mistaken for this one.
    """
    painting = _paintings(_self=_self).get(name)
    if not painting:
        return False
    back = {}
    for atom, now in _read_painted(name, painting, _self=_self).items():
        if atom not in painting["atoms"] or (residues is not None and atom[:3] not in residues):
            continue
        kept = painting["atoms"].pop(atom)
        b, colour, cartoon, representations = now
        b = kept[B] if b == kept[GIVEN_B] else b
        colour = kept[COLOUR] if colour == kept[GIVEN_COLOUR] else colour
        if painting["putty"] and cartoon == PUTTY_CARTOON:
            cartoon = kept[CARTOON]
            representations = representations & ~SHOWN_AS_CARTOON | kept[REPRESENTATIONS] & SHOWN_AS_CARTOON
        if (as_before := (b, colour, cartoon, representations)) != now:
            back[atom] = as_before
    _self.alter(
        f"model {name}",
        f"{PROPERTIES} = own.get((segi, chain, resi, name, alt), ({PROPERTIES}))",
        space={"own": back},
    )
    _self.rebuild(name)
    if residues is None:
        del _paintings(_self=_self)[name]
    return bool(back)


def _read(name: str, properties: str = PROPERTIES, *, _self: Cmd) -> dict[tuple[str, str, str, str, str], tuple]:
    atoms: dict = {}
    _self.iterate(f"model {name}", f"atoms[segi, chain, resi, name, alt] = ({properties})", space={"atoms": atoms})
    return atoms


def _read_painted(name: str, painting: dict, *, _self: Cmd) -> dict[tuple[str, str, str, str, str], tuple]:
    """As `_read`, with the painting brought up to date where the user has renamed chains or residues since."""
    numbers, atoms = _read(name, "ID, rank", _self=_self), painting["atoms"]
    renamed = {atom: kept for atom, kept in atoms.items() if numbers.get(atom) != kept[NUMBER]}
    if renamed:
        # Where objects were merged, numbers may occur twice: only atoms that nothing else was painted on count.
        free = {number: atom for atom, number in numbers.items() if atom not in atoms or atom in renamed}
        for atom in renamed:
            del atoms[atom]
        atoms.update({free[kept[NUMBER]]: kept for kept in renamed.values() if kept[NUMBER] in free})
    return _read(name, _self=_self)


def _paintings(*, _self: Cmd) -> dict[str, dict]:
    """All paintings by object, kept where PyMOL saves them with a session.

    Loading a session into another one (``partial=1``) replaces them, although the objects stay. So they are also kept
    in PyMOL's own object, and the two are merged. PyMOL does not tell when an object is renamed or deleted: the
    painting of one that is gone goes to the object that shows it, or is forgotten.
    """
    pymol = _self._pymol
    held = getattr(pymol, "dynaprot_paintings", {})
    saved = getattr(pymol.session, "dynaprot_paintings", {})
    if held is not saved or not hasattr(pymol, "dynaprot_paintings"):
        pymol.dynaprot_paintings = pymol.session.dynaprot_paintings = {**held, **saved}
    paintings = pymol.dynaprot_paintings
    there = _self.get_object_list() or []
    for gone in set(paintings) - set(there):
        painting = paintings.pop(gone)
        others = (name for name in there if name not in paintings and not is_linked(name, _self=_self))
        if heir := next((name for name in others if _bears(name, painting, _self=_self)), None):
            paintings[heir] = painting
    return paintings


def _bears(name: str, painting: dict, *, _self: Cmd) -> bool:
    """Whether most of what was painted is found on an object."""
    now = _read(name, _self=_self)
    same = sum(atom in now and now[atom][B] == kept[GIVEN_B] for atom, kept in painting["atoms"].items())
    return 2 * same > len(painting["atoms"])

"""Linked objects: what DynaProt draws beside a protein, how it is recognised, and how it follows the protein.

A linked object is a molecule whose title names its kind, its parent (the protein's object) and the parent's state, so
that saved sessions keep the link; or the arrows, which are not a molecule and are recognised by their name. PyMOL keeps
every movement of an object since it was loaded as the object's matrix. A linked object is built where its parent was
loaded and then moved by the parent's matrix; it follows the parent by taking over the parent's matrix again.

PyMOL does not tell either when an object is renamed. If a parent is gone and an object has appeared whose C-alphas were
loaded at the same places, it is that parent under a new name, and its linked objects are renamed too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pymol import CmdException

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = [
    "ARROWS", "as_loaded", "calphas_of", "entitle", "follow", "is_at", "is_linked", "lay_on", "linked_objects",
    "require_free", "rotation_of", "title_of",
]  # fmt: skip

TITLE = re.compile(r"DynaProt (?P<kind>\w+) of (?P<parent>\S+), state (?P<state>\d+)(?:: (?P<remark>.*))?")
ARROWS = "_modes_arrows"
"""The name of arrows is the parent's name and this."""
UNMOVED = np.eye(4)
SAME = 0.05
"""Å; how far PyMOL's rounding may shift a coordinate over many movements."""


class _Laid(NamedTuple):
    """A parent when its linked object was laid on it: where it was, and its C-alphas as they were loaded."""

    place: list[float]
    calphas: np.ndarray


@dataclass
class _Memory:
    """What the last check of a session found: its objects in order, and the parent of each linked object."""

    names: list[str] = field(default_factory=list)
    laid: dict[str, _Laid] = field(default_factory=dict)


def entitle(name: str, kind: str, parent: str, state: int, remark: str, *, _self: Cmd) -> None:
    """Mark a molecule as linked to a state of its parent."""
    _self.set_title(name, 1, f"DynaProt {kind} of {parent}, state {state}: {remark}")


def title_of(name: str, *, _self: Cmd) -> dict[str, str] | None:
    """Kind, parent, state and remark of a linked object; None if the object is not linked."""
    type_ = _self.get_type(name)
    if type_ == "object:cgo" and name.endswith(ARROWS):
        return {"kind": "arrows", "parent": name[: -len(ARROWS)], "state": "1", "remark": "along the mode"}
    if type_ != "object:molecule":
        return None
    match = TITLE.fullmatch(_self.get_title(name, 1) or "")
    return match.groupdict() if match else None


def is_linked(name: str, *, _self: Cmd) -> bool:
    """Whether DynaProt drew an object, in this session or before it was saved."""
    return title_of(name, _self=_self) is not None


def linked_objects(*, _self: Cmd) -> dict[str, dict[str, str]]:
    """The titles of all linked objects in the session, by their names."""
    titles = {name: title_of(name, _self=_self) for name in _self.get_names("objects")}
    return {name: title for name, title in titles.items() if title}


def require_free(name: str, kind: str, *, _self: Cmd) -> None:
    """Refuse to draw over an object or selection that belongs to the user.

    Raises
    ------
    CmdException
        If the name is taken by anything but a linked object of this kind.
    """
    if name not in _self.get_names("all"):
        return
    title = title_of(name, _self=_self)
    if not title or title["kind"] != kind:
        raise CmdException(f"'{name}' exists and was not drawn by DynaProt: rename or delete it first.")


def as_loaded(positions: np.ndarray, name: str, state: int, *, _self: Cmd) -> np.ndarray:
    """Positions, shape=(..., 3), Å, as they were before the object was moved."""
    moved = _matrix(name, state, _self=_self)
    return (positions - moved[:3, 3]) @ moved[:3, :3]


def rotation_of(name: str, state: int, *, _self: Cmd) -> np.ndarray:
    """The rotation of an object since it was loaded, shape=(3, 3)."""
    return _matrix(name, state, _self=_self)[:3, :3]


def calphas_of(name: str, state: int, *, _self: Cmd) -> np.ndarray:
    """C-alphas of an object as they were loaded, shape=(M, 3), Å; M is 0 where there is no such state."""
    coordinates = _self.get_coords(f"model {name} and name CA", state)
    if coordinates is None:
        return np.zeros((0, 3))
    return as_loaded(coordinates, name, state, _self=_self)


def is_at(name: str, state: int, calphas: np.ndarray, *, _self: Cmd) -> bool:
    """Whether an object has its C-alphas at these places."""
    own = calphas_of(name, state, _self=_self)
    return len(own) > 0 and own.shape == calphas.shape and bool(np.abs(own - calphas).max() < SAME)


def lay_on(name: str, parent: str, state: int, *, _self: Cmd) -> None:
    """Move a linked object to where its parent is."""
    wanted = _matrix(parent, state, _self=_self)
    dragged = _dragged(parent, _self=_self)  # by the mouse or a movie, which moves the picture but not the atoms
    if _self.get_type(name) == "object:molecule":
        present = _matrix(name, 1, _self=_self)
        if np.abs(wanted - present).max() > 1e-6:
            _self.transform_object(name, (wanted @ np.linalg.inv(present)).ravel().tolist(), state=0)
    elif dragged == UNMOVED.ravel().tolist():
        dragged = wanted.ravel().tolist()
    else:
        dragged = list(_self.get_object_matrix(parent, state, incl_ttt=1))
    if dragged != _dragged(name, _self=_self):
        _self.set_object_ttt(name, dragged)
    laid = _Laid(_place(parent, state, _self=_self), calphas_of(parent, state, _self=_self))
    _memory(_self=_self).laid[name] = laid


def follow(always: bool = False, *, _self: Cmd) -> None:
    """Move linked objects to where their parents are now, under whatever name.

    Parameters
    ----------
    always : bool
        Also those whose parents have not moved, but which the user has moved aside.
    """
    memory = _memory(_self=_self)
    _rename_with_parents(_self=_self)
    there = _self.get_names("objects")
    for name, title in linked_objects(_self=_self).items():
        parent, state = title["parent"], int(title["state"])
        if parent in there:
            laid = memory.laid.get(name)
            if always or laid is None or laid.place != _place(parent, state, _self=_self):
                lay_on(name, parent, state, _self=_self)
    memory.names = there


def _rename_with_parents(*, _self: Cmd) -> None:
    """Rename linked objects whose parents have been renamed since the last check."""
    memory, there, drawn = _memory(_self=_self), _self.get_names("objects"), linked_objects(_self=_self)
    appeared = [name for name in there if name not in memory.names and name not in drawn]
    for parent in memory.names:
        own = {name: title for name, title in drawn.items() if title["parent"] == parent and name in memory.laid}
        if parent in there or not own:
            continue
        name, title = next(iter(own.items()))
        state, calphas = int(title["state"]), memory.laid[name].calphas
        heirs = (each for each in appeared if is_at(each, state, calphas, _self=_self))
        if heir := next(heirs, None):
            appeared.remove(heir)
            for name, title in own.items():
                _rename(name, title, heir, _self=_self)


def _rename(name: str, title: dict[str, str], parent: str, *, _self: Cmd) -> None:
    """Give a linked object its parent's new name in its title, and in its own name if DynaProt chose that."""
    if title["kind"] != "arrows":
        words = _self.get_title(name, 1).replace(f" of {title['parent']}, ", f" of {parent}, ", 1)
        _self.set_title(name, 1, words)
    ending = name.removeprefix(title["parent"])
    new = parent + ending
    if ending in (f"_{title['kind']}", ARROWS) and new not in _self.get_names("all"):
        _self.set_name(name, new)
        laid = _memory(_self=_self).laid
        laid[new] = laid.pop(name)


def _memory(*, _self: Cmd) -> _Memory:
    pymol = _self._pymol
    if not hasattr(pymol, "dynaprot_memory"):
        pymol.dynaprot_memory = _Memory()
    return pymol.dynaprot_memory


def _place(name: str, state: int, *, _self: Cmd) -> list[float]:
    return [*_matrix(name, state, _self=_self).ravel().tolist(), *_dragged(name, _self=_self)]


def _matrix(name: str, state: int, *, _self: Cmd) -> np.ndarray:
    return np.reshape(_self.get_object_matrix(name, state, incl_ttt=0), (4, 4))


def _dragged(name: str, *, _self: Cmd) -> list[float]:
    return list(_self.get_object_ttt(name) or UNMOVED.ravel().tolist())

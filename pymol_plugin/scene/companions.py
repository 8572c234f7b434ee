"""Companions: the objects that DynaProt draws beside a protein, what they are known by, and how they follow it.

A companion is a molecule whose title names its kind, its parent and the parent's state, so that a saved session keeps
them; or the arrows, which are no molecule and are known by their name. PyMOL keeps as an object's matrix what has moved
it since it was loaded. A companion is built where its parent was loaded and then moved by the parent's matrix, so that
following the parent is to bring the two matrices together again.

Nor does PyMOL tell when an object is renamed. One that has appeared where a parent is gone, its C-alphas loaded at the
same places, is that parent under a new name, and its companions go by that name from then on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pymol import CmdException

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from .proteins import Protein

__all__ = [
    "ARROWS", "as_loaded", "calphas_of", "companions", "entitle", "follow", "is_at", "is_companion", "lay_on",
    "require_free", "rotation_of", "title_of",
]  # fmt: skip

TITLE = re.compile(r"DynaProt (?P<kind>\w+) of (?P<parent>\S+), state (?P<state>\d+)(?:: (?P<remark>.*))?")
ARROWS = "_modes_arrows"
"""What the name of arrows ends in; before it stands the parent's."""
UNMOVED = np.eye(4)
SAME = 0.05
"""Å: what many moves may shift a coordinate by, as PyMOL rounds."""


class _Laid(NamedTuple):
    """A parent when its companion was laid on it: where it was, and its C-alphas as they were loaded."""

    place: list[float]
    calphas: np.ndarray


@dataclass
class _Memory:
    """What following knows of its last look at a session: the objects in their order, and each companion's parent."""

    names: list[str] = field(default_factory=list)
    laid: dict[str, _Laid] = field(default_factory=dict)


def entitle(name: str, kind: str, protein: Protein, remark: str, *, _self: Cmd) -> None:
    """Make a molecule known as a companion."""
    _self.set_title(name, 1, f"DynaProt {kind} of {protein.name}, state {protein.state}: {remark}")


def title_of(name: str, *, _self: Cmd) -> dict[str, str] | None:
    """Kind, parent, state and remark of a companion; None if the object is none."""
    type_ = _self.get_type(name)
    if type_ == "object:cgo" and name.endswith(ARROWS):
        return {"kind": "arrows", "parent": name[: -len(ARROWS)], "state": "1", "remark": "along the mode"}
    if type_ != "object:molecule":
        return None
    match = TITLE.fullmatch(_self.get_title(name, 1) or "")
    return match.groupdict() if match else None


def is_companion(name: str, *, _self: Cmd) -> bool:
    """Whether DynaProt drew an object, in this session or before it was saved."""
    return title_of(name, _self=_self) is not None


def companions(*, _self: Cmd) -> dict[str, dict[str, str]]:
    """The titles of all companions in the session, by their names."""
    titles = {name: title_of(name, _self=_self) for name in _self.get_names("objects")}
    return {name: title for name, title in titles.items() if title}


def require_free(name: str, kind: str, *, _self: Cmd) -> None:
    """Refuse to draw over objects and selections of the user's.

    Raises
    ------
    CmdException
        If the name is taken by anything but a companion of this kind.
    """
    if name not in _self.get_names("all"):
        return
    title = title_of(name, _self=_self)
    if not title or title["kind"] != kind:
        raise CmdException(f"'{name}' is there and not DynaProt's: rename or delete it first.")


def as_loaded(protein: Protein, positions: np.ndarray, *, _self: Cmd) -> np.ndarray:
    """Positions, shape=(..., 3), Å, as they were before the protein was moved."""
    return _unmoved(positions, protein.name, protein.state, _self=_self)


def rotation_of(protein: Protein, *, _self: Cmd) -> np.ndarray:
    """What has turned the protein since it was loaded, shape=(3, 3)."""
    return _matrix(protein.name, protein.state, _self=_self)[:3, :3]


def calphas_of(name: str, state: int, *, _self: Cmd) -> np.ndarray:
    """C-alphas of an object as they were loaded, shape=(M, 3), Å; none where there is no such state."""
    coordinates = _self.get_coords(f"model {name} and name CA", state)
    if coordinates is None:
        return np.zeros((0, 3))
    return _unmoved(coordinates, name, state, _self=_self)


def is_at(name: str, state: int, calphas: np.ndarray, *, _self: Cmd) -> bool:
    """Whether an object has its C-alphas there."""
    own = calphas_of(name, state, _self=_self)
    return len(own) > 0 and own.shape == calphas.shape and bool(np.abs(own - calphas).max() < SAME)


def lay_on(name: str, parent: str, state: int, *, _self: Cmd) -> None:
    """Move a companion to where its parent is."""
    wanted = _matrix(parent, state, _self=_self)
    dragged = _dragged(parent, _self=_self)  # by mouse or movie: it moves the picture, not the atoms
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
    """Move companions to where their parents are now, under whatever name.

    Parameters
    ----------
    always : bool
        Also those whose parents have stayed where they were, which the user has moved aside.
    """
    memory = _memory(_self=_self)
    _rename_with_parents(_self=_self)
    there = _self.get_names("objects")
    for name, title in companions(_self=_self).items():
        parent, state = title["parent"], int(title["state"])
        if parent in there:
            laid = memory.laid.get(name)
            if always or laid is None or laid.place != _place(parent, state, _self=_self):
                lay_on(name, parent, state, _self=_self)
    memory.names = there


def _rename_with_parents(*, _self: Cmd) -> None:
    """Name companions anew whose parents have got another name since the last look."""
    memory, there, drawn = _memory(_self=_self), _self.get_names("objects"), companions(_self=_self)
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
    """Give a companion another parent in its title, and in its name where that is as DynaProt has made it."""
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


def _unmoved(positions: np.ndarray, name: str, state: int, *, _self: Cmd) -> np.ndarray:
    moved = _matrix(name, state, _self=_self)
    return (positions - moved[:3, 3]) @ moved[:3, :3]


def _place(name: str, state: int, *, _self: Cmd) -> list[float]:
    return [*_matrix(name, state, _self=_self).ravel().tolist(), *_dragged(name, _self=_self)]


def _matrix(name: str, state: int, *, _self: Cmd) -> np.ndarray:
    return np.reshape(_self.get_object_matrix(name, state, incl_ttt=0), (4, 4))


def _dragged(name: str, *, _self: Cmd) -> list[float]:
    return list(_self.get_object_ttt(name) or UNMOVED.ravel().tolist())

"""Residues by chain and number, as people write them: ``A:10-80,B``."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import StructureError
from ..notices import Notice
from .completion import count
from .protein import Structure

__all__ = ["cut_out", "select", "selection_text"]

NUMBER = r"-?\d+[A-Za-z]?"
ITEM = re.compile(rf"(?P<chain>[^:]*)(?::(?P<first>{NUMBER})(?:-(?P<last>{NUMBER}))?)?")


def select(structure: Structure, text: str) -> NDArray[np.bool_]:
    """Residues of chains and of ranges of residue numbers.

    Parameters
    ----------
    structure : Structure
    text : str
        Chains, or ranges in a chain, with commas between them: ``"A:10-80,B"``, ``"L:52A"``, ``"A:-3-12"``. Both ends
        of a range belong to it; an insertion code comes after its number.

    Returns
    -------
    ndarray, shape=(N,), dtype=bool

    Raises
    ------
    StructureError
        If the text is not understood, or a part of it selects no residue.

    Examples
    --------
    >>> heavy = structure[select(structure, "H:1-113")]  # doctest: +SKIP
    """
    order = np.array([_order(number) for number in structure.residue_ids])
    chosen = np.zeros(len(structure), dtype=bool)
    for item in filter(None, (part.strip() for part in text.split(","))):
        match = ITEM.fullmatch(item)
        if match is None:
            raise StructureError(
                f"{structure.name}: residues are named as A:10-80,B (a chain, a colon, first and last), not '{item}'."
            )
        found = structure.chain_ids == match["chain"]
        if match["first"]:
            first, last = _order(match["first"]), _order(match["last"] or match["first"])
            found = found & (order >= first) & (order <= last)
        if not found.any():
            chains = ", ".join(name or "(blank)" for name in dict.fromkeys(structure.chain_ids.tolist()))
            raise StructureError(f"{structure.name}: has no residue {item}; its chains are {chains}.")
        chosen |= found
    if not chosen.any():
        raise StructureError(f"{structure.name}: no residue was named.")
    return chosen


def selection_text(structure: Structure, chosen: NDArray[np.bool_]) -> str:
    """Residues as `select` reads them: a whole chain by its name, of others ranges of residues in their order.

    Parameters
    ----------
    structure : Structure
    chosen : ndarray, shape=(N,), dtype=bool
    """
    items = []
    for chain in dict.fromkeys(structure.chain_ids.tolist()):
        rows = np.flatnonzero(structure.chain_ids == chain)
        if chosen[rows].all():
            items.append(chain)
            continue
        kept = np.flatnonzero(chosen[rows])
        for run in np.split(kept, np.flatnonzero(np.diff(kept) > 1) + 1) if len(kept) else []:
            first, last = (structure.residue_ids[rows[end]] for end in (run[0], run[-1]))
            items.append(f"{chain}:{first}" if len(run) == 1 else f"{chain}:{first}-{last}")
    return ",".join(items)


def cut_out(structure: Structure, chosen: NDArray[np.bool_]) -> Structure:
    """Some of the residues as a structure of their own, which says what was left out.

    Parameters
    ----------
    structure : Structure
    chosen : ndarray, shape=(N,), dtype=bool
    """
    part = structure[chosen]
    if chosen.all():
        return part
    left = count(int((~chosen).sum()), "other residue")
    notice = Notice(f"Cut out: {selection_text(structure, chosen)}; {left} left out, as if not there.", "ignored")
    return replace(part, notices=(*part.notices, notice))


def _order(residue_id: str) -> float:
    """A number that sorts residue numbers, those with an insertion code after those without: 52, 52A, 52B, 53."""
    digits = re.match(r"-?\d+", residue_id)
    if digits is None:
        return 0.0
    code = residue_id[digits.end() :].strip().upper()
    return int(digits[0]) + (ord(code[0]) - ord("A") + 1) / 100.0 if code else float(digits[0])

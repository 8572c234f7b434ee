"""Residues as PyMOL's selections, and selections as residues."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from .proteins import Protein

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pymol.cmd import Cmd

__all__ = ["residues_of", "selection_of"]


def selection_of(protein: Protein, residues: Iterable[int]) -> str:
    """A selection of residues, short enough to read.

    Parameters
    ----------
    protein : Protein
        N residues.
    residues : iterable of int
        Indices among them.

    Returns
    -------
    str
        For example ``"1ake and chain A and resi 30-59+117"``; ``"none"`` for no residue.
    """
    keys = protein.keys
    chosen = sorted({int(residue) for residue in residues})
    parts = []
    for (segment, chain), members in groupby(chosen, key=lambda residue: keys[residue][:2]):
        numbers = [keys[residue][2] for residue in members]
        others = [number for own_segment, own_chain, number in keys if (own_segment, own_chain) == (segment, chain)]
        where = f"chain {chain}" if chain else "chain ''"
        if protein.has_segments:
            where = (f"segi {segment}" if segment else "segi ''") + f" and {where}"
        parts.append(f"({where} and resi {_numbers(numbers, all(map(_is_plain, others)))})")
    if len(parts) == 1:
        return f"{protein.name} and {parts[0][1:-1]}"
    return f"{protein.name} and ({' or '.join(parts)})" if parts else "none"


def residues_of(protein: Protein, selection: str, *, _self: Cmd) -> np.ndarray:
    """Which residues a named selection touches, shape=(M,), dtype=int; none where there is no such selection."""
    return protein.touched(f"?{selection}", _self=_self)


def _is_plain(number: str) -> bool:
    return number.lstrip("-").isdecimal()


def _numbers(numbers: list[str], plain: bool) -> str:
    """Residue numbers, such as ``30-59+117``; without ranges where some have insertion codes, which those would add."""
    if not plain:
        return "+".join(number.replace("-", "\\-") for number in numbers)
    values = sorted(map(int, numbers))
    runs = [[value for _, value in run] for _, run in groupby(enumerate(values), key=lambda pair: pair[1] - pair[0])]
    texts = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    # A minus sign is escaped, so that it is not read as a range.
    return "+".join(
        text if run[0] >= 0 else "+".join(f"\\{value}" if value < 0 else f"{value}" for value in run)
        for text, run in zip(texts, runs, strict=True)
    )

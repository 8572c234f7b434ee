"""Predictions, each made once: whatever is drawn next of the same coordinates has them at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from copy import copy
from threading import Lock
from typing import TYPE_CHECKING

from pymol.colorprinting import warning

from ..core import load_core
from .proteins import Protein

if TYPE_CHECKING:
    from dynaprot import Dynamics, Structure

__all__ = ["kept_prediction", "predict", "predict_structure"]

MOST = 2_000_000_000
"""Bytes of joint factors that are kept; the latest prediction always is."""

_kept: OrderedDict[tuple[str, str, str], Dynamics] = OrderedDict()
_lock = Lock()  # the window predicts in a thread


def predict(proteins: Sequence[Protein], model: str, device: str) -> list[tuple[Protein, Dynamics]]:
    """Predict proteins, each for itself, and print what the user should know of each."""
    predictions = [(protein, predict_structure(protein.structure, model, device)) for protein in proteins]
    for protein, dynamics in predictions:
        for notice in (*protein.structure.notices, *dynamics.notices):
            warning(f" DynaProt: {protein.name}: {notice}")
    return predictions


def predict_structure(structure: Structure, model: str, device: str) -> Dynamics:
    """Predict a structure, or find what was predicted of it. Calls no PyMOL, so that a thread may do it."""
    if known := kept_prediction(structure, model, device):
        return known
    dynamics = load_core().predict(structure, model, device)
    _ = dynamics.rmsf, structure.secondary_structure  # worked out here, where it may take its time
    with _lock:
        _kept[_key(structure, model, device)] = dynamics
        while len(_kept) > 1 and sum(8 * (3 * len(each)) ** 2 for each in _kept.values()) > MOST:
            _kept.popitem(last=False)
    return dynamics


def kept_prediction(structure: Structure, model: str, device: str) -> Dynamics | None:
    """What was predicted of a structure, if it is there already."""
    key = _key(structure, model, device)
    with _lock:
        if key not in _kept:
            return None
        _kept.move_to_end(key)
        # Of the structure as it is now: name and side chains are no part of what it is known by.
        dynamics = copy(_kept[key])
    dynamics.structure = structure
    return dynamics


def _key(structure: Structure, model: str, device: str) -> tuple[str, str, str]:
    return structure.fingerprint, model, device

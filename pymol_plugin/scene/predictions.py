"""Predictions and what was worked out from them, made once: later drawings of the same coordinates reuse them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import copy
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from pymol.colorprinting import warning

from ..core import load_core
from ..settings import choose
from .proteins import Protein

if TYPE_CHECKING:
    from dynaprot import Dynamics, Structure

__all__ = ["answer", "has_answer", "kept_prediction", "predict", "predict_structure"]

MOST = 2_000_000_000
"""Bytes of joint factors that are kept; the latest prediction always is."""

_kept: OrderedDict[tuple[str, str, str, str], Dynamics] = OrderedDict()
_answers: WeakKeyDictionary[Any, dict[Callable[..., Any], tuple[tuple[Any, ...], Any]]] = WeakKeyDictionary()
"""By joint, which all copies of a prediction share; an answer is kept as long as its prediction."""
_lock = Lock()  # the window predicts in a thread
Answer = TypeVar("Answer")


def predict(proteins: Sequence[Protein], model: str, device: str) -> list[tuple[Protein, Dynamics]]:
    """Predict proteins, each on its own, and print what the user should know about each prediction."""
    on = choose("superimpose", "")
    predictions = [(protein, predict_structure(protein.structure, model, device, on)) for protein in proteins]
    for protein, dynamics in predictions:
        for notice in dynamics.notices:
            warning(f" DynaProt: {protein.name}: {notice}")
    return predictions


def predict_structure(structure: Structure, model: str, device: str, superimpose: str) -> Dynamics:
    """Predict a structure, or find its prediction. Does not call PyMOL, so that a thread may do it."""
    if known := kept_prediction(structure, model, device, superimpose):
        return known
    key = _key(structure, model, device, superimpose)
    with _lock:
        seen_otherwise = next((each for other, each in _kept.items() if other[:3] == key[:3]), None)
    dynamics = (seen_otherwise or load_core().predict(structure, model, device)).superposed(superimpose)
    dynamics.structure = structure
    _ = dynamics.rmsf, structure.secondary_structure  # worked out here, where a thread may wait for it
    with _lock:
        _kept[key] = dynamics
        while len(_kept) > 1 and sum(8 * (3 * len(each)) ** 2 for each in _kept.values()) > MOST:
            _kept.popitem(last=False)
    return dynamics


def kept_prediction(structure: Structure, model: str, device: str, superimpose: str) -> Dynamics | None:
    """The prediction of a structure, seen from some of its residues, if it was made before."""
    key = _key(structure, model, device, superimpose)
    with _lock:
        if key not in _kept:
            return None
        _kept.move_to_end(key)
        # With the structure as it is now: name and side chains do not count for the prediction and may have changed.
        dynamics = copy(_kept[key])
    dynamics.structure = structure
    return dynamics


def answer(dynamics: Dynamics, question: Callable[..., Answer], *arguments: Any) -> Answer:
    """Work out something from a prediction, or return the result from before; the latest of each question is kept.

    So a thread of the window can work out what a command will ask, and the command then does not keep the user waiting.

    Parameters
    ----------
    dynamics : Dynamics
    question : callable
        A function of the prediction and the arguments. Its result must not be changed.
    """
    with _lock:
        known = _answers.setdefault(dynamics.joint, {})
    found = known.get(question)
    if found is None or found[0] != arguments:
        found = known[question] = arguments, question(dynamics, *arguments)
    result: Answer = found[1]
    return result


def has_answer(dynamics: Dynamics, question: Callable[..., Any], *arguments: Any) -> bool:
    """Whether `answer` has the result from before."""
    found = _answers.get(dynamics.joint, {}).get(question)
    return found is not None and found[0] == arguments


def _key(structure: Structure, model: str, device: str, superimpose: str) -> tuple[str, str, str, str]:
    return structure.fingerprint, model, device, superimpose

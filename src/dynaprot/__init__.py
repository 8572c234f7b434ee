"""DynaProt: how a protein moves, from one static structure.

    >>> import dynaprot
    >>> structure = dynaprot.load_structure("1ade.pdb")  # doctest: +SKIP
    >>> dynamics = dynaprot.predict(structure)  # doctest: +SKIP
    >>> dynamics.rmsf  # doctest: +SKIP

Names are imported on first use, so that ``import dynaprot`` costs nothing inside a host application.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dynamics import Dynamics
    from .errors import (
        DynaProtError,
        OutputError,
        PredictionError,
        StructureError,
        TrainingDataError,
        WeightsError,
    )
    from .prediction import models, predict
    from .structure import Atoms, Structure
    from .structure.files import load_structure

__version__ = "0.1.0"

__all__ = [
    "Atoms",
    "DynaProtError",
    "Dynamics",
    "OutputError",
    "PredictionError",
    "Structure",
    "StructureError",
    "TrainingDataError",
    "WeightsError",
    "load_structure",
    "models",
    "predict",
]

_HOMES = {
    "Atoms": "structure",
    "DynaProtError": "errors",
    "Dynamics": "dynamics",
    "OutputError": "errors",
    "PredictionError": "errors",
    "Structure": "structure",
    "StructureError": "errors",
    "TrainingDataError": "errors",
    "WeightsError": "errors",
    "load_structure": "structure.files",
    "models": "prediction",
    "predict": "prediction",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dynaprot' has no attribute '{name}'")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

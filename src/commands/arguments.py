"""Arguments that several commands share, as the host parses them."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from chimerax.atomic import ResiduesArg
from chimerax.core.commands import (
    AnnotationError,
    BoolArg,
    Bounded,
    ColormapArg,
    ColormapRangeArg,
    EmptyArg,
    EnumOf,
    FloatArg,
    IntArg,
    OpenFileNameArg,
    Or,
    StringArg,
)

from ..dynaprot import models
from ..dynaprot.defaults import MOST_CONFORMATIONS

if TYPE_CHECKING:
    from chimerax.core.session import Session


class FiniteArg(FloatArg):
    """A number; the host takes "nan" and "inf" for numbers too, and its bounds let "nan" pass."""

    @staticmethod
    def parse(text: str, session: Session) -> tuple[float, str, str]:
        value, used, rest = FloatArg.parse(text, session)
        if not isfinite(value):
            raise AnnotationError("Must be a finite number")
        return value, used, rest


RESIDUES = ("residues", Or(ResiduesArg, EmptyArg))
PREDICTED_BY = [
    # What is neither a name nor a file goes on to the core, which also takes two models and refuses in its own words.
    (
        "model",
        Or(
            EnumOf(models()),
            OpenFileNameArg,
            StringArg,
            name=f"one of {', '.join(models())}, a file of weights, or two of these with a plus between them",
        ),
    ),
    ("device", StringArg(name="auto, cpu, or a GPU as PyTorch names it, such as cuda, cuda:1 or mps")),
]
SUPERIMPOSED = ("superimpose", Or(EnumOf(("auto", "all", "core")), ResiduesArg))
COLOURED = [("palette", ColormapArg), ("range", ColormapRangeArg), ("key", BoolArg)]
POSITIVE = Bounded(FiniteArg, min=0.0, inclusive=False)
COUNT = ("count", Bounded(IntArg, min=1, max=MOST_CONFORMATIONS))
SEED = ("seed", Bounded(IntArg, min=0))

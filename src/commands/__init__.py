"""The commands of the bundle: their arguments, and the function that each one calls."""

from __future__ import annotations

from math import isfinite

from chimerax.atomic import ResiduesArg
from chimerax.core.commands import (
    AnnotationError,
    BoolArg,
    Bounded,
    CmdDesc,
    ColorArg,
    ColormapArg,
    ColormapRangeArg,
    EmptyArg,
    EnumOf,
    FloatArg,
    IntArg,
    OpenFileNameArg,
    Or,
    SaveFileNameArg,
    register,
)

from .anisou import dynaprot_anisou
from .coupling import dynaprot_coupling
from .ellipsoids import COLOURINGS, STYLES, dynaprot_ellipsoids, dynaprot_ellipsoids_remove
from .ensemble import dynaprot_ensemble
from .info import dynaprot_info
from .modes import dynaprot_modes
from .predict import dynaprot_predict
from .rmsf import dynaprot_rmsf
from .save import FIGURES, dynaprot_save


class FiniteArg(FloatArg):
    """A number; the host takes "nan" and "inf" for numbers too, and its bounds let "nan" pass."""

    @staticmethod
    def parse(text, session):
        value, used, rest = FloatArg.parse(text, session)
        if not isfinite(value):
            raise AnnotationError("Must be a finite number")
        return value, used, rest


RESIDUES = ("residues", Or(ResiduesArg, EmptyArg))
PREDICTED_BY = [
    ("model", Or(EnumOf(("default", "anm", "anm-cutoff")), OpenFileNameArg)),
    ("device", EnumOf(("auto", "cpu", "cuda"))),
]
COLOURED = [("palette", ColormapArg), ("range", ColormapRangeArg), ("key", BoolArg)]
POSITIVE = Bounded(FiniteArg, min=0.0, inclusive=False)
COUNT = ("count", Bounded(IntArg, min=1, max=10_000))  # they are made in memory
SEED = ("seed", Bounded(IntArg, min=0))

COMMANDS = {
    "dynaprot ellipsoids": (
        dynaprot_ellipsoids,
        {
            "optional": [RESIDUES],
            "keyword": [
                ("probability", FloatArg),
                ("scale", POSITIVE),
                ("color_by", EnumOf(COLOURINGS)),
                *COLOURED,
                ("transparency", Bounded(FiniteArg, 0.0, 100.0)),
                ("style", EnumOf(STYLES)),
                ("smoothing", Bounded(IntArg, 0, 5)),
                *PREDICTED_BY,
            ],
        },
    ),
    "~dynaprot ellipsoids": (dynaprot_ellipsoids_remove, {"optional": [RESIDUES]}),
    "dynaprot rmsf": (
        dynaprot_rmsf,
        {"optional": [RESIDUES], "keyword": [*COLOURED, ("plot", BoolArg), *PREDICTED_BY]},
    ),
    "dynaprot coupling": (
        dynaprot_coupling,
        {
            "optional": [RESIDUES],
            "keyword": [
                ("threshold", FloatArg),
                ("min_separation", Bounded(IntArg, min=0)),
                ("max_bonds", Bounded(IntArg, min=1)),
                ("from_", ResiduesArg),
                ("palette", ColormapArg),
                ("key", BoolArg),
                ("map", BoolArg),
                *PREDICTED_BY,
            ],
        },
    ),
    "dynaprot ensemble": (
        dynaprot_ensemble,
        {
            "optional": [RESIDUES],
            "keyword": [
                COUNT,
                SEED,
                ("regularize", BoolArg),
                ("superimpose", ResiduesArg),
                ("slider", BoolArg),
                *PREDICTED_BY,
            ],
        },
    ),
    "dynaprot modes": (
        dynaprot_modes,
        {
            "optional": [RESIDUES],
            "keyword": [
                ("mode", IntArg),
                ("amplitude", POSITIVE),
                ("arrows", BoolArg),
                ("arrow_scale", POSITIVE),
                ("color", ColorArg),
                ("frames", Bounded(IntArg, min=4, max=1000)),
                ("play", BoolArg),
                *PREDICTED_BY,
            ],
        },
    ),
    "dynaprot anisou": (dynaprot_anisou, {"optional": [RESIDUES], "keyword": PREDICTED_BY}),
    "dynaprot save": (
        dynaprot_save,
        {
            "required": [RESIDUES, ("file_name", SaveFileNameArg)],
            "keyword": [("figure", EnumOf(FIGURES)), COUNT, SEED, ("regularize", BoolArg), *PREDICTED_BY],
        },
    ),
    "dynaprot predict": (dynaprot_predict, {"optional": [RESIDUES], "keyword": PREDICTED_BY}),
    "dynaprot info": (dynaprot_info, {}),
}


def register_command(command_info, logger) -> None:
    """Register one command of this bundle; called by the host when a command is first typed."""
    function, arguments = COMMANDS[command_info.name]
    register(command_info.name, CmdDesc(**arguments, synopsis=command_info.synopsis), function, logger=logger)

"""The commands of the bundle: their arguments, and the function that each one calls."""

from __future__ import annotations

from chimerax.atomic import ResiduesArg
from chimerax.core.commands import (
    BoolArg,
    Bounded,
    CmdDesc,
    ColormapArg,
    ColormapRangeArg,
    EmptyArg,
    EnumOf,
    FloatArg,
    IntArg,
    OpenFileNameArg,
    Or,
    register,
)

from .ellipsoids import COLOURINGS, STYLES, dynaprot_ellipsoids, dynaprot_ellipsoids_remove
from .rmsf import dynaprot_rmsf

RESIDUES = ("residues", Or(ResiduesArg, EmptyArg))
PREDICTED_BY = [
    ("model", Or(EnumOf(("default", "anm", "anm-cutoff")), OpenFileNameArg)),
    ("device", EnumOf(("auto", "cpu", "cuda"))),
]
COLOURED = [("palette", ColormapArg), ("range", ColormapRangeArg), ("key", BoolArg)]
POSITIVE = Bounded(FloatArg, min=0.0, inclusive=False, name="a number > 0")

COMMANDS = {
    "dynaprot ellipsoids": (
        dynaprot_ellipsoids,
        [
            ("probability", FloatArg),
            ("scale", POSITIVE),
            ("color_by", EnumOf(COLOURINGS)),
            *COLOURED,
            ("transparency", Bounded(FloatArg, 0.0, 100.0)),
            ("style", EnumOf(STYLES)),
            ("smoothing", Bounded(IntArg, 0, 5)),
            *PREDICTED_BY,
        ],
    ),
    "~dynaprot ellipsoids": (dynaprot_ellipsoids_remove, []),
    "dynaprot rmsf": (dynaprot_rmsf, [*COLOURED, ("plot", BoolArg), *PREDICTED_BY]),
}


def register_command(command_info, logger) -> None:
    """Register one command of this bundle; called by the host when a command is first typed."""
    function, keywords = COMMANDS[command_info.name]
    description = CmdDesc(optional=[RESIDUES], keyword=keywords, synopsis=command_info.synopsis)
    register(command_info.name, description, function, logger=logger)

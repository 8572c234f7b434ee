"""The commands of the bundle: their arguments, and the function that each one calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chimerax.atomic import ResiduesArg
from chimerax.core.commands import (
    BoolArg,
    Bounded,
    CmdDesc,
    ColorArg,
    ColormapArg,
    EnumOf,
    FloatArg,
    IntArg,
    SaveFileNameArg,
    register,
)

from ..dynaprot.defaults import FIGURES
from ..scene.ellipsoids import COLOURINGS, STYLES
from .anisou import dynaprot_anisou
from .arguments import COLOURED, COUNT, POSITIVE, PREDICTED_BY, RESIDUES, SEED, SUPERIMPOSED, FiniteArg
from .coupling import dynaprot_coupling
from .ellipsoids import dynaprot_ellipsoids, dynaprot_ellipsoids_remove
from .ensemble import dynaprot_ensemble
from .info import dynaprot_info
from .modes import dynaprot_modes
from .prediction import dynaprot_predict
from .rmsf import dynaprot_rmsf
from .save import dynaprot_save

if TYPE_CHECKING:
    from collections.abc import Callable

    from chimerax.core.logger import Logger
    from chimerax.core.toolshed import CommandInfo

COMMANDS: dict[str, tuple[Callable[..., Any], dict[str, list[tuple[str, Any]]]]] = {
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
    "dynaprot predict": (dynaprot_predict, {"optional": [RESIDUES], "keyword": [*PREDICTED_BY, SUPERIMPOSED]}),
    "dynaprot info": (dynaprot_info, {}),
}


def register_command(command_info: CommandInfo, logger: Logger) -> None:
    """Register one command of this bundle; called by the host when a command is first typed."""
    function, arguments = COMMANDS[command_info.name]
    register(command_info.name, CmdDesc(**arguments, synopsis=command_info.synopsis), function, logger=logger)

"""`dynaprot_rmsf` and `dynaprot_restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymol import CmdException, cmd
from pymol.colorprinting import warning

from ..core import core_refusals
from ..settings import choose
from .arguments import switch

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_restore", "dynaprot_rmsf"]


def dynaprot_rmsf(
    selection: str = "enabled", palette: str = "", putty: str | int = 0, model: str = "", *, _self: Cmd = cmd
) -> None:
    """
    DESCRIPTION

        "dynaprot_rmsf" predicts how far each residue of a protein moves (its
        root mean square fluctuation, RMSF) and colours the residues of the
        selection by it.

        The RMSF in A becomes their B factor. Their earlier B factors, colours
        and cartoon are kept, in saved sessions too, and "dynaprot_restore"
        brings them back.

    USAGE

        dynaprot_rmsf [ selection [, palette [, putty [, model ]]]]

    ARGUMENTS

        selection = str: atoms of one or several objects {default: enabled}

        palette = str: as for dynaprot_ellipsoids {default: setting "palette"}

        putty = 0/1: show the RMSF by the thickness of the cartoon too
        {default: 0}

        model = str: as for dynaprot_predict {default: setting "model"}

    EXAMPLE

        fetch 1ake, async=0
        dynaprot_rmsf 1ake, putty=1
        dynaprot_restore 1ake

    NOTES

        Where several states share one object, the state that is shown is
        predicted, and all states get its colours.

    SEE ALSO

        dynaprot_restore, dynaprot_ellipsoids, cartoon, spectrum
    """
    with core_refusals():
        from ..scene.linked_objects import follow
        from ..scene.painting import inflate, paint
        from ..scene.palettes import palette_stops
        from ..scene.predictions import predict
        from ..scene.proteins import read_proteins
        from ..scene.scales import draw_scale, require_free_legend

        follow(_self=_self)
        palette, thickness = choose("palette", palette), switch("putty", putty)
        palette_stops(palette, _self=_self)
        require_free_legend("rmsf", _self=_self)
        proteins = read_proteins(selection, _self=_self)
        for protein, dynamics in predict(proteins, choose("model", model), choose("device", "")):
            paint(protein, dynamics.rmsf, "rmsf", _self=_self)
            if thickness:
                inflate(protein, _self=_self)
        draw_scale("rmsf", palette, _self=_self)


def dynaprot_restore(selection: str = "all", *, _self: Cmd = cmd) -> None:
    """
    DESCRIPTION

        "dynaprot_restore" brings back the B factors, colours and cartoon that
        objects had before "dynaprot_rmsf" or "dynaprot_coupling" coloured
        them. What you have changed on an atom since then stays as it is.

    USAGE

        dynaprot_restore [ selection ]

    ARGUMENTS

        selection = str: the objects to restore, each as a whole {default: all}

    EXAMPLE

        dynaprot_rmsf 1ake
        dynaprot_restore 1ake

    SEE ALSO

        dynaprot_rmsf, dynaprot_coupling
    """
    with core_refusals():
        from ..scene.linked_objects import follow
        from ..scene.painting import restore
        from ..scene.scales import draw_scale

        follow(_self=_self)
        names = _self.get_object_list(f"({selection})")
        if names is None:
            raise CmdException(f"'{selection}' is not a valid selection.")
        restored = [name for name in names if restore(name, _self=_self)]
        if not restored:
            warning(f" DynaProt: nothing in '{selection}' was coloured by DynaProt.")
            return
        print(f" DynaProt: {', '.join(restored)}: B factors, colours and cartoon are as before.")
        for quantity in ("rmsf", "coupling"):
            draw_scale(quantity, _self=_self)

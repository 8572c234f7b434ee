"""`dynaprot_ellipsoids`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymol import CmdException, cmd

from ..core import core_refusals
from ..settings import choose

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_ellipsoids"]


def dynaprot_ellipsoids(
    selection: str = "enabled", probability: str = "", color_by: str = "", palette: str = "", name: str = "",
    model: str = "", *, _self: Cmd = cmd,
) -> None:  # fmt: skip
    """
    DESCRIPTION

        "dynaprot_ellipsoids" predicts how each residue of a protein moves and
        draws the motion as an ellipsoid around the C-alpha atom: the surface
        within which the atom is found with a given probability.

        Each object is predicted on its own, in its current state. All its
        chains that the selection touches move as one system; ellipsoids are
        drawn for the residues of the selection.

    USAGE

        dynaprot_ellipsoids [ selection [, probability [, color_by
            [, palette [, name [, model ]]]]]]

    ARGUMENTS

        selection = str: atoms of one or several objects {default: enabled}

        probability = float: share of the time that a C-alpha is inside its
        ellipsoid, between 0 and 1 {default: setting "probability", 0.5}

        color_by = str: "rmsf", "anisotropy" (0 for a sphere, 1 for a line),
        "chain", or "parent" for the colours of the object
        {default: setting "color_by", rmsf}

        palette = str: mobility, signed, viridis, blue_white_red, rainbow, grey,
        or colours such as "blue white red" {default: setting "palette"}

        name = str: name of the new object {default: OBJECT_ellipsoids}

        model = str: as for dynaprot_predict {default: setting "model"}

    EXAMPLE

        fetch 1ake, async=0
        dynaprot_ellipsoids 1ake and chain A
        dynaprot_ellipsoids 1ake and chain A and resi 30-67, probability=0.9

    NOTES

        The ellipsoids of an object "prot" are an object of their own,
        "prot_ellipsoids", whose B factors are the RMSF in A and whose
        occupancies are the anisotropy. Everything that is coloured by RMSF in
        a session shares one colour scale, whose legend is "dynaprot_rmsf".
        The object "prot" is not changed.

        Ray tracing draws smooth ellipsoids; in the window, "set
        ellipsoid_quality, 3" makes them smoother.

        When "prot" is moved, for example by "align", or renamed, its
        ellipsoids follow: at once in PyMOL's window, otherwise with the next
        command of DynaProt. "dynaprot_follow" does this and nothing else.

    SEE ALSO

        dynaprot_rmsf, dynaprot_follow, dynaprot_settings
    """
    with core_refusals():
        from ..scene.ellipsoids import draw_ellipsoids
        from ..scene.linked_objects import follow, require_free
        from ..scene.palettes import palette_stops
        from ..scene.predictions import predict
        from ..scene.proteins import read_proteins
        from ..scene.scales import QUANTITIES, draw_scale, require_free_legend

        follow(_self=_self)
        # Whatever can be refused is refused before the prediction, and before the first ellipsoid is drawn.
        share = choose("probability", probability)
        color_by = choose("color_by", color_by)
        palette = choose("palette", palette)
        palette_stops(palette, _self=_self)
        proteins = read_proteins(selection, _self=_self)
        if name and len(proteins) > 1:
            raise CmdException(f"One name, '{name}', is not enough for {len(proteins)} objects: leave it out.")
        # PyMOL would change a name that it reserves, such as x or q.
        names = [_self.get_legal_name(name) or f"{protein.name}_ellipsoids" for protein in proteins]
        for each in names:
            require_free(each, "ellipsoids", _self=_self)
        if color_by in QUANTITIES:
            require_free_legend(color_by, _self=_self)
        predictions = predict(proteins, choose("model", model), choose("device", ""))
        for (protein, dynamics), each in zip(predictions, names, strict=True):
            draw_ellipsoids(protein, dynamics, each, share, color_by, _self=_self)
        if color_by in QUANTITIES:
            draw_scale(color_by, palette, _self=_self)

"""`dynaprot_coupling`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymol import CmdException, cmd
from pymol.colorprinting import warning

from ..core import core_refusals, load_core
from ..scene.listeners import on_coupling
from ..settings import choose

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_coupling"]


def dynaprot_coupling(
    selection: str = "enabled", threshold: str = "", from_selection: str = "", model: str = "", *, _self: Cmd = cmd
) -> None:
    """
    DESCRIPTION

        "dynaprot_coupling" predicts the coupling (normalised dynamic
        cross-correlation, DCCM) of all pairs of residues: which of them move
        together, 1, and which against each other, -1. It draws the strongest
        couplings, 300 at most, as tubes: red for residues that move together,
        blue for residues that move against each other. Neighbours in
        sequence, which are coupled anyway, are left out.

        With from_selection, only tubes that start there are drawn, and the
        residues of the selection are coloured by their coupling to it.

        In PyMOL's window, the map of all pairs opens.

    USAGE

        dynaprot_coupling [ selection [, threshold [, from_selection
            [, model ]]]]

    ARGUMENTS

        selection = str: atoms of one or several objects {default: enabled}

        threshold = float: least coupling, in either sign, that is drawn;
        above 0 and at most 1 {default: setting "threshold", 0.6}

        from_selection = str: residues whose couplings are wanted
        {default: none}

        model = str: as for dynaprot_predict {default: setting "model"}

    EXAMPLE

        fetch 1ake, async=0
        dynaprot_coupling 1ake and chain A, 0.7
        dynaprot_coupling 1ake and chain A, 0.5, resi 45-55

    NOTES

        The tubes of an object "prot" are the object "prot_couplings", whose
        B factors are the couplings; it follows "prot" as ellipsoids do. With
        from_selection, the coupling also becomes the B factor of "prot";
        "dynaprot_restore" brings B factors and colours back. The legend is
        "dynaprot_coupling".

    SEE ALSO

        dynaprot_restore, dynaprot_modes
    """
    with core_refusals():
        from ..scene.couplings import draw_couplings
        from ..scene.linked_objects import follow, require_free
        from ..scene.painting import paint
        from ..scene.predictions import predict
        from ..scene.proteins import read_proteins
        from ..scene.scales import draw_scale, require_free_legend

        follow(_self=_self)
        analysis = load_core(".analysis.couplings")
        least = choose("threshold", threshold)
        proteins = read_proteins(selection, _self=_self)
        for protein in proteins:
            require_free(f"{protein.name}_couplings", "couplings", _self=_self)
        require_free_legend("coupling", _self=_self)
        if from_selection and _self.get_object_list(f"({from_selection})") is None:
            raise CmdException(f"'{from_selection}' is not a valid selection.")
        predictions = predict(proteins, choose("model", model), choose("device", ""))
        for protein, dynamics in predictions:
            origin = protein.touched(from_selection, _self=_self) if from_selection else None
            if origin is not None and not len(origin):
                warning(f" DynaProt: {protein.name}: no residue of '{from_selection}' is among those predicted.")
                continue
            name = f"{protein.name}_couplings"
            print(f" DynaProt: {name}: {draw_couplings(protein, dynamics, name, least, origin, _self=_self)}.")
            if origin is not None:
                paint(protein, analysis.coupling_to(dynamics.coupling, origin), "coupling", _self=_self)
        draw_scale("coupling", "signed", _self=_self)
        for show in on_coupling:
            show(*predictions[0], _self=_self)

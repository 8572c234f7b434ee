"""`dynaprot_ensemble`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymol import cmd

from ..core import core_refusals
from ..settings import choose
from .arguments import switch, whole_number

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_ensemble"]


def dynaprot_ensemble(
    selection: str = "enabled", count: str = "", seed: str = "", regularize: str | int = 1, overlay: str | int = 1,
    between: str | int = 0, model: str = "", *, _self: Cmd = cmd,
) -> None:  # fmt: skip
    """
    DESCRIPTION

        "dynaprot_ensemble" predicts how a protein moves, draws conformations
        from the prediction, and makes them the states of one object with all
        atoms. Each residue moves with its C-alpha atom as a rigid body.

    USAGE

        dynaprot_ensemble [ selection [, count [, seed [, regularize
            [, overlay [, between [, model ]]]]]]]

    ARGUMENTS

        selection = str: atoms of one or several objects {default: enabled}

        count = int: number of conformations {default: setting "count", 50}

        seed = int: the same seed gives the same conformations
        {default: setting "seed", 0}

        regularize = 0/1: restore the C-alpha geometry of the chains (bond
        lengths, no clashes); 0 keeps the draws of the Gaussian as they are
        {default: 1}

        overlay = 0/1: show all conformations at once, with thinner ribbons
        the more there are; 0 shows one at a time, which is far quicker to ray
        trace. With in-between frames, one is shown at a time {default: 1}

        between = int: in-between frames from each conformation to the next,
        for smooth playback {default: 0}

        model = str: as for dynaprot_predict {default: setting "model"}

    EXAMPLE

        fetch 1ake, async=0
        dynaprot_ensemble 1ake and chain A
        dynaprot_ensemble 1ake and chain A, 30, between=9
        mplay

    NOTES

        The conformations of an object "prot" are the object "prot_ensemble",
        which follows "prot" as ellipsoids do. Conformation k is state
        (k - 1) (between + 1) + 1. Side chains keep their shape.

    SEE ALSO

        dynaprot_modes, dynaprot_movie, dynaprot_save
    """
    with core_refusals():
        from ..scene.ensembles import draw_ensemble, ensemble_of
        from ..scene.linked_objects import follow, require_free
        from ..scene.predictions import answer, predict
        from ..scene.proteins import read_proteins

        follow(_self=_self)
        size, start = choose("count", count), choose("seed", seed)
        restore, together = switch("regularize", regularize), switch("overlay", overlay)
        frames = whole_number("between", between, 0)
        proteins = read_proteins(selection, _self=_self)
        for protein in proteins:
            require_free(f"{protein.name}_ensemble", "ensemble", _self=_self)
        for protein, dynamics in predict(proteins, choose("model", model), choose("device", "")):
            name = f"{protein.name}_ensemble"
            conformations = answer(dynamics, ensemble_of, size, start, restore, frames)
            draw_ensemble(protein, dynamics, name, conformations, together and not frames, _self=_self)
            print(f" DynaProt: {name}: {size} conformations in {len(conformations.calphas)} states.")

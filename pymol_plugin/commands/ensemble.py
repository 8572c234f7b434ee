"""`dynaprot_ensemble`."""

from pymol import cmd

from ..core import core_refusals
from ..settings import choose
from .arguments import switch, whole_number

__all__ = ["dynaprot_ensemble"]


def dynaprot_ensemble(
    selection="enabled", count="", seed="", regularize=1, overlay=1, between=0, model="", *, _self=cmd
):  # fmt: skip
    """
    DESCRIPTION

        "dynaprot_ensemble" predicts how a protein moves, draws conformations
        from the prediction, and makes them the states of one object with all
        atoms, each residue carried along as a rigid body.

    USAGE

        dynaprot_ensemble [ selection [, count [, seed [, regularize
            [, overlay [, between [, model ]]]]]]]

    ARGUMENTS

        selection = str: atoms of one or several objects {default: enabled}

        count = int: number of conformations {default: setting "count", 20}

        seed = int: the same seed gives the same conformations
        {default: setting "seed", 0}

        regularize = 0/1: restore distances along the chain and mend clashes;
        0 leaves the Gaussian's own draws {default: 1}

        overlay = 0/1: show all states at once, if there are at most 20, which
        more would take minutes to ray trace {default: 1}

        between = int: in-between frames from each conformation to the next,
        for smooth playback {default: 0}

        model = str: as for dynaprot_predict {default: setting "model"}

    EXAMPLE

        fetch 1ake, async=0
        dynaprot_ensemble 1ake and chain A
        dynaprot_ensemble 1ake and chain A, 30, overlay=0, between=9
        mplay

    NOTES

        The conformations of an object "prot" are the object "prot_ensemble",
        which follows "prot" as ellipsoids do. Conformation k is state
        (k - 1) (between + 1) + 1. Side chains do not move of themselves.

    SEE ALSO

        dynaprot_modes, dynaprot_movie, dynaprot_save
    """
    with core_refusals():
        from ..scene.companions import follow, require_free
        from ..scene.ensembles import draw_ensemble, ensemble_of
        from ..scene.predictions import predict
        from ..scene.proteins import read_proteins

        follow(_self=_self)
        count, seed = choose("count", count), choose("seed", seed)
        regularize, overlay = switch("regularize", regularize), switch("overlay", overlay)
        between = whole_number("between", between, 0)
        proteins = read_proteins(selection, _self=_self)
        for protein in proteins:
            require_free(f"{protein.name}_ensemble", "ensemble", _self=_self)
        for protein, dynamics in predict(proteins, choose("model", model), choose("device", "")):
            name = f"{protein.name}_ensemble"
            conformations = dynamics.once(ensemble_of, count, seed, regularize, between)
            draw_ensemble(protein, dynamics, name, conformations, overlay, _self=_self)
            print(f" DynaProt: {name}: {count} conformations in {len(conformations.calphas)} states.")

"""`dynaprot_modes`."""

from pymol import cmd

from ..core import core_refusals
from ..settings import choose
from .arguments import whole_number

__all__ = ["dynaprot_modes"]


def dynaprot_modes(selection="enabled", mode=1, amplitude="", model="", *, _self=cmd):
    """
    DESCRIPTION

        "dynaprot_modes" predicts how a protein moves and shows one of its
        collective motions: as the 30 states of an object that swings to and
        fro, and as arrows from each C-alpha atom to its turning point.

    USAGE

        dynaprot_modes [ selection [, mode [, amplitude [, model ]]]]

    ARGUMENTS

        selection = str: atoms of one or several objects {default: enabled}

        mode = int: 1 for the motion of largest variance {default: 1}

        amplitude = float: of the swing, in standard deviations of the mode
        {default: setting "amplitude", 2}

        model = str: as for dynaprot_predict {default: setting "model"}

    EXAMPLE

        fetch 1ake, async=0
        dynaprot_modes 1ake and chain A
        mplay

    NOTES

        The swinging object of "prot" is "prot_modes", its arrows are
        "prot_modes_arrows"; both follow "prot" as ellipsoids do.

    SEE ALSO

        dynaprot_ensemble, dynaprot_movie, mplay
    """
    with core_refusals():
        from ..scene.companions import ARROWS, follow, require_free
        from ..scene.modes import draw_mode
        from ..scene.predictions import predict
        from ..scene.proteins import read_proteins

        follow(_self=_self)
        mode, amplitude = whole_number("mode", mode, 1), choose("amplitude", amplitude)
        proteins = read_proteins(selection, _self=_self)
        for protein in proteins:
            require_free(f"{protein.name}_modes", "modes", _self=_self)
            require_free(protein.name + ARROWS, "arrows", _self=_self)
        for protein, dynamics in predict(proteins, choose("model", model), choose("device", "")):
            name = f"{protein.name}_modes"
            farthest = draw_mode(protein, dynamics, name, mode, amplitude, _self=_self)
            print(f" DynaProt: {name}: mode {mode}, up to {farthest:.1f} Å from the structure.")

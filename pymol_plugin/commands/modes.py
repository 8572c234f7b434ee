"""`dynaprot_modes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymol import cmd

from ..core import core_refusals
from ..settings import choose
from .arguments import whole_number

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_modes"]


def dynaprot_modes(
    selection: str = "enabled", mode: str | int = 1, amplitude: str = "", model: str = "", *, _self: Cmd = cmd
) -> None:
    """
    DESCRIPTION

        "dynaprot_modes" predicts how a protein moves and shows one of its
        normal modes (collective motions): as the 40 states of an object that
        moves to and fro along it, and as arrows from the C-alpha atoms in its
        direction.

    USAGE

        dynaprot_modes [ selection [, mode [, amplitude [, model ]]]]

    ARGUMENTS

        selection = str: atoms of one or several objects {default: enabled}

        mode = int: 1 for the motion of largest variance {default: 1}

        amplitude = float: how far the states go to either side, in standard
        deviations of the mode {default: setting "amplitude", 2}

        model = str: as for dynaprot_predict {default: setting "model"}

    EXAMPLE

        fetch 1ake, async=0
        dynaprot_modes 1ake and chain A
        mplay

    NOTES

        The moving object of "prot" is "prot_modes", its arrows are
        "prot_modes_arrows"; both follow "prot" as ellipsoids do. Arrows show
        directions and relative sizes: the longest is 10 A, whatever the
        amplitude, and residues that move less than 15 % as far have none.

    SEE ALSO

        dynaprot_ensemble, dynaprot_movie, mplay
    """
    with core_refusals():
        from ..scene.linked_objects import ARROWS, follow, require_free
        from ..scene.modes import draw_mode
        from ..scene.predictions import predict
        from ..scene.proteins import read_proteins

        follow(_self=_self)
        number, size = whole_number("mode", mode, 1), choose("amplitude", amplitude)
        proteins = read_proteins(selection, _self=_self)
        for protein in proteins:
            require_free(f"{protein.name}_modes", "modes", _self=_self)
            require_free(protein.name + ARROWS, "arrows", _self=_self)
        for protein, dynamics in predict(proteins, choose("model", model), choose("device", "")):
            name = f"{protein.name}_modes"
            farthest, scale = draw_mode(protein, dynamics, name, number, size, _self=_self)
            print(
                f" DynaProt: {name}: mode {number}, up to {farthest:.1f} Å from the structure; "
                f"arrows show {scale:.3g} standard deviations."
            )

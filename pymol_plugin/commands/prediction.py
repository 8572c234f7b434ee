"""`dynaprot_predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymol import cmd

from ..core import core_refusals
from ..settings import choose
from .arguments import whole_number

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_predict"]


def dynaprot_predict(
    selection: str = "enabled", model: str = "", device: str = "", state: str | int = -1, *, _self: Cmd = cmd
) -> None:
    """
    DESCRIPTION

        "dynaprot_predict" predicts how each residue of a protein moves, and
        prints how far. Whatever is drawn of it afterwards needs no second
        prediction, as long as the coordinates stay the same.

        Each object is predicted on its own; all its chains that the selection
        touches move as one system.

    USAGE

        dynaprot_predict [ selection [, model [, device [, state ]]]]

    ARGUMENTS

        selection = str: atoms of one or several objects {default: enabled}

        model = str: "default", a small network that sees one pair of residues
        at a time and corrects the force constants of an elastic network (it
        has no attention layer); "dynaprot-1", a network of attention, faster
        for large structures and less accurate; "anm", an elastic network
        with force constants that are not learned; or a file of weights
        {default: setting "model"}

        device = str: "auto", "cpu" or "cuda" {default: setting "device"}

        state = int: -1 for the state that is shown, 0 for all states, each
        on its own {default: -1}

    EXAMPLE

        fetch 1ake, async=0
        dynaprot_predict 1ake and chain A

    SEE ALSO

        dynaprot_ellipsoids, dynaprot_rmsf, dynaprot_coupling,
        dynaprot_ensemble, dynaprot_modes, dynaprot_save, dynaprot_settings
    """
    with core_refusals():
        from ..scene.linked_objects import follow
        from ..scene.predictions import predict
        from ..scene.proteins import read_proteins

        follow(_self=_self)
        proteins = read_proteins(selection, whole_number("state", state), _self=_self)
        for protein, dynamics in predict(proteins, choose("model", model), choose("device", device)):
            rmsf = dynamics.rmsf
            print(
                f" DynaProt: {protein.name}, state {protein.state}: {len(dynamics)} residues, RMSF {rmsf.min():.2f} to "
                f"{rmsf.max():.2f} Å, mean {rmsf.mean():.2f} Å, by {dynamics.model}."
            )

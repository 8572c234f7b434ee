"""`dynaprot_save`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymol import CmdException, cmd

from ..core import core_refusals
from ..settings import choose
from .arguments import path_of

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_save"]


def dynaprot_save(
    filename: str, selection: str = "enabled", what: str = "", count: str = "", seed: str = "", model: str = "",
    *, _self: Cmd = cmd,
) -> None:  # fmt: skip
    """
    DESCRIPTION

        "dynaprot_save" predicts how a protein moves and writes the result to
        a file, in the frame in which the protein is shown. If a folder is
        named instead of a file, everything is written into it.

    USAGE

        dynaprot_save filename [, selection [, what [, count [, seed
            [, model ]]]]]

    ARGUMENTS

        filename = str: the ending chooses the format:
            .npz        everything, for DynaProt and numpy
            .csv        one line for each residue
            .pdb .cif   the structure with B factors and ANISOU
            .pdb .dcd .xtc      with what=ensemble: conformations
            .png .svg .pdf      with what=rmsf, coupling or ellipsoids: a figure
            none        a folder for all of these, made if it does not exist
        A name with a comma must be in quotes.

        selection = str: chains of one object {default: enabled}

        what = str: dynamics, ensemble, rmsf, coupling or ellipsoids
        {default: the first that has the format}

        count, seed = int: number of conformations and their seed
        {default: settings "count", 50, and "seed", 0}

        model = str: as for dynaprot_predict {default: setting "model"}

    EXAMPLE

        dynaprot_save 1ake.npz, 1ake
        dynaprot_save motion.xtc, 1ake, count=200
        dynaprot_save map.png, 1ake, coupling
        dynaprot_save results, 1ake

    SEE ALSO

        dynaprot_predict, save
    """
    with core_refusals():
        from ..scene.linked_objects import follow
        from ..scene.predictions import predict
        from ..scene.proteins import read_proteins
        from ..scene.saving import WHAT, save_all, save_file

        follow(_self=_self)
        if what and what not in WHAT:
            raise CmdException(f"'{what}' cannot be saved: choose one of {', '.join(WHAT)}.")
        path = path_of(filename, _self=_self)
        size, start = choose("count", count), choose("seed", seed)
        proteins = read_proteins(selection, _self=_self)
        if len(proteins) > 1:
            names = ", ".join(protein.name for protein in proteins)
            raise CmdException(
                f"A file holds the result for one object, but '{selection}' has {len(proteins)}: choose one of {names}."
            )
        [(_, dynamics)] = predict(proteins, choose("model", model), choose("device", ""))
        if path.suffix or what:
            written = save_file(dynamics, path, what, size, start)
        else:
            written = save_all(dynamics, path, size, start)
        for each in written:
            print(f" DynaProt: {each} was written.")

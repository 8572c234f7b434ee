"""`dynaprot_save`."""

from pymol import CmdException, cmd

from ..core import core_refusals
from ..settings import choose
from .arguments import path_of

__all__ = ["dynaprot_save"]


def dynaprot_save(filename, selection="enabled", what="", count="", seed="", model="", *, _self=cmd):
    """
    DESCRIPTION

        "dynaprot_save" predicts how a protein moves and writes the result as
        a file, in the frame in which the protein is shown. A folder instead
        of a file gets everything.

    USAGE

        dynaprot_save filename [, selection [, what [, count [, seed
            [, model ]]]]]

    ARGUMENTS

        filename = str: the ending chooses the format:
            .npz        everything, for DynaProt and numpy
            .csv        one line a residue
            .pdb .cif   the structure with B factors and ANISOU
            .pdb .dcd .xtc      with what=ensemble: conformations
            .png .pdf .svg      with what=rmsf, coupling or ellipsoids: a figure
            none        a folder, made if need be, for all of these
        A name with a comma stands in quotes.

        selection = str: chains of one object {default: enabled}

        what = str: dynamics, ensemble, rmsf, coupling or ellipsoids
        {default: the first that has the format}

        count, seed = int: of the conformations
        {default: settings "count", 20, and "seed", 0}

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
        from ..scene.companions import follow
        from ..scene.predictions import predict
        from ..scene.proteins import read_proteins
        from ..scene.saving import WHAT, save_all, save_file

        follow(_self=_self)
        if what and what not in WHAT:
            raise CmdException(f"'{what}' cannot be saved: choose one of {', '.join(WHAT)}.")
        path = path_of(filename, _self=_self)
        count, seed = choose("count", count), choose("seed", seed)
        proteins = read_proteins(selection, _self=_self)
        if len(proteins) > 1:
            names = ", ".join(protein.name for protein in proteins)
            raise CmdException(f"One file holds one object, but '{selection}' are {names}: name one of them.")
        [(_, dynamics)] = predict(proteins, choose("model", model), choose("device", ""))
        if path.suffix or what:
            written = save_file(dynamics, path, what, count, seed)
        else:
            written = save_all(dynamics, path, count, seed)
        for each in written:
            print(f" DynaProt: {each} is written.")

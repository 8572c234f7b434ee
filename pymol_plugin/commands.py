"""The commands that DynaProt adds to PyMOL."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pymol import CmdException, cmd
from pymol.colorprinting import warning
from pymol.shortcut import Shortcut

from .core import core_refusals, load_core

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_ellipsoids", "dynaprot_info", "register"]


def dynaprot_ellipsoids(
    selection: str = "enabled",
    probability: float = 0.5,
    model: str = "default",
    *,
    _self: Cmd = cmd,
) -> None:
    """
    DESCRIPTION

        "dynaprot_ellipsoids" predicts how each residue of a protein moves and
        draws it as an ellipsoid around the C-alpha atom.

        Each object is predicted for itself, in its current state. All its
        chains that the selection touches move as one system; ellipsoids are
        drawn for the residues of the selection.

    USAGE

        dynaprot_ellipsoids [ selection [, probability [, model ]]]

    ARGUMENTS

        selection = str: atoms of one or several objects {default: enabled}

        probability = float: of a residue to be within its ellipsoid, between
        0 and 1 {default: 0.5}

        model = str: "default", the trained network, or "anm", an elastic
        network {default: default}

    EXAMPLE

        fetch 1ake, async=0
        dynaprot_ellipsoids 1ake and chain A
        dynaprot_ellipsoids 1ake and chain A and resi 30-67, probability=0.9

    NOTES

        The ellipsoids of an object "prot" are an object of their own,
        "prot_ellipsoids", whose B factors are the RMSF in A. All ellipsoids
        of a session are coloured by RMSF on one scale, from blue to red, of
        which "dynaprot_rmsf" is the legend. The object "prot" is not changed.

        When "prot" has been moved, as by "align", its ellipsoids follow with

        matrix_reset prot_ellipsoids
        matrix_copy prot, prot_ellipsoids

    SEE ALSO

        dynaprot_info, matrix_copy, matrix_reset
    """
    # Here, because they bring numpy.
    from .ellipsoids import colour_by_rmsf, draw_ellipsoids, is_ellipsoids, require_free_names
    from .proteins import read_protein

    names = _self.get_object_list(f"({selection})")
    if names is None:
        raise CmdException(f"'{selection}' is no valid selection.")
    try:
        probability = float(probability)
    except ValueError:
        raise CmdException(f"The probability must be a number such as 0.5, not '{probability}'.") from None

    with core_refusals():
        # All that can be refused is refused before the first ellipsoid is drawn, and soon.
        load_core(".views.ellipsoids").contour_radius(probability)
        proteins = []
        for name in names:
            if is_ellipsoids(name, _self=_self):
                continue
            if protein := read_protein(name, selection, _self=_self):
                require_free_names(name, _self=_self)
                proteins.append(protein)
            else:
                warning(f" DynaProt: {name}: no residue of the selection has N, CA and C.")
        if not proteins:
            raise CmdException(f"There is no protein in '{selection}'.")
        predictions = [load_core().predict(protein.structure, model) for protein in proteins]
        for protein, dynamics in zip(proteins, predictions, strict=True):
            for notice in (*protein.structure.notices, *dynamics.notices):
                warning(f" DynaProt: {protein.name}: {notice}")
            draw_ellipsoids(protein, dynamics, probability, _self=_self)
        colour_by_rmsf(_self=_self)


def dynaprot_info(*, _self: Cmd = cmd) -> None:
    """
    DESCRIPTION

        "dynaprot_info" prints which DynaProt is running, where it was found,
        and with which packages.

    USAGE

        dynaprot_info

    EXAMPLE

        dynaprot_info

    SEE ALSO

        dynaprot_ellipsoids
    """
    with core_refusals():
        core = load_core()
        print(f" DynaProt {core.__version__} in {Path(core.__file__).parent}")
        print(f" models: {', '.join(core.models())}")
        weights = load_core(".network.weights").shipped_weights()
        print(f" weights: {', '.join(map(str, weights)) or 'none, so that the elastic network stands in'}")
    for package in ("numpy", "gemmi", "safetensors", "torch"):
        try:
            print(f" {package} {version(package)}")
        except PackageNotFoundError:
            print(f" {package} is not installed: {sys.executable} -m pip install {package}")


def register(*, _self: Cmd = cmd) -> None:
    """Add the commands and the completion of their arguments to PyMOL."""
    for command in (dynaprot_ellipsoids, dynaprot_info):
        _self.extend(command.__name__, command)
    _self.auto_arg[0]["dynaprot_ellipsoids"] = _self.auto_arg[0]["zoom"]
    _self.auto_arg[2]["dynaprot_ellipsoids"] = [lambda: Shortcut(load_core().models()), "model", ""]

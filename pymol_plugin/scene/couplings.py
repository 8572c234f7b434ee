"""The strongest couplings as tubes between C-alpha atoms."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from chempy import Bond
from chempy.models import Indexed

from ..core import load_core
from .companions import as_loaded, entitle, lay_on
from .proteins import Protein

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

__all__ = ["draw_couplings"]

THINNEST, THICKEST = 0.12, 0.5
"""Å, at the threshold and at a coupling of 1."""
STEPS = 6


def draw_couplings(
    protein: Protein, dynamics: Dynamics, name: str, threshold: float, from_residues: np.ndarray | None, *, _self: Cmd
) -> str:
    """Draw a tube for each strong coupling between selected residues, in place of those drawn before.

    Each tube has two atoms of its own, copies of the C-alphas that it joins, whose B factor is the coupling.

    Parameters
    ----------
    protein : Protein
    dynamics : Dynamics
    name : str
        What to call the object.
    threshold : float
        Least absolute coupling.
    from_residues : ndarray, shape=(M,), dtype=int, optional
        Only tubes that start at one of these.

    Returns
    -------
    str
        How many there are, for the user.
    """
    analysis = load_core(".analysis.couplings")
    i, j, coupling = analysis.strongest_pairs(protein.structure, dynamics.coupling, threshold)
    wanted = protein.is_selected[i] & protein.is_selected[j]
    if from_residues is not None:
        own = np.isin(np.arange(len(protein.calphas)), from_residues)
        wanted = (own[i] & protein.is_selected[j]) | (own[j] & protein.is_selected[i])
    i, j, coupling = i[wanted], j[wanted], coupling[wanted]
    found = f"{len(coupling)} couplings of at least {threshold:g}"
    if len(coupling) > analysis.MOST:
        found += f", of which the strongest {analysis.MOST} are drawn"
        i, j, coupling = i[: analysis.MOST], j[: analysis.MOST], coupling[: analysis.MOST]
    _self.delete(name)
    if not len(coupling):
        return f"{found}; a lower threshold shows weaker ones"

    positions = as_loaded(protein, protein.structure.ca, _self=_self)
    model = Indexed()
    for k, (ends, value) in enumerate(zip(np.stack([i, j], 1), coupling, strict=True)):
        for residue in ends:
            atom = copy(protein.calphas[residue])
            atom.coord = positions[residue].tolist()
            atom.b = float(value)
            model.atom.append(atom)
        bond = Bond()
        bond.index = [2 * k, 2 * k + 1]
        model.bond.append(bond)
    _self.load_model(model, name, zoom=0)
    lay_on(name, protein.name, protein.state, _self=_self)
    entitle(name, "couplings", protein, f"coloured by coupling, threshold {threshold:g}, {dynamics.model}", _self=_self)
    _self.show_as("sticks", name)
    _self.set("stick_radius", THINNEST, name)
    for step in range(1, STEPS):
        least = threshold + (1.0 - threshold) * step / STEPS
        radius = THINNEST + (THICKEST - THINNEST) * step / (STEPS - 1)
        stronger = f"model {name} and (b > {least} or b < -{least})"
        if _self.count_atoms(stronger):
            _self.set_bond("stick_radius", radius, stronger)
    return found

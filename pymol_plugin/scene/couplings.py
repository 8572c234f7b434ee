"""The strongest couplings as tubes between C-alpha atoms."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from chempy import Bond
from chempy.models import Indexed

from ..core import load_core
from .linked_objects import as_loaded, entitle, lay_on
from .proteins import Protein

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

__all__ = ["coupling_of", "draw_couplings"]

THINNEST, THICKEST = 0.12, 0.5
"""Å; radii of a tube at the threshold and at a coupling of 1."""
STEPS = 6
"""Radii between these."""


def coupling_of(dynamics: Dynamics) -> np.ndarray:
    """The coupling of all pairs of N residues, shape=(N, N): a question for `predictions.answer`, as it takes long."""
    return dynamics.coupling


def draw_couplings(
    protein: Protein, dynamics: Dynamics, name: str, threshold: float, from_residues: np.ndarray | None, *, _self: Cmd
) -> str:
    """Draw a tube for each strong coupling between selected residues; tubes drawn before are replaced.

    Each tube has two atoms of its own, copies of the C-alphas that it joins, whose B factor is the coupling.

    Parameters
    ----------
    protein : Protein
    dynamics : Dynamics
    name : str
        Name of the new object.
    threshold : float
        Least absolute coupling.
    from_residues : ndarray, shape=(M,), dtype=int, optional
        Only tubes that start at one of these.

    Returns
    -------
    str
        How many there are, in words for the user.
    """
    analysis = load_core(".analysis.couplings")
    i, j, coupling = analysis.strongest_pairs(protein.structure, dynamics.coupling, threshold)
    wanted = protein.is_selected[i] & protein.is_selected[j]
    if from_residues is not None:
        own = np.isin(np.arange(len(protein.calphas)), from_residues)
        wanted = (own[i] & protein.is_selected[j]) | (own[j] & protein.is_selected[i])
    i, j, coupling = i[wanted], j[wanted], coupling[wanted]
    found = f"{len(coupling)} couplings of at least {threshold:g}"
    most = load_core(".defaults").COUPLINGS
    if len(coupling) > most:
        found += f", of which the strongest {most} are drawn"
        i, j, coupling = i[:most], j[:most], coupling[:most]
    _self.delete(name)
    if not len(coupling):
        return f"{found}; a lower threshold shows weaker ones"

    positions = as_loaded(protein.structure.ca, protein.name, protein.state, _self=_self)
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
    remark = f"coloured by coupling, threshold {threshold:g}, {dynamics.model}"
    entitle(name, "couplings", protein.name, protein.state, remark, _self=_self)
    _self.show_as("sticks", name)
    _self.set("stick_radius", THINNEST, name)
    for step in range(1, STEPS):
        least = threshold + (1.0 - threshold) * step / STEPS
        radius = THINNEST + (THICKEST - THINNEST) * step / (STEPS - 1)
        stronger = f"model {name} and (b > {least} or b < -{least})"
        if _self.count_atoms(stronger):
            _self.set_bond("stick_radius", radius, stronger)
    return found

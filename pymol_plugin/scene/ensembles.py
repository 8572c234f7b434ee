"""Conformations as the states of one object, with all atoms carried along."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..core import load_core
from .linked_objects import as_loaded, entitle, lay_on
from .proteins import Protein

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

__all__ = ["Conformations", "conformations_at", "draw_ensemble", "draw_states", "ensemble_of"]

SMOOTHNESS = 5
"""Points of a ribbon's curve from one residue to the next."""
THICK, FEW, THIN = 3.0, 20, 1.0
"""Width of a ribbon, in PyMOL's units: that of up to FEW conformations shown at once, and the least for any number."""
TEMPORARY = "_dynaprot_chosen"  # PyMOL does not list selections whose names begin with _


class Conformations(NamedTuple):
    """Where the residues of a protein go, so that all its atoms can be moved with them.

    Attributes
    ----------
    calphas : ndarray, shape=(S, N, 3)
        C-alpha positions, Å.
    rotations : ndarray, shape=(S, N, 3, 3)
        Rotation of each residue.
    """

    calphas: np.ndarray
    rotations: np.ndarray


def conformations_at(dynamics: Dynamics, calphas: np.ndarray) -> Conformations:
    """Conformations with their C-alphas at these places, shape=(S, N, 3), Å."""
    return Conformations(calphas, load_core(".structure.rigid_residues").residue_rotations(dynamics.structure, calphas))


def ensemble_of(dynamics: Dynamics, count: int, seed: int, restore: bool, between: int = 0) -> Conformations:
    """Draw conformations: a question for `predictions.answer`, as it takes long.

    Parameters
    ----------
    dynamics : Dynamics
        N residues.
    count, seed : int
        As in `Dynamics.sample`.
    restore : bool
        Whether to restore the C-alpha geometry: bond lengths, and no clashes.
    between : int
        In-between frames from each conformation to the next, and from the last to the first, for smooth playback.

    Returns
    -------
    Conformations
        S = count * (between + 1) of them; conformation k is the one at index k * (between + 1).
    """
    conformations = load_core(".analysis.ensembles").draw_ensemble(dynamics, count, seed, restore).conformations
    # Slow at both ends, as a pendulum swings.
    share = (1.0 - np.cos(np.pi * np.arange(between + 1) / (between + 1)))[:, None, None] / 2.0
    following = np.roll(conformations, -1, axis=0)
    frames = conformations[:, None] + share * (following - conformations)[:, None]
    return conformations_at(dynamics, frames.reshape(-1, *conformations.shape[1:]))


def draw_ensemble(
    protein: Protein, dynamics: Dynamics, name: str, conformations: Conformations, overlay: bool, *, _self: Cmd
) -> None:
    """Draw conformations as the states of one object, shown one at a time or all at once.

    Parameters
    ----------
    protein : Protein
        N residues.
    dynamics : Dynamics
        The prediction that the conformations were drawn from.
    name : str
        Name of the new object.
    conformations : Conformations
        Conformations of all N residues, in the frame of the protein's coordinates.
    overlay : bool
        Whether to show all at once, with thinner ribbons the more there are.
    """
    count = len(conformations.calphas)
    remark = f"{count} conformations, {dynamics.model}"
    draw_states(protein, conformations, name, "ensemble", remark, _self=_self)
    _self.show_as("ribbon", name)
    _self.set("ribbon_sampling", SMOOTHNESS, name)
    _self.set("all_states", int(overlay), name)
    if overlay:  # the same amount of ink for any number
        _self.set("ribbon_width", float(np.clip(THICK * np.sqrt(FEW / count), THIN, THICK)), name)


def draw_states(
    protein: Protein, conformations: Conformations, name: str, kind: str, remark: str, *, _self: Cmd
) -> None:
    """Draw the selected residues with all their atoms, each residue as a rigid body, one state for each conformation.

    Parameters
    ----------
    protein : Protein
        N residues.
    conformations : Conformations
        Conformations of all N residues.
    name, kind, remark : str
        Name of the new object, and the kind and remark of its title.
    """
    _self.delete(name)
    number = {key: k for k, key in enumerate(protein.keys)}
    chosen = [a.index for a in protein.atoms if protein.is_selected[number[a.segi, a.chain, a.resi]]]
    # The order of atoms in a created object is the order in which its coordinates are read and set.
    _self.select_list(TEMPORARY, protein.name, chosen, mode="index")
    _self.create(name, TEMPORARY, protein.state, 1, zoom=0)
    _self.delete(TEMPORARY)
    # First, so that if anything below fails, the object is still known as DynaProt's.
    entitle(name, kind, protein.name, protein.state, remark, _self=_self)
    residue: list[int] = []
    _self.iterate(name, "residue.append(number[segi, chain, resi])", space={"residue": residue, "number": number})
    atoms = _self.get_coords(name).astype(float)
    carried = load_core(".structure.rigid_residues").carry_atoms(
        protein.structure, conformations.calphas, atoms, np.array(residue), conformations.rotations
    )
    _self.matrix_reset(name)  # it was created with its parent's matrix, which would move the new coordinates
    unmoved = as_loaded(carried, protein.name, protein.state, _self=_self)
    for state, coordinates in enumerate(unmoved, start=1):
        _self.load_coordset(coordinates, name, state)
    lay_on(name, protein.name, protein.state, _self=_self)

"""Conformations as the states of one object, with all atoms carried along."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..core import load_core
from .companions import as_loaded, entitle, lay_on
from .proteins import Protein

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

__all__ = ["MOST_OVERLAID", "Conformations", "conformations_at", "draw_ensemble", "draw_states", "ensemble_of"]

MOST_OVERLAID = 20
"""States shown at once: fifty already take half a minute to ray trace."""
SMOOTHNESS = 5
"""Points of a ribbon's curve from one residue to the next."""
TEMPORARY = "_dynaprot_chosen"  # PyMOL lists no selection whose name begins so


class Conformations(NamedTuple):
    """What all atoms of a protein can be carried along with.

    Attributes
    ----------
    calphas : ndarray, shape=(S, N, 3)
        Å.
    rotations : ndarray, shape=(S, N, 3, 3)
        How each residue is turned.
    """

    calphas: np.ndarray
    rotations: np.ndarray


def conformations_at(dynamics: Dynamics, calphas: np.ndarray) -> Conformations:
    """Conformations with their C-alphas at these places, shape=(S, N, 3), Å."""
    return Conformations(calphas, load_core(".structure.rigid_residues").residue_rotations(dynamics.structure, calphas))


def ensemble_of(dynamics: Dynamics, count: int, seed: int, regularize: bool, between: int = 0) -> Conformations:
    """Draw conformations, which takes its time.

    Parameters
    ----------
    dynamics : Dynamics
        N residues.
    count, seed : int
        As of `Dynamics.sample`.
    regularize : bool
        Whether to mend bond lengths and clashes.
    between : int
        In-between frames from each conformation to the next, and from the last to the first, for smooth playback.

    Returns
    -------
    Conformations
        S = count * (between + 1) of them; draw k is the one at k * (between + 1).
    """
    conformations = dynamics.sample(count, seed)
    if regularize:
        conformations = load_core(".structure.chain_geometry").restore_geometry(dynamics.structure, conformations)
    # From rest to rest, as a pendulum swings.
    share = (1.0 - np.cos(np.pi * np.arange(between + 1) / (between + 1)))[:, None, None] / 2.0
    following = np.roll(conformations, -1, axis=0)
    frames = conformations[:, None] + share * (following - conformations)[:, None]
    return conformations_at(dynamics, frames.reshape(-1, *conformations.shape[1:]))


def draw_ensemble(
    protein: Protein, dynamics: Dynamics, name: str, conformations: Conformations, overlay: bool, *, _self: Cmd
) -> None:
    """Draw conformations as states, or all at once where there are few and that is wanted.

    Parameters
    ----------
    protein : Protein
        N residues.
    dynamics : Dynamics
        What the conformations were drawn from.
    name : str
        What to call the object.
    conformations : Conformations
        Of all N residues, in the frame of the protein's coordinates.
    overlay : bool
    """
    count = len(conformations.calphas)
    remark = f"{count} conformations, {dynamics.model}"
    draw_states(protein, conformations, name, "ensemble", remark, _self=_self)
    _self.show_as("ribbon", name)
    _self.set("ribbon_sampling", SMOOTHNESS, name)
    _self.set("all_states", int(overlay and count <= MOST_OVERLAID), name)


def draw_states(
    protein: Protein, conformations: Conformations, name: str, kind: str, remark: str, *, _self: Cmd
) -> None:
    """Draw the selected residues with all their atoms, each residue as a rigid body, one state a conformation.

    Parameters
    ----------
    protein : Protein
        N residues.
    conformations : Conformations
        Of all N residues.
    name, kind, remark : str
        What to call the object and how to entitle it.
    """
    _self.delete(name)
    number = {key: k for k, key in enumerate(protein.keys)}
    chosen = [a.index for a in protein.atoms if protein.is_selected[number[a.segi, a.chain, a.resi]]]
    # A created object has the order of atoms in which its coordinates are read and set.
    _self.select_list(TEMPORARY, protein.name, chosen, mode="index")
    _self.create(name, TEMPORARY, protein.state, 1, zoom=0)
    _self.delete(TEMPORARY)
    entitle(name, kind, protein, remark, _self=_self)  # first, so that what fails below leaves nobody else's object
    residue: list[int] = []
    _self.iterate(name, "residue.append(number[segi, chain, resi])", space={"residue": residue, "number": number})
    atoms = _self.get_coords(name).astype(float)
    carried = load_core(".structure.rigid_residues").carry_atoms(
        protein.structure, conformations.calphas, atoms, np.array(residue), conformations.rotations
    )
    _self.matrix_reset(name)  # created with its parent's matrix, which new coordinates would keep
    for state, coordinates in enumerate(as_loaded(protein, carried, _self=_self), start=1):
        _self.load_coordset(coordinates, name, state)
    lay_on(name, protein.name, protein.state, _self=_self)

"""Conformations as coordinate sets of a new model, all atoms carried along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import Structure

from ..dynaprot.structure.geometry import nearest_rotations
from ..dynaprot.structure.rigid_residues import carry_atoms
from .predictions import beside_window
from .systems import MADE_FROM

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from .predictions import Prediction


def open_conformations(
    session: Session, prediction: Prediction, samples: NDArray[np.float64], name: str
) -> AtomicStructure:
    """Open a copy of a structure with one coordinate set for each conformation, and hide the structure.

    The atoms of a residue go with its C-alpha as a rigid body. What was not predicted, as ligands, stays in place.

    Parameters
    ----------
    session : chimerax.core.session.Session
    prediction : Prediction
    samples : ndarray, shape=(n, N, 3)
        C-alphas of the predicted residues, Å.
    name : str
        Of the new model.

    Returns
    -------
    chimerax.atomic.AtomicStructure
        Its coordinate sets are numbered from 1.
    """
    structure = prediction.structure
    atoms = structure.atoms
    carried = np.flatnonzero(atoms.residues.mask(prediction.residues))
    moving = atoms[carried]
    residue = prediction.residues.indices(moving.residues)
    followed = beside_window(session, carry_atoms, prediction.dynamics.structure, samples, moving.coords, residue)
    copy = structure.copy(f"{structure.name} {name}")
    places = copy.atoms.coord_indices  # the host keeps the places of deleted atoms
    coordinates = np.zeros((len(samples), copy.coordset_size, 3))
    coordinates[:, places] = atoms.coords
    coordinates[:, places[carried]] = followed
    copy.add_coordsets(coordinates)
    copy.active_coordset_id = 1
    copy.positions = structure.get_scene_positions()
    Structure.register_attr(session, MADE_FROM, "DynaProt", attr_type=str)
    setattr(copy, MADE_FROM, str(structure))
    session.models.add([copy])
    structure.display = False
    return copy


def superimposed(
    samples: NDArray[np.float64], reference: NDArray[np.float64], members: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Each conformation moved as a rigid body so that some residues fit the reference best.

    Parameters
    ----------
    samples : ndarray, shape=(n, N, 3)
    reference : ndarray, shape=(N, 3)
    members : ndarray, shape=(M,), dtype=int
        The residues to fit.

    Returns
    -------
    ndarray, shape=(n, N, 3)
    """
    centre = reference[members].mean(0)
    offsets = samples - samples[:, members].mean(1, keepdims=True)
    rotations = nearest_rotations(np.swapaxes(offsets[:, members], 1, 2) @ (reference[members] - centre))
    return offsets @ rotations + centre

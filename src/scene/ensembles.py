"""Ensembles: conformations drawn from a prediction, and coordinate sets of a new model that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import Structure
from chimerax.core.errors import UserError

from ..dynaprot.analysis.ensembles import draw_ensemble
from ..dynaprot.structure.rigid_residues import carry_atoms
from ..dynaprot.structure.superposition import superpose
from .predictions import beside_window
from .proteins import MADE_FROM

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from .predictions import Prediction

FEWEST_TO_SUPERIMPOSE = 3
"""Residues; fewer leave the rotation open."""


def conformations(
    session: Session, prediction: Prediction, count: int, seed: int, regularize: bool
) -> NDArray[np.floating]:
    """Draw conformations, and warn if some of them are not physically possible.

    Parameters
    ----------
    session : chimerax.core.session.Session
    prediction : Prediction
        N residues.
    count, seed
        As in the core's `draw_ensemble`.
    regularize : bool
        Whether to restore C-alpha geometry.

    Returns
    -------
    ndarray, shape=(count, N, 3)
        C-alphas, Å.
    """
    ensemble = prediction.answer(session, draw_ensemble, count, seed, regularize)
    if ensemble.unphysical:
        session.logger.warning(
            f"{prediction.structure}: {ensemble.unphysical:.0%} of the conformations have a broken chain or a clash"
            + ("." if regularize else "; 'regularize true' restores C-alpha geometry.")
        )
    return ensemble.conformations


def to_superimpose(prediction: Prediction, residues: Residues) -> NDArray[np.int64]:
    """Which of the predicted residues are to be superimposed.

    Raises
    ------
    UserError
        If they are too few.
    """
    members = np.flatnonzero(prediction.residues.mask(residues))
    if len(members) < FEWEST_TO_SUPERIMPOSE:
        raise UserError(
            f"{prediction.structure}: at least {FEWEST_TO_SUPERIMPOSE} predicted residues are needed to superimpose; "
            f"{len(members)} were given."
        )
    return members


def open_conformations(
    session: Session, prediction: Prediction, samples: NDArray[np.floating], name: str
) -> AtomicStructure:
    """Open a copy of a structure with one coordinate set for each conformation, and hide the structure.

    The atoms of a residue go with its C-alpha as a rigid body. What was not predicted, such as ligands, stays in place.

    Parameters
    ----------
    session : chimerax.core.session.Session
    prediction : Prediction
    samples : ndarray, shape=(n, N, 3)
        C-alphas of the predicted residues, Å.
    name : str
        What the new model is called after the name of the structure.

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
    carried_to = beside_window(session, carry_atoms, prediction.dynamics.structure, samples, moving.coords, residue)
    copy = structure.copy(f"{structure.name} {name}")
    places = copy.atoms.coord_indices  # the host keeps the places of deleted atoms
    coordinates = np.zeros((len(samples), copy.coordset_size, 3))
    coordinates[:, places] = atoms.coords
    coordinates[:, places[carried]] = carried_to
    copy.add_coordsets(coordinates)
    copy.active_coordset_id = 1
    copy.positions = structure.get_scene_positions()
    Structure.register_attr(session, MADE_FROM, "DynaProt", attr_type=str)
    setattr(copy, MADE_FROM, str(structure))
    session.models.add([copy])
    structure.display = False
    return copy


def superimposed(
    samples: NDArray[np.floating], reference: NDArray[np.floating], members: NDArray[np.int64]
) -> NDArray[np.floating]:
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
    rotations, shifts = superpose(samples, reference, np.isin(np.arange(len(reference)), members))
    return samples @ rotations + shifts

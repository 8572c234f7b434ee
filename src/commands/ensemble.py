"""`dynaprot ensemble`: conformations drawn from the predicted Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.core.commands import run
from chimerax.core.errors import UserError

from ..dynaprot.structure.chain_geometry import restore_geometry, unphysical_share
from ..scene.conformations import open_conformations, superimposed
from ..scene.predictions import Prediction, predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from ..dynaprot import Dynamics

FEWEST_TO_SUPERIMPOSE = 3
"""Residues; fewer leave the rotation open."""


@user_errors()
def dynaprot_ensemble(
    session: Session,
    residues: Residues | None = None,
    *,
    count: int = 50,
    seed: int | None = None,
    regularize: bool = True,
    superimpose: Residues | None = None,
    slider: bool = True,
    model: str | None = None,
    device: str | None = None,
) -> list[AtomicStructure]:
    """Open conformations as coordinate sets of a new model, for the host's `coordset` to play.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        The chains that they belong to, by default all, move as one system.
    count : int
        How many conformations.
    seed : int, optional
        The same seed gives the same conformations; by default a new one, which the log tells.
    regularize : bool
        Whether to restore the distances along the chain and part clashes.
    superimpose : chimerax.atomic.Residues, optional
        Fit each conformation to its structure on these, of which each structure has some.
    slider : bool
        Whether to open the slider of coordinate sets, where there are windows.
    model, device : str, optional
        As of `dynaprot predict`.

    Returns
    -------
    list of chimerax.atomic.AtomicStructure
        One new model for each structure, which is hidden.
    """
    predicted = predictions(session, residues, model, device)
    fitted = None if superimpose is None else [_to_fit(prediction, superimpose) for prediction in predicted]
    if seed is None:
        seed = new_seed()
    ensembles = []
    for index, prediction in enumerate(predicted):
        samples = conformations(session, prediction, count, seed, regularize)
        if fitted is not None:
            samples = superimposed(samples, prediction.dynamics.structure.ca, fitted[index])
        ensemble = open_conformations(session, prediction, samples, "ensemble")
        session.logger.info(f"{ensemble}: {count} conformations of {prediction.structure}, seed {seed}")
        if slider and session.ui.is_gui:
            run(session, f"coordset slider {ensemble.atomspec}")
        ensembles.append(ensemble)
    return ensembles


def _to_fit(prediction: Prediction, residues: Residues) -> NDArray[np.int64]:
    """Which of the predicted residues are to be superimposed."""
    members = np.flatnonzero(prediction.residues.mask(residues))
    if len(members) < FEWEST_TO_SUPERIMPOSE:
        raise UserError(
            f"{prediction.structure}: {FEWEST_TO_SUPERIMPOSE} predicted residues at least are needed to superimpose; "
            f"{len(members)} were given."
        )
    return members


def new_seed() -> int:
    """A seed where the user gives none; few digits, to be read and typed."""
    return int(np.random.default_rng().integers(100_000))


def draw(dynamics: Dynamics, count: int, seed: int, regularize: bool) -> tuple[NDArray[np.float64], float]:
    """Draw conformations, and mend them if wanted, which takes its time.

    Returns
    -------
    samples : ndarray, shape=(count, N, 3)
        C-alphas, Å.
    share : float
        Of them that are no possible chain.
    """
    samples = dynamics.sample(count, seed)
    if regularize:
        samples = restore_geometry(dynamics.structure, samples)
    return samples, unphysical_share(dynamics.structure, samples)


def conformations(
    session: Session, prediction: Prediction, count: int, seed: int | None, regularize: bool
) -> NDArray[np.float64]:
    """C-alphas of drawn conformations, (count, N, 3) in Å; a warning tells of those that are no possible chain."""
    samples, share = prediction.once(session, draw, count, new_seed() if seed is None else seed, regularize)
    if share:
        session.logger.warning(
            f"{prediction.structure}: {share:.0%} of the conformations have a broken chain or a clash"
            + ("." if regularize else "; 'regularize true' mends them.")
        )
    return samples

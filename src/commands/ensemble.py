"""`dynaprot ensemble`: conformations drawn from the predicted Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chimerax.core.commands import run

from ..dynaprot.defaults import CONFORMATIONS, SEED
from ..scene.ensembles import conformations, open_conformations, superimposed, to_superimpose
from ..scene.predictions import predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.session import Session


@user_errors()
def dynaprot_ensemble(
    session: Session,
    residues: Residues | None = None,
    *,
    count: int = CONFORMATIONS,
    seed: int = SEED,
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
    seed : int
        The same seed gives the same conformations.
    regularize : bool
        Whether to restore C-alpha geometry: the distances along the chain, without clashes.
    superimpose : chimerax.atomic.Residues, optional
        Residues on which each conformation is fitted to its structure; each structure must have some.
    slider : bool
        Whether to open the slider of coordinate sets, where there are windows.
    model, device : str, optional
        As in `dynaprot predict`.

    Returns
    -------
    list of chimerax.atomic.AtomicStructure
        One new model for each structure, which is hidden.
    """
    predicted = predictions(session, residues, model, device)
    fitted = None if superimpose is None else [to_superimpose(prediction, superimpose) for prediction in predicted]
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

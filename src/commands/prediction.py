"""`dynaprot predict`: choosing the model that predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scene.predictions import predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import Residues
    from chimerax.core.session import Session

    from ..dynaprot import Dynamics


@user_errors()
def dynaprot_predict(
    session: Session,
    residues: Residues | None = None,
    *,
    model: str | None = None,
    device: str | None = None,
    superimpose: str | Residues | None = None,
) -> list[Dynamics]:
    """Predict, and let the other commands use model, device and superposition for these structures from now on.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        The chains that they belong to, by default all, are predicted as one system.
    model : str, optional
        One of the core's `models`, a file of weights, or two of these with a plus between them.
    device : str, optional
        "auto", "cpu", or a GPU as PyTorch names it: "cuda", "cuda:1", "mps".
    superimpose : str or chimerax.atomic.Residues, optional
        Residues that motion is seen from: "all", "core", "auto" (all but loose ones), or these.

    Returns
    -------
    list of Dynamics
        One for each structure.
    """
    return [prediction.dynamics for prediction in predictions(session, residues, model, device, superimpose)]

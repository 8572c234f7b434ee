"""`dynaprot anisou`: the predicted motion where the host's own tools look for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dynaprot.analysis.ellipsoids import displacement_parameters
from ..scene.predictions import predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import Residues
    from chimerax.core.session import Session


@user_errors()
def dynaprot_anisou(
    session: Session, residues: Residues | None = None, *, model: str | None = None, device: str | None = None
) -> None:
    """Write the predicted covariance into the anisotropic temperature factors of C-alpha atoms.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        Residues whose C-alphas are written, by default all; the chains that they belong to are predicted as one
        system.
    model, device : str, optional
        As in `dynaprot predict`.
    """
    for prediction in predictions(session, residues, model, device):
        calphas = prediction.residues.existing_principal_atoms.filter(prediction.specified)
        replaced = int(calphas.has_aniso_u.sum())
        calphas.aniso_u6 = displacement_parameters(prediction.dynamics.marginals[prediction.specified])
        session.logger.info(
            f"{prediction.structure}: wrote the predicted anisotropic U of {len(calphas)} C-alpha atoms"
            + (f", in place of that of {replaced} atoms" if replaced else "")
        )

"""`dynaprot rmsf`: the size of each residue's motion as an attribute, as colours and as a plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import concatenate

from ..scene.drawn import announce
from ..scene.painting import color_by_attribute, set_attribute
from ..scene.palettes import MOBILITY, palette_over, show_key
from ..scene.predictions import predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import Residues
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session

    from ..dynaprot import Dynamics


@user_errors()
def dynaprot_rmsf(
    session: Session,
    residues: Residues | None = None,
    *,
    palette: Colormap | None = None,
    range: tuple[float, float] | str | None = None,
    key: bool = True,
    plot: bool = True,
    model: str | None = None,
    device: str | None = None,
) -> list[Dynamics]:
    """Predict the RMSF of each residue, keep it as an attribute, colour by it and plot it.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        Residues to be coloured, by default all; the chains that they belong to are predicted as one system, and all
        their residues get the attributes.
    palette, range, key
        Colours, the RMSF in Å that they span, by default from the 2nd to the 98th percentile, and whether to show the
        colour key.
    plot : bool
        Whether to open the plot, where there are windows.
    model, device : str, optional
        As in `dynaprot predict`.

    Returns
    -------
    list of Dynamics
        One for each structure.
    """
    predicted = predictions(session, residues, model, device)
    for prediction in predicted:
        dynamics = prediction.dynamics
        set_attribute(session, prediction.residues, "dynaprot_rmsf", dynamics.rmsf)
        set_attribute(session, prediction.residues, "dynaprot_anisotropy", dynamics.anisotropy)
        session.logger.info(
            f"{prediction.structure}: RMSF of {len(dynamics)} residues is "
            f"{dynamics.rmsf.min():.2f} to {dynamics.rmsf.max():.2f} Å"
        )
    values = np.concatenate([prediction.dynamics.rmsf[prediction.specified] for prediction in predicted])
    scale = palette_over(session, palette or MOBILITY, values, range)
    shown = concatenate([prediction.residues.filter(prediction.specified) for prediction in predicted])
    color_by_attribute(session, shown, "dynaprot_rmsf", scale)
    if key:
        show_key(session, scale, " Å")
    if plot:
        announce(session, "rmsf", predicted)
    return [prediction.dynamics for prediction in predicted]

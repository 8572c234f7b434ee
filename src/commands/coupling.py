"""`dynaprot coupling`: what moves together, as a heat map, as pseudobonds, and as colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..dynaprot.defaults import COUPLINGS, THRESHOLD
from ..scene.couplings import all_couplings, color_by_coupling, draw_couplings
from ..scene.drawn import announce
from ..scene.palettes import SIGNED, palette_over, show_key
from ..scene.predictions import predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import PseudobondGroup, Residues
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session


@user_errors()
def dynaprot_coupling(
    session: Session,
    residues: Residues | None = None,
    *,
    threshold: float = THRESHOLD,
    min_separation: int = 6,
    max_bonds: int = COUPLINGS,
    from_: Residues | None = None,
    palette: Colormap | None = None,
    key: bool | None = None,
    map: bool | None = None,
    model: str | None = None,
    device: str | None = None,
) -> list[PseudobondGroup | None]:
    """Show which residues move together, or colour by the coupling to some of them.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        Residues to be connected or coloured, by default all; the chains that they belong to are predicted as one
        system.
    threshold : float
        Least absolute coupling of a pseudobond.
    min_separation : int
        Residues of one chain with fewer steps between them are not connected.
    max_bonds : int
        Most pseudobonds that are drawn in a structure, the strongest couplings first.
    from_ : chimerax.atomic.Residues, optional
        Instead of drawing pseudobonds, colour all residues by their coupling to the motion of these.
    palette : chimerax.core.colors.Colormap, optional
        Colours of couplings from -1 to 1.
    key : bool, optional
        Whether to show the colour key; by default where residues are coloured.
    map : bool, optional
        Whether to open the heat map, where there are windows; by default where there are pseudobonds.
    model, device : str, optional
        As in `dynaprot predict`.

    Returns
    -------
    list of chimerax.atomic.PseudobondGroup or None
        One for each structure; None where no pair is coupled so strongly, and where residues are coloured.
    """
    predicted = predictions(session, residues, model, device)
    for prediction in predicted:
        prediction.answer(session, all_couplings)
    scale = palette_over(session, palette or SIGNED, np.zeros(0), limits=(-1.0, 1.0))
    groups: list[PseudobondGroup | None]
    if from_ is None:
        groups = [
            draw_couplings(session, prediction, threshold, min_separation, max_bonds, scale) for prediction in predicted
        ]
    else:
        color_by_coupling(session, predicted, from_, scale)
        groups = [None] * len(predicted)
    if key or (key is None and from_ is not None):
        show_key(session, scale)
    if map or (map is None and from_ is None):
        announce(session, "coupling", predicted)
    return groups

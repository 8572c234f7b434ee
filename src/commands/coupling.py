"""`dynaprot coupling`: what moves together, as a heat map, as pseudobonds, and as colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import concatenate
from chimerax.core.errors import UserError

from ..dynaprot.analysis.couplings import MOST, all_couplings, coupling_to, strongest_pairs
from ..scene.attributes import color_by_attribute, set_attribute
from ..scene.colouring import SIGNED, palette_over, show_key
from ..scene.predictions import Prediction, predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, PseudobondGroup, Residues
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session

GROUP = "dynaprot couplings"
"""Name of the pseudobonds, a child model of their structure."""
THICKEST = 0.2
"""Å; radius of a pseudobond of coupling 1."""


@user_errors()
def dynaprot_coupling(
    session: Session,
    residues: Residues | None = None,
    *,
    threshold: float = 0.6,
    min_separation: int = 6,
    max_bonds: int = MOST,
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
        Those to be connected or coloured, by default all; the chains that they belong to are predicted as one system.
    threshold : float
        Least absolute coupling of a pseudobond.
    min_separation : int
        Residues of one chain with fewer steps between them are not connected.
    max_bonds : int
        No more pseudobonds are drawn in a structure, but those of the strongest couplings.
    from_ : chimerax.atomic.Residues, optional
        Instead of pseudobonds, colour all residues by their coupling to the motion of these.
    palette : chimerax.core.colors.Colormap, optional
        Over couplings from -1 to 1.
    key : bool, optional
        Whether to show the colour key; by default where residues are coloured.
    map : bool, optional
        Whether to open the heat map, where there are windows; by default where there are pseudobonds.
    model, device : str, optional
        As of `dynaprot predict`.

    Returns
    -------
    list of chimerax.atomic.PseudobondGroup or None
        One for each structure; None where no pair is coupled so strongly, and where residues are coloured.
    """
    predicted = predictions(session, residues, model, device)
    for prediction in predicted:
        prediction.once(session, all_couplings)
    scale = palette_over(session, palette or SIGNED, np.zeros(0), (-1.0, 1.0))
    if from_ is None:
        groups = [
            _connect(session, prediction, threshold, min_separation, max_bonds, scale) for prediction in predicted
        ]
    else:
        _color_by_coupling(session, predicted, from_, scale)
        groups = [None] * len(predicted)
    if key or (key is None and from_ is not None):
        show_key(session, scale)
    if session.ui.is_gui and (map or (map is None and from_ is None)):
        from ..window.plots import CouplingTool, show_plots

        show_plots(session, CouplingTool, predicted)
    return groups


def couplings_of(structure: AtomicStructure) -> PseudobondGroup | None:
    """The pseudobonds drawn in a structure, if any."""
    return structure.pseudobond_group(GROUP, create_type=None)


def _connect(
    session: Session, prediction: Prediction, threshold: float, min_separation: int, max_bonds: int, scale: Colormap
) -> PseudobondGroup | None:
    """Draw the strongest couplings between the specified residues, in place of those drawn before."""
    dynamics = prediction.dynamics
    i, j, value = strongest_pairs(dynamics.structure, dynamics.coupling, threshold, min_separation)
    drawn = prediction.specified[i] & prediction.specified[j]
    i, j, value = i[drawn], j[drawn], value[drawn]
    if (old := couplings_of(prediction.structure)) is not None:
        old.pseudobonds.delete()
    found = f"{len(value)} pairs of residues with a coupling of {threshold:g} or more"
    if not len(value):
        session.logger.info(f"{prediction.structure}: {found}; a lower threshold shows weaker ones")
        return None
    if len(value) > max_bonds:
        i, j, value = i[:max_bonds], j[:max_bonds], value[:max_bonds]
        found = f"{max_bonds} strongest of {found} are drawn; maxBonds sets how many"
    session.logger.info(f"{prediction.structure}: {found}")
    group = prediction.structure.pseudobond_group(GROUP)
    group.display = True
    group.dashes = 0
    calphas = prediction.residues.existing_principal_atoms
    bonds = group.new_pseudobonds(calphas[i], calphas[j])
    bonds.halfbonds = False
    bonds.colors = scale.interpolated_rgba8(value)
    bonds.radii = (THICKEST * np.abs(value)).astype(np.float32)
    return group


def _color_by_coupling(session: Session, predicted: list[Prediction], source: Residues, scale: Colormap) -> None:
    """Colour the specified residues by how they move with those of a set, which has some of each structure."""
    members = [np.flatnonzero(prediction.residues.mask(source)) for prediction in predicted]
    for prediction, own in zip(predicted, members, strict=True):
        if not len(own):
            raise UserError(
                f"{prediction.structure}: none of the residues given after 'from' is in the chains that were predicted."
            )
    for prediction, own in zip(predicted, members, strict=True):
        values = coupling_to(prediction.dynamics.coupling, own)
        set_attribute(session, prediction.residues, "dynaprot_coupling", values)
    shown = concatenate([prediction.residues.filter(prediction.specified) for prediction in predicted])
    color_by_attribute(session, shown, "dynaprot_coupling", scale)

"""Couplings in the scene: pseudobonds between residues that move together, and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import concatenate
from chimerax.core.errors import UserError

from ..dynaprot.analysis.couplings import coupling_to, strongest_pairs
from .painting import color_by_attribute, set_attribute

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, PseudobondGroup, Residues
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from ..dynaprot import Dynamics
    from .predictions import Prediction

GROUP = "dynaprot couplings"
"""Name of the pseudobonds, a child model of their structure."""
THICKEST = 0.2
"""Å; radius of a pseudobond of coupling 1."""


def all_couplings(dynamics: Dynamics) -> NDArray[np.floating]:
    """The coupling of all pairs of N residues, shape=(N, N): a question for `KeptDynamics.answer`."""
    return dynamics.coupling


def couplings_of(structure: AtomicStructure) -> PseudobondGroup | None:
    """The pseudobonds drawn in a structure, if any."""
    return structure.pseudobond_group(GROUP, create_type=None)


def draw_couplings(
    session: Session, prediction: Prediction, threshold: float, min_separation: int, max_bonds: int, scale: Colormap
) -> PseudobondGroup | None:
    """Draw the strongest couplings between the specified residues, in place of those drawn before.

    Parameters
    ----------
    session : chimerax.core.session.Session
    prediction : Prediction
    threshold, min_separation
        As in the core's `strongest_pairs`.
    max_bonds : int
        Most pseudobonds that are drawn.
    scale : chimerax.core.colors.Colormap
        Colours of couplings from -1 to 1.

    Returns
    -------
    chimerax.atomic.PseudobondGroup or None
        None where no pair is coupled so strongly.
    """
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
        found = f"the {max_bonds} strongest of {found} are drawn; maxBonds sets how many"
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


def color_by_coupling(session: Session, predicted: list[Prediction], source: Residues, scale: Colormap) -> None:
    """Colour the specified residues by how they move with a set of residues, of which each structure has some.

    Raises
    ------
    UserError
        If a structure has none of the set among its predicted residues.
    """
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

"""`dynaprot rmsf`: the size of each residue's motion as an attribute, as colours and as a plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import Residue, concatenate

from .colouring import MOBILITY, palette_over, show_key
from .predictions import predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import Residues
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from .dynaprot import Dynamics


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
        Those to be coloured, by default all; the chains that they belong to are predicted as one system, and all their
        residues get the attributes.
    palette, range, key
        Colours, the RMSF in Å that they span, by default what occurs, and whether to show the colour key.
    plot : bool
        Whether to open the plot, where there are windows.
    model, device : str, optional
        As of `dynaprot predict`.

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
        show_key(session, scale)
    if plot and session.ui.is_gui:
        from .plots import show_rmsf_plot

        for prediction in predicted:
            show_rmsf_plot(session, prediction)
    return [prediction.dynamics for prediction in predicted]


def set_attribute(session: Session, residues: Residues, name: str, values: NDArray[np.float64]) -> None:
    """Give each residue a number that selections, colouring and saved sessions know.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, length=N
    name : str
        The attribute.
    values : ndarray, shape=(N,), dtype=float
    """
    Residue.register_attr(session, name, "DynaProt", attr_type=float)
    for residue, value in zip(residues, values.tolist(), strict=True):  # the host has no other way
        setattr(residue, name, value)
    session.change_tracker.add_modified(residues, f"{name} changed")


def color_by_attribute(session: Session, residues: Residues, name: str, scale: Colormap) -> None:
    """Colour atoms, cartoon and surface by a residue attribute."""
    from chimerax.std_commands.color import color_by_attr

    color_by_attr(session, f"r:{name}", atoms=residues.atoms, palette=scale, undo_name="dynaprot", log_info=False)

"""`dynaprot ellipsoids`: each residue's motion as the surface that holds it with a probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chimerax.atomic import all_atomic_structures
from chimerax.core.errors import UserError

from ..dynaprot.analysis.ellipsoids import contour_radius
from ..dynaprot.defaults import PROBABILITY
from ..scene.ellipsoids import draw_ellipsoids, ellipsoid_colors, ellipsoids_of
from ..scene.predictions import predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import Residues
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session

    from ..scene.ellipsoids import Ellipsoids


@user_errors()
def dynaprot_ellipsoids(
    session: Session,
    residues: Residues | None = None,
    *,
    probability: float | None = None,
    scale: float | None = None,
    color_by: str = "rmsf",
    palette: Colormap | None = None,
    range: tuple[float, float] | str | None = None,
    key: bool = False,
    transparency: float | None = None,
    style: str = "ellipsoid",
    smoothing: int = 3,
    model: str | None = None,
    device: str | None = None,
) -> list[Ellipsoids]:
    """Draw the predicted motion of each residue as an ellipsoid around its C-alpha.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        Residues to be drawn, by default all; the chains that they belong to are predicted as one system.
    probability : float, optional
        Probability that the C-alpha is inside its ellipsoid, by default 0.5.
    scale : float, optional
        Instead of a probability, the semi-axes in standard deviations.
    color_by : str
        One of `COLOURINGS` in `scene.ellipsoids`; "none" takes the colour of the C-alpha atom.
    palette, range, key
        Colours for RMSF (Å) and anisotropy, the values that they span, and whether to show the colour key. By default
        RMSF is coloured from its 2nd to its 98th percentile, and anisotropy from 0 to 1.
    transparency : float, optional
        Per cent; by default 0, and 60 where axes are to be seen inside.
    style : str
        One of `STYLES` in `scene.ellipsoids`.
    smoothing : int
        0 to 5; each step makes four triangles of one.
    model, device : str, optional
        As in `dynaprot predict`.

    Returns
    -------
    list of Ellipsoids
        One for each structure, in place of its former one.
    """
    if probability is not None and scale is not None:
        raise UserError("Give either the probability or the scale of ellipsoids: one follows from the other.")
    radius = contour_radius(PROBABILITY if probability is None else probability) if scale is None else scale
    if transparency is None:
        transparency = 60.0 if style == "both" else 0.0
    predicted = predictions(session, residues, model, device)
    colors = ellipsoid_colors(session, predicted, color_by, palette, range, key)
    drawn = []
    for prediction, color in zip(predicted, colors, strict=True):
        color[:, 3] = round(255 * (100.0 - transparency) / 100.0)
        drawn.append(draw_ellipsoids(session, prediction, radius, style, smoothing, color))
    return drawn


def dynaprot_ellipsoids_remove(session: Session, residues: Residues | None = None) -> None:
    """Remove the ellipsoids of some residues, by default all; a structure left without any closes its model."""
    structures = all_atomic_structures(session) if residues is None else residues.unique_structures
    for structure in structures:
        surface = ellipsoids_of(structure)
        if surface is not None:
            gone = surface.residues.mask(structure.residues if residues is None else residues)
            surface.keep(~gone)

"""Ellipsoids in the scene: one surface for each structure, and its colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from chimerax.atomic.colors import chain_colors, element_colors
from chimerax.core.errors import UserError

from ..dynaprot.analysis.ellipsoids import Mesh, axis_surface, contour_radius, drawable, ellipsoid_surface
from ..dynaprot.defaults import MOST_MOBILE, PROBABILITY
from ..dynaprot.structure.selection import selection_text
from .palettes import MOBILITY, palette_over, show_key
from .residue_surface import ResidueSurface

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from .predictions import Prediction

COLOURINGS = ("rmsf", "anisotropy", "chain", "element", "none")
STYLES = ("ellipsoid", "axes", "both")


class Ellipsoids(ResidueSurface):
    """The ellipsoids of residues as one surface, a child of their structure.

    Attributes
    ----------
    radius : float
        Semi-axes in standard deviations.
    style : str
        One of `STYLES`.
    smoothing : int
        How often the triangles of an icosahedron are divided.
    """

    def __init__(self, name: str, session: Session) -> None:
        super().__init__(name, session)
        self.radius = contour_radius(PROBABILITY)
        self.style = "ellipsoid"
        self.smoothing = 3

    def _options(self) -> dict[str, Any]:
        return {"radius": self.radius, "style": self.style, "smoothing": self.smoothing}

    def _mesh(self, centres: NDArray[np.floating], motion: NDArray[np.floating]) -> Mesh:
        if self.style == "axes":
            return axis_surface(centres, motion, self.radius)
        mesh = ellipsoid_surface(centres, motion, self.radius, self.smoothing)
        if self.style == "both":
            rods = axis_surface(centres, motion, self.radius)
            rods = rods._replace(triangles=rods.triangles + len(mesh.vertices))
            mesh = Mesh(*(np.concatenate(parts) for parts in zip(mesh, rods, strict=True)))
        return mesh

    def _paint(self, colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
        painted = super()._paint(colors)
        if self.style == "both":  # the axes are opaque and darker, so that they are seen inside
            own = len(self._pointers)
            rods = slice(own * (10 * 4**self.smoothing + 2), None)  # after the ellipsoids, of so many vertices each
            painted[rods, :3] //= 2
            painted[rods, 3] = 255
        return painted


def ellipsoids_of(structure: AtomicStructure) -> Ellipsoids | None:
    """The ellipsoids drawn for a structure, if any."""
    return next((model for model in structure.child_models() if isinstance(model, Ellipsoids)), None)


def draw_ellipsoids(
    session: Session, prediction: Prediction, radius: float, style: str, smoothing: int, colors: NDArray[np.uint8]
) -> Ellipsoids:
    """Draw the specified residues of a prediction, in place of what was drawn before, and show the model.

    Residues that are too mobile for an ellipsoid are named in a warning.

    Parameters
    ----------
    session : chimerax.core.session.Session
    prediction : Prediction
        M residues are specified, and not too mobile for an ellipsoid.
    radius, style, smoothing
        As in `Ellipsoids`.
    colors : ndarray, shape=(M, 4), dtype=uint8

    Raises
    ------
    UserError
        If all specified residues are too mobile.
    """
    shown = _drawn(prediction)
    surface = ellipsoids_of(prediction.structure)
    if surface is None:
        surface = Ellipsoids("ellipsoids", session)
        session.models.add([surface], parent=prediction.structure)
    surface.display = True
    surface.radius, surface.style, surface.smoothing = radius, style, smoothing
    surface.set_motion(prediction.residues.filter(shown), prediction.dynamics.marginals[shown], colors)
    beyond = prediction.specified & ~shown
    if beyond.any():
        named = selection_text(prediction.dynamics.structure, beyond)
        session.logger.warning(
            f"{prediction.structure}: no ellipsoid of {named}, whose RMSF is beyond {MOST_MOBILE:g} Å: "
            "it would hide the rest."
        )
    return surface


def _drawn(prediction: Prediction) -> NDArray[np.bool_]:
    """Residues that are specified and get an ellipsoid, shape=(N,); at least one."""
    drawn = prediction.specified & drawable(prediction.dynamics.rmsf)
    if not drawn.any():
        raise UserError(f"{prediction.structure}: the RMSF of all these residues is beyond {MOST_MOBILE:g} Å.")
    return drawn


def ellipsoid_colors(
    session: Session,
    predicted: list[Prediction],
    color_by: str,
    palette: Colormap | None,
    limits: tuple[float, float] | str | None,
    key: bool,
) -> list[NDArray[np.uint8]]:
    """Choose a colour for each residue to be drawn, on one scale for all structures.

    Parameters
    ----------
    session : chimerax.core.session.Session
    predicted : list of Prediction
    color_by : str
        One of `COLOURINGS`.
    palette, limits
        As in `palette_over`.
    key : bool
        Whether to show the colour key.

    Returns
    -------
    list of ndarray, shape=(M, 4), dtype=uint8
        For each structure the colours of its M residues that are drawn.

    Raises
    ------
    UserError
        If a palette, its limits or the key are given where values are not what is coloured by.
    """
    if color_by in ("rmsf", "anisotropy"):
        values = [getattr(each.dynamics, color_by)[_drawn(each)] for each in predicted]
        ends = (0.0, 1.0) if color_by == "anisotropy" else None
        scale = palette_over(session, palette or MOBILITY, np.concatenate(values), limits, ends)
        if key:
            show_key(session, scale, " Å" if color_by == "rmsf" else "")
        return [scale.interpolated_rgba8(value) for value in values]
    if key or palette is not None or limits is not None:
        raise UserError("palette, range and key need colorBy rmsf or anisotropy.")
    shown = [each.residues.filter(_drawn(each)) for each in predicted]
    if color_by == "chain":
        return [chain_colors(residues.chain_ids) for residues in shown]
    calphas = [residues.existing_principal_atoms for residues in shown]
    if color_by == "element":
        return [element_colors(atoms.element_numbers) for atoms in calphas]
    return [atoms.colors for atoms in calphas]

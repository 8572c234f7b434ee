"""`dynaprot ellipsoids`: each residue's motion as the surface that holds it with a probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import all_atomic_structures
from chimerax.atomic.colors import chain_colors, element_colors
from chimerax.core.errors import UserError

from ..dynaprot.analysis.ellipsoids import Mesh, axis_surface, contour_radius, ellipsoid_surface
from ..scene.colouring import MOBILITY, palette_over, show_key
from ..scene.predictions import Prediction, predictions, user_errors
from ..scene.residue_surface import ResidueSurface

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session
    from numpy.typing import NDArray

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
        self.radius = contour_radius(0.5)
        self.style = "ellipsoid"
        self.smoothing = 3

    def _options(self) -> dict:
        return {"radius": self.radius, "style": self.style, "smoothing": self.smoothing}

    def _mesh(self, centres: NDArray[np.float64], motion: NDArray[np.float64]) -> Mesh:
        if self.style == "axes":
            return axis_surface(centres, motion, self.radius)
        mesh = ellipsoid_surface(centres, motion, self.radius, self.smoothing)
        if self.style == "both":
            rods = axis_surface(centres, motion, self.radius)
            rods = rods._replace(triangles=rods.triangles + len(mesh.vertices))
            mesh = Mesh(*map(np.concatenate, zip(mesh, rods, strict=True)))
        return mesh

    def _paint(self, colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
        painted = super()._paint(colors)
        if self.style == "both":  # the axes are opaque and darker, so that they are seen inside
            own = len(self._pointers)
            rods = slice(own * (10 * 4**self.smoothing + 2), None)  # after the ellipsoids, of so many vertices each
            painted[rods, :3] //= 2
            painted[rods, 3] = 255
        return painted


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
        Those to be drawn, by default all; the chains that they belong to are predicted as one system.
    probability : float, optional
        Of the C-alpha to be inside its ellipsoid, by default 0.5.
    scale : float, optional
        Instead of a probability, the semi-axes in standard deviations.
    color_by : str
        One of `COLOURINGS`; "none" takes the colour of the C-alpha atom.
    palette, range, key
        Colours for RMSF (Å) and anisotropy, the values that they span, by default those that occur, and whether
        to show the colour key.
    transparency : float, optional
        Per cent; by default 0, and 60 where axes are to be seen inside.
    style : str
        One of `STYLES`.
    smoothing : int
        0 to 5; each step makes four triangles of one.
    model, device : str, optional
        As of `dynaprot predict`.

    Returns
    -------
    list of Ellipsoids
        One for each structure, in place of its former one.
    """
    if probability is not None and scale is not None:
        raise UserError("Give either the probability or the scale of ellipsoids: one follows from the other.")
    radius = contour_radius(0.5 if probability is None else probability) if scale is None else scale
    if transparency is None:
        transparency = 60.0 if style == "both" else 0.0
    opacity = round(255 * (100.0 - transparency) / 100.0)
    predicted = predictions(session, residues, model, device)
    colors = _colors(session, predicted, color_by, palette, range, key)
    drawn = []
    for prediction, color in zip(predicted, colors, strict=True):
        color[:, 3] = opacity
        surface = ellipsoids_of(prediction.structure)
        if surface is None:
            surface = Ellipsoids("ellipsoids", session)
            session.models.add([surface], parent=prediction.structure)
        surface.display = True
        surface.radius, surface.style, surface.smoothing = radius, style, smoothing
        shown = prediction.specified
        surface.set_motion(prediction.residues.filter(shown), prediction.dynamics.marginals[shown], color)
        drawn.append(surface)
    return drawn


def dynaprot_ellipsoids_remove(session: Session, residues: Residues | None = None) -> None:
    """Remove the ellipsoids of some residues, by default all; a structure left without closes its model."""
    structures = all_atomic_structures(session) if residues is None else residues.unique_structures
    for structure in structures:
        surface = ellipsoids_of(structure)
        if surface is not None:
            gone = surface.residues.mask(structure.residues if residues is None else residues)
            surface.keep(~gone)


def ellipsoids_of(structure: AtomicStructure) -> Ellipsoids | None:
    """The ellipsoids drawn for a structure, if any."""
    return next((model for model in structure.child_models() if isinstance(model, Ellipsoids)), None)


def _colors(
    session: Session,
    predicted: list[Prediction],
    color_by: str,
    palette: Colormap | None,
    limits: tuple[float, float] | str | None,
    key: bool,
) -> list[NDArray[np.uint8]]:
    """Colour of each residue to be drawn, (M, 4) for each structure; one scale for all."""
    if color_by in ("rmsf", "anisotropy"):
        values = [getattr(prediction.dynamics, color_by)[prediction.specified] for prediction in predicted]
        scale = palette_over(session, palette or MOBILITY, np.concatenate(values), limits)
        if key:
            show_key(session, scale, " Å" if color_by == "rmsf" else "")
        return [scale.interpolated_rgba8(value) for value in values]
    if key or palette is not None or limits is not None:
        raise UserError("palette, range and key need colorBy rmsf or anisotropy.")
    shown = [prediction.residues.filter(prediction.specified) for prediction in predicted]
    if color_by == "chain":
        return [chain_colors(residues.chain_ids) for residues in shown]
    calphas = [residues.existing_principal_atoms for residues in shown]
    if color_by == "element":
        return [element_colors(atoms.element_numbers) for atoms in calphas]
    return [atoms.colors for atoms in calphas]

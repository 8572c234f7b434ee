"""`dynaprot modes`: a collective motion as an animation, with arrows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.core.commands import run
from chimerax.surface import cone_geometry, cylinder_geometry

from ..dynaprot.analysis.ellipsoids import Mesh
from ..dynaprot.analysis.modes import mode_displacement, traverse_mode
from ..scene.conformations import open_conformations
from ..scene.predictions import predictions, user_errors
from ..scene.residue_surface import ResidueSurface

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.colors import Color
    from chimerax.core.session import Session
    from numpy.typing import NDArray

SHAFT, HEAD, HEAD_LENGTH = 0.22, 0.55, 1.4
"""Å; radii of an arrow's shaft and head, and the length of its head; a short arrow is all head, and smaller."""
SHORTEST = 0.15
"""Share of the longest displacement below which a residue has no arrow."""
LONGEST = 10.0
"""Å; length of the longest arrow where no scale is given, so that arrows are seen beside a cartoon."""
ORANGE = (230, 97, 1, 255)


class Arrows(ResidueSurface):
    """Arrows from C-alphas along displacements, as one surface."""

    def _mesh(self, centres: NDArray[np.float64], motion: NDArray[np.float64]) -> Mesh:
        length = np.maximum(np.linalg.norm(motion, axis=1), 1e-3)
        along = motion / length[:, None]
        aside = np.eye(3)[np.argmin(np.abs(along), axis=1)]
        across = np.cross(along, aside)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        frame = np.stack([across, np.cross(along, across), along], axis=1)  # rows, right-handed

        head = np.minimum(HEAD_LENGTH, length)
        size = head / HEAD_LENGTH
        parts = []
        for (vertices, normals, triangles), stretch, start in (
            (cylinder_geometry(SHAFT, 1.0, 2, 16, caps=True), (size, size, length - head), (length - head) / 2),
            (cone_geometry(HEAD, HEAD_LENGTH, 24, caps=True), (size, size, size), length - head / 2),
        ):
            placed = vertices * np.stack(stretch, axis=1)[:, None]
            placed[:, :, 2] += start[:, None]
            copies = np.arange(len(length), dtype=np.int32)
            parts.append(
                Mesh(
                    (placed @ frame + centres[:, None]).reshape(-1, 3).astype(np.float32),
                    (normals @ frame).reshape(-1, 3).astype(np.float32),
                    (triangles + len(vertices) * copies[:, None, None]).reshape(-1, 3).astype(np.int32),
                    np.repeat(copies, len(vertices)),
                )
            )
        shaft, tip = parts
        tip = tip._replace(triangles=tip.triangles + np.int32(len(shaft.vertices)))
        return Mesh(*map(np.concatenate, zip(shaft, tip, strict=True)))


@user_errors()
def dynaprot_modes(
    session: Session,
    residues: Residues | None = None,
    *,
    mode: int = 1,
    amplitude: float = 2.0,
    arrows: bool = True,
    arrow_scale: float | None = None,
    color: Color | None = None,
    frames: int = 40,
    play: bool = True,
    model: str | None = None,
    device: str | None = None,
) -> list[AtomicStructure]:
    """Open one period of a collective motion as coordinate sets of a new model.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        Those with arrows, by default all; the chains that they belong to move as one system.
    mode : int
        1 for the motion of largest variance.
    amplitude : float
        Standard deviations from the structure to the turning point.
    arrows : bool
        Whether to draw them; residues that move little have none.
    arrow_scale : float, optional
        Length of arrows in standard deviations; by default such that the longest has 10 Å.
    color : chimerax.core.colors.Color, optional
        Of the arrows.
    frames : int
        Coordinate sets of the period.
    play : bool
        Whether to play the motion, where there are windows.
    model, device : str, optional
        As of `dynaprot predict`.

    Returns
    -------
    list of chimerax.atomic.AtomicStructure
        One new model for each structure, which is hidden.
    """
    predicted = predictions(session, residues, model, device)
    displacements = [prediction.once(session, mode_displacement, mode) for prediction in predicted]
    opened = []
    for prediction, displacement in zip(predicted, displacements, strict=True):
        samples = traverse_mode(prediction.dynamics.structure, displacement, amplitude, frames)
        copy = open_conformations(session, prediction, samples, f"mode {mode}")
        length = np.linalg.norm(displacement, axis=1)
        scale = arrow_scale or LONGEST / length.max()
        session.logger.info(
            f"{copy}: motion {mode} of {prediction.structure}; one standard deviation is up to {length.max():.2f} Å"
            + (f", arrows show {scale:.3g} standard deviations" if arrows else "")
        )
        if arrows:
            drawn = prediction.specified & (length >= SHORTEST * length.max())
            surface = Arrows("arrows", session)
            session.models.add([surface], parent=copy)
            own = prediction.structure.residues.indices(prediction.residues)
            rgba = np.array(ORANGE if color is None else color.uint8x4(), np.uint8)
            surface.set_motion(copy.residues[own[drawn]], scale * displacement[drawn], np.tile(rgba, (drawn.sum(), 1)))
        if play and session.ui.is_gui:
            run(session, f"coordset {copy.atomspec} 1,{frames} pauseFrames 2 loop 20")
        opened.append(copy)
    return opened

"""Arrows in the scene: how far and where a normal mode carries each residue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.surface import cone_geometry, cylinder_geometry

from ..dynaprot.analysis.ellipsoids import Mesh
from ..dynaprot.defaults import SHORTEST_ARROW
from .residue_surface import ResidueSurface

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure
    from chimerax.core.colors import Color
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from .predictions import Prediction

SHAFT, HEAD, HEAD_LENGTH = 0.22, 0.55, 1.4
"""Å; radii of an arrow's shaft and head, and the length of its head; a short arrow is all head, and smaller."""
ORANGE = (230, 97, 1, 255)


class Arrows(ResidueSurface):
    """Arrows from C-alphas along displacements, as one surface."""

    def _mesh(self, centres: NDArray[np.floating], motion: NDArray[np.floating]) -> Mesh:
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
        return Mesh(*(np.concatenate(parts) for parts in zip(shaft, tip, strict=True)))


def draw_arrows(
    session: Session,
    prediction: Prediction,
    model: AtomicStructure,
    displacement: NDArray[np.floating],
    scale: float,
    color: Color | None,
) -> Arrows:
    """Draw arrows at the specified residues of a prediction, except those that hardly move.

    Parameters
    ----------
    session : chimerax.core.session.Session
    prediction : Prediction
        N residues.
    model : chimerax.atomic.AtomicStructure
        Parent of the arrows: a copy of the structure that was predicted.
    displacement : ndarray, shape=(N, 3)
        Å, of one standard deviation.
    scale : float
        Length of the arrows in standard deviations.
    color : chimerax.core.colors.Color or None
        By default orange.
    """
    length = np.linalg.norm(displacement, axis=1)
    drawn = prediction.specified & (length >= SHORTEST_ARROW * length.max())
    surface = Arrows("arrows", session)
    session.models.add([surface], parent=model)
    own = prediction.structure.residues.indices(prediction.residues)
    rgba = np.array(ORANGE if color is None else color.uint8x4(), np.uint8)
    surface.set_motion(model.residues[own[drawn]], scale * displacement[drawn], np.tile(rgba, (drawn.sum(), 1)))
    return surface

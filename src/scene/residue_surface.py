"""A surface whose parts each belong to a residue: what ellipsoids and arrows share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from chimerax.atomic import Residues, check_for_changes
from chimerax.atomic.structure import PickedResidue, PickedResidues
from chimerax.core.models import Surface
from chimerax.graphics import Drawing, PickedTriangle, PickedTriangles

from .backbone import backbone_frames, backbone_positions

if TYPE_CHECKING:
    from collections.abc import Callable

    from chimerax.atomic import AtomicStructure
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from ..dynaprot.analysis.ellipsoids import Mesh

MOVED = {"coord changed", "active_coordset changed", "alt_loc changed"}


class ResidueSurface(Surface):
    """A child of a structure that is picked and selected residue by residue and moves with it.

    When atoms move, as between coordinate sets, each residue's part moves with its backbone frame. It still shows what
    was predicted for the coordinates at the time of drawing.

    Parameters
    ----------
    name : str
    session : chimerax.core.session.Session
    """

    def __init__(self, name: str, session: Session) -> None:
        super().__init__(name, session)
        self._set_residues(Residues())
        self._handler: Any = None

    @property
    def structure(self) -> AtomicStructure:
        """The parent of the surface."""
        return self.residues[0].structure

    def set_motion(self, residues: Residues, motion: NDArray[np.floating], colors: NDArray[np.uint8]) -> None:
        """Draw, in place of what was drawn before.

        Parameters
        ----------
        residues : chimerax.atomic.Residues, length=M
            Residues of one structure, each with N, CA and C.
        motion : ndarray, shape=(M, 3, 3) or (M, 3)
            Covariances or vectors, in the structure's own frame.
        colors : ndarray, shape=(M, 4), dtype=uint8
        """
        self._set_residues(residues)
        self._local = self._turned(motion, np.swapaxes(backbone_frames(backbone_positions(residues)), 1, 2))
        self._draw(colors)
        if self._handler is None:
            check_for_changes(self.session)  # or a structure that has just been opened would report no change
            self._handler = self.structure.triggers.add_handler("changes", self._structure_changed)

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Draw only some of the residues from now on; without any left the model closes."""
        if not mask.any():
            self.delete()
            return
        colors = self.residue_colors[mask]
        self._local = self._local[mask]
        self._set_residues(Residues(self._pointers[mask]))
        self._draw(colors)

    @property
    def residue_colors(self) -> NDArray[np.uint8]:
        """Colour of each residue's part, shape=(M, 4), whatever command gave it."""
        if self.vertex_colors is None:
            return np.tile(np.asarray(self.color, np.uint8), (len(self._pointers), 1))
        first = np.empty(len(self._pointers), np.int64)
        first[self._residue_of_vertex[::-1]] = np.arange(len(self._residue_of_vertex))[::-1]
        return self.vertex_colors[first]

    @residue_colors.setter
    def residue_colors(self, colors: NDArray[np.uint8]) -> None:
        self.vertex_colors = self._paint(colors)

    def _paint(self, colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Colour of each vertex."""
        return colors[self._residue_of_vertex]

    def _mesh(self, centres: NDArray[np.floating], motion: NDArray[np.floating]) -> Mesh:
        """The surface of residues whose C-alphas are at `centres`, (M, 3)."""
        raise NotImplementedError

    def _set_residues(self, residues: Residues) -> None:
        self.residues = residues
        self._pointers = residues.pointers.copy()  # by which deleted residues are known

    def _draw(self, colors: NDArray[np.uint8]) -> None:
        positions = backbone_positions(self.residues)
        mesh = self._mesh(positions[1], self._turned(self._local, backbone_frames(positions)))
        self._residue_of_vertex = mesh.residue
        self.set_geometry(mesh.vertices, mesh.normals, mesh.triangles)
        self.residue_colors = colors
        self.update_selection()

    @staticmethod
    def _turned(motion: NDArray[np.floating], rotations: NDArray[np.floating]) -> NDArray[np.floating]:
        if motion.ndim == 2:
            return np.einsum("nij,nj->ni", rotations, motion)
        return rotations @ motion @ np.swapaxes(rotations, 1, 2)

    def _structure_changed(self, _: str, change: tuple[AtomicStructure, Any]) -> None:
        _, changes = change
        if self.deleted:
            return
        if changes.num_deleted_atoms():
            there = np.isin(self._pointers, self.residues.pointers)
            there[there] = np.isfinite(backbone_positions(self.residues)).all(axis=(0, 2))
            if not there.all():
                self.keep(there)
                return
        if not MOVED.isdisjoint({*changes.atom_reasons(), *changes.structure_reasons()}):
            self._draw(self.residue_colors)

    def delete(self) -> None:
        if self._handler is not None:
            self._handler.remove()
            self._handler = None
        super().delete()

    # Picking and selection, as the host's molecular surfaces do it.

    def first_intercept(
        self, mxyz1: NDArray[np.floating], mxyz2: NDArray[np.floating], exclude: Callable[..., bool] | None = None
    ) -> Any:
        pick = Drawing.first_intercept(self, mxyz1, mxyz2, exclude)
        if not isinstance(pick, PickedTriangle) or pick.drawing() is not self:
            return pick
        residue = self._residue_of_triangle[pick.triangle_number]
        picked = PickedResidue(self.residues[int(residue)], pick.distance)
        picked.triangle_pick = pick
        return picked

    def planes_pick(self, planes: NDArray[np.floating], exclude: Callable[..., bool] | None = None) -> list[Any]:
        return [
            PickedResidues(self.residues[np.unique(self._residue_of_triangle[pick._triangles_mask])])
            if isinstance(pick, PickedTriangles) and pick.drawing() is self
            else pick
            for pick in super().planes_pick(planes, exclude)
        ]

    @property
    def _residue_of_triangle(self) -> NDArray[np.int32]:
        return self._residue_of_vertex[self.triangles[:, 0]]

    def set_selected(self, selected: bool, *, fire_trigger: bool = True) -> None:
        self.residues.atoms.selected = selected
        self.update_selection(fire_trigger=fire_trigger)

    selected = property(Surface.selected.fget, set_selected)

    def update_selection(self, *, fire_trigger: bool = True) -> None:
        """Highlight the selected residues; called by the structure when its selection changes."""
        if len(self.residues) < len(self._pointers):
            return  # some were deleted just now, and the surface is to be drawn anew
        selected = self.residues.selected
        Surface.set_selected(self, bool(selected.any()), fire_trigger=fire_trigger)
        self.highlighted_triangles_mask = selected[self._residue_of_triangle] if selected.any() else None

    # Sessions keep the motion, from which the surface is drawn again.

    def _options(self) -> dict[str, Any]:
        """What `_mesh` needs beside the motion: the values of attributes by name."""
        return {}

    def take_snapshot(self, session: Session, flags: int) -> dict[str, Any]:
        return {
            "version": 1,
            "model state": Surface.take_snapshot(self, session, flags),
            "residues": self.residues,
            "local": self._local,
            "colors": self.residue_colors,
            "options": self._options(),
        }

    @classmethod
    def restore_snapshot(cls, session: Session, data: dict[str, Any]) -> ResidueSurface:
        surface = cls(data["model state"]["name"], session)
        Surface.set_state_from_snapshot(surface, session, data["model state"])
        for option, value in data["options"].items():
            setattr(surface, option, value)
        surface._set_residues(data["residues"])
        surface._local = data["local"]
        surface._draw(data["colors"])
        surface._handler = surface.structure.triggers.add_handler("changes", surface._structure_changed)
        return surface

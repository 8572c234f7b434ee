"""Ellipsoids of motion, drawn by PyMOL as the thermal ellipsoids of C-alpha atoms."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from chempy.models import Indexed
from pymol import CmdException

from .core import load_core
from .proteins import Protein

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

__all__ = ["colour_by_rmsf", "draw_ellipsoids", "is_ellipsoids", "require_free_names"]

TITLE = "DynaProt ellipsoids"
LEGEND = "dynaprot_rmsf"
PALETTE = ["blue", "white", "red"]

# An entry of PyMOL's table of radii, in standard deviations. The table has steps of 2 %; from this entry
# `ellipsoid_scale` makes every probability.
TABULATED_PROBABILITY, TABULATED_RADIUS = 0.5, 1.5382


def _name(protein_name: str) -> str:
    return f"{protein_name}_ellipsoids"


def is_ellipsoids(name: str, *, _self: Cmd) -> bool:
    """Whether an object was drawn by `draw_ellipsoids`, in this session or before it was saved."""
    return _self.get_type(name) == "object:molecule" and (_self.get_title(name, 1) or "").startswith(TITLE)


def require_free_names(protein_name: str, *, _self: Cmd) -> None:
    """Refuse to draw over objects and selections of the user's."""
    taken = _self.get_names("all")
    for name, is_ours in (
        (_name(protein_name), lambda name: is_ellipsoids(name, _self=_self)),
        (LEGEND, lambda name: _self.get_type(name) == "object:ramp"),
    ):
        if name in taken and not is_ours(name):
            raise CmdException(f"'{name}' is there and not DynaProt's: rename or delete it first.")


def draw_ellipsoids(protein: Protein, dynamics: Dynamics, probability: float, *, _self: Cmd) -> None:
    """Draw the motion of a protein's selected residues, in place of what was drawn before.

    The new object ``<protein>_ellipsoids`` holds the C-alpha atoms, with the covariance as their anisotropic
    U and the RMSF as their B factor.

    Parameters
    ----------
    protein : Protein
        N residues.
    dynamics : Dynamics
        Their motion, in the frame of the protein's coordinates.
    probability : float
        Of a residue to be within its ellipsoid.
    """
    ellipsoids = _name(protein.name)
    _self.delete(ellipsoids)  # PyMOL ignores U when it loads into an existing object

    # PyMOL keeps as a matrix what has moved the protein since it was loaded. The ellipsoids are built where
    # it was loaded and then moved the same way, so that a copy of its matrix makes them follow it later.
    moved = np.reshape(_self.get_object_matrix(protein.name, incl_ttt=0), (4, 4))
    rotation, translation = moved[:3, :3], moved[:3, 3]
    shown = np.flatnonzero(protein.is_selected)
    positions = (protein.structure.ca[shown] - translation) @ rotation
    covariances = rotation.T @ dynamics.marginals[shown] @ rotation

    model = Indexed()
    for k, residue in enumerate(shown):
        atom = copy(protein.calphas[residue])
        atom.coord = positions[k].tolist()
        atom.u_aniso = covariances[k][[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]].tolist()
        atom.b = float(dynamics.rmsf[residue])
        model.atom.append(atom)
    _self.load_model(model, ellipsoids, zoom=0)
    _self.transform_object(ellipsoids, moved.ravel().tolist())
    if dragged := _self.get_object_ttt(protein.name):  # by mouse or movie: moves the picture, not the atoms
        _self.set_object_ttt(ellipsoids, dragged)
    _self.set_title(ellipsoids, 1, f"{TITLE}, probability {probability:g}, model {dynamics.model}")

    radius = load_core(".views.ellipsoids").contour_radius(probability)
    _self.set("ellipsoid_probability", TABULATED_PROBABILITY, ellipsoids)
    _self.set("ellipsoid_scale", radius / TABULATED_RADIUS, ellipsoids)
    _self.show_as("ellipsoids", ellipsoids)


def colour_by_rmsf(*, _self: Cmd) -> None:
    """Colour all ellipsoids of the session by RMSF, on one scale with one legend: equal colour is equal motion."""
    names = [name for name in _self.get_object_list() if is_ellipsoids(name, _self=_self)]
    everywhere = " or ".join(f"model {name}" for name in names)
    rmsf: list[float] = []
    _self.iterate(everywhere, "rmsf.append(b)", space={"rmsf": rmsf})
    lowest, highest = min(rmsf), max(rmsf)
    _self.spectrum("b", " ".join(PALETTE), everywhere, lowest, highest)
    _self.delete(LEGEND)
    _self.ramp_new(LEGEND, "none", [lowest, (lowest + highest) / 2, highest], PALETTE)
    print(f" DynaProt: {', '.join(names)}: RMSF {lowest:.2f} Å (blue) to {highest:.2f} Å (red).")

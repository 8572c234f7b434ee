"""Ellipsoids of motion, drawn by PyMOL as the thermal ellipsoids of C-alpha atoms."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from chempy.models import Indexed
from pymol import CmdException, util
from pymol.colorprinting import warning

from ..core import load_core
from .linked_objects import as_loaded, entitle, lay_on, rotation_of
from .proteins import Protein

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

__all__ = ["draw_ellipsoids", "resize"]

# An entry of PyMOL's table of radii, in standard deviations. The table has steps of 2 %; from this entry
# `ellipsoid_scale` makes every probability.
TABULATED_PROBABILITY, TABULATED_RADIUS = 0.5, 1.5382


def draw_ellipsoids(
    protein: Protein, dynamics: Dynamics, name: str, probability: float, color_by: str, *, _self: Cmd
) -> None:
    """Draw the motion of a protein's selected residues; ellipsoids drawn before are replaced.

    Residues that are too mobile for an ellipsoid are named in a warning.

    The new object holds the C-alpha atoms, with the covariance as their anisotropic U, the RMSF as their B factor and
    the anisotropy as their occupancy.

    Parameters
    ----------
    protein : Protein
        N residues.
    dynamics : Dynamics
        Their motion, in the frame of the protein's coordinates.
    name : str
        Name of the new object.
    probability : float
        Share of the time that a C-alpha is inside its ellipsoid.
    color_by : str
        ``"chain"`` or ``"parent"``; else a quantity, which `scales.draw_scale` then colours.
    """
    analysis, most = load_core(".analysis.ellipsoids"), load_core(".defaults").MOST_MOBILE
    is_drawn = protein.is_selected & analysis.drawable(dynamics.rmsf)
    if not is_drawn.any():
        raise CmdException(f"{protein.name}: the RMSF of all these residues is beyond {most:g} Å.")
    if (beyond := protein.is_selected & ~is_drawn).any():
        named = load_core(".structure.selection").selection_text(protein.structure, beyond)
        warning(
            f" DynaProt: {protein.name}: no ellipsoid of {named}, whose RMSF is beyond {most:g} Å: "
            "it would hide the rest."
        )
    _self.delete(name)  # PyMOL ignores U when it loads into an existing object
    shown = np.flatnonzero(is_drawn)
    positions = as_loaded(protein.structure.ca[shown], protein.name, protein.state, _self=_self)
    rotation = rotation_of(protein.name, protein.state, _self=_self)
    u_aniso = analysis.displacement_parameters(rotation.T @ dynamics.marginals[shown] @ rotation).tolist()

    model = Indexed()
    for k, residue in enumerate(shown):
        atom = copy(protein.calphas[residue])
        atom.coord = positions[k].tolist()
        atom.u_aniso = u_aniso[k]
        atom.b, atom.q = float(dynamics.rmsf[residue]), float(dynamics.anisotropy[residue])
        model.atom.append(atom)
    _self.load_model(model, name, zoom=0)
    lay_on(name, protein.name, protein.state, _self=_self)
    remark = f"coloured by {color_by}, probability {probability:g}, {dynamics.model}"
    entitle(name, "ellipsoids", protein.name, protein.state, remark, _self=_self)
    if color_by == "chain":
        util.cbc(f"model {name}", _self=_self)
    elif color_by == "parent":
        own: dict = {}
        _self.iterate(f"model {protein.name} and name CA", "own[segi, chain, resi] = color", space={"own": own})
        _self.alter(f"model {name}", "color = own[segi, chain, resi]", space={"own": own})
    resize(name, probability, _self=_self)
    _self.show_as("ellipsoids", name)


def resize(name: str, probability: float, *, _self: Cmd) -> None:
    """Scale drawn ellipsoids to another probability, without drawing them again."""
    radius = load_core(".analysis.ellipsoids").contour_radius(probability)
    _self.set("ellipsoid_probability", TABULATED_PROBABILITY, name)
    _self.set("ellipsoid_scale", radius / TABULATED_RADIUS, name)

"""A normal mode (collective motion): a structure that moves to and fro along it, and arrows in its direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pymol import cgo

from ..core import load_core
from .ensembles import Conformations, conformations_at, draw_states
from .linked_objects import ARROWS, as_loaded, lay_on
from .predictions import answer
from .proteins import Protein

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

__all__ = ["draw_mode", "motion_along"]

SHAFT, HEAD, HEAD_LENGTH = 0.25, 0.6, 1.5
"""Å; radii of an arrow's shaft and head, and the length of its head."""
SHORT = 4.0
"""Å; shorter arrows are drawn smaller as a whole, or many small heads would hide the protein."""
COLOUR = [0.93, 0.60, 0.27]


def motion_along(dynamics: Dynamics, mode: int, amplitude: float) -> tuple[np.ndarray, Conformations]:
    """Work out the motion along a mode: a question for `predictions.answer`, as it takes long.

    Returns
    -------
    displacement : ndarray, shape=(N, 3)
        One standard deviation of the mode, Å.
    frames : Conformations
        One period.
    """
    analysis = load_core(".analysis.modes")
    displacement = analysis.mode_displacement(dynamics, mode)
    frames = analysis.traverse_mode(dynamics.structure, displacement, amplitude, load_core(".defaults").FRAMES)
    return displacement, conformations_at(dynamics, frames)


def draw_mode(
    protein: Protein, dynamics: Dynamics, name: str, mode: int, amplitude: float, *, _self: Cmd
) -> tuple[float, float]:
    """Draw the motion along a mode as states, and its arrows; those drawn before are replaced.

    Parameters
    ----------
    protein : Protein
    dynamics : Dynamics
    name : str
        Name of the object of states.
    mode : int
        1 for the motion of largest variance.
    amplitude : float
        Standard deviations from the structure to the turning point.

    Returns
    -------
    farthest : float
        How far the selected residue that moves most goes, Å.
    scale : float
        Standard deviations that the arrows show.
    """
    displacement, frames = answer(dynamics, motion_along, mode, amplitude)
    remark = f"mode {mode}, amplitude {amplitude:g}, {dynamics.model}"
    draw_states(protein, frames, name, "modes", remark, _self=_self)
    lengths = np.linalg.norm(displacement, axis=1)
    scale = load_core(".defaults").ARROW_LENGTH / lengths.max()
    _draw_arrows(protein, scale * displacement, _self=_self)
    return float(amplitude * lengths[protein.is_selected].max()), float(scale)


def _draw_arrows(protein: Protein, arrows: np.ndarray, *, _self: Cmd) -> None:
    """Draw the arrows of selected residues, shape=(N, 3), Å, without those that are too short to tell anything."""
    name = protein.name + ARROWS
    _self.delete(name)
    lengths = np.linalg.norm(arrows, axis=1)
    drawn = protein.is_selected & (lengths >= load_core(".defaults").SHORTEST_ARROW * lengths.max())
    starts, arrows, lengths = protein.structure.ca[drawn], arrows[drawn], lengths[drawn]
    sizes = np.minimum(lengths / SHORT, 1.0)
    necks = starts + arrows * (1.0 - HEAD_LENGTH * sizes / lengths)[:, None]
    ends = (
        as_loaded(points, protein.name, protein.state, _self=_self).tolist()
        for points in (starts, necks, starts + arrows)
    )
    drawing: list[float] = []
    for start, neck, tip, size in zip(*ends, sizes.tolist(), strict=True):
        drawing += [cgo.CYLINDER, *start, *neck, size * SHAFT, *COLOUR, *COLOUR]
        drawing += [cgo.CONE, *neck, *tip, size * HEAD, 0.0, *COLOUR, *COLOUR, 1.0, 0.0]
    if drawing:
        _self.load_cgo(drawing, name, zoom=0)
        lay_on(name, protein.name, protein.state, _self=_self)

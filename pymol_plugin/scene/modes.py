"""One collective motion: a structure that swings along it, and arrows that show where each residue goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pymol import cgo

from ..core import load_core
from .companions import ARROWS, as_loaded, lay_on
from .ensembles import Conformations, conformations_at, draw_states
from .proteins import Protein

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Dynamics

__all__ = ["draw_mode", "swing_along"]

FRAMES = 30
SHAFT, HEAD, HEAD_LENGTH = 0.25, 0.6, 1.5
"""Å: radii of an arrow, and how long its head is."""
SHORTEST, LEAST_SHARE = 0.6, 0.25
"""Å, and share of the longest arrow; shorter ones are left out, which would only hide the protein."""
COLOUR = [0.93, 0.60, 0.27]


def swing_along(dynamics: Dynamics, mode: int, amplitude: float) -> tuple[np.ndarray, Conformations]:
    """Work out a mode's swing, which takes its time.

    Returns
    -------
    step : ndarray, shape=(N, 3)
        From the structure to the turning point, Å.
    frames : Conformations
        One period.
    """
    analysis = load_core(".analysis.modes")
    displacement = analysis.mode_displacement(dynamics, mode)
    frames = analysis.traverse_mode(dynamics.structure, displacement, amplitude, FRAMES)
    return amplitude * displacement, conformations_at(dynamics, frames)


def draw_mode(protein: Protein, dynamics: Dynamics, name: str, mode: int, amplitude: float, *, _self: Cmd) -> float:
    """Draw a mode's swing as states and its arrows, in place of those drawn before.

    Parameters
    ----------
    protein : Protein
    dynamics : Dynamics
    name : str
        What to call the object of states.
    mode : int
        1 for the motion of largest variance.
    amplitude : float
        Standard deviations from the structure to the turning point; the arrows end there.

    Returns
    -------
    float
        How far the residue that moves most goes, Å.
    """
    step, frames = dynamics.once(swing_along, mode, amplitude)
    draw_states(protein, frames, name, "modes", f"mode {mode}, amplitude {amplitude:g}, {dynamics.model}", _self=_self)
    shown = np.flatnonzero(protein.is_selected)
    _draw_arrows(protein, shown, step[shown], _self=_self)
    return float(np.linalg.norm(step[shown], axis=1).max())


def _draw_arrows(protein: Protein, shown: np.ndarray, steps: np.ndarray, *, _self: Cmd) -> None:
    name = protein.name + ARROWS
    _self.delete(name)
    starts = protein.structure.ca[shown]
    lengths = np.linalg.norm(steps, axis=1)
    long = lengths >= max(SHORTEST, LEAST_SHARE * lengths.max())
    starts, steps, lengths = starts[long], steps[long], lengths[long, None]
    # A short arrow is a short head.
    necks = starts + steps * np.maximum(1.0 - HEAD_LENGTH / lengths, 0.0)
    ends = (as_loaded(protein, points, _self=_self).tolist() for points in (starts, necks, starts + steps))
    drawing: list[float] = []
    for start, neck, tip in zip(*ends, strict=True):
        drawing += [cgo.CYLINDER, *start, *neck, SHAFT, *COLOUR, *COLOUR]
        drawing += [cgo.CONE, *neck, *tip, HEAD, 0.0, *COLOUR, *COLOUR, 1.0, 0.0]
    if drawing:
        _self.load_cgo(drawing, name, zoom=0)
        lay_on(name, protein.name, protein.state, _self=_self)

"""`dynaprot modes`: a normal mode as an animation, with arrows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.core.commands import run

from ..dynaprot.analysis.modes import mode_displacement, traverse_mode
from ..dynaprot.defaults import AMPLITUDE, ARROW_LENGTH, FRAMES
from ..scene.ensembles import open_conformations
from ..scene.modes import draw_arrows
from ..scene.predictions import predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.colors import Color
    from chimerax.core.session import Session


@user_errors()
def dynaprot_modes(
    session: Session,
    residues: Residues | None = None,
    *,
    mode: int = 1,
    amplitude: float = AMPLITUDE,
    arrows: bool = True,
    arrow_scale: float | None = None,
    color: Color | None = None,
    frames: int = FRAMES,
    play: bool = True,
    model: str | None = None,
    device: str | None = None,
) -> list[AtomicStructure]:
    """Open one period of a normal mode as coordinate sets of a new model.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        Residues with arrows, by default all; the chains that they belong to move as one system.
    mode : int
        1 for the motion of largest variance.
    amplitude : float
        Standard deviations from the structure to the turning point.
    arrows : bool
        Whether to draw arrows; residues that move little have none.
    arrow_scale : float, optional
        Length of arrows in standard deviations; by default such that the longest has 10 Å.
    color : chimerax.core.colors.Color, optional
        Colour of the arrows.
    frames : int
        Number of coordinate sets in the period.
    play : bool
        Whether to play the motion, where there are windows.
    model, device : str, optional
        As in `dynaprot predict`.

    Returns
    -------
    list of chimerax.atomic.AtomicStructure
        One new model for each structure, which is hidden.
    """
    predicted = predictions(session, residues, model, device)
    displacements = [prediction.answer(session, mode_displacement, mode) for prediction in predicted]
    opened = []
    for prediction, displacement in zip(predicted, displacements, strict=True):
        samples = traverse_mode(prediction.dynamics.structure, displacement, amplitude, frames)
        copy = open_conformations(session, prediction, samples, f"mode {mode}")
        longest = np.linalg.norm(displacement, axis=1).max()
        scale = arrow_scale or ARROW_LENGTH / longest
        session.logger.info(
            f"{copy}: normal mode {mode} of {prediction.structure}; one standard deviation is up to {longest:.2f} Å"
            + (f", arrows show {scale:.3g} standard deviations" if arrows else "")
        )
        if arrows:
            draw_arrows(session, prediction, copy, displacement, scale, color)
        if play and session.ui.is_gui:
            run(session, f"coordset {copy.atomspec} 1,{frames} pauseFrames 2 loop 20")
        opened.append(copy)
    return opened

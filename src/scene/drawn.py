"""Who learns what a command has drawn, as windows that plot it: the scene and the commands know no window."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from chimerax.core.session import Session

    from .predictions import Prediction

on_drawn: set[Callable[[Session, str, list[Prediction]], None]] = set()
"""Each is called with the arguments of `announce`."""


def announce(session: Session, figure: str, predicted: list[Prediction]) -> None:
    """Tell that a command has drawn predictions of which there is also a figure.

    Parameters
    ----------
    session : chimerax.core.session.Session
    figure : str
        One of the core's `FIGURES`.
    predicted : list of Prediction
    """
    for listener in on_drawn:
        listener(session, figure, predicted)

"""The DynaProt tool, its jobs and its linked plots. In a host with windows, what commands draw is plotted too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scene.drawn import on_drawn

if TYPE_CHECKING:
    from chimerax.core.session import Session

    from ..scene.predictions import Prediction


def plot_what_is_drawn() -> None:
    """Open the plots of what commands draw from now on; to call this again changes nothing."""
    on_drawn.add(_show_plots)


def _show_plots(session: Session, figure: str, predicted: list[Prediction]) -> None:
    if session.ui.is_gui:
        from .plots import show_plots  # imports Qt, which only a host with windows has

        show_plots(session, figure, predicted)

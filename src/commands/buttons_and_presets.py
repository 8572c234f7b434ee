"""The buttons of the toolbar and the presets, which are commands under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chimerax.atomic import selected_residues
from chimerax.core.commands import run

if TYPE_CHECKING:
    from chimerax.core.session import Session
    from chimerax.core.toolshed import ProviderManager

PAPER = """\
hide protein atoms
show protein cartoons
lighting soft
graphics silhouettes true
"""
PRESETS = {
    "flexibility": PAPER + "dynaprot rmsf plot false",
    "ellipsoids": PAPER
    + """\
color protein light gray target c
transparency protein 80 target c
dynaprot ellipsoids key true""",
}


def run_provider(session: Session, name: str, manager: ProviderManager) -> None:
    """Run what a button or a preset stands for.

    Parameters
    ----------
    session : chimerax.core.session.Session
    name : str
        One of `PRESETS`, or of a button, which is the name of its command; a button acts on the selected residues, or
        on all if none is selected.
    manager : chimerax.core.toolshed.ProviderManager
        The manager of the toolbar or that of presets.
    """
    if manager.name == "presets":
        manager.execute(PRESETS[name])
    else:
        run(session, f"dynaprot {name}{' sel' if len(selected_residues(session)) else ''}")

"""Values on the user's residues: attributes that the host's own commands select and colour by, saved in sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chimerax.atomic import Residue

if TYPE_CHECKING:
    import numpy as np
    from chimerax.atomic import Residues
    from chimerax.core.colors import Colormap
    from chimerax.core.session import Session
    from numpy.typing import NDArray


def set_attribute(session: Session, residues: Residues, name: str, values: NDArray[np.floating]) -> None:
    """Give each residue a number that selections, colouring and saved sessions know.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, length=N
    name : str
        Name of the attribute.
    values : ndarray, shape=(N,), dtype=float
    """
    Residue.register_attr(session, name, "DynaProt", attr_type=float)
    for residue, value in zip(residues, values.tolist(), strict=True):  # the host has no other way
        setattr(residue, name, value)
    session.change_tracker.add_modified(residues, f"{name} changed")


def color_by_attribute(session: Session, residues: Residues, name: str, scale: Colormap) -> None:
    """Colour atoms, cartoon and surface by a residue attribute."""
    from chimerax.std_commands.color import color_by_attr

    color_by_attr(session, f"r:{name}", atoms=residues.atoms, palette=scale, undo_name="dynaprot", log_info=False)

"""`dynaprot save`: a prediction as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chimerax.core.errors import UserError

from ..dynaprot.defaults import SEED
from ..scene.predictions import predictions, user_errors
from ..scene.saving import require_suffix, save_file

if TYPE_CHECKING:
    from chimerax.atomic import Residues
    from chimerax.core.session import Session


@user_errors()
def dynaprot_save(
    session: Session,
    residues: Residues | None,
    file_name: str,
    *,
    figure: str = "rmsf",
    count: int | None = None,
    seed: int = SEED,
    regularize: bool = True,
    model: str | None = None,
    device: str | None = None,
) -> None:
    """Save a prediction; the suffix of the file's name chooses what.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        Residues of one structure; the chains that they belong to are predicted as one system and saved as a whole.
    file_name : str
        ``.npz`` holds everything, ``.csv`` one line for each residue, ``.pdb`` or ``.cif`` the structure with the
        motion as B factors and ANISOU, ``.png``, ``.svg`` or ``.pdf`` a figure, ``.dcd`` or ``.xtc`` an ensemble.
    figure : str
        One of the core's `FIGURES`.
    count : int, optional
        How many conformations an ensemble has; with it a ``.pdb`` holds one too, without it a trajectory holds 50.
    seed, regularize
        As in `dynaprot ensemble`.
    model, device : str, optional
        As in `dynaprot predict`.
    """
    path = Path(file_name)
    require_suffix(path, count)
    predicted = predictions(session, residues, model, device)
    if len(predicted) > 1:
        raise UserError(f"{len(predicted)} structures were given; save one at a time.")
    written = save_file(session, predicted[0], path, figure, count, seed, regularize)
    session.logger.info(f"Saved {' and '.join(map(str, written))}")

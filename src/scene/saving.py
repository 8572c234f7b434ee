"""Predictions as files, in every format that the core writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chimerax.core.errors import UserError

from ..dynaprot.defaults import CONFORMATIONS, ENSEMBLE_SUFFIXES, FIGURE_SUFFIXES, RESULT_SUFFIXES
from .couplings import all_couplings
from .ensembles import conformations
from .predictions import beside_window

if TYPE_CHECKING:
    from pathlib import Path

    from chimerax.core.session import Session

    from .predictions import Prediction


def require_suffix(path: Path, count: int | None) -> None:
    """Refuse the name of a file that cannot be saved, before anything is predicted.

    Parameters
    ----------
    path : Path
    count : int or None
        How many conformations are wanted; None where an ensemble is not asked for.

    Raises
    ------
    UserError
        If its suffix is none of the core's, or none that holds conformations where they are wanted.
    """
    suffixes = list(dict.fromkeys([*RESULT_SUFFIXES, *ENSEMBLE_SUFFIXES, *FIGURE_SUFFIXES]))
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        raise UserError(f"{path.name}: the name of the file must end with one of {', '.join(suffixes)}.")
    if count is not None and suffix not in ENSEMBLE_SUFFIXES:
        raise UserError(
            f"{path.name}: with a count, the name of the file must end with one of {', '.join(ENSEMBLE_SUFFIXES)}."
        )


def save_file(
    session: Session,
    prediction: Prediction,
    path: Path,
    figure: str,
    count: int | None,
    seed: int,
    regularize: bool,
) -> tuple[Path, ...]:
    """Write what the suffix of a file's name says, and log what the user should know.

    Parameters
    ----------
    session : chimerax.core.session.Session
    prediction : Prediction
    path : Path
        As `require_suffix` takes it.
    figure : str
        One of the core's `FIGURES`, for a suffix of figures.
    count : int or None
        How many conformations an ensemble has; a ``.pdb`` without a count holds the structure instead.
    seed, regularize
        As in `conformations`.

    Returns
    -------
    tuple of Path
        The files that were written.
    """
    dynamics = prediction.dynamics
    suffix = path.suffix.lower()
    if count is not None or suffix not in (*RESULT_SUFFIXES, *FIGURE_SUFFIXES):
        from ..dynaprot.files.trajectories import write_ensemble
        from ..dynaprot.structure.rigid_residues import carry_atoms

        structure, atoms = dynamics.structure, dynamics.structure.atoms
        assert atoms is not None  # every structure of the host has them
        samples = conformations(session, prediction, count or CONFORMATIONS, seed, regularize)
        moved = carry_atoms(structure, samples, atoms.positions, atoms.residue)
        return write_ensemble(structure, moved, path)
    if suffix in FIGURE_SUFFIXES:
        from ..dynaprot.figures import pictures

        if figure == "coupling":
            prediction.answer(session, all_couplings)
        getattr(pictures, f"draw_{figure}")(dynamics, path)
    else:
        from ..dynaprot.files.results import write_result

        for notice in beside_window(session, write_result, dynamics, path):
            session.logger.warning(notice)
    return (path,)

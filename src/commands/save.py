"""`dynaprot save`: a prediction as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chimerax.core.errors import UserError

from ..dynaprot.analysis.couplings import all_couplings
from ..scene.predictions import Prediction, beside_window, predictions, user_errors
from .ensemble import conformations

if TYPE_CHECKING:
    from chimerax.atomic import Residues
    from chimerax.core.session import Session

PICTURES = (".png", ".svg")
TRAJECTORIES = (".dcd", ".xtc")
ENSEMBLES = (".pdb", *TRAJECTORIES)
SUFFIXES = (".npz", ".csv", ".pdb", ".cif", *TRAJECTORIES, *PICTURES)
FIGURES = ("rmsf", "coupling", "ellipsoids")


@user_errors()
def dynaprot_save(
    session: Session,
    residues: Residues | None,
    file_name: str,
    *,
    figure: str = "rmsf",
    count: int | None = None,
    seed: int | None = None,
    regularize: bool = True,
    model: str | None = None,
    device: str | None = None,
) -> None:
    """Save a prediction; the suffix of the file's name chooses what.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        Of one structure; the chains that they belong to are predicted as one system and saved as a whole.
    file_name : str
        ``.npz`` everything, ``.csv`` a line for each residue, ``.pdb`` or ``.cif`` the structure with the motion as B
        factors and ANISOU, ``.png`` or ``.svg`` a figure, ``.dcd`` or ``.xtc`` an ensemble.
    figure : str
        One of `FIGURES`.
    count : int, optional
        How many conformations of an ensemble; with it a ``.pdb`` holds one too, without it a trajectory holds 50.
    seed, regularize
        As of `dynaprot ensemble`.
    model, device : str, optional
        As of `dynaprot predict`.
    """
    path = Path(file_name)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{path.name}: the name of the file must end with one of {', '.join(SUFFIXES)}.")
    if count is not None and suffix not in ENSEMBLES:
        raise UserError(f"{path.name}: with a count, the name of the file must end with one of {', '.join(ENSEMBLES)}.")
    predicted = predictions(session, residues, model, device)
    if len(predicted) > 1:
        raise UserError(f"{len(predicted)} structures were given; save one at a time.")
    prediction = predicted[0]
    dynamics = prediction.dynamics
    notices, written = (), (path,)
    if suffix in TRAJECTORIES or count is not None:
        written = _save_ensemble(session, prediction, path, count or 50, seed, regularize)
    elif suffix in PICTURES:
        from ..dynaprot.figures import pictures

        if figure == "coupling":
            prediction.once(session, all_couplings)
        getattr(pictures, f"draw_{figure}")(dynamics, path)
    else:
        from ..dynaprot.files.results import write_result

        notices = beside_window(session, write_result, dynamics, path)
    for notice in notices:
        session.logger.warning(notice)
    session.logger.info(f"Saved {' and '.join(map(str, written))}")


def _save_ensemble(
    session: Session, prediction: Prediction, path: Path, count: int, seed: int | None, regularize: bool
) -> tuple[Path, ...]:
    from ..dynaprot.files.trajectories import write_ensemble
    from ..dynaprot.structure.rigid_residues import carry_atoms

    structure = prediction.dynamics.structure
    samples = conformations(session, prediction, count, seed, regularize)
    return write_ensemble(
        structure, carry_atoms(structure, samples, structure.atoms.positions, structure.atoms.residue), path
    )

"""Results as files, in every format that the core writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pymol import CmdException
from pymol.colorprinting import warning

from ..core import load_core
from .ensembles import ensemble_of
from .predictions import answer

if TYPE_CHECKING:
    from dynaprot import Dynamics

__all__ = ["WHAT", "save_all", "save_file"]

_defaults = load_core(".defaults")
WHAT: dict[str, tuple[str, ...]] = {
    "dynamics": tuple(_defaults.RESULT_SUFFIXES),
    "ensemble": _defaults.ENSEMBLE_SUFFIXES,
    **dict.fromkeys(_defaults.FIGURES, _defaults.FIGURE_SUFFIXES),
}
"""What can be saved, and the formats of each."""


def save_file(dynamics: Dynamics, path: Path, what: str, count: int, seed: int) -> tuple[Path, ...]:
    """Write one result.

    Parameters
    ----------
    dynamics : Dynamics
    path : Path
        The suffix chooses the format.
    what : str
        One of `WHAT`; empty for the first that has this format.
    count, seed : int
        Number of conformations and their seed, where an ensemble is wanted.

    Returns
    -------
    tuple of Path
        The files that were written.

    Raises
    ------
    CmdException
        If the result does not exist in this format.
    """
    fitting = [name for name, suffixes in WHAT.items() if path.suffix in suffixes and (not what or what == name)]
    if not fitting:
        formats = "; ".join(f"{name}: {' '.join(suffixes)}" for name, suffixes in WHAT.items())
        raise CmdException(f"Cannot write {path}{f' as {what}' if what else ''}. The formats are {formats}.")
    what = fitting[0]
    if what == "ensemble":
        drawn = answer(dynamics, ensemble_of, count, seed, True, 0)
        return load_core(".files.trajectories").write_ensemble(dynamics.structure, drawn.calphas, path)
    if what != "dynamics":
        getattr(load_core(".figures.pictures"), f"draw_{what}")(dynamics, path)
    else:
        for notice in load_core(".files.results").write_result(dynamics, path):
            warning(f" DynaProt: {notice}")
    return (path,)


def save_all(dynamics: Dynamics, folder: Path, count: int, seed: int) -> tuple[Path, ...]:
    """Write into a folder what the command line's `dynaprot predict` writes, with an ensemble.

    Raises
    ------
    CmdException
        If the folder does not exist and cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CmdException(f"Cannot make the folder {folder}: {error.strerror}.") from error
    name = dynamics.structure.name
    files = {
        "dynamics.npz": "", "residues.csv": "", f"{name}_dynamics.pdb": "", f"{name}_dynamics.cif": "",
        "rmsf.png": "rmsf", "coupling.png": "coupling", "ellipsoids.png": "ellipsoids", "ensemble.pdb": "ensemble",
    }  # fmt: skip
    written: tuple[Path, ...] = ()
    for file, what in files.items():
        written += save_file(dynamics, folder / file, what, count, seed)
    return written

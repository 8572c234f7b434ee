"""Results as files, in every format that the core writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pymol import CmdException
from pymol.colorprinting import warning

from ..core import load_core
from .ensembles import ensemble_of

if TYPE_CHECKING:
    from dynaprot import Dynamics

__all__ = ["WHAT", "save_all", "save_file"]

PICTURES = (".png", ".pdf", ".svg")
WHAT = {
    "dynamics": (".npz", ".csv", ".pdb", ".cif"),
    "ensemble": (".pdb", ".dcd", ".xtc"),
    "rmsf": PICTURES,
    "coupling": PICTURES,
    "ellipsoids": PICTURES,
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
        Of the conformations, where an ensemble is wanted.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    CmdException
        If there is no such thing in this format.
    """
    fitting = [name for name, suffixes in WHAT.items() if path.suffix in suffixes and (not what or what == name)]
    if not fitting:
        formats = "; ".join(f"{name}: {' '.join(suffixes)}" for name, suffixes in WHAT.items())
        raise CmdException(f"Cannot write {path}{f' as {what}' if what else ''}. There are {formats}.")
    what = fitting[0]
    if what == "ensemble":
        drawn = dynamics.once(ensemble_of, count, seed, True, 0)
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
        If there is no such folder and none can be made.
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

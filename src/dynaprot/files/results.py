"""A prediction as one file, in the format that the suffix of the file's name chooses."""

from __future__ import annotations

from pathlib import Path

from ..defaults import RESULT_SUFFIXES
from ..dynamics import Dynamics
from ..errors import OutputError
from .structure_files import write_mmcif, write_pdb
from .tables import write_residues_csv

__all__ = ["result_names", "write_result"]


def result_names(name: str) -> tuple[str, ...]:
    """Names of the files that together hold a prediction for a structure of this name, one for each format."""
    stems = {".npz": "dynamics", ".csv": "residues"}
    return tuple(stems.get(suffix, f"{name}_dynamics") + suffix for suffix in RESULT_SUFFIXES)


def write_result(dynamics: Dynamics, path: Path) -> tuple[str, ...]:
    """Write a prediction.

    Parameters
    ----------
    dynamics : Dynamics
    path : Path
        File to write; its suffix, one of `defaults.RESULT_SUFFIXES`, chooses the format.

    Returns
    -------
    tuple of str
        What had to be changed to fit the format, one sentence each.

    Raises
    ------
    OutputError
        If there is no such format, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in RESULT_SUFFIXES:
        raise OutputError(f"Cannot write {path}: a prediction is written as one of {', '.join(RESULT_SUFFIXES)}.")
    if suffix == ".pdb":
        return write_pdb(dynamics, path)
    if suffix == ".npz":
        dynamics.save(path)
    elif suffix == ".csv":
        write_residues_csv(dynamics, path)
    else:
        write_mmcif(dynamics, path)
    return ()

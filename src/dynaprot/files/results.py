"""A prediction as one file, in the format that the file's name asks for."""

from __future__ import annotations

from pathlib import Path

from ..dynamics import Dynamics
from ..errors import OutputError
from .structure_files import write_mmcif, write_pdb
from .tables import write_residues_csv

__all__ = ["FORMATS", "write_result"]

FORMATS = (".npz", ".csv", ".pdb", ".cif")
"""Everything, a line for each residue, and the structure with the motion in two formats."""


def write_result(dynamics: Dynamics, path: Path) -> tuple[str, ...]:
    """Write a prediction.

    Parameters
    ----------
    dynamics : Dynamics
    path : Path
        Its suffix, one of `FORMATS`, chooses what is written.

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
    if suffix not in FORMATS:
        raise OutputError(f"Cannot write {path}: a prediction is written as one of {', '.join(FORMATS)}.")
    if suffix == ".pdb":
        return write_pdb(dynamics, path)
    if suffix == ".npz":
        dynamics.save(path)
    elif suffix == ".csv":
        write_residues_csv(dynamics, path)
    else:
        write_mmcif(dynamics, path)
    return ()

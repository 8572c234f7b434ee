"""A table with one line for each residue, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import os

import numpy as np

from ..analysis.ellipsoids import displacement_parameters
from ..dynamics import Dynamics
from ..notices import kinds_of_residues
from ..storage import replacing

__all__ = ["write_residues_csv"]


COLUMNS = (
    "chain", "residue_id", "residue_name", "secondary_structure", "rmsf_A", "b_factor_A2", "anisotropy",
    "U11_A2", "U22_A2", "U33_A2", "U12_A2", "U13_A2", "U23_A2", "notice",
)  # fmt: skip


def write_residues_csv(dynamics: Dynamics, path: str | os.PathLike[str]) -> None:
    """Write what is predicted for each residue as comma-separated values.

    Parameters
    ----------
    dynamics : Dynamics
    path : path-like
        The file to write. Columns: chain, author's residue id, name, secondary structure (H, E or -), RMSF
        in Å, B factor 8 pi^2/3 RMSF^2 in Å^2, anisotropy (0 isotropic to 1 linear), and the covariance of
        C-alpha in Å^2, U11 to U23, in the frame of the input. Last, the kinds of notice about the residue
        (`notices.KINDS`), joined by ";" and empty for most.
    """
    structure = dynamics.structure
    rows = zip(
        structure.chain_ids,
        structure.residue_ids,
        structure.residue_names,
        structure.secondary_structure,
        dynamics.rmsf,
        8.0 * np.pi**2 / 3.0 * dynamics.rmsf**2,
        dynamics.anisotropy,
        *displacement_parameters(dynamics.marginals).T,
        kinds_of_residues(dynamics.notices, len(dynamics)),
        strict=True,
    )
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for *labels, rmsf, b_factor, anisotropy, u11, u22, u33, u12, u13, u23, notice in rows:
            numbers = (rmsf, b_factor, anisotropy, u11, u22, u33, u12, u13, u23)
            table.writerow([*labels, *(f"{number:.6g}" for number in numbers), notice])

"""The structure as PDB and mmCIF, with the predicted motion as B factors and anisotropic displacements (ANISOU)."""

from __future__ import annotations

import os

import gemmi
import numpy as np

from ..analysis.ellipsoids import displacement_parameters
from ..dynamics import Dynamics
from ..storage import replacing
from .coordinates import backbone, molecule, write_pdb_text

__all__ = ["write_mmcif", "write_pdb"]

B_FACTOR_LIMIT = 999.99
"""Largest B in Å^2 that fits its six columns."""
DIAGONAL_LIMIT, NEGATIVE_LIMIT = 999.9999, 99.9999
"""Largest U_ii and most negative U_ij in Å^2 that fit ANISOU's seven columns of 1e-4 Å^2."""


def write_pdb(dynamics: Dynamics, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Write a PDB file with B factors and, on C-alpha, ANISOU records.

    The file holds all heavy atoms of the residues where the input gave them, else N, CA and C. Every atom
    of a residue has B = 8 pi^2/3 RMSF^2; ANISOU is the predicted covariance itself, so that a viewer draws
    the predicted ellipsoids.

    Parameters
    ----------
    dynamics : Dynamics
    path : path-like
        The file to write.

    Returns
    -------
    tuple of str
        What had to be changed to fit the columns of the format, one sentence each; the file says the same
        in REMARK 6, after the notices of the prediction. An ellipsoid too large for ANISOU is shrunk as a whole and
        keeps its shape.

    Raises
    ------
    OutputError
        If the file cannot be written or the format has no room for the structure; mmCIF always has.
    """
    covariances = dynamics.marginals
    diagonal = np.einsum("nii->ni", covariances).max(1)
    scale = np.minimum(
        np.minimum(1.0, DIAGONAL_LIMIT / np.maximum(diagonal, DIAGONAL_LIMIT)),
        NEGATIVE_LIMIT / np.maximum(-covariances.min((1, 2)), NEGATIVE_LIMIT),
    )
    b_factors = _b_factors(dynamics)
    notices: tuple[str, ...] = ()
    if shrunk := np.count_nonzero(scale < 1.0):
        notices += (f"ANISOU of {shrunk} residues is scaled down to fit its columns; mmCIF holds it.",)
    if cut := np.count_nonzero(b_factors > B_FACTOR_LIMIT):
        notices += (f"B of {cut} residues is cut off at {B_FACTOR_LIMIT}; mmCIF holds it.",)
    result = _annotated(dynamics, np.minimum(b_factors, B_FACTOR_LIMIT), covariances * scale[:, None, None])
    with replacing(path) as temporary:
        return notices + write_pdb_text(result, temporary, (*dynamics.notices, *notices))


def write_mmcif(dynamics: Dynamics, path: str | os.PathLike[str]) -> None:
    """Write an mmCIF file with B factors and, on C-alpha, anisotropic displacements.

    The content is that of `write_pdb`, notices included, and nothing has to be changed to fit.

    Parameters
    ----------
    dynamics : Dynamics
    path : path-like
        The file to write.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    result = _annotated(dynamics, _b_factors(dynamics), dynamics.marginals)
    groups = gemmi.MmcifOutputGroups(True, cell=False, symmetry=False)
    document = result.make_mmcif_document(groups)
    if dynamics.notices:
        remarks = document.sole_block().init_loop("_database_PDB_remark.", ["id", "text"])
        remarks.add_row(["6", gemmi.cif.quote(" ".join(dynamics.notices))])
    with replacing(path) as temporary:
        temporary.write_text(document.as_string(), encoding="utf-8")


def _b_factors(dynamics: Dynamics) -> np.ndarray:
    return 8.0 * np.pi**2 / 3.0 * dynamics.rmsf**2


def _annotated(dynamics: Dynamics, b_factors: np.ndarray, covariances: np.ndarray) -> gemmi.Structure:
    structure = dynamics.structure
    title = f"{structure.name}, motion predicted by DynaProt: {dynamics.model}"
    result = molecule(structure, structure.atoms or backbone(structure), title)
    residues = (residue for chain in result[0] for residue in chain)
    for residue, b_factor, u in zip(residues, b_factors, displacement_parameters(covariances), strict=True):
        for atom in residue:
            atom.b_iso = float(b_factor)
            if atom.name == "CA":
                atom.aniso = gemmi.SMat33f(*u)
    return result

"""Protein structures: from a file, or a host's arrays, to residues with backbone frames."""

from .protein import Atoms, Structure

__all__ = ["Atoms", "Structure"]

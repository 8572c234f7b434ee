"""From a file, or a host's arrays, to residues with backbone frames."""

from .files import load_structure
from .protein import Atoms, Structure

__all__ = ["Atoms", "Structure", "load_structure"]

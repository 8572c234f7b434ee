"""Names of residues: from the three-letter code of a file to the one-letter code that networks use."""

from __future__ import annotations

import gemmi

__all__ = [
    "AMINO_ACIDS", "UNKNOWN", "is_amino_acid", "is_d_amino_acid", "is_nucleotide", "one_letter_code",
    "three_letter_code",
]  # fmt: skip

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
UNKNOWN = "X"
FORCE_FIELD_NAMES = {
    "HID": "H", "HIE": "H", "HIP": "H", "HSD": "H", "HSE": "H", "HSP": "H",
    "CYX": "C", "CYM": "C", "ASH": "D", "GLH": "E", "LYN": "K",
}  # fmt: skip
"""Protonation states by their names in Amber and CHARMM, which the component dictionary does not have."""


def one_letter_code(name: str) -> str:
    """One-letter code of a residue, that of the parent for a modified one.

    Parameters
    ----------
    name : str
        Three-letter (or five-letter) name of the chemical component dictionary, as ``"MSE"``.

    Returns
    -------
    str
        One of the twenty letters, or ``"X"`` where the component has no such parent.
    """
    if name.strip() in FORCE_FIELD_NAMES:
        return FORCE_FIELD_NAMES[name.strip()]
    letter = gemmi.find_tabulated_residue(name.strip()).one_letter_code.upper()
    return letter if letter in AMINO_ACIDS and is_amino_acid(name) else UNKNOWN


def three_letter_code(letter: str) -> str:
    """Three-letter name of a one-letter code, ``"UNK"`` for an unknown one."""
    return gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA) if letter in AMINO_ACIDS else "UNK"


def is_amino_acid(name: str) -> bool:
    """Whether the component dictionary lists the name as an amino acid, standard or modified."""
    name = name.strip()
    return name in FORCE_FIELD_NAMES or gemmi.find_tabulated_residue(name).is_amino_acid()


def is_nucleotide(name: str) -> bool:
    """Whether the component dictionary lists the name as a nucleotide."""
    return gemmi.find_tabulated_residue(name.strip()).is_nucleic_acid()


def is_d_amino_acid(name: str) -> bool:
    """Whether the component dictionary lists the name as an amino acid of D form, as ``"DAL"``."""
    return gemmi.find_tabulated_residue(name.strip()).kind == gemmi.ResidueKind.AAD

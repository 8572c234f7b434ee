"""Side chains as one point each: their chemistry by residue type, and where the backbone holds their centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .geometry import unit_vectors
from .protein import Structure

__all__ = ["SIDE_CHAINS", "side_chain_centres"]

SIDE_CHAINS = {
    "A": (0.40, 0.0, 1, 0.77), "C": (0.56, 0.0, 2, 1.38), "D": (-0.78, -1.0, 4, 1.99), "E": (-0.78, -1.0, 5, 2.63),
    "F": (0.62, 0.0, 7, 2.97), "G": (-0.09, 0.0, 0, 0.50), "H": (-0.71, 0.3, 6, 2.76), "I": (1.00, 0.0, 4, 1.83),
    "K": (-0.87, 1.0, 5, 2.94), "L": (0.84, 0.0, 4, 2.08), "M": (0.42, 0.0, 4, 2.34), "N": (-0.78, 0.0, 4, 1.98),
    "P": (-0.36, 0.0, 3, 1.42), "Q": (-0.78, 0.0, 5, 2.58), "R": (-1.00, 1.0, 7, 3.72), "S": (-0.18, 0.0, 2, 1.28),
    "T": (-0.16, 0.0, 3, 1.43), "V": (0.93, 0.0, 3, 1.49), "W": (-0.20, 0.0, 10, 3.58), "Y": (-0.29, 0.0, 8, 3.36),
    "X": (0.00, 0.0, 4, 2.00),
}  # fmt: skip
"""Hydropathy (Kyte & Doolittle 1982, over 4.5), charge at pH 7, heavy atoms, and Å from C-alpha to their centre."""


def side_chain_centres(structure: Structure) -> NDArray[np.floating]:
    """Where the centres of side chains are by the backbone and the residue type, shape=(N, 3), Å."""
    reach = np.array([SIDE_CHAINS[letter][3] for letter in structure.sequence])
    incoming, outgoing = structure.ca - structure.n, structure.c - structure.ca
    ideal_beta = 0.568 * incoming - 0.541 * outgoing - 0.583 * np.cross(incoming, outgoing)
    return np.asarray(structure.ca + reach[:, None] * unit_vectors(ideal_beta))

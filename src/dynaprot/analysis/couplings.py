"""Coupling (normalised dynamic cross-correlation, DCCM): the strongest pairs, and the coupling to a set of residues."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..defaults import THRESHOLD
from ..errors import DynaProtError
from ..structure.protein import Structure

__all__ = ["coupling_to", "strongest_pairs"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]


def strongest_pairs(
    structure: Structure, coupling: Array, threshold: float = THRESHOLD, separation: int = 6
) -> tuple[Indices, Indices, Array]:
    """Pairs of residues that move together, or against each other, without being neighbours in sequence.

    Parameters
    ----------
    structure : Structure
        N residues.
    coupling : ndarray, shape=(N, N)
        Coupling of all pairs with a unit diagonal, as in `Dynamics.coupling`.
    threshold : float
        Smallest absolute coupling of a pair, above 0 and at most 1.
    separation : int
        Pairs of one chain with fewer steps from one to the other along it are left out: neighbours are coupled anyway.

    Returns
    -------
    i, j : ndarray, shape=(P,), dtype=int
        Indices with i < j, strongest pairs first.
    value : ndarray, shape=(P,)
        Coupling of each pair, with its sign.

    Raises
    ------
    DynaProtError
        If the threshold is outside its range.
    """
    if not 0.0 < threshold <= 1.0:
        raise DynaProtError(f"The threshold of coupling must be above 0 and at most 1, not {threshold}.")
    i, j = np.nonzero(np.triu(np.abs(coupling) >= threshold, 1))
    _, chain = np.unique(structure.chain_ids, return_inverse=True)
    place = _places_in_chains(chain)
    apart = (chain[i] != chain[j]) | (np.abs(place[i] - place[j]) >= separation)
    i, j = i[apart], j[apart]
    order = np.argsort(-np.abs(coupling[i, j]), kind="stable")
    i, j = i[order], j[order]
    return i, j, coupling[i, j]


def coupling_to(coupling: Array, members: Indices) -> Array:
    """Correlation of each residue's motion with that of a set of residues as a whole.

    The set's motion is the sum of its members' motions, each scaled to unit size. So the coupling to one residue is its
    row of the matrix, and no value leaves -1 to 1 (Cauchy-Schwarz, the coupling being positive definite).

    Parameters
    ----------
    coupling : ndarray, shape=(N, N)
        Coupling of all pairs: SPD, with a unit diagonal.
    members : ndarray, shape=(M,), dtype=int
        Indices of the residues of the set, at least one.

    Returns
    -------
    ndarray, shape=(N,)

    Raises
    ------
    DynaProtError
        If the set is empty.
    """
    if not len(members):
        raise DynaProtError("The coupling to a set of residues was asked for, but the set is empty.")
    summed = coupling[:, members].sum(1)
    return summed / np.sqrt(summed[members].sum())


def _places_in_chains(chain: Indices) -> Indices:
    """Number of residues of the same chain that come before each residue."""
    order = np.argsort(chain, kind="stable")
    place = np.empty(len(chain), dtype=np.int64)
    place[order] = np.arange(len(chain)) - np.searchsorted(chain[order], chain[order])
    return place

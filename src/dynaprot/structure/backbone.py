"""Geometry of the backbone: frames, peptide bonds, dihedrals, hydrogen bonds, secondary structure.

Nothing here relies on the order in which residues are stored: neighbours along the chain are found by
their peptide bonds, so that permuting residues only permutes the results.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .geometry import dihedral, neighbour_pairs, unit_vectors

__all__ = [
    "chain_positions",
    "dihedrals",
    "frames",
    "gaps",
    "hydrogen_bonds",
    "next_residues",
    "previous_residues",
    "secondary_structure",
]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

PEPTIDE_BOND = 2.5
"""Longest C-N distance that counts as a bond, Å (Kabsch & Sander 1983)."""
HYDROGEN_BOND = -0.5
"""Energy below which a hydrogen bond is counted, kcal/mol (Kabsch & Sander 1983)."""


def frames(n: Array, ca: Array, c: Array) -> Array:
    """Rotation of each residue's backbone frame.

    Parameters
    ----------
    n, ca, c : ndarray, shape=(N, 3)
        Backbone atoms, Å.

    Returns
    -------
    ndarray, shape=(N, 3, 3)
        Columns are the axes of the local frame in the frame of the input: x along CA-C, y in the plane of N
        (Jumper et al. 2021, algorithm 21). A local vector v is ``R @ v`` in the frame of the input.
    """
    x = unit_vectors(c - ca)
    above = n - ca
    y = unit_vectors(above - (above * x).sum(-1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def next_residues(n: Array, c: Array, chain_ids: NDArray[np.str_]) -> Indices:
    """Index of the residue whose N is bonded to each residue's C.

    Parameters
    ----------
    n, c : ndarray, shape=(N, 3)
        Backbone atoms, Å.
    chain_ids : ndarray, shape=(N,)
        Chain of each residue; only residues of the same chain are bonded.

    Returns
    -------
    ndarray, shape=(N,), dtype=int
        Index of the next residue, -1 at the end of a chain and at a chain break.
    """
    size = len(n)
    ends, starts, lengths = [], [], []
    for block in np.array_split(np.arange(size), max(1, size // 512)):  # never an N x N array
        offset = c[block] - n[block].mean(0), n - n[block].mean(0)
        squared = (offset[0] ** 2).sum(1)[:, None] + (offset[1] ** 2).sum(1) - 2.0 * offset[0] @ offset[1].T
        row, column = np.nonzero(squared < (PEPTIDE_BOND + 0.1) ** 2)
        length = np.linalg.norm(c[block][row] - n[column], axis=1)
        near = (length < PEPTIDE_BOND) & (chain_ids[block][row] == chain_ids[column]) & (block[row] != column)
        ends.append(block[row][near])
        starts.append(column[near])
        lengths.append(length[near])
    # Where atoms of several residues lie near each other, the nearest are bonded first, however they are stored.
    order = np.argsort(np.concatenate(lengths), kind="stable")
    end, start = np.concatenate(ends)[order], np.concatenate(starts)[order]
    following = np.full(size, -1)
    while len(end):
        first = np.zeros(len(end), dtype=bool)
        first[np.intersect1d(np.unique(end, return_index=True)[1], np.unique(start, return_index=True)[1])] = True
        following[end[first]] = start[first]
        free = ~np.isin(end, end[first]) & ~np.isin(start, start[first])
        end, start = end[free], start[free]
    return following


def gaps(following: Indices, chain_ids: NDArray[np.str_], numbers: Indices) -> tuple[Indices, Indices, Indices]:
    """Places where a chain goes on after residues that were not modelled.

    Parameters
    ----------
    following : ndarray, shape=(N,), dtype=int
        As from `next_residues`.
    chain_ids : ndarray, shape=(N,)
    numbers : ndarray, shape=(N,), dtype=int
        Residue numbers: by them the pieces of a chain follow each other.

    Returns
    -------
    before, after : ndarray, shape=(G,), dtype=int
        The last residue before and the first after each gap.
    missing : ndarray, shape=(G,), dtype=int
        How many residues the numbers leave out; 0 for a chain that is merely broken.
    """
    first = np.flatnonzero(previous_residues(following) < 0)
    last, _ = _walk(following)
    order = first[np.lexsort((numbers[first], chain_ids[first]))]
    before, after = last[order[:-1]], order[1:]
    missing = numbers[after] - numbers[before] - 1
    same = (chain_ids[before] == chain_ids[after]) & (missing >= 0)
    return before[same], after[same], missing[same]


def previous_residues(following: Indices) -> Indices:
    """Index of the residue bonded to each residue's N, given `next_residues`; shape=(N,), -1 where there is none."""
    preceding = np.full(len(following), -1)
    preceding[following[following >= 0]] = np.flatnonzero(following >= 0)
    return preceding


def chain_positions(following: Indices) -> tuple[Indices, Indices, Indices]:
    """Position of each residue in its unbroken stretch of chain.

    Parameters
    ----------
    following : ndarray, shape=(N,), dtype=int
        Result of `next_residues`.

    Returns
    -------
    segment : ndarray, shape=(N,), dtype=int
        Index of the first residue of the stretch.
    from_start, to_end : ndarray, shape=(N,), dtype=int
        Number of bonds to the first and to the last residue of the stretch.
    """
    following = following.copy()
    preceding = previous_residues(following)
    first, from_start = _walk(preceding)
    in_ring = preceding[first] >= 0  # a cyclic peptide has no first residue
    for residue in np.flatnonzero(in_ring):
        if preceding[first[residue]] >= 0:  # cut each ring once, before its first stored residue
            following[preceding[residue]] = -1
            preceding[residue] = -1
            first, from_start = _walk(preceding)
    _, to_end = _walk(following)
    return first, from_start, to_end


def _walk(pointer: Indices) -> tuple[Indices, Indices]:
    """End of each residue's path along `pointer` and the number of steps to it, by pointer doubling."""
    target = np.where(pointer >= 0, pointer, np.arange(len(pointer)))
    steps = (pointer >= 0).astype(np.int64)
    for _ in range(max(1, int(np.ceil(np.log2(len(pointer)))))):
        steps = steps + steps[target]
        target = target[target]
    return target, steps


def dihedrals(n: Array, ca: Array, c: Array, following: Indices) -> tuple[Array, Array]:
    """Backbone dihedrals phi and psi in radians, NaN where a neighbour is missing; shape=(N,) each."""
    phi, psi = np.full(len(n), np.nan), np.full(len(n), np.nan)
    left = np.flatnonzero(following >= 0)
    right = following[left]
    phi[right] = dihedral(c[left], n[right], ca[right], c[right])
    psi[left] = dihedral(n[left], ca[left], c[left], n[right])
    return phi, psi


def hydrogen_bonds(n: Array, ca: Array, c: Array, following: Indices, sequence: str) -> tuple[Indices, Indices, Array]:
    """Backbone hydrogen bonds by the electrostatic energy of Kabsch & Sander (1983).

    O and H are placed in the plane of the peptide bond, so that N, CA and C suffice.

    Returns
    -------
    acceptor, donor : ndarray, shape=(B,), dtype=int
        Indices of residues: C=O of `acceptor` accepts the hydrogen of N-H of `donor`.
    energy : ndarray, shape=(B,)
        Energy of each bond, kcal/mol, below -0.5.
    """
    oxygen, hydrogen = np.full_like(c, np.nan), np.full_like(n, np.nan)
    left = np.flatnonzero(following >= 0)
    right = following[left]
    oxygen[left] = c[left] + 1.23 * unit_vectors(unit_vectors(c[left] - ca[left]) + unit_vectors(c[left] - n[right]))
    hydrogen[right] = n[right] + 1.01 * unit_vectors(
        unit_vectors(n[right] - c[left]) + unit_vectors(n[right] - ca[right])
    )
    hydrogen[np.array([letter == "P" for letter in sequence])] = np.nan
    i, j = neighbour_pairs(ca, 9.0)
    acceptor, donor = np.concatenate([i, j]), np.concatenate([j, i])
    keep = np.isfinite(oxygen[acceptor, 0]) & np.isfinite(hydrogen[donor, 0]) & (following[acceptor] != donor)
    acceptor, donor = acceptor[keep], donor[keep]

    def inverse_distance(a: Array, b: Array) -> Array:
        return 1.0 / np.maximum(np.linalg.norm(a - b, axis=-1), 0.5)

    o, h, carbon, nitrogen = oxygen[acceptor], hydrogen[donor], c[acceptor], n[donor]
    energy = 27.9 * (
        inverse_distance(o, nitrogen)
        + inverse_distance(carbon, h)
        - inverse_distance(o, h)
        - inverse_distance(carbon, nitrogen)
    )
    bonded = energy < HYDROGEN_BOND
    return acceptor[bonded], donor[bonded], energy[bonded]


def secondary_structure(following: Indices, acceptor: Indices, donor: Indices) -> str:
    """Helices (H), strands (E) and the rest (-) by the hydrogen-bond patterns of Kabsch & Sander (1983).

    Only alpha helices and ladders of at least two bridges are recognised, which is enough to draw a chain.

    Parameters
    ----------
    following : ndarray, shape=(N,), dtype=int
        Result of `next_residues`.
    acceptor, donor : ndarray, shape=(B,), dtype=int
        Result of `hydrogen_bonds`.

    Returns
    -------
    str
        One letter for each residue.
    """
    size = len(following)
    bonds = acceptor * (size + 1) + donor

    def bonded(i: Indices, j: Indices) -> NDArray[np.bool_]:
        """Whether residue i accepts a hydrogen bond of residue j."""
        return np.isin(i * (size + 1) + j, bonds)

    after = np.append(following, -1)
    after[after < 0] = size  # stands for "no such residue", which bonds nothing
    before = np.full(size + 1, size)
    before[after[:-1]] = np.arange(size)
    before[size] = size

    fourth = after[after[after[after]]]
    turn = bonded(np.arange(size + 1), fourth)
    starts = turn & turn[before]
    helix = np.zeros(size + 1, dtype=bool)
    member = np.flatnonzero(starts)
    for _ in range(4):
        helix[member] = True
        member = after[member]
    helix[size] = False

    # Of every bond from d to a, the bridges that it may be half of: parallel, and antiparallel of both kinds.
    a, d = acceptor, donor
    parallel = after[a], d, bonded(d, after[after[a]])
    antiparallel = a, d, bonded(d, a)
    wide = after[a], before[d], bonded(before[before[d]], after[after[a]])
    i, j, both = (np.concatenate(columns) for columns in zip(parallel, antiparallel, wide, strict=True))
    there = both & (i < size) & (j < size)
    i, j = i[there], j[there]
    segment, from_start, _ = chain_positions(following)
    far = (segment[i] != segment[j]) | (np.abs(from_start[i] - from_start[j]) > 2)
    bridged = np.zeros(size + 1, dtype=bool)
    bridged[i[far]] = bridged[j[far]] = True
    strand = bridged & (bridged[before] | bridged[after])
    return "".join("H" if helix[k] else "E" if strand[k] else "-" for k in range(size))

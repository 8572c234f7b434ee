"""Whether a backbone is possible, and how missing N and C are placed: the one check of files, hosts and arrays.

N and C that are missing beside a C-alpha are rebuilt from the neighbours along the chain. A peptide group is rigid and
planar, so that its atoms are known from the two C-alphas that it joins but for one angle about the line between them;
the angle follows from an atom of the group that is known, or from the bond angles N-CA-C at both ends, which are nearly
the same in all residues (Purisima & Scheraga 1984).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StructureError
from ..notices import Notice
from .geometry import dihedral, unit_vectors

__all__ = [
    "CompleteBackbone",
    "backbone_faults",
    "complete_backbone",
    "corrected_backbone",
    "count",
    "placed",
    "rebuilt_backbone",
    "shorten",
    "there",
]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

SHORTEST, LONGEST = 1.1, 2.0
"""Bonds N-CA and CA-C that can be, Å; ideal are 1.46 and 1.53."""
LARGEST = 1e5
"""Coordinates from here on are not those of a molecule, Å."""
N_CA, CA_C, C_N = 1.458, 1.525, 1.329
"""Ideal bond lengths, Å (Engh & Huber 1991)."""
AT_CA, AT_C, AT_N = np.deg2rad([111.2, 116.2, 121.7])
"""Ideal bond angles N-CA-C, CA-C-N and C-N-CA (Engh & Huber 1991)."""
CIS, TRANS = 3.4, 4.3
"""Bonded C-alphas are nearer than this in a cis and in a trans peptide, Å."""
PHI, PSI = np.deg2rad([-75.0, 140.0])
"""Dihedrals at the ends of a chain, where nothing tells."""


@dataclass(frozen=True)
class CompleteBackbone:
    """The residues of a chain that can be used, each with N, CA and C.

    Attributes
    ----------
    kept : ndarray, shape=(M,), dtype=int
        Indices of the residues among all that were given.
    n, ca, c : ndarray, shape=(M, 3)
        Backbone atoms, Å.
    notices : tuple of Notice
        What was left out and what was rebuilt; their residues are counted among those kept.
    """

    kept: Indices
    n: Array
    ca: Array
    c: Array
    notices: tuple[Notice, ...]


def backbone_faults(n: Array, ca: Array, c: Array) -> dict[int, str]:
    """Residues whose backbone cannot be that of a protein.

    Parameters
    ----------
    n, ca, c : ndarray, shape=(N, 3)
        Backbone atoms, Å.

    Returns
    -------
    dict of int to str
        Index of each faulty residue, and what is wrong with it, as ``"N-CA is 3.10 Å long"``.
    """
    faults: dict[int, str] = {}
    usual = (np.abs(np.stack([n, ca, c])) < LARGEST).all(axis=(0, 2))
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.linalg.norm(n - ca, axis=1), np.linalg.norm(c - ca, axis=1)
        area = np.linalg.norm(np.cross(c - ca, n - ca), axis=1)
        straight = area < 0.05 * lengths[0] * lengths[1]
    possible = [(length >= SHORTEST) & (length <= LONGEST) for length in lengths]
    for k in np.flatnonzero(~usual | straight | ~possible[0] | ~possible[1]):
        if not usual[k]:
            faults[int(k)] = "a backbone coordinate is not a finite number of usual size"
        elif not (possible[0][k] and possible[1][k]):
            bond = 0 if not possible[0][k] else 1
            faults[int(k)] = f"{('N-CA', 'CA-C')[bond]} is {lengths[bond][k]:.2f} Å long"
        else:
            faults[int(k)] = "N, CA and C lie on one line, so that it has no frame"
    return faults


def complete_backbone(
    n: Array, ca: Array, c: Array, chain_ids: Sequence[str] | NDArray[np.str_], labels: Sequence[str], name: str
) -> CompleteBackbone:
    """Leave out residues whose backbone cannot be, and rebuild N and C that are missing beside a C-alpha.

    Parameters
    ----------
    n, ca, c : ndarray, shape=(N, 3)
        Backbone atoms, Å, NaN for those that are missing; residues in the order of their chains.
    chain_ids : sequence of str, length=N
    labels : sequence of str, length=N
        Names of the residues for messages, as ``"A ALA 12"``.
    name : str
        Name of the structure in messages.

    Raises
    ------
    StructureError
        If a coordinate is infinite or too large, or most residues cannot be used; the message says what may be wrong.
    """
    given = np.stack([there(n), there(ca), there(c)])
    n, ca, c = (np.array(positions, dtype=np.float64) for positions in (n, ca, c))
    whole = np.flatnonzero(given.all(axis=0))
    faults = {int(whole[k]): reason for k, reason in backbone_faults(n[whole], ca[whole], c[whole]).items()}
    if len(faults) > len(whole) / 2:
        first = min(faults)
        raise StructureError(
            f"{name}: {len(faults)} of {count(len(whole), 'residue')} have an impossible backbone; of {labels[first]}, "
            f"{faults[first]}. {_hint(n[whole], ca[whole])}"
        )
    alone = given[1] & ~given[0] & ~given[2]
    if alone.sum() > given[1].sum() / 2:
        raise StructureError(
            f"{name}: {alone.sum()} of {count(int(given[1].sum()), 'residue')} have no backbone atom but C-alpha; "
            "DynaProt needs N and C too. Rebuild the backbone with another program first."
        )
    wrong = list(faults)
    n[wrong] = ca[wrong] = c[wrong] = np.nan
    n, ca, c = rebuilt_backbone(n, ca, c, chain_ids)
    usable = there(n) & there(ca) & there(c)
    kept = np.flatnonzero(usable)
    notices = []
    if lacking := [k for k in np.flatnonzero(~usable).tolist() if k not in faults]:
        listed = [f"{labels[k]} (lacks {_missing(given[:, k])})" for k in lacking]
        notices.append(
            Notice(
                f"Left out {count(len(lacking), 'residue')} without a whole backbone: {shorten(listed)}.", "incomplete"
            )
        )
    if faults:
        listed = [f"{labels[k]} ({reason})" for k, reason in faults.items()]
        notices.append(
            Notice(
                f"Left out {count(len(faults), 'residue')} with an impossible backbone: {shorten(listed)}.", "backbone"
            )
        )
    rebuilt = np.flatnonzero(~given[:, kept].all(axis=0))
    if len(rebuilt):
        listed = [f"{_missing(given[:, k])} of {labels[k]}" for k in kept[rebuilt]]
        notices.append(Notice(f"Rebuilt missing backbone atoms: {shorten(listed)}.", "incomplete", rebuilt))
    return CompleteBackbone(kept, n[kept], ca[kept], c[kept], tuple(notices))


def corrected_backbone(n: Array, ca: Array, c: Array) -> tuple[Array, Array, Array]:
    """Rebuild N and C of residues whose backbone cannot be, as far as their C-alphas tell.

    For archives of labels on C-alphas, which stay in their rows.

    Parameters
    ----------
    n, ca, c : ndarray, shape=(N, 3)
        Backbone atoms of one or several chains, Å.

    Returns
    -------
    n, ca, c : ndarray, shape=(N, 3)
    """
    n, ca, c = (np.array(positions, dtype=np.float64) for positions in (n, ca, c))
    wrong = list(backbone_faults(n, ca, c))
    if wrong:
        n[wrong] = c[wrong] = np.nan
        n, ca, c = rebuilt_backbone(n, ca, c, np.zeros(len(ca)))
    return n, ca, c


def there(positions: Array) -> NDArray[np.bool_]:
    """Which of some atoms are known, shape=(N,): those whose positions, shape=(N, 3), are numbers."""
    return np.array(np.isfinite(positions).all(axis=1))


def _missing(given: NDArray[np.bool_]) -> str:
    return ", ".join(atom for atom, there in zip(("N", "CA", "C"), given, strict=True) if not there)


def _hint(n: Array, ca: Array) -> str:
    """What may be wrong where most bonds have an impossible length."""
    scale = float(np.median(np.linalg.norm(n - ca, axis=1))) / N_CA
    if 0.08 < scale < 0.125:
        return "Bonds are ten times too short: coordinates in nm must be multiplied by 10 to be in Å."
    if 8.0 < scale < 12.5:
        return "Coordinates are ten times too large: they must be in Å."
    return "Coordinates must be in Å, and those of a PDB file in its columns, from 31 to 54; these may be shifted."


# Rebuilding -------------------------------------------------------------------------------------------------------


def _peptide(omega: float) -> tuple[Array, Array]:
    """C and N of an ideal peptide group, (2,) each: along the line from one C-alpha to the next, and beside it."""
    bend = AT_N if omega else -AT_N
    alpha = np.array([0.0, 0.0])
    carbon = np.array([CA_C, 0.0])
    nitrogen = carbon + C_N * _direction(np.pi - AT_C)
    following = nitrogen + N_CA * _direction(np.pi - AT_C - np.pi + bend)
    axis = unit_vectors(following - alpha)
    side = np.array([axis[1], -axis[0]])  # C lies on the positive side
    place = np.array([axis, side])
    return place @ carbon, place @ (nitrogen - following)


def _direction(angle: float) -> Array:
    return np.array([np.cos(angle), np.sin(angle)])


def rebuilt_backbone(
    n: Array, ca: Array, c: Array, chain_ids: Sequence[str] | NDArray[Any]
) -> tuple[Array, Array, Array]:
    """Fill in N and C that are missing beside a C-alpha, as far as neighbours tell where they are.

    Parameters
    ----------
    n, ca, c : ndarray, shape=(N, 3)
        Backbone atoms, Å, NaN for those that are missing; residues in the order of their chains.
    chain_ids : sequence of str, length=N

    Returns
    -------
    n, ca, c : ndarray, shape=(N, 3)
    """
    n, c = n.copy(), c.copy()
    chain_ids = np.asarray(chain_ids)
    lacking = there(ca) & ~(there(n) & there(c))
    if not lacking.any():
        return n, ca, c
    distance = np.linalg.norm(ca[1:] - ca[:-1], axis=1)
    bonded = (chain_ids[1:] == chain_ids[:-1]) & (distance > 2.6) & (distance < TRANS)
    for k in np.flatnonzero(bonded & (lacking[1:] | lacking[:-1])):
        _rebuild_peptide(n, ca, c, int(k), cis=bool(distance[k] < CIS))
    for k in np.flatnonzero(lacking):  # what is still missing stands at an end of the chain
        if np.isfinite(c[k]).all() and np.isnan(n[k]).any():
            following = n[k + 1] if k < len(bonded) and bonded[k] else c[k] + _beside(c[k] - ca[k])
            n[k] = placed(following, c[k], ca[k], N_CA, AT_CA, PSI)
        elif np.isfinite(n[k]).all() and np.isnan(c[k]).any():
            preceding = c[k - 1] if k and bonded[k - 1] else n[k] + _beside(n[k] - ca[k])
            c[k] = placed(preceding, n[k], ca[k], CA_C, AT_CA, PHI)
    return n, ca, c


def _rebuild_peptide(n: Array, ca: Array, c: Array, k: int, cis: bool) -> None:
    """Place C of residue k and N of the next one, those of the two that are missing."""
    carbon, nitrogen = _peptide(0.0 if cis else np.pi)
    start, end = ca[k], ca[k + 1]
    axis = unit_vectors(end - start)
    has_c, has_n = np.isfinite(c[k]).all(), np.isfinite(n[k + 1]).all()
    if has_c and has_n:
        return
    if has_c or has_n:
        known = c[k] - start if has_c else np.sign(nitrogen[1]) * (n[k + 1] - end)
        sides = unit_vectors(known - (known @ axis) * axis)[None]
    else:
        first = unit_vectors(_beside(axis))
        angles = np.deg2rad(np.arange(0.0, 360.0, 3.0))[:, None]
        sides = np.cos(angles) * first + np.sin(angles) * np.cross(axis, first)
    carbons = start + carbon[0] * axis + carbon[1] * sides
    nitrogens = end + nitrogen[0] * axis + nitrogen[1] * sides
    strain = np.zeros(len(sides))
    if len(sides) > 1:
        # Bond angles decide; of two places that suit them alike, the one with phi of an L-amino acid.
        if np.isfinite(n[k]).all():
            strain += _strain(n[k], start, carbons)
            if k and np.isfinite(c[k - 1]).all():
                strain += _phi_strain(c[k - 1], n[k], start, carbons)
        if np.isfinite(c[k + 1]).all():
            strain += _strain(nitrogens, end, c[k + 1])
            strain += _phi_strain(carbons, nitrogens, end, c[k + 1])
    best = int(strain.argmin())
    if not has_c:
        c[k] = carbons[best]
    if not has_n:
        n[k + 1] = nitrogens[best]


def _strain(n: Array, ca: Array, c: Array) -> Array:
    """Deviation of the angle N-CA-C from the ideal one, squared, in units of 5 degrees."""
    cosine = (unit_vectors(n - ca) * unit_vectors(c - ca)).sum(-1)
    return ((np.arccos(np.clip(cosine, -1.0, 1.0)) - AT_CA) / np.deg2rad(5.0)) ** 2


def _phi_strain(before: Array, n: Array, ca: Array, c: Array) -> Array:
    before, n, ca, c = np.broadcast_arrays(*(np.atleast_2d(points) for points in (before, n, ca, c)))
    return 1.0 - np.cos(dihedral(before, n, ca, c) - PHI)


def _beside(vector: Array) -> Array:
    """Any vector that is not along another."""
    return np.cross(vector, np.eye(3)[np.abs(vector).argmin()])


def placed(a: Array, b: Array, c: Array, length: float, angle: float, torsion: float) -> Array:
    """The point bonded to c, with the angle to b and the dihedral to a that are given."""
    axis = unit_vectors(c - b)
    normal = unit_vectors(np.cross(b - a, axis))
    across = np.cross(normal, axis)
    return c + length * (-np.cos(angle) * axis + np.sin(angle) * (np.cos(torsion) * across + np.sin(torsion) * normal))


def count(number: int, noun: str) -> str:
    """A number of things, as ``"1 residue"`` or ``"2 residues"``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shorten(items: Sequence[str], most: int = 12) -> str:
    """A list in words, whose end is counted where it is long."""
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")

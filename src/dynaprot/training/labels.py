"""What an ensemble of conformations says about a protein's motion: the labels a network learns from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..joint.spd import unit_diagonal
from ..structure.backbone import nearest_rotations
from ..structure.protein import Structure

__all__ = ["Cluster", "Labels", "System", "labels_of", "read_ensembles", "superpose"]

Array = NDArray[np.floating]
Cluster = int | str
"""Numbers in archives, names elsewhere."""


@dataclass(frozen=True)
class Labels:
    """Second moments of an ensemble, superposed on the reference structure.

    Attributes
    ----------
    marginals : ndarray, shape=(N, 3, 3)
        Å^2, frame of the reference.
    coupling : ndarray, shape=(N, N)
        tr(Sigma_ij)/3 scaled to unit diagonal: the same in every orientation.
    """

    marginals: Array
    coupling: Array


@dataclass(frozen=True)
class System:
    """One simulated protein.

    Attributes
    ----------
    structure : Structure
    frames : ndarray, shape=(F, N, 3)
        C-alpha positions, Å, not superposed.
    cluster : int or str
        Sequence cluster at 30 % identity: proteins of one cluster go to one side of a split.
    quality : float
        Pearson correlation of the RMSF of two halves of the ensemble; NaN where it is not known.
    backbone_rebuilt : bool
        N and C were guessed from C-alpha.
    """

    structure: Structure
    frames: Array
    cluster: Cluster
    quality: float = float("nan")
    backbone_rebuilt: bool = False


def superpose(frames: Array, reference: Array, iterations: int = 5) -> Array:
    """Superpose frames on their own mean, and that on a reference (Kabsch 1976).

    Parameters
    ----------
    frames : ndarray, shape=(F, N, 3)
    reference : ndarray, shape=(N, 3)
    iterations : int
        Rounds of superposition on the mean of the round before.

    Returns
    -------
    ndarray, shape=(F, N, 3)
        In the frame of the reference, centred on its centroid.
    """
    frames = frames - frames.mean(1, keepdims=True)
    reference = reference - reference.mean(0)
    mean = frames[0]
    for _ in range(iterations):
        frames = frames @ nearest_rotations(np.swapaxes(frames, 1, 2) @ mean)
        mean = frames.mean(0)
    return frames @ nearest_rotations(mean.T @ reference) + reference.mean(0)


def labels_of(frames: Array, reference: Array) -> Labels:
    """Labels of an ensemble, shape=(F, N, 3), for a reference structure, shape=(N, 3)."""
    frames = superpose(frames.astype(np.float64), reference)
    deviation = frames - frames.mean(0)
    marginals = np.einsum("fia,fib->iab", deviation, deviation) / (len(frames) - 1)
    flat = deviation.transpose(1, 0, 2).reshape(len(reference), -1)
    return Labels(marginals, unit_diagonal(flat @ flat.T))


def read_ensembles(path: Path) -> Iterator[System]:
    """Systems of an archive laid out as ``md_ensembles.npz`` or ``conformers.npz`` (see the model card)."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    lengths = np.diff(arrays["offset"])
    rebuilt = arrays.get("backbone_rebuilt", np.zeros(len(lengths), dtype=bool))
    starts = np.concatenate([[0], np.cumsum(arrays["n_frames"] * lengths * 3)])
    for k, name in enumerate(arrays["name"]):
        rows = slice(arrays["offset"][k], arrays["offset"][k + 1])
        structure = Structure.from_arrays(
            arrays["N"][rows], arrays["CA"][rows], arrays["C"][rows], str(arrays["seq"][k]), name=str(name)
        )
        frames = arrays["frames"][starts[k] : starts[k + 1]].reshape(-1, lengths[k], 3)
        quality = float(arrays["split_half_rmsf_r"][k])
        yield System(structure, frames, int(arrays["cluster"][k]), quality, bool(rebuilt[k]))

"""`PreparedProtein`: what is known of one protein's motion, in one file (its format: docs/data.md)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..archive import read_archive, write_archive
from ..errors import TrainingDataError
from ..structure.protein import Structure

__all__ = ["PreparedProtein"]

Array = NDArray[np.floating]

FORMAT = "dynaprot-protein-1"
STRUCTURE = ("n", "ca", "c", "chain_ids", "residue_ids", "residue_names")
NUMBERS = ("conformations", "trajectories", "effective_samples", "split_half_rmsf_r")
TEXTS = ("kind", "superposition", "source", "licence", "cluster")


@dataclass(frozen=True, eq=False)
class PreparedProtein:
    """Labels of one protein beside the structure they belong to.

    Attributes
    ----------
    structure : Structure
        The N residues that are labelled, in the reference conformation.
    marginals : ndarray, shape=(N, 3, 3)
        Covariance of each C-alpha in its residue's backbone frame, Å^2: R^T Sigma R with R as in
        `Structure.rotations`.
    coupling : ndarray, shape=(N, N), or None
        tr(Sigma_ij)/3 scaled to unit diagonal; None for a crystal, whose residues were seen one by one.
    mean : ndarray, shape=(N, 3)
        Mean C-alpha positions, Å, superposed on the reference.
    frames : ndarray, shape=(K, N, 3, 3)
        N, CA and C of a few conformations, Å, superposed on the reference. None of a crystal: K = 0.
    kind : str
        ``simulation``, ``models`` (of one file), ``conformers`` or ``crystal``. Only a simulation's sizes are
        thermal; of the others directions and relative sizes are meant.
    conformations, trajectories : int
        How many there were; conformers of an experiment are a trajectory each.
    effective_samples : float
        How many independent conformations they are worth.
    split_half_rmsf_r : float
        Pearson correlation of the RMSF of two halves; NaN where there are none.
    superposition : str
        ``plain`` or ``core-weighted``.
    source, licence : str
        For people to read.
    cluster : str
        Sequence cluster, where the source told it, else empty.
    """

    structure: Structure
    marginals: Array
    coupling: Array | None
    mean: Array
    frames: Array
    kind: str
    conformations: int
    trajectories: int
    effective_samples: float
    split_half_rmsf_r: float
    superposition: str
    source: str
    licence: str
    cluster: str = ""

    @property
    def name(self) -> str:
        """The structure's name, which is the file's too."""
        return self.structure.name

    @property
    def marginals_in_place(self) -> Array:
        """The marginals in the frame of the structure: shape=(N, 3, 3), Å^2."""
        rotations = self.structure.rotations
        return rotations @ self.marginals @ np.swapaxes(rotations, 1, 2)

    @property
    def rmsf(self) -> Array:
        """Root mean square fluctuation of each C-alpha: shape=(N,), Å."""
        return np.sqrt(np.trace(self.marginals, axis1=1, axis2=2))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one ``.npz`` file without pickles; it appears whole or not at all."""
        arrays: dict[str, Any] = {name: getattr(self.structure, name) for name in STRUCTURE}
        arrays |= {name: getattr(self, name) for name in ("marginals", *NUMBERS, *TEXTS)}
        arrays |= {
            "name": self.name,
            "sequence": self.structure.sequence,
            "notices": np.array(self.structure.notices, dtype=np.str_),
            "mean": self.mean.astype(np.float32),
            "frames": self.frames.astype(np.float32),
        }
        if self.coupling is not None:
            arrays["coupling"] = self.coupling.astype(np.float32)
        write_archive(path, FORMAT, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PreparedProtein:
        """Read what `save` wrote.

        Raises
        ------
        TrainingDataError
            If the file is missing, damaged, or something else.
        """
        arrays = read_archive(path, FORMAT, "protein that `dynaprot prepare` wrote", TrainingDataError)
        structure = Structure.from_arrays(
            **{name: arrays[name] for name in STRUCTURE},
            sequence=str(arrays["sequence"]),
            name=str(arrays["name"]),
            notices=tuple(str(notice) for notice in arrays["notices"]),
        )
        return cls(
            structure,
            marginals=arrays["marginals"],
            coupling=arrays.get("coupling"),
            mean=arrays["mean"],
            frames=arrays["frames"],
            **{name: arrays[name].item() for name in (*NUMBERS, *TEXTS)},
        )

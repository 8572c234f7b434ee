"""`PreparedProtein`: what is known of one protein's motion, in one file (its format: docs/data.md)."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TrainingDataError
from ..storage import read_archive, write_archive
from ..structure.protein import Structure

__all__ = ["PreparedProtein"]

Array = NDArray[np.floating]

FORMAT = "dynaprot-protein-1"
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
        # Side chains are not labelled, and the reference conformation need not be the one that they were read in.
        arrays: dict[str, Any] = replace(self.structure, atoms=None).to_arrays()
        arrays |= {name: getattr(self, name) for name in ("marginals", *NUMBERS, *TEXTS)}
        arrays |= {
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
        _, archive = read_archive(path, (FORMAT,), "a protein that `dynaprot prepare` wrote", TrainingDataError)
        structure = Structure.from_archive(archive)
        facts: dict[str, Any] = {name: archive.numbers(name, finite=False).item() for name in NUMBERS}
        facts |= {name: archive.text(name) for name in TEXTS}
        return cls(
            structure,
            marginals=archive.numbers("marginals", "N", 3, 3),
            coupling=archive.numbers("coupling", "N", "N") if "coupling" in archive else None,
            mean=archive.numbers("mean", "N", 3),
            frames=archive.numbers("frames", "frames", "N", 3, 3),
            **facts,
        )

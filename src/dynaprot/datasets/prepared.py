"""`PreparedProtein`: what is known about the motion of one protein, in one file (its format: docs/data.md)."""

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

FORMAT = "dynaprot-protein-2"
NUMBERS = ("conformations", "trajectories", "effective_samples", "split_half_rmsf_r", "backbone_rebuilt")
TEXTS = ("kind", "source", "licence", "cluster")


@dataclass(frozen=True, eq=False)
class PreparedProtein:
    """Labels of one protein and the structure to which they belong.

    Attributes
    ----------
    structure : Structure
        The N residues that have labels, in the reference conformation.
    marginals : ndarray, shape=(N, 3, 3)
        Covariance of each C-alpha in its residue's backbone frame, Å^2: R^T Sigma R with R as in
        `Structure.rotations`.
    coupling : ndarray, shape=(N, N), or None
        tr(Sigma_ij)/3 scaled to unit diagonal; None for a crystal, which describes each residue by itself.
    mean : ndarray, shape=(N, 3)
        Mean C-alpha positions, Å, superposed on the reference.
    frames : ndarray, shape=(K, N, 3, 3)
        N, CA and C of a few conformations, Å, superposed on the reference; K = 0 where no conformations are known.
    kind : str
        ``simulation``, ``models`` (of one file), ``conformers``, ``crystal``, or ``taught`` (as a model predicts).
        Only the sizes of simulations and predictions are thermal; the others show directions and relative sizes.
    conformations, trajectories : int
        Their numbers; each conformer of an experiment is a trajectory. 1 where no conformations are known.
    effective_samples : float
        The number of independent conformations to which the ensemble amounts.
    split_half_rmsf_r : float
        Pearson correlation of the RMSF of two halves, as the source states it, or else as
        `prepare.split_half_rmsf_r` halves it; NaN for a crystal.
    backbone_rebuilt : bool
        Whether N and C of the reference were rebuilt from C-alphas.
    source, licence : str
        Texts for people.
    cluster : str
        Sequence cluster, where the source states it, else empty.
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
    source: str
    licence: str
    cluster: str = ""
    backbone_rebuilt: bool = False

    @property
    def name(self) -> str:
        """The name of the structure and of the file."""
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

    @property
    def breaks(self) -> int:
        """Number of places where a chain of the structure is broken."""
        ends = int((self.structure.next_residue < 0).sum())
        return max(ends - len(set(self.structure.chain_ids)), 0)

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
            If the file is missing, damaged, or not of this format.
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

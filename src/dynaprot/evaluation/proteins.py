"""The proteins that models are judged on, read from a folder."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import StructureError
from ..structure.protein import Structure
from ..training.labels import System, read_ensembles

__all__ = ["AtlasChain", "read_atlas", "read_folder"]

Array = NDArray[np.floating]


@dataclass(frozen=True)
class AtlasChain:
    """A chain of ATLAS with the RMSF of its simulations.

    Attributes
    ----------
    structure : Structure
    rmsf : ndarray, shape=(N,)
        Å, mean of three simulations of 100 ns; NaN where it is not known.
    cluster : int
    """

    structure: Structure
    rmsf: Array
    cluster: int


def read_atlas(path: Path) -> list[AtlasChain]:
    """Chains of an archive laid out as ``atlas_rmsf.npz``: backbones with ``rmsf_A`` for each residue."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise StructureError(f"{path}: cannot be read ({error}).") from error
    chains = []
    for k, name in enumerate(arrays["atlas_id"]):
        rows = slice(arrays["offset"][k], arrays["offset"][k + 1])
        structure = Structure.from_arrays(
            arrays["N"][rows], arrays["CA"][rows], arrays["C"][rows], str(arrays["seq"][k]), name=str(name)
        )
        chains.append(AtlasChain(structure, arrays["rmsf_A"][rows].astype(np.float64), int(arrays["cluster"][k])))
    return chains


def read_folder(folder: Path, clusters: Collection[int] | None = None) -> tuple[list[System], list[AtlasChain]]:
    """Read what a folder has of ``md_ensembles.npz`` and ``atlas_rmsf.npz``.

    Parameters
    ----------
    folder : Path
    clusters : collection of int, optional
        Keep only simulated proteins of these sequence clusters. Chains of ATLAS are kept: nothing is trained on them.

    Raises
    ------
    StructureError
        If there is neither file, or no simulated protein is of these clusters.
    """
    simulated, atlas = folder / "md_ensembles.npz", folder / "atlas_rmsf.npz"
    if not simulated.exists() and not atlas.exists():
        raise StructureError(f"{folder}: has neither md_ensembles.npz nor atlas_rmsf.npz to evaluate on.")
    systems = []
    if simulated.exists():
        systems = [each for each in read_ensembles(simulated) if clusters is None or each.cluster in clusters]
        if not systems:
            raise StructureError(f"{simulated}: no protein is of the clusters {sorted(clusters or [])}.")
    return systems, read_atlas(atlas) if atlas.exists() else []

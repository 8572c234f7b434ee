"""The proteins that models are judged on, from packed archives or from simulations themselves."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..datasets.labels import Cluster
from ..datasets.sources import Displacements, Ensemble, Source, find_sources, read_ensembles
from ..datasets.splits import Split
from ..errors import StructureError, TrainingDataError
from ..structure.protein import Structure

__all__ = ["AtlasChain", "Proteins", "read_atlas", "read_folder", "read_proteins"]

Array = NDArray[np.floating]

SIMULATED, ATLAS = "md_ensembles.npz", "atlas_rmsf.npz"
MOST_FRAMES = 1000
"""Of a simulation, evenly spaced: as many as AlphaFlow's analysis takes."""


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


@dataclass(frozen=True)
class Proteins:
    """What models are judged on.

    Attributes
    ----------
    systems : iterable of Ensemble
        To go through once: simulations are read as they come.
    chains : list of AtlasChain
    count : int
        How many there are of both, those that prove unreadable among them.
    unread : list of str
        What could not be read, and why; complete once the systems have been gone through.
    """

    systems: Iterable[Ensemble]
    chains: list[AtlasChain]
    count: int
    unread: list[str]


def read_proteins(
    path: Path,
    *,
    clusters: Collection[Cluster] | None = None,
    split: Split | None = None,
    topology: Path | None = None,
    temperature: int = 320,
) -> Proteins:
    """Find the proteins that a path holds.

    Parameters
    ----------
    path : Path
        A folder of packed archives, as for `read_folder`, or whatever `find_sources` finds conformations in.
    clusters : collection of int or str, optional
        Keep only simulated proteins of these sequence clusters. A protein of which nobody told one is its own, by name.
    split : Split, optional
        Keep only simulated proteins that it has for tests.
    topology, temperature
        As for `find_sources`.

    Raises
    ------
    StructureError, TrainingDataError
        If there is no such protein.
    """
    if any((path / name).exists() for name in (SIMULATED, ATLAS)):
        systems, chains = read_folder(path, clusters)
        systems = [each for each in systems if split is None or each.structure.name in split.test]
        return Proteins(systems, chains, len(systems) + len(chains), [])
    found = find_sources([path], topology=topology, temperature=temperature)
    sources = [source for source in found if split is None or source.name in split.test]
    if not sources:
        raise TrainingDataError(f"{path}: none of its {len(found)} proteins is of the test part of the split.")
    unread: list[str] = []
    return Proteins(_read_each(sources, clusters, split, unread), [], len(sources), unread)


def _read_each(
    sources: Iterable[Source], clusters: Collection[Cluster] | None, split: Split | None, unread: list[str]
) -> Iterator[Ensemble]:
    for source in sources:
        try:
            system = _read_system(source, split)
        except Exception as error:  # readers raise whatever comes to them, and one must not end the run
            unread.append(f"{source.name}: {source.explain(error)}")
            continue
        unread += [f"{source.name}: {notice}" for notice in system.structure.notices]
        if clusters is None or system.cluster in clusters:
            yield system


def _read_system(source: Source, split: Split | None) -> Ensemble:
    content = source.read()
    if isinstance(content, Displacements):
        raise TrainingDataError("a crystal has no conformations to judge by.")
    picked = np.unique(np.linspace(0, len(content.frames) - 1, MOST_FRAMES).astype(int))
    cluster = (split.clusters.get(source.name) if split else None) or str(content.cluster) or source.name
    return replace(
        content,
        structure=replace(content.structure, name=source.name),
        frames=content.frames[picked],
        trajectory=content.trajectory[picked],
        backbones=content.backbones[:0],  # nobody judges by them
        backbone_frames=content.backbone_frames[:0],
        cluster=int(cluster) if cluster.isdigit() else cluster,
    )


def read_folder(folder: Path, clusters: Collection[Cluster] | None = None) -> tuple[list[Ensemble], list[AtlasChain]]:
    """Read what a folder has of ``md_ensembles.npz`` and ``atlas_rmsf.npz``.

    Parameters
    ----------
    folder : Path
    clusters : collection of int or str, optional
        Keep only simulated proteins of these sequence clusters. Chains of ATLAS are kept: nothing is trained on them.

    Raises
    ------
    StructureError
        If an archive cannot be read, or no simulated protein is of these clusters.
    """
    simulated, atlas = folder / SIMULATED, folder / ATLAS
    systems = []
    if simulated.exists():
        systems = [each for each in read_ensembles(simulated) if clusters is None or each.cluster in clusters]
        if not systems:
            raise StructureError(f"{simulated}: no protein is of the clusters {sorted(clusters or [], key=str)}.")
    return systems, read_atlas(atlas) if atlas.exists() else []

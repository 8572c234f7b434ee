"""The proteins that models are evaluated on, from packed archives or from simulations themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..datasets.labels import Cluster
from ..datasets.sources import (
    Displacements,
    Ensemble,
    Source,
    draw_crystals,
    draw_domains,
    find_sources,
    read_ensembles,
    read_relaxation,
    read_rmsf_chains,
)
from ..datasets.splits import Split
from ..errors import TrainingDataError
from .scores import BPTI, Known

__all__ = ["DATA_NEEDED", "Proteins", "read_folder", "read_proteins"]

SIMULATED, ATLAS, NMR = "md_ensembles.npz", "atlas_rmsf.npz", "relaxdb.npz"
CRYSTALS, SIZES, OTHERS = "crystal_aniso.npz", "mdcath_amplitude.npz", "md_extra.npz"
ARCHIVES = (SIMULATED, ATLAS, CRYSTALS, NMR, SIZES, OTHERS)
MAX_FRAMES = 1000
"""Frames taken of a simulation, evenly spaced: as many as AlphaFlow's analysis takes."""
DATA_NEEDED = f"""\
An evaluation needs simulated proteins: name their folder or file with --data. It may hold
  simulations in the layout of ATLAS (www.dsimb.inserm.fr/ATLAS, CC BY-NC 4.0), as folders or zips
  mdCATH .h5 files (huggingface.co/datasets/compsciencelab/mdCATH, CC BY 4.0)
  PDB or mmCIF files with several models
  any of {", ".join(ARCHIVES[:3])},
    {", ".join(ARCHIVES[3:])}, the archives that docs/data.md describes
  any trajectory, with --topology
Nothing has to be prepared for an evaluation; to train, `dynaprot prepare` makes labels of the same data."""


@dataclass(frozen=True)
class Proteins:
    """The proteins that models are evaluated on.

    Attributes
    ----------
    systems : iterable of Ensemble
        Simulated proteins, read one by one while they are iterated over, which is possible once.
    chains : list of RmsfChain or Relaxation
        Proteins of which something other than conformations is known.
    count : int
        Number of both, with those that prove unreadable.
    unread : list of str
        What could not be read, and why; complete once all systems have been read.
    draws : sequence of iterator
        Crystals and domains of mdCATH: large sets in an order drawn by chance, read as they are asked for.
    """

    systems: Iterable[Ensemble]
    chains: list[Known]
    count: int
    unread: list[str]
    draws: Sequence[Iterator[Known]] = ()


def read_proteins(
    path: Path,
    *,
    clusters: Collection[Cluster] | None = None,
    split: Split | None = None,
    topology: Path | None = None,
    temperature: int = 320,
    seed: int = 0,
) -> Proteins:
    """Find the proteins that a path holds.

    Parameters
    ----------
    path : Path
        A folder of packed archives, as for `read_folder`, or anything in which `find_sources` finds conformations.
    clusters : collection of int or str, optional
        Keep only simulated proteins of these sequence clusters. A protein without a stated cluster is its own, by name.
    split : Split, optional
        Keep only simulated proteins of its test set.
    topology, temperature
        As in `find_sources`.
    seed : int
        Seed of the draws from large archives.

    Raises
    ------
    TrainingDataError
        If there is no such protein.
    """
    if any((path / name).exists() for name in ARCHIVES):
        unread: list[str] = []
        systems, chains = read_folder(path, clusters, unread)
        systems = [each for each in systems if split is None or each.structure.name in split.test]
        systems += _read_bpti(path / OTHERS)
        draws = [
            draw(path / name, seed, unread)
            for name, draw in ((CRYSTALS, draw_crystals), (SIZES, draw_domains))
            if (path / name).exists()
        ]
        return Proteins(systems, chains, len(systems) + len(chains), unread, draws)
    found = find_sources([path], topology=topology, temperature=temperature)
    sources = [source for source in found if split is None or source.name in split.test]
    if not sources:
        raise TrainingDataError(f"{path}: none of its {len(found)} proteins is in the test set of the split.")
    unread = []
    return Proteins(_read_each(sources, clusters, split, unread), [], len(sources), unread)


def _read_bpti(path: Path) -> list[Ensemble]:
    """The simulation of BPTI in an archive of simulations, if there are both."""
    found = [source.read() for source in find_sources([path]) if source.name == BPTI] if path.exists() else []
    return [content for content in found if isinstance(content, Ensemble)]


def _read_each(
    sources: Iterable[Source], clusters: Collection[Cluster] | None, split: Split | None, unread: list[str]
) -> Iterator[Ensemble]:
    for source in sources:
        try:
            system = _read_system(source, split)
        except Exception as error:  # one broken simulation must not end the run
            unread.append(f"{source.name}: {source.explain(error)}")
            continue
        unread += [f"{source.name}: {notice}" for notice in system.structure.notices]
        if clusters is None or system.cluster in clusters:
            yield system


def _read_system(source: Source, split: Split | None) -> Ensemble:
    content = source.read()
    if isinstance(content, Displacements):
        raise TrainingDataError("a crystal has no conformations to compare with.")
    picked = np.unique(np.linspace(0, len(content.frames) - 1, MAX_FRAMES).astype(int))
    cluster = (split.clusters.get(source.name) if split else None) or str(content.cluster) or source.name
    return replace(
        content,
        structure=replace(content.structure, name=source.name),
        frames=content.frames[picked],
        trajectory=content.trajectory[picked],
        backbones=content.backbones[:0],  # not needed here
        backbone_frames=content.backbone_frames[:0],
        cluster=int(cluster) if cluster.isdigit() else cluster,
    )


def read_folder(
    folder: Path, clusters: Collection[Cluster] | None = None, unread: list[str] | None = None
) -> tuple[list[Ensemble], list[Known]]:
    """Read what a folder has of ``md_ensembles.npz``, ``atlas_rmsf.npz`` and ``relaxdb.npz``.

    Parameters
    ----------
    folder : Path
    clusters : collection of int or str, optional
        Keep only simulated proteins of these sequence clusters; the others are all kept.
    unread : list of str, optional
        Takes the name of each protein whose structure cannot be read, and why.

    Raises
    ------
    TrainingDataError
        If an archive cannot be read, or no simulated protein is of these clusters.
    """
    simulated = folder / SIMULATED
    systems = []
    if simulated.exists():
        systems = [each for each in read_ensembles(simulated, unread) if clusters is None or each.cluster in clusters]
        if not systems:
            raise TrainingDataError(f"{simulated}: no protein is of the clusters {sorted(clusters or [], key=str)}.")
    chains: list[Known] = []
    for name, read in ((ATLAS, read_rmsf_chains), (NMR, read_relaxation)):
        if (folder / name).exists():
            chains += read(folder / name)
    return systems, chains

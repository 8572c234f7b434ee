"""Make labels for training from every source of motion, one file for each protein (`dynaprot prepare`)."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import TrainingDataError
from ..joint.linear_algebra import unit_diagonal
from ..structure.protein import Structure
from ..structure.superposition import chunks, superpose_ensemble
from .alignment import chain_sequences
from .distillation import Taught
from .labels import Cluster
from .prepared import PreparedProtein
from .sources import Displacements, Ensemble, Source
from .splits import Split, sequence_clusters, split_by_cluster

__all__ = ["Outcome", "effective_samples", "prepare", "prepare_protein", "split_half_rmsf_r", "split_prepared"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

FEWEST = 4
"""Conformations that an ensemble must have: fewer do not determine a 3 x 3 covariance."""
KEPT_FRAMES = 16
"""Conformations kept for augmentation."""


@dataclass(frozen=True)
class Outcome:
    """The result of preparing one protein.

    Attributes
    ----------
    name : str
    path : Path or None
        The prepared file; None if the protein could not be prepared.
    kept : bool
        Whether the file was there already.
    messages : tuple of str
        What was left out, or why there is no file.
    """

    name: str
    path: Path | None
    kept: bool
    messages: tuple[str, ...]


def prepare(sources: Sequence[Source], folder: Path, *, jobs: int | None = None) -> Iterator[Outcome]:
    """Prepare proteins, several at a time; a file that is there and whole is kept.

    Parameters
    ----------
    sources : sequence of Source
        As from `find_sources`.
    folder : Path
        Where the ``<name>.npz`` of each protein is written. A file of the same source is not made again.
    jobs : int, optional
        Number of processes; by default one for each processor. With 1 the work is done in this process.

    Yields
    ------
    Outcome
        One for each source, in the order in which they are finished.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = min(jobs or os.cpu_count() or 1, len(sources))
    if jobs <= 1:
        for source in sources:
            yield _attempt(source, folder)
        return
    # Spawned, not forked: the progress bar runs a thread, which a fork would break.
    with (
        _one_thread_a_process(),
        ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        waiting = {pool.submit(_attempt, source, folder): source for source in sources}
        try:
            for done in as_completed(waiting):
                error = done.exception()  # the process itself ended, as when memory runs out
                if error is None:
                    yield done.result()
                else:
                    yield Outcome(waiting[done].name, None, False, (f"its process ended: {error}",))
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_a_process() -> Iterator[None]:
    """Keep the linear algebra of many processes from starting many threads each; they inherit the environment."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _attempt(source: Source, folder: Path) -> Outcome:
    path = folder / f"{source.name}.npz"
    try:
        there = PreparedProtein.load(path)
        if there.source == source.description:
            return Outcome(source.name, path, True, there.structure.notices)
    except TrainingDataError:
        pass  # missing, damaged or of an earlier format: made again
    try:
        protein = prepare_protein(source)
        protein.save(path)
    except Exception as error:  # one broken simulation of a thousand must not end the run
        return Outcome(source.name, None, False, (source.explain(error),))
    return Outcome(source.name, path, False, protein.structure.notices)


def prepare_protein(source: Source) -> PreparedProtein:
    """Read the source of one protein and compute its labels."""
    content = source.read()
    named = replace(content.structure, name=source.name)
    if isinstance(content, Taught):
        return _of_teacher(replace(content, structure=named), source)
    if isinstance(content, Displacements):
        return _of_crystal(replace(content, structure=named), source)
    return _of_ensemble(replace(content, structure=named), source)


def _of_crystal(crystal: Displacements, source: Source) -> PreparedProtein:
    return _without_frames(crystal.structure, crystal.displacements, None, "crystal", crystal.cluster, source)


def _of_teacher(content: Taught, source: Source) -> PreparedProtein:
    return _without_frames(content.structure, content.marginals, content.coupling, "taught", content.cluster, source)


def _without_frames(
    structure: Structure, marginals: Array, coupling: Array | None, kind: str, cluster: Cluster, source: Source
) -> PreparedProtein:
    """A protein whose moments are known, but no conformations."""
    return PreparedProtein(
        structure,
        marginals=_in_local_frames(marginals, structure.rotations),
        coupling=coupling,
        mean=structure.ca,
        frames=np.zeros((0, len(structure), 3, 3)),
        kind=kind,
        conformations=1,
        trajectories=1,
        effective_samples=1.0,
        split_half_rmsf_r=float("nan"),
        source=source.description,
        licence=source.licence,
        cluster=str(cluster),
    )


def _of_ensemble(ensemble: Ensemble, source: Source) -> PreparedProtein:
    structure = ensemble.structure
    count = len(ensemble.frames)
    if count < FEWEST:
        raise TrainingDataError(f"{source.name}: {count} conformations are too few; {FEWEST} are needed.")
    rotations, shifts = superpose_ensemble(ensemble.frames, structure.ca)
    mean = np.zeros((len(structure), 3))
    for rows in chunks(count):
        mean += (ensemble.frames[rows] @ rotations[rows] + shifts[rows]).sum(0) / count
    displacements = np.empty(ensemble.frames.shape, dtype=np.float32)
    for rows in chunks(count):
        displacements[rows] = ensemble.frames[rows] @ rotations[rows] + shifts[rows] - mean
    marginals = np.zeros((len(structure), 3, 3))
    moments = np.zeros((len(structure), len(structure)))
    for rows in chunks(count):
        by_residue = displacements[rows].transpose(1, 0, 2).astype(np.float64)
        marginals += np.swapaxes(by_residue, 1, 2) @ by_residue / (count - 1)
        flat = by_residue.reshape(len(structure), -1)
        moments += flat @ flat.T
    still = np.diagonal(moments) <= 0
    if still.any():
        raise TrainingDataError(
            f"{source.name}: residue {structure.residue_label(int(still.argmax()))} does not move at all; are the "
            "conformations copies of each other?"
        )
    picked = np.unique(np.linspace(0, len(ensemble.backbones) - 1, KEPT_FRAMES).astype(int))
    placing = ensemble.backbone_frames[picked]
    agreement = ensemble.split_half_rmsf_r
    if np.isnan(agreement):  # the source does not state it
        agreement = split_half_rmsf_r(displacements, ensemble.trajectory)
    frames = ensemble.backbones[picked] @ rotations[placing][:, None] + shifts[placing][:, None]
    return PreparedProtein(
        structure,
        marginals=_in_local_frames(marginals, structure.rotations),
        coupling=unit_diagonal(moments),
        mean=mean,
        frames=frames,
        kind=ensemble.kind,
        conformations=count,
        trajectories=len(np.unique(ensemble.trajectory)),
        effective_samples=effective_samples(displacements, ensemble.trajectory),
        split_half_rmsf_r=agreement,
        backbone_rebuilt=ensemble.backbone_rebuilt,
        source=source.description,
        licence=source.licence,
        cluster=str(ensemble.cluster),
    )


def _in_local_frames(covariances: Array, rotations: Array) -> Array:
    """R^T Sigma R: the rotations' columns are the local axes, so that R maps local to global."""
    return np.swapaxes(rotations, 1, 2) @ covariances @ rotations


def effective_samples(displacements: Array, trajectory: Indices) -> float:
    """The number of independent conformations to which an ensemble amounts.

    The sum over trajectories of F / (1 + 2 sum rho_k), with the autocorrelation rho of all residues together, each
    counting the same, about the mean of the whole ensemble: trajectories that stay apart from each other are one sample
    each. The sum over k ends where a pair of terms is no longer positive (Geyer 1992).

    Parameters
    ----------
    displacements : ndarray, shape=(F, N, 3)
        Superposed positions less their mean, Å.
    trajectory : ndarray, shape=(F,), dtype=int
        Number of the trajectory of each frame.

    Returns
    -------
    float
        Between the number of trajectories and the number of frames.
    """
    size = np.sqrt((displacements**2).sum(2).mean(0))
    total = 0.0
    for number in np.unique(trajectory):
        series = displacements[trajectory == number] / size[:, None]
        length = len(series)
        padded = 2 ** int(np.ceil(np.log2(2 * length)))
        autocovariance = np.zeros(length)
        for residues in np.array_split(np.arange(len(size)), max(1, length * len(size) // 1_000_000)):
            spectrum = np.abs(np.fft.rfft(series[:, residues], padded, axis=0)) ** 2
            autocovariance += np.fft.irfft(spectrum.sum((1, 2)), padded)[:length]
        correlation = autocovariance / np.arange(length, 0, -1)
        correlation /= correlation[0]
        pairs = correlation[: length // 2 * 2].reshape(-1, 2).sum(1)
        ends = np.flatnonzero(pairs <= 0)
        pairs = pairs[: ends[0]] if len(ends) else pairs
        time = 2.0 * pairs.sum() - 1.0  # 1 + 2 (rho_1 + rho_2 + ...), as rho_0 = 1
        total += length / min(max(time, 1.0), length)
    return float(total)


def split_half_rmsf_r(displacements: Array, trajectory: Indices) -> float:
    """Pearson correlation of the RMSF of two halves of an ensemble.

    The halves are the first and the second of every trajectory. Trajectories of a single frame, as those of independent
    conformers, are halved together in their order, which leaves the chains of one crystal on one side.

    Parameters
    ----------
    displacements, trajectory
        As in `effective_samples`.

    Returns
    -------
    float
        NaN where one half does not move.
    """
    second = np.zeros(len(trajectory), dtype=bool)
    alone = []
    for number in np.unique(trajectory):
        rows = np.flatnonzero(trajectory == number)
        if len(rows) == 1:
            alone.append(rows[0])
        second[rows[(len(rows) + 1) // 2 :]] = True
    second[alone[(len(alone) + 1) // 2 :]] = True
    halves = [displacements[half].std(0, dtype=np.float64) for half in (~second, second)]
    rmsf = np.sqrt((np.array(halves) ** 2).sum(2))
    if np.ptp(rmsf, axis=1).min() == 0:  # a half of one conformation, or of equal ones
        return float("nan")
    return float(np.corrcoef(rmsf)[0, 1])


def split_prepared(folder: Path, seed: int = 0) -> Split:
    """Split the prepared proteins of a folder by cluster: as the sources state it, or else by sequence.

    Raises
    ------
    TrainingDataError
        If there are fewer than three clusters.
    """
    proteins = [PreparedProtein.load(path) for path in sorted(folder.glob("*.npz"))]
    clusters = {protein.name: protein.cluster for protein in proteins}
    if not all(clusters.values()):
        clusters = sequence_clusters({protein.name: chain_sequences(protein.structure) for protein in proteins})
    return split_by_cluster(clusters, seed)

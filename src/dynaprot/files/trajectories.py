"""Ensembles as files of many models or frames."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..defaults import ENSEMBLE_SUFFIXES
from ..errors import OutputError
from ..storage import replacing
from ..structure import Atoms, Structure
from .coordinates import alpha_carbons, molecule, write_pdb_text

__all__ = ["write_ensemble"]


def write_ensemble(
    structure: Structure, samples: NDArray[np.floating], path: str | os.PathLike[str]
) -> tuple[Path, ...]:
    """Write an ensemble, with every sample as one model or frame; the input structure is not among them.

    Parameters
    ----------
    structure : Structure
    samples : ndarray, shape=(n, N, 3) or (n, A, 3), dtype=float
        Positions in Å: of C-alpha, or of all of ``structure.atoms``.
    path : path-like
        The suffix chooses the format: ``.pdb`` of n models, or ``.dcd`` or ``.xtc`` (to 0.01 Å) of n frames.
        Such a trajectory names no atoms, so ``<stem>_topology.pdb`` with the input structure is written
        beside it, to be opened first.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    OutputError
        If the suffix is another one or the file cannot be written.
    """
    path = Path(path)
    atoms = _atoms_of(structure, samples)
    samples = samples[:, np.argsort(atoms.residue, kind="stable")]  # as the files hold them
    result = molecule(structure, atoms, f"DynaProt ensemble of {structure.name}")
    if path.suffix == ".pdb":
        for number, sample in enumerate(samples, start=1):
            model = result[0].clone()
            model.num = number
            for place, position in zip(model.all(), sample.tolist(), strict=True):
                place.atom.pos.fromlist(position)
            result.add_model(model)
        del result[0]
        with replacing(path) as temporary:
            write_pdb_text(result, temporary)
        return (path,)
    if path.suffix in (".dcd", ".xtc"):
        topology = path.with_name(f"{path.stem}_topology.pdb")
        with replacing(path) as temporary:
            _write_frames(samples, temporary)
            with replacing(topology) as temporary_topology:
                write_pdb_text(result, temporary_topology)
        return path, topology
    raise OutputError(f"Cannot write {path}: ensembles are written as {', '.join(ENSEMBLE_SUFFIXES)}.")


def _atoms_of(structure: Structure, samples: NDArray[np.floating]) -> Atoms:
    choices = [alpha_carbons(structure)] + ([structure.atoms] if structure.atoms else [])
    for atoms in choices:
        if samples.shape[1:] == atoms.positions.shape:
            return atoms
    sizes = " or ".join(f"(n, {len(atoms.names)}, 3)" for atoms in choices)
    raise OutputError(f"{structure.name}: samples must have shape {sizes}, not {samples.shape}.")


def _write_frames(samples: NDArray[np.floating], path: Path) -> None:
    try:
        import chemfiles
    except ImportError as error:
        raise OutputError(
            f"A {path.suffix} trajectory needs the package chemfiles: install it (pip install chemfiles), "
            "or write the ensemble as .pdb."
        ) from error
    path.touch()  # Python's own error for a missing folder is in plain words
    try:
        with chemfiles.Trajectory(str(path), "w", path.suffix[1:].upper()) as trajectory:
            frame = chemfiles.Frame()
            frame.resize(samples.shape[1])
            for step, sample in enumerate(samples):
                frame.step = step
                frame.positions[:] = sample
                trajectory.write(frame)
    except chemfiles.ChemfilesError as error:  # not an `Exception` in chemfiles 0.10
        raise OutputError(f"Cannot write {path.suffix} trajectory: {error}") from error

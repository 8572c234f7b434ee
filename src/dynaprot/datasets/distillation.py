"""Distillation: labels that a model predicts for structures whose motion nobody measured.

A share of the structures is changed into what people bring beside whole chains: a loop is missing, the chain is cut in
two molecules, or an extended tail is added, as AlphaFold's models have them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import TrainingDataError
from ..network.weights import find_weights
from ..prediction import parts, predict
from ..structure import Structure
from ..structure.completion import AT_C, AT_CA, AT_N, C_N, CA_C, N_CA, placed
from .labels import Cluster
from .sources import Source, StructureAlone
from .training_sequences import TrainingSequences, sequences_path

__all__ = ["TEACHER_SEQUENCES", "Taught", "extended", "keep_sequences_of", "taught", "without_stretch"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]

TEACHER_SEQUENCES = "teacher.training.fasta.gz"
"""File beside prepared proteins with the sequences that their teacher was trained on."""
SHORTEST_GAP, LONGEST_GAP = 3, 30
"""Residues that are cut out to make a gap."""
SHORTEST_TAIL, LONGEST_TAIL = 5, 40
"""Residues of a tail that is added."""
SHORTEST_PART = 20
"""Residues of the smaller part of a chain that is cut in two; no chain of fewer than twice as many is changed."""
TAIL_PHI, TAIL_PSI = np.deg2rad([-75.0, 145.0])
"""Dihedrals of an extended tail, about which those of its residues are drawn."""
TAIL_SPREAD = np.deg2rad(20.0)
TAIL_SEQUENCE = "GSAEKPTDQN"
"""Letters that a tail's sequence is drawn from: those of disordered stretches."""
TAIL_APART = 6.0
"""Å between the C-alphas of a tail and of the protein, but for the first residues of the tail."""
TRIES = 20


@dataclass(frozen=True)
class Taught:
    """A structure with the moments that a model predicts.

    Attributes
    ----------
    structure : Structure
    marginals : ndarray, shape=(N, 3, 3)
        Å^2, frame of the structure.
    coupling : ndarray, shape=(N, N)
        Unit diagonal.
    cluster : int or str
        Sequence cluster of the structure that it was made of.
    """

    structure: Structure
    marginals: Array
    coupling: Array
    cluster: Cluster


def keep_sequences_of(teacher: str, folder: Path) -> None:
    """Keep, beside what a model taught, the sequences that it was trained on itself, as far as they are known."""
    for part in parts(teacher):
        path = find_weights(part)
        if path is not None and sequences_path(path).exists():
            known = folder / TEACHER_SEQUENCES
            found = TrainingSequences.load(sequences_path(path)).of_one_member(0)
            (TrainingSequences.load(known) | found if known.exists() else found).save(known)


def taught(source: Source, teacher: str, varied: float = 0.0) -> Source:
    """A source of a structure alone with labels by a model.

    Parameters
    ----------
    source : Source
        As `find_structures` lists them.
    teacher : str
        Model as for `dynaprot.predict`.
    varied : float
        Probability that a single chain is changed: a third of the changed ones each get a gap, are cut in two chains,
        or get an extended tail. What happens to a structure follows from its name alone.
    """
    description = f"{source.description}, predicted by {teacher}"
    if varied:
        description += f", {varied:g} varied"
    return replace(source, description=description, read=partial(_read, source, teacher, varied))


def _read(source: Source, teacher: str, varied: float) -> Taught:
    content = source.read()
    if not isinstance(content, StructureAlone):
        raise TrainingDataError(f"{source.name}: this source has labels of its own.")
    structure = content.structure
    generator = np.random.default_rng(list(hashlib.sha256(source.name.encode()).digest()[:8]))
    kept: Indices | None = None
    one_chain = len(set(structure.chain_ids)) == 1
    if generator.random() < varied and one_chain and len(structure) >= 2 * SHORTEST_PART:
        kind = int(generator.integers(3))
        if kind == 0:
            kept = without_stretch(np.ones(len(structure)), generator)
        else:
            vary: Callable[[Structure, np.random.Generator], Structure] = (_cut_in_two, extended)[kind - 1]
            structure = vary(structure, generator)
    # A loop that a crystal does not show moves all the same: labels are those of the whole chain.
    dynamics = predict(structure, teacher, "cpu").superposed("all")  # as labels of simulations are
    marginals, coupling = dynamics.marginals, dynamics.coupling
    if kept is not None:
        structure, marginals, coupling = structure[kept], marginals[kept], coupling[kept][:, kept]
    return Taught(structure, marginals, coupling, content.cluster)


def without_stretch(mobility: Array, generator: np.random.Generator) -> Indices:
    """All residues but a stretch of 3 to 30, as loops are missing from structures.

    Parameters
    ----------
    mobility : ndarray, shape=(N,)
        The larger the sum of its squares, the likelier is a stretch left out. Short ones are as likely as long ones, by
        the logarithm of their length.
    """
    size = len(mobility)
    length = int(np.exp(generator.uniform(np.log(SHORTEST_GAP), np.log(min(LONGEST_GAP, size // 3) + 1))))
    of_stretches = np.convolve(mobility, np.ones(length) / length, mode="valid") ** 2
    start = int(generator.choice(len(of_stretches), p=of_stretches / of_stretches.sum()))
    return np.concatenate([np.arange(start), np.arange(start + length, size)])


def _cut_in_two(structure: Structure, generator: np.random.Generator) -> Structure:
    """The same residues as two chains, a few residues apart, as two proteins that touch."""
    cut = int(generator.integers(SHORTEST_PART, len(structure) - SHORTEST_PART + 1))
    chains = np.where(np.arange(len(structure)) < cut, "A", "B")
    return replace(structure, chain_ids=chains, label_chain_ids=chains)


def extended(structure: Structure, generator: np.random.Generator) -> Structure:
    """The structure with an extended tail at its start or end; as it was, if no tail is free of clashes."""
    length = int(generator.integers(SHORTEST_TAIL, LONGEST_TAIL + 1))
    at_start = bool(generator.integers(2))
    backbone = np.stack([structure.n, structure.ca, structure.c], axis=1)
    for _ in range(TRIES):
        tail = _tail(backbone[0][::-1] if at_start else backbone[-1], length, generator, at_start)
        apart = np.linalg.norm(tail[2:, None, 1] - structure.ca, axis=2)
        if apart.min() > TAIL_APART:
            break
    else:
        return structure
    letters = "".join(generator.choice(list(TAIL_SEQUENCE), length))
    pieces = (tail[::-1], backbone) if at_start else (backbone, tail)
    sequence = letters + structure.sequence if at_start else structure.sequence + letters
    n, ca, c = np.concatenate(pieces).transpose(1, 0, 2)
    return Structure.from_arrays(n, ca, c, sequence, name=structure.name)


def _tail(end: Array, length: int, generator: np.random.Generator, backward: bool) -> Array:
    """N, CA and C of residues beyond an end of a chain, shape=(length, 3, 3), the nearest first.

    Parameters
    ----------
    end : ndarray, shape=(3, 3)
        Atoms of the last residue in the direction of growth: N, CA, C, or C, CA, N where it is backward.
    """
    # Each new atom: its bond, its bond angle, and the dihedral about which it is drawn.
    forward = ((C_N, AT_C, TAIL_PSI), (N_CA, AT_N, np.pi), (CA_C, AT_CA, TAIL_PHI))
    back = ((C_N, AT_N, TAIL_PHI), (CA_C, AT_C, np.pi), (N_CA, AT_CA, TAIL_PSI))
    atoms = list(end)
    for _ in range(length):
        for bond, angle, torsion in back if backward else forward:
            drawn = torsion if torsion == np.pi else torsion + TAIL_SPREAD * generator.normal()
            atoms.append(placed(atoms[-3], atoms[-2], atoms[-1], bond, angle, drawn))
    residues = np.array(atoms[3:]).reshape(length, 3, 3)
    return residues[:, ::-1] if backward else residues

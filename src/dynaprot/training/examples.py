"""Proteins ready for training: the network's input beside what simulation or experiment says of their motion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..network.anm import parameter_free_stiffness
from ..network.backend import tensors
from ..network.features import featurise
from ..structure.protein import Structure
from .labels import Labels, labels_of, read_ensembles

__all__ = [
    "AtlasChain",
    "CrystalChain",
    "Example",
    "Input",
    "load_atlas",
    "load_conformers",
    "load_crystals",
    "load_simulations",
    "matrix_log",
]

FLOPPY = ("nsp8", "nsp14", "ApoE")
"""Simulations that leave the harmonic regime altogether; one Gaussian does not describe them."""
LARGEST = 600
LARGEST_OF_CONFORMERS = 380
LARGEST_OF_CRYSTALS = 230
MOST_PER_CLUSTER = 4
JITTER = 1e-3
"""Å^2 added to the marginals of experimental conformers, of which some do not differ at all somewhere."""


@dataclass
class Input:
    """What a forward pass takes of one structure.

    Attributes
    ----------
    arguments : tuple of Tensor
        Of `DynaProt.forward`.
    positions : Tensor, shape=(N, 3)
        C-alpha, Å.
    base : Tensor, shape=(P,)
        Stiffness of the parameter-free network.
    """

    arguments: tuple[Tensor, ...]
    positions: Tensor
    base: Tensor

    @classmethod
    def of(cls, structure: Structure) -> Input:
        """Compute the input of a structure."""
        features = featurise(structure)
        i, j = features.pairs
        base = parameter_free_stiffness(np.linalg.norm(structure.ca[i] - structure.ca[j], axis=1))
        positions = structure.ca - structure.ca.mean(0)
        return cls(tensors(features), torch.from_numpy(positions).float(), torch.from_numpy(base).float())


@dataclass
class Example:
    """One protein with the second moments of an ensemble.

    Attributes
    ----------
    trust : float
        Weight in training, by the number of frames.
    trustworthy : bool
        Fit to validate on: enough frames, or halves that agree.
    own_scale : bool
        Only directions and relative sizes are meant: experimental conformers.
    """

    name: str
    input: Input
    labels: Labels
    marginals: Tensor
    log_marginals: Tensor
    root_marginals: Tensor
    log_size: Tensor
    coupling: Tensor
    cluster: int
    trust: float = 1.0
    trustworthy: bool = True
    own_scale: bool = False

    @classmethod
    def of(cls, structure: Structure, labels: Labels, cluster: int, **about: bool | float) -> Example:
        """Prepare a structure and its labels."""
        marginals = torch.from_numpy(labels.marginals)
        values, vectors = torch.linalg.eigh(marginals)
        root = (vectors * values.clamp(min=1e-9).sqrt()[:, None, :]) @ vectors.mT
        return cls(
            structure.name,
            Input.of(structure),
            labels,
            marginals,
            matrix_log(marginals),
            root,
            0.5 * marginals.diagonal(dim1=1, dim2=2).sum(-1).log(),
            torch.from_numpy(labels.coupling),
            cluster,
            **about,  # type: ignore[arg-type]
        )


def matrix_log(matrices: Tensor) -> Tensor:
    """Symmetric logarithm of a stack of SPD matrices."""
    values, vectors = torch.linalg.eigh(matrices)
    return (vectors * values.clamp(min=1e-6).log()[..., None, :]) @ vectors.mT


def load_simulations(path: Path) -> list[Example]:
    """MD systems fit for training: the few best sampled of each cluster, of moderate size."""
    systems = [
        system
        for system in read_ensembles(path)
        if len(system.structure) <= LARGEST and not any(name in system.structure.name for name in FLOPPY)
    ]
    systems.sort(key=lambda system: (system.cluster, -len(system.frames) * system.quality**2))
    examples: list[Example] = []
    for system in systems:
        if sum(example.cluster == system.cluster for example in examples) == MOST_PER_CLUSTER:
            continue
        frames = len(system.frames)
        examples.append(
            Example.of(
                system.structure,
                labels_of(system.frames, system.structure.ca),
                system.cluster,
                trust=1.0 if frames >= 100 else 0.6 if frames >= 45 else 0.25,
                trustworthy=frames >= 100 or (frames >= 45 and system.quality >= 0.95),
            )
        )
    return examples


def load_conformers(path: Path) -> list[Example]:
    """Proteins with several experimental conformers that agree well enough on where the protein moves."""
    examples = []
    for system in read_ensembles(path):
        structure = system.structure
        labels = labels_of(system.frames, structure.ca)
        if (
            len(system.frames) < 8
            or system.quality < 0.7
            or len(structure) > LARGEST_OF_CONFORMERS
            or system.backbone_rebuilt
            or np.trace(labels.marginals, axis1=1, axis2=2).mean() > 16.0
        ):
            continue
        labels = Labels(labels.marginals + JITTER * np.eye(3), labels.coupling)
        examples.append(Example.of(structure, labels, system.cluster, own_scale=True))
    return examples


@dataclass
class CrystalChain:
    """A chain with its anisotropic displacements U, shape=(N, 3, 3), Å^2."""

    input: Input
    displacements: Tensor
    cluster: int


def load_crystals(path: Path, count: int, without: set[int], seed: int = 0) -> list[CrystalChain]:
    """A random choice of whole chains of ``crystal_aniso.npz`` of moderate size, outside some clusters."""
    arrays = _read(path)
    lengths = np.diff(arrays["offset"])
    chains: list[CrystalChain] = []
    for k in np.random.default_rng(seed).permutation(len(lengths)):
        cluster = int(arrays["cluster"][k])
        if arrays["breaks"][k] or not 60 <= lengths[k] <= LARGEST_OF_CRYSTALS or cluster in without:
            continue
        rows, structure = _chain(arrays, k)
        displacements = arrays["U"][rows].astype(float)[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3)
        if np.linalg.eigvalsh(displacements).min() <= 0:
            continue
        chains.append(CrystalChain(Input.of(structure), torch.from_numpy(displacements), cluster))
        if len(chains) == count:
            break
    return chains


@dataclass
class AtlasChain:
    """A chain of ATLAS with its RMSF, Å, NaN where unlabelled: validation only, never trained on."""

    input: Input
    rmsf: NDArray[np.floating]
    cluster: int


def load_atlas(path: Path) -> list[AtlasChain]:
    """Read the chains of ``atlas_rmsf.npz``."""
    arrays = _read(path)
    chains = []
    for k in range(len(arrays["name"])):
        rows, structure = _chain(arrays, k)
        chains.append(AtlasChain(Input.of(structure), arrays["rmsf_A"][rows], int(arrays["cluster"][k])))
    return chains


def _read(path: Path) -> dict[str, NDArray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _chain(arrays: dict[str, NDArray], k: int) -> tuple[slice, Structure]:
    rows = slice(arrays["offset"][k], arrays["offset"][k + 1])
    name, sequence = str(arrays["name"][k]), str(arrays["seq"][k])
    return rows, Structure.from_arrays(arrays["N"][rows], arrays["CA"][rows], arrays["C"][rows], sequence, name=name)

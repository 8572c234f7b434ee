"""Proteins ready for training: the input of the network, and what simulation or experiment says about their motion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..datasets.labels import Cluster, Labels
from ..datasets.prepared import PreparedProtein
from ..datasets.sources import RmsfChain
from ..errors import TrainingDataError
from ..joint import Springs
from ..joint.elastic import hessian
from ..joint.elastic_torch import InternalSprings
from ..network.architecture import DYNAPROT_M, Architecture
from ..network.features import featurise
from ..network.torch_network import tensors
from ..springs.prior import SpringPrior
from ..structure.protein import Structure
from .configuration import TrainingSource

__all__ = ["Example", "Input", "ValidationChain", "load_examples"]

Array = NDArray[np.floating]

JITTER = 1e-3
"""Å^2 added to the marginals of experimental conformers, some of whose residues do not differ at all."""


@dataclass
class Input:
    """What a forward pass needs of one structure.

    Attributes
    ----------
    arguments : tuple of Tensor
        Arguments of `DynaProt.forward`.
    positions : Tensor, shape=(N, 3)
        C-alpha, Å.
    springs : InputSprings or None
        The elastic network that is corrected, if one is.
    """

    arguments: tuple[Tensor, ...]
    positions: Tensor
    springs: InputSprings | None

    @classmethod
    def of(cls, structure: Structure, architecture: Architecture) -> Input:
        """Compute what a network of this architecture reads of a structure."""
        features = featurise(structure, architecture.residue_features, architecture.pair_features)
        positions = structure.ca - structure.ca.mean(0)
        prior = SpringPrior.of(structure, features.pairs, architecture.prior) if architecture.prior else None
        return cls(
            tensors(features),
            torch.from_numpy(positions).float(),
            None if prior is None else InputSprings.of(prior),
        )

    def __len__(self) -> int:
        return len(self.positions)

    def cropped(self, kept: slice) -> Input:
        """The input of a stretch of residues, with their features in the whole; not for springs."""
        assert self.springs is None
        positions = self.positions[kept]
        positions = positions - positions.mean(0)
        types, rotations, _, residue_features, mask, pairs, pair_features = self.arguments
        return Input(
            (types[:, kept], rotations[:, kept], positions[None], residue_features[:, kept], mask[:, kept], pairs,
             pair_features),
            positions,
            None,
        )  # fmt: skip

    def to(self, device: torch.device) -> Input:
        """The same input on another device."""
        return Input(
            tuple(argument.to(device) for argument in self.arguments),
            self.positions.to(device),
            None if self.springs is None else self.springs.to(device),
        )


@dataclass
class InputSprings:
    """The elastic network that a network of springs corrects, for a differentiable joint.

    Attributes
    ----------
    base : Tensor, shape=(P, 2)
        Central and isotropic stiffness of pairs before learning, kT/Å^2.
    coordinates : dict of str to InternalSprings
        Springs of a `SpringPrior`, with their force constants before learning.
    touching : Tensor, shape=(S,), dtype=int64
        Indices of the pairs to which the contacts belong.
    share : Tensor, shape=(P,)
        How much of what is learned of each pair counts.
    background : Tensor, shape=(3N, 3N), or None
        Hessian of the springs between residues that are far apart, kT/Å^2.
    """

    base: Tensor
    coordinates: dict[str, InternalSprings]
    touching: Tensor
    share: Tensor
    background: Tensor | None

    @classmethod
    def of(cls, prior: SpringPrior) -> InputSprings:
        """The springs of an elastic network as tensors."""
        springs = prior.springs
        return cls(
            torch.from_numpy(np.stack([springs.central, springs.isotropic], axis=1)).float(),
            {kind: InternalSprings.of(arrays) for kind, arrays in prior.internal.items()},
            torch.from_numpy(prior.touching),
            torch.from_numpy(prior.learned_share).float(),
            _hessian_of_background(prior),
        )

    def to(self, device: torch.device) -> InputSprings:
        """The same springs on another device."""
        return InputSprings(
            self.base.to(device),
            {kind: coordinates.to(device) for kind, coordinates in self.coordinates.items()},
            self.touching.to(device),
            self.share.to(device),
            None if self.background is None else self.background.to(device),
        )


def _hessian_of_background(prior: SpringPrior) -> Tensor | None:
    if prior.background is None:
        return None
    nothing = np.empty(0, dtype=np.int64)
    none = Springs(nothing, nothing, np.empty(0), np.empty(0))
    return torch.from_numpy(hessian(prior.structure.ca, none, background=prior.background)).float()


@dataclass
class Example:
    """One protein with the second moments of an ensemble, or of each residue in a crystal.

    Attributes
    ----------
    structure : Structure
    marginals : Tensor, shape=(N, 3, 3)
        Å^2, frame of the structure.
    coupling : Tensor, shape=(N, N), or None
        Unit diagonal, in single precision, for thousands of proteins to fit in memory. None for a crystal, which
        describes each residue by itself.
    cluster : int or str
        Sequence cluster: its proteins stay on one side of every split.
    frames : ndarray, shape=(K, N, 3, 3)
        N, CA and C of conformations, Å, superposed on the structure, to augment with.
    trust : float
        Weight in training, by the number of frames.
    trustworthy : bool
        Whether it is fit to validate on: it has enough frames, or halves that agree.
    scale_free : bool
        Whether only directions and relative sizes are compared, as for experimental conformers.
    architecture : Architecture
        Architecture of the network that reads it.
    taught : bool
        Whether a model predicted the labels.
    """

    structure: Structure
    marginals: Tensor
    coupling: Tensor | None
    cluster: Cluster
    frames: Array
    trust: float = 1.0
    trustworthy: bool = True
    scale_free: bool = False
    architecture: Architecture = DYNAPROT_M
    taught: bool = False

    @classmethod
    def of(
        cls,
        structure: Structure,
        labels: Labels,
        cluster: Cluster,
        frames: Array | None = None,
        *,
        trust: float = 1.0,
        trustworthy: bool = True,
        scale_free: bool = False,
    ) -> Example:
        """Combine a structure with its labels."""
        return cls(
            structure,
            torch.from_numpy(labels.marginals),
            torch.from_numpy(labels.coupling),
            cluster,
            np.empty((0, len(structure), 3, 3)) if frames is None else frames,
            trust,
            trustworthy,
            scale_free,
        )

    def __len__(self) -> int:
        return len(self.marginals)

    @cached_property
    def input(self) -> Input:
        """The input of the network, computed once it is needed."""
        return Input.of(self.structure, self.architecture)

    @property
    def labels(self) -> Labels:
        """The moments of an ensemble as arrays."""
        assert self.coupling is not None
        return Labels(self.marginals.numpy(), self.coupling.double().numpy())

    def cropped(self, kept: slice) -> Example:
        """A stretch of the residues with their labels; what is read of them is that of the whole, but for springs."""
        coupling = None if self.coupling is None else self.coupling[kept, kept]
        part = replace(
            self,
            structure=self.structure[kept],
            marginals=self.marginals[kept],
            coupling=coupling,
            frames=self.frames[:, kept],
        )
        if not self.architecture.prior:
            part.input = self.input.cropped(kept)
        return part

    def to(self, device: torch.device) -> Example:
        """The same example with its labels on another device."""
        coupling = None if self.coupling is None else self.coupling.to(device)
        return replace(self, marginals=self.marginals.to(device), coupling=coupling)


@dataclass
class ValidationChain:
    """A chain with its RMSF that validates and is never trained on."""

    chain: RmsfChain
    architecture: Architecture

    @cached_property
    def input(self) -> Input:
        """The input of the network, computed once it is needed."""
        return Input.of(self.chain.structure, self.architecture)


def load_examples(source: TrainingSource, data: Path, *, frames: bool = False, seed: int = 0) -> list[Example]:
    """Read the proteins of a source that its options select.

    Parameters
    ----------
    source : TrainingSource
    data : Path
        The folder that contains its path.
    frames : bool
        Keep conformations to augment with.
    seed : int
        Seed of the draw, where the source has more proteins than are wanted.

    Raises
    ------
    TrainingDataError
        If there is nothing to read, or nothing is selected.
    """
    proteins = list(_few_of_each_cluster(_selected(source, data / source.path), source.max_per_cluster))
    if not proteins:
        raise TrainingDataError(f"{data / source.path}: the options of this [[source]] leave no protein.")
    if source.max_proteins:
        drawn = sorted(np.random.default_rng(seed).permutation(len(proteins))[: source.max_proteins])
        proteins = [proteins[k] for k in drawn]
    return [_example(protein, source, frames) for protein in proteins]


def _selected(source: TrainingSource, folder: Path) -> list[PreparedProtein]:
    files = sorted(folder.glob("*.npz"))
    if not files:
        raise TrainingDataError(
            f"{folder}: holds no protein that `dynaprot prepare` wrote; the configuration names it as a [[source]]."
        )
    return [protein for protein in map(PreparedProtein.load, files) if _is_wanted(protein, source)]


def _is_wanted(protein: PreparedProtein, source: TrainingSource) -> bool:
    """Whether a protein is within every limit of its source."""
    return (
        not any(fnmatchcase(protein.name, pattern) for pattern in source.exclude)
        and source.min_residues <= len(protein.structure) <= (source.max_residues or len(protein.structure))
        and protein.conformations >= source.min_conformations
        and (not source.min_split_half_r or protein.split_half_rmsf_r >= source.min_split_half_r)
        and (not source.max_rmsf or (protein.rmsf**2).mean() <= source.max_rmsf**2)
        and (source.broken_chains or protein.breaks == 0)
        and (source.rebuilt_backbones or not protein.backbone_rebuilt)
    )


def _few_of_each_cluster(proteins: list[PreparedProtein], most: int) -> Iterator[PreparedProtein]:
    """The best sampled proteins of each cluster, or all of them where `most` is 0."""

    def order(protein: PreparedProtein) -> tuple[bool, Cluster, float]:
        cluster = _cluster(protein)
        return isinstance(cluster, str), cluster, -protein.conformations * np.nan_to_num(protein.split_half_rmsf_r) ** 2

    number: Counter[Cluster] = Counter()
    for protein in sorted(proteins, key=order) if most else proteins:
        number[_cluster(protein)] += 1
        if not most or number[_cluster(protein)] <= most:
            yield protein


def _cluster(protein: PreparedProtein) -> Cluster:
    """The sequence cluster; a protein whose source states none is a cluster of its own."""
    return int(protein.cluster) if protein.cluster.isdigit() else protein.cluster or protein.name


def _example(protein: PreparedProtein, source: TrainingSource, frames: bool) -> Example:
    conformations, marginals = protein.conformations, protein.marginals_in_place
    if protein.kind in ("conformers", "models"):
        marginals = marginals + JITTER * np.eye(3)
    return Example(
        protein.structure,
        torch.from_numpy(marginals),
        None if protein.coupling is None else torch.from_numpy(protein.coupling.astype(np.float32)),
        _cluster(protein),
        protein.frames.astype(np.float64) if frames else protein.frames[:0].astype(np.float64),
        trust=1.0 if conformations >= 100 else 0.6 if conformations >= 45 else 0.25,
        trustworthy=conformations >= 100 or (conformations >= 45 and protein.split_half_rmsf_r >= 0.95),
        scale_free=source.scale_free,
        taught=protein.kind == "taught",
    )

"""Proteins ready for training: the network's input beside what simulation or experiment says of their motion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..datasets.labels import Cluster, Labels, labels_of
from ..datasets.prepared import PreparedProtein
from ..datasets.sources import Ensemble, read_ensembles
from ..datasets.superposition import superpose
from ..errors import TrainingDataError
from ..joint.elastic_torch import InternalSprings
from ..network.architecture import DYNAPROT_M, Architecture
from ..network.features import featurise
from ..network.torch_network import tensors
from ..springs.prior import PRIOR, SpringPrior
from ..structure.protein import Structure
from .configuration import Source

__all__ = ["FLOPPY", "Example", "Input", "ValidationChain", "load_examples", "load_validation_chains"]

Array = NDArray[np.floating]

FLOPPY = ("nsp8", "nsp14", "ApoE")
"""Simulations that leave the harmonic regime altogether; one Gaussian does not describe them."""
LARGEST = 600
"""Residues that are looked at at all in the archives."""
SMALLEST_OF_CRYSTALS = 60
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
    base : Tensor, shape=(P, 2)
        Central and isotropic stiffness of pairs before learning, kT/Å^2.
    coordinates : dict of str to InternalSprings
        Springs of a `SpringPrior`, with their force constants before learning.
    touching : Tensor, shape=(S,), dtype=int64
        Which pairs the contacts belong to.
    """

    arguments: tuple[Tensor, ...]
    positions: Tensor
    base: Tensor
    coordinates: dict[str, InternalSprings]
    touching: Tensor

    @classmethod
    def of(cls, structure: Structure, architecture: Architecture) -> Input:
        """Compute what a network of this architecture reads of a structure."""
        features = featurise(structure, architecture.residue_features, architecture.pair_features)
        prior = SpringPrior.of(structure, features.pairs, architecture.prior or PRIOR)
        springs = prior.springs
        positions = structure.ca - structure.ca.mean(0)
        return cls(
            tensors(features),
            torch.from_numpy(positions).float(),
            torch.from_numpy(np.stack([springs.central, springs.isotropic], axis=1)).float(),
            {kind: InternalSprings.of(arrays) for kind, arrays in prior.internal.items()},
            torch.from_numpy(prior.touching),
        )

    def __len__(self) -> int:
        return len(self.positions)

    def to(self, device: torch.device) -> Input:
        """The same on another device."""
        return Input(
            tuple(argument.to(device) for argument in self.arguments),
            self.positions.to(device),
            self.base.to(device),
            {kind: coordinates.to(device) for kind, coordinates in self.coordinates.items()},
            self.touching.to(device),
        )


@dataclass
class Example:
    """One protein with the second moments of an ensemble, or of each residue in a crystal.

    Attributes
    ----------
    structure : Structure
    marginals : Tensor, shape=(N, 3, 3)
        Å^2, frame of the structure.
    coupling : Tensor, shape=(N, N), or None
        Unit diagonal. None of a crystal, whose residues are seen one by one.
    cluster : int or str
        Sequence cluster: proteins of one go to one side of a split.
    frames : ndarray, shape=(K, N, 3, 3)
        N, CA and C of conformations, Å, superposed on the structure, to augment with.
    trust : float
        Weight in training, by the number of frames.
    trustworthy : bool
        Fit to validate on: enough frames, or halves that agree.
    own_scale : bool
        Only directions and relative sizes are meant: experimental conformers.
    architecture : Architecture
        The network that reads it.
    """

    structure: Structure
    marginals: Tensor
    coupling: Tensor | None
    cluster: Cluster
    frames: Array
    trust: float = 1.0
    trustworthy: bool = True
    own_scale: bool = False
    architecture: Architecture = DYNAPROT_M

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
        own_scale: bool = False,
    ) -> Example:
        """Prepare a structure and its labels."""
        return cls(
            structure,
            torch.from_numpy(labels.marginals),
            torch.from_numpy(labels.coupling),
            cluster,
            np.empty((0, len(structure), 3, 3)) if frames is None else frames,
            trust,
            trustworthy,
            own_scale,
        )

    def __len__(self) -> int:
        return len(self.marginals)

    @cached_property
    def input(self) -> Input:
        """What the network reads of the structure, worked out once it is asked for."""
        return Input.of(self.structure, self.architecture)

    @property
    def labels(self) -> Labels:
        """The moments as arrays; of an ensemble only."""
        assert self.coupling is not None
        return Labels(self.marginals.numpy(), self.coupling.numpy())

    def to(self, device: torch.device) -> Example:
        """The same with its labels on another device."""
        coupling = None if self.coupling is None else self.coupling.to(device)
        return replace(self, marginals=self.marginals.to(device), coupling=coupling)


def load_examples(source: Source, data: Path, *, frames: bool = False, seed: int = 0) -> list[Example]:
    """Read a source.

    Parameters
    ----------
    source : Source
    data : Path
        The folder that its path is in.
    frames : bool
        Keep conformations to augment with.
    seed : int
        Of the draw, where the source has more proteins than are wanted.

    Raises
    ------
    TrainingDataError
        If there is nothing to read.
    """
    path = data / source.path
    if not path.exists():
        raise TrainingDataError(f"{path}: is not there; the configuration names it as a source of labels.")
    generator = np.random.default_rng(seed)
    if source.kind == "crystals":
        return _crystals(path, source, generator)
    examples = {"md_archive": _simulations, "conformers": _conformers, "prepared": _prepared}[source.kind](
        path, source, frames
    )
    if source.most:
        examples = [examples[k] for k in sorted(generator.permutation(len(examples))[: source.most])]
    return examples


def _simulations(path: Path, source: Source, frames: bool) -> list[Example]:
    """MD systems fit for training: the few best sampled of each cluster, of moderate size."""
    ensembles = [
        ensemble
        for ensemble in read_ensembles(path)
        if len(ensemble.structure) <= LARGEST and not any(name in ensemble.structure.name for name in FLOPPY)
    ]
    ensembles.sort(key=lambda each: (each.cluster, -len(each.frames) * each.split_half_rmsf_r**2))
    examples: list[Example] = []
    for ensemble in ensembles:
        if sum(example.cluster == ensemble.cluster for example in examples) == MOST_PER_CLUSTER:
            continue
        examples.append(
            Example.of(
                ensemble.structure,
                labels_of(ensemble.frames, ensemble.structure.ca),
                ensemble.cluster,
                _backbones(ensemble) if frames else None,
                trust=_trust(len(ensemble.frames)),
                trustworthy=_trustworthy(len(ensemble.frames), ensemble.split_half_rmsf_r),
                own_scale=source.own_scale,
            )
        )
    return examples


def _conformers(path: Path, source: Source, frames: bool) -> list[Example]:
    """Proteins with several experimental conformers that agree well enough on where the protein moves."""
    examples = []
    for ensemble in read_ensembles(path):
        structure = ensemble.structure
        labels = labels_of(ensemble.frames, structure.ca)
        if (
            len(ensemble.frames) < 8
            or ensemble.split_half_rmsf_r < 0.7
            or len(structure) > source.largest
            or ensemble.backbone_rebuilt
            or np.trace(labels.marginals, axis1=1, axis2=2).mean() > 16.0
        ):
            continue
        labels = Labels(labels.marginals + JITTER * np.eye(3), labels.coupling)
        kept = _backbones(ensemble) if frames else None
        examples.append(Example.of(structure, labels, ensemble.cluster, kept, own_scale=source.own_scale))
    return examples


def _prepared(path: Path, source: Source, frames: bool) -> list[Example]:
    """What `dynaprot prepare` wrote, crystals among it."""
    examples = []
    for file in sorted(path.glob("*.npz")):
        protein = PreparedProtein.load(file)
        cluster: Cluster = int(protein.cluster) if protein.cluster.isdigit() else protein.cluster or protein.name
        coupling = np.eye(len(protein.structure)) if protein.coupling is None else protein.coupling.astype(np.float64)
        example = Example.of(
            protein.structure,
            Labels(protein.marginals_in_place + JITTER * np.eye(3), coupling),
            cluster,
            protein.frames.astype(np.float64) if frames else None,
            trust=_trust(protein.conformations),
            trustworthy=_trustworthy(protein.conformations, protein.split_half_rmsf_r),
            own_scale=source.own_scale,
        )
        examples.append(replace(example, coupling=None) if protein.coupling is None else example)
    if not examples:
        raise TrainingDataError(f"{path}: holds no .npz files; make them with dynaprot prepare.")
    return examples


def _trust(conformations: int) -> float:
    return 1.0 if conformations >= 100 else 0.6 if conformations >= 45 else 0.25


def _trustworthy(conformations: int, split_half_rmsf_r: float) -> bool:
    return conformations >= 100 or (conformations >= 45 and split_half_rmsf_r >= 0.95)


def _backbones(ensemble: Ensemble) -> Array:
    """A few conformations, evenly spaced, superposed as the labels are: (K, N, 3, 3), Å."""
    rotations, shifts = superpose(ensemble.frames, ensemble.structure.ca)
    placing = ensemble.backbone_frames
    return ensemble.backbones @ rotations[placing][:, None] + shifts[placing][:, None]


def _crystals(path: Path, source: Source, generator: np.random.Generator) -> list[Example]:
    """A random choice of whole chains of ``crystal_aniso.npz`` of moderate size."""
    arrays = _read(path)
    lengths = np.diff(arrays["offset"])
    examples: list[Example] = []
    for k in generator.permutation(len(lengths)):
        if arrays["breaks"][k] or not SMALLEST_OF_CRYSTALS <= lengths[k] <= source.largest:
            continue
        rows, structure = _chain(arrays, k)
        displacements = arrays["U"][rows].astype(float)[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3)
        if np.linalg.eigvalsh(displacements).min() <= 0:
            continue
        labels = Labels(displacements, np.eye(len(structure)))
        example = Example.of(structure, labels, int(arrays["cluster"][k]), trustworthy=False, own_scale=True)
        examples.append(replace(example, coupling=None))
        if len(examples) == source.most:
            break
    return examples


@dataclass
class ValidationChain:
    """A chain with its RMSF, Å, NaN where unlabelled: never trained on."""

    input: Input
    rmsf: Array
    cluster: int


def load_validation_chains(path: Path, architecture: Architecture) -> list[ValidationChain]:
    """Read the chains of an archive as ``atlas_rmsf.npz``."""
    arrays = _read(path)
    chains = []
    for k in range(len(arrays["name"])):
        rows, structure = _chain(arrays, k)
        chains.append(
            ValidationChain(Input.of(structure, architecture), arrays["rmsf_A"][rows], int(arrays["cluster"][k]))
        )
    return chains


def _read(path: Path) -> dict[str, NDArray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise TrainingDataError(f"{path}: cannot be read ({error}).") from error


def _chain(arrays: dict[str, NDArray], k: int) -> tuple[slice, Structure]:
    rows = slice(arrays["offset"][k], arrays["offset"][k + 1])
    name, sequence = str(arrays["name"][k]), str(arrays["seq"][k])
    return rows, Structure.from_arrays(arrays["N"][rows], arrays["CA"][rows], arrays["C"][rows], sequence, name=name)

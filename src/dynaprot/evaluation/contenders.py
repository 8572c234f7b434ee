"""The models that are evaluated: how many parameters each has, and what it saw of a protein in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from tempfile import mkdtemp

from ..datasets.alignment import chain_sequences
from ..datasets.labels import Cluster
from ..datasets.training_sequences import TrainingSequences, sequences_path
from ..errors import PredictionError
from ..network.architecture import Architecture
from ..network.weights import Weights, find_weights, load_weights, save_weights
from ..prediction import ELASTIC_NETWORKS, parts
from ..prediction import models as known_models
from ..structure.protein import Structure
from .clusters import held_out_clusters

__all__ = ["Contender", "Network", "Relation", "contenders"]


class Relation(StrEnum):
    """What a model saw of a protein in training: relatives have 30 % of the sequence in common."""

    HELD_OUT = "held out"
    SEEN = "seen"
    NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Network:
    """A trained network, or a committee of several.

    Attributes
    ----------
    model : str
        Its name for `dynaprot.predict`.
    members : tuple of str
        The same for each member of a committee by itself; of a single network, the network.
    parameters : int
    architecture : Architecture
    training : TrainingSequences or None
        The sequences that it was trained on, where they lie beside the weights.
    held_out : tuple of frozenset of (int or str)
        Sequence clusters held out from each member, where the weights state them, else empty.
    trained : frozenset of (int or str)
        Sequence clusters that any member was trained on, where the weights state them, else empty.
    """

    model: str
    members: tuple[str, ...]
    parameters: int
    architecture: Architecture
    training: TrainingSequences | None = None
    held_out: tuple[frozenset[Cluster], ...] = ()
    trained: frozenset[Cluster] = frozenset()

    @property
    def predicts_marginals(self) -> bool:
        """Whether it predicts marginals."""
        return bool(self.architecture.prior) or self.architecture.marginals

    @property
    def predicts_coupling(self) -> bool:
        """Whether it predicts coupling."""
        return bool(self.architecture.prior) or self.architecture.coupling != "none"

    def choose(self, structure: Structure, cluster: Cluster) -> tuple[str, Relation]:
        """The model to predict a protein with, one that saw no relative of it if there is one, and what it saw."""
        saw = self._members_that_saw(structure, cluster)
        if saw is None:
            return self.model, Relation.NOT_KNOWN
        if not saw:
            return self.model, Relation.HELD_OUT
        for number, member in enumerate(self.members):
            if number not in saw:
                return member, Relation.HELD_OUT
        return self.model, Relation.SEEN

    def _members_that_saw(self, structure: Structure, cluster: Cluster) -> set[int] | None:
        """Numbers of the members that were trained on a relative of a protein; None where that is not known.

        Sequences decide. Without them, the cluster that the data state does, if the weights know it.
        """
        if self.training is not None:
            return self.training.members_that_saw(chain_sequences(structure))
        saw = {number for number, clusters in enumerate(self.held_out) if cluster not in clusters}
        if len(saw) < len(self.held_out):
            return saw
        return set(range(len(self.members))) if cluster in self.trained else None


@dataclass(frozen=True)
class Contender:
    """A model that is evaluated.

    Attributes
    ----------
    name : str
        Its name in tables.
    model : str
        Its name for `dynaprot.predict`.
    networks : tuple of Network
        The networks that together are the model; none for an elastic network.
    """

    name: str
    model: str
    networks: tuple[Network, ...] = ()

    @property
    def parameters(self) -> int:
        """Number of learned parameters."""
        return sum(network.parameters for network in self.networks)

    @property
    def predicts_marginals(self) -> bool:
        """Whether it predicts marginals by itself."""
        return not self.networks or any(network.predicts_marginals for network in self.networks)

    @property
    def predicts_coupling(self) -> bool:
        """Whether it predicts coupling by itself."""
        return not self.networks or any(network.predicts_coupling for network in self.networks)

    def of_marginals(self) -> Contender:
        """The model without the networks that marginals do not need."""
        needed = tuple(network for network in self.networks if network.predicts_marginals)
        return replace(self, model="+".join(each.model for each in needed), networks=needed) if needed else self

    def choose(self, structure: Structure, cluster: Cluster) -> tuple[str, Relation | None]:
        """The model to predict a protein with, and what it saw of it; None for what learns nothing.

        Parameters
        ----------
        structure : Structure
        cluster : int or str
            Sequence cluster of the protein as the data state it.
        """
        if not self.networks:
            return self.model, None
        models, relations = zip(*(network.choose(structure, cluster) for network in self.networks), strict=True)
        worst = next(r for r in (Relation.SEEN, Relation.NOT_KNOWN, Relation.HELD_OUT) if r in relations)
        return "+".join(models), worst


def contenders(models: Sequence[str], folder: Path) -> list[Contender]:
    """Look models up, and add the elastic networks.

    Parameters
    ----------
    models : sequence of str
        Each as for `dynaprot.predict`: a name, a file, or two with a plus between them.
    folder : Path
        Folder for the members of committees, each of which is written as weights of its own.

    Raises
    ------
    PredictionError
        If there is no such model.
    WeightsError
        If its weights are damaged.
    """
    found = [_contender(model, folder) for model in dict.fromkeys([*models, *ELASTIC_NETWORKS])]
    names = [each.name for each in found]
    return [replace(each, name=each.model) if names.count(each.name) > 1 else each for each in found]


def _contender(model: str, folder: Path) -> Contender:
    if model in ELASTIC_NETWORKS:
        return Contender(model, model)
    networks = tuple(_network(part, folder) for part in parts(model))
    names = [Path(each.model).stem if each.model.endswith(".safetensors") else each.model for each in networks]
    return Contender("+".join(names), model, networks)


def _network(model: str, folder: Path) -> Network:
    path = find_weights(model)
    if path is None:
        raise PredictionError(f"There are no weights '{model}' to evaluate. Choose one of {', '.join(known_models())}.")
    weights = load_weights(path)
    count = weights.architecture.members
    own = Path(mkdtemp(dir=folder))  # two committees may have the same name
    sequences = sequences_path(path)
    return Network(
        model,
        tuple(str(_save_member(weights, number, own)) for number in range(count)) if count > 1 else (model,),
        weights.parameters,
        weights.architecture,
        TrainingSequences.load(sequences) if sequences.exists() else None,
        tuple(map(frozenset, held_out_clusters(weights))) if weights.metadata.get("held_out_clusters") else (),
        frozenset(weights.metadata.get("trained_clusters", ())),
    )


def _save_member(weights: Weights, number: int, folder: Path) -> Path:
    """Write one member of a committee as weights of its own."""
    member = weights.member(number)
    path = folder / f"{weights.path.stem}-member-{number}.safetensors"
    save_weights(path, member.architecture, member.tensors, member.metadata)
    return path

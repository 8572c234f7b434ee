"""The models that are judged: how many parameters each has, and which proteins it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp

from ..datasets.labels import Cluster
from ..errors import PredictionError, WeightsError
from ..network.weights import Weights, find_weights, load_weights, save_weights
from ..prediction import ELASTIC_NETWORKS, parts
from ..prediction import models as known_models

__all__ = ["Contender", "chosen_clusters", "contenders", "held_out_clusters"]


@dataclass(frozen=True)
class Contender:
    """A model under judgement.

    Attributes
    ----------
    name : str
        How tables call it.
    model : str
        What `dynaprot.predict` takes.
    parameters : int
    learned : bool
    held_out : dict of (int or str) to str
        For each sequence cluster kept from training, the model that never saw it: the model itself, or, of a committee,
        the member that the cluster was held out from.
    trained : frozenset of (int or str), optional
        Sequence clusters that any part of it was trained on; None where the weights do not say.
    of_marginals : str
        What of the model predicts marginals, to be asked where no more is; empty where it predicts none.
    of_coupling : str
        The same of coupling.
    """

    name: str
    model: str
    parameters: int = 0
    learned: bool = False
    held_out: dict[Cluster, str] = field(default_factory=dict)
    trained: frozenset[Cluster] | None = None
    of_marginals: str = ""
    of_coupling: str = ""

    def for_cluster(self, cluster: Cluster) -> str:
        """The model to ask about a protein: one that never saw its relatives, where there is one."""
        return self.held_out.get(cluster, self.model)

    def knows(self, cluster: Cluster) -> bool:
        """Whether it may have been trained on relatives of a protein."""
        unseen = cluster in self.held_out or (self.trained is not None and cluster not in self.trained)
        return self.learned and not unseen


def held_out_clusters(weights: Weights) -> list[list[Cluster]]:
    """Clusters kept from training, for each member of a committee, or for the one network.

    They are read from ``held_out_clusters`` in the description of the weights: a list of numbers or names, or one such
    list for each member.

    Raises
    ------
    WeightsError
        If the weights do not say.
    """
    clusters = weights.metadata.get("held_out_clusters")
    if not clusters:
        raise WeightsError(
            f"{weights.path}: does not say which clusters were held out from training (held_out_clusters in its "
            "description); name them with --clusters."
        )
    members: list[list[Cluster]] = clusters if isinstance(clusters[0], list) else [clusters]
    if len(members) not in (1, weights.architecture.members):
        raise WeightsError(
            f"{weights.path}: held_out_clusters has {len(members)} lists for {weights.architecture.members} members."
        )
    return members


def chosen_clusters(listed: str, held_out_of: Path | None) -> set[Cluster] | None:
    """Clusters by a list as ``12,34`` and those held out from weights; None where neither is given: all of them.

    Raises
    ------
    PredictionError
        If the list is not of whole numbers.
    WeightsError
        If the weights do not say what was held out.
    """
    if not listed and held_out_of is None:
        return None
    try:
        chosen: set[Cluster] = {int(number) for number in listed.split(",") if number.strip()}
    except ValueError as error:
        raise PredictionError(f"Clusters are whole numbers with commas between them, not '{listed}'.") from error
    if held_out_of is not None:
        chosen |= {cluster for member in held_out_clusters(load_weights(held_out_of)) for cluster in member}
    return chosen


def contenders(models: Sequence[str], folder: Path) -> list[Contender]:
    """Look models up, and set the elastic networks beside them.

    Parameters
    ----------
    models : sequence of str
        Each as for `dynaprot.predict`: a name, a file, or two with a plus between them.
    folder : Path
        Where members of a committee are laid out as weights of their own, to be asked one by one.

    Raises
    ------
    PredictionError
        If there is no such model, or no PyTorch to run it.
    WeightsError
        If its weights are damaged.
    """
    found = [_contender(model, folder) for model in dict.fromkeys([*models, *ELASTIC_NETWORKS])]
    names = [each.name for each in found]
    return [replace(each, name=each.model) if names.count(each.name) > 1 else each for each in found]


def _contender(model: str, folder: Path) -> Contender:
    if model in ELASTIC_NETWORKS:
        return Contender(model, model, of_marginals=model, of_coupling=model)
    first, *others = (_network(part, folder) for part in parts(model))
    for other in others:
        first = _together(first, other)
    return first


def _together(one: Contender, other: Contender) -> Contender:
    """Two networks as one model; of what both predict, the first is asked."""
    return Contender(
        f"{one.name}+{other.name}",
        f"{one.model}+{other.model}",
        one.parameters + other.parameters,
        True,
        {
            cluster: f"{one.held_out[cluster]}+{other.held_out[cluster]}"
            for cluster in one.held_out
            if cluster in other.held_out
        },
        None if one.trained is None or other.trained is None else one.trained | other.trained,
        one.of_marginals or other.of_marginals,
        one.of_coupling or other.of_coupling,
    )


def _network(model: str, folder: Path) -> Contender:
    path = find_weights(model)
    if path is None:
        raise PredictionError(f"There are no weights '{model}' to evaluate. Choose one of {', '.join(known_models())}.")
    weights = load_weights(path)
    members = held_out_clusters(weights) if weights.metadata.get("held_out_clusters") else []
    held_out: dict[Cluster, str] = {}
    if members:
        own = Path(mkdtemp(dir=folder))  # two committees may be called the same
        for k, clusters in enumerate(members):
            asked = model if len(members) == 1 else str(_member(weights, k, own))
            held_out |= dict.fromkeys(clusters, asked)
    architecture = weights.architecture
    trained = weights.metadata.get("trained_clusters")
    return Contender(
        path.stem if model == str(path) else model,
        model,
        weights.parameters,
        True,
        held_out,
        None if trained is None else frozenset(trained),
        model if architecture.prior or architecture.marginals else "",
        model if architecture.prior or architecture.coupling != "none" else "",
    )


def _member(weights: Weights, number: int, folder: Path) -> Path:
    """Write one member of a committee as weights of its own."""
    prefix = f"members.{number}."
    tensors = {name.removeprefix(prefix): t for name, t in weights.tensors.items() if name.startswith(prefix)}
    path = folder / f"{weights.path.stem}-member-{number}.safetensors"
    save_weights(path, replace(weights.architecture, members=1), tensors, weights.metadata)
    return path

"""The sequence clusters that an evaluation is restricted to."""

from __future__ import annotations

from pathlib import Path

from ..datasets.labels import Cluster
from ..errors import PredictionError, WeightsError
from ..network.weights import Weights, load_weights

__all__ = ["chosen_clusters", "held_out_clusters"]


def held_out_clusters(weights: Weights) -> list[list[Cluster]]:
    """Sequence clusters held out from training, for each member of a committee, or for the one network.

    They are read from ``held_out_clusters`` in the description of the weights: a list of numbers or names, or one such
    list for each member.

    Raises
    ------
    WeightsError
        If the weights do not state them.
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
    """Clusters of a list as ``12,34`` and those held out from weights; None, for all, where neither is given.

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

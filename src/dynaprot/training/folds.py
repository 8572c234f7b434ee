"""The data of a training, and its folds: proteins assigned by sequence cluster, or by a split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..datasets.labels import Cluster
from ..datasets.sources import read_rmsf_chains
from ..datasets.splits import Split
from ..errors import TrainingDataError
from .configuration import Configuration
from .examples import Example, ValidationChain, load_examples

__all__ = ["Data", "Fold", "assign_folds", "load_data"]


@dataclass
class Data:
    """The data of a training: the examples of each source, and chains that only validate."""

    examples: list[list[Example]]
    validation: list[ValidationChain]


@dataclass
class Fold:
    """The examples that one network is trained on, and those held out from it.

    Attributes
    ----------
    training : list of list of Example
        Training examples of each source.
    held_out : list of Example
        Held-out examples that are fit to validate on.
    clusters : list of int or str
        All clusters that are not trained on, those of a split's test set included.
    """

    training: list[list[Example]]
    held_out: list[Example]
    clusters: list[Cluster]


def load_data(configuration: Configuration) -> Data:
    """Read all sources, without the clusters of the chains that validate.

    Raises
    ------
    TrainingDataError
        If data are missing or cannot be used.
    """
    folder = Path(configuration.data)
    needed = [*(source.path for source in configuration.source), configuration.rmsf_archive, configuration.split]
    missing = [name for name in needed if name and not (folder / name).exists()]
    if missing or not configuration.data:
        absent = f"{folder}: has no {', '.join(missing)}" if configuration.data else "No folder of data is named"
        raise TrainingDataError(f"{absent}; name the folder with --data. {configuration.data_needed}".strip())
    frames = configuration.augmentation.frames > 0.0
    archive = configuration.rmsf_archive
    chains = read_rmsf_chains(folder / archive) if archive else []
    validation = [ValidationChain(chain, configuration.architecture) for chain in chains]
    apart = {chain.cluster for chain in chains}
    architecture = configuration.architecture
    examples = [
        [
            replace(example, architecture=architecture)
            for example in load_examples(source, folder, frames=frames)
            if example.cluster not in apart
        ]
        for source in configuration.source
    ]
    return Data(examples, validation)


def assign_folds(data: Data, configuration: Configuration) -> list[Fold]:
    """The fold of each network.

    Raises
    ------
    TrainingDataError
        If nothing is left to train on, or nothing to validate on where that decides when to stop.
    """
    if configuration.split:
        split = Split.load(Path(configuration.data) / configuration.split)
        apart = {*split.validation, *split.test}
        clusters = {split.clusters[name] for name in apart if name in split.clusters}

        def is_apart(example: Example) -> bool:
            return example.structure.name in apart or str(example.cluster) in clusters

        def is_held_out(example: Example) -> bool:
            return example.structure.name in split.validation

        return [_fold(data, configuration, is_apart, is_held_out)] * configuration.members
    if configuration.held_out:

        def is_listed(example: Example) -> bool:
            return str(example.cluster) in configuration.held_out

        return [_fold(data, configuration, is_listed, is_listed)] * configuration.members
    if configuration.folds < 2:
        raise TrainingDataError("folds must be 2 or more where there is no split.")
    # Numbers before names.
    known = sorted(
        {example.cluster for example in _leading(configuration, data.examples)},
        key=lambda cluster: (isinstance(cluster, str), cluster),
    )
    order = np.random.default_rng(0).permutation(len(known))
    folds = []
    for number in range(configuration.members):
        clusters_apart = {known[place] for place in order[number :: configuration.folds]}

        def is_in_fold(example: Example, fold: set[Cluster] = clusters_apart) -> bool:
            return example.cluster in fold

        folds.append(_fold(data, configuration, is_in_fold, is_in_fold))
    return folds


def _fold(
    data: Data,
    configuration: Configuration,
    is_apart: Callable[[Example], bool],
    is_held_out: Callable[[Example], bool],
) -> Fold:
    training = [[example for example in group if not is_apart(example)] for group in data.examples]
    if not _leading(configuration, training):
        raise TrainingDataError("Nothing is left to train on; there are too few sequence clusters for these folds.")
    groups = zip(configuration.source, data.examples, strict=True)
    thermal = [example for source, group in groups if not source.scale_free for example in group]
    held_out = [example for example in thermal if is_held_out(example)]
    validating = [example for example in held_out if example.trustworthy and example.coupling is not None]
    if configuration.patience and not validating:
        raise TrainingDataError("No held-out protein is fit to decide when to stop; set patience = 0.")
    apart = {example.cluster for example in thermal if is_apart(example)}
    trained = {example.cluster for group in training for example in group}
    return Fold(training, validating, sorted(apart - trained, key=str))


def _leading(configuration: Configuration, examples: list[list[Example]]) -> list[Example]:
    """Examples of the sources through which an epoch goes."""
    groups = zip(configuration.source, examples, strict=True)
    return [example for source, group in groups if source.probability == 1.0 for example in group]

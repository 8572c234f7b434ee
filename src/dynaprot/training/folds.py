"""What a training reads, and who trains: proteins dealt into folds by sequence cluster, or by a split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..datasets.labels import Cluster
from ..datasets.splits import Split
from ..errors import TrainingDataError
from .configuration import Configuration
from .examples import Example, ValidationChain, load_examples, load_validation_chains

__all__ = ["Data", "Fold", "deal", "load_data"]


@dataclass
class Data:
    """Everything read from the data folder: the examples of each source, and chains that only validate."""

    examples: list[list[Example]]
    validation: list[ValidationChain]


@dataclass
class Fold:
    """What one network learns from, by source, and what is held out from it.

    Attributes
    ----------
    training : list of list of Example
    held_out : list of Example
        Those fit to judge by.
    clusters : list of int or str
        All that are not learned from: those of a split's test too.
    """

    training: list[list[Example]]
    held_out: list[Example]
    clusters: list[Cluster]


def load_data(configuration: Configuration) -> Data:
    """Read all sources; clusters of the chains that validate are kept out of all that is trained on."""
    folder = Path(configuration.data)
    frames = configuration.augmentation.frames > 0.0
    archive = configuration.rmsf_archive
    validation = load_validation_chains(folder / archive, configuration.architecture) if archive else []
    apart = {chain.cluster for chain in validation}
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


def deal(data: Data, configuration: Configuration) -> list[Fold]:
    """Say for each network what it learns from and what is held out from it.

    Raises
    ------
    TrainingDataError
        If that leaves nothing to learn from, or nothing to stop by.
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
    if configuration.folds < 2:
        raise TrainingDataError("folds must be 2 or more where no split says what is held out.")
    # Numbers before names.
    known = sorted(
        {example.cluster for example in _leading(configuration, data.examples)},
        key=lambda cluster: (isinstance(cluster, str), cluster),
    )
    order = np.random.default_rng(0).permutation(len(known))
    folds = []
    for number in range(configuration.members):
        part = {known[place] for place in order[number :: configuration.folds]}

        def is_of_part(example: Example, part: set[Cluster] = part) -> bool:
            return example.cluster in part

        folds.append(_fold(data, configuration, is_of_part, is_of_part))
    return folds


def _fold(
    data: Data,
    configuration: Configuration,
    is_apart: Callable[[Example], bool],
    is_held_out: Callable[[Example], bool],
) -> Fold:
    training = [
        [example for example in group if len(example) <= source.largest and not is_apart(example)]
        for source, group in zip(configuration.source, data.examples, strict=True)
    ]
    if not _leading(configuration, training):
        raise TrainingDataError("Nothing is left to train on; there are too few sequence clusters for these folds.")
    leading = _leading(configuration, data.examples)
    held_out = [example for example in leading if is_held_out(example)]
    judged = [example for example in held_out if example.trustworthy and example.coupling is not None]
    if configuration.patience and not judged:
        raise TrainingDataError("Nothing that is held out is fit to say when to stop; set patience = 0.")
    apart = {example.cluster for example in leading if is_apart(example)}
    trained = {example.cluster for group in training for example in group}
    return Fold(training, judged, sorted(apart - trained, key=str))


def _leading(configuration: Configuration, examples: list[list[Example]]) -> list[Example]:
    """Examples of the sources that an epoch goes through."""
    groups = zip(configuration.source, examples, strict=True)
    return [example for source, group in groups if source.share == 1.0 for example in group]

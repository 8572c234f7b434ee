"""Splits of proteins for training, validation and tests: the two of the paper, and by sequence cluster of any set."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import numpy as np

from ..errors import TrainingDataError
from ..storage import replacing
from .alignment import align

__all__ = ["PUBLISHED", "Split", "published_split", "sequence_clusters", "split_by_cluster"]

FORMAT = "dynaprot-split-1"
SUBSETS = ("train", "validation", "test")
PUBLISHED = {"alphaflow": (1265, 39, 82), "flexpert": (1112, 139, 139)}
"""Numbers of chains of ATLAS in each subset (Jing et al. 2024; Kouba et al. 2025)."""
LIST_NAMES = ("train", "val", "test")
"""What the names of the list files contain, for each subset."""
ALPHAFLOW = "https://raw.githubusercontent.com/bjing2016/alphaflow/master/splits/atlas_{part}.csv"
"""Address at which the authors of AlphaFlow publish its lists."""
FRACTIONS = (0.8, 0.1, 0.1)
"""Fractions of the proteins in each subset."""


@dataclass(frozen=True)
class Split:
    """Names of the proteins to train, to validate and to test on.

    Attributes
    ----------
    name : str
        ``alphaflow``, ``flexpert`` or ``clusters``.
    train, validation, test : tuple of str
        Sorted.
    clusters : dict of str to str
        The cluster of each protein, where the split was made by cluster.
    seed : int, optional
        Seed of the draw, where there was one.
    """

    name: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    clusters: dict[str, str] = field(default_factory=dict)
    seed: int | None = None

    def save(self, path: Path) -> None:
        """Write as JSON."""
        with replacing(path) as temporary:
            temporary.write_text(json.dumps({"format": FORMAT} | asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read what `save` wrote.

        Raises
        ------
        TrainingDataError
            If the file is missing or not a split.
        """
        try:
            content = json.loads(path.read_text())
            if content.pop("format") != FORMAT:
                raise ValueError(f"{FORMAT} expected")
            return cls(**content | {part: tuple(content[part]) for part in SUBSETS})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise TrainingDataError(f"{path}: is missing or not a split of proteins ({error}).") from error


def published_split(name: str, folder: Path | None = None) -> Split:
    """One of the paper's splits of ATLAS, from its lists.

    Parameters
    ----------
    name : str
        ``alphaflow``: the folder ``splits`` of github.com/bjing2016/alphaflow, ``atlas_train.csv`` and so on, with a
        column ``name``. ``flexpert``: lists whose names hold ``train``, ``val`` and ``test``, as ``.npy`` or as text
        with one chain a line.
    folder : Path, optional
        Folder of the lists. By default those of ``alphaflow`` are downloaded from their authors.

    Raises
    ------
    TrainingDataError
        If a list is missing or ambiguous, the counts are not those published, or a chain is in two subsets.
    """
    if name not in PUBLISHED:
        raise TrainingDataError(f"There is no published split '{name}'; there are {', '.join(PUBLISHED)}.")
    if folder is None:
        if name != "alphaflow":
            raise TrainingDataError(
                f"The split '{name}' is read from its authors' lists: name their folder (--split-lists)."
            )
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for part in LIST_NAMES:
                _download(ALPHAFLOW.format(part=part), folder / f"atlas_{part}.csv")
            return published_split(name, folder)
    subsets = [tuple(sorted(_read_list(_find_list(folder, name, part)))) for part in LIST_NAMES]
    counts = tuple(map(len, subsets))
    if counts != PUBLISHED[name]:
        raise TrainingDataError(
            f"{folder}: the lists have {'/'.join(map(str, counts))} chains; the split '{name}' has "
            f"{'/'.join(map(str, PUBLISHED[name]))}."
        )
    if len(set().union(*subsets)) != sum(counts):
        raise TrainingDataError(f"{folder}: a chain is listed twice.")
    train, validation, test = subsets
    return Split(name, train, validation, test)


def _download(url: str, path: Path) -> None:
    try:
        with urlopen(url, timeout=30) as answer:
            path.write_bytes(answer.read())
    except OSError as error:
        raise TrainingDataError(
            f"The download of {url} failed ({error}). Fetch the lists yourself and name their folder (--split-lists)."
        ) from error


def _find_list(folder: Path, split: str, part: str) -> Path:
    lists = [path for path in sorted(folder.glob("*")) if path.suffix in (".csv", ".npy", ".txt")]
    # Where both splits are in one folder: AlphaFlow's lists are named after ATLAS.
    marked = [path for path in lists if {"alphaflow": "atlas", "flexpert": "flexpert"}[split] in path.name]
    found = [path for path in marked or lists if part in path.stem]
    if len(found) != 1:
        listed = ", ".join(path.name for path in found) or "none"
        raise TrainingDataError(f"{folder}: one .csv, .npy or .txt named *{part}* is needed; found {listed}.")
    return found[0]


def _read_list(path: Path) -> list[str]:
    try:
        if path.suffix == ".npy":
            return [str(name) for name in np.load(path, allow_pickle=False).ravel()]
        lines = path.read_text().splitlines()
        if path.suffix == ".csv":
            return [row["name"] for row in csv.DictReader(lines)]
        return [line.strip() for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise TrainingDataError(f"{path}: cannot be read as a list of chains ({error}).") from error
    except KeyError as error:
        raise TrainingDataError(f"{path}: has no column 'name'.") from error


def sequence_clusters(sequences: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Cluster proteins so that no two of one family are in different clusters.

    Every pair that is not yet together is aligned (0.4 ms a pair of 200 residues: 1400 proteins take seven minutes);
    a prefilter by shared words of two or three residues would lose one pair in ten at 30 % identity.

    Parameters
    ----------
    sequences : mapping of str to sequence of str
        The chains of each protein by its name; a family in common is one in any chain.

    Returns
    -------
    dict of str to str
        The name of each protein's cluster: its first member.
    """
    names = list(sequences)
    cluster = {name: name for name in names}
    for k, name in enumerate(names):
        for other in names[:k]:
            if cluster[other] != cluster[name] and any(
                align(a, b).is_of_one_family for a in sequences[name] for b in sequences[other]
            ):
                joined = sorted((cluster[other], cluster[name]), key=names.index)
                for member in names[: k + 1]:
                    if cluster[member] == joined[1]:
                        cluster[member] = joined[0]
    return cluster


def split_by_cluster(clusters: Mapping[str, str], seed: int = 0) -> Split:
    """Draw whole clusters for training, validation and test, about 8 : 1 : 1 by number of proteins.

    Parameters
    ----------
    clusters : mapping of str to str
        The cluster of each protein.
    seed : int
        Seed of the draw.

    Raises
    ------
    TrainingDataError
        If there are fewer than three clusters.
    """
    members: dict[str, list[str]] = {}
    for name in sorted(clusters):
        members.setdefault(clusters[name], []).append(name)
    if len(members) < len(SUBSETS):
        raise TrainingDataError(
            f"{len(clusters)} proteins in {len(members)} sequence clusters cannot be split in three; prepare more."
        )
    drawn = sorted(members)
    np.random.default_rng(seed).shuffle(drawn)
    drawn.sort(key=lambda cluster: -len(members[cluster]))  # stable: large ones first, so that shares come out
    subsets: list[list[str]] = [[] for _ in SUBSETS]
    for place, cluster in enumerate(drawn):
        missing = [fraction * len(clusters) - len(subset) for fraction, subset in zip(FRACTIONS, subsets, strict=True)]
        empty = [k for k, subset in enumerate(subsets) if not subset]
        # The last clusters fill what is still empty.
        choice = empty[0] if len(drawn) - place <= len(empty) else int(np.argmax(missing))
        subsets[choice] += members[cluster]
    train, validation, test = (tuple(sorted(subset)) for subset in subsets)
    return Split("clusters", train, validation, test, dict(sorted(clusters.items())), seed)

"""The sequences that a network was trained on, in a small file beside its weights: what it saw of a protein.

Structures whose motion a model predicted (`distillation`) are not among them, since they tell nothing that was
measured; what that model was trained on is.

The file is gzipped FASTA, one record for each chain, with its sequence cluster and the members of the committee that
were trained on it, numbered from 0 as in the weights::

    >1ALB cluster=9380 members=0,2,3,4
    CDAFVGTWKLVSSENFDDYMKEVGVGFATRKVAGMAKPNMIISVNGDLVTIRSESTFKNTEISFKLGVEF...
"""

from __future__ import annotations

import gzip
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import WeightsError
from ..storage import replacing
from ..structure.protein import Structure
from .alignment import align, chain_sequences
from .labels import Cluster

__all__ = ["TrainingSequence", "TrainingSequences", "sequences_path"]


@dataclass(frozen=True)
class TrainingSequence:
    """A chain that was trained on.

    Attributes
    ----------
    name : str
    cluster : str
        Its sequence cluster.
    members : frozenset of int
        Numbers of the members of the committee that were trained on it.
    letters : str
        One-letter codes.
    """

    name: str
    cluster: str
    members: frozenset[int]
    letters: str


@dataclass(frozen=True)
class TrainingSequences:
    """All chains that a network, or any member of a committee, was trained on."""

    records: tuple[TrainingSequence, ...]

    @classmethod
    def of(cls, trained: Iterable[tuple[Structure, Cluster, int]]) -> TrainingSequences:
        """Collect the chains of structures, each with its cluster and the number of a member that was trained on it."""
        members: dict[tuple[str, str, str], set[int]] = defaultdict(set)
        for structure, cluster, member in trained:
            name = "_".join(structure.name.split())
            for letters in chain_sequences(structure):
                members[name, "_".join(str(cluster).split()), letters].add(member)
        return cls(
            tuple(
                TrainingSequence(name, cluster, frozenset(numbers), letters)
                for (name, cluster, letters), numbers in sorted(members.items())
            )
        )

    def of_one_member(self, number: int, member: int | None = None) -> TrainingSequences:
        """The chains that a member was trained on, or any if none is named, as those of the member `number`."""
        return TrainingSequences(
            tuple(
                replace(record, members=frozenset({number}))
                for record in self.records
                if member is None or member in record.members
            )
        )

    def __or__(self, other: TrainingSequences) -> TrainingSequences:
        """The chains of both, by the members of either."""
        members: dict[tuple[str, str, str], frozenset[int]] = defaultdict(frozenset)
        for record in (*self.records, *other.records):
            members[record.name, record.cluster, record.letters] |= record.members
        return TrainingSequences(
            tuple(
                TrainingSequence(name, cluster, numbers, letters)
                for (name, cluster, letters), numbers in sorted(members.items())
            )
        )

    def members_that_saw(self, sequences: Sequence[str]) -> set[int]:
        """Numbers of the members that were trained on a relative of a protein.

        A relative has 30 % of the sequence in common (`Alignment.is_of_one_family`) in any chain. Where a chain itself
        was trained on, its own records decide, and not those that resemble it by chance.

        Parameters
        ----------
        sequences : sequence of str
            The chains of the protein, in one-letter codes.
        """
        saw: set[int] = set()
        for letters in set(sequences):
            related = [record for record in self.records if record.letters == letters]
            related = related or [record for record in self.records if align(letters, record.letters).is_of_one_family]
            saw = saw.union(*(record.members for record in related))
        return saw

    def save(self, path: Path) -> None:
        """Write the file; the same sequences give the same bytes."""
        lines = [
            f">{record.name} cluster={record.cluster} members={','.join(map(str, sorted(record.members)))}\n"
            f"{record.letters}\n"
            for record in self.records
        ]
        with replacing(path) as temporary:
            temporary.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))

    @classmethod
    def load(cls, path: Path) -> TrainingSequences:
        """Read what `save` wrote.

        Raises
        ------
        WeightsError
            If the file is missing or damaged.
        """
        records = []
        try:
            for record in gzip.decompress(path.read_bytes()).decode().split(">")[1:]:
                title, letters = record.split("\n", 1)
                name, cluster, members = title.split(" ")
                numbers = frozenset(int(number) for number in members.removeprefix("members=").split(","))
                letters = letters.replace("\n", "")
                records.append(TrainingSequence(name, cluster.removeprefix("cluster="), numbers, letters))
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise WeightsError(f"{path}: is damaged or not the sequences of a training ({error}).") from error
        return cls(tuple(records))


def sequences_path(weights: Path) -> Path:
    """Path of the sequences that weights were trained on: ``name.training.fasta.gz`` beside ``name.safetensors``."""
    return weights.with_suffix(".training.fasta.gz")

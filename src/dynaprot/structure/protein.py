"""`Structure`: what networks, analyses and writers know of a protein."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..cached import cached_property
from ..errors import StructureError
from ..notices import Notice, as_notices, notice_rows, read_notices
from ..storage import Archive
from . import backbone
from .completion import backbone_faults, count, shorten
from .geometry import connected_parts, neighbour_pairs
from .residues import AMINO_ACIDS, UNKNOWN, is_d_amino_acid, three_letter_code

__all__ = ["Atoms", "Structure"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]
Strings = NDArray[np.str_]

BOND, SLACK = 3.8, 1.0
"""Å between neighbours along a chain, and how much farther apart they may be where a chain is broken and lacks none."""
POSITIONS = ("n", "ca", "c")
LABELS = ("chain_ids", "residue_ids", "residue_names", "label_chain_ids", "label_residue_ids")
SAME_PLACE = 1.0
"""C-alphas of two residues that are nearer than this lie in the same place, Å."""


@dataclass(frozen=True)
class Atoms:
    """Heavy atoms of a structure's residues, for display and all-atom output.

    Attributes
    ----------
    names, elements : ndarray, shape=(A,), dtype=str
        Names such as ``"CB"``, and symbols of elements.
    positions : ndarray, shape=(A, 3), dtype=float
        Positions, Å.
    residue : ndarray, shape=(A,), dtype=int
        Index of the residue that each atom belongs to.
    """

    names: Strings
    elements: Strings
    positions: Array
    residue: Indices


@dataclass(frozen=True, eq=False)
class Structure:
    """Residues of one or several protein chains, treated as one system.

    Attributes
    ----------
    n, ca, c : ndarray, shape=(N, 3), dtype=float
        Positions of the backbone atoms, Å.
    sequence : str
        One-letter codes, ``X`` where unknown; modified residues by their parent.
    chain_ids, residue_ids : ndarray, shape=(N,), dtype=str
        The author's chain names and residue numbers with insertion code, as ``"52A"``.
    residue_names : ndarray, shape=(N,), dtype=str
        Three-letter names as in the file.
    label_chain_ids, label_residue_ids : ndarray, shape=(N,), dtype=str
        mmCIF label ids; equal to the author's where the file has none.
    name : str
        Name of the structure in messages and file names.
    notices : tuple of Notice
        What the user should know: what the reader of a file left out, and what is unusual.
    atoms : Atoms or None
        Heavy atoms of the residues, where a file gave them.
    """

    n: Array
    ca: Array
    c: Array
    sequence: str
    chain_ids: Strings
    residue_ids: Strings
    residue_names: Strings
    label_chain_ids: Strings
    label_residue_ids: Strings
    name: str = "structure"
    notices: tuple[Notice, ...] = ()
    atoms: Atoms | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "notices", as_notices(self.notices))

    @classmethod
    def from_arrays(
        cls,
        n: ArrayLike,
        ca: ArrayLike,
        c: ArrayLike,
        sequence: str,
        chain_ids: Sequence[str] | Strings | None = None,
        residue_ids: Sequence[str | int] | Strings | None = None,
        *,
        residue_names: Sequence[str] | Strings | None = None,
        label_chain_ids: Sequence[str] | Strings | None = None,
        label_residue_ids: Sequence[str] | Strings | None = None,
        name: str = "structure",
        notices: Sequence[str] = (),
        atoms: Atoms | None = None,
    ) -> Structure:
        """Build a structure from backbone coordinates, which are checked here.

        Residues that lie in the same place and D-amino acids are allowed, and get a notice. Residues that lack atoms
        are none of the arrays': `completion.complete_backbone` rebuilds what can be, as the reader of files does.

        Parameters
        ----------
        n, ca, c : array_like, shape=(N, 3)
            Backbone atoms, Å.
        sequence : str
            N one-letter codes, ``X`` for unknown.
        chain_ids : sequence of str, length=N, optional
            By default all residues are of chain ``A``.
        residue_ids : sequence of str, length=N, optional
            By default ``1`` to ``N``.
        residue_names, label_chain_ids, label_residue_ids, name, notices, atoms
            As the attributes; derived where they are not given.

        Raises
        ------
        StructureError
            If shapes disagree, a coordinate is not finite, or a residue's backbone cannot be: N-CA and CA-C are 1.1 to
            2.0 Å long and not in line.
        """
        backbone_atoms = []
        for label, value in (("n", n), ("ca", ca), ("c", c)):
            positions = np.asarray(value, dtype=np.float64)
            if positions.ndim != 2 or positions.shape[1] != 3:
                raise StructureError(f"{name}: '{label}' must be an array of shape (N, 3), not {positions.shape}.")
            backbone_atoms.append(np.array(positions))
        size = len(backbone_atoms[0])
        if size == 0:
            raise StructureError(f"{name}: no residue was given; DynaProt needs a protein.")
        sequence = "".join(letter if letter in AMINO_ACIDS else UNKNOWN for letter in sequence.upper())
        chains = _labels(chain_ids, ["A"] * size)
        numbers = _labels(residue_ids, [str(k + 1) for k in range(size)])
        columns: dict[str, Any] = {
            "ca": backbone_atoms[1],
            "c": backbone_atoms[2],
            "sequence": sequence,
            "chain_ids": chains,
            "residue_ids": numbers,
            "residue_names": _labels(residue_names, [three_letter_code(letter) for letter in sequence]),
            "label_chain_ids": _labels(label_chain_ids, chains),
            "label_residue_ids": _labels(label_residue_ids, numbers),
        }
        for label, column in columns.items():
            if len(column) != size:
                raise StructureError(f"{name}: '{label}' has {len(column)} entries, but there are {size} residues.")
        structure = cls(backbone_atoms[0], name=name, notices=as_notices(notices), atoms=atoms, **columns)
        faults = backbone_faults(*backbone_atoms)
        if faults:
            first = min(faults)
            raise StructureError(
                f"{name}: residue {structure.residue_label(first)} cannot be that of a protein: {faults[first]}; "
                "repair or remove it."
            )
        return structure._with_notices(structure._unusual())

    def _unusual(self) -> list[Notice]:
        """Notices that the residues themselves call for, whoever read them."""
        notices = []
        i, j = neighbour_pairs(self.ca, SAME_PLACE)
        if len(i):
            residues = np.unique([i, j])
            listed = [f"{self.residue_label(a)} and {self.residue_label(b)}" for a, b in zip(i, j, strict=True)]
            chains = " and ".join(name or "(blank)" for name in dict.fromkeys(self.chain_ids[residues].tolist()))
            notices.append(
                Notice(
                    f"{count(len(residues), 'residue')} of chain {chains} lie in the same place as another, so that "
                    f"they seem stiffer than they are; keep one copy: {shorten(listed, 4)}.",
                    "overlap",
                    residues,
                )
            )
        named = [k for k, name in enumerate(self.residue_names) if is_d_amino_acid(name)]
        mirrored = np.union1d(named, self._mirrored()).astype(np.int64)
        if len(mirrored):
            listed = [self.residue_label(k) for k in mirrored]
            notices.append(
                Notice(
                    f"{count(len(mirrored), 'D-amino acid')}, which the networks have not learned: {shorten(listed)}.",
                    "mirrored",
                    mirrored,
                )
            )
        return notices

    def _mirrored(self) -> Indices:
        """Residues whose CB lies on the side of a D-amino acid."""
        if self.atoms is None:
            return np.zeros(0, dtype=np.int64)
        rows = np.flatnonzero(self.atoms.names == "CB")
        k = self.atoms.residue[rows]
        across = np.cross(self.n[k] - self.ca[k], self.c[k] - self.ca[k])
        volume = (across * (self.atoms.positions[rows] - self.ca[k])).sum(1)
        return np.unique(k[volume < -1.0])  # 2.5 in L-amino acids, in Å^3

    def _with_notices(self, more: Sequence[Notice]) -> Structure:
        new = tuple(notice for notice in more if notice not in self.notices)
        return replace(self, notices=self.notices + new) if new else self

    def __len__(self) -> int:
        return len(self.ca)

    def __getitem__(self, selected: slice | Sequence[int] | Sequence[bool] | NDArray[Any]) -> Structure:
        """Some of the residues, in the order asked for, with their atoms, and notices about them or about no residue.

        Parameters
        ----------
        selected : slice, or ndarray of bool, shape=(N,), or of int, shape=(M,)
            Slice, mask or indices of the residues to keep, each at most once.

        Raises
        ------
        StructureError
            If no residue is selected, one is selected twice or does not exist, or a mask has another length.

        Examples
        --------
        >>> chain_a = structure[structure.chain_ids == "A"]  # doctest: +SKIP
        """
        kept = self._selected(selected)
        place = np.full(len(self), -1)
        place[kept] = np.arange(len(kept))
        atoms = self.atoms
        if atoms is not None:
            rows = np.flatnonzero(place[atoms.residue] >= 0)
            atoms = Atoms(atoms.names[rows], atoms.elements[rows], atoms.positions[rows], place[atoms.residue[rows]])
        moved = [notice.moved(place) for notice in self.notices if notice.kind != "overlap"]
        part = replace(
            self,
            sequence="".join(self.sequence[k] for k in kept),
            atoms=atoms,
            notices=tuple(notice for notice in moved if notice is not None),
            **{name: getattr(self, name)[kept] for name in POSITIONS + LABELS},
        )
        # Copies in one place may have been parted.
        overlap = any(notice.kind == "overlap" for notice in self.notices)
        return (
            part._with_notices([notice for notice in part._unusual() if notice.kind == "overlap"]) if overlap else part
        )

    def _selected(self, selected: slice | Sequence[int] | Sequence[bool] | NDArray[Any]) -> Indices:
        try:
            kept = np.atleast_1d(np.arange(len(self))[selected])
        except IndexError as error:
            raise StructureError(
                f"{self.name}: residues cannot be selected from {len(self)} ({error}); give a slice, indices, or a "
                "mask with one entry for each residue."
            ) from error
        if not len(kept):
            raise StructureError(f"{self.name}: no residue was selected; DynaProt needs a protein.")
        if kept.ndim > 1 or len(np.unique(kept)) < len(kept):
            raise StructureError(f"{self.name}: each residue can be selected once only.")
        return kept

    def index(self, chain_id: str, residue_id: str | int) -> int:
        """Index of a residue by the author's names.

        Parameters
        ----------
        chain_id : str
        residue_id : str or int
            Number with insertion code, as ``"52A"``.

        Raises
        ------
        StructureError
            If there is no such residue, or more than one.

        Examples
        --------
        >>> structure.index("A", "52A")  # doctest: +SKIP
        """
        in_chain = self.chain_ids == chain_id
        if not in_chain.any():
            present = ", ".join(f"'{name}'" for name in dict.fromkeys(self.chain_ids.tolist()))
            raise StructureError(f"{self.name}: there is no chain '{chain_id}'; the structure has {present}.")
        found = np.flatnonzero(in_chain & (self.residue_ids == str(residue_id)))
        if not len(found):
            present = self.residue_ids[in_chain]
            raise StructureError(
                f"{self.name}: chain '{chain_id}' has no residue '{residue_id}'; its {len(present)} residues are "
                f"numbered from {present[0]} to {present[-1]}, and some numbers may be missing."
            )
        if len(found) > 1:
            raise StructureError(
                f"{self.name}: chain '{chain_id}' has {len(found)} residues '{residue_id}'; choose one by its index."
            )
        return int(found[0])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The form in which structures are stored: what `from_archive` reads back."""
        arrays: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in POSITIONS + LABELS}
        arrays |= {
            "name": np.array(self.name),
            "sequence": np.array(self.sequence),
            "notices": notice_rows(self.notices),
        }
        if self.atoms is not None:
            arrays |= {f"atom_{name}": array for name, array in vars(self.atoms).items()}
        return arrays

    @classmethod
    def from_archive(cls, archive: Archive) -> Structure:
        """Read what `to_arrays` gave; the length of the archive's axis N is the number of residues from then on.

        Raises
        ------
        DynaProtError
            The archive's own error, if an array is missing or damaged. Label ids may be missing.
        """
        positions = {name: archive.numbers(name, "N", 3) for name in POSITIONS}
        labels = {name: archive.texts(name, "N") for name in LABELS if name in archive or not name.startswith("label")}
        sequence = archive.text("sequence")
        if len(sequence) != archive.lengths["N"]:
            archive.refuse(f"the sequence has {len(sequence)} letters for {archive.lengths['N']} residues")
        atoms = None
        if "atom_names" in archive:
            atoms = Atoms(
                archive.texts("atom_names", "A"),
                archive.texts("atom_elements", "A"),
                archive.numbers("atom_positions", "A", 3),
                archive.indices("atom_residue", "A", below="N"),
            )
        try:
            return cls.from_arrays(
                **positions,
                **labels,
                sequence=sequence,
                name=archive.text("name"),
                notices=read_notices(archive, "structure notices"),
                atoms=atoms,
            )
        except StructureError as error:
            archive.refuse(str(error).rstrip("."))

    def residue_label(self, index: int | np.integer[Any]) -> str:
        """Name of a residue in messages: chain, residue name, number."""
        return f"{self.chain_ids[index]} {self.residue_names[index]} {self.residue_ids[index]}".strip()

    @cached_property
    def fingerprint(self) -> str:
        """Key of a prediction: equal for structures with equal coordinates, sequence and residue ids."""
        digest = hashlib.sha256(np.stack([self.n, self.ca, self.c]).tobytes())
        for label in (self.sequence, *self.chain_ids, *self.residue_ids):
            digest.update(f"{label}\n".encode())
        return digest.hexdigest()

    @cached_property
    def rotations(self) -> Array:
        """Rotations of the backbone frames, shape=(N, 3, 3), from local axes to the frame of the input."""
        return backbone.frames(self.n, self.ca, self.c)

    @cached_property
    def next_residue(self) -> NDArray[np.int64]:
        """Index of the residue bonded to each residue's C: (N,), -1 at a chain's end and at a break."""
        return backbone.next_residues(self.n, self.c, self.chain_ids)

    @cached_property
    def gaps(self) -> tuple[Indices, Indices, Indices]:
        """Last residue before, first after, and number of residues missing in each gap of a chain: (G,) each."""
        return backbone.gaps(self.next_residue, self.chain_ids, self._numbers)

    @property
    def _numbers(self) -> Indices:
        """Residue numbers: those of the sequence (mmCIF label ids) where the file has them all, else the author's."""
        for labels in (self.label_residue_ids, self.residue_ids):
            found = [re.match(r"-?\d+", label) for label in labels]
            if all(found):
                return np.array([int(match[0]) for match in found if match])
        return np.arange(len(self))

    @cached_property
    def links(self) -> tuple[Indices, Indices, Indices]:
        """The `gaps` that the missing residues can span: ends nearer than 3.8 Å for each bond between them.

        A piece of a chain beyond a wider gap belongs elsewhere, as to a neighbour in the crystal.
        """
        before, after, missing = self.gaps
        spanned = np.linalg.norm(self.ca[after] - self.ca[before], axis=1) < BOND * (missing + 1) + SLACK * (
            missing == 0
        )
        return before[spanned], after[spanned], missing[spanned]

    @cached_property
    def gap_notices(self) -> tuple[Notice, ...]:
        """What to say of chains that go on after residues that are not in the structure."""
        before, after, missing = self.gaps
        spanned = np.isin(before, self.links[0])
        notices = []
        for chosen, consequence in (
            (spanned, "The ends of a gap may move less than predicted."),
            (~spanned, "So few cannot span the distance: one of the pieces may belong to a neighbour in the crystal."),
        ):
            places = np.flatnonzero(chosen & (missing > 0))
            if len(places):
                names = [
                    f"{count(int(missing[k]), 'residue')} between {self.residue_label(before[k])} and "
                    f"{self.residue_label(after[k])}"
                    for k in places
                ]
                ends = np.sort(np.concatenate([before[places], after[places]]))
                notices.append(Notice(f"Not in the structure: {shorten(names)}. {consequence}", "gap", ends))
        return tuple(notices)

    @cached_property
    def segments(self) -> Indices:
        """The unbroken stretch of chain that each residue belongs to, by the index of its first residue: (N,)."""
        return backbone.chain_positions(self.next_residue)[0]

    @cached_property
    def molecules(self) -> Indices:
        """The molecule that each residue belongs to, whatever its chain is called: (N,), equal within a molecule.

        Residues joined by peptide bonds or by `links` are of one molecule; chains that are named apart but bonded too.
        """
        bonded = backbone.next_residues(self.n, self.c, np.full(len(self), ""))
        i = np.flatnonzero(bonded >= 0)
        before, after, _ = self.links
        return connected_parts(len(self), np.concatenate([i, before]), np.concatenate([bonded[i], after]))

    @cached_property
    def hydrogen_bonds(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
        """Acceptor and donor residue, (B,) each, and energy in kcal/mol of backbone hydrogen bonds."""
        return backbone.hydrogen_bonds(self.n, self.ca, self.c, self.next_residue, self.sequence)

    @cached_property
    def secondary_structure(self) -> str:
        """One letter for each residue: helix ``H``, strand ``E``, else ``-``."""
        acceptor, donor, _ = self.hydrogen_bonds
        return backbone.secondary_structure(self.next_residue, acceptor, donor)


def _labels(given: Sequence[str | int] | Strings | None, default: Sequence[str] | Strings) -> Strings:
    return np.array([str(label) for label in (default if given is None else given)], dtype=np.str_)

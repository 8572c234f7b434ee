"""Notices: what the user should know of a structure or of a prediction, as sentences that programs can sort."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .storage import Archive

__all__ = ["KINDS", "Notice", "as_notices", "kinds_of_residues", "notice_rows", "read_notices"]

KINDS = {
    "ignored": "Something in the file was not read: ligands, nucleotides, further models or data blocks.",
    "format": "The file departs from its format.",
    "chains": "Chains that share a name, or have none, were given names of their own.",
    "incomplete": "Backbone atoms are missing: they were rebuilt, or the residue was left out.",
    "backbone": "A bond of the backbone has an impossible length: the residue was left out.",
    "overlap": "Residues lie in the same place.",
    "mirrored": "D-amino acids, which the networks have not learned.",
    "unknown": "Residues of a type that the networks do not know.",
    "gap": "Residues at the ends of a stretch of chain that is not in the structure.",
    "loose": "Residues that the rest of the structure hardly holds.",
    "superposition": "The motion is seen from some of the residues, not from all of them.",
    "model": "Something stands in for the model that was asked for.",
    "other": "Anything else, such as a notice of an earlier version, which had no kinds.",
}
"""Every kind of notice, and what it tells. The column `notice` of a table of residues holds these words."""


class Notice(str):
    """A sentence for the user, with its kind and the residues it is about.

    It is a text, so that whatever shows texts shows notices.

    Parameters
    ----------
    sentence : str
    kind : str
        One of `KINDS`.
    residues : array_like, shape=(K,), dtype=int
        Indices of the residues it is about, none where it is about something else, such as what was left out.
    """

    kind: str
    residues: NDArray[np.int64]

    def __new__(cls, sentence: str, kind: str = "other", residues: ArrayLike = ()) -> Notice:
        if kind not in KINDS:
            raise ValueError(f"'{kind}' is not a kind of notice; there are {', '.join(KINDS)}.")
        notice = super().__new__(cls, sentence)
        notice.kind = kind
        notice.residues = np.array(residues, dtype=np.int64).reshape(-1)
        return notice

    def __getnewargs__(self) -> tuple[str, str, NDArray[np.int64]]:  # type: ignore[override]
        return str(self), self.kind, self.residues

    def moved(self, place: NDArray[np.int64]) -> Notice | None:
        """The notice for some of the residues.

        Parameters
        ----------
        place : ndarray, shape=(N,), dtype=int
            New index of each residue, -1 for those that are no longer there.

        Returns
        -------
        Notice or None
            None if none of the residues that it is about is left.
        """
        residues = place[self.residues]
        kept = residues[residues >= 0]
        return Notice(self, self.kind, kept) if len(kept) or not len(self.residues) else None


def as_notices(sentences: Iterable[str]) -> tuple[Notice, ...]:
    """Notices as they are, and other texts as notices of the kind "other"."""
    return tuple(text if isinstance(text, Notice) else Notice(text) for text in sentences)


def kinds_of_residues(notices: Sequence[Notice], size: int) -> list[str]:
    """The kinds of notice about each of `size` residues, joined by ";" in the order of `KINDS`; "" where none is."""
    about: list[set[str]] = [set() for _ in range(size)]
    for notice in notices:
        for residue in notice.residues:
            about[residue].add(notice.kind)
    return [";".join(kind for kind in KINDS if kind in kinds) for kinds in about]


def notice_rows(notices: Sequence[Notice]) -> NDArray[np.str_]:
    """The form in which notices are stored, shape=(M, 3): sentence, kind, and residues with blanks between them."""
    rows = [(str(notice), notice.kind, " ".join(map(str, notice.residues))) for notice in notices]
    return np.array(rows, dtype=np.str_).reshape(-1, 3)


def read_notices(archive: Archive, length: str) -> tuple[Notice, ...]:
    """Read what `notice_rows` gave, or the sentences alone that earlier versions stored.

    Parameters
    ----------
    archive : Archive
        Holds them as ``notices``; the length of its axis N, the number of residues, is known.
    length : str
        Name of the axis of notices.

    Raises
    ------
    DynaProtError
        The archive's own error, if they are missing or damaged.
    """
    if "notices" in archive and archive.arrays["notices"].ndim == 1:
        return as_notices(archive.texts("notices", length).tolist())
    notices = []
    for sentence, kind, listed in archive.texts("notices", length, 3).tolist():
        residues = [int(number) for number in listed.split() if number.isdecimal()]
        if kind not in KINDS or len(residues) < len(listed.split()) or max(residues, default=0) >= archive.lengths["N"]:
            archive.refuse(f"'notices' holds what is not a notice: '{kind}', residues '{listed[:40]}'")
        notices.append(Notice(sentence, kind, residues))
    return tuple(notices)

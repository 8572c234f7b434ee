"""What has been predicted in a session: made once for each structure, forgotten when its coordinates change."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from chimerax.atomic import Residue, all_atomic_structures
from chimerax.core.errors import UserError
from chimerax.core.state import StateManager

from .backbone import protein_backbone
from .dynaprot import Dynamics, DynaProtError, Structure, StructureError, predict

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.session import Session
    from numpy.typing import NDArray

MANAGER = "dynaprot predictions"
"""The name of the one `Predictions` of a session."""
KEPT = 2
"""Predictions of one structure, as by two models to compare: each may hold hundreds of megabytes."""


@contextmanager
def user_errors() -> Iterator[None]:
    """Show to the user, in its own words, what the core refuses."""
    try:
        yield
    except DynaProtError as error:
        raise UserError(str(error)) from error


@dataclass(frozen=True)
class Request:
    """A system to be predicted: the chains of one structure that the user's specification touches.

    Attributes
    ----------
    structure : chimerax.atomic.AtomicStructure
    residues : chimerax.atomic.Residues, length=N
        All that are predicted.
    specified : ndarray, shape=(N,), dtype=bool
        Those that the user specified, to be drawn and coloured.
    backbone : Structure
        The N residues for the core.
    model, device : str
        As of the core's `predict`.
    """

    structure: AtomicStructure
    residues: Residues
    specified: NDArray[np.bool_]
    backbone: Structure
    model: str
    device: str

    @property
    def key(self) -> tuple[str, ...]:
        """What tells the predictions of a structure apart."""
        return self.model, self.device, *np.unique(self.backbone.chain_ids).tolist()

    def predict(self) -> Dynamics:
        """Predict, asking nothing of the host: for a thread of its own."""
        dynamics = predict(self.backbone, model=self.model, device=self.device)
        _ = dynamics.marginals  # made now, so that what is refused is refused before anything is drawn
        return dynamics


@dataclass(frozen=True)
class Prediction:
    """How a system moves.

    Attributes
    ----------
    structure, residues, specified
        As of `Request`.
    dynamics : Dynamics
        Of the N residues, in the structure's own frame.
    """

    structure: AtomicStructure
    residues: Residues
    specified: NDArray[np.bool_]
    dynamics: Dynamics


class Predictions(StateManager):
    """The predictions of a session, and which model the user chose for each structure; both are saved with it."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[AtomicStructure, dict[tuple[str, ...], Dynamics]] = WeakKeyDictionary()
        self._choices: WeakKeyDictionary[AtomicStructure, tuple[str, str]] = WeakKeyDictionary()

    @classmethod
    def of(cls, session: Session) -> Predictions:
        """The one of a session."""
        try:
            return session.get_state_manager(MANAGER)
        except KeyError:
            predictions = cls()
            session.add_state_manager(MANAGER, predictions)
            return predictions

    def choose(self, structure: AtomicStructure, model: str | None, device: str | None) -> tuple[str, str]:
        """Model and device for a structure: those given now, else those given last, else the core's defaults."""
        last_model, last_device = self._choices.get(structure, ("default", "auto"))
        choice = model or last_model, device or last_device
        self._choices[structure] = choice
        return choice

    def find(self, request: Request) -> Dynamics | None:
        """What was predicted for the same chains, model, device and coordinates."""
        dynamics = self._kept.get(request.structure, {}).get(request.key)
        return dynamics if dynamics is not None and _same(dynamics.structure, request.backbone) else None

    def keep(self, request: Request, dynamics: Dynamics) -> None:
        """Remember a prediction in place of the one for earlier coordinates, and forget the oldest of too many."""
        kept = self._kept.setdefault(request.structure, {})
        kept.pop(request.key, None)
        kept[request.key] = dynamics
        while len(kept) > KEPT:
            del kept[next(iter(kept))]

    def reset_state(self, session: Session) -> None:
        self._kept.clear()
        self._choices.clear()

    def take_snapshot(self, session: Session, flags: int) -> dict:
        open_structures = [structure for structure in self._choices if not structure.deleted]
        return {
            "version": 1,
            "structures": open_structures,
            "choices": [list(self._choices[structure]) for structure in open_structures],
            "kept": [
                [[list(key), to_bytes(dynamics)] for key, dynamics in self._kept.get(structure, {}).items()]
                for structure in open_structures
            ],
        }

    @classmethod
    def restore_snapshot(cls, session: Session, data: dict) -> Predictions:
        predictions = cls()
        for structure, choice, kept in zip(data["structures"], data["choices"], data["kept"], strict=True):
            predictions._choices[structure] = tuple(choice)
            predictions._kept[structure] = {tuple(key): from_bytes(content) for key, content in kept}
        return predictions


def requests(
    session: Session, residues: Residues | None = None, model: str | None = None, device: str | None = None
) -> list[Request]:
    """Sort out what a specification asks to be predicted.

    Each structure is predicted for itself, in its own frame. Its chains that are touched are one system.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        By default all of all atomic structures.
    model, device : str, optional
        As of the core's `predict`; by default what was given for the structure last.

    Returns
    -------
    list of Request
        One for each structure, at least one.

    Raises
    ------
    UserError
        If there is no protein; a structure without any, beside others, is left out with a warning.
    """
    if residues is None:
        by_structure = [(structure, structure.residues) for structure in all_atomic_structures(session)]
        if not by_structure:
            raise UserError("No atomic structure was given; open one first.")
    else:
        by_structure = residues.by_structure
        if not by_structure:
            raise UserError("No residue of an atomic structure was given.")
    found, refused = [], []
    for structure, own in by_structure:
        amino = own.filter(own.polymer_types == Residue.PT_AMINO)
        try:
            if own and not amino and len(own) < structure.num_residues:
                raise StructureError(f"What was given of {structure} holds no protein residue.")
            protein, backbone = protein_backbone(structure, list(amino.unique_chain_ids))
        except StructureError as error:
            refused.append(str(error))
            continue
        chosen = Predictions.of(session).choose(structure, model, device)
        found.append(Request(structure, protein, protein.mask(amino), backbone, *chosen))
    if not found:
        raise UserError(" ".join(refused))
    for text in refused:
        session.logger.warning(text)
    return found


def predictions(
    session: Session, residues: Residues | None = None, model: str | None = None, device: str | None = None
) -> list[Prediction]:
    """Predict what a specification asks for, or take it from before; parameters and errors as of `requests`.

    Returns
    -------
    list of Prediction
        One for each structure.
    """
    return [
        Prediction(request.structure, request.residues, request.specified, _predicted(session, request))
        for request in requests(session, residues, model, device)
    ]


def _predicted(session: Session, request: Request) -> Dynamics:
    known = Predictions.of(session).find(request)
    if known is not None:
        return known
    session.logger.status(f"Predicting the motion of {request.structure}, {len(request.residues)} residues ...")
    start = perf_counter()
    if session.ui.is_gui:
        from .job import predict_beside_window

        dynamics = predict_beside_window(request)
    else:
        dynamics = request.predict()
    finish(session, request, dynamics, perf_counter() - start)
    return dynamics


def finish(session: Session, request: Request, dynamics: Dynamics, seconds: float) -> None:
    """Keep a prediction and say what was predicted."""
    Predictions.of(session).keep(request, dynamics)
    for notice in (*request.backbone.notices, *dynamics.notices):
        session.logger.warning(f"{request.structure}: {notice}")
    session.logger.status(
        f"{request.structure}: motion of {len(request.residues)} residues predicted in {seconds:.1f} s "
        f"by {dynamics.model}",
        log=True,
    )


def _same(one: Structure, other: Structure) -> bool:
    """Whether two structures move alike. A saved session holds coordinates in single precision only."""
    return (
        one.sequence == other.sequence
        and np.array_equal(one.chain_ids, other.chain_ids)
        and np.array_equal(one.residue_ids, other.residue_ids)
        and all(np.allclose(getattr(one, name), getattr(other, name), atol=1e-3) for name in ("n", "ca", "c"))
    )


def to_bytes(dynamics: Dynamics) -> bytes:
    """The same bytes as of a saved file, because a session holds no objects of other programs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dynamics.npz"
        dynamics.save(path)
        return path.read_bytes()


def from_bytes(content: bytes) -> Dynamics:
    """What `to_bytes` made."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dynamics.npz"
        path.write_bytes(content)
        return Dynamics.load(path)

"""What has been predicted in a session: made once for each structure, forgotten when its coordinates change."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from chimerax.core.errors import UserError
from chimerax.core.state import State, StateManager

from ..dynaprot import Dynamics, DynaProtError, Structure, predict
from ..dynaprot.defaults import DEVICE, MODEL, SUPERPOSITION
from ..dynaprot.structure.selection import selection_text
from .proteins import Protein, read_proteins

if TYPE_CHECKING:
    from collections.abc import Callable

    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.session import Session
    from numpy.typing import NDArray

MANAGER = "dynaprot predictions"
"""The name of the one `Predictions` of a session."""
KEPT = 2
"""Predictions kept of one structure, so that two models can be compared; each may hold hundreds of megabytes."""
PAUSE = 0.03
"""Seconds between two rounds of the window's events."""

Result = TypeVar("Result")


@contextmanager
def user_errors() -> Iterator[None]:
    """Show to the user, in its own words, what the core refuses."""
    try:
        yield
    except DynaProtError as error:
        raise UserError(str(error)) from error


@dataclass(frozen=True)
class Request:
    """A protein, and what is to predict it.

    Attributes
    ----------
    protein : Protein
    model, device : str
        As in the core's `predict`.
    superimpose : str
        As in the core's `Dynamics.superposed`.
    """

    protein: Protein
    model: str
    device: str
    superimpose: str = SUPERPOSITION

    @property
    def key(self) -> tuple[str, ...]:
        """What distinguishes the predictions of one structure."""
        return self.model, self.device, self.superimpose, *np.unique(self.protein.backbone.chain_ids).tolist()

    def predict(self) -> KeptDynamics:
        """Predict without calling the host, so that a thread may do it."""
        dynamics = predict(self.protein.backbone, model=self.model, device=self.device).superposed(self.superimpose)
        # Made now, so that what is refused is refused before anything is drawn, and that no plot has to wait.
        _ = dynamics.marginals, dynamics.structure.secondary_structure
        return KeptDynamics(dynamics)


class KeptDynamics(State):
    """`Dynamics` and the latest answer to each question that was asked of them.

    So the tool lets a thread ask, and the command that draws, which asks again, does not keep the user waiting. A
    session file holds the dynamics once, however many plots show them, and no answers.

    Parameters
    ----------
    dynamics : Dynamics
    """

    def __init__(self, dynamics: Dynamics) -> None:
        self.dynamics = dynamics
        self._answers: dict[Callable[..., Any], tuple[tuple[Any, ...], Any]] = {}

    def knows(self, question: Callable[..., Any], *arguments: Any) -> bool:
        """Whether `answer` has the answer from before."""
        return question in self._answers and self._answers[question][0] == arguments

    def answer(self, question: Callable[..., Result], *arguments: Any) -> Result:
        """Call a question with the dynamics and the arguments, or take the answer from before.

        Nobody may change what it returns.
        """
        known = self._answers.get(question)
        if known is None or known[0] != arguments:
            known = self._answers[question] = arguments, question(self.dynamics, *arguments)
        return known[1]

    def take_snapshot(self, session: Session, flags: int) -> dict[str, Any]:
        """The bytes of a saved file, because a session cannot hold objects of other programs."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "dynamics.npz"
            self.dynamics.save(path)
            return {"version": 1, "file": path.read_bytes()}

    @classmethod
    def restore_snapshot(cls, session: Session, data: dict[str, Any]) -> KeptDynamics:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "dynamics.npz"
            path.write_bytes(data["file"])
            return cls(Dynamics.load(path))


@dataclass(frozen=True)
class Prediction:
    """How a system moves.

    Attributes
    ----------
    structure, residues, specified
        As in `Protein`.
    kept : KeptDynamics
    """

    structure: AtomicStructure
    residues: Residues
    specified: NDArray[np.bool_]
    kept: KeptDynamics

    @property
    def dynamics(self) -> Dynamics:
        """Dynamics of the N residues, in the structure's own frame."""
        return self.kept.dynamics

    def answer(self, session: Session, question: Callable[..., Result], *arguments: Any) -> Result:
        """Ask `KeptDynamics.answer`; an answer that is not there yet is worked out beside the window."""
        if not self.kept.knows(question, *arguments):
            session.logger.status(f"Working out the view of {self.structure}, {len(self.residues)} residues ...")
        return beside_window(session, self.kept.answer, question, *arguments)


class Predictions(StateManager):
    """The predictions of a session, and which model the user chose for each structure; both are saved with it."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[AtomicStructure, dict[tuple[str, ...], KeptDynamics]] = WeakKeyDictionary()
        self._choices: WeakKeyDictionary[AtomicStructure, tuple[str, str, str]] = WeakKeyDictionary()

    @classmethod
    def of(cls, session: Session) -> Predictions:
        """The predictions of a session."""
        try:
            return session.get_state_manager(MANAGER)
        except KeyError:
            predictions = cls()
            session.add_state_manager(MANAGER, predictions)
            return predictions

    def request(
        self, protein: Protein, model: str | None, device: str | None, superimpose: str | None = None
    ) -> Request:
        """Ask for a protein by what is given now, else by what was last chosen for it, else by the defaults."""
        last = self._choices.get(protein.structure, (MODEL, DEVICE, SUPERPOSITION))
        return Request(protein, *(now or then for now, then in zip((model, device, superimpose), last, strict=True)))

    def find(self, request: Request) -> KeptDynamics | None:
        """What was predicted for the same chains, model, device and coordinates; superposed anew if need be."""
        kept = self._kept.get(request.protein.structure, {})
        for key in (request.key, *reversed(kept)):
            known = kept.get(key)
            if known is None or not _same(known.dynamics.structure, request.protein.backbone):
                continue
            if key == request.key:
                return known
            if (key[:2], key[3:]) == (request.key[:2], request.key[3:]):
                found = KeptDynamics(known.dynamics.superposed(request.superimpose))
                self.keep(request, found)
                return found
        return None

    def keep(self, request: Request, prediction: KeptDynamics) -> None:
        """Remember a prediction in place of the one for earlier coordinates, and forget the oldest of too many."""
        kept = self._kept.setdefault(request.protein.structure, {})
        kept.pop(request.key, None)
        kept[request.key] = prediction
        while len(kept) > KEPT:
            del kept[next(iter(kept))]

    def choose(self, request: Request) -> None:
        """Use the model, device and superposition of a request for its structure from now on."""
        self._choices[request.protein.structure] = request.model, request.device, request.superimpose

    def reset_state(self, session: Session) -> None:
        self._kept.clear()
        self._choices.clear()

    def take_snapshot(self, session: Session, flags: int) -> dict[str, Any]:
        open_structures = [structure for structure in self._choices if not structure.deleted]
        return {
            "version": 2,
            "structures": open_structures,
            "choices": [list(self._choices[structure]) for structure in open_structures],
            "kept": [
                [[list(key), known] for key, known in self._kept.get(structure, {}).items()]
                for structure in open_structures
            ],
        }

    @classmethod
    def restore_snapshot(cls, session: Session, data: dict[str, Any]) -> Predictions:
        predictions = cls.of(session)  # which is not empty when a session is opened beside what is open
        for structure, choice, kept in zip(data["structures"], data["choices"], data["kept"], strict=True):
            # Sessions of version 1 know of no superposition.
            predictions._choices[structure] = (*choice, SUPERPOSITION)[:3]
            keys = [key if data["version"] > 1 else [*key[:2], SUPERPOSITION, *key[2:]] for key, _ in kept]
            predictions._kept[structure] = {tuple(key): known for key, (_, known) in zip(keys, kept, strict=True)}
        return predictions


def predictions(
    session: Session,
    residues: Residues | None = None,
    model: str | None = None,
    device: str | None = None,
    superimpose: str | Residues | None = None,
) -> list[Prediction]:
    """Predict what a specification asks for, or take it from before.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        As in `read_proteins`.
    model, device : str, optional
        As in the core's `predict`; by default what was given for the structure last.
    superimpose : str or chimerax.atomic.Residues, optional
        As in the core's `Dynamics.superposed`, or these residues; by default likewise.

    Returns
    -------
    list of Prediction
        One for each structure.

    Raises
    ------
    UserError
        If there is no protein.
    DynaProtError
        If it cannot be predicted.
    """
    known = Predictions.of(session)
    predicted = []
    for protein in read_proteins(session, residues):
        on = superimpose
        if on is not None and not isinstance(on, str):
            on = selection_text(protein.backbone, protein.residues.mask(on))
            if not on:
                raise UserError(f"{protein.structure}: none of the residues to superimpose on is predicted.")
        request = known.request(protein, model, device, on)
        kept = known.find(request) or _predict(session, request)
        known.choose(request)
        predicted.append(Prediction(protein.structure, protein.residues, protein.specified, kept))
    return predicted


def beside_window(session: Session, work: Callable[..., Result], *arguments: Any) -> Result:
    """Do a command's long work in a thread, while the window is painted, and return its result.

    What the user clicks or types has to wait, so that no other command comes in between.

    Parameters
    ----------
    session : chimerax.core.session.Session
    work : callable
        Called with the arguments; must not call the host.
    """
    if not session.ui.is_gui:
        return work(*arguments)
    from Qt.QtCore import QEventLoop
    from Qt.QtWidgets import QApplication

    with ThreadPoolExecutor(max_workers=1) as pool:
        result = pool.submit(work, *arguments)
        while wait([result], PAUSE).not_done:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    return result.result()


def _predict(session: Session, request: Request) -> KeptDynamics:
    protein = request.protein
    session.logger.status(f"Predicting the motion of {protein.structure}, {len(protein.residues)} residues ...")
    start = perf_counter()
    kept = beside_window(session, request.predict)
    finish(session, request, kept, perf_counter() - start)
    return kept


def finish(session: Session, request: Request, kept: KeptDynamics, seconds: float) -> None:
    """Keep a prediction and say what was predicted."""
    protein = request.protein
    Predictions.of(session).keep(request, kept)
    for notice in kept.dynamics.notices:
        session.logger.warning(f"{protein.structure}: {notice}")
    session.logger.status(
        f"{protein.structure}: motion of {len(protein.residues)} residues predicted in {seconds:.1f} s "
        f"by {kept.dynamics.model}",
        log=True,
    )


def _same(one: Structure, other: Structure) -> bool:
    """Whether two structures have one prediction. A saved session holds coordinates in single precision only."""
    return (
        one.sequence == other.sequence
        and np.array_equal(one.chain_ids, other.chain_ids)
        and np.array_equal(one.residue_ids, other.residue_ids)
        and all(np.allclose(getattr(one, name), getattr(other, name), atol=1e-3) for name in ("n", "ca", "c"))
    )

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
from .systems import System, systems

if TYPE_CHECKING:
    from collections.abc import Callable

    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.session import Session
    from numpy.typing import NDArray

MANAGER = "dynaprot predictions"
"""The name of the one `Predictions` of a session."""
KEPT = 2
"""Predictions of one structure, as by two models to compare: each may hold hundreds of megabytes."""
PAUSE = 0.03
"""Seconds between two looks at the window's events."""

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
    """A system, and what is to predict it.

    Attributes
    ----------
    system : System
    model, device : str
        As of the core's `predict`.
    """

    system: System
    model: str
    device: str

    @property
    def key(self) -> tuple[str, ...]:
        """What tells the predictions of a structure apart."""
        return self.model, self.device, *np.unique(self.system.backbone.chain_ids).tolist()

    def predict(self) -> Dynamics:
        """Predict, asking nothing of the host: for a thread of its own."""
        dynamics = predict(self.system.backbone, model=self.model, device=self.device)
        # Made now, so that what is refused is refused before anything is drawn, and that no plot has to wait.
        _ = dynamics.marginals, dynamics.structure.secondary_structure
        return dynamics


class KeptDynamics(State):
    """What a session file holds of `Dynamics`: once, however many plots show them.

    Parameters
    ----------
    dynamics : Dynamics
    """

    def __init__(self, dynamics: Dynamics) -> None:
        self.dynamics = dynamics

    def take_snapshot(self, session: Session, flags: int) -> dict:
        """The bytes of a saved file, because a session holds no objects of other programs."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "dynamics.npz"
            self.dynamics.save(path)
            return {"version": 1, "file": path.read_bytes()}

    @classmethod
    def restore_snapshot(cls, session: Session, data: dict) -> KeptDynamics:
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
        As of `System`.
    kept : KeptDynamics
    """

    structure: AtomicStructure
    residues: Residues
    specified: NDArray[np.bool_]
    kept: KeptDynamics

    @property
    def dynamics(self) -> Dynamics:
        """Of the N residues, in the structure's own frame."""
        return self.kept.dynamics

    def once(self, session: Session, question: Callable[..., Result], *arguments: Any) -> Result:
        """Ask `Dynamics.once`; what it takes its time over is worked out beside the window."""
        if not self.dynamics.knows(question, *arguments):
            session.logger.status(f"Working out the view of {self.structure}, {len(self.residues)} residues ...")
        return beside_window(session, self.dynamics.once, question, *arguments)


class Predictions(StateManager):
    """The predictions of a session, and which model the user chose for each structure; both are saved with it."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[AtomicStructure, dict[tuple[str, ...], KeptDynamics]] = WeakKeyDictionary()
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

    def request(self, system: System, model: str | None, device: str | None) -> Request:
        """Ask for a system by the model and device given now, else those of its structure last, else the defaults."""
        last_model, last_device = self._choices.get(system.structure, ("default", "auto"))
        return Request(system, model or last_model, device or last_device)

    def find(self, request: Request) -> KeptDynamics | None:
        """What was predicted for the same chains, model, device and coordinates."""
        known = self._kept.get(request.system.structure, {}).get(request.key)
        return known if known is not None and _same(known.dynamics.structure, request.system.backbone) else None

    def keep(self, request: Request, dynamics: Dynamics) -> KeptDynamics:
        """Remember a prediction in place of the one for earlier coordinates, and forget the oldest of too many."""
        kept = self._kept.setdefault(request.system.structure, {})
        kept.pop(request.key, None)
        known = kept[request.key] = KeptDynamics(dynamics)
        while len(kept) > KEPT:
            del kept[next(iter(kept))]
        return known

    def choose(self, request: Request) -> None:
        """Let its model and device be those of the structure from now on."""
        self._choices[request.system.structure] = request.model, request.device

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
                [[list(key), known] for key, known in self._kept.get(structure, {}).items()]
                for structure in open_structures
            ],
        }

    @classmethod
    def restore_snapshot(cls, session: Session, data: dict) -> Predictions:
        predictions = cls.of(session)  # which is not empty when a session is opened beside what is open
        for structure, choice, kept in zip(data["structures"], data["choices"], data["kept"], strict=True):
            predictions._choices[structure] = tuple(choice)
            predictions._kept[structure] = {tuple(key): known for key, known in kept}
        return predictions


def predictions(
    session: Session, residues: Residues | None = None, model: str | None = None, device: str | None = None
) -> list[Prediction]:
    """Predict what a specification asks for, or take it from before.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        As of `systems`.
    model, device : str, optional
        As of the core's `predict`; by default what was given for the structure last.

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
    for system in systems(session, residues):
        request = known.request(system, model, device)
        kept = known.find(request) or _predict(session, request)
        known.choose(request)
        predicted.append(Prediction(system.structure, system.residues, system.specified, kept))
    return predicted


def beside_window(session: Session, work: Callable[..., Result], *arguments: Any) -> Result:
    """Do for a command what takes its time: it is there when this returns, but the window is painted meanwhile.

    What the user clicks or types waits, so that no other command comes in between.

    Parameters
    ----------
    session : chimerax.core.session.Session
    work : callable
        Asks nothing of the host; called with the arguments.
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
    system = request.system
    session.logger.status(f"Predicting the motion of {system.structure}, {len(system.residues)} residues ...")
    start = perf_counter()
    dynamics = beside_window(session, request.predict)
    return finish(session, request, dynamics, perf_counter() - start)


def finish(session: Session, request: Request, dynamics: Dynamics, seconds: float) -> KeptDynamics:
    """Keep a prediction and say what was predicted."""
    system = request.system
    kept = Predictions.of(session).keep(request, dynamics)
    for notice in (*system.backbone.notices, *dynamics.notices):
        session.logger.warning(f"{system.structure}: {notice}")
    session.logger.status(
        f"{system.structure}: motion of {len(system.residues)} residues predicted in {seconds:.1f} s "
        f"by {dynamics.model}",
        log=True,
    )
    return kept


def _same(one: Structure, other: Structure) -> bool:
    """Whether two structures move alike. A saved session holds coordinates in single precision only."""
    return (
        one.sequence == other.sequence
        and np.array_equal(one.chain_ids, other.chain_ids)
        and np.array_equal(one.residue_ids, other.residue_ids)
        and all(np.allclose(getattr(one, name), getattr(other, name), atol=1e-3) for name in ("n", "ca", "c"))
    )

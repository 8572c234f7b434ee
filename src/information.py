"""`dynaprot predict` and `dynaprot info`: choosing what predicts, and what there is to choose from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import invalidate_caches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from chimerax.core.commands import log_equivalent_command
from chimerax.core.python_utils import run_logged_pip

from . import dynaprot as core
from .dynaprot.network.runtime import choose_runtime
from .predictions import predictions, user_errors

if TYPE_CHECKING:
    from chimerax.atomic import Residues
    from chimerax.core.session import Session

    from .dynaprot import Dynamics

INSTALL = "pip install onnxruntime"
"""The host's own command that installs what runs the network."""
DOWNLOAD = "about 20 MB"
PACKAGES = ("numpy", "gemmi", "safetensors", "onnxruntime", "torch", "matplotlib", "chemfiles")


@user_errors()
def dynaprot_predict(
    session: Session, residues: Residues | None = None, *, model: str | None = None, device: str | None = None
) -> list[Dynamics]:
    """Predict, and let the other commands use the model and the device for these structures from now on.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        The chains that they belong to, by default all, are predicted as one system.
    model : str, optional
        "default" the trained network, "anm" or "anm-cutoff" an elastic network, or a file of weights.
    device : str, optional
        "auto", "cpu" or "cuda".

    Returns
    -------
    list of Dynamics
        One for each structure.
    """
    return [prediction.dynamics for prediction in predictions(session, residues, model, device)]


def dynaprot_info(session: Session) -> None:
    """Log which DynaProt this is, where it lies, its models, and the packages that it works with."""
    from .dynaprot.network.weights import shipped_weights

    weights = ", ".join(path.name for path in shipped_weights())
    lines = [
        f"DynaProt {core.__version__} in {Path(core.__file__).parent}",
        f"models: {', '.join(core.models())}",
        f"weights: {weights or 'none, so that the elastic network stands in'}",
        f"Python {sys.version.split()[0]}",
    ]
    for package in PACKAGES:
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} is not installed")
    if not runtime_is_there():
        lines.append(f"The trained network needs onnxruntime ({DOWNLOAD} to download): type '{INSTALL}'.")
    session.logger.info("\n".join(lines))


def runtime_is_there() -> bool:
    """Whether anything is installed that runs the trained network."""
    return choose_runtime().program is not None


def install_runtime(session: Session, on_end: Callable[[str | None], None]) -> None:
    """Install the small runtime into the host, in a thread of its own, as `INSTALL` does.

    Parameters
    ----------
    session : chimerax.core.session.Session
    on_end : callable
        Called in the main thread, with what went wrong or None.
    """

    def work() -> None:
        error = None
        try:
            run_logged_pip(["install", "--user", "--no-warn-script-location", "onnxruntime"], None)
        except (RuntimeError, OSError) as cause:
            error = f"onnxruntime could not be installed: {cause}"
        invalidate_caches()
        session.ui.thread_safe(on_end, error)

    log_equivalent_command(session, INSTALL)
    Thread(target=work, name="DynaProt installation", daemon=True).start()

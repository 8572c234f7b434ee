"""`dynaprot info`: which DynaProt this is, and what it works with."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from .. import dynaprot as core
from ..dynaprot.network.weights import shipped_weights

if TYPE_CHECKING:
    from chimerax.core.session import Session

PACKAGES = ("numpy", "gemmi", "safetensors", "torch", "matplotlib", "chemfiles")


def dynaprot_info(session: Session) -> None:
    """Log which DynaProt this is, where it is installed, its models, and the packages that it works with."""
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
    session.logger.info("\n".join(lines))

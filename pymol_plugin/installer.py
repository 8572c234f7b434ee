"""The Python packages that DynaProt needs: which of them this PyMOL lacks, and how to install those."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable

__all__ = ["PACKAGES", "megabytes", "missing_packages", "pip_command"]

PACKAGES = {"numpy": 17, "gemmi": 3, "safetensors": 1, "matplotlib": 24}
"""Size of the download of each, MB, with the packages that it needs itself."""


def missing_packages() -> list[str]:
    """Names of the packages that this PyMOL's Python does not find."""
    importlib.invalidate_caches()
    return [name for name in PACKAGES if sys.modules.get(name, True) is None or importlib.util.find_spec(name) is None]


def megabytes(packages: Iterable[str]) -> int:
    """Approximate size of the download."""
    return sum(PACKAGES[name] for name in packages)


def pip_command(packages: Iterable[str]) -> list[str]:
    """The command that installs packages into the Python that runs this PyMOL, as a list of words."""
    return [sys.executable, "-m", "pip", "install", *packages]

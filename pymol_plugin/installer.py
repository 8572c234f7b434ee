"""The Python packages that DynaProt stands on: which of them this PyMOL lacks, and how to install those."""

import importlib
import importlib.util
import sys

__all__ = ["PACKAGES", "megabytes", "missing_packages", "pip_command"]

PACKAGES = {"numpy": 17, "gemmi": 3, "safetensors": 1, "onnxruntime": 28, "matplotlib": 24}
"""What each, with what itself needs, takes to download, MB."""


def missing_packages():
    """Names of the packages that this PyMOL's Python does not find."""
    importlib.invalidate_caches()
    return [name for name in PACKAGES if sys.modules.get(name, True) is None or importlib.util.find_spec(name) is None]


def megabytes(packages):
    """About how much is to be downloaded."""
    return sum(PACKAGES[name] for name in packages)


def pip_command(packages):
    """The command that installs packages into the Python that runs this PyMOL, as a list of words."""
    return [sys.executable, "-m", "pip", "install", *packages]

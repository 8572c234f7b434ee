"""Weights on disk: safetensors with a description, checked by hash. No pickle, no code from data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import WeightsError
from ..safe_file import replacing
from .architecture import Architecture

__all__ = ["Weights", "find_weights", "load_weights", "save_weights", "shipped_weights"]

FORMAT = "dynaprot-weights-1"


@dataclass(frozen=True)
class Weights:
    """A network's parameters and where they come from.

    Attributes
    ----------
    architecture : Architecture
    tensors : dict of str to ndarray
        Parameters by name.
    metadata : dict
        Data, git commit, validation figures, licence.
    path : Path
    """

    architecture: Architecture
    tensors: dict[str, NDArray]
    metadata: dict[str, Any]
    path: Path


def shipped_weights() -> list[Path]:
    """Weights that came with DynaProt: inside the installed package, else in the source tree."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "weights", package.parent.parent / "weights"):
        found = sorted(folder.glob("*.safetensors"))
        if found:
            return found
    return []


def find_weights(model: str) -> Path | None:
    """Path of a model given by name (``default`` is the first shipped) or by file; None if there is none."""
    if model.endswith(".safetensors"):
        return Path(model)
    for path in shipped_weights():
        if path.stem in (model, f"dynaprot-{model}"):
            return path
    return None


def load_weights(path: Path) -> Weights:
    """Read and verify a weights file.

    Raises
    ------
    WeightsError
        If the file is missing, truncated, altered, or not DynaProt's.
    """
    tensors: dict[str, NDArray] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            for name in file.keys():  # noqa: SIM118 - the file is no dict
                tensors[name] = file.get_tensor(name)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: no such weights file.") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path}: damaged, or no safetensors file ({error}). Install DynaProt again.") from error
    if header.get("format") != FORMAT:
        raise WeightsError(f"{path}: these are not weights of DynaProt ({FORMAT} expected).")
    if header.get("sha256") != _digest(tensors):
        raise WeightsError(f"{path}: the weights do not match their hash; the file was altered. Install again.")
    try:
        architecture = Architecture(**json.loads(header["architecture"]))
        metadata = json.loads(header["metadata"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: made by another version of DynaProt ({error}).") from error
    return Weights(architecture, tensors, metadata, path)


def save_weights(path: Path, architecture: Architecture, tensors: dict[str, NDArray], metadata: dict[str, Any]) -> None:
    """Write weights with their description and hash; a file is replaced whole or not at all."""
    header = {
        "format": FORMAT,
        "sha256": _digest(tensors),
        "architecture": json.dumps(asdict(architecture)),
        "metadata": json.dumps(metadata),
    }
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors, metadata=header))


def _digest(tensors: dict[str, NDArray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tensors[name].shape}".encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()

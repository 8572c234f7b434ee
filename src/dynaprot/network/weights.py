"""Networks on disk: weights as safetensors, and beside them the forward pass as ONNX. No pickle, no code from data.

Both files carry one description, and are checked by hash before anything is made of them.
"""

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

__all__ = [
    "Weights",
    "describe",
    "find_weights",
    "graph_path",
    "load_graph",
    "load_weights",
    "save_weights",
    "shipped_weights",
]

FORMAT = "dynaprot-weights-1"
DEFAULT = "springs-1"
"""The shipped weights that ``default`` names."""


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
    graph_sha256 : str or None
        Hash of the forward pass that was saved with them.
    """

    architecture: Architecture
    tensors: dict[str, NDArray]
    metadata: dict[str, Any]
    path: Path
    graph_sha256: str | None = None


def shipped_weights() -> list[Path]:
    """Weights that came with DynaProt: inside the installed package, else in the source tree."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "weights", package.parent.parent / "weights"):
        found = sorted(folder.glob("*.safetensors"))
        if found:
            return found
    return []


def find_weights(model: str) -> Path | None:
    """Path of a model given by the name of shipped weights, ``default``, or a file; None if there is none."""
    if model.endswith(".safetensors"):
        return Path(model)
    name = DEFAULT if model == "default" else model
    return next((path for path in shipped_weights() if path.stem == name), None)


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
    if architecture.springs and not any(name.endswith("spring_head.chain.weight") for name in tensors):
        raise WeightsError(
            f"{path}: made by an earlier DynaProt, whose springs knew no angles, torsions or side chains. Train it "
            "again, or choose model='default'."
        )
    return Weights(architecture, tensors, metadata, path, header.get("graph_sha256"))


def graph_path(path: Path) -> Path:
    """Where the forward pass of weights lies, if it was saved with them."""
    return path.with_suffix(".onnx")


def load_graph(weights: Weights) -> bytes:
    """Read and verify the forward pass, as ONNX.

    Raises
    ------
    WeightsError
        If the file is missing, truncated, altered, or of other weights.
    """
    path = graph_path(weights.path)
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror}). Install DynaProt again.") from error
    if hashlib.sha256(graph).hexdigest() != weights.graph_sha256:
        raise WeightsError(
            f"{path}: is damaged, or does not belong to {weights.path.name}. Install DynaProt again, or take both "
            "files from one training."
        )
    return graph


def describe(architecture: Architecture, tensors: dict[str, NDArray], metadata: dict[str, Any]) -> dict[str, str]:
    """The description that travels with a network, and the hash of its weights."""
    return {
        "format": FORMAT,
        "sha256": _digest(tensors),
        "architecture": json.dumps(asdict(architecture)),
        "metadata": json.dumps(metadata),
    }


def save_weights(
    path: Path,
    architecture: Architecture,
    tensors: dict[str, NDArray],
    metadata: dict[str, Any],
    graph: bytes | None = None,
) -> None:
    """Write weights, and their forward pass if it is given, with their description and hashes.

    Each file is replaced whole or not at all.

    Parameters
    ----------
    path : Path
    architecture : Architecture
    tensors, metadata : dict
        As of `Weights`.
    graph : bytes, optional
        An ONNX model that carries the same description.
    """
    header = describe(architecture, tensors, metadata)
    beside = graph_path(path)
    if graph is None:
        beside.unlink(missing_ok=True)  # it would be of other weights
    else:
        header["graph_sha256"] = hashlib.sha256(graph).hexdigest()
        with replacing(beside) as temporary:
            temporary.write_bytes(graph)
    with replacing(path) as temporary:
        temporary.write_bytes(_in_order(save(tensors, metadata=header)))


def _digest(tensors: dict[str, NDArray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tensors[name].shape}".encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()


def _in_order(content: bytes) -> bytes:
    """A safetensors file with its header in one order, so that the same weights are the same file."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:start]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[start:]

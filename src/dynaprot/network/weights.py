"""Networks on disk: safetensors with a description and hashes. No pickle, no code from data.

The header of a file holds the format's version, the architecture, and what the weights depend on outside of them: the
names of the features that they read and the constants of the elastic network that they correct. A file that this
version of DynaProt would read otherwise than it was trained is refused.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import WeightsError
from ..springs.prior import PRIORS, PriorConstants, prior_constants
from ..storage import replacing
from . import features
from .architecture import Architecture

__all__ = ["DEFAULT", "LATEST", "Weights", "find_weights", "load_weights", "save_weights", "shipped_weights"]

FORMAT = "dynaprot-weights-2"
DEFAULT = "springs-2"
"""The shipped weights that ``default`` names."""
LATEST = {"default": DEFAULT, "springs": "springs-2", "dynaprot": "dynaprot-1"}
"""Names without a version, and the shipped weights that they stand for, with a plus between two."""


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

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(tensor.size for tensor in self.tensors.values())

    def member(self, number: int) -> Weights:
        """One network of a committee by itself; a single network is its own member 0."""
        if self.architecture.members == 1:
            return self
        prefix = f"members.{number}."
        tensors = {name.removeprefix(prefix): t for name, t in self.tensors.items() if name.startswith(prefix)}
        return replace(self, architecture=replace(self.architecture, members=1), tensors=tensors)


def shipped_weights() -> list[Path]:
    """Weights that came with DynaProt: inside the installed package, else in the source tree."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "weights", package.parent.parent / "weights"):
        found = sorted(folder.glob("*.safetensors"))
        if found:
            return found
    return []


def find_weights(model: str) -> Path | None:
    """Path of a model given by a name of `LATEST` or of shipped weights, or by a file; None if there is none."""
    if model.endswith(".safetensors"):
        return Path(model)
    name = LATEST.get(model, model)
    return next((path for path in shipped_weights() if path.stem == name), None)


def load_weights(path: Path) -> Weights:
    """Read and verify a weights file.

    Raises
    ------
    WeightsError
        If the file is missing, truncated, altered, not DynaProt's, or made for other features or force constants than
        this version has.
    """
    tensors: dict[str, NDArray] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            for name in file.keys():  # noqa: SIM118 - the file is not a dict
                tensors[name] = file.get_tensor(name)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: no such weights file.") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path}: the file is damaged or not in safetensors format ({error}). Install DynaProt again."
        ) from error
    if header.get("format") != FORMAT:
        raise WeightsError(
            f"{path}: these are not weights that this DynaProt reads: their format is {header.get('format')}, and "
            f"{FORMAT} is expected. Train them again, or choose model='default'."
        )
    if header.get("sha256") != _digest(tensors):
        raise WeightsError(f"{path}: the weights do not match their hash; the file was altered. Install again.")
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise WeightsError(f"{path}: some weights are not finite numbers; the training diverged. Train them again.")
    try:
        shape = json.loads(header["architecture"])
        named = {name: tuple(value) for name, value in shape.items() if isinstance(value, list)}
        architecture = Architecture(**shape | named)
        metadata, inputs = json.loads(header["metadata"]), json.loads(header["inputs"])
        hashed = header["inputs_sha256"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"{path}: made by another version of DynaProt ({error}).") from error
    _check_inputs(path, architecture, inputs, hashed)
    # What is stored in half precision to be small is worked with in single precision.
    return Weights(
        architecture, {name: t.astype(np.float32, copy=False) for name, t in tensors.items()}, metadata, path
    )


def save_weights(path: Path, architecture: Architecture, tensors: dict[str, NDArray], metadata: dict[str, Any]) -> None:
    """Write weights with their description and hashes; the file is replaced whole or not at all.

    Parameters
    ----------
    path : Path
    architecture : Architecture
    tensors, metadata : dict
        As the attributes of `Weights`.
    """
    inputs = _inputs(architecture)
    header = {
        "format": FORMAT,
        "sha256": _digest(tensors),
        "architecture": json.dumps(asdict(architecture)),
        "inputs": json.dumps(inputs),
        "inputs_sha256": _hash(inputs),
        "metadata": json.dumps(metadata),
    }
    with replacing(path) as temporary:
        temporary.write_bytes(_in_order(save(tensors, metadata=header)))


def _inputs(architecture: Architecture) -> dict[str, Any]:
    """What weights of an architecture depend on outside of them, as this version of DynaProt has it."""
    return {
        "features_version": features.VERSION,
        "residue_features": list(architecture.residue_features),
        "pair_features": list(architecture.pair_features),
        "prior": prior_constants(architecture.prior) if architecture.prior else {},
    }


def _check_inputs(path: Path, architecture: Architecture, inputs: dict[str, Any], hashed: str) -> None:
    """Refuse weights for which a feature or a force constant meant something else when they were trained."""
    advice = "Install the DynaProt that they were made with, train them again, or choose model='default'."
    if _hash(inputs) != hashed:
        raise WeightsError(f"{path}: the description of the inputs does not match its hash; the file was altered.")
    asked = [(name, features.RESIDUE_FEATURES) for name in architecture.residue_features]
    asked += [(name, features.PAIR_FEATURES) for name in architecture.pair_features]
    for name, known in asked:
        if name not in known:
            raise WeightsError(f"{path}: the weights read a feature '{name}', which this DynaProt lacks. {advice}")
    if architecture.prior and architecture.prior not in PRIORS:
        raise WeightsError(
            f"{path}: the weights correct an elastic network '{architecture.prior}', unknown to this DynaProt. {advice}"
        )
    neutral = vars(PriorConstants())
    for what, now in _inputs(architecture).items():
        if what == "prior":  # a constant from after the training must do nothing
            now = {name: value for name, value in now.items() if name in inputs[what] or value != neutral.get(name)}
        if inputs.get(what) != now:
            raise WeightsError(
                f"{path}: the weights were trained with other {what.replace('_', ' ')} ({inputs.get(what)}) than this "
                f"DynaProt has ({now}). {advice}"
            )


def _hash(description: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


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

"""A network on disk in both its forms: the weights, and beside them its forward pass as ONNX.

    python -m dynaprot.network.export weights/springs-1.safetensors

writes both anew from weights of any age; the tensors and their description stay as they are. It needs the package onnx,
which comes with dynaprot[train].
"""

from __future__ import annotations

import copy
import sys
import warnings
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from .features import ENVIRONMENT, PAIR, Features
from .model import Committee, DynaProt, heads_of_one
from .torch_runtime import load_model
from .weights import describe, load_weights, save_weights

__all__ = ["export_network", "save_network"]

OPSET = 17
INPUTS = tuple(field.name for field in fields(Features))
RESIDUES, PAIRS = 12, 66
"""Of the structure that the forward pass is recorded with: lengths that nothing else has, by which they are known."""


def save_network(path: Path, network: DynaProt | Committee, metadata: dict[str, Any]) -> None:
    """Write a network's weights, and beside them its forward pass as ONNX.

    Parameters
    ----------
    path : Path
        Of the ``.safetensors`` file; the other's ends in ``.onnx``.
    network : DynaProt or Committee
    metadata : dict
        As for `Weights`; it travels in both files.
    """
    tensors = {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}
    description = describe(network.architecture, tensors, metadata)
    save_weights(path, network.architecture, tensors, metadata, export_network(network, description))


def export_network(network: DynaProt | Committee, description: dict[str, str]) -> bytes:
    """The forward pass for one structure of any length, as an ONNX model.

    Its inputs are those fields of `Features` that the network reads, under their names; its outputs are its heads as
    `heads_of_one` names them. It carries the description as metadata.
    """
    single = _OfOne(copy.deepcopy(network)).cpu().eval()
    example = _example()
    with torch.no_grad():
        heads = single(*example)
    tensors = dict(zip(INPUTS, example, strict=True)) | heads
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        # That there is a newer exporter, which would bring two more packages; that lengths which are compared with
        # numbers stay those of the example, which is one structure as every other; that it folds few constants.
        warnings.simplefilter("ignore")
        import onnx

        file = Path(folder) / "network.onnx"
        torch.onnx.export(
            single, example, file, dynamo=False, opset_version=OPSET,
            input_names=list(INPUTS), output_names=list(heads),
            dynamic_axes={name: _free_axes(tensor) for name, tensor in tensors.items()},
        )  # fmt: skip
        model = onnx.load(file)
    onnx.helper.set_model_props(model, description)
    return model.SerializeToString(deterministic=True)


class _OfOne(nn.Module):
    """A network for one structure instead of a batch."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        types: Tensor,
        rotations: Tensor,
        positions: Tensor,
        environment: Tensor,
        pairs: Tensor,
        pair_features: Tensor,
    ) -> dict[str, Tensor]:
        batched = [tensor[None] for tensor in (types, rotations, positions, environment)]
        mask = torch.ones_like(positions[None, :, 0])
        return heads_of_one(self.network(*batched, mask, pairs, pair_features))


def _example() -> tuple[Tensor, ...]:
    """Input that the forward pass is recorded with; only its shapes matter."""
    i, j = torch.triu_indices(RESIDUES, RESIDUES, 1)
    features = {
        "types": torch.arange(RESIDUES),
        "rotations": torch.eye(3).repeat(RESIDUES, 1, 1),
        "positions": torch.randn(RESIDUES, 3, generator=torch.Generator().manual_seed(0)),
        "environment": torch.zeros(RESIDUES, ENVIRONMENT),
        "pairs": torch.stack([i, j]),
        "pair_features": torch.zeros(PAIRS, PAIR),
    }
    return tuple(features[name] for name in INPUTS)


def _free_axes(tensor: Tensor) -> dict[int, str]:
    """Axes whose length is that of the structure, and what they count."""
    names = {RESIDUES: "residues", PAIRS: "pairs"}
    return {axis: names[length] for axis, length in enumerate(tensor.shape) if length in names}


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        weights = load_weights(Path(argument))
        save_network(weights.path, load_model(weights), weights.metadata)

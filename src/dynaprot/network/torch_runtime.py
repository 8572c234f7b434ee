"""Networks in PyTorch: on GPUs, and where there is no ONNX Runtime."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import PredictionError, WeightsError
from .features import Features
from .model import Committee, DynaProt, heads_of_one, network_of
from .weights import Weights

__all__ = ["TorchNetwork", "gpu", "load_model", "tensors"]


def gpu() -> str | None:
    """The GPU that this PyTorch can use, ``"cuda"`` or Apple's ``"mps"``; None if there is none."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


def tensors(features: Features, device: torch.device | None = None) -> tuple[Tensor, ...]:
    """Arguments of `DynaProt.forward` for a batch of one."""
    mask = torch.ones(1, len(features.types))
    batched = [
        torch.from_numpy(array)[None]
        for array in (features.types, features.rotations, features.positions, features.environment)
    ]
    pairwise = [torch.from_numpy(features.pairs), torch.from_numpy(features.pair_features)]
    return tuple(tensor.to(device) for tensor in (*batched, mask, *pairwise))


def load_model(weights: Weights) -> DynaProt | Committee:
    """The network that the weights are of.

    Raises
    ------
    WeightsError
        If they do not fit their own architecture.
    """
    model = network_of(weights.architecture).eval()
    try:
        model.load_state_dict({name: torch.from_numpy(t.copy()) for name, t in weights.tensors.items()})
    except RuntimeError as error:
        raise WeightsError(f"{weights.path}: do not fit their own architecture ({error}).") from error
    return model


class TorchNetwork:
    """A network ready to predict.

    Parameters
    ----------
    weights : Weights
    device : str
        As PyTorch names it.
    """

    def __init__(self, weights: Weights, device: str) -> None:
        self.model: nn.Module = load_model(weights)
        try:
            self.device = torch.device(device)
            self.model.to(self.device)
        except (RuntimeError, AssertionError) as error:
            raise PredictionError(f"There is no device '{device}' here; use 'cpu' or 'auto'.") from error

    @torch.inference_mode()
    def __call__(self, features: Features) -> dict[str, NDArray[np.floating]]:
        """Heads by name, without the batch axis, as float64; those that the network lacks are left out."""
        heads = heads_of_one(self.model(*tensors(features, self.device)))
        # Apple's GPUs know no double precision.
        return {name: head.cpu().double().numpy() for name, head in heads.items()}

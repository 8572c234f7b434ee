"""The one door to PyTorch for inference: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import PredictionError, WeightsError
from .features import Features
from .model import network_of
from .weights import Weights

__all__ = ["Network", "tensors"]


def tensors(features: Features, device: torch.device | None = None) -> tuple[torch.Tensor, ...]:
    """Arguments of `DynaProt.forward` for a batch of one."""
    mask = torch.ones(1, len(features.types))
    batched = [
        torch.from_numpy(array)[None]
        for array in (features.types, features.rotations, features.positions, features.environment)
    ]
    pairwise = [torch.from_numpy(features.pairs), torch.from_numpy(features.pair_features)]
    return tuple(tensor.to(device) for tensor in (*batched, mask, *pairwise))


class Network:
    """A network ready to predict.

    Parameters
    ----------
    weights : Weights
    device : str
        ``"auto"`` takes CUDA or Apple's MPS where there is one, else the CPU.
    """

    def __init__(self, weights: Weights, device: str = "auto") -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = network_of(weights.architecture).eval()
        try:
            self.model.load_state_dict({name: torch.from_numpy(t.copy()) for name, t in weights.tensors.items()})
        except RuntimeError as error:
            raise WeightsError(f"{weights.path}: do not fit their own architecture ({error}).") from error
        try:
            self.device = torch.device(device)
            self.model.to(self.device)
        except (RuntimeError, AssertionError) as error:
            raise PredictionError(f"There is no device '{device}' here; use 'cpu' or 'auto'.") from error
        self.description = f"{weights.metadata.get('name', weights.path.stem)} on {self.device.type}"

    @torch.inference_mode()
    def __call__(self, features: Features) -> dict[str, NDArray[np.floating]]:
        """Heads by name, without the batch axis, as float64; those that the network lacks are left out."""
        heads = self.model(*tensors(features, self.device))
        return {
            name: (head if name == "springs" else head[0]).double().cpu().numpy()
            for name, head in heads._asdict().items()
            if head is not None
        }

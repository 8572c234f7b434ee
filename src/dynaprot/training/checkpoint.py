"""The state of a training and its file: safetensors with JSON in the header, no pickle."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import TrainingDataError
from ..network.torch_network import DynaProt
from ..storage import replacing
from .configuration import Configuration

__all__ = ["TrainingState"]

FORMAT = "dynaprot-checkpoint-1"
FREE = ("about", "data", "data_needed", "half", "checkpoint", "tensorboard")
"""Options that may differ when a training goes on, because they change nothing that is learned."""
NUMBERS = ("step", "lowest", "stale", "loss_of_epoch", "history")


@dataclass
class TrainingState:
    """Everything on which the next step depends, beside the configuration and the data.

    No state of a random generator is part of it: the draws of a step are a function of the seed and its number.

    Attributes
    ----------
    network, average, best : DynaProt
        The network as trained; its running mean; the running mean when the validation loss was lowest.
    optimiser : torch.optim.AdamW
    step : int
        Number of steps taken.
    lowest : float
        Validation loss of `best`.
    stale : int
        Validations since then.
    loss_of_epoch : float
        Sum over the steps of this epoch so far.
    history : list of dict
        Figures of each epoch.
    """

    network: DynaProt
    average: DynaProt
    best: DynaProt
    optimiser: torch.optim.AdamW
    step: int = 0
    lowest: float = float("inf")
    stale: int = 0
    loss_of_epoch: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    @classmethod
    def new(cls, configuration: Configuration, seed: int, device: torch.device) -> TrainingState:
        """Before the first step; the same seed gives the same weights on every device."""
        torch.manual_seed(seed)
        network = DynaProt(configuration.architecture).to(device)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=configuration.learning_rate, weight_decay=configuration.weight_decay
        )
        for parameter in network.parameters():
            optimiser.state[parameter] = {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
        return cls(network, copy.deepcopy(network).eval(), copy.deepcopy(network).eval(), optimiser)

    def save(self, path: Path, configuration: Configuration) -> None:
        """Write the file; it is replaced whole or not at all."""
        description = {name: getattr(self, name) for name in NUMBERS}
        description |= {"format": FORMAT, "configuration": asdict(configuration)}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self._tensors()}
        with replacing(path) as temporary:
            temporary.write_bytes(save(tensors, metadata={"state": json.dumps(description)}))

    def load(self, path: Path, configuration: Configuration) -> None:
        """Read what `save` wrote.

        Raises
        ------
        TrainingDataError
            If the file is damaged or belongs to another configuration.
        """
        try:
            with safe_open(path, framework="pt") as file:
                description = json.loads((file.metadata() or {})["state"])
                if description.pop("format") != FORMAT:
                    raise ValueError(f"{FORMAT} expected")
                # Through JSON, where tuples are lists.
                now = json.loads(json.dumps(asdict(configuration)))
                then = description.pop("configuration")
                changed = [name for name in then if name not in FREE and now.get(name) != then[name]]
                if changed:
                    raise TrainingDataError(
                        f"{path}: was trained with another {', '.join(changed)}; go on with the same configuration, or "
                        "start anew in another folder."
                    )
                with torch.no_grad():
                    for name, tensor in self._tensors():
                        tensor.copy_(file.get_tensor(name))
        except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
            raise TrainingDataError(f"{path}: is damaged or not a checkpoint ({error}).") from error
        for name in NUMBERS:
            setattr(self, name, description[name])

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        for kind in ("network", "average", "best"):
            for name, parameter in getattr(self, kind).named_parameters():
                yield f"{kind}.{name}", parameter
        for name, parameter in self.network.named_parameters():
            for moment, tensor in self.optimiser.state[parameter].items():
                yield f"optimiser.{name}.{moment}", tensor

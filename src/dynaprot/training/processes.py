"""One training on several processes, as `torchrun` starts them: on one machine or many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed
from torch import Tensor

from ..errors import TrainingDataError

__all__ = ["Processes", "joined_processes"]

Item = TypeVar("Item")


class Processes:
    """The processes that train together; there may be only one.

    Each works on its share of the proteins of every step. Gradients are summed before the step is taken, so that all
    processes have the same weights, and the result does not depend on their number.
    """

    def __init__(self, rank: int, size: int, device: torch.device) -> None:
        self.rank, self.size, self.device = rank, size, device

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items of a common list that are the share of this process."""
        return items[self.rank :: self.size]

    def all_reduce(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their sums over processes, in one exchange."""
        if self.size == 1:
            return
        tensors = list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        torch.distributed.all_reduce(flat)
        for tensor, total in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(total.view_as(tensor))

    def wait(self) -> None:
        """Wait until all processes are here: what the first one wrote can then be read."""
        if self.size > 1:
            torch.distributed.barrier()


@contextmanager
def joined_processes(device: str = "auto") -> Iterator[Processes]:
    """Join the processes that `torchrun` started, if it did, on a device each.

    Raises
    ------
    TrainingDataError
        If the device is not there.
    """
    rank, local = (int(os.environ.get(name, 0)) for name in ("RANK", "LOCAL_RANK"))
    size = int(os.environ.get("WORLD_SIZE", 1))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingDataError(f"There is no device '{device}' here; use 'cpu' or 'auto'.")
    if device == "cuda":
        device = f"cuda:{local}"
    place = torch.device(device)
    if size == 1:
        yield Processes(0, 1, place)
        return
    torch.distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    if place.type == "cuda":
        torch.cuda.set_device(place)
    try:
        yield Processes(rank, size, place)
    finally:
        torch.distributed.destroy_process_group()

"""What runs a network: numpy, or PyTorch where there is a GPU or the network has DYNAPROT-J's pair head.

Whether there is a GPU is found out without importing PyTorch, which takes seconds, unless there are signs of one.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import PredictionError
from .features import Features
from .numpy_network import NumpyNetwork
from .weights import Weights

__all__ = ["Network", "choose_device", "open_network"]

Network = Callable[[Features], dict[str, NDArray[np.floating]]]
"""A network ready to predict: outputs by name, as `torch_network.Outputs` describes them, without the batch axis."""

GPU_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""What the drivers of NVIDIA and AMD, and of either under Windows' Linux, make on Linux."""


def choose_device(device: str = "auto") -> tuple[str, str]:
    """Where a network runs, and why, for people to read.

    Parameters
    ----------
    device : str
        ``"auto"``, ``"cpu"``, or a device as PyTorch names it.

    Raises
    ------
    PredictionError
        If a device other than the CPU is asked for and PyTorch is not there.
    """
    if device == "cpu":
        return "cpu", "as asked for"
    if device != "auto":
        if not _imports("torch"):
            raise PredictionError(
                f"There is no device '{device}' here: GPUs need PyTorch (pip install torch). Use 'cpu' or 'auto'."
            )
        return device, "as asked for"
    if not _has_gpu_driver():
        return "cpu", "no GPU was found"
    if not _imports("torch"):
        return "cpu", "a GPU needs PyTorch, which is not installed"
    gpu = _gpu_of_torch()
    return (gpu, "PyTorch found a GPU") if gpu else ("cpu", "PyTorch found no GPU that it can use")


def open_network(weights: Weights, device: str) -> Network:
    """Make a network ready to predict.

    Parameters
    ----------
    weights : Weights
    device : str
        As `choose_device` gives it.

    Raises
    ------
    WeightsError
        If the weights do not fit their architecture.
    PredictionError
        If there is no such device, or the network needs PyTorch and it is not there.
    """
    if device == "cpu" and weights.architecture.coupling != "pair":
        return NumpyNetwork(weights)
    if not _imports("torch"):
        raise PredictionError(
            f"{weights.path.stem}: DYNAPROT-J's pair head runs in PyTorch alone, which is not installed: "
            "pip install torch. All other models run without it."
        )
    from .torch_network import TorchNetwork  # PyTorch takes seconds to import

    return TorchNetwork(weights, device)


def _gpu_of_torch() -> str | None:
    from .torch_network import gpu

    return gpu()


def _has_gpu_driver() -> bool:
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    if sys.platform == "win32":
        return Path(os.environ.get("SYSTEMROOT", "C:/Windows"), "System32", "nvcuda.dll").exists()
    return any(Path(driver).exists() for driver in GPU_DRIVERS)


def _imports(package: str) -> bool:
    """Whether a package is there and loads: one whose libraries are missing on this machine does not."""
    try:
        import_module(package)
    except (ImportError, OSError):
        return False
    return True

"""What runs the networks here: PyTorch where it finds a GPU, else ONNX Runtime, else PyTorch on the CPU.

Which of them is there is found out without importing PyTorch, which takes seconds, unless there are signs of a GPU.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import PredictionError
from .features import Features
from .weights import Weights

__all__ = ["Network", "Runtime", "choose_runtime", "open_network"]

GPU_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""What the drivers of NVIDIA and AMD, and of either under Windows' Linux, make on Linux."""


class Network(Protocol):
    """A network ready to predict."""

    def __call__(self, features: Features) -> dict[str, NDArray[np.floating]]:
        """Heads by name, as `model.Heads` describes them but without the batch axis and as float64."""
        ...


@dataclass(frozen=True)
class Runtime:
    """What runs a network, on which device.

    Attributes
    ----------
    program : {"ONNX Runtime", "PyTorch"} or None
        None where nothing can.
    device : str
        As PyTorch names it.
    reason : str
        Why this one, for people to read.
    """

    program: Literal["ONNX Runtime", "PyTorch"] | None
    device: str
    reason: str


def choose_runtime(device: str = "auto", exported: bool = True) -> Runtime:
    """Find the fastest that is there.

    Parameters
    ----------
    device : str
        ``"auto"``, ``"cpu"``, or a device as PyTorch names it.
    exported : bool
        Whether the network was saved for ONNX Runtime too.

    Raises
    ------
    PredictionError
        If a device other than the CPU is asked for and PyTorch is not there.
    """
    if device not in ("auto", "cpu"):
        if not _imports("torch"):
            raise PredictionError(
                f"There is no device '{device}' here: GPUs need PyTorch (pip install 'dynaprot[torch]'). "
                "Use 'cpu' or 'auto'."
            )
        return Runtime("PyTorch", device, "as asked for")
    reason = "as asked for"
    if device == "auto":
        gpu, reason = _find_gpu()
        if gpu is not None:
            return Runtime("PyTorch", gpu, reason)
    if not exported:
        reason = "the weights have no .onnx file beside them"
    elif _imports("onnxruntime"):
        return Runtime("ONNX Runtime", "cpu", reason)
    else:
        reason = "ONNX Runtime is not installed"
    if _imports("torch"):
        return Runtime("PyTorch", "cpu", reason)
    return Runtime(None, "cpu", f"{reason}, and PyTorch is not installed either")


def open_network(weights: Weights, runtime: Runtime) -> Network:
    """Make a network ready to predict.

    Raises
    ------
    WeightsError
        If its files are damaged or do not belong together.
    PredictionError
        If there is no such device.
    """
    # Each imports its program, and only the one that runs is paid for.
    if runtime.program == "ONNX Runtime":
        from .onnx_runtime import OnnxNetwork

        return OnnxNetwork(weights)
    from .torch_runtime import TorchNetwork

    return TorchNetwork(weights, runtime.device)


def _find_gpu() -> tuple[str | None, str]:
    """A GPU that PyTorch can use, and why, or why there is none."""
    if not _has_gpu_driver():
        return None, "no GPU was found"
    if not _imports("torch"):
        return None, "a GPU needs PyTorch, which is not installed"
    gpu = _gpu_of_torch()
    return gpu, "PyTorch found a GPU" if gpu else "PyTorch found no GPU that it can use"


def _gpu_of_torch() -> str | None:
    from .torch_runtime import gpu

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

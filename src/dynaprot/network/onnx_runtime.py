"""Networks in ONNX Runtime: on the CPU, without PyTorch."""

from __future__ import annotations

import os

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ..errors import WeightsError
from .features import Features
from .weights import Weights, load_graph

__all__ = ["OnnxNetwork"]

ERRORS_ONLY = 3


class OnnxNetwork:
    """A network ready to predict.

    Parameters
    ----------
    weights : Weights
        Saved with their graph, which is verified before ONNX Runtime sees it.
    """

    def __init__(self, weights: Weights) -> None:
        graph = load_graph(weights)
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        # Those this process may use: ONNX Runtime would count the machine's, and bind its threads to them.
        options.intra_op_num_threads = _processors()
        # A host has better use for its processors than to wait on them for the next prediction.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Likewise for the memory between predictions.
        options.enable_cpu_mem_arena = False
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        # ONNX Runtime's own errors have no base class but this.
        except Exception as error:
            raise WeightsError(f"{weights.path.stem}.onnx: this ONNX Runtime cannot run it ({error}).") from error

    def __call__(self, features: Features) -> dict[str, NDArray[np.floating]]:
        """Heads by name as float64; those that the network lacks are left out."""
        inputs = {node.name: getattr(features, node.name) for node in self._session.get_inputs()}
        names = [node.name for node in self._session.get_outputs()]
        return {
            name: head.astype(np.float64) for name, head in zip(names, self._session.run(names, inputs), strict=True)
        }


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

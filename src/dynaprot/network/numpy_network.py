"""The forward pass of `torch_network.DynaProt` in numpy: every network but those with DYNAPROT-J's pair head.

What users run: no PyTorch is installed into their PyMOL or ChimeraX. `tests/core/test_network.py` ties both files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from .features import Features
from .weights import Weights

__all__ = ["NumpyNetwork"]

Array = NDArray[np.floating]
Tensors = dict[str, NDArray]

NANOMETRE = 0.1
SCALES_NM = (0.5, 1.0, 2.0, 4.0, np.inf)
"""Of the kernel coupling."""
LOGITS = 1 << 18
"""Attention logits, of all heads, that are worked out at a time: few enough to stay in the processor's cache."""
PAIRS = 1 << 9
"""Pairs that pass through the spring head at a time, chosen likewise: a prediction takes two thirds of the time that it
takes with all of them at once."""


class NumpyNetwork:
    """A network ready to predict on the CPU.

    Parameters
    ----------
    weights : Weights
        Of any architecture whose coupling head is not ``"pair"``.
    """

    def __init__(self, weights: Weights) -> None:
        architecture = weights.architecture
        alone = replace(architecture, members=1)
        prefixes = [""] if architecture.members == 1 else [f"members.{k}." for k in range(architecture.members)]
        self._members = [
            _Member(replace(weights, architecture=alone, tensors=_under(prefix, weights.tensors)))
            for prefix in prefixes
        ]

    def __call__(self, features: Features) -> dict[str, Array]:
        """Outputs by name as in `torch_network.Outputs`, without the batch axis, as float64.

        Of a committee, the mean of its members' outputs.

        Raises
        ------
        WeightsError
            If a parameter that the architecture asks for is missing or has another shape.
        """
        total: dict[str, Array] = {}
        for member in self._members:
            for name, output in member(features).items():
                total[name] = total[name] + output if name in total else output.astype(np.float64)
        return {name: output / len(self._members) for name, output in total.items()}


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


class _Member:
    """One network: its parameters, and its forward pass from embedding to heads."""

    def __init__(self, weights: Weights) -> None:
        self.architecture, self.tensors, self.path = weights.architecture, weights.tensors, weights.path

    def __call__(self, features: Features) -> dict[str, Array]:
        try:
            return self._outputs(features)
        except (KeyError, ValueError, IndexError) as error:
            raise WeightsError(f"{self.path}: the weights do not fit their own architecture ({error}).") from error

    def _outputs(self, features: Features) -> dict[str, Array]:
        architecture = self.architecture
        positions = features.positions * np.float32(NANOMETRE)
        embedding = self.tensors["embedding.weight"][features.types]
        if architecture.residue_features:
            embedding = embedding + self._linear("residue_features", features.residue_features)
        for k in range(architecture.layers):
            layer = f"layers.{k}"
            if architecture.residual:
                normed = self._layer_norm(f"{layer}.attention_norm", embedding)
                embedding = embedding + self._attention(f"{layer}.attention", normed, features.rotations, positions)
                normed = self._layer_norm(f"{layer}.transition_norm", embedding)
                embedding = embedding + self._perceptron(f"{layer}.transition", normed, _silu)
            else:
                embedding = self._attention(layer, embedding, features.rotations, positions)
        if architecture.final_norm:
            embedding = self._layer_norm("norm", embedding)
        outputs = {}
        if architecture.marginals:
            numbers = self._linear("marginal_head.linear", embedding)
            outputs["marginal_factor"] = _lower_triangular(numbers, _softplus)
        if architecture.coupling == "kernel":
            outputs["coupling"] = self._kernel_coupling(embedding, positions)
        if architecture.prior:
            outputs["springs"] = self._springs(embedding, features.pairs, features.pair_features)
            outputs["chain"] = np.clip(self._linear("spring_head.chain", embedding), -6.0, 6.0)
        if architecture.congruence:
            numbers = np.clip(self._linear("congruence_head", embedding), -2.0, 2.0)
            outputs["congruence"] = _lower_triangular(numbers, np.exp)
        return outputs

    def _linear(self, name: str, x: Array) -> Array:
        product = x @ self.tensors[f"{name}.weight"].T
        bias = self.tensors.get(f"{name}.bias")
        return product if bias is None else product + bias

    def _layer_norm(self, name: str, x: Array) -> Array:
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + np.float32(1e-5))
        return x * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]

    def _perceptron(self, name: str, x: Array, activation: Callable[[Array], Array], layers: int = 2) -> Array:
        """Linear layers with an activation between them, as `nn.Sequential` numbers them."""
        for k in range(layers - 1):
            x = activation(self._linear(f"{name}.{2 * k}", x))
        return self._linear(f"{name}.{2 * (layers - 1)}", x)

    def _attention(self, name: str, embedding: Array, rotations: Array, positions: Array) -> Array:
        """Invariant point attention, some queries at a time; the formula of `InvariantPointAttention`.

        Logits are worked out in double precision: the squared distances in them are differences of large numbers where
        a structure is far from its centre.
        """
        size, heads, points = len(embedding), self.architecture.heads, self.architecture.points
        channels = self.architecture.scalars

        def split(what: str) -> Array:
            return self._linear(f"{name}.{what}", embedding).reshape(size, heads, -1).transpose(1, 0, 2)

        def split_points(what: str) -> Array:
            local = self._linear(f"{name}.{what}", embedding).reshape(size, heads * points, 3)
            placed = local @ np.swapaxes(rotations, 1, 2) + positions[:, None]
            return placed.reshape(size, heads, -1).transpose(1, 0, 2)

        weight = _softplus(self.tensors[f"{name}.point_weight"].astype(np.float64))[:, None, None]
        weight = weight / np.sqrt(9.0 * points)
        key_points = split_points("key_points").astype(np.float64)
        key = np.concatenate([split("key"), key_points], axis=2, dtype=np.float64)
        offset = 0.5 * weight[:, :, 0] * (key_points**2).sum(2)
        scalar_query = split("query") / np.sqrt(2.0 * channels)
        query = np.concatenate([scalar_query, weight * split_points("query_points")], axis=2, dtype=np.float64)
        value = np.concatenate([split("value"), split_points("value_points")], axis=2)

        attended = np.empty_like(value)
        for start in range(0, size, rows := max(1, LOGITS // (heads * size))):
            logits = query[:, start : start + rows] @ np.swapaxes(key, 1, 2) - offset[:, None]
            logits -= logits.max(2, keepdims=True)
            share = np.exp(logits.astype(np.float32))
            attended[:, start : start + rows] = share @ value / share.sum(2, keepdims=True)

        scalars = attended[:, :, :channels].transpose(1, 0, 2).reshape(size, -1)
        placed = attended[:, :, channels:].transpose(1, 0, 2).reshape(size, heads * points, 3)
        local = (placed - positions[:, None]) @ rotations
        norms = np.sqrt((local**2).sum(2) + np.float32(1e-8))
        return self._linear(f"{name}.output", np.concatenate([scalars, local.reshape(size, -1), norms], axis=1))

    def _kernel_coupling(self, embedding: Array, positions: Array) -> Array:
        """The formula of `KernelCoupling`."""
        size = len(embedding)
        factors = self._linear("coupling_head.factors", embedding).reshape(size, len(SCALES_NM), -1)
        places = positions.astype(np.float64)
        squared = (places**2).sum(1)
        squared = np.maximum(squared[:, None] + squared - 2.0 * places @ places.T, 0.0).astype(np.float32)
        coupling = np.diag(_softplus(self._linear("coupling_head.diagonal", embedding)[:, 0]) + np.float32(1e-3))
        for m, scale in enumerate(SCALES_NM):
            coupling += factors[:, m] @ factors[:, m].T * np.exp(-squared / np.float32(2.0 * scale**2))
        return coupling

    def _springs(self, embedding: Array, pairs: NDArray[np.int64], pair_features: Array) -> Array:
        """The formula of `SpringHead`, some pairs at a time."""
        width = self._linear("spring_head.residue", embedding)
        softness = self._linear("spring_head.softness", embedding)
        springs = np.empty((pairs.shape[1], 3), dtype=np.float32)
        for start in range(0, pairs.shape[1], PAIRS):
            chosen = slice(start, start + PAIRS)
            i, j = pairs[:, chosen]
            both = np.concatenate([width[i] + width[j], width[i] * width[j], pair_features[chosen]], axis=1)
            springs[chosen] = self._perceptron("spring_head.pair", both, _silu, layers=3) + softness[i] + softness[j]
        return np.clip(springs, -8.0, 8.0)


def _softplus(x: Array) -> Array:
    return np.logaddexp(x, np.zeros((), x.dtype))


def _silu(x: Array) -> Array:
    # Beyond 80 the sigmoid is 0 or 1 in single precision, and its exponential would overflow.
    return x / (1.0 + np.exp(-np.clip(x, -80.0, 80.0)))


def _lower_triangular(numbers: Array, positive: Callable[[Array], Array]) -> Array:
    """(N, 6) -> (N, 3, 3), rows filled one after the other; `positive` makes the diagonal so."""
    factor = np.zeros((len(numbers), 3, 3), dtype=numbers.dtype)
    rows, columns = np.tril_indices(3)
    factor[:, rows, columns] = numbers
    for axis in range(3):
        factor[:, axis, axis] = positive(factor[:, axis, axis])
    return factor

"""The forward pass of `torch_network.DynaProt` in numpy: every network but those with DYNAPROT-J's pair head.

What users run: no PyTorch is installed into their PyMOL or ChimeraX. `tests/core/test_network.py` ties both files.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from ..joint.linear_algebra import blocks
from .features import Features
from .weights import Weights

__all__ = ["NumpyNetwork"]

Array = NDArray[np.floating]
Tensors = dict[str, NDArray]

NANOMETRE = 0.1
SCALES_NM = (0.5, 1.0, 2.0, 4.0, np.inf)
"""Of the kernel coupling: each twice the one before it, and the last without end."""
LOGITS = 1 << 19
"""Attention logits of a head that are worked out at a time: few enough to stay in the processor's cache."""
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
        self._members = [_Member(weights.member(number)) for number in range(weights.architecture.members)]

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
        """Invariant point attention, some queries of one head at a time; the formula of `InvariantPointAttention`.

        The squared distances in the logits are differences of large numbers where points are far from the origin, and
        in single precision. So each block of queries, neighbours along the chain, has its own origin: what is far from
        it has no share in them anyway.
        """
        size, heads, points = len(embedding), self.architecture.heads, self.architecture.points
        channels = self.architecture.scalars
        rows = max(1, LOGITS // size)

        def split(what: str) -> Array:
            return self._linear(f"{name}.{what}", embedding).reshape(size, heads, -1)

        def split_points(what: str) -> Array:
            local = self._linear(f"{name}.{what}", embedding).reshape(size, heads * points, 3)
            return (local @ np.swapaxes(rotations, 1, 2) + positions[:, None]).reshape(size, heads, -1)

        weights = _softplus(self.tensors[f"{name}.point_weight"]) / np.float32(np.sqrt(9.0 * points))
        scalar_query, query_points = split("query") / np.float32(np.sqrt(2.0 * channels)), split_points("query_points")
        scalar_key, key_points = split("key"), split_points("key_points")
        values = np.concatenate([split("value"), split_points("value_points")], axis=2)

        attended = np.empty_like(values)
        one = np.ones((size, 1), dtype=np.float32)
        key = np.empty((channels + 3 * points + 1, size), dtype=np.float32)
        for head, weight in enumerate(weights):
            key[:channels] = scalar_key[:, head].T
            places = np.ascontiguousarray(key_points[:, head].T)
            value = np.concatenate([values[:, head], one], axis=1)  # the last column sums the shares
            for start in range(0, size, rows):
                block = slice(start, start + rows)
                origin = np.tile(positions[block].mean(0), points)
                np.subtract(places, origin[:, None], out=key[channels:-1])
                key[-1] = -0.5 * weight * (key[channels:-1] ** 2).sum(0)
                placed = weight * (query_points[block, head] - origin)
                query = np.concatenate([scalar_query[block, head], placed, one[block]], axis=1)
                share = query @ key
                share -= share.max(1, keepdims=True)
                np.exp(share, out=share)
                total = share @ value
                attended[block, head] = total[:, :-1] / total[:, -1:]

        scalars = attended[:, :, :channels].reshape(size, -1)
        placed = attended[:, :, channels:].reshape(size, heads * points, 3)
        local = (placed - positions[:, None]) @ rotations
        norms = np.sqrt((local**2).sum(2) + np.float32(1e-8))
        return self._linear(f"{name}.output", np.concatenate([scalars, local.reshape(size, -1), norms], axis=1))

    def _kernel_coupling(self, embedding: Array, positions: Array) -> Array:
        """The formula of `KernelCoupling`, some rows at a time.

        Each length scale is half of the next, so that its Gaussian is the fourth power of that.
        """
        size = len(embedding)
        factors = self._linear("coupling_head.factors", embedding).reshape(size, len(SCALES_NM), -1)
        factors = np.ascontiguousarray(factors.transpose(1, 0, 2))
        places = positions.astype(np.float64)
        squared = (places**2).sum(1)
        coupling = np.empty((size, size), dtype=np.float32)
        for block in blocks(0, size, max(1, LOGITS // size)):
            distance = squared[block, None] + squared - 2.0 * places[block] @ places.T
            kernel = np.exp(np.minimum(distance / -(2.0 * SCALES_NM[-2] ** 2), 0.0).astype(np.float32))
            total = factors[-1, block] @ factors[-1].T
            for m in reversed(range(len(SCALES_NM) - 1)):
                total += factors[m, block] @ factors[m].T * kernel
                kernel *= kernel
                kernel *= kernel
            coupling[block] = total
        diagonal = _softplus(self._linear("coupling_head.diagonal", embedding)[:, 0]) + np.float32(1e-3)
        coupling[np.diag_indices(size)] += diagonal
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

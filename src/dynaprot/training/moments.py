"""From proteins to the moments that a loss compares: batches, the forward pass of the network, and its joint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..joint.elastic_torch import elastic_moments
from ..network.torch_network import Outputs
from ..springs.prior import log_stiffness
from .examples import Input, InputSprings

__all__ = ["Moments", "collate", "predict_moments"]


class Moments(NamedTuple):
    """Differentiable second moments of one protein; None where the network does not predict them.

    Attributes
    ----------
    marginals : Tensor, shape=(N, 3, 3), dtype=float64
        Å^2, frame of the input.
    coupling : Tensor, shape=(N, N), dtype=float64
        Unit diagonal.
    springs : Tensor, shape=(K,)
        Log of the stiffness of all springs over their stiffness before learning, from which the others follow.
    """

    marginals: Tensor | None
    coupling: Tensor | None
    springs: Tensor | None = None


def collate(inputs: Sequence[Input]) -> tuple[Tensor, ...]:
    """Arguments of `DynaProt.forward` for a padded batch of B proteins of up to N residues."""
    if len(inputs) == 1:
        return inputs[0].arguments
    longest = max(len(protein) for protein in inputs)
    batch: list[Tensor] = []
    for k in range(5):  # types, rotations, positions, residue features, mask
        column = [protein.arguments[k][0] for protein in inputs]
        padded = column[0].new_zeros(len(inputs), longest, *column[0].shape[1:])
        for row, values in zip(padded, column, strict=True):
            row[: len(values)] = values
        batch.append(padded)
    pairs = [protein.arguments[5] + k * longest for k, protein in enumerate(inputs)]
    return *batch, torch.cat(pairs, dim=1), torch.cat([protein.arguments[6] for protein in inputs])


def predict_moments(network: nn.Module, inputs: Sequence[Input], precision: str = "float32") -> list[Moments]:
    """Moments of several proteins, which pass through the network together.

    Parameters
    ----------
    network : nn.Module
        `DynaProt` or `Committee`.
    inputs : sequence of Input
        On the device of the network.
    precision : str
        ``bfloat16`` for the network itself on a GPU. What follows, with inverses and logarithms, is in single and
        double precision always.
    """
    device = inputs[0].positions.device
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16" and device.type == "cuda"):
        heads: Outputs = network(*collate(inputs))
    pairs = [protein.arguments[5].shape[1] for protein in inputs]
    springs = [None] * len(inputs) if heads.springs is None else heads.springs.float().split(pairs)
    return [_moments(heads, k, springs[k], protein) for k, protein in enumerate(inputs)]


def _moments(heads: Outputs, k: int, springs: Tensor | None, protein: Input) -> Moments:
    """Moments of the k-th protein of a batch."""
    size = len(protein)
    if springs is not None:
        assert protein.springs is not None
        return _elastic(heads, k, springs, protein, protein.springs)
    rotations = protein.arguments[1][0]
    prediction = Moments(None, None)
    if heads.marginal_factor is not None:
        factor = rotations.double() @ heads.marginal_factor[k, :size].double()
        prediction = prediction._replace(marginals=factor @ factor.mT)
    if heads.coupling is not None:
        coupling = heads.coupling[k, :size, :size].double()
        deviation = coupling.diagonal().sqrt()
        prediction = prediction._replace(coupling=coupling / deviation[:, None] / deviation)
    return prediction


def _elastic(heads: Outputs, k: int, springs: Tensor, protein: Input, corrected: InputSprings) -> Moments:
    """Moments of the network of springs: `SpringPrior.corrected` and `ElasticJoint`, differentiable."""
    assert heads.chain is not None
    size = len(protein)
    springs = corrected.share[:, None] * springs
    chain, prior = heads.chain[k, :size].float(), corrected.coordinates
    of_kinds = log_stiffness(springs, chain, prior, corrected.touching)
    coordinates = [
        before._replace(stiffness=of_kinds[kind].exp() * before.stiffness) if kind in of_kinds else before
        for kind, before in prior.items()
    ]
    congruence = None
    if heads.congruence is not None:
        rotations = protein.arguments[1][0]
        congruence = rotations @ heads.congruence[k, :size].float() @ rotations.mT
    central, isotropic = (springs[:, :2].exp() * corrected.base).unbind(1)
    marginals, coupling = elastic_moments(
        protein.positions, protein.arguments[5], central, isotropic, congruence, coordinates, corrected.background
    )
    learned = torch.cat([springs[:, :2].flatten(), of_kinds["contacts"], chain.flatten()])
    return Moments(marginals.double(), coupling.double(), learned)

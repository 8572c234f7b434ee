"""Invariant point attention as it is written: the reference of the tests and the rival of the benchmark."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from dynaprot.network.torch_network import InvariantPointAttention

__all__ = ["literal_attention"]


def literal_attention(
    layer: InvariantPointAttention, embedding: Tensor, rotations: Tensor, positions: Tensor
) -> Tensor:
    """Algorithm 22 of Jumper et al. 2021 without its pair terms, as it is written: N x N x points and all.

    The pair term's share of the logits goes to the two that remain: weights of sqrt(1/2) instead of sqrt(1/3).
    """
    size, heads, points = embedding.shape[1], layer.heads, layer.points
    h = embedding[0]

    def scalar(linear: torch.nn.Linear) -> Tensor:
        return linear(h).view(size, heads, -1)

    def point(linear: torch.nn.Linear) -> Tensor:
        local = linear(h).view(size, heads, points, 3)
        return torch.einsum("nab,nhpb->nhpa", rotations[0], local) + positions[0][:, None, None]

    q, k, v = scalar(layer.query), scalar(layer.key), scalar(layer.value)
    q_points, k_points, v_points = point(layer.query_points), point(layer.key_points), point(layer.value_points)
    gamma, w_c, w_l = F.softplus(layer.point_weight), (2.0 / (9.0 * points)) ** 0.5, 0.5**0.5
    distances = ((q_points[:, None] - k_points[None]) ** 2).sum((-1, -2))
    logits = w_l * (torch.einsum("ihc,jhc->ijh", q, k) / layer.scalars**0.5 - 0.5 * gamma * w_c * distances)
    attention = logits.softmax(dim=1)
    scalars = torch.einsum("ijh,jhc->ihc", attention, v)
    attended = torch.einsum("ijh,jhpa->ihpa", attention, v_points) - positions[0][:, None, None]
    attended = torch.einsum("nba,nhpb->nhpa", rotations[0], attended)
    norms = (attended**2).sum(-1).add(1e-8).sqrt()
    return layer.output(torch.cat([scalars.flatten(1), attended.flatten(1), norms.flatten(1)], dim=1))[None]

"""Invariant point attention (Jumper et al. 2021, algorithm 22) without a pair representation, in O(N) memory.

With no pair bias the logits are a plain inner product: -w/2 |q - k|^2 = w q.k - w/2 |k|^2 - w/2 |q|^2, and the last
term cancels in the softmax. Queries [s q, w q_points, 1] and keys [k, k_points, -w/2 |k_points|^2] give exactly the
literal formula on any fused attention kernel.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["InvariantPointAttention"]

FAR = -1e5
"""Added to the logits of padded residues."""


class InvariantPointAttention(nn.Module):
    """One layer of attention between residues and their frames.

    Parameters
    ----------
    dimension, heads, scalars, points : int
        As in `Architecture`.
    """

    def __init__(self, dimension: int, heads: int, scalars: int, points: int) -> None:
        super().__init__()
        self.heads, self.scalars, self.points = heads, scalars, points
        self.query = nn.Linear(dimension, heads * scalars, bias=False)
        self.key = nn.Linear(dimension, heads * scalars, bias=False)
        self.value = nn.Linear(dimension, heads * scalars, bias=False)
        self.query_points = nn.Linear(dimension, heads * points * 3, bias=False)
        self.key_points = nn.Linear(dimension, heads * points * 3, bias=False)
        self.value_points = nn.Linear(dimension, heads * points * 3, bias=False)
        self.point_weight = nn.Parameter(torch.full((heads,), math.log(math.e - 1.0)))
        self.output = nn.Linear(heads * (scalars + 4 * points), dimension)

    def forward(self, embedding: Tensor, rotations: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """Attend.

        Parameters
        ----------
        embedding : Tensor, shape=(B, N, dimension)
        rotations : Tensor, shape=(B, N, 3, 3)
            Local to global.
        positions : Tensor, shape=(B, N, 3)
            Origins of the frames, nm, near the origin.
        mask : Tensor, shape=(B, N)
            1 for residues, 0 for padding.

        Returns
        -------
        Tensor, shape=(B, N, dimension)
        """
        batch, size, _ = embedding.shape

        def split(channels: Tensor) -> Tensor:
            return channels.view(batch, size, self.heads, -1).transpose(1, 2)

        def split_points(channels: Tensor) -> Tensor:
            local = channels.view(batch, size, self.heads * self.points, 3)
            return split((local @ rotations.transpose(-1, -2) + positions[:, :, None]).flatten(2))

        weight = F.softplus(self.point_weight)[None, :, None, None] / math.sqrt(9.0 * self.points)
        key_points = split_points(self.key_points(embedding))
        offset = FAR * (1.0 - mask)[:, None, :, None] - 0.5 * weight * (key_points**2).sum(-1, keepdim=True)
        scalar_query = split(self.query(embedding)) / math.sqrt(2.0 * self.scalars)
        point_query = weight * split_points(self.query_points(embedding))
        query = torch.cat([scalar_query, point_query, torch.ones_like(offset)], dim=-1)
        key = torch.cat([split(self.key(embedding)), key_points, offset], dim=-1)
        value = torch.cat([split(self.value(embedding)), split_points(self.value_points(embedding))], dim=-1)

        # Fused kernels want queries and values of one width, a multiple of eight.
        channels = self.scalars + 3 * self.points
        width = -8 * (-(channels + 1) // 8)
        attended = F.scaled_dot_product_attention(
            F.pad(query, (0, width - channels - 1)),
            F.pad(key, (0, width - channels - 1)),
            F.pad(value, (0, width - channels)),
            scale=1.0,
        )
        scalars, points, _ = attended.split([self.scalars, 3 * self.points, width - channels], dim=-1)
        scalars = scalars.transpose(1, 2).flatten(2)
        points = points.transpose(1, 2).reshape(batch, size, self.heads * self.points, 3)
        points = (points - positions[:, :, None]) @ rotations
        norms = (points**2).sum(-1).add(1e-8).sqrt()
        return self.output(torch.cat([scalars, points.flatten(2), norms], dim=-1))

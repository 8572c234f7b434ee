"""The heads: from residue embeddings to marginals, coupling, or springs."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .features import PAIR

__all__ = ["CholeskyHead", "KernelCoupling", "PairCoupling", "SpringHead"]


class CholeskyHead(nn.Module):
    """Six numbers for each residue -> lower-triangular 3x3 with a positive diagonal, in the residue's own frame."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dimension, 6)

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, N, dimension) -> (B, N, 3, 3), Å."""
        a, b, c, d, e, f = self.linear(embedding).unbind(-1)
        zero = torch.zeros_like(a)
        rows = [F.softplus(a), zero, zero, b, F.softplus(c), zero, d, e, F.softplus(f)]
        return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


class TriangleMultiplication(nn.Module):
    """Update of pair ij from all pairs ik and jk, or ki and kj (Jumper et al. 2021, algorithms 11 and 12)."""

    def __init__(self, dimension: int, outgoing: bool) -> None:
        super().__init__()
        self.outgoing = outgoing
        self.norm, self.output_norm = nn.LayerNorm(dimension), nn.LayerNorm(dimension)
        self.left, self.right = nn.Linear(dimension, dimension), nn.Linear(dimension, dimension)
        self.left_gate, self.right_gate = nn.Linear(dimension, dimension), nn.Linear(dimension, dimension)
        self.output_gate, self.output = nn.Linear(dimension, dimension), nn.Linear(dimension, dimension)

    def forward(self, pair: Tensor) -> Tensor:
        pair = self.norm(pair)
        left = (self.left(pair) * self.left_gate(pair).sigmoid()).movedim(3, 1)
        right = (self.right(pair) * self.right_gate(pair).sigmoid()).movedim(3, 1)
        mixed = left @ right.transpose(-1, -2) if self.outgoing else left.transpose(-1, -2) @ right
        return self.output(self.output_norm(mixed.movedim(1, 3)) * self.output_gate(pair).sigmoid())


class TriangleAttention(nn.Module):
    """Attention along the rows of the pair matrix, biased by the pairs themselves (algorithm 13)."""

    def __init__(self, dimension: int, heads: int = 4, channels: int = 16) -> None:
        super().__init__()
        self.heads, self.channels = heads, channels
        self.norm = nn.LayerNorm(dimension)
        self.query_key_value = nn.Linear(dimension, 3 * heads * channels, bias=False)
        self.bias = nn.Linear(dimension, heads, bias=False)
        self.gate = nn.Linear(dimension, heads * channels)
        self.output = nn.Linear(heads * channels, dimension)

    def forward(self, pair: Tensor) -> Tensor:
        bias = self.bias(pair).movedim(3, 1)[:, None]  # (B, 1, heads, N, N), of the pair as it comes in
        pair = self.norm(pair)
        query, key, value = (
            channels.unflatten(-1, (self.heads, self.channels)).transpose(2, 3)
            for channels in self.query_key_value(pair).chunk(3, dim=-1)
        )
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return self.output(attended.transpose(2, 3).flatten(3) * self.gate(pair).sigmoid())


class PairBlock(nn.Module):
    """Triangular multiplication and attention, each outgoing and incoming, with residual connections."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.multiply_outgoing = TriangleMultiplication(dimension, outgoing=True)
        self.multiply_incoming = TriangleMultiplication(dimension, outgoing=False)
        self.attend_rows, self.attend_columns = TriangleAttention(dimension), TriangleAttention(dimension)

    def forward(self, pair: Tensor) -> Tensor:
        pair = pair + self.multiply_outgoing(pair)
        pair = pair + self.multiply_incoming(pair)
        pair = pair + self.attend_rows(pair)
        return pair + self.attend_columns(pair.transpose(1, 2)).transpose(1, 2)


class PairCoupling(nn.Module):
    """DYNAPROT-J's head: [h_i || h_j] through three triangular blocks and an MLP to a Cholesky factor.

    Costs N^3 operations and N^2 x dimension memory; kept as published.
    """

    def __init__(self, dimension: int, blocks: int = 3) -> None:
        super().__init__()
        self.projection = nn.Linear(2 * dimension, dimension)
        self.blocks = nn.Sequential(*(PairBlock(dimension) for _ in range(blocks)))
        hidden = [layer for _ in range(4) for layer in (nn.Linear(dimension, dimension), nn.ReLU())]
        self.readout = nn.Sequential(*hidden, nn.Linear(dimension, 1))

    def forward(self, embedding: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """(B, N, dimension) -> (B, N, N), SPD. One structure at a time: padding would enter the triangles."""
        if embedding.shape[0] > 1:
            return torch.cat(
                [
                    F.pad(
                        self(embedding[k : k + 1, :size], positions[k : k + 1, :size], mask[k : k + 1, :size]),
                        (0, mask.shape[1] - size, 0, mask.shape[1] - size),
                    )
                    for k, size in enumerate(mask.sum(1).long().tolist())
                ]
            )
        left, right = self.projection.weight.chunk(2, dim=1)
        pair = (embedding @ left.T)[:, :, None] + (embedding @ right.T + self.projection.bias)[:, None, :]
        entries = self.readout(self.blocks(pair)).squeeze(-1)
        diagonal = F.softplus(torch.diagonal(entries, dim1=-2, dim2=-1)) + 1e-6
        factor = torch.tril(entries, diagonal=-1) + _diagonal_matrix(diagonal)
        return factor @ factor.transpose(-1, -2)


class KernelCoupling(nn.Module):
    """C = D + sum over length scales of (U_m U_m^T) times a Gaussian of the distance.

    Each term is the elementwise product of two positive semi-definite matrices, hence (Schur) positive semi-definite;
    D is a positive diagonal. N^2 x rank operations, so that 2000 residues fit a laptop.
    """

    scales_nm = (0.5, 1.0, 2.0, 4.0, math.inf)

    def __init__(self, dimension: int, rank: int = 16) -> None:
        super().__init__()
        self.rank = rank
        self.factors = nn.Linear(dimension, len(self.scales_nm) * rank)
        self.diagonal = nn.Linear(dimension, 1)

    def forward(self, embedding: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """(B, N, dimension), positions (B, N, 3) in nm -> (B, N, N), SPD."""
        factors = self.factors(embedding).unflatten(-1, (len(self.scales_nm), self.rank))
        factors = factors * mask[:, :, None, None]
        squared = (positions**2).sum(-1)
        squared = squared[:, :, None] + squared[:, None] - 2.0 * positions @ positions.transpose(-1, -2)
        coupling = _diagonal_matrix(F.softplus(self.diagonal(embedding)).squeeze(-1) + 1e-3)
        for m, scale in enumerate(self.scales_nm):
            product = factors[:, :, m] @ factors[:, :, m].transpose(-1, -2)
            coupling = coupling + product * torch.exp(-squared.clamp(min=0.0) / (2.0 * scale**2))
        return coupling


def _diagonal_matrix(values: Tensor) -> Tensor:
    """(B, N) -> (B, N, N); as `torch.diag_embed`, which does not export to ONNX."""
    return values[:, :, None] * torch.eye(values.shape[1], dtype=values.dtype, device=values.device)


class SpringHead(nn.Module):
    """Stiffness of every spring, as a correction of the network that `mechanics` builds.

    The last layers start at zero: an untrained head is exactly the network it corrects.
    """

    def __init__(self, dimension: int, hidden: int = 96, width: int = 48) -> None:
        super().__init__()
        self.residue = nn.Linear(dimension, width)
        readout = nn.Linear(hidden, 3)
        self.pair = nn.Sequential(
            nn.Linear(2 * width + PAIR, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), readout
        )
        self.softness = nn.Linear(dimension, 3)
        self.chain = nn.Linear(dimension, 2)
        for layer in (readout, self.softness, self.chain):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, embedding: Tensor, pairs: Tensor, pair_features: Tensor) -> tuple[Tensor, Tensor]:
        """Natural logarithm of stiffness over that before learning.

        Parameters
        ----------
        embedding : Tensor, shape=(N, dimension)
        pairs : Tensor, shape=(2, P)
        pair_features : Tensor, shape=(P, PAIR)

        Returns
        -------
        springs : Tensor, shape=(P, 3)
            Of pairs: central, isotropic, between side chains in contact.
        chain : Tensor, shape=(N, 2)
            Of the angle at each residue, and its part in torsions.
        """
        width = self.residue(embedding)
        i, j = pairs.unbind(0)
        both = torch.cat([width[i] + width[j], width[i] * width[j], pair_features], dim=-1)
        softness = self.softness(embedding)
        springs = self.pair(both) + softness[i] + softness[j]
        return springs.clamp(-8.0, 8.0), self.chain(embedding).clamp(-6.0, 6.0)

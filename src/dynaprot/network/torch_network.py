"""DYNAPROT, top to bottom, in PyTorch: for training, for GPUs, and for the pair head of DYNAPROT-J.

The paper: Learning Residue Level Protein Dynamics with Multiscale Gaussians (DYNAPROT, ICLR 2026, OpenReview
uKn9PdREBA). Residue types and backbone frames go through layers of invariant point attention (Jumper et al. 2021,
algorithm 22); DYNAPROT-M reads a 3x3 Cholesky factor off each residue's embedding, DYNAPROT-J the N x N Cholesky factor
of the coupling off all pairs of embeddings. Our additions are named features beside the residue type, residual blocks,
a coupling head without N^3, and a head that corrects the force constants of an elastic network. `Architecture` says
which of them a network has; `numpy_network.py` holds the same forward pass without PyTorch and without the pair head.

Read it in this order: `InvariantPointAttention`, `Block`, the heads, `DynaProt`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import PredictionError, WeightsError
from .architecture import Architecture
from .features import Features
from .weights import Weights

__all__ = ["Committee", "DynaProt", "Outputs", "TorchNetwork", "build_network", "gpu", "load_network", "tensors"]

TYPES = 21
NANOMETRE = 0.1
"""Attention works in nm, so that distances and scalar channels have like sizes."""
PADDING = -1e5
"""Added to the logits of padded residues."""


class InvariantPointAttention(nn.Module):
    """One layer of attention between residues and their frames, without a pair representation, in O(N) memory.

    With no pair bias the logits are a plain inner product: -w/2 |q - k|^2 = w q.k - w/2 |k|^2 - w/2 |q|^2, and the last
    term cancels in the softmax. Queries [s q, w q_points, 1] and keys [k, k_points, -w/2 |k_points|^2] give exactly the
    literal formula on any fused attention kernel.

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
        offset = PADDING * (1.0 - mask)[:, None, :, None] - 0.5 * weight * (key_points**2).sum(-1, keepdim=True)
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


def _attention(architecture: Architecture) -> InvariantPointAttention:
    return InvariantPointAttention(
        architecture.dimension, architecture.heads, architecture.scalars, architecture.points
    )


class Block(nn.Module):
    """Pre-norm residual attention and transition, in place of the published bare attention layer."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width = architecture.dimension
        self.attention = _attention(architecture)
        self.attention_norm, self.transition_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transition = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, embedding: Tensor, rotations: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """Arguments and result as those of `InvariantPointAttention`."""
        attended = self.attention(self.attention_norm(embedding), rotations, positions, mask)
        embedding = embedding + self.dropout(attended)
        return embedding + self.dropout(self.transition(self.transition_norm(embedding)))


class CholeskyHead(nn.Module):
    """DYNAPROT-M's head: six numbers for each residue, a lower-triangular 3x3 with a positive diagonal in its frame."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dimension, 6)

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, N, dimension) -> (B, N, 3, 3), Å."""
        a, b, c, d, e, f = self.linear(embedding).unbind(-1)
        return _lower_triangular(F.softplus(a), b, F.softplus(c), d, e, F.softplus(f))


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
        """(B, N, N, dimension) -> the same."""
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
        """(B, N, N, dimension) -> the same."""
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
        """(B, N, N, dimension) -> the same."""
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
        factor = torch.tril(entries, diagonal=-1) + torch.diag_embed(diagonal)
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
        coupling = torch.diag_embed(F.softplus(self.diagonal(embedding)).squeeze(-1) + 1e-3)
        for m, scale in enumerate(self.scales_nm):
            product = factors[:, :, m] @ factors[:, :, m].transpose(-1, -2)
            coupling = coupling + product * torch.exp(-squared.clamp(min=0.0) / (2.0 * scale**2))
        return coupling


class SpringHead(nn.Module):
    """The force constant of every spring, as a correction of the elastic network in `springs.prior`.

    The last layers start at zero: an untrained head is exactly the network it corrects.
    """

    def __init__(self, dimension: int, pair_features: int, hidden: int = 96, width: int = 48) -> None:
        super().__init__()
        self.residue = nn.Linear(dimension, width)
        readout = nn.Linear(hidden, 3)
        self.pair = nn.Sequential(
            nn.Linear(2 * width + pair_features, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), readout
        )
        self.softness = nn.Linear(dimension, 3)
        self.chain = nn.Linear(dimension, 2)
        for layer in (readout, self.softness, self.chain):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, embedding: Tensor, pairs: Tensor, pair_features: Tensor) -> tuple[Tensor, Tensor]:
        """Natural logarithm of force constants over those before learning.

        Parameters
        ----------
        embedding : Tensor, shape=(N, dimension)
        pairs : Tensor, shape=(2, P)
        pair_features : Tensor, shape=(P, Q)

        Returns
        -------
        springs : Tensor, shape=(P, 3)
            For pairs: central, isotropic, between side chains in contact.
        chain : Tensor, shape=(N, 2)
            For the angle at each residue, and its part in torsions.
        """
        width = self.residue(embedding)
        i, j = pairs.unbind(0)
        both = torch.cat([width[i] + width[j], width[i] * width[j], pair_features], dim=-1)
        softness = self.softness(embedding)
        springs = self.pair(both) + softness[i] + softness[j]
        return springs.clamp(-8.0, 8.0), self.chain(embedding).clamp(-6.0, 6.0)


class CongruenceHead(nn.Linear):
    """Beside springs, a lower-triangular correction of each residue in its frame, which starts at the identity."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension, 6)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, N, dimension) -> (B, N, 3, 3); the diagonal is positive."""
        a, b, c, d, e, f = super().forward(embedding).clamp(-2.0, 2.0).unbind(-1)
        return _lower_triangular(a.exp(), b, c.exp(), d, e, f.exp())


def _lower_triangular(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor, f: Tensor) -> Tensor:
    """[[a, 0, 0], [b, c, 0], [d, e, f]] for each of any number of residues."""
    zero = torch.zeros_like(a)
    return torch.stack([a, zero, zero, b, c, zero, d, e, f], dim=-1).unflatten(-1, (3, 3))


class Outputs(NamedTuple):
    """What a network predicts; an output whose head it does not have is None.

    Attributes
    ----------
    marginal_factor : Tensor, shape=(B, N, 3, 3)
        Lower-triangular L of Sigma = L L^T in each residue's frame, Å.
    coupling : Tensor, shape=(B, N, N)
        SPD, not scaled to unit diagonal.
    springs : Tensor, shape=(P, 3)
        Log force constants of pairs over those before learning: central, isotropic, between side chains in contact.
    chain : Tensor, shape=(B, N, 2)
        The same of bond angles, and of torsions in equal parts from both residues of a bond.
    congruence : Tensor, shape=(B, N, 3, 3)
        Lower-triangular correction in each residue's frame.
    """

    marginal_factor: Tensor | None
    coupling: Tensor | None
    springs: Tensor | None
    chain: Tensor | None
    congruence: Tensor | None

    def unbatch(self) -> dict[str, Tensor]:
        """The outputs of a batch of one by name, without the batch axis; those that are None are left out."""
        return {
            name: output if name == "springs" else output[0]
            for name, output in self._asdict().items()
            if output is not None
        }


class DynaProt(nn.Module):
    """A DYNAPROT network of any `Architecture`."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        width = architecture.dimension
        self.embedding = nn.Embedding(TYPES, width)
        read = len(architecture.residue_features)
        self.residue_features = nn.Linear(read, width) if read else None
        layer = Block if architecture.residual else _attention
        self.layers = nn.ModuleList(layer(architecture) for _ in range(architecture.layers))
        self.norm = nn.LayerNorm(width) if architecture.final_norm else nn.Identity()
        self.marginal_head = CholeskyHead(width) if architecture.marginals else None
        self.coupling_head: nn.Module | None = None
        if architecture.coupling != "none":
            self.coupling_head = {"pair": PairCoupling, "kernel": KernelCoupling}[architecture.coupling](width)
        self.spring_head = SpringHead(width, len(architecture.pair_features)) if architecture.prior else None
        self.congruence_head = CongruenceHead(width) if architecture.congruence else None
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(
        self,
        types: Tensor,
        rotations: Tensor,
        positions: Tensor,
        residue_features: Tensor,
        mask: Tensor,
        pairs: Tensor,
        pair_features: Tensor,
    ) -> Outputs:
        """Predict for a padded batch.

        Parameters
        ----------
        types : Tensor, shape=(B, N), dtype=int64
        rotations : Tensor, shape=(B, N, 3, 3)
        positions : Tensor, shape=(B, N, 3)
            Å, centred.
        residue_features : Tensor, shape=(B, N, R)
        mask : Tensor, shape=(B, N)
            1 for residues, 0 for padding.
        pairs : Tensor, shape=(2, P), dtype=int64
            Pairs of the whole batch, as indices into its B x N residues.
        pair_features : Tensor, shape=(P, Q)
        """
        positions = positions * NANOMETRE
        embedding = self.embedding(types)
        if self.residue_features is not None:
            embedding = embedding + self.residue_features(residue_features)
        embedding = self.dropout(embedding)
        for layer in self.layers:
            embedding = layer(embedding, rotations, positions, mask)
        embedding = self.norm(embedding)
        springs, chain = None, None
        if self.spring_head is not None:
            springs, chain = self.spring_head(embedding.flatten(0, 1), pairs, pair_features)
            chain = chain.unflatten(0, embedding.shape[:2])
        return Outputs(
            marginal_factor=None if self.marginal_head is None else self.marginal_head(embedding),
            coupling=None if self.coupling_head is None else self.coupling_head(embedding, positions, mask),
            springs=springs,
            chain=chain,
            congruence=None if self.congruence_head is None else self.congruence_head(embedding),
        )


class Committee(nn.Module):
    """Networks of one shape; their mean output is the answer, for springs the mean of log force constants."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        alone = replace(architecture, members=1)
        self.members = nn.ModuleList(DynaProt(alone) for _ in range(architecture.members))

    def forward(self, *arguments: Tensor) -> Outputs:
        """Predict; arguments as those of `DynaProt.forward`."""
        answers = zip(*(member(*arguments) for member in self.members), strict=True)
        return Outputs(*(None if outputs[0] is None else torch.stack(outputs).mean(0) for outputs in answers))


def build_network(architecture: Architecture) -> DynaProt | Committee:
    """A new network, or a committee of them, as the architecture says."""
    return DynaProt(architecture) if architecture.members == 1 else Committee(architecture)


def load_network(weights: Weights) -> DynaProt | Committee:
    """The network that the weights belong to.

    Raises
    ------
    WeightsError
        If they do not fit their own architecture.
    """
    network = build_network(weights.architecture).eval()
    try:
        network.load_state_dict({name: torch.from_numpy(t.copy()) for name, t in weights.tensors.items()})
    except RuntimeError as error:
        raise WeightsError(f"{weights.path}: the weights do not fit their own architecture ({error}).") from error
    return network


def tensors(features: Features, device: torch.device | None = None) -> tuple[Tensor, ...]:
    """Arguments of `DynaProt.forward` for a batch of one."""
    mask = torch.ones(1, len(features.types))
    batched = [
        torch.from_numpy(array)[None]
        for array in (features.types, features.rotations, features.positions, features.residue_features)
    ]
    pairwise = [torch.from_numpy(features.pairs), torch.from_numpy(features.pair_features)]
    return tuple(tensor.to(device) for tensor in (*batched, mask, *pairwise))


def gpu() -> str | None:
    """The GPU that this PyTorch can use, ``"cuda"`` or Apple's ``"mps"``; None if there is none."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


class TorchNetwork:
    """A network ready to predict on a device.

    Parameters
    ----------
    weights : Weights
    device : str
        As PyTorch names it.

    Raises
    ------
    PredictionError
        If there is no such device.
    """

    def __init__(self, weights: Weights, device: str) -> None:
        self.network: nn.Module = load_network(weights)
        try:
            self.device = torch.device(device)
            self.network.to(self.device)
        except (RuntimeError, AssertionError) as error:
            raise PredictionError(f"There is no device '{device}' here; use 'cpu' or 'auto'.") from error

    @torch.inference_mode()
    def __call__(self, features: Features) -> dict[str, NDArray[np.floating]]:
        """Outputs by name, without the batch axis, as float64; those whose head the network lacks are left out."""
        outputs: Outputs = self.network(*tensors(features, self.device))
        # Apple's GPUs know no double precision.
        return {name: output.cpu().double().numpy() for name, output in outputs.unbatch().items()}

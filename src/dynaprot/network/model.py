"""The network: residue types and backbone frames in, heads out. A pure function with no linear algebra behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .architecture import Architecture
from .attention import InvariantPointAttention
from .features import ENVIRONMENT
from .heads import CholeskyHead, KernelCoupling, PairCoupling, SpringHead

__all__ = ["Committee", "DynaProt", "Heads", "heads_of_one", "network_of"]

TYPES = 21
NANOMETRE = 0.1
"""Attention works in nm, so that distances and scalar channels have like sizes."""


class Heads(NamedTuple):
    """What a network predicts; a head it does not have is None.

    Attributes
    ----------
    marginal_factor : Tensor, shape=(B, N, 3, 3)
        Lower-triangular L of Sigma = L L^T in each residue's frame, Å.
    coupling : Tensor, shape=(B, N, N)
        SPD, not scaled to unit diagonal.
    springs : Tensor, shape=(P, 3)
        Log stiffness of pairs over that before learning: central, isotropic, between side chains in contact.
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


def heads_of_one(heads: Heads) -> dict[str, Tensor]:
    """Heads of a batch of one by name, without the batch axis; those that the network lacks are left out."""
    return {name: head if name == "springs" else head[0] for name, head in heads._asdict().items() if head is not None}


class Block(nn.Module):
    """Pre-norm residual attention and transition."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width = architecture.dimension
        self.attention = _attention(architecture)
        self.attention_norm, self.transition_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transition = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, embedding: Tensor, rotations: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        attended = self.attention(self.attention_norm(embedding), rotations, positions, mask)
        embedding = embedding + self.dropout(attended)
        return embedding + self.dropout(self.transition(self.transition_norm(embedding)))


def _attention(architecture: Architecture) -> InvariantPointAttention:
    return InvariantPointAttention(
        architecture.dimension, architecture.heads, architecture.scalars, architecture.points
    )


class DynaProt(nn.Module):
    """A DYNAPROT network of any `Architecture`."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        width = architecture.dimension
        self.embedding = nn.Embedding(TYPES, width)
        self.environment = nn.Linear(ENVIRONMENT, width) if architecture.environment else None
        layer = Block if architecture.residual else _attention
        self.layers = nn.ModuleList(layer(architecture) for _ in range(architecture.layers))
        self.norm = nn.LayerNorm(width) if architecture.final_norm else nn.Identity()
        self.marginal_head = CholeskyHead(width) if architecture.marginals else None
        self.coupling_head: nn.Module | None = None
        if architecture.coupling != "none":
            self.coupling_head = {"pair": PairCoupling, "kernel": KernelCoupling}[architecture.coupling](width)
        self.spring_head = SpringHead(width) if architecture.springs else None
        self.congruence_head = nn.Linear(width, 6) if architecture.congruence else None
        if self.congruence_head is not None:
            nn.init.zeros_(self.congruence_head.weight)
            nn.init.zeros_(self.congruence_head.bias)
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(
        self,
        types: Tensor,
        rotations: Tensor,
        positions: Tensor,
        environment: Tensor,
        mask: Tensor,
        pairs: Tensor,
        pair_features: Tensor,
    ) -> Heads:
        """Predict for a padded batch.

        Parameters
        ----------
        types : Tensor, shape=(B, N), dtype=int64
        rotations : Tensor, shape=(B, N, 3, 3)
        positions : Tensor, shape=(B, N, 3)
            Å, centred.
        environment : Tensor, shape=(B, N, ENVIRONMENT)
        mask : Tensor, shape=(B, N)
            1 for residues, 0 for padding.
        pairs : Tensor, shape=(2, P), dtype=int64
            Pairs of the whole batch, as indices into its B x N residues.
        pair_features : Tensor, shape=(P, PAIR)
        """
        positions = positions * NANOMETRE
        embedding = self.embedding(types)
        if self.environment is not None:
            embedding = embedding + self.environment(environment)
        embedding = self.dropout(embedding)
        for layer in self.layers:
            embedding = layer(embedding, rotations, positions, mask)
        embedding = self.norm(embedding)
        springs, chain = None, None
        if self.spring_head is not None:
            springs, chain = self.spring_head(embedding.flatten(0, 1), pairs, pair_features)
            chain = chain.unflatten(0, embedding.shape[:2])
        return Heads(
            marginal_factor=None if self.marginal_head is None else self.marginal_head(embedding),
            coupling=None if self.coupling_head is None else self.coupling_head(embedding, positions, mask),
            springs=springs,
            chain=chain,
            congruence=None if self.congruence_head is None else self._congruence(embedding),
        )

    def _congruence(self, embedding: Tensor) -> Tensor:
        """I plus a correction that starts at zero; the diagonal stays positive."""
        assert self.congruence_head is not None
        a, b, c, d, e, f = self.congruence_head(embedding).clamp(-2.0, 2.0).unbind(-1)
        zero = torch.zeros_like(a)
        rows = [a.exp(), zero, zero, b, c.exp(), zero, d, e, f.exp()]
        return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


class Committee(nn.Module):
    """Networks of one shape that answer with the mean of their heads; the mean of log stiffness, for springs."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        alone = replace(architecture, members=1)
        self.members = nn.ModuleList(DynaProt(alone) for _ in range(architecture.members))

    def forward(self, *arguments: Tensor) -> Heads:
        """Predict; arguments as those of `DynaProt.forward`."""
        answers = zip(*(member(*arguments) for member in self.members), strict=True)
        return Heads(*(None if heads[0] is None else torch.stack(heads).mean(0) for heads in answers))


def network_of(architecture: Architecture) -> DynaProt | Committee:
    """A new network, or a committee of them, as the architecture says."""
    return DynaProt(architecture) if architecture.members == 1 else Committee(architecture)

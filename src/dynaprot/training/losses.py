"""What training minimises: every figure by which a prediction is judged, made differentiable."""

from __future__ import annotations

import torch
from torch import Tensor

from .examples import CrystalChain, Example, matrix_log

__all__ = ["crystal_loss", "ensemble_loss"]


def ensemble_loss(marginals: Tensor, coupling: Tensor, example: Example) -> Tensor:
    """How far marginals (N, 3, 3) and coupling (N, N) are from an ensemble's.

    An ensemble with a scale of its own judges shapes, relative sizes and coupling, not the size of the motion.
    """
    truth = example.marginals
    variance = _trace(marginals)
    error = matrix_log(marginals) - example.log_marginals
    if example.own_scale:
        error = error - error.diagonal(dim1=1, dim2=2).mean() * torch.eye(3, dtype=error.dtype)
    log_size = 0.5 * variance.log() - example.log_size
    loss = _norm(error).mean()
    loss = loss + 3.0 * _coupling_error(coupling, example.coupling)
    loss = loss + ((log_size - log_size.mean()) ** 2).mean()
    loss = loss + 0.5 * (1.0 - _cosine(_anisotropy(marginals), _anisotropy(truth))).mean()
    loss = loss + 1.0 - _pearson(variance.sqrt(), example.log_size.exp())
    if example.own_scale:
        return loss
    ratio = torch.linalg.solve(marginals, truth) + torch.linalg.solve(truth, marginals)
    symmetric_kl = 0.25 * _trace(ratio) - 1.5
    cross = torch.linalg.eigvalsh(example.root_marginals @ marginals @ example.root_marginals)
    bures = (variance + _trace(truth) - 2.0 * cross.clamp(min=1e-9).sqrt().sum(1)).mean()
    return (
        loss
        + 2.0 * log_size.mean() ** 2
        + 0.3 * torch.log1p(symmetric_kl.clamp(min=0.0)).mean()
        + 0.25 * bures.clamp(min=1e-6).log()
    )


def crystal_loss(marginals: Tensor, chain: CrystalChain) -> Tensor:
    """Disagreement with crystallographic displacements in relative size and in shape.

    Both terms are blind to scale and to an isotropic offset of shape: a crystal adds disorder of its lattice.
    """
    size, true_size = _trace(marginals).sqrt(), _trace(chain.displacements)
    true_size = true_size.clamp(max=float(true_size.quantile(0.98))).sqrt()
    shape = (1.0 - _cosine(_anisotropy(marginals), _anisotropy(chain.displacements))).mean()
    return 1.0 - _pearson(size, true_size) + 0.7 * shape


def _coupling_error(coupling: Tensor, truth: Tensor) -> Tensor:
    """Mean square over pairs, mostly of those up to 50 residues apart."""
    i, j = torch.triu_indices(len(coupling), len(coupling), 1)
    weight = (j - i <= 50).double() + 0.3
    return (weight * (coupling[i, j] - truth[i, j]) ** 2).sum() / weight.sum()


def _trace(matrices: Tensor) -> Tensor:
    return matrices.diagonal(dim1=1, dim2=2).sum(-1)


def _norm(matrices: Tensor) -> Tensor:
    return (matrices**2).sum((1, 2)).clamp(min=1e-9).sqrt()


def _anisotropy(matrices: Tensor) -> Tensor:
    return matrices - _trace(matrices)[:, None, None] / 3.0 * torch.eye(3, dtype=matrices.dtype)


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2)) / (_norm(a) * _norm(b))


def _pearson(a: Tensor, b: Tensor) -> Tensor:
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-9)

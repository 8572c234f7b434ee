"""Losses: log-Euclidean distances as in the paper, or all metrics by which a prediction is evaluated."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .examples import Example

__all__ = ["LOSSES", "crystal_loss", "full_loss", "matrix_log", "paper_loss", "squared_bures", "squared_loss"]

NUGGET = 1e-3
"""Added to the diagonal of couplings: with few frames, some of their eigenvalues are zero."""


def full_loss(marginals: Tensor | None, coupling: Tensor | None, example: Example) -> Tensor:
    """Distance of a prediction from an ensemble by all metrics by which it is evaluated.

    The weights of the terms are those that did best in docs/experiments.md.

    Parameters
    ----------
    marginals : Tensor, shape=(N, 3, 3), optional
        Å^2; None where the network does not predict them.
    coupling : Tensor, shape=(N, N), optional
        Unit diagonal; None likewise.
    example : Example
        The labels. Where they are scale-free, only shapes, relative sizes and coupling are compared.
    """
    loss = example.marginals.new_zeros(())
    if coupling is not None and example.coupling is not None:
        loss = loss + 12.0 * _coupling_error(coupling, example.coupling)
    if marginals is None:
        return loss
    truth = example.marginals
    variance, true_variance = _trace(marginals), _trace(truth)
    log_size = 0.5 * (variance.log() - true_variance.log())
    loss = loss + ((log_size - log_size.mean()) ** 2).mean()
    loss = loss + 3.0 * (1.0 - _cosine(_anisotropy(marginals), _anisotropy(truth))).mean()
    loss = loss + 6.0 * (1.0 - _pearson(variance.sqrt(), true_variance.sqrt()))
    if example.scale_free:
        return loss
    return (
        loss
        + 2.0 * log_size.mean() ** 2
        + 1.2 * torch.log1p(_symmetric_kl(marginals, truth)).mean()
        + 1.5 * squared_bures(marginals, truth).mean().clamp(min=1e-6).log()
    )


def divergence_loss(marginals: Tensor | None, coupling: Tensor | None, example: Example) -> Tensor:
    """Mean log(1 + symmetric KL) of the marginals, and the error of the coupling: for learning from a model.

    Without eigenvalues: of 3 x 3 matrices, KL needs inverses alone. Arguments as in `full_loss`.
    """
    loss = example.marginals.new_zeros(())
    if marginals is not None:
        truth = example.marginals
        if example.scale_free:  # at the scale of the least divergence
            over, under = torch.linalg.solve(marginals, truth), torch.linalg.solve(truth, marginals)
            marginals = marginals * (_trace(over).sum() / _trace(under).sum()).sqrt()
        loss = loss + torch.log1p(_symmetric_kl(marginals, truth)).mean()
    if coupling is not None and example.coupling is not None:
        loss = loss + 15.0 * _coupling_error(coupling, example.coupling)
    return loss


def paper_loss(marginals: Tensor | None, coupling: Tensor | None, example: Example) -> Tensor:
    """Log-Euclidean distance ||log A - log B||_F of each marginal, averaged, and of the coupling, over sqrt N.

    The division gives proteins of all lengths the same weight. Arguments as in `full_loss`.
    """
    loss = example.marginals.new_zeros(())
    if marginals is not None:
        loss = loss + _norm(_log_error(marginals, example)).mean()
    if coupling is not None and example.coupling is not None:
        nugget = NUGGET * torch.eye(len(coupling), dtype=coupling.dtype, device=coupling.device)
        error = matrix_log(coupling + nugget) - matrix_log(example.coupling.double() + nugget)
        loss = loss + error.norm() / math.sqrt(len(coupling))
    return loss


def squared_loss(marginals: Tensor | None, coupling: Tensor | None, example: Example) -> Tensor:
    """Mean squared error of the matrix entries: the ablation of the paper. Arguments as in `full_loss`."""
    loss = example.marginals.new_zeros(())
    if marginals is not None:
        scale = _trace(example.marginals).mean() / _trace(marginals).mean() if example.scale_free else 1.0
        loss = loss + ((scale * marginals - example.marginals) ** 2).mean()
    if coupling is not None and example.coupling is not None:
        loss = loss + ((coupling - example.coupling) ** 2).mean()
    return loss


LOSSES: dict[str, Callable[[Tensor | None, Tensor | None, Example], Tensor]] = {
    "full": full_loss,
    "divergence": divergence_loss,
    "paper": paper_loss,
    "squared": squared_loss,
}
"""Losses by their names in a configuration."""


def crystal_loss(marginals: Tensor, example: Example) -> Tensor:
    """Disagreement with crystallographic displacements in relative size and in shape.

    Neither term depends on scale or on an isotropic offset of shape: the disorder of the lattice adds both.
    """
    size, true_size = _trace(marginals).sqrt(), _trace(example.marginals)
    true_size = true_size.clamp(max=float(true_size.quantile(0.98))).sqrt()
    shape = (1.0 - _cosine(_anisotropy(marginals), _anisotropy(example.marginals))).mean()
    return 1.0 - _pearson(size, true_size) + 0.7 * shape


def squared_bures(marginals: Tensor, truth: Tensor) -> Tensor:
    """`metrics.residues.squared_bures` with a gradient by the first argument: (N, 3, 3) each -> (N,), Å^2."""
    values, vectors = torch.linalg.eigh(truth)
    root = (vectors * values.clamp(min=1e-9).sqrt()[:, None, :]) @ vectors.mT
    cross = torch.linalg.eigvalsh(root @ marginals @ root)
    return _trace(marginals) + _trace(truth) - 2.0 * cross.clamp(min=1e-9).sqrt().sum(1)


def matrix_log(matrices: Tensor) -> Tensor:
    """Symmetric logarithm of a stack of SPD matrices, with a gradient where eigenvalues are equal too."""
    result: Tensor = _MatrixLog.apply(matrices)
    return result


class _MatrixLog(torch.autograd.Function):
    """V log(l) V^T, whose derivative has the divided differences of the logarithm (Daleckii & Krein 1965)."""

    @staticmethod
    def forward(context: Any, matrices: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(matrices)
        values = values.clamp(min=1e-6)
        context.save_for_backward(values, vectors)
        return (vectors * values.log()[..., None, :]) @ vectors.mT

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        values, vectors = context.saved_tensors
        left, right = values[..., :, None], values[..., None, :]
        # (log l - log r) / (l - r) = 2 artanh(x) / (x (l + r)), x = (l - r) / (l + r), which is smooth where l = r.
        x = (left - right) / (left + right)
        quotient = torch.where(x.abs() < 1e-4, 1.0 + x**2 / 3.0, torch.atanh(x) / torch.where(x == 0, 1.0, x))
        middle = vectors.mT @ ((gradient + gradient.mT) / 2.0) @ vectors
        return vectors @ (middle * (2.0 * quotient / (left + right))) @ vectors.mT


def _symmetric_kl(a: Tensor, b: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of Gaussians with covariances of shape=(N, 3, 3): shape=(N,)."""
    ratio = torch.linalg.solve(a, b) + torch.linalg.solve(b, a)
    return (0.25 * _trace(ratio) - 1.5).clamp(min=0.0)


def _log_error(marginals: Tensor, example: Example) -> Tensor:
    """log of the prediction - log of the label, shape=(N, 3, 3), without a common factor where it is scale-free."""
    error = matrix_log(marginals) - matrix_log(example.marginals)
    if example.scale_free:
        identity = torch.eye(3, dtype=error.dtype, device=error.device)
        error = error - error.diagonal(dim1=1, dim2=2).mean() * identity
    return error


def _coupling_error(coupling: Tensor, truth: Tensor) -> Tensor:
    """Mean square over pairs; those more than 50 residues apart count less."""
    truth = truth.double()
    i, j = torch.triu_indices(len(coupling), len(coupling), 1, device=coupling.device)
    weight = (j - i <= 50).double() + 0.3
    return (weight * (coupling[i, j] - truth[i, j]) ** 2).sum() / weight.sum()


def _trace(matrices: Tensor) -> Tensor:
    return matrices.diagonal(dim1=1, dim2=2).sum(-1)


def _norm(matrices: Tensor) -> Tensor:
    return (matrices**2).sum((1, 2)).clamp(min=1e-9).sqrt()


def _anisotropy(matrices: Tensor) -> Tensor:
    identity = torch.eye(3, dtype=matrices.dtype, device=matrices.device)
    return matrices - _trace(matrices)[:, None, None] / 3.0 * identity


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2)) / (_norm(a) * _norm(b))


def _pearson(a: Tensor, b: Tensor) -> Tensor:
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-9)

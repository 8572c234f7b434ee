"""The elastic network as a differentiable function of its springs, for training.

The same mathematics as `joint.elastic`, in PyTorch: covariance = (P H P + s Q Q^T)^-1 - Q Q^T / s.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["elastic_covariance", "trace_coupling"]


def elastic_covariance(positions: Tensor, pairs: Tensor, central: Tensor, isotropic: Tensor) -> Tensor:
    """Joint covariance of a network of springs.

    Parameters
    ----------
    positions : Tensor, shape=(N, 3), dtype=float64
        C-alpha positions, Å.
    pairs : Tensor, shape=(2, P), dtype=int64
        Each pair once.
    central, isotropic : Tensor, shape=(P,), dtype=float64
        Stiffness, kT/Å^2. Gradients flow to both.

    Returns
    -------
    Tensor, shape=(N, 3, N, 3), dtype=float64
        Å^2; the six rigid motions have no variance.
    """
    size = len(positions)
    i, j = pairs.unbind(0)
    unit = torch.nn.functional.normalize(positions[i] - positions[j], dim=1)
    identity = torch.eye(3, dtype=positions.dtype)
    blocks = central[:, None, None] * unit[:, :, None] * unit[:, None, :] + isotropic[:, None, None] * identity
    own = torch.zeros(size, 3, 3, dtype=positions.dtype).index_add(0, i, blocks).index_add(0, j, blocks)
    residues = torch.arange(size)
    hessian = torch.zeros(size, size, 3, 3, dtype=positions.dtype).index_put(
        (torch.cat([i, j, residues]), torch.cat([j, i, residues])), torch.cat([-blocks, -blocks, own])
    )
    hessian = hessian.permute(0, 2, 1, 3).reshape(3 * size, 3 * size)
    rigid = _rigid_motions(positions)
    stiffness = hessian.diagonal().mean().detach()
    held = hessian @ rigid
    inner = rigid.T @ held
    update = rigid @ ((inner + stiffness * torch.eye(6, dtype=positions.dtype)) / 2) - held
    projected = hessian + rigid @ update.T + update @ rigid.T
    # inv() has a backward pass of two products; that of a Cholesky factor costs several times as much.
    covariance = torch.linalg.inv(projected) - rigid @ rigid.T / stiffness
    return ((covariance + covariance.T) / 2).reshape(size, 3, size, 3)


def _rigid_motions(positions: Tensor) -> Tensor:
    centred = positions - positions.mean(0)
    zero = torch.zeros_like(centred[:, 0])
    x, y, z = centred.unbind(1)
    translations = torch.eye(3, dtype=positions.dtype).repeat(len(positions), 1)
    rotations = torch.stack(
        [torch.stack(axis, 1) for axis in ((zero, -z, y), (z, zero, -x), (-y, x, zero))], dim=2
    )
    return torch.linalg.qr(torch.cat([translations, rotations.reshape(-1, 3)], dim=1))[0]


def trace_coupling(covariance: Tensor) -> Tensor:
    """tr(Sigma_ij)/3 scaled to unit diagonal: (N, 3, N, 3) -> (N, N)."""
    trace = torch.einsum("iaja->ij", covariance)
    deviation = trace.diagonal().sqrt()
    return trace / deviation[:, None] / deviation

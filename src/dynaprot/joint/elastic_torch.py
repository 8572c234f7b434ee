"""The elastic network as a differentiable function of its springs, for training.

The same mathematics as `joint.elastic`, in PyTorch: covariance = (P H P + s Q Q^T)^-1 - Q Q^T / s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .. import joint

__all__ = ["InternalSprings", "elastic_covariance", "elastic_moments", "trace_coupling"]


class InternalSprings(NamedTuple):
    """`joint.InternalSprings` in tensors; gradients flow to the stiffness."""

    residues: Tensor
    gradients: Tensor
    stiffness: Tensor

    @classmethod
    def of(cls, arrays: joint.InternalSprings) -> InternalSprings:
        """The same in tensors of single precision."""
        gradients, stiffness = (torch.from_numpy(array).float() for array in (arrays.gradients, arrays.stiffness))
        return cls(torch.from_numpy(arrays.residues), gradients, stiffness)

    def to(self, device: torch.device) -> InternalSprings:
        """The same on another device."""
        return InternalSprings(*(tensor.to(device) for tensor in self))


def elastic_covariance(
    positions: Tensor,
    pairs: Tensor,
    central: Tensor,
    isotropic: Tensor,
    coordinates: Sequence[InternalSprings] = (),
    background: Tensor | None = None,
) -> Tensor:
    """Joint covariance of a network of springs.

    Parameters
    ----------
    positions : Tensor, shape=(N, 3)
        C-alpha positions, Å. Double precision is exact to 1e-12, single to 1e-5.
    pairs : Tensor, shape=(2, P), dtype=int64
        Each pair once.
    central, isotropic : Tensor, shape=(P,)
        Stiffness, kT/Å^2. Gradients flow to both.
    coordinates : sequence of InternalSprings
        Springs on other internal coordinates.
    background : Tensor, shape=(3N, 3N), optional
        Hessian of springs that are not learned.

    Returns
    -------
    Tensor, shape=(N, 3, N, 3)
        Å^2; the six rigid motions have no variance.
    """
    size = len(positions)
    matrix, rigid, stiffness = _held_hessian(positions, pairs, central, isotropic, coordinates, background)
    # inv() has a backward pass of two products; that of a Cholesky factor costs several times as much.
    covariance = torch.linalg.inv(matrix) - rigid @ rigid.T / stiffness
    return ((covariance + covariance.T) / 2).reshape(size, 3, size, 3)


def elastic_moments(
    positions: Tensor,
    pairs: Tensor,
    central: Tensor,
    isotropic: Tensor,
    congruence: Tensor | None = None,
    coordinates: Sequence[InternalSprings] = (),
    background: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Marginals and trace coupling of B Sigma B^T, Sigma as from `elastic_covariance`, at half its cost.

    Parameters
    ----------
    positions, pairs, central, isotropic, coordinates, background
        As for `elastic_covariance`.
    congruence : Tensor, shape=(N, 3, 3), optional
        B of each residue, in the frame of the positions.

    Returns
    -------
    marginals : Tensor, shape=(N, 3, 3)
    coupling : Tensor, shape=(N, N)
    """
    size = len(positions)
    matrix, rigid, stiffness = _held_hessian(positions, pairs, central, isotropic, coordinates, background)
    if congruence is None:
        congruence = torch.eye(3, dtype=positions.dtype, device=positions.device).expand(size, 3, 3)
    marginals, trace = _Moments.apply(matrix, congruence, rigid @ rigid.T / stiffness)
    return marginals, _unit_diagonal(trace)


def trace_coupling(covariance: Tensor) -> Tensor:
    """tr(Sigma_ij)/3 scaled to unit diagonal: (N, 3, N, 3) -> (N, N)."""
    return _unit_diagonal(torch.einsum("iaja->ij", covariance))


class _Moments(torch.autograd.Function):
    """Of D = B C B^T, C = (P H P + s Q Q^T)^-1 - Q Q^T / s: the blocks on the diagonal, and the traces of all blocks.

    The gradient G by D has only traces off its diagonal blocks, so that C B^T G costs a third of a matrix product;
    those by B and by the matrix follow as twice its diagonal blocks and as -C B^T G B C.
    """

    @staticmethod
    def forward(context: Any, matrix: Tensor, congruence: Tensor, rigid: Tensor) -> tuple[Tensor, Tensor]:
        size = len(congruence)
        covariance = torch.cholesky_inverse(torch.linalg.cholesky(matrix)) - rigid
        half = torch.einsum("kja,jba->kjb", covariance.reshape(3 * size, size, 3), congruence)
        context.save_for_backward(covariance, half, congruence)
        blocks = torch.einsum("iab,ibjc->iajc", congruence, half.reshape(size, 3, size, 3))
        return torch.einsum("iaib->iab", blocks).clone(), torch.einsum("iaja->ij", blocks)

    @staticmethod
    def backward(context: Any, of_blocks: Tensor, of_traces: Tensor) -> tuple[Tensor, Tensor, None]:
        covariance, half, congruence = context.saved_tensors
        size = len(congruence)
        of_blocks, of_traces = (of_blocks + of_blocks.mT) / 2, (of_traces + of_traces.mT) / 2
        product = torch.stack([half[:, :, axis] @ of_traces for axis in range(3)], dim=-1)
        product += torch.einsum("kja,jab->kjb", half, of_blocks)
        of_congruence = 2.0 * torch.einsum("iaib->iba", product.reshape(size, 3, size, 3))
        product = torch.einsum("kjb,jba->kja", product, congruence).reshape(covariance.shape)
        return -(product @ covariance), of_congruence, None


def _held_hessian(
    positions: Tensor,
    pairs: Tensor,
    central: Tensor,
    isotropic: Tensor,
    coordinates: Sequence[InternalSprings],
    background: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """P H P + s Q Q^T, the rigid motions Q and the stiffness s that holds them."""
    size = len(positions)
    i, j = pairs.unbind(0)
    unit = torch.nn.functional.normalize(positions[i] - positions[j], dim=1)
    identity = torch.eye(3, dtype=positions.dtype, device=positions.device)
    blocks = central[:, None, None] * unit[:, :, None] * unit[:, None, :] + isotropic[:, None, None] * identity
    own = identity.new_zeros(size, 3, 3).index_add(0, i, blocks).index_add(0, j, blocks)
    residues = torch.arange(size, device=positions.device)
    hessian = identity.new_zeros(size, size, 3, 3).index_put(
        (torch.cat([i, j, residues]), torch.cat([j, i, residues])), torch.cat([-blocks, -blocks, own])
    )
    hessian = hessian.permute(0, 2, 1, 3).reshape(3 * size, 3 * size)
    if background is not None:
        hessian = hessian + background
    for kind in coordinates:
        hessian = _add(hessian, kind)
    rigid = _rigid_motions(positions)
    stiffness = hessian.diagonal().mean().detach()
    held = hessian @ rigid
    inner = rigid.T @ held
    update = rigid @ ((inner + stiffness * torch.eye(6, dtype=positions.dtype, device=positions.device)) / 2) - held
    return hessian + rigid @ update.T + update @ rigid.T, rigid, stiffness


def _add(hessian: Tensor, coordinates: InternalSprings) -> Tensor:
    """H + B^T K B, added up number by number, which unlike blocks is in one order on every CPU."""
    width = 3 * coordinates.residues.shape[1]
    axes = torch.arange(3, device=hessian.device)
    places = (3 * coordinates.residues[:, :, None] + axes).reshape(-1, width)
    gradients = coordinates.gradients.reshape(-1, width)
    values = coordinates.stiffness[:, None, None] * (gradients[:, :, None] * gradients[:, None, :])
    entries = places[:, :, None] * len(hessian) + places[:, None, :]
    return hessian.flatten().index_add(0, entries.flatten(), values.flatten()).view_as(hessian)


def _rigid_motions(positions: Tensor) -> Tensor:
    centred = positions - positions.mean(0)
    zero = torch.zeros_like(centred[:, 0])
    x, y, z = centred.unbind(1)
    translations = torch.eye(3, dtype=positions.dtype, device=positions.device).repeat(len(positions), 1)
    rotations = torch.stack([torch.stack(axis, 1) for axis in ((zero, -z, y), (z, zero, -x), (-y, x, zero))], dim=2)
    return torch.linalg.qr(torch.cat([translations, rotations.reshape(-1, 3)], dim=1))[0]


def _unit_diagonal(matrix: Tensor) -> Tensor:
    deviation = matrix.diagonal().sqrt()
    return matrix / deviation[:, None] / deviation

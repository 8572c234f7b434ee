"""The network: parameter counts as published, attention as written in the paper, springs with gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import torch.nn.functional as F  # noqa: E402

from dynaprot.joint import ElasticJoint  # noqa: E402
from dynaprot.joint.elastic_torch import InternalSprings, elastic_covariance, trace_coupling  # noqa: E402
from dynaprot.network.architecture import DYNAPROT_J, DYNAPROT_M, Architecture  # noqa: E402
from dynaprot.network.features import featurise  # noqa: E402
from dynaprot.network.torch_network import DynaProt, InvariantPointAttention, tensors  # noqa: E402
from dynaprot.springs.prior import SpringPrior  # noqa: E402
from dynaprot.structure.geometry import neighbour_pairs  # noqa: E402

from .conftest import EVERY_FEATURE, random_protein  # noqa: E402
from .literal_attention import literal_attention  # noqa: E402

SMALL = Architecture(
    dimension=32, layers=2, heads=4, scalars=8, residual=True, **EVERY_FEATURE, final_norm=True,
    marginals=True, coupling="kernel", prior="1", congruence=True,
)  # fmt: skip


def parameters(architecture: Architecture) -> int:
    """How many numbers a network learns."""
    return sum(parameter.numel() for parameter in DynaProt(architecture).parameters())


def network(architecture: Architecture, seed: int = 0) -> DynaProt:
    """A network with weights that are nowhere zero, so that every part of it matters."""
    torch.manual_seed(seed)
    model = DynaProt(architecture).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def test_the_published_parameter_counts() -> None:
    """DYNAPROT-M with and without its LayerNorm, and DYNAPROT-J."""
    assert parameters(DYNAPROT_M) == 955_078
    assert parameters(replace(DYNAPROT_M, final_norm=False)) == 954_822
    assert parameters(DYNAPROT_J) == 1_902_145


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
@pytest.mark.parametrize("size", [1, 20, 300])
def test_fused_attention_equals_the_literal_formula(size: int, dtype: torch.dtype, tolerance: float) -> None:
    """The inner-product form is the same function, also far from the origin of a large protein."""
    torch.manual_seed(size)
    layer = InvariantPointAttention(128, 8, 16, 4).to(dtype)
    embedding = torch.randn(1, size, 128, dtype=dtype)
    rotations = torch.linalg.qr(torch.randn(1, size, 3, 3, dtype=dtype))[0]
    positions = 3.0 * torch.randn(1, size, 3, dtype=dtype)
    fused = layer(embedding, rotations, positions, torch.ones(1, size, dtype=dtype))
    torch.testing.assert_close(
        fused, literal_attention(layer, embedding, rotations, positions), atol=tolerance, rtol=tolerance
    )


def test_attention_moves_with_neither_rotation_nor_translation() -> None:
    """Invariant point attention is invariant."""
    torch.manual_seed(0)
    layer = InvariantPointAttention(64, 4, 16, 4).double()
    embedding, mask = torch.randn(1, 30, 64).double(), torch.ones(1, 30).double()
    rotations = torch.linalg.qr(torch.randn(1, 30, 3, 3).double())[0]
    positions = torch.randn(1, 30, 3).double()
    turn = torch.linalg.qr(torch.randn(3, 3).double())[0]
    turn = turn * torch.linalg.det(turn).sign()
    moved = layer(embedding, turn @ rotations, positions @ turn.T + 5.0, mask)
    torch.testing.assert_close(moved, layer(embedding, rotations, positions, mask), atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("architecture", [SMALL, DYNAPROT_M, replace(SMALL, coupling="pair")])
def test_a_padded_batch_gives_what_each_structure_gives_alone(architecture: Architecture) -> None:
    """Padding reaches no residue, and no residue another structure."""
    model = network(architecture)
    inputs = [
        tensors(featurise(random_protein(seed, lengths), **EVERY_FEATURE))
        for seed, lengths in ((1, (25,)), (2, (9, 8)))
    ]
    sizes = [len(each[0][0]) for each in inputs]
    longest = max(sizes)
    batch = [
        torch.cat(
            [
                F.pad(each[k], (0, 0) * (each[k].dim() - 2) + (0, longest - size))
                for each, size in zip(inputs, sizes, strict=True)
            ]
        )
        for k in range(5)
    ]
    pairs = torch.cat([each[5] + longest * k for k, each in enumerate(inputs)], dim=1)
    with torch.no_grad():
        together = model(*batch, pairs, torch.cat([each[6] for each in inputs]))
        alone = [model(*each) for each in inputs]
    compared = 0
    for name, head in together._asdict().items():
        if head is None:
            continue
        compared += 1
        if name == "springs":
            torch.testing.assert_close(head, torch.cat([one.springs for one in alone]), atol=1e-5, rtol=1e-4)
            continue
        for k, size in enumerate(sizes):
            expected = getattr(alone[k], name)[0]
            got = head[k, :size, :size] if name == "coupling" else head[k, :size]
            torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)
    assert compared == sum(head is not None for head in alone[0])


@pytest.mark.parametrize("coupling", ["pair", "kernel"])
def test_coupling_heads_are_positive_definite(coupling: str) -> None:
    """By construction, whatever the weights."""
    for seed in range(3):
        model = network(replace(SMALL, coupling=coupling), seed)  # type: ignore[arg-type]
        with torch.no_grad():
            matrix = (
                model(*tensors(featurise(random_protein(seed, (40,)), **EVERY_FEATURE))).coupling[0].double().numpy()
            )
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-5 * np.abs(matrix).max())
        scale = np.sqrt(np.diag(matrix))
        assert np.linalg.eigvalsh((matrix + matrix.T) / 2 / np.outer(scale, scale)).min() > 0


def test_an_untrained_spring_head_is_the_elastic_network_it_corrects() -> None:
    """Learning starts at the parameter-free network, not below it."""
    torch.manual_seed(0)
    model = DynaProt(SMALL).eval()
    with torch.no_grad():
        heads = model(*tensors(featurise(random_protein(1, (25,)), **EVERY_FEATURE)))
    torch.testing.assert_close(heads.springs, torch.zeros_like(heads.springs))
    torch.testing.assert_close(heads.chain, torch.zeros_like(heads.chain))
    torch.testing.assert_close(heads.congruence, torch.eye(3).expand_as(heads.congruence))


def test_the_torch_and_the_numpy_elastic_networks_agree() -> None:
    """Training and inference use one mathematics."""
    structure = random_protein(3, (30, 20))
    prior = SpringPrior.of(structure, featurise(structure, **EVERY_FEATURE).pairs)
    generator = np.random.default_rng(0)
    corrected = prior.corrected(generator.normal(size=(len(prior.springs.i), 3)), generator.normal(size=(50, 2)))
    springs, joint = corrected.springs, ElasticJoint(structure.ca, corrected.springs, coordinates=corrected.internal)
    arrays = (structure.ca, np.stack([springs.i, springs.j]), springs.central, springs.isotropic)
    kinds = [InternalSprings(*map(torch.from_numpy, vars(kind).values())) for kind in corrected.internal.values()]
    covariance = elastic_covariance(*map(torch.from_numpy, arrays), kinds)
    scale = np.abs(joint.covariance()).max()
    np.testing.assert_allclose(covariance.reshape(150, 150).numpy(), joint.covariance(), atol=1e-5 * scale)
    np.testing.assert_allclose(trace_coupling(covariance).numpy(), joint.coupling, atol=1e-5)


def test_gradients_reach_every_spring() -> None:
    """The covariance's derivative by stiffness equals finite differences."""
    structure = random_protein(8, (5,))
    positions = torch.from_numpy(structure.ca)
    i, j = neighbour_pairs(structure.ca, np.inf)
    pairs = torch.from_numpy(np.stack([i, j]))
    kinds = SpringPrior.of(structure, np.stack([i, j])).internal.values()
    kinds = [InternalSprings(*map(torch.from_numpy, vars(kind).values())) for kind in kinds]
    generator = torch.Generator().manual_seed(0)
    stiffness = [
        (0.2 + torch.rand(count, generator=generator, dtype=torch.float64)).requires_grad_()
        for count in (len(i), len(i), *(len(kind.residues) for kind in kinds))
    ]

    def covariance(central: torch.Tensor, isotropic: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        stiff = [kind._replace(stiffness=other) for kind, other in zip(kinds, others, strict=True)]
        return elastic_covariance(positions, pairs, central, isotropic, stiff)

    # The stiffness that holds the rigid motions cancels exactly, so that it needs no gradient.
    assert torch.autograd.gradcheck(covariance, stiffness, atol=1e-5, rtol=1e-3)

"""Training: the cheap moments of an elastic network, committees, and that a loss is least at the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from dynaprot import predict  # noqa: E402
from dynaprot.datasets.labels import Labels, labels_of  # noqa: E402
from dynaprot.joint.elastic_torch import InternalSprings, elastic_covariance, elastic_moments, trace_coupling  # noqa: E402
from dynaprot.metrics import residues  # noqa: E402
from dynaprot.network.architecture import Architecture  # noqa: E402
from dynaprot.network.features import featurise  # noqa: E402
from dynaprot.network.torch_network import Committee, build_network, tensors  # noqa: E402
from dynaprot.network.weights import save_weights  # noqa: E402
from dynaprot.structure.geometry import neighbour_pairs  # noqa: E402
from dynaprot.training.examples import Example, Input  # noqa: E402
from dynaprot.training.losses import full_loss, squared_bures  # noqa: E402
from dynaprot.training.moments import predict_moments  # noqa: E402

from .conftest import EVERY_FEATURE, random_protein  # noqa: E402

SPRINGS = Architecture(
    dimension=16,
    layers=0,
    residual=True,
    **EVERY_FEATURE,
    final_norm=True,
    prior="1",
)


def test_moments_are_those_of_the_whole_covariance() -> None:
    """Values and gradients of the cheap form equal those of the full one."""
    positions = torch.from_numpy(random_protein(3, (12, 9)).ca)
    i, j = neighbour_pairs(positions.numpy(), 20.0)
    pairs = torch.from_numpy(np.stack([i, j]))
    generator = torch.Generator().manual_seed(0)
    central, isotropic = (
        (0.2 + torch.rand(len(i), generator=generator, dtype=torch.float64)).requires_grad_() for _ in range(2)
    )
    congruence = torch.eye(3).double() + 0.3 * torch.randn(21, 3, 3, generator=generator, dtype=torch.float64)
    congruence.requires_grad_()
    residues = torch.randint(21, (9, 3), generator=generator)
    gradients = torch.randn(9, 3, 3, generator=generator, dtype=torch.float64)
    stiffness = (0.2 + torch.rand(9, generator=generator, dtype=torch.float64)).requires_grad_()
    bent = [InternalSprings(residues, gradients, stiffness)]
    covariance = elastic_covariance(positions, pairs, central, isotropic, bent)
    covariance = torch.einsum("iab,ibjc,jdc->iajd", congruence, covariance, congruence)
    whole = torch.einsum("iaib->iab", covariance), trace_coupling(covariance)
    cheap = elastic_moments(positions, pairs, central, isotropic, congruence, bent)
    weights = [torch.randn(part.shape, generator=generator, dtype=torch.float64) for part in whole]
    gradients = []
    for parts in (whole, cheap):
        total = sum((part * weight).sum() for part, weight in zip(parts, weights, strict=True))
        by = torch.autograd.grad(total, (central, isotropic, congruence, stiffness))
        gradients.append(torch.cat([gradient.flatten() for gradient in by]))
    for one, other in zip((*whole, gradients[0]), (*cheap, gradients[1]), strict=True):
        torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-7)


def test_training_and_prediction_make_the_same_of_what_a_network_says(tmp_path: Path) -> None:
    """Stiffness of every kind, and the congruence, far from where learning begins."""
    torch.manual_seed(0)
    network = build_network(replace(SPRINGS, congruence=True)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    structure = random_protein(3, (20, 14))
    with torch.no_grad():
        heads = network(*tensors(featurise(structure, **EVERY_FEATURE)))
        moments = predict_moments(network, [Input.of(structure, network.architecture)])[0]
    assert min(heads.springs[:, 2].std(), *heads.chain[0].std(0)) > 0.1
    path = tmp_path / "network.safetensors"
    save_weights(path, network.architecture, {k: v.numpy() for k, v in network.state_dict().items()}, {})
    dynamics = predict(structure, str(path))
    scale = float(dynamics.marginals.max())
    # Training is in single precision.
    np.testing.assert_allclose(moments.marginals.numpy(), dynamics.marginals, atol=1e-3 * scale)
    np.testing.assert_allclose(moments.coupling.numpy(), dynamics.coupling, atol=1e-3)


def test_a_committee_answers_with_the_mean_of_its_members() -> None:
    """Log stiffness is averaged."""
    torch.manual_seed(0)
    committee = build_network(replace(SPRINGS, members=3)).eval()
    assert isinstance(committee, Committee)
    arguments = tensors(featurise(random_protein(1, (20,)), **EVERY_FEATURE))
    with torch.no_grad():
        for parameter in committee.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        springs = torch.stack([member(*arguments).springs for member in committee.members])
        torch.testing.assert_close(committee(*arguments).springs, springs.mean(0))
    assert springs.std(0).mean() > 0.01


def test_the_loss_is_least_at_the_truth() -> None:
    """Any other scale, shape or coupling costs more."""
    structure = random_protein(5, (24,))
    generator = np.random.default_rng(0)
    frames = structure.ca + generator.normal(0, 0.5, (200, 24, 3)) * np.linspace(0.5, 2.0, 24)[:, None]
    labels = labels_of(frames, structure.ca)
    example = Example.of(structure, labels, cluster=0)
    truth = torch.from_numpy(labels.marginals), torch.from_numpy(labels.coupling)
    least = full_loss(*truth, example)
    isotropic = truth[0].diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * torch.eye(3).double()
    for marginals, coupling in ((1.5 * truth[0], truth[1]), (isotropic, truth[1]), (truth[0], 0.5 * truth[1])):
        assert full_loss(marginals, coupling, example) > least + 1e-3
    shrunk = Labels(labels.marginals / 9.0, labels.coupling)
    assert full_loss(*truth, Example.of(structure, shrunk, cluster=0, scale_free=True)) < 1e-3


def test_the_bures_distance_that_is_trained_on_is_the_one_that_is_evaluated() -> None:
    """PyTorch's, with its gradient against finite differences, beside numpy's."""
    generator = np.random.default_rng(0)
    factors = generator.normal(size=(2, 12, 3, 5))
    first, second = factors @ np.swapaxes(factors, -1, -2)
    found = squared_bures(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(found, residues.squared_bures(first, second), rtol=1e-9)
    np.testing.assert_allclose(squared_bures(torch.from_numpy(first), torch.from_numpy(first)), 0.0, atol=1e-9)
    root = torch.from_numpy(factors[0, :2]).requires_grad_()
    truth = torch.from_numpy(second[:2])
    assert torch.autograd.gradcheck(lambda factor: squared_bures(factor @ factor.mT, truth), (root,))

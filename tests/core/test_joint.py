"""The forms of the joint Gaussian, checked against dense linear algebra and against ProDy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynaprot import PredictionError, predict
from dynaprot.joint import ElasticJoint, FactoredJoint, InternalSprings, Joint, Springs, SuperposedJoint
from dynaprot.joint.elastic import hessian, rigid_motions
from dynaprot.joint.linear_algebra import gram, invert_root, leading_eigenpairs, matrix_log, matrix_power
from dynaprot.springs.elastic_networks import CLASSIC_CUTOFF, CLASSIC_STIFFNESS
from dynaprot.structure.geometry import neighbour_pairs
from dynaprot.structure.superposition import superpose

from .conftest import proteins, random_protein, rotation_matrix


def random_spd(generator: np.random.Generator, *shape: int) -> np.ndarray:
    """SPD matrices (..., d, d) of moderate condition."""
    factor = generator.normal(size=(*shape, shape[-1] + 2))
    return factor @ np.swapaxes(factor, -1, -2) / shape[-1] + 0.05 * np.eye(shape[-1])


def random_factored(seed: int, size: int = 9, root: str = "symmetric") -> FactoredJoint:
    """A factored joint with nothing special about it."""
    generator = np.random.default_rng(seed)
    return FactoredJoint(random_spd(generator, size, 3), random_spd(generator, size), root)  # type: ignore[arg-type]


def random_elastic(seed: int, congruence: bool = False, coordinates: bool = False) -> ElasticJoint:
    """Random springs between all pairs of a random chain, and on coordinates of four residues."""
    generator = np.random.default_rng(seed)
    positions = random_protein(seed, (11,)).ca
    i, j = neighbour_pairs(positions, np.inf)
    springs = Springs(i, j, generator.uniform(0.01, 2.0, len(i)), generator.uniform(0.0, 0.1, len(i)))
    correction = np.eye(3) + 0.2 * np.tril(generator.normal(size=(11, 3, 3))) if congruence else None
    residues, gradients = generator.integers(0, 11, (7, 4)), generator.normal(size=(7, 4, 3))
    bent = InternalSprings(residues, gradients, generator.uniform(0.1, 9.0, 7))
    return ElasticJoint(positions, springs, correction, {"bent": bent} if coordinates else None)


def random_superposed(seed: int, elastic: bool = True) -> SuperposedJoint:
    """One of them, superposed on residues of random weights, some of which count for nothing."""
    generator = np.random.default_rng(seed)
    joint = random_elastic(seed, congruence=True) if elastic else random_factored(seed, 11)
    weights = generator.uniform(0.0, 2.0, 11) * (generator.random(11) < 0.7)
    weights[[0, 4, 9]] += 0.5
    return SuperposedJoint(joint, random_protein(seed, (11,)).ca, weights)


joints = st.one_of(
    st.builds(random_factored, st.integers(0, 999), st.just(9), st.sampled_from(["symmetric", "cholesky"])),
    st.builds(random_elastic, st.integers(0, 999), st.booleans(), st.booleans()),
    st.builds(random_superposed, st.integers(0, 999), st.booleans()),
)


@given(joints)
def test_every_view_of_a_joint_is_a_view_of_one_covariance(joint: Joint) -> None:
    """Marginals are its diagonal blocks; for the elastic form, coupling is its scaled block traces."""
    size = len(joint.marginals)
    covariance = joint.covariance().reshape(size, 3, size, 3)
    np.testing.assert_allclose(np.einsum("iaib->iab", covariance), joint.marginals, rtol=1e-9, atol=1e-12)
    trace = np.einsum("iaja->ij", covariance)
    np.testing.assert_allclose(joint.traces(), trace, rtol=1e-8, atol=1e-10)
    vectors = np.random.default_rng(0).normal(size=(3 * size, 4))
    np.testing.assert_allclose(joint.product(vectors), joint.covariance() @ vectors, rtol=1e-8, atol=1e-9)
    if not isinstance(joint, FactoredJoint):
        scale = np.sqrt(np.diag(trace))
        np.testing.assert_allclose(joint.coupling, trace / np.outer(scale, scale), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(np.diag(joint.coupling), 1.0)


@given(joints)
def test_everything_is_positive_definite(joint: Joint) -> None:
    """Marginals, coupling, and the whole joint."""
    for matrices in (joint.marginals, joint.coupling, joint.covariance()):
        np.linalg.cholesky(matrices)
        np.testing.assert_allclose(matrices, np.swapaxes(matrices, -1, -2), atol=1e-12)


@given(joints, st.integers(1, 6))
def test_modes_are_the_leading_eigenvectors(joint: Joint, count: int) -> None:
    """The matrix-free ones equal those of the dense covariance."""
    covariance = joint.covariance()
    variances, directions = joint.modes(count)
    flat = directions.reshape(count, -1)
    np.testing.assert_allclose(variances, np.linalg.eigvalsh(covariance)[::-1][:count], rtol=1e-8)
    np.testing.assert_allclose(flat @ flat.T, np.eye(count), atol=1e-8)
    np.testing.assert_allclose(covariance @ flat.T, flat.T * variances, atol=1e-7 * variances[0])


@pytest.mark.parametrize(
    "joint",
    [random_factored(1), random_factored(1, 9, "cholesky"), random_elastic(1, True), random_superposed(1)],
)
def test_samples_converge_to_the_covariance(joint: Joint) -> None:
    """20,000 draws agree with the covariance within their sampling error."""
    draws = joint.displacements(20_000, np.random.default_rng(0)).reshape(20_000, -1)
    covariance = joint.covariance()
    deviation = np.sqrt(np.diag(covariance))
    error = draws.T @ draws / 20_000 - covariance
    # The standard error of an entry is sqrt((c_ij^2 + c_ii c_jj) / n).
    expected = np.sqrt((covariance**2 + np.outer(deviation, deviation) ** 2) / 20_000)
    assert np.sqrt(((error / expected) ** 2).mean()) < 1.2
    assert np.abs(draws.mean(0) / deviation).max() < 5 / np.sqrt(20_000)


@given(st.integers(0, 999), st.integers(0, 999))
def test_the_symmetric_form_turns_with_the_protein_and_the_cholesky_form_does_not(seed: int, turn: int) -> None:
    """Sigma -> R Sigma R^T exactly with symmetric roots; the paper's global-frame Cholesky factors break it."""
    joint, rotation = random_factored(seed), rotation_matrix(turn)
    size = len(joint.marginals)
    block = np.kron(np.eye(size), rotation)
    for root, exact in (("symmetric", True), ("cholesky", False)):
        before = FactoredJoint(joint.marginals, joint.coupling, root).covariance()  # type: ignore[arg-type]
        after = FactoredJoint(rotation @ joint.marginals @ rotation.T, joint.coupling, root).covariance()  # type: ignore[arg-type]
        change = np.linalg.norm(after - block @ before @ block.T) / np.linalg.norm(before)
        assert (change < 1e-12) == exact


@given(st.integers(0, 999), st.booleans())
def test_superposition_is_the_weighted_least_squares_fit_of_small_motions(seed: int, elastic: bool) -> None:
    """Kabsch's superposition of conformations that hardly differ has the covariance that the joint says."""
    joint = random_superposed(seed, elastic)
    scale = 1e-3
    covariance = joint.joint.covariance()
    values, vectors = np.linalg.eigh(covariance)
    # A pair of conformations for each principal axis, so that their covariance is exact.
    axes = (vectors * np.sqrt(np.maximum(values, 0.0) * len(values))).T.reshape(len(values), -1, 3)
    frames = joint.positions + scale * np.concatenate([axes, -axes])
    rotations, shifts = superpose(frames, joint.positions, joint.weights)
    moved = ((frames @ rotations + shifts - joint.positions) / scale).reshape(len(frames), -1)
    expected = moved.T @ moved / len(moved)
    np.testing.assert_allclose(joint.covariance(), expected, atol=2e-2 * np.abs(expected).max())


@given(st.integers(0, 999))
def test_superposing_again_changes_nothing(seed: int) -> None:
    """And with equal weights, a network of springs is superposed already."""
    once = random_superposed(seed)
    dense = once.covariance()
    rigid = rigid_motions(once.positions)
    weighted = np.repeat(once.weights, 3)[:, None] * rigid
    left = np.abs(weighted.T @ dense @ weighted).max()
    assert left < 1e-4 * np.abs(dense).max()
    springs = random_elastic(seed)
    np.testing.assert_allclose(
        SuperposedJoint(springs, springs.positions).marginals, springs.marginals, rtol=1e-4, atol=1e-6
    )


def test_rigid_motions_cost_nothing_and_have_no_variance() -> None:
    """Central springs feel neither translation nor rotation; the joint gives both next to no variance."""
    joint = random_elastic(5)
    rigid = rigid_motions(joint.positions)
    central = Springs(joint.springs.i, joint.springs.j, joint.springs.central, 0 * joint.springs.isotropic)
    np.testing.assert_allclose(hessian(joint.positions, central) @ rigid, 0, atol=1e-12)
    np.testing.assert_allclose(rigid.T @ rigid, np.eye(6), atol=1e-12)
    covariance = joint.covariance()
    mean_variance = np.trace(covariance) / len(covariance)
    np.testing.assert_allclose(
        rigid.T @ covariance @ rigid, 1e-6 * mean_variance * np.eye(6), atol=1e-8 * mean_variance
    )


def test_the_covariance_is_the_pseudo_inverse_of_the_projected_hessian() -> None:
    """(P H P)^+, with the isotropic springs' resistance to rotation projected out."""
    joint = random_elastic(7, coordinates=True)
    rigid = rigid_motions(joint.positions)
    projector = np.eye(len(rigid)) - rigid @ rigid.T
    full = hessian(joint.positions, joint.springs, joint.coordinates)
    expected = np.linalg.pinv(projector @ full @ projector, rcond=1e-10)
    np.testing.assert_allclose(joint.covariance(), expected, atol=3e-6 * np.abs(expected).max())


@pytest.mark.parametrize("lengths", [(60,), (45, 40)])
def test_the_classic_network_equals_prodys(lengths: tuple[int, ...]) -> None:
    """Covariance, marginals and slow modes of ProDy's ANM, to 1e-6."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ProDy's own, on import
        prody = pytest.importorskip("prody", reason="ProDy is a development dependency")
        prody.confProDy(verbosity="none")
    structure = random_protein(4, lengths)
    reference = prody.ANM("reference")
    reference.buildHessian(structure.ca, cutoff=CLASSIC_CUTOFF, gamma=CLASSIC_STIFFNESS)
    reference.calcModes(n_modes=None)
    dynamics = predict(structure, "anm-cutoff")
    expected = reference.getCovariance()
    np.testing.assert_allclose(dynamics.covariance(), expected, atol=1e-6 * np.abs(expected).max())
    msf = np.einsum("iaia->i", expected.reshape(len(structure), 3, len(structure), 3))
    np.testing.assert_allclose(dynamics.rmsf, np.sqrt(msf), rtol=1e-6)
    variances, directions = dynamics.modes(5)
    np.testing.assert_allclose(variances, 1 / reference.getEigvals()[:5], rtol=1e-6)
    overlap = np.abs(np.sum(directions.reshape(5, -1) * reference.getEigvecs()[:, :5].T, axis=1))
    np.testing.assert_allclose(overlap, 1, atol=1e-6)


def test_a_network_that_falls_apart_says_so() -> None:
    """Two chains out of reach of each other have no joint motion under a cutoff."""
    structure = random_protein(2, (10,))
    far = np.concatenate([structure.ca, structure.ca + 500.0])
    i, j = neighbour_pairs(far, 15.0)
    joint = ElasticJoint(far, Springs(i, j, np.ones(len(i)), np.zeros(len(i))))
    with pytest.raises(PredictionError, match="falls apart"):
        _ = joint.marginals


@given(proteins, st.integers(0, 99))
def test_springs_may_come_in_any_order_and_direction(structure: object, seed: int) -> None:
    """Exchanging i with j, or shuffling the pairs, leaves the Hessian unchanged."""
    positions = structure.ca  # type: ignore[attr-defined]
    i, j = neighbour_pairs(positions, 20.0)
    generator = np.random.default_rng(seed)
    k = generator.uniform(0.1, 1.0, (2, len(i)))
    order, swap = generator.permutation(len(i)), generator.random(len(i)) < 0.5
    a, b = np.where(swap, j, i)[order], np.where(swap, i, j)[order]
    np.testing.assert_allclose(
        hessian(positions, Springs(a, b, k[0][order], k[1][order])), hessian(positions, Springs(i, j, *k)), atol=1e-12
    )


@pytest.mark.parametrize("size", [1, 7, 192, 193, 500, 1100])
def test_the_root_of_an_inverse_is_found_in_place(size: int) -> None:
    """Halving gives V^T V = A^-1 below, at and above the block size, and reads only the lower triangle."""
    matrix = random_spd(np.random.default_rng(size), size)
    root = np.tril(matrix) + np.triu(np.full((size, size), np.nan), 1)
    invert_root(root)
    np.testing.assert_array_equal(root, np.tril(root))
    np.testing.assert_allclose(gram(root) @ matrix, np.eye(size), atol=1e-9)


def test_the_root_of_no_inverse_is_refused() -> None:
    """An indefinite matrix raises as numpy's Cholesky does, wherever the fault lies."""
    for place in (0, 300):
        matrix = np.eye(400)
        matrix[place, place] = -1.0
        with pytest.raises(np.linalg.LinAlgError):
            invert_root(matrix)


@given(st.integers(0, 999))
def test_powers_and_logarithm_of_spd_matrices(seed: int) -> None:
    """A^1/2 squared is A, A^-1/2 undoes it, and the logarithm is that of the eigenvalues."""
    matrices = random_spd(np.random.default_rng(seed), 4, 3)
    root = matrix_power(matrices, 0.5)
    np.testing.assert_allclose(root @ root, matrices, atol=1e-12)
    np.testing.assert_allclose(matrix_power(matrices, -0.5) @ root, np.broadcast_to(np.eye(3), (4, 3, 3)), atol=1e-9)
    np.testing.assert_allclose(
        np.trace(matrix_log(matrices), axis1=1, axis2=2), np.log(np.linalg.det(matrices)), atol=1e-9
    )


def test_equal_eigenvalues_are_all_found() -> None:
    """A threefold largest eigenvalue gives three orthogonal vectors, and so does the identity."""
    values = np.array([5.0, 5.0, 5.0, 1.0, *np.full(36, 0.1)])
    q = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 40)))[0]
    matrix = (q * values) @ q.T
    found, vectors = leading_eigenpairs(lambda x: matrix @ x, 40, 4)
    np.testing.assert_allclose(found, values[:4], rtol=1e-9)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(leading_eigenpairs(lambda x: x, 40, 3)[0], 1.0)

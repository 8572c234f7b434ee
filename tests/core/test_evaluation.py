"""`dynaprot evaluate`: each figure against an independent computation, and the whole on a small archive."""

from __future__ import annotations

import csv
import dataclasses
import os
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynaprot
from dynaprot import Structure, load_structure, predict
from dynaprot.datasets.labels import labels_of
from dynaprot.datasets.sources import Ensemble, RmsfChain, read_rmsf_chains
from dynaprot.datasets.splits import Split
from dynaprot.datasets.training_sequences import TrainingSequences, sequences_path
from dynaprot.errors import PredictionError, TrainingDataError, WeightsError
from dynaprot.evaluation.clusters import chosen_clusters
from dynaprot.evaluation.contenders import Contender, Relation, contenders
from dynaprot.evaluation.figures import PANELS
from dynaprot.evaluation.files import write_report
from dynaprot.evaluation.proteins import MAX_FRAMES, Proteins, read_folder, read_proteins
from dynaprot.evaluation.report import QUANTITIES, Report
from dynaprot.evaluation.scores import EQ5, HALVES, RECOLOURED, Profile, Protein, Score, evaluate, halves
from dynaprot.metrics import ensembles, joints, statistics
from dynaprot.metrics.residues import compare, shape_cosine, spearman
from dynaprot.network.architecture import Architecture
from dynaprot.network.weights import load_weights, save_weights, shipped_weights
from dynaprot.structure.superposition import superpose_ensemble

from .conftest import SHARED, moved, random_protein, rotation_matrix
from .test_command_line import run
from .test_prepare import write_models
from .test_structure import pdb_text

optimize = pytest.importorskip("scipy.optimize", reason="scipy is a development dependency")
linalg = pytest.importorskip("scipy.linalg", reason="scipy is a development dependency")
stats = pytest.importorskip("scipy.stats", reason="scipy is a development dependency")
spatial = pytest.importorskip("scipy.spatial", reason="scipy is a development dependency")

SOURCE = Path(dynaprot.__file__).resolve().parent.parent


def spd(generator: np.random.Generator, count: int, size: int = 3) -> np.ndarray:
    """Random covariances, (count, size, size)."""
    factor = generator.normal(size=(count, size, size + 2))
    return factor @ np.swapaxes(factor, 1, 2) / size


def simulation(structure: Structure, count: int, seed: int = 0) -> np.ndarray:
    """Frames of a made simulation, each turned and shifted: (count, N, 3)."""
    generator = np.random.default_rng(seed)
    frames = predict(structure, "anm").sample(count, seed=seed)
    turns = np.stack([rotation_matrix(int(k)) for k in generator.integers(0, 10**6, count)])
    return frames @ turns + generator.normal(0.0, 9.0, (count, 1, 3))


def ensemble(structure: Structure, count: int, seed: int, model: str = "anm") -> np.ndarray:
    """Samples superposed on the structure."""
    return ensembles.superposed(predict(structure, model).sample(count, seed=seed), structure.ca)


# Marginals and coupling ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unrelated() -> tuple[np.ndarray, np.ndarray, joints.Labels, dict[str, float]]:
    """Unrelated marginals and coupling of 70 residues, and what `compare` makes of them."""
    generator = np.random.default_rng(1)
    labels = joints.Labels(spd(generator, 70), np.corrcoef(generator.normal(size=(70, 90))))
    marginals, coupling = spd(generator, 70) * 1.4, np.corrcoef(generator.normal(size=(70, 90)))
    return marginals, coupling, labels, compare(marginals, coupling, labels)


def test_rmwd_is_the_bures_distance_by_the_matrix_root(unrelated) -> None:
    """tr A + tr B - 2 tr (A^1/2 B A^1/2)^1/2 with scipy's sqrtm, mean over residues, root."""
    marginals, _, labels, values = unrelated
    squared = []
    for a, b in zip(marginals, labels.marginals, strict=True):
        root = linalg.sqrtm(a)
        squared.append(np.trace(a) + np.trace(b) - 2.0 * np.trace(linalg.sqrtm(root @ b @ root)).real)
    assert values["rmwd"] == pytest.approx(np.sqrt(np.mean(squared)), rel=1e-9)


def test_symmetric_kl_is_that_of_gaussians(unrelated) -> None:
    """Both directions by the textbook formula, which Monte Carlo with scipy's densities bears out."""
    marginals, _, labels, values = unrelated

    def kl(a: np.ndarray, b: np.ndarray) -> float:
        return 0.5 * (np.trace(np.linalg.inv(b) @ a) - 3 + np.linalg.slogdet(b)[1] - np.linalg.slogdet(a)[1])

    both = [(kl(a, b) + kl(b, a)) / 2 for a, b in zip(marginals, labels.marginals, strict=True)]
    assert values["symmetric_kl"] == pytest.approx(np.mean(both), rel=1e-9)
    a, b = np.diag([1.0, 2.0, 0.7]), np.diag([1.4, 1.5, 1.0])
    drawn = np.random.default_rng(0).multivariate_normal(np.zeros(3), a, 200_000)
    gaussians = [stats.multivariate_normal(np.zeros(3), covariance) for covariance in (a, b)]
    assert np.mean(gaussians[0].logpdf(drawn) - gaussians[1].logpdf(drawn)) == pytest.approx(kl(a, b), abs=0.004)


def test_rmsf_shape_amplitude_and_coupling_by_their_definitions(unrelated) -> None:
    """Pearson from scipy, pairs one by one, cosines residue by residue."""
    marginals, coupling, labels, values = unrelated
    own, true = ([np.sqrt(np.trace(m)) for m in stack] for stack in (marginals, labels.marginals))
    assert values["rmsf_r"] == pytest.approx(stats.pearsonr(own, true)[0], rel=1e-9)
    assert values["amplitude"] == pytest.approx(np.mean(own) / np.mean(true))
    cosines = []
    for a, b in zip(marginals, labels.marginals, strict=True):
        a, b = (m / np.trace(m) - np.eye(3) / 3 for m in (a, b))
        cosines.append(1.0 - spatial.distance.cosine(a.ravel(), b.ravel()))
    assert values["shape"] == pytest.approx(np.mean(cosines), rel=1e-9)
    for name, furthest in (("coupling_r", 70), ("coupling_r50", 50)):
        pairs = [(i, j) for i, j in combinations(range(70), 2) if j - i <= furthest]
        expected = stats.pearsonr([coupling[p] for p in pairs], [labels.coupling[p] for p in pairs])[0]
        assert values[name] == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 10_000))
def test_rank_correlation_is_scipys_with_ties_too(seed: int) -> None:
    """Of numbers among which some are equal, and under any change that keeps their order."""
    generator = np.random.default_rng(seed)
    a, b = generator.integers(0, 8, 30).astype(float), generator.normal(size=30)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b)[0], rel=1e-9)
    assert spearman(a**3, np.exp(b)) == pytest.approx(spearman(a, b), rel=1e-9)


def test_the_shape_of_ellipsoids_does_not_depend_on_their_size() -> None:
    """1 for the same ellipsoids at any size, however they are turned; -1 where long and short axes change roles."""
    generator = np.random.default_rng(2)
    marginals, sizes, turn = spd(generator, 20), generator.uniform(0.1, 9.0, (20, 1, 1)), rotation_matrix(2)
    assert shape_cosine(marginals, sizes * marginals) == pytest.approx(1.0)
    others = spd(generator, 20)
    turned = [turn @ each @ turn.T for each in (marginals, others)]
    assert shape_cosine(*turned) == pytest.approx(shape_cosine(marginals, others), rel=1e-9)
    pole, disc = (np.diag([1.0 + sign, 1.0 - sign / 2, 1.0 - sign / 2])[None] for sign in (0.5, -0.5))
    assert shape_cosine(pole, disc) == pytest.approx(-1.0)


def test_coupling_by_range_counts_each_pair_in_its_bins(unrelated) -> None:
    """Bins of separation and of distance, pair by pair; a bin with too few pairs has no figure."""
    _, coupling, labels, _ = unrelated
    positions = np.random.default_rng(3).uniform(0, 22, (70, 3))
    values = joints.coupling_by_range(coupling, labels.coupling, positions)
    assert len(values) == len(joints.SEPARATIONS) + len(joints.DISTANCES)
    distance = spatial.distance.squareform(spatial.distance.pdist(positions))
    expected = {
        "coupling_r_separation_6_11": lambda i, j: 6 <= j - i <= 11,
        "coupling_r_separation_51": lambda i, j: j - i >= 51,
        "coupling_r_distance_0_8": lambda i, j: distance[i, j] < 8,
        "coupling_r_distance_16_24": lambda i, j: 16 <= distance[i, j] < 24,
    }
    for name, within in expected.items():
        pairs = [pair for pair in combinations(range(70), 2) if within(*pair)]
        r = stats.pearsonr([coupling[p] for p in pairs], [labels.coupling[p] for p in pairs])[0]
        assert values[name] == pytest.approx(r, rel=1e-9), name
    assert (distance >= 32).sum() / 2 < joints.FEWEST_PAIRS
    assert np.isnan(values["coupling_r_distance_32"])


# Ensembles -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.sampled_from([1, 2, 7, 40]))
def test_the_assignment_is_the_cheapest(seed: int, size: int) -> None:
    """A permutation that costs what scipy's costs, ties included."""
    generator = np.random.default_rng(seed)
    for cost in (generator.normal(size=(size, size)), generator.integers(0, 3, (size, size)).astype(float)):
        columns = ensembles.assignment(cost)
        assert sorted(columns) == list(range(size))
        assert cost[np.arange(size), columns].sum() == pytest.approx(
            cost[optimize.linear_sum_assignment(cost)].sum(), abs=1e-9
        )


def test_superposition_is_scipys() -> None:
    """Each frame is turned as scipy's `align_vectors` turns it."""
    structure = random_protein(2, (25,))
    frames = simulation(structure, 6)
    centre = structure.ca.mean(0)
    for frame, placed in zip(frames, ensembles.superposed(frames, structure.ca), strict=True):
        centred = frame - frame.mean(0)
        turn, _ = spatial.transform.Rotation.align_vectors(structure.ca - centre, centred)
        np.testing.assert_allclose(placed, turn.apply(centred) + centre, atol=1e-6)


@pytest.fixture(scope="module")
def compared() -> tuple[Structure, np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, float]]:
    """Structure, samples, frames, the frames drawn twice, and what `compare_ensembles` makes of them."""
    structure = random_protein(12, (20, 20))
    samples, frames = ensemble(structure, 60, 1), ensemble(structure, 90, 2, "anm-cutoff")
    values = ensembles.compare_ensembles(samples, frames, structure.ca, np.random.default_rng(9))
    generator = np.random.default_rng(9)
    drawn, others = (frames[generator.integers(0, 90, 60)] for _ in range(2))
    return structure, samples, frames, drawn, others, values


def test_pairwise_rmsd_and_rmsf_frame_by_frame(compared) -> None:
    """RMSD of every pair of frames, zeros of a frame with itself counted; RMSF about the mean."""
    _, samples, frames, drawn, others, values = compared

    def mean_rmsd(first: np.ndarray, second: np.ndarray) -> float:
        flat = (part.reshape(len(part), -1) for part in (first, second))
        return spatial.distance.cdist(*flat).mean() / np.sqrt(first.shape[1])

    assert values["pairwise_rmsd"] == pytest.approx(mean_rmsd(samples, samples), rel=1e-6)
    assert values["md_pairwise_rmsd"] == pytest.approx(mean_rmsd(drawn, others), rel=1e-6)
    rmsf = [
        [np.sqrt(np.mean([np.sum((f[i] - part[:, i].mean(0)) ** 2) for f in part])) for i in range(40)]
        for part in (samples, frames)
    ]
    assert values["ensemble_rmsf_r"] == pytest.approx(stats.pearsonr(*rmsf)[0], rel=1e-9)


def test_root_mean_w2_splits_into_translation_and_variance(compared) -> None:
    """Residue by residue with numpy's covariance and scipy's sqrtm of the product, as in the published analysis."""
    _, samples, frames, _, _, values = compared
    translation, variance = [], []
    for i in range(40):
        a, b = (np.cov(part[:, i].T, bias=True) for part in (samples, frames))
        translation.append(np.sum((samples[:, i].mean(0) - frames[:, i].mean(0)) ** 2))
        variance.append(np.trace(a + b - 2.0 * linalg.sqrtm(a @ b).real))
    assert values["rmwd_translation"] == pytest.approx(np.sqrt(np.mean(translation)), rel=1e-9)
    assert values["rmwd_variance"] == pytest.approx(np.sqrt(np.mean(variance)), rel=1e-6)
    assert values["rmwd_total"] == pytest.approx(np.hypot(values["rmwd_translation"], values["rmwd_variance"]))


def test_pca_distances_by_svd_and_scipys_matching(compared) -> None:
    """Two components by SVD, of the simulation or of both sets; means kept; exact matching; cosine of the first."""
    structure, samples, frames, drawn, _, values = compared

    def components(part: np.ndarray) -> np.ndarray:
        flat = part.reshape(len(part), -1)
        return np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:2]

    both = np.concatenate([drawn, samples])
    for name, pcs in (("md_pca_w2", components(frames)), ("joint_pca_w2", components(both))):
        a, b = (part.reshape(len(part), -1) @ pcs.T for part in (drawn, samples))
        cost = spatial.distance.cdist(a, b, "sqeuclidean")
        expected = np.sqrt(cost[optimize.linear_sum_assignment(cost)].mean() / len(structure))
        assert values[name] == pytest.approx(expected, rel=1e-6)
    assert values["pc_cosine"] == pytest.approx(abs(components(frames)[0] @ components(samples)[0]), rel=1e-5)


def test_contacts_by_sets(compared) -> None:
    """Weak and transient contacts as sets of pairs, distances one by one."""
    structure, samples, _, drawn, _, values = compared

    def often(part: np.ndarray) -> dict[tuple[int, int], float]:
        pairs = combinations(range(40), 2)
        return {(i, j): np.mean([np.linalg.norm(f[i] - f[j]) < 8.0 for f in part]) for i, j in pairs}

    crystal = {pair for pair, share in often(structure.ca[None]).items() if share}
    weak, transient = [], []
    for part in (samples, drawn):
        shares = often(part)
        weak.append({pair for pair in crystal if shares[pair] < 0.9})
        transient.append({pair for pair in shares if pair not in crystal and shares[pair] > 0.1})
    for name, (own, true) in (("weak_contacts", weak), ("transient_contacts", transient)):
        assert 0 < len(own & true) < len(own | true), (
            "the made ensembles must share some contacts of each kind, not all"
        )
        assert values[name] == pytest.approx(len(own & true) / len(own | true))


def test_nothing_to_compare_has_no_value() -> None:
    """Where neither ensemble has a contact of a kind, its Jaccard index is not a number rather than 0 or 1."""
    nothing = np.zeros((3, 3), dtype=bool)
    assert np.isnan(ensembles.jaccard(nothing, nothing))
    assert ensembles.jaccard(nothing, ~nothing) == 0.0


def test_ensemble_figures_do_not_change_when_everything_is_turned(compared) -> None:
    """Samples, simulation and crystal rotated and shifted together."""
    structure, samples, frames, _, _, values = compared
    turn, shift = rotation_matrix(4), np.array([11.0, -7.0, 3.0])
    turned = ensembles.compare_ensembles(
        *(part @ turn.T + shift for part in (samples, frames, structure.ca)), np.random.default_rng(9)
    )
    for name, value in values.items():
        assert turned[name] == pytest.approx(value, rel=1e-5), name


def test_an_ensemble_beside_itself_is_perfect() -> None:
    """No distance, full overlap, aligned components."""
    structure = random_protein(5, (40,))
    frames = ensemble(structure, 80, 3)
    values = ensembles.compare_ensembles(frames, frames, structure.ca, np.random.default_rng(0))
    assert values["ensemble_rmsf_r"] == pytest.approx(1.0)
    assert values["pc_cosine"] == pytest.approx(1.0)
    assert values["rmwd_total"] == pytest.approx(0.0, abs=1e-6)


def test_samples_of_the_true_gaussian_come_ever_nearer() -> None:
    """W2 of the residues falls about as 1/sqrt(n) and that of the components falls too."""
    structure = random_protein(6, (30,))
    dynamics = predict(structure, "anm")
    truth = dynamics.sample(8_000, seed=99)
    residues, components = [], []
    for count in (40, 160, 640):
        sets = [ensembles.superposed(part, structure.ca) for part in (dynamics.sample(count, seed=1), truth)]
        values = ensembles.compare_ensembles(*sets, structure.ca, np.random.default_rng(0))
        residues.append(values["rmwd_total"])
        components.append(values["md_pca_w2"])
    assert residues[0] > 1.6 * residues[1] > 2.5 * residues[2]
    assert components[0] > components[1] > components[2]


# Joint covariance ------------------------------------------------------------------------------------------------


def test_joint_error_and_rmsip_by_whole_matrices() -> None:
    """Frobenius norms and the overlap of eigenvectors of numpy's covariance."""
    structure = random_protein(8, (24,))
    frames = simulation(structure, 150)
    truth = joints.Motion.in_frames(frames, structure.ca)
    predicted = predict(structure, "anm")
    values = joints.compare_motions(joints.Motion.of(predicted), truth)
    rotations, shifts = superpose_ensemble(frames, structure.ca)
    superposed = frames @ rotations + shifts
    own, true = predicted.covariance(), np.cov(superposed.reshape(150, -1).T)
    assert values["joint_error"] == pytest.approx(
        np.sqrt(((own - true) ** 2).sum()) / np.sqrt((true**2).sum()), rel=1e-9
    )
    modes = [np.linalg.eigh(matrix)[1][:, -10:] for matrix in (own, true)]
    overlaps = [(u @ v) ** 2 for u in modes[0].T for v in modes[1].T]
    assert values["rmsip"] == pytest.approx(np.sqrt(sum(overlaps) / 10), rel=1e-6)


def test_a_joint_beside_itself_is_perfect_and_turning_changes_nothing() -> None:
    """Error 0 and RMSIP 1; the same figures for prediction and simulation turned together."""
    structure = random_protein(8, (24,))
    own = joints.Motion.of(predict(structure, "anm"))
    assert joints.compare_motions(own, own) == pytest.approx({"joint_error": 0.0, "rmsip": 1.0}, abs=1e-9)
    turn = rotation_matrix(1)
    turned = moved(structure, turn, np.array([5.0, 6.0, 7.0]))
    frames = simulation(structure, 60)
    figures = [
        joints.compare_motions(joints.Motion.of(predict(each, "anm")), joints.Motion.in_frames(frames, each.ca))
        for each in (structure, turned)
    ]
    assert figures[0] == pytest.approx(figures[1], rel=1e-6)


def test_the_standards_have_the_simulations_own_marginals() -> None:
    """Eq. 5 keeps marginals and coupling, the recoloured network marginals; neither gives the whole joint back."""
    structure = random_protein(8, (24,))
    frames = simulation(structure, 200)
    labels, truth = labels_of(frames, structure.ca), joints.Motion.in_frames(frames, structure.ca)
    for joint in (joints.eq5_ceiling(labels), joints.recoloured_anm(structure, labels)):
        covariance = joint.covariance().reshape(24, 3, 24, 3)
        np.testing.assert_allclose(covariance[range(24), :, range(24)], labels.marginals, rtol=1e-4, atol=1e-5)
        assert 0.05 < joints.compare_motions(joints.Motion.of(joint), truth)["joint_error"] < 1.0
    np.testing.assert_allclose(joints.eq5_ceiling(labels).coupling, labels.coupling)


# Intervals -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000))
def test_weights_are_copies(seed: int) -> None:
    """Every statistic of whole-number weights is numpy's, or scipy's, of the repeated proteins."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=9)
    values[generator.integers(0, 9)] = np.nan
    profiles = [(generator.normal(size=n), generator.normal(size=n)) for n in generator.integers(2, 8, 9)]
    weights = generator.integers(0, 4, (5, 9)).astype(float)
    weights[:, 0] += 1.0
    weights[:, 1] += 1.0
    for row in weights:
        copies = np.repeat(np.arange(9), row.astype(int))
        known = values[copies][np.isfinite(values[copies])]
        for rank in (25.0, 50.0, 75.0):
            assert statistics.percentile(values, rank)(row[None])[0] == pytest.approx(np.percentile(known, rank))
        assert statistics.mean(values)(row[None])[0] == pytest.approx(known.mean())
        assert statistics.deviation(values)(row[None])[0] == pytest.approx(known.std())
        pooled = statistics.pooled_pearson(*zip(*profiles, strict=True))(row[None])[0]
        expected = stats.pearsonr(*(np.concatenate([profiles[k][side] for k in copies]) for side in (0, 1)))[0]
        assert pooled == pytest.approx(expected, rel=1e-9)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 120 samples of 40 proteins, the interval of the median holds the true median about 114 times."""
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(120):
        values = generator.normal(0.7, 0.1, 40)
        found = statistics.bootstrap(statistics.percentile(values, 50.0), range(40))
        assert found.low <= found.value <= found.high
        held += found.low <= 0.7 <= found.high
    assert 106 <= held <= 119


def test_relatives_are_not_independent_evidence() -> None:
    """Ten copies of each protein leave the interval as wide as without them; counted singly it would shrink."""
    values = np.random.default_rng(2).normal(size=12)
    copies = np.repeat(values, 10)
    alone, clustered, naive = (
        statistics.bootstrap(statistics.mean(v), clusters)
        for v, clusters in ((values, range(12)), (copies, np.repeat(range(12), 10)), (copies, range(120)))
    )
    assert clustered == pytest.approx(alone)
    assert naive.high - naive.low < 0.5 * (alone.high - alone.low)


def test_a_paired_difference_is_that_of_the_same_proteins() -> None:
    """Of two models that agree on what is difficult, the difference is known better than either figure."""
    generator = np.random.default_rng(4)
    difficult = generator.normal(0.6, 0.1, 60)
    first, second = difficult + 0.03, difficult + generator.normal(0.0, 0.01, 60)
    of_first, of_second = statistics.mean(first), statistics.mean(second)
    paired = statistics.bootstrap(statistics.difference(of_first, of_second), range(60))
    assert paired.value == pytest.approx((first - second).mean())
    assert 0.02 < paired.low < 0.03 < paired.high < 0.04
    alone = statistics.bootstrap(of_first, range(60))
    assert paired.high - paired.low < 0.2 * (alone.high - alone.low)


def test_an_undefined_figure_has_no_interval() -> None:
    """Nothing known, one protein in a correlation, or one cluster, which says nothing of others."""
    related = statistics.bootstrap(statistics.mean(np.array([0.25, 0.75])), [5, 5])
    assert (related.value, related.text()) == (0.5, "0.500")
    assert np.isnan(related[1:]).all()
    assert np.isnan(statistics.bootstrap(statistics.percentile(np.full(3, np.nan), 50.0), range(3))).all()
    single = statistics.pooled_pearson([np.array([1.0])], [np.array([2.0])])
    assert np.isnan(statistics.bootstrap(single, [0])).all()


# The whole -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packed archives: five simulated proteins, one of them short, and two chains of ATLAS."""
    folder = tmp_path_factory.mktemp("data")
    structures = [random_protein(seed, (32,)) for seed in range(20, 25)]
    frames = [simulation(structure, count, k) for k, (structure, count) in enumerate(
        zip(structures, (120, 140, 120, 120, 40), strict=True)
    )]  # fmt: skip

    def backbones(proteins: list[Structure]) -> dict[str, np.ndarray]:
        return {
            "seq": np.array([p.sequence for p in proteins]),
            "offset": np.cumsum([0, *(len(p) for p in proteins)]),
            **{label: np.concatenate([getattr(p, label.lower()) for p in proteins]).astype(np.float32)
               for label in ("N", "CA", "C")},
        }  # fmt: skip

    np.savez(
        folder / "md_ensembles.npz",
        name=np.array([f"protein-{k}" for k in range(5)]),
        cluster=np.array([7, 7, 8, 9, 10]),
        n_frames=np.array([len(f) for f in frames]),
        traj=np.zeros(sum(map(len, frames)), dtype=int),
        n_chains=np.ones(5, dtype=int),
        split_half_rmsf_r=np.full(5, 0.9),
        frames=np.concatenate([f.ravel() for f in frames]).astype(np.float32),
        **backbones(structures),
    )
    chains = [random_protein(seed, (30,)) for seed in (31, 32)]
    rmsf = np.concatenate([predict(chain, "anm").rmsf for chain in chains])
    rmsf[3:6] = np.nan
    np.savez(
        folder / "atlas_rmsf.npz",
        atlas_id=np.array(["1abc_A", "2def_B"]),
        cluster=np.array([100, 101]),
        rmsf_A=rmsf.astype(np.float32),
        **backbones(chains),
    )
    return folder


@pytest.fixture(scope="module")
def report(archive: Path) -> Report:
    """Both elastic networks on the archive; the simulations are samples of anm."""
    compared = contenders(["anm"], archive)
    scores = [score for found in evaluate(*read_folder(archive), compared, samples=40) for score in found]
    return Report(scores, compared)


def test_the_model_that_made_the_simulation_wins(report: Report) -> None:
    """Every figure with a direction is better for anm than for anm-cutoff, and so are the simulation's halves."""
    of = {(line.quantity.title, line.quantity.table, line.model): line.interval.value for line in report.lines}
    checked = 0
    for (title, table, model), value in of.items():
        if model != "anm" or table in ("Time", "Samples as chains") or title[-1] not in "↑↓" or np.isnan(value):
            continue
        sign = 1 if title.endswith("↑") else -1
        assert sign * value >= sign * of[title, table, "anm-cutoff"], title
        checked += 1
    assert checked >= 20
    rmsf = ("RMSF r, median ↑", "Residues: RMSF and marginals")
    assert of[(*rmsf, HALVES)] > of[(*rmsf, "anm-cutoff")]
    atlas = ("RMSF r, median ↑", "Residues: RMSF of ATLAS", "anm")
    assert of[atlas] == pytest.approx(1.0), "residues without an RMSF are left out"


def test_each_line_is_the_statistic_that_its_title_names(report: Report) -> None:
    """Percentiles by numpy over the proteins that count, correlations by scipy, shares by counting."""
    checked = set()
    for line in report.lines:
        metric, title = line.quantity.metric, line.quantity.title
        counted = [s for s in report.scores if s.model == line.model and s.protein.name != "protein-4"]
        scores = [score for score in counted if metric in score.values]
        values = np.array([score.values[metric] for score in scores])
        profiles = [score.profiles["ensemble_rmsf"] for score in scores if "ensemble_rmsf" in score.profiles]
        if "difference to" in title:
            others = {s.protein: s.values for s in report.scores if s.model == line.quantity.over}
            expected = np.mean([s.values[metric] - others[s.protein][metric] for s in scores])
        elif "r over proteins" in title:
            expected = stats.pearsonr(values, [score.values["md_pairwise_rmsd"] for score in scores])[0]
        elif "over all residues" in title:
            sides = (np.concatenate([getattr(p, side) for p in profiles]) for side in ("predicted", "simulated"))
            expected = stats.pearsonr(*sides)[0]
        elif "over residues" in title:
            side = "simulated" if "of MD" in title else "predicted"
            expected = np.median(np.concatenate([getattr(profile, side) for profile in profiles]))
        elif "> 0.5" in title:
            expected = 100.0 * np.mean(values > 0.5)
        else:
            rank = 75.0 if "75th" in title else 25.0 if "25th" in title else 50.0
            expected = np.percentile(values[np.isfinite(values)] if np.isfinite(values).any() else [np.nan], rank)
            expected *= 100.0 if "%" in title else 1.0
        assert line.interval.value == pytest.approx(expected, nan_ok=True), (title, line.model)
        checked.add(title)
    assert len(checked) >= 30


def test_short_simulations_are_scored_but_not_counted(report: Report) -> None:
    """The protein of 40 frames is in the table of proteins, not in the medians; with everything it is."""
    short = [score for score in report.scores if score.protein.name == "protein-4"]
    assert {score.model for score in short} == {"prior", "anm", "anm-cutoff", HALVES, EQ5, RECOLOURED}
    assert not any(report.counts(score) for score in short)
    assert "4 simulated proteins of 3 sequence clusters are counted; 1 are left out" in report.notes[0]
    counted = {line.proteins for line in report.lines if line.quantity.metric == "rmsf_r"}
    everything = dataclasses.replace(report, everything=True)
    assert counted == {4}
    assert {line.proteins for line in everything.lines if line.quantity.metric == "rmsf_r"} == {5}


def test_a_protein_scores_the_same_in_any_company(archive: Path, report: Report) -> None:
    """Evaluated alone and by one model, its figures are those of the whole run, times apart."""
    systems, _ = read_folder(archive, {8})
    (alone,) = evaluate(systems, [], contenders(["anm"], archive)[:1], samples=40)
    for score in alone:
        (beside,) = [s for s in report.scores if (s.protein.name, s.model) == ("protein-2", score.model)]
        for name, value in score.values.items():
            if "seconds" not in name:
                assert beside.values[name] == pytest.approx(value, nan_ok=True), name


def test_figures_do_not_depend_on_the_orientation_of_the_structure(archive: Path) -> None:
    """Reference turned, frames as they were: every figure of the two elastic networks and of the standards is the same.

    Those of samples differ by the draws, which an orientation changes.
    """
    (system,) = read_folder(archive, {9})[0]
    turned = dataclasses.replace(system, structure=dataclasses.replace(
        moved(system.structure, rotation_matrix(3), np.ones(3)), name=system.structure.name
    ))  # fmt: skip
    compared = contenders([], archive)
    first, second = (next(evaluate([each], [], compared, samples=20)) for each in (system, turned))
    names = ("rmsf_r", "rmwd", "symmetric_kl", "shape", "coupling_r", "amplitude", "joint_error", "rmsip")
    for before, after in zip(first, second, strict=True):
        for name in set(names) & set(before.values):
            assert after.values[name] == pytest.approx(before.values[name], rel=1e-5), (before.model, name)


def test_halves_share_no_frame_and_leave_none_out() -> None:
    """Neighbouring frames stay together, so that the halves are not copies of each other."""
    frames = np.arange(100)[:, None, None] * np.ones((1, 4, 3))
    own, others = (part[:, 0, 0].astype(int) for part in halves(frames))
    assert sorted([*own, *others]) == list(range(100))
    assert len(own) == len(others) == 50
    stretches = own.reshape(-1, 5)
    np.testing.assert_array_equal(stretches, stretches[:, :1] + np.arange(5))


def test_a_failed_prediction_is_told_and_not_counted(archive: Path) -> None:
    """Two domains too far apart for springs of 15 Å: the other models are evaluated all the same."""
    (system,) = read_folder(archive, {9})[0]
    structure = system.structure
    apart = np.repeat([[0.0, 0.0, 0.0], [300.0, 0.0, 0.0]], 16, axis=0)
    split = Structure.from_arrays(
        structure.n + apart, structure.ca + apart, structure.c + apart, structure.sequence, name="split"
    )
    torn = dataclasses.replace(system, structure=split, frames=system.frames + apart.astype(np.float32))
    scores = next(evaluate([torn], [], contenders([], archive), samples=20))
    failed = [score for score in scores if score.failure]
    assert [score.model for score in failed] == ["anm-cutoff"]
    told = Report(scores, contenders([], archive), everything=True)
    assert any(note.startswith("anm-cutoff failed on split: The elastic network falls apart") for note in told.notes)
    assert not any(line.model == "anm-cutoff" for line in told.lines)


def test_too_few_frames_are_refused(archive: Path) -> None:
    """Refused with the number of frames, without a crash."""
    (system,) = read_folder(archive, {9})[0]
    scores = next(evaluate([dataclasses.replace(system, frames=system.frames[:12])], [], contenders([], archive)))
    assert all(not score.values and "12 frames are too few" in score.failure for score in scores)


def test_a_committee_is_evaluated_by_the_member_that_never_saw_the_protein(archive: Path, tmp_path: Path) -> None:
    """Members with different springs: each cluster's figures are those of its own member as weights of its own."""
    torch = pytest.importorskip("torch", reason="the network needs PyTorch")
    from dynaprot.network.torch_network import build_network

    architecture = Architecture(dimension=8, layers=0, heads=2, residual=True, prior="1", members=2)
    torch.manual_seed(0)
    network = build_network(architecture)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    path = tmp_path / "committee.safetensors"
    save_weights(path, architecture, tensors, {"held_out_clusters": [[7, 8], [9]]})
    compared = contenders([str(path)], tmp_path)
    assert compared[0].parameters == sum(tensor.size for tensor in tensors.values())
    assert [each.name for each in compared] == ["committee", "prior", "anm", "anm-cutoff"]
    systems, _ = read_folder(archive, chosen_clusters("", path))
    assert [system.cluster for system in systems] == [7, 7, 8, 9]
    scores = [found[3] for found in evaluate(systems[2:], [], compared, samples=20)]
    for score, member in zip(scores, (0, 1), strict=True):
        alone = tmp_path / f"alone-{member}.safetensors"
        prefix = f"members.{member}."
        own = {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
        save_weights(alone, dataclasses.replace(architecture, members=1), own, {})
        system = systems[2 + member]
        expected = compare_with(predict(system.structure, str(alone)), system.frames)
        assert score.values["symmetric_kl"] == pytest.approx(expected["symmetric_kl"], rel=1e-6)
        other = compare_with(predict(system.structure, str(path)), system.frames)
        assert other["symmetric_kl"] != pytest.approx(expected["symmetric_kl"], rel=1e-3), "members must differ"
    assert [score.relation for score in scores] == [Relation.HELD_OUT] * 2
    notes = Report([*scores], compared, everything=True).notes
    assert any("of 2 proteins, 2 are held out" in note for note in notes)
    assert relation(compared[0], systems[0].structure, 10) == "not known", "a cluster that the weights do not know"


@pytest.fixture(scope="module")
def m_and_j(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Small networks of marginals and of coupling, each held out from other clusters."""
    torch = pytest.importorskip("torch", reason="the network needs PyTorch")
    from dynaprot.network.torch_network import build_network

    folder, paths = tmp_path_factory.mktemp("networks"), []
    for name, heads, held_out in (("m", {"marginals": True}, [7, 9]), ("j", {"coupling": "kernel"}, [7, 8])):
        architecture = Architecture(dimension=8, layers=1, heads=2, **heads)
        torch.manual_seed(1)
        tensors = {key: tensor.numpy() for key, tensor in build_network(architecture).state_dict().items()}
        paths.append(folder / f"{name}.safetensors")
        save_weights(paths[-1], architecture, tensors, {"held_out_clusters": held_out, "trained_clusters": [1]})
    return paths[0], paths[1]


def test_networks_of_marginals_and_of_coupling_are_one_model(
    archive: Path, tmp_path: Path, m_and_j: tuple[Path, Path]
) -> None:
    """As the paper's M and J: what each predicts is its own, and a protein is unseen that neither saw."""
    m, j = map(str, m_and_j)
    (system, *_), _ = read_folder(archive)
    together, of_m, of_j = (predict(system.structure, model) for model in (f"{m}+{j}", m, j))
    np.testing.assert_allclose(together.marginals, of_m.marginals, rtol=1e-9)
    np.testing.assert_allclose(together.coupling, of_j.coupling, rtol=1e-9)
    assert "stands in" in of_m.notices[0]
    assert "stands in" in of_j.notices[0]
    assert not together.notices
    compared = contenders([f"{m}+{j}", m, j], tmp_path)
    assert compared[0].name == "m+j"
    assert compared[0].parameters == compared[1].parameters + compared[2].parameters
    clusters = (7, 8, 9, 1, 5)
    relations = [relation(compared[0], system.structure, cluster) for cluster in clusters]
    assert relations == ["held out", "not known", "not known", "seen", "not known"], "what both networks know"
    notes = Report([], compared).notes
    assert [note for note in notes if "stands in" in note] == [
        "m predicts no coupling: the elastic network stands in.",
        "j predicts no marginals: the elastic network stands in.",
    ]
    with pytest.raises(PredictionError, match="no model 'absent'"):
        predict(system.structure, f"{m}+absent")
    folder = tmp_path / "a+b"
    folder.mkdir()
    plus = [shutil.copy(path, folder / f"{name}+.safetensors") for name, path in (("m", m), ("j", j))]
    np.testing.assert_array_equal(predict(system.structure, "+".join(map(str, plus))).rmsf, together.rmsf)
    with pytest.raises(WeightsError, match=r"a\+b/absent\.safetensors: no such"):
        predict(system.structure, str(folder / "absent.safetensors"))
    with pytest.raises(PredictionError, match="there can be one that predicts marginals"):
        predict(system.structure, f"{j}+springs-2")
    both = contenders([f"springs-2+{m}"], tmp_path)[0]
    assert both.of_marginals().model == both.model, "springs and a network of marginals predict them together"


def test_chains_of_atlas_are_asked_of_what_predicts_marginals(tmp_path: Path, m_and_j: tuple[Path, Path]) -> None:
    """The RMSF of a network without marginals would be the elastic network's under another name."""
    m, j = map(str, m_and_j)
    structure = random_protein(5, (40,))
    chain = RmsfChain(structure, predict(structure, "anm").rmsf, 3)
    (scores,) = evaluate([], [chain], contenders([f"{m}+{j}", m, j], tmp_path))
    assert [score.model for score in scores] == ["m+j", "m", "prior", "anm", "anm-cutoff"]
    assert scores[0].values["atlas_rmsf_r"] == scores[1].values["atlas_rmsf_r"]


def test_models_are_not_asked_about_what_no_table_counts(archive: Path) -> None:
    """Short simulations cost no predictions, and are still told of as left out."""
    systems, _ = read_folder(archive)
    compared = contenders([], archive)
    scores = [score for found in evaluate(systems, [], compared, samples=20, everything=False) for score in found]
    short = [score.model for score in scores if score.protein.name == "protein-4"]
    assert short == ["MD halves"]
    assert (
        "4 simulated proteins of 3 sequence clusters are counted; 1 are left out" in Report(scores, compared).notes[0]
    )


def test_committees_of_one_name_are_not_taken_for_each_other(archive: Path, tmp_path: Path) -> None:
    """The weights of two trainings are called the same: each is evaluated by its own members, under its own path."""
    torch = pytest.importorskip("torch", reason="the network needs PyTorch")
    from dynaprot.network.torch_network import build_network

    architecture = Architecture(dimension=8, layers=0, heads=2, residual=True, prior="1", members=2)
    paths = [tmp_path / name / "trained.safetensors" for name in ("first", "second")]
    for seed, path in enumerate(paths):
        torch.manual_seed(seed)
        network = build_network(architecture)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
        path.parent.mkdir()
        tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
        save_weights(path, architecture, tensors, {"held_out_clusters": [[7], [8]]})
    compared = contenders([*map(str, paths)], tmp_path)
    assert [each.name for each in compared[:2]] == [*map(str, paths)]
    (system, *_), _ = read_folder(archive)
    one, other = (predict(system.structure, each.choose(system.structure, 7)[0]).rmsf for each in compared[:2])
    assert np.abs(one / other - 1).max() > 0.01


def compare_with(dynamics: dynaprot.Dynamics, frames: np.ndarray) -> dict[str, float]:
    """Metrics of a prediction against frames."""
    return compare(dynamics.marginals, dynamics.coupling, labels_of(frames, dynamics.structure.ca))


def relation(model: Contender, structure: Structure, cluster: int | str) -> str | None:
    """What a model saw of a protein."""
    return model.choose(structure, cluster)[1]


def test_what_was_held_out_must_be_said(tmp_path: Path) -> None:
    """Weights that do not say so are refused as a source of clusters; as a model they are evaluated with a warning."""
    structure = random_protein(3, (24,))
    path = tmp_path / "silent.safetensors"
    save_weights(path, Architecture(), {"weight": np.ones(3, dtype=np.float32)}, {"split": "by cluster"})
    with pytest.raises(WeightsError, match="does not say which clusters were held out"):
        chosen_clusters("", path)
    (model, *_) = contenders([str(path)], tmp_path)
    score = Score(
        Protein("p", "MD", 1, 10, 200, 0.95), "silent", {"rmsf_r": 0.5}, {"rmsf": Profile(*np.ones((2, 10)))},
        model.choose(structure, 1)[1],
    )  # fmt: skip
    told = Report([score], [model]).notes
    assert any("silent: of 1 proteins, 0 are held out" in note and "of 1 it is not known" in note for note in told)
    assert any(note.startswith("silent, not known: p: beside the weights there is no") for note in told)
    save_weights(path, Architecture(), {"weight": np.ones(3, dtype=np.float32)}, {"held_out_clusters": [3, 5]})
    (model, *_) = contenders([str(path)], tmp_path)
    assert [relation(model, structure, cluster) for cluster in (5, 4)] == ["held out", "not known"]
    assert chosen_clusters("4", path) == {3, 4, 5}
    said = {"held_out_clusters": [3, 5], "trained_clusters": [4]}
    save_weights(path, Architecture(), {"weight": np.ones(3, dtype=np.float32)}, said)
    (model, *_) = contenders([str(path)], tmp_path)
    relations = [relation(model, structure, cluster) for cluster in (3, 4, 9)]
    assert relations == ["held out", "seen", "not known"], "9 was neither learned nor held out"
    wrong = {"held_out_clusters": [[3], [5], [6]]}
    save_weights(path, Architecture(), {"weight": np.ones(3, dtype=np.float32)}, wrong)
    with pytest.raises(WeightsError, match="3 lists for 1 members"):
        contenders([str(path)], tmp_path)


def test_sequences_tell_what_a_network_saw(tmp_path: Path) -> None:
    """A relative under any name and in any chain, a mutant and a stranger, from the file as from memory."""
    path = tmp_path / "committee.safetensors"
    save_weights(path, Architecture(members=3), {f"members.{k}.weight": np.ones(3) for k in range(3)}, {})
    known, common, stranger = (random_protein(seed, (90,)) for seed in (1, 2, 3))
    trained = [(known, 7, 0), (known, 7, 2), *((common, "b", member) for member in range(3))]
    sequences = TrainingSequences.of(trained)
    (model, *_) = contenders([str(path)], tmp_path)
    assert model.choose(known, 7) == (str(path), Relation.NOT_KNOWN), "without the file nothing is known"
    sequences.save(sequences_path(path))
    assert TrainingSequences.load(sequences_path(path)) == sequences
    (model, *_) = contenders([str(path)], tmp_path)
    mutant = dataclasses.replace(known, sequence="AAA" + known.sequence[3:])
    both = dataclasses.replace(stranger, sequence=stranger.sequence[:45] + known.sequence[:45])
    both = dataclasses.replace(both, chain_ids=np.repeat(["A", "B"], 45))
    for structure in (known, mutant, both):
        chosen, found = model.choose(structure, "a name that says nothing")
        assert (Path(chosen).stem, found) == ("committee-member-1", Relation.HELD_OUT)
    assert model.choose(common, 99) == (str(path), Relation.SEEN)
    assert model.choose(stranger, 7) == (str(path), Relation.HELD_OUT), "the number of a cluster elsewhere says nothing"
    sequences_path(path).write_bytes(sequences_path(path).read_bytes()[:-20])
    with pytest.raises(WeightsError, match=r"committee\.training\.fasta\.gz: is damaged"):
        contenders([str(path)], tmp_path)


@pytest.mark.parametrize("path", shipped_weights(), ids=lambda path: path.stem)
def test_every_training_sequence_is_of_a_cluster_that_the_header_lists(path: Path) -> None:
    """And the other way round; of what a teacher saw too."""
    records = TrainingSequences.load(sequences_path(path)).records
    header = load_weights(path).metadata
    assert {record.cluster for record in records} == {str(cluster) for cluster in header["trained_clusters"]}
    if path.stem == "dynaprot-1":
        teacher = TrainingSequences.load(path.with_name("springs-2.training.fasta.gz"))
        assert {record.letters for record in records} > {record.letters for record in teacher.records}


COMMITTEES = [path for path in shipped_weights() if load_weights(path).architecture.members > 1]


@pytest.mark.parametrize("path", COMMITTEES, ids=lambda path: path.stem)
def test_the_shipped_weights_know_what_they_were_trained_on(path: Path, tmp_path: Path) -> None:
    """Every cluster that the header lists is in the file, seen by all members but the one it was held out from."""
    header = load_weights(path).metadata
    records = TrainingSequences.load(sequences_path(path)).records
    for record in records:
        unseen = {k for k, clusters in enumerate(header["held_out_clusters"]) if int(record.cluster) in clusters}
        assert record.members == {0, 1, 2, 3, 4} - unseen
    (model, *_) = contenders([path.stem], tmp_path)
    (record,) = [record for record in records if record.name == "1ALB"]
    given = random_protein(1, (len(record.letters) - 6,))  # as a file would have it, without its ends
    given = dataclasses.replace(given, sequence=record.letters[3:-3])
    chosen, found = model.choose(given, "mysim")
    assert (Path(chosen).stem, found) == (f"{path.stem}-member-1", Relation.HELD_OUT)
    (record, *_) = [record for record in records if len(record.members) == 5 and len(record.letters) > 100]
    given = dataclasses.replace(random_protein(1, (len(record.letters),)), sequence=record.letters)
    assert model.choose(given, "mysim") == (path.stem, Relation.SEEN)
    assert sequences_path(path).stat().st_size < 60_000


def test_pictures_find_their_quantities_by_key() -> None:
    """Keys are unique, and each panel has its quantity, whose title names what the panel shows."""
    by_key = {quantity.key: quantity for quantity in QUANTITIES}
    assert len(by_key) == len(QUANTITIES)
    for key, title in PANELS:
        assert by_key[key].metric == key
        assert by_key[key].title[-1] == title[-1] or title.endswith("1 is right")


def test_evaluation_imports_nothing_of_training() -> None:
    """Nor do metrics import evaluation or training, or data sets any of these."""
    above = {"datasets": "metrics|evaluation|training", "metrics": "evaluation|training", "evaluation": "training"}
    for package, forbidden in above.items():
        for path in (SOURCE / "dynaprot" / package).glob("*.py"):
            assert not re.search(rf"from \.\.({forbidden})\b", path.read_text(encoding="utf-8")), path


def test_recolouring_keeps_correlations_and_sets_marginals() -> None:
    """Of a joint with springs on angles and a congruence too; its own marginals leave it as it is."""
    structure = load_structure(Path(__file__).parents[1] / "structures" / "2igd.pdb.gz")
    joint = predict(structure, "springs-2").joint
    wanted = spd(np.random.default_rng(0), len(structure))
    np.testing.assert_allclose(joint.recoloured(wanted).marginals, wanted, rtol=1e-8, atol=1e-10)
    same = joint.recoloured(joint.marginals)
    np.testing.assert_allclose(same.covariance(), joint.covariance(), atol=1e-9)
    root = linalg.block_diag(*(linalg.sqrtm(m) for m in wanted))
    white = linalg.block_diag(*(linalg.inv(linalg.sqrtm(m)) for m in joint.marginals))
    expected = root @ white @ joint.covariance() @ white.T @ root.T
    np.testing.assert_allclose(joint.recoloured(wanted).covariance(), expected, atol=1e-8)


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [(["evaluate"], "ATLAS"), (["train", "default"], "dynaprot prepare md_ensembles.npz -o DATA/md")],
)
def test_without_data_the_commands_say_what_they_need(arguments: list[str], needed: str, tmp_path: Path) -> None:
    """One message, exit status 1, no traceback, nothing of anybody's own folders."""
    if arguments[0] == "train":
        pytest.importorskip("torch", reason="training needs PyTorch")
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error:")
    assert needed in done.stderr
    assert "--data" in done.stderr
    for unwanted in ("Traceback", "shared"):
        assert unwanted not in done.stderr


def test_refusals_say_what_to_do(tmp_path: Path) -> None:
    """A folder without data, clusters that are not there, a list of words, a model that does not exist."""
    with pytest.raises(TrainingDataError, match="holds no trajectory"):
        read_proteins(tmp_path)
    with pytest.raises(TrainingDataError, match="no such file"):
        read_proteins(tmp_path / "absent")
    with pytest.raises(PredictionError, match="whole numbers with commas"):
        chosen_clusters("seven", None)
    with pytest.raises(PredictionError, match="no weights 'alphafold'"):
        contenders(["alphafold"], tmp_path)
    (tmp_path / "atlas_rmsf.npz").write_text("not an archive")
    with pytest.raises(TrainingDataError, match="not an archive"):
        read_rmsf_chains(tmp_path / "atlas_rmsf.npz")


def read_all(path: Path, **options: object) -> tuple[dict[str, Ensemble], Proteins]:
    """Simulated proteins by name, and where they come from."""
    found = read_proteins(path, **options)
    return {system.structure.name: system for system in found.systems}, found


def test_the_same_protein_from_an_archive_or_its_folder_scores_the_same(archive: Path) -> None:
    """What is packed may be evaluated on as a source like any other, with its frames and its cluster."""
    packed, _ = read_all(archive, clusters={8, 9})
    read, found = read_all(archive / "md_ensembles.npz", clusters={8, 9})
    assert list(read) == list(packed) == ["protein-2", "protein-3"]
    assert found.count == 5, "clusters are known once a protein is read"
    for name, system in packed.items():
        np.testing.assert_array_equal(read[name].frames, system.frames)
        assert read[name].cluster == system.cluster


def test_what_prepare_reads_is_evaluated_on_if_it_has_conformations(tmp_path: Path) -> None:
    """Models are an ensemble, a protein is its own cluster; crystals and rubbish are told, and end nothing."""
    structure = random_protein(3, (24,))
    write_models(tmp_path / "nmr.pdb", structure, predict(structure, "anm").sample(30, seed=0))
    u = gemmi.SMat33f(0.2, 0.2, 0.2, 0.0, 0.0, 0.0)
    document = gemmi.read_pdb_string(pdb_text(structure))
    for residue in document[0]["A"]:
        residue["CA"][0].aniso = u
    document.write_pdb(str(tmp_path / "crystal.pdb"))
    (tmp_path / "rubbish.cif").write_text("data_\nrubbish")
    systems, found = read_all(tmp_path)
    assert list(systems) == ["nmr"]
    assert (len(systems["nmr"].frames), systems["nmr"].cluster, found.count) == (30, "nmr", 3)
    assert found.unread[0] == "crystal: a crystal has no conformations to compare with."
    assert "rubbish.cif" in found.unread[1]
    (scores,) = evaluate(systems.values(), [], contenders([], tmp_path), samples=20)
    assert "crystal: a crystal has" in Report(scores, [], True, found.unread).notes[-2]


def test_a_long_simulation_is_thinned_from_its_first_to_its_last_frame(tmp_path: Path) -> None:
    """Ten times as many frames as AlphaFlow's analysis takes."""
    structure = random_protein(3, (8,))
    frames = np.broadcast_to(np.arange(10.0 * MAX_FRAMES)[:, None, None], (10 * MAX_FRAMES, 8, 3))
    np.savez(
        tmp_path / "long.npz", name=["long"], seq=[structure.sequence], cluster=[1], offset=[0, 8],
        N=structure.n, CA=structure.ca, C=structure.c,
        n_frames=[len(frames)], traj=np.zeros(len(frames)), frames=frames.ravel(),
    )  # fmt: skip
    systems, _ = read_all(tmp_path)
    kept = systems["long"].frames[:, 0, 0]
    assert (len(kept), kept[0], kept[-1]) == (MAX_FRAMES, 0, len(frames) - 1)
    assert set(np.diff(kept)) <= {10, 11}


def test_a_split_keeps_what_it_tests_on(archive: Path) -> None:
    """From an archive or its folder; proteins that share a cluster of the split are resampled together."""
    split = Split("clusters", ("protein-0",), ("protein-1",), ("protein-2", "protein-3"), {"protein-3": "protein-2"})
    assert list(read_all(archive, split=split)[0]) == ["protein-2", "protein-3"]
    systems, found = read_all(archive / "md_ensembles.npz", split=split)
    assert [system.cluster for system in systems.values()] == [8, "protein-2"]
    assert found.count == 2
    with pytest.raises(TrainingDataError, match="none of its 5 proteins is in the test set"):
        read_proteins(archive / "md_ensembles.npz", split=dataclasses.replace(split, test=("other",)))


def test_everything_is_written(report: Report, tmp_path: Path) -> None:
    """Markdown with every table and picture, both CSV files with the same numbers as the report, real pictures."""
    written = write_report(report, tmp_path)
    assert {path.name for path in written} == {path.name for path in tmp_path.iterdir()}
    assert {path.name for path in written} == {
        "evaluation.md", "summary.csv", "proteins.csv", "figures.png", "scatter.png", "profiles.png",
    }  # fmt: skip
    page = (tmp_path / "evaluation.md").read_text()
    for table in dict.fromkeys(line.quantity.table for line in report.lines):
        assert f"## {table}" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(row.count("|") in (3 + 1, 4 + 1, 5 + 1, 6 + 1, 7 + 1) for row in rows)
    assert "](figures.png)" in page
    with open(tmp_path / "summary.csv") as file:
        summary = list(csv.DictReader(file))
    assert len(summary) == len(report.lines)
    for row, line in zip(summary, report.lines, strict=True):
        assert float(row["value"] or "nan") == pytest.approx(line.interval.value, rel=1e-5, nan_ok=True)
    with open(tmp_path / "proteins.csv") as file:
        proteins = list(csv.DictReader(file))
    assert len(proteins) == len(report.scores) == 5 * 6 + 2 * 3
    counted = {row["protein"] for row in proteins if row["counted"] == "yes"}
    assert counted == {"protein-0", "protein-1", "protein-2", "protein-3", "1abc_A", "2def_B"}
    for name in ("figures", "scatter", "profiles"):
        picture = (tmp_path / f"{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 20_000


def test_the_command_prints_the_tables_and_names_its_files(archive: Path, tmp_path: Path) -> None:
    """Run as a user runs it, on one cluster, without a warning."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "from dynaprot.command_line import main; main()", "evaluate",
         "--data", str(archive), "-m", "anm", "-o", "results", "--clusters", "8,9", "--samples", "20"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
        env=os.environ | {"PYTHONPATH": str(SOURCE), "NO_COLOR": "1", "COLUMNS": "160"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Ensembles, as AlphaFlow's analysis defines them" in done.stdout
    assert f"results{os.sep}evaluation.md" in done.stdout
    assert "2 simulated proteins of 2 sequence clusters are counted; 0 are left out" in done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("symmetric KL, median")]
    assert line.split("[")[0].split()[-1].replace(".", "").isdigit()


def test_the_elastic_networks_score_on_real_data_as_published_with_it() -> None:
    """RMSF r on ATLAS of the parameter-free network is 0.83; without its isotropic springs it was 0.80."""
    path = SHARED / "atlas_rmsf.npz"
    if not path.exists():
        pytest.skip(f"real data is not here: {path}")
    chains = read_rmsf_chains(path)
    scores = [score for found in evaluate([], chains, contenders([], path.parent)) for score in found]
    medians = {
        model: np.median([score.values["atlas_rmsf_r"] for score in scores if score.model == model])
        for model in ("prior", "anm", "anm-cutoff")
    }
    assert len(scores) == 3 * 73
    assert medians["prior"] > medians["anm"]
    assert 0.80 < medians["anm"] < 0.85
    assert medians["anm-cutoff"] < medians["anm"]

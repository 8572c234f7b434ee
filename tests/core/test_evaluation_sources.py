"""`dynaprot evaluate` on crystals, NMR, sizes of mdCATH domains and BPTI: on small archives whose answers are known."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from dynaprot import Structure, predict
from dynaprot.datasets.sources import LONGEST_DRAWN, draw_crystals, draw_domains, read_relaxation
from dynaprot.errors import TrainingDataError
from dynaprot.evaluation.contenders import contenders
from dynaprot.evaluation.files import write_report
from dynaprot.evaluation.proteins import read_proteins
from dynaprot.evaluation.report import Report
from dynaprot.evaluation.scores import BPTI, HALVES, PUBLISHED, Score, evaluate
from dynaprot.network.architecture import Architecture
from dynaprot.network.weights import save_weights

from .conftest import SHARED, random_protein
from .test_command_line import run


def backbones(proteins: Sequence[Structure]) -> dict[str, np.ndarray]:
    """The arrays of structures that all archives have."""
    return {
        "seq": np.array([protein.sequence for protein in proteins]),
        "offset": np.cumsum([0, *map(len, proteins)]),
        **{label: np.concatenate([getattr(p, label.lower()) for p in proteins]) for label in ("N", "CA", "C")},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of archives whose labels are predictions of anm, each of a size or with residues of its own."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)

    chains = [random_protein(seed, (length,)) for seed, length in enumerate((30, 32, 34, 36, LONGEST_DRAWN + 1, 30))]
    predicted = [predict(chain, "anm").marginals * factor for chain, factor in zip(chains, range(1, 7), strict=True)]
    u = np.concatenate(predicted)[:, [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    names = np.array([f"{k}abc:A" for k in range(6)])
    np.savez(folder / "crystal_aniso.npz", name=names, cluster=[7, 7, 8, 9, 10, 11], U=u, **backbones(chains))

    measured = [random_protein(seed, (40,)) for seed in range(50, 54)]
    noe = np.concatenate([0.8 - 0.1 * predict(each, "anm").rmsf for each in measured])
    noe[generator.integers(0, 160, 30)] = np.nan
    arrays = backbones(measured)
    arrays["CA"][120:] = np.nan  # the last has no structure
    curated, hidden = [True, False, True, True], [False, False, True, False]
    np.savez(folder / "relaxdb.npz", name=["10", "11", "12", "13"], NOE=noe, curated133=curated, near_hidden=hidden,
             **arrays)  # fmt: skip

    domains = [random_protein(seed, (length,)) for seed, length in ((60, 20), (61, 50), (62, 30), (63, 40), (64, 25))]
    rmsf = [predict(each, "anm").rmsf for each in domains]
    np.savez(
        folder / "mdcath_amplitude.npz", name=[f"1dom{k}" for k in range(5)], cluster=range(20, 25),
        fraction_of_chain=[1.0, 0.4, 1.0, 1.0, 0.9], rmsf_mean_320K=[2.0 * each.mean() for each in rmsf],
        rmsf_sd_320K=[4.0 * each.std() for each in rmsf], **backbones(domains),
    )  # fmt: skip

    simulated = [random_protein(seed, (36,)) for seed in (70, 71)]
    frames = [predict(each, "anm").sample(100, seed=seed) for seed, each in enumerate(simulated)]
    np.savez(
        folder / "md_extra.npz", name=["other", BPTI], cluster=[30, 31], n_frames=[100, 100],
        traj=np.zeros(200, dtype=int), frames=np.concatenate([each.ravel() for each in frames]), **backbones(simulated),
    )  # fmt: skip
    return folder


def scores_of(folder: Path, compared: list, **options: int) -> list[Score]:
    """Scores of some models on all that a folder holds."""
    found = read_proteins(folder)
    evaluated = evaluate(found.systems, found.chains, compared, samples=30, draws=found.draws, **options)
    return [score for scores in evaluated for score in scores]


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    """The elastic networks on the folder."""
    compared = contenders([], folder)
    return Report(scores_of(folder, compared), compared)


def figure(report: Report, table: str, title: str, model: str) -> float:
    """The value of a row of a table."""
    (line,) = [
        line for line in report.lines
        if (line.quantity.table, line.quantity.title[: len(title)], line.model) == (table, title, model)
        and bool(line.quantity.over) == ("difference" in title)
    ]  # fmt: skip
    return line.interval.value


def test_the_model_that_made_the_labels_is_found_to_be_right(report: Report) -> None:
    """Ranks and shapes by 1, sizes by their known factor, and the other elastic network by less."""
    crystals, nmr = "Residues: displacements in crystals", "Residues: order by NMR"
    for table, title in ((crystals, "size r, mean"), (crystals, "shape cosine, mean"), (nmr, "r with 1 − NOE, mean")):
        assert figure(report, table, title, "anm") == pytest.approx(1.0)
        assert figure(report, table, title, "anm-cutoff") < 0.99
    for kind in ("whole chains of mdCATH", "domains of mdCATH cut out of a chain"):
        table = f"Size of the motion: {kind}"
        assert figure(report, table, "log mean RMSF, r over proteins", "anm") == pytest.approx(1.0)
        assert figure(report, table, "log amplitude ratio, SD", "anm") == pytest.approx(0.0, abs=1e-6)
        assert figure(report, table, "amplitude ratio, median", "anm") == pytest.approx(0.5)
        assert figure(report, table, "spread ratio, median", "anm") == pytest.approx(0.5)
        assert figure(report, table, "log amplitude ratio, SD", "anm-cutoff") > 0.01


def test_models_are_paired_on_the_proteins_that_both_predict(report: Report) -> None:
    """The difference is the mean of the differences, leaves out what one failed on, and a model has none to itself."""
    table, title = "Residues: displacements in crystals", "size r, mean, difference to anm"

    def of(model: str, scores: list[Score]) -> dict[str, float]:
        return {
            score.protein.name: score.values["crystal_size_r"]
            for score in scores
            if score.model == model and "crystal_size_r" in score.values
        }

    anm = of("anm", report.scores)
    lost = min(anm)
    partial = [s for s in report.scores if (s.model, s.protein.name) != ("prior", lost)]
    for scores in (report.scores, partial):
        told = dataclasses.replace(report, scores=scores)
        expected = [value - anm[name] for name, value in of("prior", scores).items()]
        assert figure(told, table, title, "prior") == pytest.approx(np.mean(expected))
    paired = [line for line in report.lines if line.quantity.over]
    assert {line.quantity.over for line in paired} == {"anm"}, "springs-1 was not evaluated"
    assert {line.model for line in paired} == {"prior", "anm-cutoff"}


def test_bpti_stands_beside_the_paper_and_in_no_other_table(report: Report) -> None:
    """One protein has no intervals; of the archive only BPTI is evaluated, and the median over simulations lacks it."""
    lines = [line for line in report.lines if line.quantity.table == "BPTI"]
    assert {line.model for line in lines} == {"prior", "anm", "anm-cutoff", HALVES, PUBLISHED}
    assert {line.quantity.title: line.text for line in lines if line.model == PUBLISHED} == {
        "RMSF r ↑": "0.880", "RMWD var, Å ↓": "0.520", "pairwise RMSD, Å": "1.360", "pairwise RMSD of MD, Å": "1.570",
    }  # fmt: skip
    assert {line.proteins for line in lines} == {1}
    assert not any(line.quantity.metric == "rmsf_r" for line in report.lines)
    assert {score.protein.name for score in report.scores if score.protein.frames} == {BPTI}


def test_a_draw_is_of_one_short_protein_for_each_cluster(folder: Path) -> None:
    """The same seed gives the same order, others give others, and each member of a cluster comes up in some."""
    draws = {
        seed: [each.structure.name for each in draw_crystals(folder / "crystal_aniso.npz", seed, [])]
        for seed in range(12)
    }
    again = draw_crystals(folder / "crystal_aniso.npz", 3, [])
    assert [each.structure.name for each in islice(again, 2)] == draws[3][:2]
    for names in draws.values():
        assert len(names) == 4
        assert {"2abc_A", "3abc_A", "5abc_A"} <= set(names), "what is too long is left out"
    assert {name for names in draws.values() for name in names} == {f"{k}abc_A" for k in (0, 1, 2, 3, 5)}
    assert len({tuple(names) for names in draws.values()}) > 4


def test_what_a_model_saw_is_not_drawn(folder: Path, tmp_path: Path) -> None:
    """The next of the order takes its place, for all models alike, until there are enough."""
    path = tmp_path / "trained.safetensors"
    said = {"held_out_clusters": [7, 9], "trained_clusters": [8, 20, 21]}
    save_weights(path, Architecture(marginals=True), {"weight": np.ones(3)}, said)
    compared = contenders([str(path)], tmp_path)
    scores = scores_of(folder, compared, drawn=3)
    for model in ("trained", "anm"):
        crystals = {s.protein.cluster for s in scores if (s.model, s.protein.source) == (model, "crystal")}
        assert crystals == {7, 9, 11}
        domains = {s.protein.cluster for s in scores if (s.model, s.protein.source) == (model, "mdCATH")}
        assert domains == {22, 23, 24}
    none = scores_of(folder, compared, drawn=0)
    assert {score.protein.source for score in none} == {"NMR", "BPTI"}


def test_relaxation_is_of_curated_proteins_with_a_structure(folder: Path, tmp_path: Path) -> None:
    """None that is near a test protein; residues without coordinates are left out and the others keep their numbers."""
    (protein,) = read_relaxation(folder / "relaxdb.npz")
    assert (protein.structure.name, len(protein.structure)) == ("10", 40)
    with np.load(folder / "relaxdb.npz") as file:
        arrays = dict(file)
    arrays["N"][5:9] = np.nan
    np.savez(tmp_path / "relaxdb.npz", **arrays)
    (gapped,) = read_relaxation(tmp_path / "relaxdb.npz")
    kept = np.r_[0:5, 9:40]
    assert gapped.structure.residue_ids.tolist() == [str(k + 1) for k in kept]
    np.testing.assert_array_equal(gapped.noe, protein.noe[kept])
    assert gapped.structure.sequence == "".join(protein.structure.sequence[k] for k in kept)


def test_a_structure_that_cannot_be_read_ends_no_draw(folder: Path, tmp_path: Path) -> None:
    """It is named, and the others are drawn."""
    with np.load(folder / "mdcath_amplitude.npz") as file:
        arrays = dict(file)
    arrays["CA"][25] = np.nan
    np.savez(tmp_path / "mdcath_amplitude.npz", **arrays)
    unread: list[str] = []
    assert len(list(draw_domains(tmp_path / "mdcath_amplitude.npz", 0, unread))) == 4
    assert len(unread) == 1
    assert unread[0].startswith("1dom1: ")


@pytest.mark.parametrize(
    ("name", "array"),
    [("crystal_aniso.npz", "U"), ("relaxdb.npz", "NOE"), ("mdcath_amplitude.npz", "rmsf_sd_320K")],
)
def test_an_archive_that_lacks_something_is_refused_by_name(
    folder: Path, tmp_path: Path, name: str, array: str
) -> None:
    """The file and the array are named."""
    with np.load(folder / name) as file:
        np.savez(tmp_path / name, **{key: value for key, value in file.items() if key != array})
    with pytest.raises(TrainingDataError, match=rf"{name}: lacks .*{array}"):
        read_proteins(tmp_path)


def test_the_command_writes_a_section_for_each_source(folder: Path, tmp_path: Path) -> None:
    """Tables in the terminal and on the page with what they mean, and a column for each figure of a protein."""
    done = run("evaluate", "--data", folder, "-m", "anm", "-o", "results", "--drawn", 2, "--samples", 20,
               folder=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Drawn by chance are 2 crystals, " in " ".join(done.stderr.split())
    page = (tmp_path / "results" / "evaluation.md").read_text(encoding="utf-8")
    for table in ("Residues: displacements in crystals", "Residues: order by NMR", "BPTI"):
        assert table in done.stdout
        assert f"## {table}\n\n" in page
    with open(tmp_path / "results" / "proteins.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["source"] for row in rows} == {"crystal", "NMR", "mdCATH", "BPTI"}
    assert {row["counted"] for row in rows} == {"yes"}
    for source, metric in (("crystal", "crystal_shape"), ("NMR", "nmr_r"), ("mdCATH", "mdcath_spread")):
        assert all(bool(row[metric]) == (row["source"] == source) for row in rows)


def test_a_report_of_these_sources_alone_is_written(report: Report, tmp_path: Path) -> None:
    """Without simulations there is nothing to draw, and the tables are written all the same."""
    written = write_report(report, tmp_path)
    assert {path.name for path in written} == {"evaluation.md", "summary.csv", "proteins.csv"}


def test_the_real_archives_are_read_as_their_description_says() -> None:
    """31 proteins with relaxation, and draws that begin without a fault."""
    if not SHARED.exists():
        pytest.skip(f"real data is not here: {SHARED}")
    relaxation = read_relaxation(SHARED / "relaxdb.npz")
    assert len(relaxation) == 31
    assert min(np.isfinite(protein.noe).sum() for protein in relaxation) > 30
    unread: list[str] = []
    crystals = list(islice(draw_crystals(SHARED / "crystal_aniso.npz", 0, unread), 20))
    domains = list(islice(draw_domains(SHARED / "mdcath_amplitude.npz", 0, unread), 20))
    assert len({crystal.cluster for crystal in crystals}) == len({domain.cluster for domain in domains}) == 20
    assert 0 < sum(domain.whole for domain in domains) < 20
    assert not unread

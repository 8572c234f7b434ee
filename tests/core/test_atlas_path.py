"""From simulations in ATLAS's layout to weights and the tables of the paper, by the commands that a user gives.

Three proteins are sampled from Gaussians that are known: what is asked of labels and figures follows from these.
"""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import dynaprot
from dynaprot.command_line import app
from dynaprot.datasets.prepared import PreparedProtein
from dynaprot.datasets.splits import Split

from .conftest import random_protein
from .test_prepare import SHRINK, Simulation, motion

pytest.importorskip("mdtraj", reason="mdtraj is not installed: no trajectories")
pytest.importorskip("torch", reason="PyTorch is not installed: no training")

NAMES = ("1abc_A", "2def_B", "3ghi_C")
FRAMES = 450
TRAINING = """
data = "."
split = "prepared/split.json"
members = 1
epochs = 2
warm_up = 1
learning_rate = 1e-3

[architecture]
dimension = 8
layers = 0
heads = 2
residue_features = "all"
pair_features = "all"
prior = "1"

[augmentation]
frames = 0.5

[[source]]
path = "prepared"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to work in, with ``atlas`` beside: two proteins as files, a third zipped, one replica of it broken."""
    folder = tmp_path_factory.mktemp("work")
    atlas = folder / "atlas"
    atlas.mkdir()
    for k, name in enumerate(NAMES):
        protein = random_protein(60 + k, (28 + 4 * k,))
        simulation = Simulation(protein)
        simulation.write(atlas / f"{name}.pdb", simulation.positions[None])
        for replica, part in enumerate(np.array_split(motion(protein, FRAMES, seed=k)[0], 3), start=1):
            simulation.write(atlas / f"{name}_prod_R{replica}_fit.xtc", simulation.atoms(part, seed=replica))
    broken = atlas / f"{NAMES[2]}_prod_R3_fit.xtc"
    broken.write_bytes(broken.read_bytes()[:500])
    with zipfile.ZipFile(atlas / f"{NAMES[2]}_protein.zip", "w") as archive:
        for file in sorted(atlas.glob(f"{NAMES[2]}*")):
            if file.suffix != ".zip":
                archive.write(file, file.name)
                file.unlink()
    return folder


def run(*arguments: object) -> str:
    """What the command prints."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def summary(folder: Path) -> dict[tuple[str, str], float]:
    """Values of an evaluation by metric and model; medians, where a metric has several figures."""
    with open(folder / "summary.csv", encoding="utf-8") as file:
        other = ("percentile", "difference to")
        rows = [row for row in csv.DictReader(file) if not any(word in row["figure"] for word in other)]
    return {(row["metric"], row["model"]): float(row["value"] or "nan") for row in rows}


@pytest.mark.slow
def test_simulations_become_labels_weights_and_tables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`prepare`, `train` on its split, `evaluate` on what the split tests on, and on all: every metric is sane."""
    monkeypatch.chdir(folder)
    assert "3 proteins prepared, 0 kept, 0 failed" in run("prepare", "atlas", "-o", "prepared", "--jobs", 1)
    split = Split.load(folder / "prepared" / "split.json")
    assert sorted([*split.train, *split.validation, *split.test]) == sorted(NAMES)
    for k, name in enumerate(NAMES):
        truth = dynaprot.predict(random_protein(60 + k, (28 + 4 * k,)), model="anm")
        label = PreparedProtein.load(folder / "prepared" / f"{name}.npz")
        assert label.conformations == (FRAMES if k < 2 else FRAMES * 2 // 3)
        assert np.corrcoef(label.rmsf, truth.rmsf)[0, 1] > 0.97
        assert label.rmsf.mean() / truth.rmsf.mean() == pytest.approx(SHRINK, rel=0.05), "Å, not nm"

    (folder / "tiny.toml").write_text(TRAINING)
    run("train", "tiny.toml", "-o", "training", "--device", "cpu")
    trained = ("-m", "training/tiny.safetensors", "-o", "tested")
    told = run("evaluate", "--data", "atlas", "--split", "prepared/split.json", *trained, "--samples", 20)
    assert "tiny: of 1 proteins, 1 are held out" in told
    (tested,) = split.test
    with open(folder / "tested" / "proteins.csv", encoding="utf-8") as file:
        assert {row["protein"] for row in csv.DictReader(file)} == {tested}
    for metric in ("rmsf_r", "coupling_r"):
        for model in ("tiny", "anm"):
            assert 0.9 < summary(folder / "tested")[metric, model] <= 1.0, (metric, model)

    run("evaluate", "--data", "atlas", "-m", "anm", "-o", "all", "--samples", 20)
    figures = summary(folder / "all")
    assert figures["amplitude", "anm"] == pytest.approx(1.0 / SHRINK, rel=0.05), "the Gaussians were made smaller"
    assert figures["amplitude", "MD halves"] == pytest.approx(1.0, rel=0.05)
    assert figures["rmsf_r", "MD halves"] > 0.9
    assert figures["rmwd", "MD halves"] < 0.5 * figures["rmwd", "anm"]
    page = (folder / "all" / "evaluation.md").read_text(encoding="utf-8")
    assert "3 simulated proteins of 3 sequence clusters are counted; 0 are left out" in page
    assert f"- {NAMES[2]}: Left out {NAMES[2]}_prod_R3_fit.xtc" in page
    assert "## Ensembles, as AlphaFlow's analysis defines them" in page

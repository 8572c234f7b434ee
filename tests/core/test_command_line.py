"""The `dynaprot` command, run as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import gemmi
import numpy as np
import pytest

import dynaprot
from dynaprot import Dynamics, load_structure, predict
from dynaprot.network.weights import shipped_weights
from dynaprot.structure.selection import select

from .conftest import random_protein
from .test_structure import pdb_text

SOURCE = Path(dynaprot.__file__).resolve().parent.parent


@pytest.fixture
def protein_file(tmp_path: Path) -> Path:
    """A complex of two chains."""
    path = tmp_path / "complex.pdb"
    path.write_text(pdb_text(random_protein(11, (24, 18))))
    return path


def run(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", "from dynaprot.command_line import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(SOURCE), "NO_COLOR": "1", "COLUMNS": "200"},
        check=False,
    )


def test_predict_writes_every_output(protein_file: Path, tmp_path: Path) -> None:
    """Result, table, structure files, pictures and ensemble, each named on a line of its own."""
    done = run("predict", protein_file, "-o", "results", "--samples", 5, "--model", "anm", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = {
        "dynamics.npz", "residues.csv", "complex_dynamics.pdb", "complex_dynamics.cif",
        "rmsf.png", "coupling.png", "ellipsoids.png", "ensemble.pdb",
    }  # fmt: skip
    assert {path.name for path in (tmp_path / "results").iterdir()} == expected
    assert all(str(Path("results") / name) in done.stdout for name in expected)
    assert "42 residues in chain A, B" in done.stdout
    assert "with a broken chain or a clash" in done.stdout
    assert len(gemmi.read_structure(str(tmp_path / "results" / "ensemble.pdb"))) == 5


def test_a_part_is_cut_out_and_predicted_alone(protein_file: Path, tmp_path: Path) -> None:
    """What was left out is told, on the command line and in the result."""
    done = run("predict", protein_file, "--residues", "A:3-20,B:5-12", "-m", "anm", "--no-pictures", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    said = "Cut out: A:3-20,B:5-12; 16 other residues left out, as if not there."
    assert said in done.stdout + done.stderr
    result = Dynamics.load(tmp_path / "out" / "dynamics.npz")
    assert result.structure.residue_ids.tolist() == [*map(str, range(3, 21)), *map(str, range(5, 13))]
    assert said in result.notices
    whole = load_structure(protein_file)
    np.testing.assert_allclose(result.rmsf, predict(whole[select(whole, "A:3-20,B:5-12")], "anm").rmsf, rtol=1e-6)
    done = run("predict", protein_file, "--residues", "C", folder=tmp_path)
    assert done.returncode == 1
    assert "has no residue C; its chains are A, B" in done.stderr


def test_a_result_is_sampled_and_drawn_later(protein_file: Path, tmp_path: Path) -> None:
    """`sample` and `plot` need only dynamics.npz; a trajectory comes with its topology."""
    assert run("predict", protein_file, "-m", "anm", "--no-pictures", folder=tmp_path).returncode == 0
    done = run("sample", "out/dynamics.npz", "-n", 3, "--format", "dcd", "--all-atoms", "-o", "later", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "later").iterdir()} == {"ensemble.dcd", "ensemble_topology.pdb"}
    done = run("plot", "out/dynamics.npz", "-o", "later", "--probability", 0.9, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "later" / "ellipsoids.png").stat().st_size > 10_000


def test_chains_and_notices(protein_file: Path, tmp_path: Path) -> None:
    """--chains keeps what it names; what is left out is said on the error stream."""
    text = protein_file.read_text(encoding="utf-8").replace(
        "END\n", "HETATM  900  C1  ATP A 201      90.000  90.000  90.000  1.00 10.00           C\nEND\n"
    )
    protein_file.write_text(text)
    done = run("predict", protein_file, "--chains", "A", "-m", "anm", "--no-pictures", folder=tmp_path)
    assert done.returncode == 0
    assert "24 residues in chain A;" in done.stdout
    assert "Ignored ligands and ions: ATP" in done.stderr
    with np.load(tmp_path / "out" / "dynamics.npz") as result:
        assert result["marginals"].shape == (24, 3, 3)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["predict", "missing.pdb"], "missing.pdb: no such file"),
        (["predict", "complex.pdb", "--chains", "Q"], "there is no chain 'Q'"),
        (["predict", "complex.pdb", "-m", "alphafold"], "There is no model 'alphafold'"),
        (
            ["predict", "complex.pdb", "-m", "anm", "-o", "complex.pdb"],
            "complex.pdb: cannot be made or is not a folder",
        ),
        (["sample", "complex.pdb"], "complex.pdb: is damaged or not a result"),
        (["plot", "nothing.npz"], "nothing.npz: no such file"),
    ],
)
def test_an_error_is_one_line_and_no_traceback(
    protein_file: Path, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    """Exit code 1, the file or argument named."""
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if not line.startswith("Note:")]) == 1


def test_info_says_what_is_there(tmp_path: Path) -> None:
    """Versions, models, what runs them and why."""
    done = run("info", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"DynaProt +{dynaprot.__version__}", done.stdout)
    assert "anm" in done.stdout
    assert re.search(r"networks run in +(numpy on the CPU|PyTorch on \w+): \w+", done.stdout)
    for path in shipped_weights():
        assert path.name in done.stdout

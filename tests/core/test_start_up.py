"""Nothing is imported that is not used: the budget of a start, on names of modules, not on seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dynaprot

from .conftest import random_protein
from .test_structure import pdb_text

SOURCE = Path(dynaprot.__file__).resolve().parent.parent
HOSTS_WAIT = {"numpy", "gemmi", "safetensors", "torch", "matplotlib", "chemfiles", "typer", "rich"}
NEVER_FOR_A_PREDICTION = {
    "torch", "chemfiles", "scipy", "pandas", "urllib.request", "http.client", "ssl", "sqlite3",
    "dynaprot.training", "dynaprot.datasets", "dynaprot.metrics", "dynaprot.evaluation",
    "dynaprot.network.torch_network",
    "rich.progress", "rich.markdown", "rich.table",
}  # fmt: skip


def loaded(code: str, folder: Path, *arguments: str) -> set[str]:
    """Modules that are loaded once the code has run in a Python of its own."""
    report = "import sys, atexit; atexit.register(lambda: print('\\n', *sys.modules))\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", report + code, *arguments],
        capture_output=True, text=True, check=True, cwd=folder, env=os.environ | {"PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    return set(done.stdout.splitlines()[-1].split())


COMMAND = "from dynaprot.command_line import main; main()"


@pytest.fixture
def protein_file(tmp_path: Path) -> Path:
    """A small protein."""
    path = tmp_path / "protein.pdb"
    path.write_text(pdb_text(random_protein(11, (24,))))
    return path


def test_importing_the_library_costs_a_host_nothing(tmp_path: Path) -> None:
    """Not even numpy."""
    assert not HOSTS_WAIT & loaded("import dynaprot", tmp_path)


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "--help"]])
def test_help_loads_the_command_line_alone(tmp_path: Path, arguments: list[str]) -> None:
    """No numpy, no network, no reader of structures."""
    modules = loaded(COMMAND, tmp_path, *arguments)
    assert not (HOSTS_WAIT - {"typer", "rich"}) & modules
    assert {name for name in modules if name.startswith("dynaprot.")} == {
        "dynaprot.command_line",
        "dynaprot.defaults",
        "dynaprot.errors",
    }


def test_a_prediction_from_arrays_loads_no_files_and_no_terminal(tmp_path: Path) -> None:
    """What a host pays: numpy, gemmi's tables of residues and safetensors."""
    code = (
        "import numpy as np, dynaprot\n"
        "ca = np.cumsum(np.full((8, 3), 2.2), axis=0) + np.random.default_rng(0).normal(size=(8, 3))\n"
        "structure = dynaprot.Structure.from_arrays(ca + [1.4, 0, 0], ca, ca + [0, 1.5, 0], 'ACDEFGHI')\n"
        "dynaprot.predict(structure, device='cpu').coupling"
    )
    modules = loaded(code, tmp_path)
    unused = NEVER_FOR_A_PREDICTION | {"matplotlib", "typer", "rich", "dynaprot.structure.files", "dynaprot.figures"}
    assert not unused & modules
    assert "dynaprot.network.numpy_network" in modules


def test_the_command_loads_pictures_only_to_draw(protein_file: Path, tmp_path: Path) -> None:
    """`dynaprot predict` without and with pictures; never what a window would need."""
    arguments = ["predict", str(protein_file), "--device", "cpu"]
    bare = loaded(COMMAND, tmp_path, *arguments, "--no-pictures")
    assert not (NEVER_FOR_A_PREDICTION | {"matplotlib", "PIL"}) & bare
    drawn = loaded(COMMAND, tmp_path, *arguments)
    assert (
        not {"torch", "scipy", "pandas", "matplotlib.pyplot", "tkinter", "PyQt5", "PyQt6", "dynaprot.training"} & drawn
    )
    assert "matplotlib" in drawn


def test_a_machine_without_a_gpu_does_not_load_pytorch(protein_file: Path, tmp_path: Path) -> None:
    """`device="auto"`, the default, finds out from the driver's files."""
    code = "from dynaprot.network import runtime; runtime._has_gpu_driver = lambda: False\n" + COMMAND
    assert "torch" not in loaded(code, tmp_path, "predict", str(protein_file), "--no-pictures")

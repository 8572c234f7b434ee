"""A prediction in PyMOL asks no network for anything, and writes nothing anywhere."""

from __future__ import annotations

import sys
from pathlib import Path

import dynaprot

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(dynaprot.__file__).resolve().parent.parent
SCRIPT = """
import sys
from pmg_tk import startup
plugins_folder, structure = sys.argv[-2:]
startup.__path__.insert(0, plugins_folder)
from pymol import cmd, plugins
plugins.initialize(-1)
cmd.load(structure, "molecule")
for command in ("ellipsoids molecule", "coupling molecule", "ensemble molecule, 2"):
    cmd.do("dynaprot_" + command)
cmd.sync()
print("drawn:", cmd.count_atoms("molecule_ellipsoids"))
"""


def test_a_prediction_in_pymol_stays_offline_and_writes_nothing(watch, output, plugin_zip, startup_folder, tmp_path):
    """PyMOL without a window, as `pymol -cq`, with the plugin from its zip."""
    script = tmp_path / "predict.py"
    script.write_text(SCRIPT)
    pymol = [sys.executable, "-m", "pymol", "-cq", script, "--"]
    structure = ROOT / "tests" / "structures" / "6gof_gap.pdb.gz"
    watched = watch([*pymol, startup_folder, structure], PYTHONPATH=str(SOURCE))
    assert "drawn: 164" in watched.stdout
    assert not watched.trespasses
    assert not list(output.iterdir())

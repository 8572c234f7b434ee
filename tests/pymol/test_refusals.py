"""What cannot be drawn is refused in one sentence, without a traceback and without a trace in the session."""

from __future__ import annotations

import subprocess
import sys

import pytest

NOTHING_TO_DRAW = {
    "ligand": "data/tut/1hpv.pdb",
    "nucleic acid": "test/dat/names.pdb",
    "water": "data/chempy/water.pdb",
}


@pytest.mark.parametrize("path", NOTHING_TO_DRAW.values(), ids=NOTHING_TO_DRAW.keys())
def test_what_is_not_a_protein_is_refused(cmd, pymol_data, capfd, path):
    """Objects without protein get one error that says so, and nothing is drawn."""
    cmd.load(pymol_data / path, "thing")
    cmd.remove("thing and polymer.protein")
    assert cmd.count_atoms("thing") > 0
    cmd.do("dynaprot_ellipsoids thing")
    output = capfd.readouterr().out
    assert output.count("Error:") == 1
    assert "Error: There is no protein in 'thing'." in output
    assert "Traceback" not in output
    assert cmd.get_names() == ["thing"]


def test_an_object_without_protein_does_not_stop_the_others(cmd, pymol_data, capfd):
    """Beside a protein, an object without one is only named."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.load(pymol_data / "test/dat/names.pdb", "rna")
    cmd.do("dynaprot_ellipsoids all, model=anm")
    output = capfd.readouterr().out
    assert "rna: no residue of the selection has N, CA and C." in output
    assert "Error" not in output
    assert cmd.get_names("objects") == ["molecule", "rna", "molecule_ellipsoids", "dynaprot_rmsf"]


def test_an_object_that_is_refused_does_not_stop_the_others(cmd, pymol_data, capfd):
    """Beside a protein, a peptide too short to be predicted is only named."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.fab("GG", "glycines")
    cmd.do("dynaprot_ellipsoids all, model=anm")
    output = capfd.readouterr().out
    assert "glycines: has 2 residues with a whole backbone; DynaProt needs at least 4." in output
    assert "Error" not in output
    assert cmd.get_names("objects") == ["molecule", "glycines", "molecule_ellipsoids", "dynaprot_rmsf"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("molecule and resi 900-950", "There is no protein in 'molecule and resi 900-950'."),
        ("nonsense", "'nonsense' is not a valid selection."),
        ("chain ", "'chain' is not a valid selection."),
        ("none", "There is no protein in 'none'."),
        ("molecule, half", "The probability must be a number such as 0.5, not 'half'."),
        ("molecule, 1.5", "The probability must be between 0 and 1, not 1.5."),
        ("molecule, 0.5, rmsf, 0xzz blue", "'0xzz blue' is not a palette"),
        ("molecule, model=oracle", "There is no model 'oracle'."),
        ("molecule and chain Z", "residues with a whole backbone; DynaProt needs at least 4."),
    ],
)
def test_wrong_arguments_are_explained(cmd, pymol_data, capfd, arguments, message):
    """Each wrong argument gets one error that names it, before anything is drawn."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.alter("molecule and resi 60-62", "chain = 'Z'")
    cmd.sort("molecule")
    cmd.do(f"dynaprot_ellipsoids {arguments}")
    output = capfd.readouterr().out
    assert output.count(" Error:") == 1
    assert message in output
    assert "Traceback" not in output
    assert cmd.get_names() == ["molecule"]


def test_residues_that_cannot_be_told_apart_are_refused(cmd, pymol_data, capfd):
    """Two chains of the same id and numbers, which PyMOL merges, are refused with the remedy."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.alter("molecule and polymer.protein", "chain = ''")
    cmd.sort("molecule")
    cmd.do("dynaprot_ellipsoids molecule")
    output = capfd.readouterr().out
    assert "is there twice: give each chain its own id, with 'alter' and 'sort'." in output
    assert "Traceback" not in output


def run_python(code, startup_folder):
    """Run code in a fresh interpreter that finds the plugin as PyMOL does, and no installed DynaProt."""
    prelude = f"from pmg_tk import startup; startup.__path__.insert(0, {str(startup_folder)!r})\n"
    command = [sys.executable, "-I", "-c", prelude + code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_missing_package_is_named_with_its_remedy(startup_folder, pymol_data):
    """Without gemmi the commands say how to install it into this very Python."""
    code = """
import sys
sys.modules["gemmi"] = None
import pymol2
from pmg_tk.startup.dynaprot import commands
with pymol2.PyMOL() as session:
    commands.register(_self=session.cmd)
    session.cmd.fab("ACDEFGHIK", "peptide")
    session.cmd.do("dynaprot_ellipsoids peptide")
"""
    output = run_python(code, startup_folder)
    assert "DynaProt needs the Python packages gemmi, which this PyMOL does not have (about 3 MB)" in output
    assert f"{sys.executable} -m pip install gemmi" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("weights", ["there", "missing"])
def test_missing_weights_are_not_concealed(startup_folder, pymol_data, weights):
    """The network needs no PyTorch; without its weights the command still draws, and says that this is not it."""
    without = """
from pmg_tk.startup.dynaprot.core import load_core
load_core(".network.weights").shipped_weights = list
"""
    code = """
import sys
sys.modules["torch"] = None
import pymol2
from pmg_tk.startup.dynaprot import commands
with pymol2.PyMOL() as session:
    commands.register(_self=session.cmd)
    session.cmd.fab("ACDEFGHIK", "peptide")
    session.cmd.do("dynaprot_ellipsoids peptide")
    print("drawn:", session.cmd.count_atoms("peptide_ellipsoids"))
"""
    output = run_python((without if weights == "missing" else "") + code, startup_folder)
    assert ("NOT DynaProt's network" in output) == (weights == "missing")
    assert "drawn: 9" in output


def test_loading_the_plugin_costs_nothing(startup_folder, pymol_data):
    """PyMOL's start does not pay for DynaProt: nothing heavy is imported before the first command."""
    code = """
import sys
import pymol
before = set(sys.modules)
import pmg_tk.startup.dynaprot
loaded = sorted(name.split(".")[0] for name in set(sys.modules) - before)
print("loaded:", *loaded)
"""
    output = run_python(code, startup_folder)
    assert "loaded:" in output
    assert "pmg_tk" in output
    for heavy in ("numpy", "gemmi", "torch", "safetensors", "matplotlib", "scipy", "pmg_qt", "PyQt5"):
        assert heavy not in output.split("loaded:")[1].split()

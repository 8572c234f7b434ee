"""Every command on every kind of input that has broken a plugin before."""

from __future__ import annotations

import pytest

COMMANDS = {
    "predict": "dynaprot_predict {}, anm",
    "ellipsoids": "dynaprot_ellipsoids {}, model=anm",
    "rmsf": "dynaprot_rmsf {}, model=anm",
    "coupling": "dynaprot_coupling {}, 0.2, model=anm",
    "ensemble": "dynaprot_ensemble {}, 2, model=anm",
    "modes": "dynaprot_modes {}, model=anm",
    "save": "dynaprot_save {folder}/result.npz, {}, model=anm",
}


def blank_chain(cmd, data):
    cmd.load(data / "data/demo/il2.pdb", "molecule")
    return "molecule"


def insertion_codes(cmd, data):
    cmd.load(data / "data/demo/il2.pdb", "molecule")
    cmd.alter("molecule and resi 53", "resi = '52A'")
    cmd.alter("molecule and resi 54", "resi = '52B'")
    cmd.sort("molecule")
    return "molecule"


def several_states(cmd, data):
    cmd.load(data / "data/demo/pept.pdb", "molecule")
    cmd.create("molecule", "molecule", 1, 2)
    cmd.translate([5, 0, 0], "molecule", state=2, camera=0)
    cmd.frame(2)
    return "molecule"


def all_states_shown(cmd, data):
    cmd.load(data / "data/demo/pept.pdb", "molecule")
    cmd.create("molecule", "molecule", 1, 2)
    cmd.set("all_states", 1, "molecule")
    return "molecule"


def alternate_conformers(cmd, data):
    cmd.load(data / "test/dat/3al1.pdb", "molecule")
    return "molecule"


def two_objects(cmd, data):
    cmd.load(data / "data/tut/1hpv.pdb", "molecule")
    cmd.load(data / "data/demo/il2.pdb", "second")
    return "molecule or second"


def built_peptide(cmd, data):
    cmd.fab("ACDEFGHIKLMNPQRSTVWY", "molecule", hydro=1)
    return "molecule"


KINDS = {kind.__name__.replace("_", " "): kind for kind in (
    blank_chain, insertion_codes, several_states, all_states_shown, alternate_conformers, two_objects, built_peptide
)}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_it_works(cmd, pymol_data, tmp_path, capfd, command, kind):
    """The command ends without error and leaves the object it was given as it was, but for what it paints."""
    selection = kind(cmd, pymol_data)
    if "save" in command:
        selection = "molecule"

    def atoms():
        found = []
        properties = "model, index, q, reps, x, y, z" + ("" if "rmsf" in command else ", b, color")
        cmd.iterate_state(-1, selection, f"found.append(({properties}))", space={"found": found})
        return found

    before = atoms()
    cmd.do(command.format(selection, folder=tmp_path))
    output = capfd.readouterr().out
    assert "Error" not in output
    assert "Traceback" not in output
    assert " DynaProt: " in output
    assert atoms() == before


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_ligand_is_refused(cmd, pymol_data, tmp_path, capfd, command):
    """What is not a protein is refused in one sentence, without an object, a painted atom or a file."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "ligand")
    cmd.remove("ligand and polymer.protein")
    before = []
    cmd.iterate("ligand", "before.append((b, color))", space={"before": before})
    cmd.do(command.format("ligand", folder=tmp_path))
    output = capfd.readouterr().out
    assert output.count("Error:") == 1
    assert "There is no protein in 'ligand'." in output
    after = []
    cmd.iterate("ligand", "after.append((b, color))", space={"after": after})
    assert after == before
    assert cmd.get_names("all") == ["ligand"]
    assert list(tmp_path.iterdir()) == []

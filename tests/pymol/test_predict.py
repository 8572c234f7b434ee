"""`dynaprot_predict`: what it prints, and that no prediction is made twice."""

from __future__ import annotations

import gc

import numpy as np
import pytest


@pytest.fixture
def counted(plugin, core, monkeypatch):
    """Counts the predictions that are really made."""
    calls = []
    real = core.predict

    def predict(structure, *options):
        calls.append(structure.name)
        return real(structure, *options)

    monkeypatch.setattr(core, "predict", predict)
    plugin.predictions._kept.clear()
    return calls


def test_it_prints_what_the_core_predicts(cmd, core, pymol_data, capfd):
    """Each object gets one line with its size and the range of its RMSF."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "dimer")
    cmd.load(pymol_data / "data/demo/il2.pdb", "single")
    cmd.do("dynaprot_predict dimer or single, anm")
    output = capfd.readouterr().out
    for name, path in (("dimer", "data/tut/1hpv.pdb"), ("single", "data/demo/il2.pdb")):
        rmsf = core.predict(core.load_structure(pymol_data / path), "anm").rmsf
        assert (
            f" DynaProt: {name}, state 1: {len(rmsf)} residues, RMSF {rmsf.min():.2f} to {rmsf.max():.2f} Å" in output
        )


def test_no_prediction_is_made_twice(cmd, counted, pymol_data, capfd):
    """All commands and objects share one prediction, until coordinates, chains or model are others."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    for command in ("predict", "ellipsoids", "rmsf", "coupling", "ensemble", "modes"):
        cmd.do(f"dynaprot_{command} molecule, model=anm")
    assert counted == ["molecule"]
    cmd.do("dynaprot_predict molecule and chain A, anm")
    assert len(counted) == 2
    cmd.do("dynaprot_predict molecule, anm-cutoff")
    assert len(counted) == 3
    cmd.translate([1, 0, 0], "molecule and resi 1-50", camera=0)
    cmd.do("dynaprot_predict molecule, anm")
    assert len(counted) == 4
    cmd.copy("twin", "molecule")
    cmd.do("dynaprot_predict twin, anm")
    assert len(counted) == 4
    assert "DynaProt: twin, state 1" in capfd.readouterr().out


def test_old_predictions_give_way(cmd, counted, plugin, pymol_data, monkeypatch):
    """Memory is bounded: the oldest prediction goes, the latest is always kept."""
    monkeypatch.setattr(plugin.predictions, "MOST", 1)
    cmd.load(pymol_data / "data/demo/pept.pdb", "one")
    cmd.load(pymol_data / "data/demo/il2.pdb", "two")
    cmd.do("dynaprot_predict one or two, anm")
    assert [dynamics.structure.name for dynamics in plugin.predictions._kept.values()] == ["two"]


def test_answers_are_kept_with_the_prediction(cmd, plugin, pymol_data):
    """What is asked twice is worked out once; the latest answer to each question is kept, for copies of it too."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    predictions = plugin.predictions
    (protein,) = plugin.proteins.read_proteins("molecule", _self=cmd)
    asked = []

    def power(dynamics, exponent):
        asked.append(exponent)
        return dynamics.rmsf**exponent

    dynamics = predictions.predict_structure(protein.structure, "anm", "auto", "auto")
    assert not predictions.has_answer(dynamics, power, 2)
    first = predictions.answer(dynamics, power, 2)
    np.testing.assert_array_equal(first, dynamics.rmsf**2)
    again = predictions.kept_prediction(protein.structure, "anm", "auto", "auto")
    assert predictions.has_answer(again, power, 2)
    assert predictions.answer(again, power, 2) is first
    assert asked == [2]
    predictions.answer(again, power, 3)
    assert not predictions.has_answer(dynamics, power, 2)
    other = predictions.predict_structure(protein.structure, "anm-cutoff", "auto", "auto")
    assert not predictions.has_answer(other, power, 3)


def test_answers_go_with_their_prediction(cmd, plugin, pymol_data, counted):
    """An answer, which may be a large ensemble, is not kept longer than what it was worked out from."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    predictions = plugin.predictions
    before = len(predictions._answers)
    cmd.do("dynaprot_ensemble molecule, 3, model=anm")
    assert len(predictions._answers) == before + 1
    predictions._kept.clear()
    gc.collect()
    assert len(predictions._answers) <= before


def test_states_are_predicted_each_for_itself(cmd, counted, pymol_data, capfd):
    """With state 0 every state is predicted, with a number that one, else the one that is shown."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.create("molecule", "molecule", 1, 2)
    cmd.load_coords(np.random.default_rng(0).normal(0, 0.1, (1, 3)) + cmd.get_coords("molecule", 2), "molecule", 2)
    cmd.do("dynaprot_predict molecule, anm, state=0")
    assert len(counted) == 2
    cmd.frame(2)
    cmd.do("dynaprot_predict molecule, anm")
    assert len(counted) == 2
    output = capfd.readouterr().out
    assert output.count("molecule, state 1: ") == 1
    assert output.count("molecule, state 2: ") == 2
    cmd.do("dynaprot_predict molecule, anm, state=3")
    assert "Error: molecule has no state 3: it has 2." in capfd.readouterr().out


def test_a_renewed_side_chain_is_saved_as_it_is(cmd, counted, pymol_data, tmp_path, core):
    """Side chains are no part of what a prediction is known by, yet files hold those of now."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.do("dynaprot_predict molecule, anm")
    cmd.remove("molecule and resi 60 and name CD")
    cmd.do(f"dynaprot_save {tmp_path / 'now.npz'}, molecule, model=anm")
    assert counted == ["molecule"]
    structure = core.Dynamics.load(tmp_path / "now.npz").structure
    assert len(structure.atoms.names) == cmd.count_atoms("molecule and polymer and not hydro")


def test_the_device_is_passed_on(cmd, pymol_data, capfd):
    """A device that is not there is refused in the core's words."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    cmd.do("dynaprot_predict molecule, default, abacus")
    output = capfd.readouterr().out
    assert "abacus" in output
    assert "Traceback" not in output


def test_the_setting_says_from_where_motion_is_seen(cmd, core, counted, pymol_data, capfd):
    """All commands follow it, without a second prediction; what it cannot mean for a protein is refused."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    structure = core.load_structure(pymol_data / "data/tut/1hpv.pdb")
    dynamics = core.predict(structure, "anm")
    counted.clear()
    try:
        for on in ("auto", "core", "A:1-50"):
            cmd.do(f"dynaprot_settings superimpose, {on}")
            capfd.readouterr()
            cmd.do("dynaprot_predict molecule, anm")
            output = capfd.readouterr().out
            assert f"mean {dynamics.superposed(on).rmsf.mean():.2f} Å" in output
            assert ("Superposed on" in output) == (on != "auto")
        assert counted == ["molecule"]
        cmd.do("dynaprot_settings superimpose, Z:1-5")
        cmd.do("dynaprot_predict molecule, anm")
        assert "no residue Z:1-5; its chains are A, B" in "".join(capfd.readouterr())
    finally:
        cmd.do("dynaprot_settings superimpose, ")

"""`dynaprot predict`, `info`, `anisou` and `save`."""

import csv

import numpy as np
import pytest


def test_the_model_chosen_last_serves_all_commands(run, protease):
    """Until another is chosen; and each structure has its own."""
    (first,) = run("dynaprot predict #1")
    assert not first.model.startswith("elastic")
    run("dynaprot predict #1 model anm")
    (second,) = run("dynaprot rmsf #1 key false")
    assert second.model.startswith("elastic network")
    (third,) = run("dynaprot rmsf #1 model default key false")
    assert third is first


def test_a_model_that_fails_is_not_remembered(run, protease, tmp_path):
    """The next command is predicted by the one before."""
    from chimerax.core.errors import UserError

    run("dynaprot predict #1 model anm")
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"broken\.safetensors"):
        run(f'dynaprot predict #1 model "{tmp_path}/broken.safetensors"')
    (dynamics,) = run("dynaprot rmsf #1 key false")
    assert dynamics.model.startswith("elastic network")


def test_info(run, log):
    """Version, place, models, weights and packages."""
    import numpy
    from chimerax.dynaprot import dynaprot

    run("dynaprot info")
    ((level, text),) = log
    assert level == "info"
    assert f"DynaProt {dynaprot.__version__} in " in text
    assert "default, dynaprot-1, springs-1, springs-2, prior, anm, anm-cutoff" in text
    assert "springs-1.safetensors" in text
    assert f"numpy {numpy.__version__}" in text


@pytest.mark.parametrize("device", ["cuda:1", "mps", "nonsense"])
def test_devices_are_those_of_the_core(run, protease, device):
    """The command takes whatever the core may take; what is not there is refused in the core's own words."""
    from chimerax.core.errors import UserError

    with pytest.raises(UserError, match=f"There is no device '{device}' here"):
        run(f"dynaprot predict #1 device {device}")
    (dynamics,) = run("dynaprot predict #1 device cpu")
    assert len(dynamics) == 198


def test_models_are_those_of_the_core(run, protease, tmp_path):
    """Every name that the core lists, and two models with a plus between them, which the core tells apart."""
    from chimerax.core.errors import UserError
    from chimerax.dynaprot.dynaprot import models

    assert len({run(f"dynaprot predict #1 model {name}")[0].model for name in models()}) == len(models()) - 1
    with pytest.raises(UserError, match="beside a network of springs, which predicts everything"):
        run("dynaprot predict #1 model springs-2+springs-1")
    with pytest.raises(UserError, match=r"nowhere\.safetensors: no such weights file"):
        run(f'dynaprot predict #1 model "{tmp_path}/nowhere.safetensors"')


def test_anisou(run, protease, log):
    """C-alphas carry the predicted covariance, in the host's order; other atoms and B factors are as before."""
    b_factors = protease.atoms.bfactors
    (dynamics,) = run("dynaprot predict #1 model anm")
    run("dynaprot anisou #1")
    calphas = protease.atoms.filter(protease.atoms.has_aniso_u)
    assert set(calphas.names) == {"CA"}
    np.testing.assert_allclose(calphas.aniso_u, dynamics.marginals, rtol=1e-5)
    np.testing.assert_array_equal(protease.atoms.bfactors, b_factors)
    run("dynaprot anisou #1/A:1-5")
    written = "wrote the predicted anisotropic U of 5 C-alpha atoms, in place of that of 5 atoms"
    assert log[-1][1] == f"1hpv.pdb #1: {written}"


def test_saved_files(run, protease, tmp_path):
    """Each suffix gives its format, with the core's values."""
    from chimerax.dynaprot.dynaprot import Dynamics, load_structure

    (dynamics,) = run("dynaprot predict #1 model anm")
    names = ("all.npz", "table.csv", "motion.pdb", "motion.cif", "rmsf.png", "rmsf.pdf", "samples.dcd", "samples.xtc")
    for name in names:
        run(
            f'dynaprot save #1 "{tmp_path}/{name}" count 3'
            if "samples" in name
            else f'dynaprot save #1 "{tmp_path}/{name}"'
        )
        assert (tmp_path / name).stat().st_size > 1000
    np.testing.assert_array_equal(Dynamics.load(tmp_path / "all.npz").rmsf, dynamics.rmsf)
    with open(tmp_path / "table.csv", encoding="utf-8") as table:
        rmsf = [float(row["rmsf_A"]) for row in csv.DictReader(table)]
    np.testing.assert_allclose(rmsf, dynamics.rmsf, rtol=1e-5)
    for name in ("motion.pdb", "motion.cif"):
        written = load_structure(tmp_path / name)
        assert written.sequence == dynamics.structure.sequence
        assert len(written.atoms.names) == 1516, "all heavy atoms of the protein"
    assert (tmp_path / "samples_topology.pdb").exists()


@pytest.mark.parametrize("figure", ["coupling", "ellipsoids"])
def test_saved_figures(run, protease, tmp_path, figure):
    """The three figures of the core."""
    run(f'dynaprot save #1 "{tmp_path}/figure.svg" figure {figure} model anm')
    assert (tmp_path / "figure.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_saved_ensemble(run, protease, tmp_path):
    """A PDB file with a count holds models, which the host opens."""
    run(f'dynaprot save #1 "{tmp_path}/ensemble.pdb" count 4 seed 2 model anm')
    (ensemble,) = run("dynaprot ensemble #1 count 4 seed 2")
    models = list(run(f'open "{tmp_path}/ensemble.pdb"'))
    assert len(models) == 4
    calphas = models[2].atoms.filter(models[2].atoms.names == "CA")
    expected = ensemble.coordset(3).xyzs[ensemble.atoms.names == "CA"]
    np.testing.assert_allclose(calphas.coords, expected, atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("#1 {}/motion.xyz", r"motion\.xyz: the name of the file must end with one of \.npz"),
        ("#1 {}/nowhere/motion.npz", "nowhere"),
        ("#1 {}/motion.cif count 5", r"with a count, the name of the file must end with one of \.pdb, \.dcd, \.xtc"),
        ("#1-2 {}/motion.npz", "2 structures were given; save one at a time"),
    ],
)
def test_what_cannot_be_saved(run, protease, protease_file, tmp_path, arguments, text):
    """One clear message each, and no file."""
    from chimerax.core.errors import UserError

    run(f'open "{protease_file}"')
    with pytest.raises(UserError, match=text):
        run(f"dynaprot save {arguments.format(tmp_path)} model anm")
    assert not list(tmp_path.iterdir())


def test_structures_without_protein_are_left_out(run, protease, protease_file, log):
    """With a warning, if there are others; alone they are refused."""
    run(f'open "{protease_file}"')
    run("delete #2 & protein")
    assert len(run("dynaprot predict model anm")) == 1
    assert ("warning", "1hpv.pdb #2 has no protein residue with N, CA and C atoms.") in log


def test_nothing_but_what_was_made_is_open(run, protease):
    """The user is told how to predict an ensemble, if that is what is meant."""
    from chimerax.core.errors import UserError

    run("dynaprot ensemble #1 model anm count 2; close #1")
    with pytest.raises(UserError, match=r"specify what is meant, for example #2\."):
        run("dynaprot rmsf")


def test_a_session_opened_beside_what_is_open(run, session, protease, tmp_path, log):
    """Both keep their predictions and the models that were chosen for them."""
    run(f'dynaprot predict #1 model anm; save "{tmp_path}/first.cxs"')
    run(f'dynaprot predict #1 model anm-cutoff; open "{tmp_path}/first.cxs" combine true')
    log.clear()
    older, newer = run("dynaprot predict")
    assert "equal springs" in older.model
    assert "r^-6" in newer.model
    assert not [text for _, text in log if "predicted in" in text]


def test_a_model_in_a_file(run, protease, tmp_path):
    """Weights of one's own are given by their file."""
    from pathlib import Path

    from chimerax.dynaprot.dynaprot.network.weights import find_weights

    shipped = find_weights("default")
    for path in shipped.parent.glob(f"{shipped.stem}*"):
        (tmp_path / Path(path).name).write_bytes(path.read_bytes())
    (mine,) = run(f'dynaprot predict #1 model "{tmp_path}/{shipped.name}"')
    (default,) = run("dynaprot predict #1 model default")
    assert mine is not default
    np.testing.assert_array_equal(mine.rmsf, default.rmsf)


def test_motion_is_seen_from_the_residues_that_are_chosen(run, protease, log, tmp_path):
    """All commands follow what `predict` chose, without a second prediction; sessions keep it."""
    from chimerax.core.errors import UserError

    (alike,) = run("dynaprot predict #1 model anm")
    log.clear()
    (core,) = run("dynaprot predict #1 superimpose core")
    np.testing.assert_allclose(core.rmsf, alike.superposed("core").rmsf)
    (part,) = run("dynaprot predict #1 superimpose #1/A:1-50")
    np.testing.assert_allclose(part.rmsf, alike.superposed("A:1-50").rmsf)
    assert not [text for _, text in log if "predicted in" in text]
    assert [str(notice) for notice in part.notices] == ["Superposed on residues A:1-50."]
    (again,) = run("dynaprot predict #1")
    assert again is part, "what was chosen last holds"
    run(f'save "{tmp_path}/seen.cxs"')
    run(f'open "{tmp_path}/seen.cxs"')
    (restored,) = run("dynaprot predict #1")
    np.testing.assert_allclose(restored.rmsf, part.rmsf, rtol=1e-5)
    (back,) = run("dynaprot predict #1 superimpose all")
    np.testing.assert_allclose(back.rmsf, alike.rmsf, rtol=1e-3)
    with pytest.raises(UserError, match="none of the residues to superimpose on"):
        run("dynaprot predict #1/A superimpose #1/B")


def test_sessions_that_know_of_no_superposition_are_restored(run, session, protease):
    """Those of earlier versions: their predictions are found again, and seen as they were by default."""
    from chimerax.dynaprot.scene.predictions import Predictions

    (dynamics,) = run("dynaprot predict #1 model anm")
    now = Predictions.of(session).take_snapshot(session, 0)
    earlier = now | {
        "version": 1,
        "choices": [choice[:2] for choice in now["choices"]],
        "kept": [[[[*key[:2], *key[3:]], known] for key, known in kept] for kept in now["kept"]],
    }
    Predictions.of(session).reset_state(session)
    Predictions.restore_snapshot(session, earlier)
    assert run("dynaprot predict #1")[0] is dynamics

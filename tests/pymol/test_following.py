"""What DynaProt draws follows its protein, stays in saved sessions, and leaves the user's objects alone."""

from __future__ import annotations

import sys

import numpy as np
import pytest

DRAWINGS = {
    "ellipsoids": "dynaprot_ellipsoids molecule, model=anm",
    "couplings": "dynaprot_coupling molecule, 0.3, model=anm",
    "ensemble": "dynaprot_ensemble molecule, 3, 0, 0, model=anm",
    "modes": "dynaprot_modes molecule, model=anm",
}


def coordinates(cmd, name):
    return np.array([cmd.get_coords(name, state) for state in range(1, cmd.count_states(name) + 1)])


def matrix(cmd, name):
    return np.reshape(cmd.get_object_matrix(name), (4, 4))


@pytest.mark.parametrize("moment", ["before", "after", "before and after"])
@pytest.mark.parametrize("kind", DRAWINGS)
def test_a_drawing_follows_its_protein(cmd, pymol_data, kind, moment):
    """Whenever the protein was aligned to another, the next command finds every state of its linked object on it."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    name = f"molecule_{kind}"
    cmd.create("target", "molecule")
    cmd.rotate("y", 70, "target", camera=0)
    cmd.translate([3, 40, -9], "target", camera=0)
    if "before" in moment:
        cmd.align("molecule", "target")
    cmd.do(DRAWINGS[kind])
    drawn, start = coordinates(cmd, name), matrix(cmd, "molecule")
    middle = cmd.get_coords("molecule and polymer").mean(0)
    assert np.linalg.norm(drawn.mean((0, 1)) - middle) < 5
    if "after" in moment:
        cmd.rotate("x", 50, "target", camera=0)
        cmd.align("molecule", "target")
        cmd.do("dynaprot_follow")
    end = matrix(cmd, "molecule")
    assert np.abs(end[:3, :3] - np.eye(3)).max() > 0.5
    moved = end @ np.linalg.inv(start)
    np.testing.assert_allclose(coordinates(cmd, name), drawn @ moved[:3, :3].T + moved[:3, 3], atol=2e-3)


def test_arrows_follow_too(cmd, pymol_data):
    """The arrows, which are no molecule, are moved by the same matrix, dragged pictures included."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.do(DRAWINGS["modes"])
    cmd.create("target", "molecule")
    cmd.rotate("y", 70, "target", camera=0)
    cmd.align("molecule", "target")
    cmd.rotate("x", 30, object="molecule")
    cmd.do("dynaprot_follow")
    wanted = matrix(cmd, "molecule")
    np.testing.assert_allclose(np.reshape(cmd.get_object_ttt("molecule_modes_arrows"), (4, 4)), wanted, atol=1e-4)
    assert np.abs(wanted[:3, :3] - np.eye(3)).max() > 0.5
    assert cmd.get_object_ttt("molecule_modes") == cmd.get_object_ttt("molecule")


def test_what_was_moved_aside_stays_there(cmd, pymol_data):
    """A linked object that the user has moved alone stays there until its protein moves, or `dynaprot_follow` asks."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    cmd.do(DRAWINGS["ellipsoids"])
    aside = [1, 0, 0, 30, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    for bring_back in ("dynaprot_follow", "transform"):
        cmd.transform_object("molecule_ellipsoids", aside)
        moved = cmd.get_coords("molecule_ellipsoids")
        cmd.do("dynaprot_info")
        np.testing.assert_array_equal(cmd.get_coords("molecule_ellipsoids"), moved)
        if bring_back == "transform":
            cmd.transform_object("molecule", aside)
            cmd.do("dynaprot_info")
        else:
            cmd.do(bring_back)
        there = cmd.get_coords("molecule and name CA")
        np.testing.assert_allclose(cmd.get_coords("molecule_ellipsoids"), there, atol=1e-3)


def test_following_many_times_does_not_drift(cmd, pymol_data):
    """After a thousand steps the linked object is still where its protein is, to a thousandth of an Å."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    cmd.do(DRAWINGS["ellipsoids"])
    for _ in range(1000):
        cmd.transform_object("molecule", [0.6, -0.8, 0, 1, 0.8, 0.6, 0, -2, 0, 0, 1, 0.5, 0, 0, 0, 1])
        cmd.do("dynaprot_follow", echo=0)
    np.testing.assert_allclose(
        cmd.get_coords("molecule_ellipsoids"), cmd.get_coords("molecule and name CA"), atol=0.005
    )


@pytest.mark.parametrize("moment", ["moved before", "moved after", "at once"])
def test_drawings_follow_a_protein_that_is_renamed(cmd, pymol_data, moment):
    """Moved before or after it has another name, it takes along all that was drawn, which goes by its name."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.create("target", "molecule")
    cmd.rotate("y", 70, "target", camera=0)
    for command in DRAWINGS.values():
        cmd.do(command)
    cmd.disable("molecule_couplings")
    cmd.group("all_of_it", "molecule molecule_ensemble")
    drawn = {name: coordinates(cmd, f"molecule_{name}") for name in DRAWINGS}
    if moment != "moved after":
        cmd.align("molecule", "target")
        if moment == "moved before":
            cmd.do("dynaprot_follow")
    cmd.set_name("molecule", "renamed")
    if moment == "moved after":
        cmd.do("dynaprot_info")
        cmd.align("renamed", "target")
    cmd.do("dynaprot_follow")
    moved = matrix(cmd, "renamed")
    assert np.abs(moved[:3, :3] - np.eye(3)).max() > 0.5
    for kind, positions in drawn.items():
        wanted = positions @ moved[:3, :3].T + moved[:3, 3]
        np.testing.assert_allclose(coordinates(cmd, f"renamed_{kind}"), wanted, atol=2e-3)
    np.testing.assert_allclose(np.reshape(cmd.get_object_ttt("renamed_modes_arrows"), (4, 4)), moved, atol=1e-4)
    assert not [name for name in cmd.get_names("all") if name.startswith("molecule")]
    assert "renamed_couplings" not in cmd.get_names("objects", enabled_only=1)
    assert set(cmd.get_object_list("all_of_it")) == {"renamed", "renamed_ensemble"}


def test_what_was_drawn_of_a_renamed_protein_is_drawn_over(cmd, pymol_data):
    """Drawn once more under its new name, no view is there twice, and all still show one scale."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    for command in DRAWINGS.values():
        cmd.do(command)
    cmd.set_name("molecule", "renamed")
    for command in DRAWINGS.values():
        cmd.do(command.replace("molecule", "renamed"))
    assert set(cmd.get_names()) == {
        "renamed", "dynaprot_rmsf", "dynaprot_coupling", "renamed_modes_arrows", *(f"renamed_{k}" for k in DRAWINGS)
    }  # fmt: skip


def test_a_name_that_is_taken_is_left_to_its_object(cmd, pymol_data):
    """Where the user has an object of that name, a drawing keeps its own, as one that the user named, and follows."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.do(DRAWINGS["ellipsoids"])
    cmd.do("dynaprot_ellipsoids molecule and chain A, name=mine, model=anm")
    cmd.pseudoatom("renamed_ellipsoids", pos=[1, 2, 3])
    cmd.set_name("molecule", "renamed")
    cmd.do("dynaprot_follow")
    cmd.transform_object("renamed", [1, 0, 0, 30, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
    cmd.do("dynaprot_follow")
    assert cmd.get_names() == ["renamed", "molecule_ellipsoids", "mine", "dynaprot_rmsf", "renamed_ellipsoids"]
    assert cmd.count_atoms("renamed_ellipsoids") == 1
    there = cmd.get_coords("renamed and polymer and name CA")
    np.testing.assert_allclose(cmd.get_coords("molecule_ellipsoids"), there, atol=1e-3)
    np.testing.assert_allclose(cmd.get_coords("mine"), there[:99], atol=1e-3)


def test_copies_that_are_renamed_together_keep_what_is_theirs(cmd, pymol_data):
    """Two objects of the same atoms do not take over each other's drawings."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "left")
    cmd.create("right", "left")
    for name, angle in (("left", 0), ("right", 70)):
        cmd.transform_object(name, [1, 0, 0, angle, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
        cmd.do(f"dynaprot_ellipsoids {name}, model=anm")
    cmd.set_name("right", "west")
    cmd.set_name("left", "east")
    cmd.do("dynaprot_follow")
    for name in ("east", "west"):
        there = cmd.get_coords(f"{name} and name CA")
        np.testing.assert_allclose(cmd.get_coords(f"{name}_ellipsoids"), there, atol=1e-3)


def test_only_the_protein_itself_is_taken_for_it(cmd, pymol_data):
    """Of a protein that is deleted, drawings stay where they are: neither a copy nor another's model is its heir."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.create("copy", "molecule")
    cmd.translate([40, 0, 0], "copy", camera=0)
    cmd.do(DRAWINGS["ellipsoids"])
    drawn = cmd.get_coords("molecule_ellipsoids")
    cmd.delete("molecule")
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "other")
    cmd.translate([0, 0.1, 0], "other", camera=0)  # the same residues elsewhere, as in another crystal
    for _ in range(2):
        cmd.do("dynaprot_follow")
    assert cmd.get_names() == ["copy", "molecule_ellipsoids", "dynaprot_rmsf", "other"]
    np.testing.assert_array_equal(cmd.get_coords("molecule_ellipsoids"), drawn)


def test_a_saved_session_keeps_everything(cmd, pymol_data, tmp_path):
    """Objects, states, colours, tubes, legends and titles come back, and the commands still know their own."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    for command in DRAWINGS.values():
        cmd.do(command)
    names = cmd.get_names()
    before = {name: coordinates(cmd, name) for name in names if cmd.get_type(name) == "object:molecule"}
    colours = []
    cmd.iterate("all", "colours.append((model, index, color, b))", space={"colours": colours})
    cmd.save(tmp_path / "session.pse")
    cmd.reinitialize()
    cmd.load(tmp_path / "session.pse")
    assert cmd.get_names() == names
    for name, positions in before.items():
        np.testing.assert_array_equal(coordinates(cmd, name), positions)
    back = []
    cmd.iterate("all", "colours.append((model, index, color, b))", space={"colours": back})
    assert back == colours
    assert len(cmd.get_model("molecule_couplings").bond) > 10
    for command in DRAWINGS.values():
        cmd.do(command)
    assert sorted(cmd.get_names()) == sorted(names)


@pytest.mark.parametrize("kind", [*DRAWINGS, "modes_arrows"])
def test_an_object_of_the_users_is_not_drawn_over(cmd, pymol_data, kind, capfd):
    """Where a name is taken by the user, the command is refused and both objects stay as they are."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.pseudoatom(f"molecule_{kind}", pos=[1, 2, 3])
    cmd.do(DRAWINGS[kind.split("_")[0]])
    assert f"'molecule_{kind}' exists and was not drawn by DynaProt" in capfd.readouterr().out
    assert cmd.count_atoms(f"molecule_{kind}") == 1
    assert cmd.get_names() == ["molecule", f"molecule_{kind}"]


def test_drawings_are_not_predicted(cmd, pymol_data, capfd):
    """With everything selected, DynaProt's own objects are left out without a word."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    for command in DRAWINGS.values():
        cmd.do(command.replace("molecule", "all"))
    output = capfd.readouterr().out
    assert "Error" not in output
    assert "Warning" not in output
    assert set(cmd.get_names()) == {
        "molecule", "dynaprot_rmsf", "dynaprot_coupling", "molecule_modes_arrows", *(f"molecule_{k}" for k in DRAWINGS)
    }  # fmt: skip


def test_drawings_leave_all_else_alone(cmd, pymol_data):
    """Atoms, B factors, colours, representations, selections, view, frame and movie stay as they are."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.load(pymol_data / "data/demo/il2.pdb", "bystander")
    cmd.color("magenta", "molecule and resi 20-30")
    cmd.select("picked", "bystander and resi 5-9")
    cmd.disable("picked")

    def state():
        atoms = []
        cmd.iterate_state(
            1, "molecule or bystander", "atoms.append((model, index, b, q, color, cartoon, reps, x, y, z))",
            space={"atoms": atoms},
        )  # fmt: skip
        enabled = set(cmd.get_names("all", enabled_only=1)) & {"molecule", "bystander", "picked"}
        return atoms, cmd.get_view(), cmd.get_names("selections"), enabled, cmd.get_frame(), cmd.get("all_states")

    before = state()
    for command in DRAWINGS.values():
        cmd.do(command)
    assert state() == before


def calls_of_pymol(draw):
    """How many functions of PyMOL's compiled module are called: each call waits for PyMOL."""
    calls = []

    def count(_, event, function):
        if event == "c_call" and (function.__module__ or "").endswith("_cmd"):
            calls.append(function.__name__)

    sys.setprofile(count)
    try:
        draw()
    finally:
        sys.setprofile(None)
    return len(calls)


def test_fifteen_hundred_residues_are_drawn_at_once(cmd, plugin, pymol_data, monkeypatch):
    """Ellipsoids of eight proteases together take no more calls of PyMOL than those of one, and no second prediction.

    A call for each residue would keep the user waiting.
    """
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "small")
    cmd.remove("small and not polymer")
    for k in range(8):
        cmd.create(f"part{k}", "small")
        cmd.alter(f"part{k}", f"chain = chain + '{k}'")
        cmd.translate([0, 0, 40 * k], f"part{k}", camera=0)
    cmd.create("large", "part*")
    cmd.delete("part*")
    cmd.do("dynaprot_predict small or large, anm")
    with monkeypatch.context() as patch:
        patch.setattr(plugin.core.load_core(), "predict", None)  # or it would be called
        few, many = (
            calls_of_pymol(lambda name=name: cmd.keyword["dynaprot_ellipsoids"][0](name, model="anm", _self=cmd))
            for name in ("small", "large")
        )
    assert cmd.count_atoms("large_ellipsoids") == 1584
    assert 20 < many < few + 100  # the second finds the objects of the first, but has 1386 more residues
    for command in ("coupling large, 0.6", "rmsf large", "ensemble large, 5", "modes large"):
        cmd.do(f"dynaprot_{command}, model=anm")
    assert cmd.count_states("large_ensemble") == 5
    assert cmd.count_atoms("large_modes") == cmd.count_atoms("large")

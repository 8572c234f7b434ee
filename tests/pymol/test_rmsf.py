"""`dynaprot_rmsf` and `dynaprot_restore`: RMSF on the user's own atoms, and back."""

from __future__ import annotations

import numpy as np
import pytest


def atoms_of(cmd, selection):
    """What a user would miss if it changed, by atom."""
    atoms = {}
    cmd.iterate(
        selection, "atoms[model, segi, chain, resi, name, alt] = (b, q, color, cartoon, reps)", space={"atoms": atoms}
    )
    return atoms


@pytest.fixture
def scene(cmd, pymol_data):
    """A protein with a ligand in colours of the user's, and another object."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.load(pymol_data / "data/demo/il2.pdb", "bystander")
    cmd.color("magenta", "molecule and resi 20-30")
    cmd.color("lime", "bystander")
    cmd.select("picked", "bystander and resi 5-9")
    return cmd


def test_b_factors_become_the_cores_rmsf(scene, core, pymol_data):
    """All atoms of a residue carry its RMSF; the ligand and the other object keep what they have."""
    cmd = scene
    before = atoms_of(cmd, "all")
    cmd.do("dynaprot_rmsf molecule, model=anm")
    dynamics = core.predict(core.load_structure(pymol_data / "data/tut/1hpv.pdb"), "anm")
    structure = dynamics.structure
    wanted = dict(zip(zip(structure.chain_ids, structure.residue_ids, strict=True), dynamics.rmsf, strict=True))
    for atom, (b, *rest) in atoms_of(cmd, "all").items():
        model, _, *residue, _, _ = atom
        if model == "molecule" and tuple(residue) in wanted:
            assert b == pytest.approx(wanted[tuple(residue)], rel=1e-5)
        else:
            assert (b, *rest) == before[atom]
    assert cmd.get_names("selections") == ["picked"]
    assert "dynaprot_rmsf" in cmd.get_names()


@pytest.mark.parametrize("palette", ["mobility", "viridis", "blue white red", "green_yellow"])
def test_colours_are_those_of_the_palette(scene, plugin, palette):
    """The least mobile residue has the palette's first colour, the most mobile its last."""
    cmd = scene
    cmd.do(f"dynaprot_rmsf molecule, {palette}, model=anm")
    atoms = []
    cmd.iterate("molecule and name CA and polymer", "atoms.append((b, color))", space={"atoms": atoms})
    stops = plugin.palettes.palette_stops(palette, _self=cmd)
    for (_, colour), stop in ((min(atoms), stops[0]), (max(atoms), stops[-1])):
        np.testing.assert_allclose(cmd.get_color_tuple(colour), stop, atol=0.005)


@pytest.mark.parametrize("how", ["once", "twice", "putty", "coupling between", "after a saved session"])
def test_restore_brings_back_what_was_there(scene, tmp_path, how):
    """B factors, colours and cartoon are what they were, whatever was painted in between, and the legend goes."""
    cmd = scene
    before = atoms_of(cmd, "all")
    cmd.do(f"dynaprot_rmsf molecule, putty={int(how == 'putty')}, model=anm")
    assert atoms_of(cmd, "molecule") != {key: value for key, value in before.items() if key[0] == "molecule"}
    if how == "twice":
        cmd.do("dynaprot_rmsf molecule and chain A, viridis, model=anm")
    if how == "coupling between":
        cmd.do("dynaprot_coupling molecule, 0.6, resi 50, model=anm")
        cmd.delete("molecule_couplings")
    if how == "after a saved session":
        cmd.save(tmp_path / "session.pse")
        cmd.reinitialize()
        cmd.load(tmp_path / "session.pse")
    cmd.do("dynaprot_restore molecule")
    assert atoms_of(cmd, "all") == before
    assert cmd.get_names("objects") == ["molecule", "bystander"]


def test_a_session_loaded_beside_it_loses_nothing(scene, tmp_path, pymol_data):
    """What a painted object had before outlives a second session that is loaded into the first."""
    cmd = scene
    before = atoms_of(cmd, "molecule")
    cmd.set_name("molecule", "elsewhere")
    cmd.do("dynaprot_rmsf elsewhere, model=anm")
    cmd.save(tmp_path / "second.pse")
    cmd.reinitialize()
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.color("magenta", "molecule and resi 20-30")
    cmd.do("dynaprot_rmsf molecule, model=anm")
    cmd.load(str(tmp_path / "second.pse"), partial=1)
    cmd.do("dynaprot_restore")
    for name in ("molecule", "elsewhere"):
        after = atoms_of(cmd, name)
        assert {atom[1:]: (b, q) for atom, (b, q, *_) in after.items()} == {
            atom[1:]: (b, q) for atom, (b, q, *_) in before.items()
        }
        magenta = {atom[3] for atom, (_, _, colour, *_) in after.items() if colour == cmd.get_color_index("magenta")}
        assert magenta == {str(number) for number in range(20, 31)}


def test_the_putty_shows_rmsf_by_thickness(scene):
    """On request the cartoon is a putty, of the selected residues only."""
    cmd = scene
    cmd.do("dynaprot_rmsf molecule and chain A, putty=1, model=anm")
    cartoons = {}
    cmd.iterate("molecule and name CA and polymer", "cartoons.setdefault(chain, set()).add((cartoon, reps & 32))",
                space={"cartoons": cartoons})  # fmt: skip
    assert cartoons["A"] == {(7, 32)}
    assert 7 not in {cartoon for cartoon, _ in cartoons["B"]}


def test_what_the_user_changed_since_is_the_users(scene):
    """Recolouring others leaves an atom that the user coloured, and restoring leaves it and its B factor."""
    cmd = scene
    before = atoms_of(cmd, "all")
    cmd.do("dynaprot_rmsf molecule, model=anm")
    cmd.color("orange", "molecule and resi 7")
    cmd.alter("molecule and resi 8", "b = 77")
    orange = cmd.get_color_index("orange")
    cmd.do("dynaprot_rmsf bystander, model=anm")  # one more on the common scale
    assert {atom[2] for atom in atoms_of(cmd, "molecule and resi 7").values()} == {orange}
    cmd.do("dynaprot_restore")
    after = atoms_of(cmd, "all")
    for atom, (b, *rest) in after.items():
        if atom[0] == "molecule" and atom[3] == "7":
            assert (b, rest[1]) == (before[atom][0], orange)
        elif atom[0] == "molecule" and atom[3] == "8":
            assert b == 77
        else:
            assert (b, *rest) == before[atom]


def test_another_object_of_the_same_name_is_not_taken_for_the_first(scene, pymol_data, capfd):
    """After a deleted object, restoring does nothing to its successor."""
    cmd = scene
    cmd.do("dynaprot_rmsf molecule, model=anm")
    cmd.delete("molecule")
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    before = atoms_of(cmd, "molecule")
    cmd.do("dynaprot_restore")
    assert atoms_of(cmd, "molecule") == before
    output = capfd.readouterr().out
    assert "Error" not in output
    assert "nothing in 'all' was coloured by DynaProt." in output


@pytest.mark.parametrize("then", ["dynaprot_restore", "dynaprot_rmsf renamed, viridis, model=anm"])
def test_a_renamed_object_loses_nothing(scene, then):
    """What an object had before can be brought back under its new name, painted once more or not."""
    cmd = scene
    before = atoms_of(cmd, "molecule")
    cmd.do("dynaprot_rmsf molecule, model=anm")
    cmd.do("dynaprot_ensemble molecule, 2, model=anm")  # an object with the same atoms and B factors
    cmd.set_name("molecule", "renamed")
    cmd.do(then)
    cmd.do("dynaprot_restore")
    after = atoms_of(cmd, "renamed")
    assert {atom[1:]: value for atom, value in after.items()} == {atom[1:]: value for atom, value in before.items()}


@pytest.mark.parametrize("change", ["chain = chain + 'x'", "resi = str(int(resi) + 5)", "segi = 'S'"])
def test_renamed_chains_and_residues_lose_nothing(scene, change):
    """Atoms that go by another chain, number or segment since they were painted get back what they had."""
    cmd = scene
    before = list(atoms_of(cmd, "molecule").values())
    cmd.do("dynaprot_rmsf molecule, model=anm")
    cmd.alter("molecule and polymer and resi 31-99", change)
    cmd.do("dynaprot_rmsf bystander, viridis, model=anm")  # which colours everything again
    assert list(atoms_of(cmd, "molecule").values()) != before
    cmd.do("dynaprot_restore")
    assert list(atoms_of(cmd, "molecule").values()) == before


def test_equal_colour_is_equal_motion_on_ellipsoids_and_proteins(scene):
    """Ellipsoids and painted proteins share one scale: the C-alphas of both have the same colours."""
    cmd = scene
    cmd.do("dynaprot_rmsf molecule, model=anm")
    cmd.do("dynaprot_ellipsoids molecule or bystander, model=anm")
    own, drawn = [], []
    cmd.iterate("molecule and name CA and polymer", "own.append(color)", space={"own": own})
    cmd.iterate("molecule_ellipsoids", "drawn.append(color)", space={"drawn": drawn})
    assert own == drawn


def test_the_scale_keeps_its_palette(scene):
    """Restoring one object does not give the others another palette."""
    cmd = scene
    cmd.do("dynaprot_rmsf molecule or bystander, viridis, model=anm")
    cmd.do("dynaprot_restore molecule")
    atoms = []
    cmd.iterate("bystander and name CA", "atoms.append((b, color))", space={"atoms": atoms})
    np.testing.assert_allclose(cmd.get_color_tuple(max(atoms)[1]), (0xFD / 255, 0xE7 / 255, 0x25 / 255), atol=0.005)


def test_nothing_painted_is_said(scene, capfd):
    """Restoring what was never painted is a remark, no error."""
    scene.do("dynaprot_restore")
    assert "nothing in 'all' was coloured by DynaProt." in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("molecule, mud", "'mud' is not a palette"),
        ("molecule, red_mud", "'red_mud' is not a palette"),
        ("molecule, putty=maybe", "The putty must be 1 or 0, not 'maybe'."),
        ("none", "There is no protein in 'none'."),
    ],
)
def test_wrong_arguments_change_nothing(scene, arguments, message, capfd):
    """A refused command leaves every atom as it was."""
    before = atoms_of(scene, "all")
    scene.do(f"dynaprot_rmsf {arguments}")
    assert message in capfd.readouterr().out
    assert atoms_of(scene, "all") == before


def test_the_palettes_of_the_figures_are_the_plugins(plugin, core):
    """A colour means the same in PyMOL and in the core's figures."""
    from matplotlib.colors import to_hex

    figure = plugin.core.load_core(".figures.figure")
    for name, palette in (("mobility", figure.MOBILITY), ("signed", figure.SIGNED)):
        stops = [word.replace("0x", "#") for word in plugin.palettes.PALETTES[name].split()]
        ends = [to_hex(palette(place)).upper() for place in np.linspace(0, 1, len(stops))]
        for stop, end in zip(stops, ends, strict=True):
            distance = np.array([int(stop[k : k + 2], 16) - int(end[k : k + 2], 16) for k in (1, 3, 5)])
            assert np.abs(distance).max() <= 3

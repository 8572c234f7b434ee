"""`dynaprot_ellipsoids`: what it draws, from which atoms, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

STRUCTURES = {
    "dimer with a ligand": "data/tut/1hpv.pdb",
    "blank chain id": "data/demo/il2.pdb",
    "seven chains": "data/demo/1tii.pdb",
    "alternate conformers and caps": "test/dat/3al1.pdb",
}


def expected(core, path, **options):
    """Covariance and RMSF of each residue from the file by the core alone, keyed by chain and number."""
    structure = core.load_structure(path, **options)
    dynamics = core.predict(structure, "anm")
    keys = zip((chain.strip() for chain in structure.chain_ids), structure.residue_ids, strict=True)
    return dict(zip(keys, zip(dynamics.marginals, dynamics.rmsf, strict=True), strict=True))


def assert_equals_core(drawn, wanted):
    assert set(drawn.residues) == set(wanted)
    assert len(drawn.residues) == len(wanted)
    for residue, covariance, rmsf in zip(drawn.residues, drawn.covariances, drawn.rmsf, strict=True):
        np.testing.assert_allclose(covariance, wanted[residue][0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(rmsf, wanted[residue][1], rtol=1e-5)


@pytest.mark.parametrize("path", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_values_are_the_cores(cmd, core, drawn, pymol_data, path):
    """U and B of the drawn object are the covariance and RMSF that the core predicts from the file itself."""
    cmd.load(pymol_data / path, "molecule")
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    assert_equals_core(drawn("molecule_ellipsoids"), expected(core, pymol_data / path))


@pytest.mark.parametrize(
    "name",
    [
        "1orc.pdb.gz",          # insertion codes
        "1SYX_r_u.pdb.gz",      # a residue without CA and C
        "3gox.pdb.gz",          # DNA
        "4ano.pdb.gz",          # selenomethionine and many alternate conformers
        "5TPM.cif.gz",          # mmCIF, whose label chains are PyMOL's segments
        "1iq5_final.cif.gz",    # calcium, whose atoms are called CA
    ],
)  # fmt: skip
def test_awkward_files_are_read_as_the_core_reads_them(cmd, core, drawn, shared_structures, name):
    """PyMOL's atoms lead to the same residues, in the same conformers, as the core's own reader of files."""
    cmd.load(shared_structures / name, "molecule")
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    assert_equals_core(drawn("molecule_ellipsoids"), expected(core, shared_structures / name))


def test_insertion_codes_tell_residues_apart(cmd, drawn, pymol_data):
    """Residues 52, 52A and 52B are three residues with the motion they have under plain numbers."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    plain = drawn("molecule_ellipsoids")
    cmd.alter("molecule and resi 53", "resi = '52A'")
    cmd.alter("molecule and resi 54", "resi = '52B'")
    cmd.sort("molecule")
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    inserted = drawn("molecule_ellipsoids")
    assert {("", "52"), ("", "52A"), ("", "52B")} < set(inserted.residues)
    np.testing.assert_allclose(inserted.covariances, plain.covariances, rtol=1e-5, atol=1e-6)


def test_each_object_is_predicted_for_itself(cmd, core, drawn, pymol_data):
    """Two objects in one command, lying on top of each other, move as each does alone."""
    for name in ("one", "two"):
        cmd.load(pymol_data / "data/tut/1hpv.pdb", name)
    cmd.load(pymol_data / "data/demo/il2.pdb", "three")
    cmd.do("dynaprot_ellipsoids one or two or three, model=anm")
    wanted = expected(core, pymol_data / "data/tut/1hpv.pdb")
    assert_equals_core(drawn("one_ellipsoids"), wanted)
    assert_equals_core(drawn("two_ellipsoids"), wanted)
    assert_equals_core(drawn("three_ellipsoids"), expected(core, pymol_data / "data/demo/il2.pdb"))


def test_chains_of_the_selection_are_the_system(cmd, core, drawn, pymol_data):
    """A chain is predicted alone if it is selected alone; of a selected loop the whole chain is predicted."""
    path = pymol_data / "data/tut/1hpv.pdb"
    chain_a = expected(core, path, chains="A")
    cmd.load(path, "molecule")
    cmd.do("dynaprot_ellipsoids molecule and chain A, model=anm")
    assert_equals_core(drawn("molecule_ellipsoids"), chain_a)
    cmd.do("dynaprot_ellipsoids molecule and chain A and resi 46-55 and sidechain, model=anm")
    flap = {("A", str(number)): chain_a["A", str(number)] for number in range(46, 56) if number not in (48, 49, 51, 52)}
    assert_equals_core(drawn("molecule_ellipsoids"), flap)


@pytest.mark.parametrize(("name", "given"), [("shapes", "shapes"), ("x", "x_"), ("my shapes", "my_shapes")])
def test_the_object_has_the_name_that_was_asked_for(cmd, pymol_data, name, given):
    """Also a name that PyMOL reserves or does not allow, as PyMOL changes it; drawn again, it is the same object."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    for _ in range(2):
        cmd.do(f"dynaprot_ellipsoids molecule, name={name}, model=anm")
        assert cmd.get_names() == ["molecule", given, "dynaprot_rmsf"]


@pytest.mark.parametrize("color_by", ["rmsf", "anisotropy", "chain", "parent"])
def test_ellipsoids_are_coloured_by_what_was_asked_for(cmd, core, drawn, pymol_data, color_by):
    """RMSF and anisotropy on their own scales and legends, chains apart, or the protein's own colours."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.color("lime", "molecule and chain A and resi 10-20")
    cmd.do(f"dynaprot_ellipsoids molecule, 0.5, {color_by}, palette=blue_white_red, model=anm")
    atoms = []
    cmd.iterate("molecule_ellipsoids", "atoms.append((b, q, chain, resi, color))", space={"atoms": atoms})
    rmsf, anisotropy, chains, numbers, colours = zip(*atoms, strict=True)
    reddish, _, bluish = np.array([cmd.get_color_tuple(colour) for colour in colours]).T
    if color_by in ("rmsf", "anisotropy"):
        values = np.array({"rmsf": rmsf, "anisotropy": anisotropy}[color_by])
        assert np.diff((reddish - bluish)[np.argsort(values)]).min() >= -1e-6
        assert f"dynaprot_{color_by}" in cmd.get_names()
        wanted = core.predict(core.load_structure(pymol_data / "data/tut/1hpv.pdb"), "anm")
        np.testing.assert_allclose(values, getattr(wanted, color_by), rtol=1e-4)
    elif color_by == "chain":
        assert len(set(zip(chains, colours, strict=True))) == len(set(colours)) == 2
    else:
        lime = {number for number, chain, colour in zip(numbers, chains, colours, strict=True)
                if colour == cmd.get_color_index("lime")}  # fmt: skip
        assert lime == {str(number) for number in range(10, 21)}
    assert len(cmd.get_names()) == (3 if color_by in ("rmsf", "anisotropy") else 2)


def test_the_state_that_is_shown_is_predicted(cmd, drawn, pymol_data):
    """Of an object with several states the current one is predicted."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.create("molecule", "molecule", 1, 2)
    cmd.translate([100, 0, 0], "molecule", state=2, camera=0)
    cmd.frame(2)
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    np.testing.assert_allclose(
        drawn("molecule_ellipsoids").positions, cmd.get_coords("molecule and name CA", 2), atol=1e-3
    )


def test_modified_residues_are_known_by_their_parent(cmd, plugin, pymol_data):
    """Selenomethionine, a HETATM, is a methionine; a residue of unknown kind is X; a free amino acid is none."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.create("free", "molecule and resi 60")
    cmd.alter("free", "chain, resi, type = 'L', '900', 'HETATM'")
    cmd.alter("molecule and resi 23", "resn, type = 'MSE', 'HETATM'")
    cmd.alter("molecule and resi 24", "resn, type = 'XYZ', 'HETATM'")
    cmd.create("both", "molecule or free")
    cmd.translate([0, 0, 80], "both and chain L", camera=0)
    structure = plugin.proteins.read_protein("molecule", "molecule", _self=cmd).structure
    letters = dict(zip(structure.residue_ids, structure.sequence, strict=True))
    assert letters["23"] == "M"
    assert letters["24"] == "X"
    assert plugin.proteins.read_protein("both", "both", _self=cmd).structure.sequence == structure.sequence


def test_the_most_occupied_conformer_is_drawn(cmd, drawn, pymol_data):
    """Of two alternate conformers of a residue the one of higher occupancy is predicted."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "one")
    cmd.alter("one and resi 60", "alt = 'A'")
    cmd.create("other", "one and resi 60")
    cmd.alter("other", "alt = 'B'")
    cmd.translate([0.5, 0, 0], "other", camera=0)
    cmd.create("molecule", "one or other")
    for favourite in ("A", "B"):
        cmd.alter("molecule and resi 60", f"q = 0.7 if alt == '{favourite}' else 0.3")
        cmd.do("dynaprot_ellipsoids molecule, model=anm")
        shown = drawn("molecule_ellipsoids")
        assert shown.residues.count(("", "60")) == 1
        np.testing.assert_allclose(
            shown.positions[shown.residues.index(("", "60"))],
            cmd.get_coords(f"molecule and resi 60 and name CA and alt {favourite}")[0],
            atol=1e-4,
        )


def test_residues_without_a_whole_backbone_are_left_out_by_name(cmd, drawn, pymol_data, capfd):
    """A residue without C-alpha is not drawn, one without C is rebuilt, and notices name them as PyMOL does."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    whole = cmd.count_atoms("molecule and name CA")
    cmd.remove("molecule and (resi 60 and name CA or resi 70 and name C)")
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    output = capfd.readouterr().out
    assert "Left out 1 residue without a whole backbone: /molecule///GLU`60 (lacks CA)." in output
    assert "Rebuilt missing backbone atoms: C of /molecule///" in output
    assert len(drawn("molecule_ellipsoids").residues) == whole - 1
    assert ("", "60") not in drawn("molecule_ellipsoids").residues


def test_equal_colour_is_equal_motion(cmd, drawn, pymol_data):
    """Ellipsoids of different objects, drawn by different commands, share one scale of colours and one legend."""
    for name, path in (("dimer", "data/tut/1hpv.pdb"), ("single", "data/demo/il2.pdb")):
        cmd.load(pymol_data / path, name)
        cmd.do(f"dynaprot_ellipsoids {name}, palette=blue_white_red, model=anm")
    rmsf = np.concatenate([drawn("dimer_ellipsoids").rmsf, drawn("single_ellipsoids").rmsf])
    colours = []
    cmd.iterate("*_ellipsoids", "colours.append(color)", space={"colours": colours})
    reddish, _, bluish = np.array([cmd.get_color_tuple(colour) for colour in colours]).T
    assert np.diff((reddish - bluish)[np.argsort(rmsf)]).min() >= -1e-6
    assert (reddish - bluish)[[rmsf.argmin(), rmsf.argmax()]] == pytest.approx([-1, 1])
    assert [name for name in cmd.get_names() if cmd.get_type(name) == "object:ramp"] == ["dynaprot_rmsf"]


def test_one_legend_is_shown_at_a_time(cmd, pymol_data):
    """PyMOL draws all legends in one place: that of what was drawn last is the one to be read."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")

    def shown():
        return [name for name in cmd.get_names("objects", enabled_only=1) if name.startswith("dynaprot_")]

    for command, legend in (
        ("dynaprot_ellipsoids molecule, model=anm", "dynaprot_rmsf"),
        ("dynaprot_coupling molecule, 0.3, model=anm", "dynaprot_coupling"),
        ("dynaprot_ellipsoids molecule, color_by=anisotropy, model=anm", "dynaprot_anisotropy"),
    ):
        cmd.do(command)
        assert shown() == [legend]


def state_of(cmd, selection):
    """What a user would miss if it changed."""
    atoms = []
    cmd.iterate_state(
        -1, selection, "atoms.append((model, segi, chain, resi, name, alt, b, q, color, reps, x, y, z))",
        space={"atoms": atoms},
    )  # fmt: skip
    settings = [cmd.get(name) for name in ("ellipsoid_scale", "ellipsoid_probability", "ellipsoid_quality")]
    return atoms, settings, cmd.get_view(), cmd.get_names("selections"), cmd.get_names("objects", enabled_only=1)


def test_nothing_of_the_users_changes(cmd, pymol_data):
    """Atoms, B factors, colours, representations, selections, view and settings stay as they are."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.load(pymol_data / "data/demo/il2.pdb", "bystander")
    cmd.color("magenta", "molecule and resi 20-30")
    cmd.show_as("cartoon", "molecule")
    cmd.select("sele", "molecule and resi 50")
    cmd.select("mine", "bystander and resi 5-9")
    before, chosen = state_of(cmd, "molecule or bystander"), cmd.count_atoms("sele")
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    after = state_of(cmd, "molecule or bystander")
    assert len(before[0]) == cmd.count_atoms("molecule or bystander")
    assert after[:4] == before[:4]
    assert after[4] == [*before[4], "molecule_ellipsoids", "dynaprot_rmsf"]
    assert cmd.count_atoms("sele") == chosen


def test_an_object_of_the_users_is_not_overwritten(cmd, pymol_data):
    """A name that the user has taken is refused; what DynaProt drew before is replaced."""
    from pymol import CmdException

    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    for name in ("molecule_ellipsoids", "dynaprot_rmsf"):
        cmd.create(name, "molecule")
        with pytest.raises(CmdException, match=f"'{name}' exists and was not drawn by DynaProt"):
            cmd.keyword["dynaprot_ellipsoids"][0]("molecule", model="anm", _self=cmd)
        assert cmd.count_atoms(name) == cmd.count_atoms("molecule")
        cmd.delete(name)


def test_ellipsoids_are_not_predicted_themselves(cmd, pymol_data, capfd):
    """A second run on all that is enabled replaces the first and leaves no other object."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    cmd.do("dynaprot_ellipsoids")
    cmd.do("dynaprot_ellipsoids")
    assert cmd.get_names() == ["molecule", "molecule_ellipsoids", "dynaprot_rmsf"]
    assert "Error" not in capfd.readouterr().out


@pytest.mark.parametrize("moment", ["before", "after", "before and after"])
def test_ellipsoids_follow_the_protein(cmd, drawn, pymol_data, moment):
    """Whenever the protein was aligned to another, resetting and copying its matrix brings the ellipsoids along."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "unmoved")
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.load(pymol_data / "data/demo/il2.pdb", "target")
    cmd.rotate("y", 70, "target", camera=0)
    cmd.translate([3, 40, -9], "target", camera=0)
    if "before" in moment:
        cmd.align("molecule", "target")
    cmd.do("dynaprot_ellipsoids unmoved or molecule, model=anm")
    if "after" in moment:
        cmd.rotate("x", 50, "target", camera=0)
        cmd.align("molecule", "target")
    cmd.do("matrix_reset molecule_ellipsoids")
    cmd.do("matrix_copy molecule, molecule_ellipsoids")
    rotation = np.reshape(cmd.get_object_matrix("molecule"), (4, 4))[:3, :3]
    assert np.abs(rotation - np.eye(3)).max() > 0.5
    still, moved = drawn("unmoved_ellipsoids"), drawn("molecule_ellipsoids")
    np.testing.assert_allclose(moved.positions, cmd.get_coords("molecule and name CA"), atol=1e-4)
    np.testing.assert_allclose(moved.covariances, rotation @ still.covariances @ rotation.T, atol=1e-4)


def test_ellipsoids_lie_on_a_dragged_protein(cmd, pymol_data):
    """A protein that was moved as a picture only (TTT matrix) has its ellipsoids where it is seen."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    cmd.rotate("x", 40, object="molecule")
    cmd.translate([5, 5, 5], object="molecule")
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    assert cmd.get_object_ttt("molecule") is not None
    assert cmd.get_object_ttt("molecule_ellipsoids") == cmd.get_object_ttt("molecule")


def test_a_session_keeps_the_ellipsoids(cmd, drawn, pymol_data, tmp_path):
    """A saved session brings back U, RMSF, colours, size and legend, and the command still knows its own."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.do("dynaprot_ellipsoids molecule, 0.9, model=anm")
    before, colours = drawn("molecule_ellipsoids"), state_of(cmd, "all")[0]
    scale = float(cmd.get("ellipsoid_scale", "molecule_ellipsoids"))
    cmd.save(tmp_path / "session.pse")
    cmd.reinitialize()
    assert cmd.get_names() == []
    cmd.load(tmp_path / "session.pse")
    after = drawn("molecule_ellipsoids")
    np.testing.assert_array_equal(after.covariances, before.covariances)
    np.testing.assert_array_equal(after.rmsf, before.rmsf)
    assert state_of(cmd, "all")[0] == colours
    assert float(cmd.get("ellipsoid_scale", "molecule_ellipsoids")) == pytest.approx(scale)
    assert cmd.get_type("dynaprot_rmsf") == "object:ramp"
    cmd.do("dynaprot_ellipsoids molecule, 0.5, model=anm")
    assert float(cmd.get("ellipsoid_scale", "molecule_ellipsoids")) == pytest.approx(1.0, abs=1e-4)


def test_what_moves_too_far_has_no_ellipsoid(cmd, core, capfd):
    """It is named, and does not count for the colours; PyMOL's ray tracer would take minutes for it."""
    import gzip
    from pathlib import Path

    file = Path(__file__).parents[1] / "structures" / "tail_of_60.pdb.gz"
    cmd.read_pdbstr(gzip.decompress(file.read_bytes()).decode(), "tailed")
    dynamics = core.predict(core.load_structure(file))
    drawn = dynamics.rmsf <= 15.0
    assert 20 < (~drawn).sum() < 70
    cmd.do("dynaprot_ellipsoids tailed")
    output = "".join(capfd.readouterr())
    assert "no ellipsoid of A:" in output
    assert "beyond 15 Å" in output
    assert cmd.count_atoms("tailed_ellipsoids") == drawn.sum()
    numbers = []
    cmd.iterate("tailed and name CA", "numbers.append(int(resi))", space={"numbers": numbers})
    loose = [number for number, is_drawn in zip(numbers, drawn, strict=True) if not is_drawn]
    cmd.do(f"dynaprot_ellipsoids tailed and resi {loose[0]}-{loose[-1]}, name=tail")
    assert "the RMSF of all these residues is beyond 15 Å" in "".join(capfd.readouterr())
    assert "tail" not in cmd.get_names()

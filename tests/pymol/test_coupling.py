"""`dynaprot_coupling`: the strongest couplings as tubes, and the coupling to a selection as colours."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def dimer(cmd, pymol_data):
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    return cmd


@pytest.fixture
def expected(core, pymol_data):
    return core.predict(core.load_structure(pymol_data / "data/tut/1hpv.pdb"), "anm")


def tubes(cmd, name="molecule_couplings"):
    """Ends and coupling of each tube."""
    model = cmd.get_model(name)
    ends = [[model.atom[k] for k in bond.index] for bond in model.bond]
    return {frozenset((atom.chain, atom.resi) for atom in pair): pair[0].b for pair in ends}


def strongest(plugin, dynamics, threshold):
    views = plugin.core.load_core(".analysis.couplings")
    i, j, value = views.strongest_pairs(dynamics.structure, dynamics.coupling, threshold)
    label = list(zip(dynamics.structure.chain_ids, dynamics.structure.residue_ids, strict=True))
    return {frozenset((label[a], label[b])): coupling for a, b, coupling in zip(i, j, value, strict=True)}


def test_tubes_are_the_cores_strongest_pairs(dimer, plugin, expected):
    """Each pair at or above the threshold is one tube, with the coupling as its B factor."""
    dimer.do("dynaprot_coupling molecule, 0.5, model=anm")
    wanted = strongest(plugin, expected, 0.5)
    drawn = tubes(dimer)
    assert set(drawn) == set(wanted)
    assert len(drawn) > 10
    for pair, coupling in drawn.items():
        assert coupling == pytest.approx(wanted[pair], rel=1e-4)


def test_ends_lie_on_the_c_alphas(dimer):
    """Every tube ends where its residues are."""
    dimer.do("dynaprot_coupling molecule, 0.5, model=anm")
    places = {}
    dimer.iterate_state(1, "molecule and name CA", "places[chain, resi] = (x, y, z)", space={"places": places})
    for atom in dimer.get_model("molecule_couplings").atom:
        np.testing.assert_allclose(atom.coord, places[atom.chain, atom.resi], atol=1e-3)


def test_colour_tells_the_sign(dimer):
    """Residues that move together are joined in red, residues that move against each other in blue."""
    dimer.do("dynaprot_coupling molecule and resi 60-99, 0.12, model=anm")
    atoms = []
    dimer.iterate("molecule_couplings", "atoms.append((b, color))", space={"atoms": atoms})
    redness = np.array([np.subtract(*dimer.get_color_tuple(colour)[::2]) for _, colour in atoms])
    sign = np.sign([coupling for coupling, _ in atoms])
    assert set(sign) == {-1, 1}
    assert (redness * sign > 0).all()


def test_tubes_of_a_selection_start_there(dimer, plugin, expected):
    """With from_selection only its tubes are drawn, and the protein is coloured by the coupling to it."""
    colours_before = []
    dimer.iterate("molecule and not polymer", "c.append((b, color))", space={"c": colours_before})
    dimer.do("dynaprot_coupling molecule, 0.3, chain A and resi 50, model=anm")
    wanted = {pair: value for pair, value in strongest(plugin, expected, 0.3).items() if ("A", "50") in pair}
    assert set(tubes(dimer)) == set(wanted) != set()
    b = {}
    dimer.iterate("molecule and name CA and polymer", "values[chain, resi] = b", space={"values": b})
    structure = expected.structure
    residue = list(zip(structure.chain_ids, structure.residue_ids, strict=True)).index(("A", "50"))
    for row, chain, number in zip(expected.coupling[residue], structure.chain_ids, structure.residue_ids, strict=True):
        assert b[chain, number] == pytest.approx(row, rel=1e-4, abs=1e-5)
    colours_after = []
    dimer.iterate("molecule and not polymer", "c.append((b, color))", space={"c": colours_after})
    assert colours_after == colours_before


def test_a_high_threshold_leaves_nothing_and_says_so(dimer, capfd):
    """Without a coupling that strong there is no object and no error, and what to do is told."""
    dimer.do("dynaprot_coupling molecule, 1, model=anm")
    output = capfd.readouterr().out
    assert "0 couplings of at least 1; a lower threshold shows weaker ones." in output
    assert "Error" not in output
    assert dimer.get_names() == ["molecule"]


def test_only_the_strongest_are_drawn(dimer, plugin, expected, capfd):
    """Beyond 300 tubes the weaker ones are left out, and that is said."""
    dimer.do("dynaprot_coupling molecule, 0.02, model=anm")
    found = strongest(plugin, expected, 0.02)
    assert len(found) > 300
    assert f"{len(found)} couplings of at least 0.02, of which the strongest 300 are drawn" in capfd.readouterr().out
    drawn = tubes(dimer)
    assert len(drawn) == 300
    assert min(map(abs, drawn.values())) >= np.sort(np.abs(list(found.values())))[-300] - 1e-5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("molecule, 2", "The threshold must be above 0 and at most 1, not 2.0."),
        ("molecule, much", "The threshold must be a number such as 0.6, not 'much'."),
        ("molecule, 0.5, nonsense", "'nonsense' is not a valid selection."),
        ("molecule, 0.5, none", "no residue of 'none' is among those predicted."),
    ],
)
def test_wrong_arguments_draw_nothing(dimer, arguments, message, capfd):
    """A refused command leaves no object behind."""
    dimer.do(f"dynaprot_coupling {arguments}, model=anm")
    assert message in capfd.readouterr().out
    assert dimer.get_names() == ["molecule"]

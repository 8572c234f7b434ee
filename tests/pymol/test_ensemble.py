"""`dynaprot_ensemble` and `dynaprot_modes`: conformations as states, with all atoms carried along."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest


@pytest.fixture
def dynamics(core, pymol_data):
    return core.predict(core.load_structure(pymol_data / "data/tut/1hpv.pdb"), "anm")


@pytest.fixture
def dimer(cmd, pymol_data):
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    return cmd


def calphas(cmd, name, state):
    return cmd.get_coords(f"{name} and name CA", state)


@pytest.mark.parametrize("regularize", [0, 1])
def test_states_are_the_cores_samples(dimer, plugin, dynamics, regularize):
    """State k is sample k of the seed, as drawn or with C-alpha geometry restored."""
    dimer.do(f"dynaprot_ensemble molecule, 4, 7, {regularize}, model=anm")
    samples = dynamics.sample(4, 7)
    if regularize:
        samples = plugin.core.load_core(".structure.chain_geometry").restore_geometry(dynamics.structure, samples)
    assert dimer.count_states("molecule_ensemble") == 4
    for state, sample in enumerate(samples, start=1):
        np.testing.assert_allclose(calphas(dimer, "molecule_ensemble", state), sample, atol=2e-3)


def test_all_atoms_are_carried_along(dimer, plugin, dynamics):
    """Every atom of the protein is there and is where the core's rigid residue frames put it."""
    dimer.do("dynaprot_ensemble molecule, 2, 0, 0, model=anm")
    atoms = dynamics.structure.atoms
    carried = plugin.core.load_core(".structure.rigid_residues").carry_atoms(
        dynamics.structure, dynamics.sample(2, 0), atoms.positions, atoms.residue
    )
    structure = dynamics.structure
    wanted = {
        (structure.chain_ids[residue], structure.residue_ids[residue], name): position
        for residue, name, position in zip(atoms.residue, atoms.names, carried[1], strict=True)
    }
    shown = {}
    dimer.iterate_state(2, "molecule_ensemble", "shown[chain, resi, name] = (x, y, z)", space={"shown": shown})
    assert set(shown) == set(wanted)
    for atom, position in shown.items():
        np.testing.assert_allclose(position, wanted[atom], atol=2e-3)


def test_chains_out_of_order_get_their_own_coordinates(cmd, pymol_data):
    """Where a file names chain B before A, as PyMOL does not sort, every atom still stays near its place."""
    lines = (pymol_data / "data/tut/1hpv.pdb").read_text().splitlines()
    atoms = [line for line in lines if line.startswith("ATOM")]
    cmd.read_pdbstr("\n".join(sorted(atoms, key=lambda line: line[21], reverse=True)), "molecule")
    cmd.do("dynaprot_ensemble molecule, 3, model=anm")
    start = {}
    cmd.iterate_state(1, "molecule", "start[chain, resi, name] = (x, y, z)", space={"start": start})
    for state in (1, 2, 3):
        shown = {}
        cmd.iterate_state(state, "molecule_ensemble", "places[chain, resi, name] = (x, y, z)", space={"places": shown})
        assert set(shown) == set(start)
        assert max(np.linalg.norm(np.subtract(shown[atom], start[atom])) for atom in start if atom[2] == "CA") < 8


def test_in_between_frames_lead_from_one_conformation_to_the_next(dimer):
    """With between=4 every fifth state is a conformation, and no step is longer than the way's half."""
    dimer.do("dynaprot_ensemble molecule, 3, 0, 0, 0, 0, model=anm")
    alone = [calphas(dimer, "molecule_ensemble", state) for state in (1, 2, 3)]
    dimer.do("dynaprot_ensemble molecule, 3, 0, 0, 0, 4, model=anm")
    assert dimer.count_states("molecule_ensemble") == 15
    frames = np.array([calphas(dimer, "molecule_ensemble", state) for state in range(1, 16)])
    np.testing.assert_allclose(frames[::5], alone, atol=1e-3)
    steps = np.linalg.norm(frames - np.roll(frames, 1, axis=0), axis=2).mean(1)
    ways = np.linalg.norm(np.array(alone) - np.roll(alone, 1, axis=0), axis=2).mean(1)
    assert steps.max() < ways.max() / 2


@pytest.mark.parametrize(
    ("count", "overlay", "between", "shown"), [(5, 1, 0, "on"), (60, 1, 0, "on"), (5, 0, 0, "off"), (5, 1, 3, "off")]
)
def test_conformations_are_overlaid(dimer, count, overlay, between, shown):
    """Any number of conformations is shown at once, unless that is not wanted or in-between frames are to be played."""
    dimer.do(f"dynaprot_ensemble molecule and resi 1-9, {count}, overlay={overlay}, between={between}, model=anm")
    assert dimer.get("all_states", "molecule_ensemble") == shown


def test_more_conformations_have_thinner_ribbons(dimer):
    """Ribbons do not hide each other: fifty are thinner than twenty, and none is too thin to be seen."""
    widths = []
    for count in (5, 20, 50, 300):
        dimer.do(f"dynaprot_ensemble molecule and resi 1-9, {count}, model=anm")
        widths.append(float(dimer.get("ribbon_width", "molecule_ensemble")))
    assert widths == pytest.approx([3.0, 3.0, 3.0 * (20 / 50) ** 0.5, 1.0], rel=1e-4)


def test_the_default_is_the_cores(dimer, core):
    """Without a count, the ensemble has as many conformations as the other hosts and the command line make."""
    dimer.do("dynaprot_ensemble molecule and resi 1-9, model=anm")
    assert dimer.count_states("molecule_ensemble") == import_module(f"{core.__name__}.defaults").CONFORMATIONS == 50


def test_only_selected_residues_are_drawn(dimer):
    """The ensemble of a loop has the atoms of the loop and no ligand."""
    dimer.do("dynaprot_ensemble molecule and chain A and resi 46-55 and name CA, 2, model=anm")
    wanted, drawn = set(), set()
    dimer.iterate("molecule and polymer and chain A and resi 46-55", "w.add((chain, resi, name))", space={"w": wanted})
    dimer.iterate("molecule_ensemble", "d.add((chain, resi, name))", space={"d": drawn})
    assert drawn == wanted


def test_a_mode_swings_through_the_structure(dimer, plugin, dynamics):
    """Forty states: the first is the input, the turning points are the amplitude away, and the end meets the start."""
    dimer.do("dynaprot_modes molecule, 2, 1.5, model=anm")
    assert dimer.count_states("molecule_modes") == 40
    views = plugin.core.load_core(".analysis.modes")
    frames = views.traverse_mode(dynamics.structure, views.mode_displacement(dynamics, 2), 1.5, 40)
    for state in (1, 11, 31, 40):
        np.testing.assert_allclose(calphas(dimer, "molecule_modes", state), frames[state - 1], atol=0.02)
    np.testing.assert_allclose(
        calphas(dimer, "molecule_modes", 1), calphas(dimer, "molecule and polymer", 1), atol=1e-3
    )


@pytest.mark.parametrize("amplitude", [1, 3])
def test_arrows_have_a_length_that_is_seen(dimer, dynamics, plugin, capfd, amplitude):
    """The longest arrow is 10 Å for any amplitude, the shortest 15 % of it; how many deviations they show is told."""
    dimer.do(f"dynaprot_modes molecule, 1, {amplitude}, model=anm")
    step = plugin.core.load_core(".analysis.modes").mode_displacement(dynamics, 1)
    lengths = np.linalg.norm(step, axis=1)
    output = capfd.readouterr().out
    assert f"up to {amplitude * lengths.max():.1f} Å from the structure" in output
    assert f"arrows show {10 / lengths.max():.3g} standard deviations." in output
    assert dimer.get_type("molecule_modes_arrows") == "object:cgo"
    drawn = lengths >= 0.15 * lengths.max()
    assert 0 < drawn.sum() < len(drawn)
    ca = dynamics.structure.ca[drawn]
    both = np.concatenate([ca, ca + 10 / lengths.max() * step[drawn]])
    low, high = dimer.get_extent("molecule_modes_arrows")
    assert (np.array(low) <= both.min(0) + 0.01).all()
    assert (np.array(low) >= both.min(0) - 1.0).all()
    assert (np.array(high) >= both.max(0) - 0.01).all()
    assert (np.array(high) <= both.max(0) + 1.0).all()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("dynaprot_ensemble molecule, 0", "The count must be from 1 to 10000, not 0."),
        ("dynaprot_ensemble molecule, 2.5", "The count must be a whole number such as 50, not '2.5'."),
        ("dynaprot_ensemble molecule, 2, x", "The seed must be a whole number such as 0, not 'x'."),
        ("dynaprot_ensemble molecule, 2, 0, perhaps", "The regularize must be 1 or 0, not 'perhaps'."),
        ("dynaprot_modes molecule, 0", "The mode must be at least 1, not 0."),
        ("dynaprot_modes molecule, 999", "modes were asked for"),
        ("dynaprot_ensemble molecule, 2, -1", "The seed must be 0 or more, not -1."),
        ("dynaprot_modes molecule, 1, nan", "The amplitude must be above 0 and at most 100, not nan."),
    ],
)
def test_wrong_arguments_draw_nothing(dimer, command, message, capfd):
    """A refused command leaves no object behind."""
    dimer.do(f"{command}, model=anm")
    output = capfd.readouterr().out
    assert message in output
    assert "Traceback" not in output
    assert dimer.get_names("all") == ["molecule"]

"""Residues as text that PyMOL selects again: what dragging over a plot prints."""

from __future__ import annotations

import numpy as np
import pytest


def assert_selects_itself(cmd, plugin, protein, residues):
    selection = plugin.selections.selection_of(protein, residues)
    cmd.select("chosen", selection)
    np.testing.assert_array_equal(plugin.selections.residues_of(protein, "chosen", _self=cmd), sorted(residues))
    return selection


@pytest.mark.parametrize("chain", ["A", "", "AAA", "a"])
def test_what_is_named_is_selected(cmd, plugin, pymol_data, chain):
    """Any residues of any chain id, blank ones too, are selected by their text, and nothing else is."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.load(pymol_data / "data/demo/il2.pdb", "other")
    cmd.alter("molecule", f"chain = '{chain}'")
    cmd.sort("molecule")
    protein = plugin.proteins.read_protein("molecule", "molecule", _self=cmd)
    generator = np.random.default_rng(0)
    for size in (1, 2, 40, len(protein.calphas)):
        chosen = generator.choice(len(protein.calphas), size, replace=False)
        assert_selects_itself(cmd, plugin, protein, chosen)


def test_odd_numbers_are_selected(cmd, plugin, pymol_data):
    """Insertion codes and negative numbers mean themselves, not a range around them."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    protein = plugin.proteins.read_protein("molecule", "molecule", _self=cmd)
    numbers = [key[2] for key in protein.keys]
    renumbered = {number: str(int(number) - 20) for number in numbers} | {numbers[50]: "500A", numbers[51]: "500B"}
    cmd.alter("molecule", "resi = renumbered.get(resi, '9' + resi)", space={"renumbered": renumbered})
    cmd.sort("molecule")
    protein = plugin.proteins.read_protein("molecule", "molecule", _self=cmd)
    keys = [key[2] for key in protein.keys]
    assert {"-5", "500A", "500B"} < set(keys)
    for chosen in ([0, 1, 2], [keys.index("500A")], range(len(keys)), [keys.index("-5"), keys.index("500B")]):
        assert_selects_itself(cmd, plugin, protein, list(chosen))


def test_negative_runs_are_selected(cmd, plugin, pymol_data):
    """Negative numbers without insertion codes are selected too."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.alter("molecule", "resi = str(int(resi) - 20)")
    cmd.sort("molecule")
    protein = plugin.proteins.read_protein("molecule", "molecule", _self=cmd)
    assert protein.keys[0][2].startswith("-")
    assert_selects_itself(cmd, plugin, protein, range(30))


def test_chains_that_only_segments_tell_apart(cmd, plugin, pymol_data):
    """Two copies of equal chain id but different segments are two chains."""
    cmd.load(pymol_data / "data/demo/il2.pdb", "one")
    cmd.create("two", "one")
    cmd.alter("one", "segi = 'P'")
    cmd.alter("two", "segi = 'Q'")
    cmd.translate([60, 0, 0], "two", camera=0)
    cmd.create("both", "one or two")
    protein = plugin.proteins.read_protein("both", "both", _self=cmd)
    half = len(protein.calphas) // 2
    assert "segi P" in assert_selects_itself(cmd, plugin, protein, range(half - 5, half))
    assert_selects_itself(cmd, plugin, protein, range(half - 5, half + 5))


def test_a_block_is_short_to_read(cmd, plugin, pymol_data):
    """Runs are ranges."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    protein = plugin.proteins.read_protein("molecule", "molecule", _self=cmd)
    assert plugin.selections.selection_of(protein, [*range(9, 20), 29]) == "molecule and chain A and resi 10-20+30"
    assert plugin.selections.selection_of(protein, [98, 99]) == (
        "molecule and ((chain A and resi 99) or (chain B and resi 1))"
    )
    assert plugin.selections.selection_of(protein, []) == "none"

"""The command `dynaprot coupling`: pseudobonds and colours."""

import numpy as np
import pytest

SIGNED = ["#1F4380", "#5B8FC1", "#B9D2E6", "#FFFFFF", "#F4C9AC", "#D9764A", "#96261A"]


def colours_of(coupling):
    """Red, green and blue, 0 to 255, of couplings from -1 to 1 on the default palette, shape=(M, 3)."""
    stops = np.array([[int(color[k : k + 2], 16) for k in (1, 3, 5)] for color in SIGNED])
    place = np.linspace(-1, 1, len(stops))
    return np.stack([np.interp(coupling, place, channel) for channel in stops.T], axis=-1)


@pytest.fixture
def coupling(run, protease):
    """The core's coupling of the whole protease by the elastic network."""
    (dynamics,) = run("dynaprot predict #1 model anm")
    return dynamics.coupling


def ends(group, residues):
    """Indices of the two residues of each pseudobond."""
    return [np.array(list(map(residues.index, atoms.residues))) for atoms in group.pseudobonds.atoms]


def described(group):
    """What is drawn: the two residues, colour and radius of each pseudobond."""
    first, second = (atoms.residues for atoms in group.pseudobonds.atoms)
    names = zip(first.chain_ids, first.numbers, second.chain_ids, second.numbers, strict=True)
    colors, radii = group.pseudobonds.colors.tolist(), group.pseudobonds.radii.round(4).tolist()
    return sorted(zip(names, colors, radii, strict=True))


def test_pseudobonds_are_the_strongest_couplings(run, protease, coupling):
    """All pairs above the threshold, of both signs, apart in sequence or of two chains; and no other."""
    (group,) = run("dynaprot coupling #1 threshold 0.5 minSeparation 10")
    assert group.parent is protease
    assert group.name == "dynaprot couplings"
    protein = protease.residues.filter(protease.residues.polymer_types == protease.residues[0].polymer_type)
    i, j = np.sort(ends(group, protein), axis=0)
    first, second = np.triu_indices(198, 1)
    apart = (second - first >= 10) | ((first < 99) & (second >= 99))
    wanted = apart & (np.abs(coupling[first, second]) >= 0.5)
    assert wanted.sum() > 10
    assert set(zip(i, j, strict=True)) == set(zip(first[wanted], second[wanted], strict=True))
    assert set(group.pseudobonds.atoms[0].names) == {"CA"}


def test_colour_tells_the_sign_and_thickness_the_strength(run, protease, coupling):
    """Red moves together, blue against each other; the strongest is thickest."""
    (group,) = run("dynaprot coupling #1 threshold 0.15 maxBonds 20000")
    protein = protease.residues.filter(protease.residues.polymer_types == protease.residues[0].polymer_type)
    i, j = ends(group, protein)
    value = coupling[i, j]
    assert (value < 0).any()
    np.testing.assert_allclose(group.pseudobonds.colors[:, :3], colours_of(value), atol=1)
    np.testing.assert_allclose(group.pseudobonds.radii, 0.2 * np.abs(value), rtol=1e-5)


def test_a_specification_connects_its_residues_only(run, protease):
    """Both ends are of the residues given; a new command replaces the former pseudobonds."""
    run("dynaprot coupling #1 model anm threshold 0.3")
    (group,) = run("dynaprot coupling #1/A/B:1-30 threshold 0.3")
    residues = group.pseudobonds.atoms[0].residues | group.pseudobonds.atoms[1].residues
    assert len(residues)
    assert not [residue for residue in residues if residue.chain_id == "B" and residue.number > 30]


def test_no_pair_is_so_strongly_coupled(run, protease, log):
    """Nothing is drawn and the log says so, and what to do; what was drawn before is gone."""
    run("dynaprot coupling #1 model anm threshold 0.5")
    assert run("dynaprot coupling #1 threshold 1") == [None]
    assert log[-1][1] == (
        "1hpv.pdb #1: 0 pairs of residues with a coupling of 1 or more; a lower threshold shows weaker ones"
    )
    assert not sum(len(group.pseudobonds) for group in protease.pbg_map.values() if "dynaprot" in group.name)


@pytest.mark.parametrize(("options", "most"), [("", 300), (" maxBonds 25", 25), (" maxBonds 5000", 5000)])
def test_only_the_strongest_are_drawn(run, protease, coupling, log, options, most):
    """No more than are asked for, by default as many as can be told apart; and the log tells how many there are."""
    specified = "#1/A:1-80 #1/B"
    (group,) = run(f"dynaprot coupling {specified} threshold 0.2{options}")
    first, second = np.triu_indices(198, 1)
    apart = (second - first >= 6) | ((first < 99) & (second >= 99))
    asked = apart & ~(((first >= 80) & (first < 99)) | ((second >= 80) & (second < 99)))
    strength = np.sort(np.abs(coupling[first, second][asked]))[::-1]
    found = (strength >= 0.2).sum()
    assert 300 < found < 5000
    count = min(found, most)
    np.testing.assert_allclose(np.sort(group.pseudobonds.radii)[::-1], 0.2 * strength[:count], rtol=1e-5)
    pairs = f"{found} pairs of residues with a coupling of 0.2 or more"
    text = pairs if most > found else f"the {most} strongest of {pairs} are drawn; maxBonds sets how many"
    assert log[-1][1] == f"1hpv.pdb #1: {text}"


def test_colour_by_coupling_to_residues(run, session, protease, coupling):
    """To one residue: its row. To several: the coupling to their common motion. Selections know the values."""
    from chimerax.atomic import selected_residues

    protein = protease.residues.filter(protease.residues.polymer_types == protease.residues[0].polymer_type)
    run("dynaprot coupling #1 from #1/A:50")
    values = np.array([residue.dynaprot_coupling for residue in protein])
    np.testing.assert_allclose(values, coupling[49], atol=1e-6)
    np.testing.assert_allclose(protein.ribbon_colors[:, :3], colours_of(values), atol=1)
    run("select ::dynaprot_coupling>0.4")
    assert len(selected_residues(session)) == (values > 0.4).sum() > 0
    run("dynaprot coupling #1/A from :45-50 key false")
    (alone,) = run("dynaprot predict #1/A")
    summed = alone.coupling[:, 44:50].sum(1)
    expected = summed / np.sqrt(alone.coupling[44:50, 44:50].sum())
    np.testing.assert_allclose([residue.dynaprot_coupling for residue in protein[:99]], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("dynaprot coupling #1 threshold 0", "above 0 and at most 1, not 0"),
        ("dynaprot coupling #1 threshold 2", "above 0 and at most 1, not 2"),
        ("dynaprot coupling #1 maxBonds 0", "Must be greater than or equal to 1"),
        ("dynaprot coupling #1/A from #1/B:25", "none of the residues given after 'from' is in the chains"),
    ],
)
def test_refusals(run, protease, command, text):
    """One clear message each."""
    from chimerax.core.errors import UserError

    with pytest.raises(UserError, match=text):
        run(f"{command} model anm")


def test_session(run, session, protease, tmp_path):
    """Pseudobonds, their colours and the values of residues come back with a session."""
    (group,) = run("dynaprot coupling #1 model anm threshold 0.4 maxBonds 40")
    assert group.num_pseudobonds == 40
    run("dynaprot coupling #1 from :50")
    drawn = described(group)
    values = [residue.dynaprot_coupling for residue in protease.residues[:198]]
    run(f'save "{tmp_path}/coupling.cxs"')
    session.reset()
    run(f'open "{tmp_path}/coupling.cxs"')
    (restored,) = [model for model in session.models.list() if model.name == "dynaprot couplings"]
    assert described(restored) == drawn
    assert [residue.dynaprot_coupling for residue in restored.structure.residues[:198]] == values


def test_picture(run, protease, picture):
    """Red and blue lines through a pale cartoon."""
    run("hide atoms; cartoon; color #1 light gray; transparency #1 60 target c")
    run("dynaprot coupling #1 threshold 0.4; view")
    red, _, blue = np.moveaxis(picture("coupling"), -1, 0)
    assert (red - blue > 60).mean() > 0.002

"""The commands `dynaprot ensemble` and `dynaprot modes`: coordinate sets of a new model."""

import numpy as np
import pytest


@pytest.fixture
def ensemble(run, protease):
    (model,) = run("dynaprot ensemble #1 model anm count 5 seed 3")
    return model


def coordsets(model):
    """Coordinates of every set, (n, atoms, 3)."""
    return np.array([model.coordset(k).xyzs for k in model.coordset_ids])


def test_samples_are_those_of_the_core(run, protease, ensemble):
    """C-alphas are the core's draw of the same seed, with their geometry restored."""
    from chimerax.dynaprot.dynaprot.structure.chain_geometry import restore_geometry

    (dynamics,) = run("dynaprot predict #1")
    expected = restore_geometry(dynamics.structure, dynamics.sample(5, seed=3))
    calphas = ensemble.atoms.names == "CA"
    np.testing.assert_array_equal(ensemble.coordset_ids, [1, 2, 3, 4, 5])
    np.testing.assert_allclose(coordsets(ensemble)[:, calphas], expected, atol=1e-4)


def test_a_new_model_and_the_old_one_untouched(run, protease, ensemble):
    """The structure is hidden, as the host's `morph` does, and otherwise as it was; its copy stands where it stands."""
    assert ensemble is not protease
    assert ensemble.name == "1hpv.pdb ensemble"
    assert (ensemble.num_atoms, ensemble.num_bonds) == (protease.num_atoms, protease.num_bonds)
    assert protease.num_coordsets == 1
    assert not protease.display
    assert ensemble.display
    run("show #1 models; move x 20 models #1")
    (again,) = run("dynaprot ensemble #1 count 2")
    np.testing.assert_allclose(again.scene_position.matrix, protease.scene_position.matrix)


def test_side_chains_go_along_and_ligands_stay(protease, ensemble):
    """Distances within each residue are kept; what is not protein does not move."""
    sets = coordsets(ensemble)
    residue = protease.residues[30]
    own = protease.atoms.indices(residue.atoms)
    before = protease.atoms.coords[own]
    for moved in sets[:, own]:
        np.testing.assert_allclose(
            np.linalg.norm(moved[:, None] - moved, axis=2), np.linalg.norm(before[:, None] - before, axis=2), atol=1e-3
        )
        assert np.abs(moved - before).max() > 0.1
    ligand = np.flatnonzero(protease.atoms.residues.polymer_types == 0)
    assert np.ptp(sets[:, ligand], axis=0).max() == 0


def test_after_atoms_were_deleted(run, protease):
    """The host keeps their places in its coordinate sets; what is left moves as in a file that never had them."""
    run("delete solvent; delete #1/A:50; delete #1/B:1@CB")
    (motion,) = run("dynaprot modes #1 model anm frames 4")
    (ensemble,) = run("dynaprot ensemble #1 model anm count 3")
    for model in (motion, ensemble):
        assert model.num_atoms == protease.num_atoms
        for k in model.coordset_ids:
            model.active_coordset_id = k
            moved = np.linalg.norm(model.atoms.coords - protease.atoms.coords, axis=1)
            assert moved.max() < (1e-3 if (model, k) == (motion, 1) else 20)
            assert np.all(moved[protease.atoms.residues.polymer_types == 0] == 0)
            lengths = np.linalg.norm(np.subtract(*(atoms.coords for atoms in model.bonds.atoms)), axis=1)
            assert np.median(lengths) < 1.6


def test_seed(run, protease, ensemble, log):
    """The same seed gives the same conformations, and so does the same command without one; the log tells the seed."""
    (again,) = run("dynaprot ensemble #1 count 5 seed 3")
    np.testing.assert_array_equal(coordsets(again), coordsets(ensemble))
    (other,) = run("dynaprot ensemble #1 count 5")
    assert not np.allclose(coordsets(other), coordsets(ensemble))
    assert log[-1][1].endswith("seed 0")
    for options in ("", " seed 0"):
        (replayed,) = run(f"dynaprot ensemble #1 count 5{options}")
        np.testing.assert_array_equal(coordsets(replayed), coordsets(other))


def test_raw_conformations_are_marked(run, protease, log):
    """Without restored geometry, a warning says how many are not physically possible."""
    run("dynaprot ensemble #1 model anm count 4 seed 1 regularize false")
    assert [text for level, text in log if level == "warning"] == [
        "1hpv.pdb #1: 100% of the conformations have a broken chain or a clash; "
        "'regularize true' restores C-alpha geometry."
    ]


def test_superimposed_on_a_part(run, protease, ensemble):
    """What is superimposed on moves least, and the internal distances are the same."""
    (fitted,) = run("dynaprot ensemble #1 count 5 seed 3 superimpose #1/A:1-99")
    calphas = (ensemble.atoms.names == "CA") & (ensemble.atoms.residues.chain_ids == "A")
    start = protease.atoms.coords
    free, held = coordsets(ensemble), coordsets(fitted)

    def deviation(sets):
        return np.sqrt(((sets - start)[:, calphas] ** 2).sum(2).mean(1))

    assert (deviation(held) <= deviation(free) + 1e-6).all()
    assert deviation(held).mean() < 0.95 * deviation(free).mean()
    some = np.flatnonzero(ensemble.atoms.names == "CA")[::20]
    distances = [np.linalg.norm(sets[:, some][:, :, None] - sets[:, some][:, None], axis=3) for sets in (free, held)]
    np.testing.assert_allclose(*distances, atol=1e-3)


def test_ensembles_are_predicted_only_where_specified(run, session, protease, ensemble, tmp_path):
    """A command without a specification applies to what the user opened, also in a restored session."""
    assert len(run("dynaprot predict")) == 1
    assert len(run("dynaprot predict #1,2")) == 2
    run(f'save "{tmp_path}/ensemble.cxs"')
    session.reset()
    run(f'open "{tmp_path}/ensemble.cxs"')
    assert len(run("dynaprot predict")) == 1


def test_player_of_the_host(run, ensemble):
    """`coordset` shows them one after the other."""
    run("coordset #2 4")
    assert ensemble.active_coordset_id == 4
    np.testing.assert_array_equal(ensemble.atoms.coords, coordsets(ensemble)[3])


def test_mode_is_that_of_the_core(run, protease):
    """One period: from the structure out to amplitude standard deviations and back through it."""
    from chimerax.dynaprot.dynaprot.analysis.modes import mode_displacement

    (model,) = run("dynaprot modes #1 model anm mode 2 amplitude 1.5 frames 20")
    (dynamics,) = run("dynaprot predict #1")
    calphas = model.atoms.names == "CA"
    sets = coordsets(model)[:, calphas]
    np.testing.assert_allclose(sets[0], dynamics.structure.ca, atol=1e-4)
    np.testing.assert_allclose(sets[5] - sets[0], 1.5 * mode_displacement(dynamics, 2), atol=1e-4)
    np.testing.assert_allclose(sets[15] - sets[0], sets[0] - sets[5], atol=1e-4)
    assert model.name == "1hpv.pdb mode 2"


def test_arrows_point_where_residues_go(run, protease):
    """Three standard deviations from C-alpha, as the swing; those that hardly move have none."""
    (model,) = run("dynaprot modes #1 model anm amplitude 3 arrowScale 3 frames 8")
    (arrows,) = [child for child in model.child_models() if child.name == "arrows"]
    calphas = model.atoms.filter(model.atoms.names == "CA")
    moved = model.coordset(3).xyzs[model.atoms.indices(calphas)] - calphas.coords
    length = np.linalg.norm(moved, axis=1)
    drawn = length >= 0.15 * length.max()
    assert len(arrows.residues) == drawn.sum() < 198
    shafts, heads = 66, 73  # vertices
    corners = arrows.vertices.astype(float)
    tips = corners[len(arrows.residues) * shafts :].reshape(-1, heads, 3)
    reach = np.einsum("rvi,ri->rv", tips - calphas.coords[drawn][:, None], moved[drawn] / length[drawn, None]).max(1)
    np.testing.assert_allclose(reach, length[drawn], rtol=1e-3)
    face = np.cross(*(corners[arrows.triangles[:, k]] - corners[arrows.triangles[:, 0]] for k in (1, 2)))
    assert (np.einsum("ti,ti->t", face, arrows.normals[arrows.triangles].sum(1)) > -1e-6).all(), "lit from outside"
    (model,) = run("dynaprot modes #1 frames 8")
    arrows = model.child_models()[-1]
    tips = arrows.vertices[len(arrows.residues) * shafts :].reshape(-1, heads, 3)
    reach = np.linalg.norm(tips - arrows.residues.existing_principal_atoms.coords[:, None], axis=2).max()
    assert 9.9 < reach < 10.2, "without a scale the longest is seen well"
    (bare,) = run("dynaprot modes #1 arrows false frames 8")
    assert not bare.child_models()


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("dynaprot modes #1 mode 0", "counted from 1"),
        ("dynaprot modes #1 mode 600", "there are 1 to 588"),
        ("dynaprot modes #1 amplitude nan", "Must be a finite number"),
        ("dynaprot modes #1 arrowScale inf", "Must be a finite number"),
        ("dynaprot modes #1 frames 100000", "Must be less than or equal to 1000"),
        ("dynaprot ensemble #1 count 0", "Must be greater than or equal to 1"),
        ("dynaprot ensemble #1 count 1000000", "Must be less than or equal to 10000"),
        ("dynaprot ensemble #1 count 2 superimpose #1/A:5", "at least 3 predicted residues"),
    ],
)
def test_refusals(run, session, protease, command, text):
    """One clear message each, and no new model."""
    from chimerax.core.errors import UserError

    with pytest.raises(UserError, match=text):
        run(f"{command} model anm")
    assert session.models.list() == [protease]


def test_each_structure_is_superimposed_on_its_own_residues(run, session, protease, protease_file):
    """Where one of several has none the command is refused before anything is opened or hidden."""
    from chimerax.core.errors import UserError

    run(f'open "{protease_file}"')
    run("dynaprot predict #1,2 model anm")
    before = session.models.list()
    with pytest.raises(UserError, match=r"1hpv\.pdb #2: at least 3 predicted residues"):
        run("dynaprot ensemble #1,2 count 2 superimpose #1/A")
    assert session.models.list() == before
    assert protease.display


def test_session(run, session, protease, tmp_path):
    """Coordinate sets and arrows come back with a session."""
    (model,) = run("dynaprot modes #1 model anm frames 6")
    (arrows,) = [child for child in model.child_models() if child.name == "arrows"]
    sets, vertices = coordsets(model), arrows.vertices.copy()
    run(f'save "{tmp_path}/modes.cxs"')
    session.reset()
    run(f'open "{tmp_path}/modes.cxs"')
    (restored,) = session.models.list(type=type(arrows))
    np.testing.assert_allclose(restored.vertices, vertices, atol=1e-3)
    np.testing.assert_allclose(coordsets(restored.parent), sets, atol=1e-4)


def test_picture(run, protease, picture):
    """Orange arrows on a cartoon."""
    run("hide atoms; cartoon; color #1 light gray; dynaprot modes #1 amplitude 3; view")
    red, green, blue = np.moveaxis(picture("modes"), -1, 0)
    assert ((red - blue > 100) & (green < 160)).mean() > 0.005

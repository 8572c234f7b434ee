"""The command `dynaprot ellipsoids`: geometry, colours, picking, sessions and what happens when a structure changes."""

import numpy as np
import pytest


def mesh_of(surface):
    """The vertices of each residue of a surface, in its own frame."""
    return surface.vertices.astype(float).reshape(len(surface.residues), -1, 3)


@pytest.fixture
def ellipsoids(run, protease):
    """The ellipsoids of the whole protease, by the elastic network."""
    (surface,) = run("dynaprot ellipsoids #1 model anm")
    return surface


def test_model(ellipsoids, protease):
    """One surface, a child of the structure, of 1280 triangles for each residue."""
    from chimerax.core.models import Surface

    assert isinstance(ellipsoids, Surface)
    assert ellipsoids.parent is protease
    assert ellipsoids.id == (1, 1)
    assert len(ellipsoids.residues) == 198
    assert len(ellipsoids.triangles) == 198 * 1280
    assert len(ellipsoids.vertices) == 198 * 642


@pytest.mark.parametrize("probability", [0.5, 0.9])
def test_axes_of_the_mesh_are_those_of_the_covariance(run, protease, probability):
    """Each residue's vertices reach the chi-square contour along the eigenvectors of its covariance."""
    from chimerax.dynaprot.dynaprot.analysis.ellipsoids import contour_radius

    (surface,) = run(f"dynaprot ellipsoids #1 model anm probability {probability} smoothing 4")
    (dynamics,) = run("dynaprot rmsf #1 key false")
    variances, axes = np.linalg.eigh(dynamics.marginals)
    for residue, vertices in enumerate(mesh_of(surface)):
        along = (vertices - vertices.mean(0)) @ axes[residue]
        np.testing.assert_allclose(vertices.mean(0), dynamics.structure.ca[residue], atol=2e-3)
        np.testing.assert_allclose(
            np.abs(along).max(0), contour_radius(probability) * np.sqrt(variances[residue]), rtol=5e-3
        )


def test_principal_axes_of_the_mesh_are_eigenvectors(ellipsoids, run):
    """The shape alone, without knowing where to look: moments of the vertices have the covariance's eigenvectors."""
    (dynamics,) = run("dynaprot rmsf #1 key false")
    for covariance, vertices in zip(dynamics.marginals, mesh_of(ellipsoids), strict=True):
        moments = np.cov(vertices.T)
        np.testing.assert_allclose(
            moments / np.trace(moments), covariance / np.trace(covariance), atol=0.01, err_msg="shape of the ellipsoid"
        )


def test_scale_is_in_standard_deviations(run, protease):
    """Scale 2 is twice as long as scale 1, and reaches two standard deviations."""
    (surface,) = run("dynaprot ellipsoids #1 model anm scale 2")
    (dynamics,) = run("dynaprot rmsf #1 key false")
    longest = [np.linalg.norm(vertices - vertices.mean(0), axis=1).max() for vertices in mesh_of(surface)]
    np.testing.assert_allclose(longest, 2 * np.sqrt(np.linalg.eigvalsh(dynamics.marginals)[:, -1]), rtol=0.01)


def test_a_specification_draws_a_part_of_the_complex(run, protease):
    """The chains that it touches are predicted as one system, and its residues drawn."""
    (part,) = run("dynaprot ellipsoids #1/A:10-80 model anm")
    assert len(part.residues) == 71
    (alone,) = run("dynaprot rmsf #1/A key false")
    assert len(alone) == 99
    run("dynaprot ellipsoids #1/A:10-80/B:1")
    (both,) = run("dynaprot rmsf #1 key false")
    assert len(part.residues) == 72
    drawn = [np.cov(vertices.T) for vertices in mesh_of(part)[:71]]
    shape = [moments / np.trace(moments) for moments in drawn]
    expected = both.marginals[9:80] / np.trace(both.marginals[9:80], axis1=1, axis2=2)[:, None, None]
    np.testing.assert_allclose(shape, expected, atol=0.01)


@pytest.mark.parametrize(("style", "triangles"), [("axes", 36), ("both", 1280 + 36)])
def test_styles(run, protease, style, triangles):
    """Axes are rods; with both, they show inside translucent ellipsoids."""
    (surface,) = run(f"dynaprot ellipsoids #1/A model anm style {style}")
    assert len(surface.triangles) == 99 * triangles
    alphas = set(surface.vertex_colors[:, 3].tolist())
    assert alphas == ({255} if style == "axes" else {102, 255})


@pytest.mark.parametrize("smoothing", [0, 2])
def test_smoothing(run, protease, smoothing):
    """Each step makes four triangles of one."""
    (surface,) = run(f"dynaprot ellipsoids #1/A model anm smoothing {smoothing}")
    assert len(surface.triangles) == 99 * 20 * 4**smoothing


def test_colours_of_values(run, protease):
    """RMSF and anisotropy run over the palette; anisotropy from 0 to 1 unless another range is asked for."""
    (surface,) = run("dynaprot ellipsoids #1 model anm palette blue:white:red range 0,2")
    (dynamics,) = run("dynaprot rmsf #1 key false")
    colors = surface.residue_colors.astype(int)
    redder = colors[:, 0] - colors[:, 2]
    np.testing.assert_allclose(redder / 255, np.clip(dynamics.rmsf - 1, -1, 1), atol=0.02)
    run("dynaprot ellipsoids #1 colorBy anisotropy palette blue:white:red")
    colors = surface.residue_colors.astype(int)
    np.testing.assert_allclose((colors[:, 0] - colors[:, 2]) / 255, 2 * dynamics.anisotropy - 1, atol=0.02)
    run("dynaprot ellipsoids #1 colorBy anisotropy palette blue:white:red range full")
    colors = surface.residue_colors.astype(int)
    span = (dynamics.anisotropy - dynamics.anisotropy.min()) / np.ptp(dynamics.anisotropy)
    np.testing.assert_allclose((colors[:, 0] - colors[:, 2]) / 255, 2 * span - 1, atol=0.02)


def test_colours_of_chains_and_atoms(run, protease):
    """Chains have the host's colours; `none` takes the colour that the residue has."""
    from chimerax.atomic.colors import chain_colors

    (surface,) = run("dynaprot ellipsoids #1 model anm colorBy chain transparency 40")
    np.testing.assert_array_equal(surface.residue_colors[:, :3], chain_colors(surface.residues.chain_ids)[:, :3])
    assert set(surface.residue_colors[:, 3]) == {153}
    run("color #1/A gold; dynaprot ellipsoids #1 colorBy none")
    assert surface.residue_colors[0].tolist() == [255, 215, 0, 255]
    run("dynaprot ellipsoids #1 colorBy element")
    assert len(np.unique(surface.residue_colors, axis=0)) == 1, "every C-alpha is carbon"


def test_key(run, session, protease):
    """The key shows the range of the colours, and its middle where a colour stands for it."""
    run("dynaprot ellipsoids #1 model anm range 0,3 key true")
    from chimerax.color_key.model import get_model

    key = get_model(session, create=False)
    assert [label for _, label in key.rgbas_and_labels] == ["0", None, None, None, None, "3 Å "]
    run("dynaprot coupling #1 key true")
    assert [label for _, label in key.rgbas_and_labels] == ["-1", None, None, "0", None, None, "1 "]


def test_several_structures_share_one_scale(run, protease, protease_file):
    """So that equal colour is equal motion; each structure has its own surface."""
    run(f'open "{protease_file}"')
    run("delete #2/B")
    first, second = run("dynaprot ellipsoids #1-2 model anm palette blue:red")
    assert (first.id, second.id) == ((1, 1), (2, 1))
    dimer, monomer = (dynamics.rmsf for dynamics in run("dynaprot rmsf #1-2 key false"))
    low, high = np.percentile(np.concatenate([dimer, monomer]), [2, 98])
    for surface, rmsf in ((first, dimer), (second, monomer)):
        redness = np.clip((rmsf - low) / (high - low), 0, 1)
        np.testing.assert_allclose(surface.residue_colors[:, 0], 255 * redness, atol=1)


def test_drawn_again_in_place(run, session, protease, ellipsoids):
    """A second command changes the model, not their number: a slider can call it."""
    (again,) = run("dynaprot ellipsoids #1 probability 0.9")
    assert again is ellipsoids
    assert len(session.models.list(type=type(ellipsoids))) == 1


def test_what_was_hidden_is_shown_again(run, protease, ellipsoids):
    """By the command that draws it, else the user would see nothing happen."""
    (group,) = run("dynaprot coupling #1 threshold 0.4")
    run("hide #1.1 models; hide #1.2 models; dynaprot ellipsoids #1; dynaprot coupling #1 threshold 0.5")
    assert ellipsoids.display
    assert group.display


def test_remove(run, session, protease, ellipsoids):
    """Of some residues, or all."""
    run("~dynaprot ellipsoids #1/A")
    assert set(ellipsoids.residues.chain_ids) == {"B"}
    assert len(ellipsoids.triangles) == 99 * 1280
    run("~dynaprot ellipsoids")
    assert ellipsoids.deleted
    assert not session.models.list(type=type(ellipsoids))
    run("~dynaprot ellipsoids")


def test_follows_its_structure(run, protease, ellipsoids):
    """Moved with it, hidden with it, closed with it; also in a transformed copy."""
    run("move x 30 models #1; turn y 90 models #1")
    np.testing.assert_allclose(ellipsoids.scene_position.matrix, protease.scene_position.matrix)
    run("hide #1 models")
    assert not ellipsoids.visible
    run("close #1")
    assert ellipsoids.deleted


def test_frame_of_a_moved_structure(run, protease, ellipsoids):
    """A prediction does not depend on where the structure stands in the scene."""
    before = ellipsoids.vertices.copy()
    run("move z 12 models #1; turn x 77 models #1; dynaprot ellipsoids #1")
    np.testing.assert_array_equal(ellipsoids.vertices, before)


def test_rides_on_atoms_that_move(run, session, protease, ellipsoids, settle):
    """When the atoms themselves turn, as between coordinate sets, the ellipsoids turn with them."""
    from chimerax.geometry import rotation

    before = mesh_of(ellipsoids)
    turn = rotation((1, 2, 3), 40, (5, 6, 7))
    protease.atoms.coords = turn * protease.atoms.coords
    settle()
    matrix = turn.matrix[:, :3]
    for old, new in zip(before, mesh_of(ellipsoids), strict=True):
        np.testing.assert_allclose(new.mean(0), turn * old.mean(0), atol=2e-3)
        np.testing.assert_allclose(np.cov(new.T), matrix @ np.cov(old.T) @ matrix.T, atol=2e-3)


def test_rides_on_coordinate_sets(run, protease, settle):
    """Of an ensemble, whose ellipsoids are where its C-alphas are, whichever conformation is shown."""
    run("dynaprot ensemble #1 count 3 seed 0 model anm")
    (surface,) = run("dynaprot ellipsoids #2 model anm")
    run("coordset #2 3")
    settle()
    calphas = surface.residues.existing_principal_atoms
    np.testing.assert_allclose(mesh_of(surface).mean(1), calphas.coords, atol=2e-3)


def test_deleted_residues_lose_their_ellipsoids(run, session, protease, ellipsoids, settle):
    """Others keep their own, with their colour."""
    colors = ellipsoids.residue_colors
    run("color #1.1 green; delete #1/A:3-7")
    settle()
    assert len(ellipsoids.residues) == 193
    assert len(ellipsoids.triangles) == 193 * 1280
    run("dynaprot ellipsoids #1; delete #1/A:20@CA; delete #1/A:30@C")  # of which C is rebuilt
    settle()
    assert len(ellipsoids.residues) == 192
    assert len(colors) == 198
    run("delete #1/A,B & protein")
    settle()
    assert ellipsoids.deleted


def test_changed_coordinates_are_predicted_anew(run, protease, log):
    """A kept prediction serves as long as the coordinates are the same."""

    def made():
        return sum("predicted in" in text for _, text in log)

    run("dynaprot ellipsoids #1 model anm; dynaprot rmsf #1; dynaprot ellipsoids #1/A:1-20/B:5 probability 0.2")
    assert made() == 1
    protease.atoms.coords = protease.atoms.coords * 1.01
    run("dynaprot ellipsoids #1")
    assert made() == 2
    run("dynaprot ellipsoids #1 model default")
    assert made() == 3
    run("dynaprot ellipsoids #1 model anm")
    assert made() == 3


def test_a_point_on_an_ellipsoid_is_its_residue(ellipsoids, settle):
    """Picking tells the residue, and selecting the pick marks its part of the surface and no other."""
    centres = mesh_of(ellipsoids).mean(1)
    outermost = int(np.argmax(centres[:, 2]))
    above = centres[outermost] + [0, 0, 50]
    pick = ellipsoids.first_intercept(above, centres[outermost])
    assert pick.residue is ellipsoids.residues[outermost]
    assert pick.description() == str(pick.residue)
    pick.select()
    settle()
    marked = np.flatnonzero(ellipsoids.highlighted_triangles_mask)
    np.testing.assert_array_equal(marked, np.arange(1280 * outermost, 1280 * (outermost + 1)))


def test_selected_residues_are_highlighted(run, session, protease, ellipsoids, settle):
    """A selection made elsewhere shows on the surface, and one of the surface selects residues."""
    run("select #1/B:10-12")
    settle()
    assert ellipsoids.highlighted_triangles_mask.sum() == 3 * 1280
    run("~select")
    settle()
    assert ellipsoids.highlighted_triangles_mask is None
    ellipsoids.selected = True
    assert protease.residues.selected.sum() == 198


def test_a_drag_over_the_scene_picks_residues(ellipsoids):
    """A box around everything touches every residue."""
    low, high = ellipsoids.vertices.min(0) - 1, ellipsoids.vertices.max(0) + 1
    planes = np.concatenate([np.c_[np.eye(3), -low], np.c_[-np.eye(3), high]])
    (pick,) = ellipsoids.planes_pick(planes.astype(np.float32))
    assert len(pick.residues) == 198


def test_commands_of_the_host(run, ellipsoids):
    """Colour and transparency given by the host's own commands survive the next drawing."""
    run("color #1.1 purple; transparency #1.1 50")
    ellipsoids.keep(np.arange(198) < 50)
    assert ellipsoids.residue_colors[0].tolist()[:3] == [128, 0, 128]
    assert 120 < ellipsoids.residue_colors[0][3] < 135


def test_session(run, session, protease, tmp_path, settle, log):
    """A saved session brings back geometry, colours and the prediction, and nothing is predicted again."""
    (surface,) = run("dynaprot ellipsoids #1/A model anm probability 0.7 style both")
    vertices, colors = surface.vertices.copy(), surface.vertex_colors.copy()
    (dynamics,) = run("dynaprot rmsf #1/A key false")
    run("move x 5 models #1")
    run(f'save "{tmp_path}/ellipsoids.cxs"')
    session.reset()
    run(f'open "{tmp_path}/ellipsoids.cxs"')
    log.clear()
    (restored,) = session.models.list(type=type(surface))
    assert restored is not surface
    assert restored.parent.name == "1hpv.pdb"
    np.testing.assert_allclose(restored.vertices, vertices, atol=1e-4)
    np.testing.assert_array_equal(restored.vertex_colors, colors)
    (kept,) = run("dynaprot rmsf #1/A key false")
    assert not [text for _, text in log if "predicted in" in text]
    np.testing.assert_array_equal(kept.rmsf, dynamics.rmsf)
    np.testing.assert_array_equal(kept.coupling, dynamics.coupling)
    run("delete #1/A:1-5")
    settle()
    assert len(restored.residues) == 94


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("dynaprot ellipsoids #1 probability 1.5", "must lie between 0 and 1, not 1.5"),
        ("dynaprot ellipsoids #1 probability 0.5 scale 1", "either the probability or the scale"),
        ("dynaprot ellipsoids #1 scale 0", "Must be greater than 0"),
        ("dynaprot ellipsoids #1 scale inf", "Must be a finite number"),
        ("dynaprot ellipsoids #1 scale nan", "Must be a finite number"),
        ("dynaprot ellipsoids #1 transparency nan", "Must be a finite number"),
        ("dynaprot ellipsoids #1 smoothing 9", "Must be less than or equal to 5"),
        ("dynaprot ellipsoids #1 colorBy chain key true", "need colorBy rmsf or anisotropy"),
        ("dynaprot ellipsoids ligand", r"1hpv\.pdb #1: no protein residue was given"),
        ("dynaprot ellipsoids #1/A:1-3@CA & #1/B", "No residue of an atomic structure was given"),
        (
            "dynaprot ellipsoids #1 model nonsense",
            r"no model 'nonsense'\. Choose one of default, dynaprot-1, springs-1, springs-2, prior, anm",
        ),
    ],
)
def test_refusals(run, protease, command, text):
    """One clear message each, and nothing is drawn."""
    from chimerax.core.errors import UserError

    with pytest.raises(UserError, match=text):
        run(command)
    assert not protease.child_models()


def test_only_a_residue_without_backbone(run, protease):
    """There is nothing to draw of it."""
    from chimerax.core.errors import UserError

    run("delete #1/A:50@CA")
    with pytest.raises(UserError, match=r"1hpv\.pdb #1: none of the residues given has N, CA and C"):
        run("dynaprot ellipsoids #1/A:50")


@pytest.mark.parametrize("style", ["ellipsoid", "axes", "both"])
def test_picture(run, protease, picture, style):
    """Ellipsoids are really drawn, from blue to red."""
    run(f"hide atoms; hide cartoon; dynaprot ellipsoids #1 style {style} key true")
    run("key pos 0.3,0.06 size 0.4,0.03; view")
    red, _, blue = np.moveaxis(picture(f"ellipsoids-{style}"), -1, 0)
    assert (red - blue > 60).mean() > 0.002
    assert (blue - red > 40).mean() > 0.005


def test_what_moves_too_far_has_no_ellipsoid(run, log):
    """It is named in a warning; alone, it is refused."""
    import gzip
    import tempfile
    from pathlib import Path

    from chimerax.core.errors import UserError

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tailed.pdb")
        packed = Path(__file__).parents[1] / "structures" / "tail_of_60.pdb.gz"
        file.write_bytes(gzip.decompress(packed.read_bytes()))
        run(f'open "{file}"')
    (dynamics,) = run("dynaprot predict #1")
    drawn = dynamics.rmsf <= 15.0
    (surface,) = run("dynaprot ellipsoids #1")
    assert len(surface.residues) == drawn.sum() < len(drawn)
    assert any(level == "warning" and "no ellipsoid of A:" in text for level, text in log)
    numbers = dynamics.structure.residue_ids[~drawn]
    with pytest.raises(UserError, match="beyond 15 Å"):
        run(f"dynaprot ellipsoids #1/A:{numbers[0]}-{numbers[-1]}")

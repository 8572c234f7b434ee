"""What PyMOL renders: the ellipsoid of each residue has the axes of its covariance, and pictures show them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.image import imread

SIZE = 400


def silhouette(cmd, name, path):
    """Pixels that an object covers in a picture taken along the view's z, shape=(SIZE, SIZE), dtype=bool."""
    cmd.disable("*")
    cmd.enable(name)
    cmd.png(str(path), SIZE, SIZE, ray=1, quiet=1)
    return imread(path)[:, :, :3].min(-1) < 0.9


def ellipse(pixels):
    """Semi-axes in pixels, longest first, and direction (x right, y up) of the longest of a filled ellipse."""
    y, x = np.nonzero(pixels)
    variances, directions = np.linalg.eigh(np.cov(np.stack([x, -y])))
    return 2.0 * np.sqrt(variances[::-1]), directions[:, 1]


@pytest.fixture
def scene(cmd):
    """A scene in which a pixel's colour tells only whether it is covered."""
    for setting, value in {
        "orthoscopic": 1, "depth_cue": 0, "ray_shadows": 0, "ambient": 0, "direct": 0, "reflect": 0,
        "specular": 0, "antialias": 0, "ray_opaque_background": 1,
    }.items():  # fmt: skip
        cmd.set(setting, value)
    cmd.bg_color("white")
    return cmd


@pytest.mark.parametrize("probability", [0.11, 0.5, 0.9])
def test_rendered_axes_are_the_covariances(scene, core, drawn, pymol_data, tmp_path, probability):
    """Seen along its shortest axis, an ellipsoid shows the other two: their directions, and their lengths in Å
    at the exact radius of the probability, also of one that PyMOL's table does not have."""
    cmd = scene
    cmd.load(pymol_data / "data/demo/il2.pdb", "molecule")
    cmd.do(f"dynaprot_ellipsoids molecule, {probability}, model=anm")
    dynamics = drawn("molecule_ellipsoids")
    radius = core_radius(probability)
    residue = int(np.argmax(dynamics.rmsf))
    chosen = f"molecule_ellipsoids and resi {dynamics.residues[residue][1]}"
    cmd.hide("everything", f"molecule_ellipsoids and not ({chosen})")
    variances, axes = np.linalg.eigh(dynamics.covariances[residue])
    assert variances[2] > 1.2 * variances[1] > 1.2 * variances[0]
    tilt = math.radians(30)
    longest = math.cos(tilt) * axes[:, 2] + math.sin(tilt) * axes[:, 1]
    right, up, towards = longest, np.cross(axes[:, 0], longest), axes[:, 0]
    turn = np.stack([right, up, towards])  # rows: the view's axes in the frame of the model
    centre = dynamics.positions[residue]
    cmd.set_view([*turn.T.ravel(), 0, 0, -45, *centre, 30, 60, 20])

    # A sphere of radius 1 Å at the same place tells how many pixels an Å has.
    cmd.pseudoatom("ruler", pos=centre.tolist(), vdw=1.0)
    cmd.show_as("spheres", "ruler")
    angstrom = ellipse(silhouette(cmd, "ruler", tmp_path / "ruler.png"))[0].mean()
    assert angstrom > 20
    lengths, direction = ellipse(silhouette(cmd, "molecule_ellipsoids", tmp_path / "ellipsoid.png"))
    np.testing.assert_allclose(lengths / angstrom, radius * np.sqrt(variances[:0:-1]), rtol=0.02)
    expected = (turn @ axes[:, 2])[:2]
    assert abs(direction @ expected) > math.cos(math.radians(3))


def core_radius(probability):
    """Radius that holds the probability, from samples of a 3D Gaussian: independent of the core's formula."""
    samples = np.random.default_rng(0).standard_normal((1_000_000, 3))
    return np.quantile(np.linalg.norm(samples, axis=1), probability)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("dynaprot_coupling molecule, 0.3", "molecule_couplings"),
        ("dynaprot_ensemble molecule, 5", "molecule_ensemble"),
        ("dynaprot_modes molecule, 1, 4", "molecule_modes"),
        ("dynaprot_modes molecule, 1, 4", "molecule_modes_arrows"),
    ],
)
def test_every_drawing_is_seen(scene, pymol_data, tmp_path, command, name):
    """Ray traced without a window, each object covers part of the picture, and the overlay more than one state."""
    cmd = scene
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.do(f"{command}, model=anm")
    cmd.orient("molecule")
    covered = silhouette(cmd, name, tmp_path / "picture.png").mean()
    assert 0.002 < covered < 0.5
    if name == "molecule_ensemble":
        cmd.set("all_states", 0, name)
        assert silhouette(cmd, name, tmp_path / "one.png").mean() < covered / 1.5


def test_a_ray_traced_picture_shows_protein_colours_and_legend(cmd, pymol_data, tmp_path):
    """A ray-traced picture is not blank: it holds blue and red ellipsoids and the legend below them."""
    cmd.load(pymol_data / "data/tut/1hpv.pdb", "molecule")
    cmd.show_as("cartoon", "molecule")
    cmd.color("grey70", "molecule")
    cmd.bg_color("white")
    cmd.set("ray_opaque_background", 1)
    cmd.do("dynaprot_ellipsoids molecule, 0.5, palette=blue_white_red, model=anm")
    cmd.orient("molecule")
    picture = tmp_path / "ellipsoids.png"
    cmd.png(str(picture), 800, 600, ray=1)
    red, green, blue = np.moveaxis(imread(picture)[:, :, :3], -1, 0)
    blueish, reddish = blue - np.maximum(red, green) > 0.4, red - np.maximum(blue, green) > 0.4
    for colour in (blueish, reddish):
        assert colour[:450].sum() > 200
        assert colour[450:].sum() > 200
    assert np.minimum(np.minimum(red, green), blue).mean() > 0.5

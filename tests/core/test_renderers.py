"""Files and pictures: what is written must be read back by others, and a picture must show what it claims."""

from __future__ import annotations

import base64
import csv
import io
import re
import sys
from pathlib import Path

import chemfiles
import gemmi
import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import image
from PIL import Image
from scipy.stats import chi

from dynaprot import Atoms, Dynamics, DynaProtError, OutputError, Structure
from dynaprot.analysis.ellipsoids import axes, colour_limits, contour_radius, drawable
from dynaprot.figures import ray_caster
from dynaprot.figures.pictures import draw_coupling, draw_ellipsoids, draw_rmsf
from dynaprot.figures.ray_caster import RayCaster, Seen
from dynaprot.figures.residue_axis import numbered_places, top_of_axis
from dynaprot.files.structure_files import write_mmcif, write_pdb
from dynaprot.files.tables import write_residues_csv
from dynaprot.files.trajectories import write_ensemble
from dynaprot.joint import FactoredJoint
from dynaprot.storage import replacing

PICTURES = [draw_rmsf, draw_coupling, draw_ellipsoids]
seeds = st.integers(0, 2**32 - 1)


def helix(size: int) -> np.ndarray:
    """N, CA and C (size, 3, 3) of an ideal alpha helix, Å."""
    radius, angle, rise = np.array([1.55, 2.28, 1.66]), np.radians([-27.5, 0.0, 26.4]), np.array([-0.9, 0.0, 1.1])
    turn = np.radians(100.0) * np.arange(size)[:, None] + angle
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), 1.5 * np.arange(size)[:, None] + rise], axis=-1)


def spd(count: int, seed: int, scale: float = 1.0) -> np.ndarray:
    """Random covariances (count, 3, 3)."""
    root = np.random.default_rng(seed).normal(size=(count, 3, 3)) * scale
    return root @ root.transpose(0, 2, 1) + 0.05 * np.eye(3)


def two_chains(scale: float = 0.6, **changes: object) -> Dynamics:
    """Two helices, the first with a gap in its numbering and chain and with an insertion."""
    first, second = helix(14), helix(8) + np.array([15.0, 0.0, 0.0])
    first[9:] += [0.0, 0.0, 6.0]
    positions = np.concatenate([first, second])
    arguments = {
        "sequence": "MKVLAAGIVGLSDEACDEFGHI",
        "chain_ids": ["A"] * 14 + ["B"] * 8,
        "residue_ids": [*map(str, (-1, 0, 1, 2)), "2A", *map(str, (3, 4, 5, 6, *range(12, 17), *range(1, 9)))],
        "name": "two chains",
        **changes,
    }
    structure = Structure.from_arrays(positions[:, 0], positions[:, 1], positions[:, 2], **arguments)
    distance = np.abs(np.subtract.outer(np.arange(22), np.arange(22)))
    return Dynamics(structure, FactoredJoint(spd(22, 3, scale), 0.8**distance), "test")


def with_side_chains(dynamics: Dynamics) -> Dynamics:
    """The same, its structure with atoms N, CA, C and CB, stored out of order."""
    old = dynamics.structure
    size = len(old)
    positions = np.stack([old.n, old.ca, old.c, old.ca + np.array([0.0, 0.0, 1.5])], axis=1).reshape(-1, 3)
    order = np.random.default_rng(0).permutation(4 * size)
    order = order[np.argsort(np.tile(np.arange(4), size)[order], kind="stable")]
    names, elements = np.tile(["N", "CA", "C", "CB"], size), np.tile(["N", "C", "C", "C"], size)
    atoms = Atoms(names[order], elements[order], positions[order], np.repeat(np.arange(size), 4)[order])
    structure = Structure.from_arrays(
        old.n, old.ca, old.c, old.sequence, old.chain_ids, old.residue_ids, name=old.name, atoms=atoms
    )
    return Dynamics(structure, dynamics.joint, dynamics.model)


def alpha_carbons(file: Path) -> list[tuple[gemmi.Chain, gemmi.Residue, gemmi.Atom]]:
    model = gemmi.read_structure(str(file))[0]
    return [(chain, residue, residue["CA"][0]) for chain in model for residue in chain]


def frames(file: Path) -> np.ndarray:
    """Positions (n, A, 3) of all models or frames, Å."""
    if file.suffix == ".pdb":
        models = gemmi.read_structure(str(file))
        return np.array([[place.atom.pos.tolist() for place in model.all()] for model in models])
    with chemfiles.Trajectory(str(file)) as trajectory:
        read = [trajectory.read() for _ in range(trajectory.nsteps)]  # positions live no longer than their frame
        return np.array([frame.positions for frame in read])


@given(st.floats(1e-9, 1.0 - 1e-12))
def test_contour_radius_is_the_quantile_of_the_chi_distribution(probability: float) -> None:
    """The closed form, inverted by Newton's method, agrees with an independent program over the whole range."""
    assert contour_radius(probability) == pytest.approx(chi.ppf(probability, 3), rel=1e-5)


def test_contour_radius_holds_the_share_of_samples() -> None:
    """Half of the samples of a Gaussian lie within its 50 % ellipsoid."""
    covariance = spd(1, 5)[0]
    samples = np.random.default_rng(0).multivariate_normal(np.zeros(3), covariance, 40_000)
    inside = np.einsum("ni,ij,nj->n", samples, np.linalg.inv(covariance), samples) < contour_radius(0.5) ** 2
    assert inside.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.5, 50.0, float("nan")])
def test_contour_radius_refuses_what_is_no_probability(probability: float) -> None:
    """A percentage given for a share is an error, not a huge ellipsoid."""
    with pytest.raises(DynaProtError, match="between 0 and 1"):
        contour_radius(probability)


@given(seeds)
def test_axes_rebuild_the_covariance_and_are_a_rotation(seed: int) -> None:
    """Longest first, orthonormal, right-handed, and nothing of the covariance is lost."""
    marginals = spd(5, seed)
    directions, lengths = axes(marginals)
    rebuilt = np.einsum("nki,nk,nkj->nij", directions, lengths**2, directions)
    np.testing.assert_allclose(rebuilt, marginals, atol=1e-10)
    np.testing.assert_allclose(np.linalg.det(directions), 1.0)
    assert (np.diff(lengths, axis=1) <= 0.0).all()


def test_table_has_a_line_for_each_residue_with_its_numbers(tmp_path: Path) -> None:
    """A script that reads the table gets the prediction back, matched to the author's numbers."""
    dynamics = two_chains()
    write_residues_csv(dynamics, tmp_path / "residues.csv")
    with open(tmp_path / "residues.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["residue_id"] for row in rows] == list(dynamics.structure.residue_ids)
    assert "".join(row["secondary_structure"] for row in rows) == dynamics.structure.secondary_structure
    np.testing.assert_allclose([float(row["rmsf_A"]) for row in rows], dynamics.rmsf, rtol=1e-5)
    np.testing.assert_allclose([float(row["U13_A2"]) for row in rows], dynamics.marginals[:, 0, 2], rtol=1e-5)


@pytest.mark.parametrize("suffix", ["pdb", "cif"])
@pytest.mark.parametrize("all_atoms", [False, True])
def test_structure_files_give_back_identity_and_motion(tmp_path: Path, suffix: str, all_atoms: bool) -> None:
    """An independent parser finds the author's chain, number and insertion code, B, and U on C-alpha only."""
    dynamics = with_side_chains(two_chains()) if all_atoms else two_chains()
    path = tmp_path / f"x.{suffix}"
    (write_pdb if suffix == "pdb" else write_mmcif)(dynamics, path)
    read = alpha_carbons(path)
    structure = dynamics.structure
    assert [chain.name for chain, _, _ in read] == list(structure.chain_ids)
    assert [str(residue.seqid) for _, residue, _ in read] == list(structure.residue_ids)
    assert [residue.name for _, residue, _ in read] == list(structure.residue_names)
    assert {len(residue) for _, residue, _ in read} == {4 if all_atoms else 3}
    np.testing.assert_allclose([atom.pos.tolist() for _, _, atom in read], structure.ca, atol=6e-4)
    b_factors = 8.0 * np.pi**2 / 3.0 * dynamics.rmsf**2
    np.testing.assert_allclose([atom.b_iso for _, _, atom in read], b_factors, atol=6e-3)
    for (_, residue, atom), covariance in zip(read, dynamics.marginals, strict=True):
        np.testing.assert_allclose(atom.aniso.as_mat33().tolist(), covariance, atol=6e-5)
        assert [other.name for other in residue if other.aniso.nonzero()] == ["CA"]


def test_prody_reads_the_same_ellipsoids(tmp_path: Path) -> None:
    """A second independent parser agrees about ANISOU."""
    prody = pytest.importorskip("prody")
    dynamics = two_chains()
    write_pdb(dynamics, tmp_path / "x.pdb")
    prody.confProDy(verbosity="none")
    read = prody.parsePDB(str(tmp_path / "x.pdb")).select("name CA").getAnisous()
    u = dynamics.marginals
    expected = np.stack([u[:, 0, 0], u[:, 1, 1], u[:, 2, 2], u[:, 0, 1], u[:, 0, 2], u[:, 1, 2]], axis=1)
    np.testing.assert_allclose(read, expected, atol=6e-5)


def test_ellipsoids_too_large_for_pdb_keep_their_shape_and_are_reported(tmp_path: Path) -> None:
    """ANISOU and B overflow their columns: the whole tensor shrinks, the user is told, and mmCIF is exact."""
    dynamics = two_chains(scale=25.0)
    notices = write_pdb(dynamics, tmp_path / "x.pdb")
    assert len(notices) == 2
    text = " ".join(
        line[11:].strip() for line in (tmp_path / "x.pdb").read_text(encoding="utf-8").splitlines() if "REMARK" in line
    )
    assert all(notice in text for notice in notices)
    scaled = np.array([atom.aniso.as_mat33().tolist() for _, _, atom in alpha_carbons(tmp_path / "x.pdb")])
    factor = np.trace(scaled, axis1=1, axis2=2) / np.trace(dynamics.marginals, axis1=1, axis2=2)
    assert factor.min() < 0.9
    assert factor.max() <= 1.0 + 1e-6
    np.testing.assert_allclose(scaled, factor[:, None, None] * dynamics.marginals, atol=1e-3)
    write_mmcif(dynamics, tmp_path / "x.cif")
    exact = np.array([atom.aniso.as_mat33().tolist() for _, _, atom in alpha_carbons(tmp_path / "x.cif")])
    np.testing.assert_allclose(exact, dynamics.marginals, rtol=1e-4, atol=1e-2)


def test_long_chain_names_are_shortened_in_pdb_only(tmp_path: Path) -> None:
    """PDB has one letter for a chain: the file and the notice say which; mmCIF keeps the name."""
    dynamics = two_chains(chain_ids=["heavy"] * 14 + ["light"] * 8)
    notices = write_pdb(dynamics, tmp_path / "x.pdb")
    short = list(dict.fromkeys(chain.name for chain, _, _ in alpha_carbons(tmp_path / "x.pdb")))
    assert [len(name) for name in short] == [1, 1]
    assert [f"Chain heavy is named {short[0]}", f"Chain light is named {short[1]}"] == [
        notice.partition(" in the")[0] for notice in notices
    ]
    write_mmcif(dynamics, tmp_path / "x.cif")
    assert {chain.name for chain, _, _ in alpha_carbons(tmp_path / "x.cif")} == {"heavy", "light"}


def test_numbers_above_9999_survive_in_pdb(tmp_path: Path) -> None:
    """Hybrid-36 numbers are read back as what they stand for."""
    dynamics = two_chains(residue_ids=[str(9990 + k) for k in range(22)])
    (notice,) = write_pdb(dynamics, tmp_path / "x.pdb")
    assert "hybrid-36" in notice
    assert [residue.seqid.num for _, residue, _ in alpha_carbons(tmp_path / "x.pdb")] == list(range(9990, 10012))


def test_what_pdb_cannot_hold_is_refused_without_leaving_a_file(tmp_path: Path) -> None:
    """More chains than letters, or an id that is no number: an error that points at the way out."""
    size = 70
    positions = np.tile(helix(1), (size, 1, 1)) + 9.0 * np.arange(size)[:, None, None]
    structure = Structure.from_arrays(*positions.transpose(1, 0, 2), "A" * size, [f"c{k}" for k in range(size)])
    dynamics = Dynamics(structure, FactoredJoint(spd(size, 1), np.eye(size)), "test")
    with pytest.raises(OutputError, match="write mmCIF instead"):
        write_pdb(dynamics, tmp_path / "x.pdb")
    with pytest.raises(OutputError, match="B MET first"):
        write_pdb(two_chains(chain_ids=["B"] * 22, residue_ids=["first", *map(str, range(21))]), tmp_path / "x.pdb")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_chain_has_a_gap_in_mmcif_label_numbers(tmp_path: Path) -> None:
    """Viewers join consecutive label numbers, so missing residues must leave a gap; each chain starts at 1."""
    write_mmcif(two_chains(), tmp_path / "x.cif")
    table = gemmi.cif.read(str(tmp_path / "x.cif")).sole_block().find("_atom_site.", ["label_atom_id", "label_seq_id"])
    numbers = [int(row[1]) for row in table if row[0] == "CA"]
    assert numbers == [*range(1, 10), *range(11, 16), *range(1, 9)]


@pytest.mark.parametrize(("suffix", "tolerance"), [(".pdb", 6e-4), (".dcd", 1e-5), (".xtc", 6e-3)])
@pytest.mark.parametrize("all_atoms", [False, True])
def test_ensembles_are_read_back_sample_by_sample(
    tmp_path: Path, suffix: str, tolerance: float, all_atoms: bool
) -> None:
    """As many models or frames as samples, each with its coordinates, named by the topology beside it."""
    dynamics = with_side_chains(two_chains())
    structure = dynamics.structure
    samples = dynamics.sample(5, seed=1)
    expected = samples
    if all_atoms:
        samples = structure.atoms.positions + (samples - structure.ca)[:, structure.atoms.residue]
        expected = samples[:, np.argsort(structure.atoms.residue, kind="stable")]
    written = write_ensemble(structure, samples, tmp_path / f"x{suffix}")
    assert sorted(tmp_path.iterdir()) == sorted(written)
    read = frames(written[0])
    assert read.shape == expected.shape
    np.testing.assert_allclose(read, expected, atol=tolerance)
    names = alpha_carbons(written[-1])
    assert [str(residue.seqid) for _, residue, _ in names] == list(structure.residue_ids)
    if suffix != ".pdb":
        np.testing.assert_allclose([atom.pos.tolist() for _, _, atom in names], structure.ca, atol=6e-4)


def test_ensembles_of_the_wrong_shape_or_format_are_refused(tmp_path: Path) -> None:
    """The message says which shapes and formats there are."""
    structure = two_chains().structure
    with pytest.raises(OutputError, match=r"\(n, 22, 3\)"):
        write_ensemble(structure, np.zeros((2, 21, 3)), tmp_path / "x.pdb")
    with pytest.raises(OutputError, match=r"\.pdb, \.dcd, \.xtc"):
        write_ensemble(structure, np.zeros((2, 22, 3)), tmp_path / "x.trr")
    assert list(tmp_path.iterdir()) == []


def test_trajectories_that_cannot_be_written_are_output_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without chemfiles the message says how to get it; what it cannot open is reported as by any writer."""
    structure, samples = two_chains().structure, np.zeros((1, 22, 3))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "chemfiles", None)
        with pytest.raises(OutputError, match="pip install chemfiles"):
            write_ensemble(structure, samples, tmp_path / "x.dcd")
    with pytest.raises(OutputError, match=r"missing/x\.dcd"):
        write_ensemble(structure, samples, tmp_path / "missing" / "x.dcd")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_a_target_survives_a_failed_write(tmp_path: Path, failure: BaseException) -> None:
    """Neither half a file nor a temporary one is left when writing stops in the middle."""
    target = tmp_path / "x.txt"
    target.write_text("old")

    def write() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise failure

    with pytest.raises((OutputError, KeyboardInterrupt)):
        write()
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]
    with replacing(target) as temporary:
        temporary.write_text("new")
    assert target.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("write", [write_pdb, write_mmcif, write_residues_csv, *PICTURES])
def test_every_writer_names_the_path_it_cannot_write(tmp_path: Path, write: object) -> None:
    """A folder that does not exist is an `OutputError` that names the file."""
    path = tmp_path / "missing" / "result.png"
    with pytest.raises(OutputError, match=r"result\.png"):
        write(two_chains(), path)


@pytest.mark.parametrize("draw", PICTURES)
def test_pictures_leave_pyplot_and_its_settings_alone(tmp_path: Path, draw: object) -> None:
    """A host that draws with matplotlib keeps its figures, and its style."""
    before = dict(matplotlib.rcParams)
    draw(two_chains(), tmp_path / "x.png")
    assert dict(matplotlib.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []
    pixels = image.imread(tmp_path / "x.png")
    assert pixels.shape[1] == 2160
    assert 0.01 < (pixels[..., :3].min(-1) < 0.9).mean() < 0.9


@pytest.mark.parametrize("draw", PICTURES)
@pytest.mark.parametrize("suffix", ["pdf", "svg"])
def test_pictures_can_be_vector_graphics(tmp_path: Path, draw: object, suffix: str) -> None:
    """Journals want PDF, editors SVG, with the words still words."""
    draw(two_chains(), tmp_path / f"x.{suffix}")
    content = (tmp_path / f"x.{suffix}").read_bytes()
    assert content.startswith(b"%PDF" if suffix == "pdf" else b"<?xml")
    assert (b"/Font" if suffix == "pdf" else b"</text>") in content


@pytest.mark.parametrize("draw", PICTURES)
def test_a_png_is_opaque_and_knows_its_resolution(tmp_path: Path, draw: object) -> None:
    """A word processor gives it the width of two columns, on paper of any colour."""
    draw(two_chains(), tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.mode == "RGB"
        assert picture.info["dpi"] == pytest.approx((300.0, 300.0), abs=0.01)


def test_ellipsoids_lie_in_vector_graphics_dot_for_dot(tmp_path: Path) -> None:
    """The largest image of the SVG is as large on the page as 300 of its pixels an inch make it."""
    draw_ellipsoids(two_chains(), tmp_path / "x.svg")
    images = re.findall(r"<image [^>]*>", (tmp_path / "x.svg").read_text(encoding="utf-8"))
    largest = max(images, key=len)
    encoded = re.search(r'base64,\s*([^"]+)"', largest)[1]
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        for side, pixels in zip(("width", "height"), picture.size, strict=True):
            assert float(re.search(rf' {side}="([\d.]+)', largest)[1]) == pytest.approx(pixels * 72.0 / 300.0, abs=0.01)


def test_an_unknown_picture_format_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """The message says what to write instead, and nothing is left behind."""
    with pytest.raises(OutputError, match=r"written as \.png, \.svg, \.pdf"):
        draw_coupling(two_chains(), tmp_path / "x.docx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("draw", PICTURES)
def test_pictures_of_extreme_proteins_are_drawn(tmp_path: Path, draw: object) -> None:
    """Equal fluctuations, ids that are no numbers, single unbonded residues and names without letters all work."""
    positions = np.tile(helix(1), (5, 1, 1)) + 9.0 * np.arange(5)[:, None, None]
    labels = (["", "", "long name", "B", "B"], ["?", "1", "", "7", "3"])
    structure = Structure.from_arrays(*positions.transpose(1, 0, 2), "AAAAA", *labels)
    dynamics = Dynamics(structure, FactoredJoint(np.tile(np.eye(3), (5, 1, 1)), np.eye(5)), "test")
    draw(dynamics, tmp_path / "x.png")
    assert (tmp_path / "x.png").exists()


def seen_by(caster: RayCaster) -> Seen:
    """What one ray through the middle of each pixel meets."""
    return caster.scene(1.0).cast(np.zeros(2, dtype=int), np.array([caster.width, caster.height]))


@given(seeds)
def test_an_ellipsoid_covers_its_analytic_silhouette(seed: int) -> None:
    """Seen along z, the outline is d' S_xy^-1 d = 1: to within the width of a sample."""
    covariance = spd(1, seed)[0] * 30.0**2 / 3.0
    caster = RayCaster(400, 400, supersampling=1)
    caster.add_ellipsoids(np.zeros((1, 3)), covariance[None], np.ones((1, 3)))
    y, x = np.mgrid[:400, :400] - 199.5
    offset = np.stack([x, y], axis=-1)
    depth = np.einsum("yxi,ij,yxj->yx", offset, np.linalg.inv(covariance[:2, :2] + 0.25 * np.eye(2)), offset)
    covered = seen_by(caster).surface == 1
    edge = np.abs(depth - 1.0) < 1e-3  # single precision may err there
    np.testing.assert_array_equal(covered[~edge], depth[~edge] <= 1.0)
    assert covered.sum() == pytest.approx(np.pi * np.sqrt(np.linalg.det(covariance[:2, :2])), rel=0.1)


@given(seeds)
def test_the_front_of_an_ellipsoid_lies_on_its_surface(seed: int) -> None:
    """Depth and plane together fulfil the equation of the ellipsoid, on the side of the viewer."""
    covariance = spd(1, seed)[0] * 20.0**2
    caster = RayCaster(300, 300, supersampling=1)
    caster.add_ellipsoids(np.zeros((1, 3)), covariance[None], np.ones((1, 3)))
    seen = seen_by(caster)
    row, column = np.nonzero(seen.surface)
    points = np.stack([column - 149.5, row - 149.5, seen.depth[row, column]], axis=1)
    inverse = np.linalg.inv(covariance + 0.25 * np.eye(3))
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", points, inverse, points), 1.0, atol=1e-2)
    assert ((points @ inverse)[:, 2] > -1e-2).all()


def test_the_nearer_surface_hides_the_farther() -> None:
    """Of a red sphere in front of a blue one, and a green tube behind both, only what is in front is seen."""
    red, green, blue = np.eye(3)[:, None]
    sphere = 20.0**2 * np.eye(3)[None]
    caster = RayCaster(120, 120)
    caster.add_ellipsoids(np.array([[0.0, 0.0, 30.0]]), sphere, red)
    caster.add_ellipsoids(np.array([[15.0, 0.0, 0.0]]), sphere, blue)
    line = np.stack([np.linspace(-50.0, 50.0, 200), np.zeros(200), np.full(200, -40.0)], axis=1)
    caster.add_tube(line, np.tile([1.0, 0.0, 0.0], (200, 1)), 5.0, np.tile(green, (200, 1)))
    picture = caster.picture(angstrom=10.0)
    assert picture[60, 60, :3].argmax() == 0
    assert picture[60, 90, :3].argmax() == 2
    assert picture[60, 15, :3].argmax() == 1
    assert picture[5, 5, 3] == 0.0


@pytest.mark.parametrize("radius", [0.1, 2.0, 5.0, 9.9, 10.0, 14.3])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_straight_tube_is_as_wide_as_asked_and_has_straight_edges(radius: float, axis: int) -> None:
    """The spheres that it is made of do not show: it is of one width, to a sample, wherever it is cut."""
    caster = RayCaster(150, 150)
    count = int(np.ceil(100.0 / (radius / 3.0)))
    line, tangents = np.zeros((2, count, 3))
    line[:, axis] = np.linspace(-50.0, 50.0, count)
    tangents[:, axis] = 1.0
    caster.add_tube(line, tangents, radius, np.ones((count, 3)))
    widths = (seen_by(caster).surface > 0).sum(axis)[30:120]
    assert widths.min() == widths.max()
    assert abs(widths[0] - 2.0 * radius) <= 1.0


def test_a_picture_has_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same picture, whatever tiles it is made of."""
    rng = np.random.default_rng(0)
    caster = RayCaster(211, 157)
    positions = rng.uniform(-70.0, 70.0, (30, 3))
    caster.add_ellipsoids(positions, spd(30, 1) * 9.0**2, rng.uniform(size=(30, 3)))
    line = np.linspace([-100.0, -60.0, 0.0], [100.0, 60.0, 0.0], 200)
    caster.add_tube(line, np.tile([0.86, 0.51, 0.0], (200, 1)), 4.0, np.full((200, 3), 0.6))
    pictures = []
    for tile in (32, 1000):
        monkeypatch.setattr(ray_caster, "TILE", tile)
        pictures.append(caster.picture(angstrom=8.0).astype(int))
    assert pictures[0].shape == (157, 211, 4)
    # Coordinates count from a tile's corner, so that the last bit of a sample on an edge may differ.
    assert (np.abs(pictures[0] - pictures[1]).max(-1) > 2).mean() < 1e-3


def test_an_empty_scene_is_transparent() -> None:
    """Nothing was added, and nothing is seen."""
    assert not RayCaster(20, 10).picture(angstrom=5.0).any()


def test_numbers_on_an_axis_are_round_and_fit() -> None:
    """Insertions bear no number, negative numbers do, zero tells nothing, and there are never more than fit."""
    labels = np.array(["-10", "-9", "0", "52", "52A", "53", "60", "70"])
    assert [labels[k] for k in numbered_places(labels, 3)] == ["-10", "60", "70"]
    for room in range(8):
        assert len(numbered_places(labels, room)) <= room
    assert numbered_places(np.array(["x", "y"]), 2) == [0]


def with_a_floppy_end(rmsf: float = 60.0, count: int = 6) -> Dynamics:
    """The two chains, of which the last residues move farther than an ellipsoid can show."""
    dynamics = two_chains()
    marginals = dynamics.marginals.copy()
    marginals[-count:] *= rmsf**2 / np.trace(marginals[-count:], axis1=1, axis2=2)[:, None, None]
    distance = np.abs(np.subtract.outer(np.arange(22), np.arange(22)))
    return Dynamics(dynamics.structure, FactoredJoint(marginals, 0.8**distance), "test")


def test_what_moves_too_far_takes_no_room_from_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no ellipsoid, the colours span the others, the axis ends at these, and figures say so."""
    calm, floppy = two_chains(), with_a_floppy_end()
    assert drawable(floppy.rmsf).tolist() == [True] * 16 + [False] * 6
    assert colour_limits(floppy.rmsf) == colour_limits(calm.rmsf[:16])
    assert colour_limits(floppy.rmsf[16:]) == pytest.approx((60.0, 60.0)), "where all move so far, they count"
    assert top_of_axis(floppy.rmsf) == pytest.approx(1.06 * calm.rmsf[:16].max())
    drawn: list[int] = []
    add = RayCaster.add_ellipsoids

    def counted(caster: RayCaster, centres: np.ndarray, covariances: np.ndarray, colours: np.ndarray) -> None:
        drawn.append(len(centres))
        add(caster, centres, covariances, colours)

    monkeypatch.setattr(RayCaster, "add_ellipsoids", counted)
    draw_ellipsoids(floppy, tmp_path / "ellipsoids.svg")
    draw_rmsf(floppy, tmp_path / "rmsf.svg")
    assert drawn == [16]
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        draw_ellipsoids(floppy, tmp_path / "ellipsoids.svg")
        draw_rmsf(floppy, tmp_path / "rmsf.svg")
    assert "none for 6 residues beyond 15 Å RMSF" in (tmp_path / "ellipsoids.svg").read_text(encoding="utf-8")
    assert "to 60 Å" in (tmp_path / "rmsf.svg").read_text(encoding="utf-8")

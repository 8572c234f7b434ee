"""`dynaprot_save` and `dynaprot_movie`: files, whole or not there."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise

import numpy as np
import pytest


@pytest.fixture
def peptide(cmd, pymol_data):
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    return cmd


def test_the_archive_is_read_back_by_the_core(peptide, core, tmp_path):
    """The .npz holds the prediction in the frame in which the protein is shown."""
    cmd = peptide
    cmd.create("target", "molecule")
    cmd.rotate("y", 70, "target", camera=0)
    cmd.align("molecule", "target")
    cmd.do(f"dynaprot_save {tmp_path / 'result.npz'}, molecule, model=anm")
    dynamics = core.Dynamics.load(tmp_path / "result.npz")
    np.testing.assert_allclose(dynamics.structure.ca, cmd.get_coords("molecule and name CA"), atol=1e-4)
    np.testing.assert_allclose(dynamics.rmsf, core.predict(dynamics.structure, "anm").rmsf, rtol=1e-6)


@pytest.mark.parametrize(
    ("file", "what", "start"),
    [
        ("table.csv", "", b"chain,"),
        ("motion.pdb", "", b"TITLE"),
        ("motion.cif", "", b"data_"),
        ("many.pdb", "ensemble", b"TITLE"),
        ("curve.png", "rmsf", b"\x89PNG"),
        ("map.pdf", "coupling", b"%PDF"),
        ("shapes.svg", "ellipsoids", b"<?xml"),
        ("first.png", "", b"\x89PNG"),
    ],
)
def test_every_format_is_written(peptide, tmp_path, file, what, start, capfd):
    """The ending and `what` choose what is written, and the path is told."""
    path = tmp_path / file
    peptide.do(f"dynaprot_save {path}, molecule, {what}, 3, model=anm")
    assert path.read_bytes().lstrip().startswith(start)
    assert f"{path} was written." in capfd.readouterr().out


@pytest.mark.parametrize("suffix", ["dcd", "xtc"])
def test_trajectories_need_chemfiles_or_say_so(peptide, tmp_path, suffix, capfd):
    """With chemfiles a trajectory and its topology are written, without it the error says what to install."""
    peptide.do(f"dynaprot_save {tmp_path / 'many'}.{suffix}, molecule, count=3, model=anm")
    output = capfd.readouterr().out
    try:
        import chemfiles  # noqa: F401

        assert sorted(path.name for path in tmp_path.iterdir()) == [f"many.{suffix}", "many_topology.pdb"]
    except ImportError:
        assert "pip install chemfiles" in output
        assert list(tmp_path.iterdir()) == []


def test_an_ensemble_is_the_one_that_is_drawn(peptide, tmp_path):
    """Count and seed mean in a file what they mean in `dynaprot_ensemble`."""
    cmd = peptide
    cmd.do(f"dynaprot_save {tmp_path / 'many.pdb'}, molecule, ensemble, 3, 5, model=anm")
    cmd.do("dynaprot_ensemble molecule, 3, 5, model=anm")
    cmd.load(str(tmp_path / "many.pdb"), "read")
    assert cmd.count_states("read") == 3
    for state in (1, 2, 3):
        np.testing.assert_allclose(
            cmd.get_coords("read", state), cmd.get_coords("molecule_ensemble and name CA", state), atol=2e-3
        )


@pytest.mark.parametrize("mark", ['"', "'"])
def test_a_name_in_quotes_may_hold_anything(peptide, tmp_path, mark):
    """Quotes keep PyMOL from parting a name at its commas and semicolons, and are no part of it."""
    path = tmp_path / "one, two; three (4).csv"
    peptide.do(f"dynaprot_save {mark}{path}{mark}, molecule, model=anm")
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_gets_everything(peptide, tmp_path):
    """Without an ending the name is a folder, with what the command line writes."""
    peptide.do(f"dynaprot_save {tmp_path / 'results'}, molecule, count=2, model=anm")
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        "coupling.png", "dynamics.npz", "ellipsoids.png", "ensemble.pdb", "molecule_dynamics.cif",
        "molecule_dynamics.pdb", "residues.csv", "rmsf.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{}/result.doc, molecule", "Cannot write"),
        ("{}/result.png, molecule, dynamics", "as dynamics. The formats are"),
        ("{}/result.png, molecule, beauty", "'beauty' cannot be saved"),
        ("{}/nowhere/result.npz, molecule", "Cannot write"),
        ("/dev/null/results, molecule", "Cannot make the folder /dev/null/results: Not a directory."),
        (
            "{}/result.npz, all",
            "A file holds the result for one object, but 'all' has 2: choose one of molecule, other.",
        ),
    ],
)
def test_what_cannot_be_saved_is_explained(peptide, tmp_path, arguments, message, capfd):
    """One error, no traceback, no file."""
    peptide.copy("other", "molecule")
    peptide.do(f"dynaprot_save {arguments.format(tmp_path)}")
    output = capfd.readouterr().out
    assert message in output
    assert "Traceback" not in output
    assert list(tmp_path.iterdir()) == []


def test_a_gif_has_every_state_as_a_frame(peptide, tmp_path):
    """The movie loops, has the size and rate that were asked for, and its frames differ."""
    from PIL import Image

    cmd = peptide
    cmd.do("dynaprot_ensemble molecule, 4, overlay=0, model=anm")
    cmd.frame(3)
    cmd.do(f"dynaprot_movie {tmp_path / 'movie.gif'}, 80, 60, 10")
    with Image.open(tmp_path / "movie.gif") as movie:
        assert (movie.n_frames, movie.size, movie.info["duration"], movie.info["loop"]) == (4, (80, 60), 100, 0)
        frames = []
        for k in range(4):
            movie.seek(k)
            frames.append(np.asarray(movie.convert("RGB"), dtype=int))
    assert min(np.abs(a - b).max() for a, b in pairwise(frames)) > 50
    assert cmd.get_frame() == 3


def test_an_mp4_is_written_or_its_encoder_named(peptide, tmp_path, capfd):
    """With ffmpeg a video is written; without it one error says what to install, before a frame is drawn."""
    peptide.do("dynaprot_ensemble molecule, 3, overlay=0, model=anm")
    path = tmp_path / "movie.mp4"
    peptide.do(f"dynaprot_movie {path}, 90, 60")
    output = capfd.readouterr().out
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        program = shutil.which("ffmpeg") or get_ffmpeg_exe()
    except ImportError:
        program = shutil.which("ffmpeg")
    if program:
        told = subprocess.run([program, "-i", path, "-f", "null", "-"], capture_output=True, text=True).stderr
        assert "96x64" in told
        assert "frame=    3" in told
    else:
        assert "pip install imageio-ffmpeg, or write a .gif." in output
        assert "frame 1" not in output
        assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("movie.avi", "movies are written as .mp4 or .gif"),
        ("nowhere/movie.gif", "there is no folder"),
        ("/proc/movie.gif", "Cannot write /proc/movie.gif: No such file or directory."),
        ("movie.gif, wide", "The width must be a whole number, not 'wide'."),
        ("movie.gif, 80, 60, 0", "The rate must be a number of frames per second"),
    ],
)
def test_a_movie_that_cannot_be_made_is_refused(peptide, tmp_path, arguments, message, capfd):
    """One error before any frame, and no file."""
    peptide.do(f"dynaprot_movie {tmp_path / arguments}")
    output = capfd.readouterr().out
    assert message in output
    assert "frame 1" not in output
    assert list(tmp_path.iterdir()) == []

"""The plugin in PyMOL's window: installed from its zip by PyMOL's own installer, then used after a restart."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "out" / "pymol"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home folder in which PyMOL has never run."""
    return tmp_path_factory.mktemp("home")


def run_window(part, home, *arguments):
    """Start PyMOL with its window on a virtual screen, let `window_session.py` drive it, return what it found."""
    if not shutil.which("xvfb-run") and not os.environ.get("CI"):
        pytest.skip("xvfb-run is not installed")
    report_path = home / f"{part}.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(
        ["timeout", "--kill-after=5", "90",  # ends the whole group of processes, the screen too
         "xvfb-run", "-a", "-s", "-screen 0 1400x900x24 +extension GLX",
         sys.executable, "-m", "pymol", "-q", Path(__file__).with_name("window_session.py"),
         "--", part, report_path, *arguments],
        env=environment | {"HOME": str(home)}, cwd=home, check=True,
    )  # fmt: skip
    report = json.loads(report_path.read_text(encoding="utf-8"))
    assert "error" not in report, report["error"]
    return report


def test_plugin_is_installed_and_used(home, plugin_zip, pymol_data):
    """The zip installs, its menu opens the window; predicting, dragging over the map and following work there."""
    installed = run_window("install", home, plugin_zip)
    assert installed["dialogs"][-1] == 'Plugin "dynaprot" has been installed.'
    assert installed["menu"] == ["DynaProt"]
    assert (home / ".pymol" / "startup" / "dynaprot" / "dynaprot" / "prediction.py").is_file()

    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / "window.png"
    picture.unlink(missing_ok=True)
    used = run_window("use", home, pymol_data / "data/tut/1hpv.pdb", picture)
    assert used["dialogs"] == []
    assert used["menu"] == ["DynaProt"]
    assert used["heavy modules at start"] == []
    assert used["completion"].rstrip(", ") == "dynaprot_ellipsoids molecule"
    assert used["opened"]
    assert used["objects"] == ["molecule", "molecule_ellipsoids", "dynaprot_rmsf"]
    assert used["residues"] == 198
    assert used["dragged"] == [[chain, str(number)] for chain in "AB" for number in range(46, 56)]
    assert used["left behind"] > 10
    for command in (
        "dynaprot_predict molecule",
        "dynaprot_ellipsoids molecule, 0.5, rmsf, mobility",
        "select sele, molecule and ((chain A and resi 46-55) or (chain B and resi 46-55))",
    ):
        assert f"PyMOL>{command}" in used["log"]
    assert "Error" not in used["log"]

    # The ellipsoids' blue and red are on the screen; the rest of PyMOL's window has neither.
    red, _, blue = np.moveaxis(imread(picture)[:, :540, :3], -1, 0)
    assert (blue - red > 0.2).sum() > 300
    assert (red - blue > 0.2).sum() > 300

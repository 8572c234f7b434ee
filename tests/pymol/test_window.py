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
    """The zip installs, its menu appears at once and after a restart, and the menu's entry draws the ellipsoids."""
    installed = run_window("install", home, plugin_zip)
    assert installed["dialogs"][-1] == 'Plugin "dynaprot" has been installed.'
    assert installed["menu"] == ["Ellipsoids"]
    assert (home / ".pymol" / "startup" / "dynaprot" / "dynaprot" / "prediction.py").is_file()

    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / "window.png"
    picture.unlink(missing_ok=True)
    used = run_window("use", home, pymol_data / "data/tut/1hpv.pdb", picture)
    assert used["dialogs"] == []
    assert used["menu"] == ["Ellipsoids"]
    assert used["heavy modules at start"] == []
    assert used["completion"].rstrip(", ") == "dynaprot_ellipsoids molecule"
    assert used["objects"] == ["molecule", "molecule_ellipsoids", "dynaprot_rmsf"]
    assert used["residues"] == 198
    assert "PyMOL>dynaprot_ellipsoids enabled" in used["log"]
    assert "molecule_ellipsoids: RMSF " in used["log"]

    colours = imread(picture)[:, :, :3]
    red, green, blue = np.moveaxis(colours, -1, 0)
    assert (blue - np.maximum(red, green) > 0.4).sum() > 500
    assert (red - np.maximum(blue, green) > 0.4).sum() > 500

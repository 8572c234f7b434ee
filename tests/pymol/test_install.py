"""How the plugin gets into PyMOL besides the plugin manager: `pip install dynaprot`."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import dynaprot

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory, pymol_data):
    """What `pip install dynaprot` puts beside PyMOL."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("dynaprot-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_pip_registers_the_plugin(site):
    """PyMOL's own search finds the plugin with name and version, loads it, and its commands use the installed core."""
    code = f"""
import sys
sys.path.insert(0, {str(site)!r})
import pymol2
from pmg_tk import startup
# In one site-packages both are one folder.
startup.__path__.insert(0, {str(site / "pmg_tk" / "startup")!r})
from pymol import cmd, plugins
plugins.initialize(-1)
print("found:", plugins.plugins["dynaprot"].get_version(), plugins.plugins["dynaprot"].loaded)
cmd.fab("ACDEFGHIK", "peptide")
cmd.do("dynaprot_ellipsoids peptide, model=anm")
cmd.sync()
print("drawn:", cmd.count_atoms("peptide_ellipsoids"), sys.modules["dynaprot"].__file__)
"""
    output = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True).stdout
    assert f"found: {dynaprot.__version__} True" in output
    assert f"drawn: 9 {site}" in output


def test_the_wheel_has_the_plugin_whole(site, startup_folder):
    """The wheel's plugin is the zip's, file by file."""
    zipped = startup_folder / "dynaprot"
    for path in zipped.rglob("*.py"):
        place = path.relative_to(zipped)
        if place.parts[0] != "dynaprot":
            assert (site / "dynaprot" / "pymol_plugin" / place).read_bytes() == path.read_bytes()

"""Everything here runs in a real PyMOL, with the plugin as its zip installs it."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]

# PyMOL keeps its preferences there, and finds out where when it is imported.
os.environ["HOME"] = tempfile.mkdtemp(prefix="dynaprot-home-")

if os.environ.get("CI"):
    import pymol2  # noqa: F401 - in CI a host that did not run is a failure, not a skip


@pytest.fixture(scope="session")
def pymol_data() -> Path:
    """Folder of the structures that PyMOL ships."""
    pytest.importorskip("pymol2", reason="PyMOL is not installed")
    return Path(os.environ["PYMOL_PATH"])


@pytest.fixture(scope="session")
def shared_structures() -> Path:
    """Folder of further real structures, which only the developers' machines have."""
    folder = ROOT.parent / "shared" / "data" / "structures"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


@pytest.fixture(scope="session")
def plugin_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip as `make pymol-plugin` builds it."""
    command = [sys.executable, ROOT / "pymol_plugin" / "build.py", tmp_path_factory.mktemp("dist")]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


@pytest.fixture(scope="session")
def startup_folder(plugin_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of plugins that holds the unpacked zip."""
    folder = tmp_path_factory.mktemp("startup")
    with zipfile.ZipFile(plugin_zip) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def plugin(startup_folder: Path) -> SimpleNamespace:
    """The plugin's modules, imported from the zip under the name that PyMOL gives them."""
    pytest.importorskip("pymol2", reason="PyMOL is not installed")
    from pmg_tk import startup

    startup.__path__.insert(0, str(startup_folder))
    names = (
        "commands", "core", "installer", "settings",
        "scene.proteins", "scene.predictions", "scene.palettes", "scene.selections",
    )  # fmt: skip
    modules = {name: importlib.import_module(f"pmg_tk.startup.dynaprot.{name}") for name in names}
    return SimpleNamespace(**{name.split(".")[-1]: module for name, module in modules.items()})


@pytest.fixture(scope="session")
def core(plugin: SimpleNamespace) -> ModuleType:
    """The core that the plugin uses."""
    return plugin.core.load_core()


@pytest.fixture
def cmd(plugin: SimpleNamespace) -> Iterator:
    """A PyMOL session of its own, with the plugin's commands."""
    import pymol2

    with pymol2.PyMOL() as session:
        plugin.commands.register(_self=session.cmd)
        yield session.cmd


class Drawn:
    """What PyMOL holds of an object of ellipsoids.

    Attributes
    ----------
    residues : list of (str, str)
        Chain and number of each residue.
    covariances : ndarray, shape=(N, 3, 3)
        U, Å^2.
    rmsf : ndarray, shape=(N,)
        B factor, Å.
    """

    def __init__(self, cmd: object, name: str) -> None:
        atoms = cmd.get_model(name).atom
        u = np.array([atom.u_aniso for atom in atoms])
        self.residues = [(atom.chain, atom.resi) for atom in atoms]
        self.covariances = u[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3)
        self.rmsf = np.array([atom.b for atom in atoms])
        self.positions = cmd.get_coords(name)


@pytest.fixture
def drawn(cmd: object) -> object:
    """Reads an object of ellipsoids back out of PyMOL."""
    return lambda name: Drawn(cmd, name)

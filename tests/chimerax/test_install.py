"""What `devel install` puts into the host."""

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def package(bundle):
    """The folder of the installed bundle."""
    import chimerax.dynaprot

    return Path(chimerax.dynaprot.__file__).parent


def test_version(bundle):
    """Bundle, embedded core and pip package are of one version."""
    from chimerax.dynaprot import dynaprot

    pip_package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["poetry"]
    assert importlib.metadata.version("ChimeraX-DynaProt") == dynaprot.__version__ == pip_package["version"]


def test_core_is_complete(package):
    """Every module of the core is embedded in the bundle."""
    modules = {path.relative_to(ROOT / "src") for path in (ROOT / "src" / "dynaprot").rglob("*.py")}
    assert modules
    assert modules <= {path.relative_to(package) for path in package.rglob("*.py")}


def test_weights(package):
    """Every file of weights is installed where the core looks first, with the card that describes them."""
    from chimerax.dynaprot.dynaprot.network.weights import shipped_weights

    folder = package / "dynaprot" / "weights"
    assert (folder / "README.md").read_bytes() == (ROOT / "weights" / "README.md").read_bytes()
    weights = {path.name: path.read_bytes() for path in (ROOT / "weights").glob("*.safetensors")}
    assert weights
    assert {path.name: path.read_bytes() for path in shipped_weights()} == weights
    assert {path.parent for path in shipped_weights()} == {folder}


def test_import_costs_nothing(bundle):
    """The host imports the bundle at start-up, and by that neither the core nor its libraries."""
    program = "import sys, chimerax.dynaprot; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "chimerax.dynaprot" in imported
    assert not imported & {"chimerax.dynaprot.commands", "chimerax.dynaprot.dynaprot", "gemmi", "torch"}


def test_help(session):
    """The help page of the command is where the host's `help` looks for it."""
    from chimerax.core.toolshed import get_help_directories

    pages = [Path(folder) / "user" / "commands" / "dynaprot.html" for folder in get_help_directories()]
    assert any(page.is_file() for page in pages)


def test_usage(run, log):
    """The host knows the command and its arguments from the bundle's metadata."""
    run("usage dynaprot rmsf")
    ((_, text),) = log
    assert text.startswith("dynaprot rmsf [structures] [model ")
    assert "'anm' or 'default'" in text
    assert "Predict the RMSF of each residue" in text

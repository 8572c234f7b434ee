"""What `devel install` puts into the host."""

import importlib.metadata
import re
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
    """The pages are where the host's `help` looks for them, and so are the pictures in them."""
    from chimerax.core.toolshed import get_help_directories

    for name in ("commands/dynaprot.html", "tools/dynaprot.html"):
        (page,) = [path for folder in get_help_directories() if (path := Path(folder) / "user" / name).is_file()]
        pictures = re.findall(r'<img[^>]* src="(?!\.\./ChimeraX)([^"]+)"', page.read_text(encoding="utf-8"))
        assert pictures
        assert all((page.parent / picture).is_file() for picture in pictures)


def test_links_of_the_help(bundle):
    """Every place in our own pages that a link names is there."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "src/docs/user").rglob("dynaprot.html")}
    folder = ROOT / "src" / "docs" / "user"
    for path in folder.rglob("*.html"):
        for link in re.findall(r'href="([^"]*)"', path.read_text(encoding="utf-8")):
            target, _, anchor = link.partition("#")
            if anchor and (not target or target.endswith("dynaprot.html")):
                page = (path.parent / target if target else path).resolve()
                assert f'<a name="{anchor}"></a>' in page.read_text(encoding="utf-8"), link
    assert pages


def test_usage(run, log):
    """The host knows the command and its arguments from the bundle's metadata."""
    run("usage dynaprot rmsf")
    ((_, text),) = log
    assert text.startswith("dynaprot rmsf [residues] [palette ")
    assert "default" in text
    assert "Predict the RMSF of each residue" in text


def test_uninstalled_and_installed_from_the_wheel(bundle, package):
    """`toolshed uninstall` leaves nothing behind, and `toolshed install` of the wheel brings everything back."""

    def host(command):
        arguments = [sys.executable, "-m", "chimerax.core", "--nogui", "--exit", "--cmd", command]
        done = subprocess.run(arguments, capture_output=True, encoding="utf-8", timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    before = {path.relative_to(package) for path in package.rglob("*") if "__pycache__" not in path.parts}
    try:
        host("toolshed uninstall ChimeraX-DynaProt")
        assert not [path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    finally:
        host(f'toolshed install "{bundle}" user false noDeps true')
    after = {path.relative_to(package) for path in package.rglob("*") if "__pycache__" not in path.parts}
    assert after == before

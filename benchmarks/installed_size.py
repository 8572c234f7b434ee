"""How large an installation is, package by package, and what goes into a host that has some of it already.

    python benchmarks/installed_size.py                            # pip install . into a fresh environment
    python benchmarks/installed_size.py . ".[torch]" ". torch==2.13.0+cpu"

Either prints what is downloaded, what lies on the disk then, and whether the aims are met, and then the same of what
goes into each host. The disk's part is without compiled bytecode. Each file belongs to the distribution whose record
names it.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
MOST, MOST_WEIGHTS, MOST_IN_HOST = 55, 10, 9
"""The aims, MB to download: all but the weights, the weights, and everything that a host needs."""
BROUGHT = {"PyMOL": {"numpy"}, "ChimeraX": {"numpy", "matplotlib"}}
"""What each host itself requires: `pymol-open-source` and `chimerax`, as their wheels' metadata say."""
REPORT = """
import json
from importlib.metadata import distributions
sizes = {}
for found in distributions():
    # What the installer itself takes is none of ours.
    if found.name not in ("pip", "setuptools"):
        files = {path.locate() for path in found.files or [] if path.suffix != ".pyc"}
        size = sum(path.stat().st_size for path in files if path.is_file())
        sizes[found.name.lower().replace("-", "_")] = [found.version, size]
print(json.dumps(sizes))
"""


def sizes(requirements: list[str]) -> dict[str, tuple[str, int, int]]:
    """Version, bytes to download and bytes on the disk of each package that requirements bring."""
    with tempfile.TemporaryDirectory() as temporary:
        wheels, environment = Path(temporary) / "wheels", Path(temporary) / "environment"
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        python = environment / "bin" / "python"
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "wheel", "--wheel-dir", wheels, *requirements], check=True, cwd=ROOT)
        subprocess.run([*pip, "install", "--no-compile", "--no-deps", *wheels.iterdir()], check=True)
        report = subprocess.run([python, "-c", REPORT], check=True, capture_output=True, text=True).stdout
        downloaded = {
            wheel.name.split("-")[0].lower().replace(".", "_"): wheel.stat().st_size for wheel in wheels.iterdir()
        }
        return {
            name: (version, downloaded[name.replace(".", "_")], size)
            for name, (version, size) in json.loads(report).items()
        }


def show(requirements: str) -> None:
    """Print the table of an installation by pip, in Markdown."""
    found = sizes(requirements.split())
    print(f"### pip install {requirements}\n\n| package | download, MB | disk, MB |\n| --- | ---: | ---: |")
    for name, (version, download, disk) in sorted(found.items(), key=lambda item: -item[1][2]):
        if disk >= 1e6:
            print(f"| {name} {version} | {download / 1e6:.1f} | {disk / 1e6:.1f} |")
    small = [size for size in found.values() if size[2] < 1e6]
    for name, these in ((f"{len(small)} smaller ones", small), ("**together**", list(found.values()))):
        print(f"| {name} | {sum(size[1] for size in these) / 1e6:.1f} | {sum(size[2] for size in these) / 1e6:.1f} |")
    print()
    if "torch" not in found:
        _, weights = own_sizes()["PyMOL"]
        verdict("Without the weights", sum(size[1] for size in found.values()) - weights, MOST)
        verdict("The weights", weights, MOST_WEIGHTS)


def show_hosts() -> None:
    """Print what is downloaded into each host, in Markdown."""
    plugin = runpy.run_path(str(ROOT / "pymol_plugin" / "installer.py"))
    bundle = ElementTree.parse(ROOT / "bundle_info.xml")
    needed = {
        "PyMOL": set(plugin["PACKAGES"]),
        "ChimeraX": {dependency.attrib["name"] for dependency in bundle.iter("Dependency")} - {"ChimeraX-Core"},
    }
    for host, (code, weights) in own_sizes().items():
        # The aim leaves out matplotlib, which only the plots in a window take: counted apart.
        packages = {"DynaProt's own code": code, "weights": weights}
        for name in sorted(needed[host] - BROUGHT[host] - {"matplotlib"}):
            packages |= {part: size[1] for part, size in sizes([name]).items() if part not in BROUGHT[host]}
        print(f"### In {host}\n\n| package | download, MB |\n| --- | ---: |")
        for name, size in sorted(packages.items(), key=lambda item: -item[1]):
            print(f"| {name} | {size / 1e6:.1f} |")
        print(f"| **together** | {sum(packages.values()) / 1e6:.1f} |\n")
        verdict(f"Into {host}", sum(packages.values()), MOST_IN_HOST)
        if lacked := {"matplotlib"} & needed[host] - BROUGHT[host]:
            rest = sum(size[1] for part, size in sizes([*lacked]).items() if part not in BROUGHT[host])
            print(f"The plots take matplotlib too: {rest / 1e6:.1f} MB where {host} lacks it.\n")


def own_sizes() -> dict[str, tuple[int, int]]:
    """By host: bytes to download of DynaProt's own code, pages and pictures, and of its weights."""
    with tempfile.TemporaryDirectory() as temporary:
        plugin = runpy.run_path(str(ROOT / "pymol_plugin" / "build.py"))["build"](Path(temporary))
        # Only in ChimeraX can the bundle's wheel be built. It packs these two folders, compressed in this way.
        bundle = Path(temporary) / "bundle.zip"
        with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
            for folder in ("src", "weights"):
                for file in (ROOT / folder).rglob("*"):
                    if file.is_file() and "__pycache__" not in file.parts:
                        archive.write(file, file.relative_to(ROOT))
        return {"PyMOL": code_and_weights(plugin), "ChimeraX": code_and_weights(bundle)}


def code_and_weights(path: Path) -> tuple[int, int]:
    """Bytes that everything but the weights takes in an archive, and bytes that the weights take."""
    with zipfile.ZipFile(path) as archive:
        files = archive.infolist()
    weights = sum(file.compress_size for file in files if "weights/" in file.filename)
    return sum(file.compress_size for file in files) - weights, weights


def verdict(what: str, size: float, most: float) -> None:
    """Say whether an aim is met."""
    print(f"{what}: {size / 1e6:.1f} MB, of at most {most}: {'met' if size <= most * 1e6 else '**not met**'}.\n")


if __name__ == "__main__":
    for requirements in sys.argv[1:] or ["."]:
        show(requirements)
    show_hosts()

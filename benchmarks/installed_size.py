"""How large an installation is, package by package: what is downloaded, and what lies on the disk then.

    python benchmarks/installed_size.py                            # pip install . into a fresh environment
    python benchmarks/installed_size.py . ".[torch]" ". torch==2.13.0+cpu"

The disk's part is without compiled bytecode. Each file belongs to the distribution whose record names it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
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
        downloaded = {wheel.name.split("-")[0].lower(): wheel.stat().st_size for wheel in wheels.iterdir()}
        return {
            name: (version, downloaded[name.replace(".", "_")], size)
            for name, (version, size) in json.loads(report).items()
        }


def show(requirements: str) -> None:
    """Print the table, in Markdown."""
    found = sizes(requirements.split())
    print(f"### pip install {requirements}\n\n| package | download, MB | disk, MB |\n| --- | ---: | ---: |")
    for name, (version, download, disk) in sorted(found.items(), key=lambda item: -item[1][2]):
        if disk >= 1e6:
            print(f"| {name} {version} | {download / 1e6:.1f} | {disk / 1e6:.1f} |")
    small = [size for size in found.values() if size[2] < 1e6]
    for name, these in ((f"{len(small)} smaller ones", small), ("**together**", list(found.values()))):
        print(f"| {name} | {sum(size[1] for size in these) / 1e6:.1f} | {sum(size[2] for size in these) / 1e6:.1f} |")
    print()


if __name__ == "__main__":
    for requirements in sys.argv[1:] or ["."]:
        show(requirements)

"""What is packed, and under which version; `make test-pythons` builds the packages and installs them."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import dynaprot
from dynaprot.network.weights import shipped_weights

ROOT = Path(__file__).resolve().parents[2]
POETRY = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["poetry"]


def found(pattern: str, path: str) -> str:
    """What the one group of a pattern matches in a file of the repository."""
    match = re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert match, f"{path}: there is no {pattern}"
    return match[1]


def test_every_file_that_states_the_version_states_the_same() -> None:
    """pip, ChimeraX and PyMOL each read it out of a file of their own, without running the others' code."""
    versions = {
        "pyproject.toml": POETRY["version"],
        "src/dynaprot/__init__.py": dynaprot.__version__,
        "bundle_info.xml": found(r'<BundleInfo name="ChimeraX-DynaProt" version="([^"]+)"', "bundle_info.xml"),
        "CHANGELOG.md": found(r"^## (\S+)", "CHANGELOG.md"),
        "CITATION.cff": found(r"^version: (\S+)$", "CITATION.cff"),
    }
    for path in ("pymol_plugin/__init__.py", "pymol_plugin/startup/pmg_tk/startup/dynaprot.py"):
        versions[path] = found(r"^# Version: (\S+)$", path)
    assert set(versions.values()) == {dynaprot.__version__}, versions


def test_the_authors_are_the_same_everywhere() -> None:
    """In pip's package, in ChimeraX and in PyMOL."""
    authors = {found(r"<Author>(.+)</Author>", "bundle_info.xml"), *POETRY["authors"]}
    authors.add(found(r"^  - name: (.+)$", "CITATION.cff"))
    authors |= {
        found(r"^# Author: (.+)$", path)
        for path in ("pymol_plugin/__init__.py", "pymol_plugin/startup/pmg_tk/startup/dynaprot.py")
    }
    assert len(authors) == 1, authors


def test_the_sdist_carries_the_whole_repository() -> None:
    """Each tracked file or folder at the root is packed, so that nothing lacks that a test or a bundle needs."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a checkout, so that nothing says which files belong to the repository")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    tracked = {Path(line).parts[0] for line in listed.splitlines()}
    # These three are packed by the build backend itself.
    packed = {"pyproject.toml", POETRY["readme"], "LICENSE"}
    packed |= {entry["path"] for entry in POETRY["include"]}
    packed |= {entry["include"] for entry in POETRY["packages"] if "from" not in entry}
    assert tracked <= packed
    assert not [entry for entry in POETRY["packages"] if entry.get("format")], (
        "the wheel could not be made of the sdist"
    )


def test_the_package_has_types_and_weights() -> None:
    """As installed: type checkers look for `py.typed`, and the default model for its weights."""
    assert (Path(dynaprot.__file__).parent / "py.typed").exists()
    assert shipped_weights()

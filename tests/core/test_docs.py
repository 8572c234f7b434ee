"""The documentation says what is there: files, commands, options, docstrings."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dynaprot

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / "weights").glob("*.md"),
]
MODULES = sorted((ROOT / "src" / "dynaprot").rglob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page is a file of the repository."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} points to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    """Every `make ...` that a page mentions is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    mentioned = set(re.findall(r"(?:^    |`)make ([a-z0-9-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert mentioned <= targets


def test_commands_and_options_exist() -> None:
    """Every `dynaprot ...` line of README and user guide names a command and options that it has."""
    commands: dict[str, str] = {}
    checked = 0
    for page in (ROOT / "README.md", ROOT / "docs" / "user-guide.md"):
        for command, rest in re.findall(
            r"dynaprot (predict|sample|plot|info|[a-z]+) ?([^`\n#]*)", page.read_text(encoding="utf-8")
        ):
            if not re.search(
                rf'@app\.command\("{command}"\)', (ROOT / "src/dynaprot/command_line.py").read_text(encoding="utf-8")
            ):
                continue  # prose, or a command of a host
            if command not in commands:
                done = subprocess.run(
                    [sys.executable, "-c", "from dynaprot.command_line import main; main()", command, "--help"],
                    capture_output=True, text=True, check=True,
                    env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200", "NO_COLOR": "1"},
                )  # fmt: skip
                commands[command] = done.stdout
            for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest):
                assert option in commands[command], f"{page.name}: dynaprot {command} has no {option}"
                checked += 1
    assert {"predict", "sample", "plot", "info"} <= set(commands)
    assert checked >= 5


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_everything_public_says_what_it_is(path: Path) -> None:
    """Modules, public classes and public functions have docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), path
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name}"


@pytest.mark.parametrize("name", ["load_structure", "predict"])
def test_the_main_functions_are_described_in_numpydoc(name: str) -> None:
    """Parameters, returns and errors, each parameter by name."""
    function = getattr(dynaprot, name)
    text = inspect.getdoc(function) or ""
    for section in ("Parameters\n-----", "Returns\n-----", "Raises\n-----", "Examples\n-----"):
        assert section in text
    for parameter in inspect.signature(function).parameters:
        assert re.search(rf"^{parameter} : ", text, re.MULTILINE)


def test_the_core_knows_no_host_and_no_analysis_another() -> None:
    """Data flows one way: nothing in the core imports a host, no analysis another, and imports are relative."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not re.match(r"(pymol|chimerax|chempy|Qt|PyQt\d)\b", name), f"{path.name} imports {name}"
                assert not re.match(r"dynaprot\b", name), f"{path.name} imports {name} absolutely"
            if path.parent.name == "analysis" and isinstance(node, ast.ImportFrom) and node.level == 1:
                raise AssertionError(f"{path.name} imports another analysis")

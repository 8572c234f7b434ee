"""The documentation says what is there: files, commands, options, docstrings."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dynaprot

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / "weights").glob("*.md"),
    ROOT / "docs" / "evaluation" / "README.md",
]
MODULES = sorted((ROOT / "src" / "dynaprot").rglob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page is a file of the repository."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_paths_in_the_developer_guide_exist() -> None:
    """Every file and folder that the guide names is in the repository."""
    guide = (ROOT / "docs" / "developer-guide.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:toml|xml|cff|md))`", guide)
    assert len(paths) > 50
    assert [path for path in paths if not (ROOT / path).exists()] == []


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


BANNED = re.compile(
    r"\bmend(?:s|ed|ing)?\b"  # restore, repair, resolve
    r"|\bjudg(?:e|es|ed|ing)\b"  # validate, evaluate
    r"|(?<!\b[Tt]here)(?<!\s)\s+is\s+no\s(?!longer\b|larger\b|smaller\b|more\b|less\b)"  # is not a
    r"|\b[Aa]s\s+of\b"  # as in, as for, or a full phrase
    r"|\bOf\s+the\s+draw\b"
)
"""Words that a native reader stumbles over, and what to say instead."""
CLEAN = (
    "src", "pymol_plugin", "benchmarks", "tests/chimerax", "docs", "weights", "README.md", "CHANGELOG.md",
)  # fmt: skip
"""Files, and folders with all sources and pages in them, in which texts are checked."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and content of a page, or of each docstring, message and other text of a source."""
    content = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield 1, content
        return
    nodes = list(ast.walk(ast.parse(content)))
    messages = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    pieces = {id(value) for message in messages for value in message.values}
    for message in messages:  # what is put into a message stands as one letter
        yield (
            message.lineno,
            "".join(getattr(value, "value", "x") if is_text(value) else "x" for value in message.values),
        )
    yield from ((node.lineno, node.value) for node in nodes if is_text(node) and id(node) not in pieces)


def is_text(node: ast.AST) -> bool:
    """Whether a node is a literal text."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize("place", CLEAN)
def test_texts_use_natural_terms(place: str) -> None:
    """No banned word in docstrings, messages, help or pages; the message names file and line of each."""
    folder = ROOT / place
    assert folder.exists()
    pages = [path for path in folder.rglob("*") if path.suffix in (".py", ".md", ".html")]
    found = [
        f"{path.relative_to(ROOT)}:{line + text[: match.end()].count(chr(10))}: {' '.join(match[0].split())}"
        for path in ([folder] if folder.is_file() else sorted(pages))
        for line, text in texts(path)
        for match in BANNED.finditer(text)
    ]
    assert not found, "\n".join(found)


def test_banned_words_are_found_and_others_left_alone() -> None:
    """Whole words only, across the ends of lines, and not where the phrase is good English."""
    for bad in ("once mended by", "We judge models", "that\n    is no number", "path: is no folder.", "As of `X`"):
        assert BANNED.search(bad), bad
    for good in ("we recommend", "an amendment", "There is no file", "there\n    is no file", "it is no longer", "has"):
        assert not BANNED.search(good), good


NAME = r"(?:(?:Di|De|Van) )?[A-Z][^\W\d_A-Z][\w'-]*"
CITATION = re.compile(rf"({NAME}(?:, {NAME})*(?: & {NAME}| et al\.)?) \(?((?:19|20)\d\d)\b")
CITING = [path for path in [*MODULES, *PAGES] if path.name != "references.md"]


def test_every_cited_work_is_in_the_list_of_references() -> None:
    """Whatever a source or a page cites as "author year" has its full reference, under these very words."""
    references = (ROOT / "docs" / "references.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\*\*([^*]+ \d{4})\*\*", references))
    cited: dict[str, str] = {}
    for path in CITING:
        running = re.sub(r"\n[ #]*", " ", path.read_text(encoding="utf-8"))
        cited |= {f"{names} {year}": path.name for names, year in CITATION.findall(running)}
    assert len(cited) > 25
    assert {work: page for work, page in cited.items() if work not in listed} == {}


@pytest.mark.parametrize(
    ("text", "work"),
    [
        ("of pairs (Yang, Song & Jernigan 2009).", "Yang, Song & Jernigan 2009"),
        ("Kabsch & Sander (1983) define", "Kabsch & Sander 1983"),
        ("(Golub & Van Loan 2013, section 10.3)", "Golub & Van Loan 2013"),
        ("Müller et al. 2007", "Müller et al. 2007"),
        ("at ICLR 2026, with 2000 residues", None),
    ],
)
def test_citations_are_recognised(text: str, work: str | None) -> None:
    """One name, two, three or many, with the year in brackets or without."""
    assert [f"{names} {year}" for names, year in CITATION.findall(text)] == ([work] if work else [])


def test_the_paper_is_cited() -> None:
    """CITATION.cff, README and the list of references name the paper and where it is."""
    for page in ("CITATION.cff", "README.md", "docs/references.md"):
        content = " ".join((ROOT / page).read_text(encoding="utf-8").split())
        assert "Learning Residue Level Protein Dynamics with Multiscale Gaussians" in content, page
        assert "https://openreview.net/forum?id=uKn9PdREBA" in content, page

"""The shape of the code: imports run one way and in no circle, in the core and in both hosts."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "dynaprot"
HOSTS = ("Qt", "PyQt5", "PyQt6", "PySide2", "PySide6", "chempy", "chimerax", "pymol")

FLOORS: tuple[tuple[str, ...], ...] = (
    ("cached", "defaults", "errors"),
    ("storage",),
    ("notices",),
    ("joint", "structure"),
    ("network", "springs"),
    ("dynamics",),
    ("prediction",),
    ("analysis",),
    ("figures", "files"),
    ("datasets", "metrics"),
    ("training",),
    ("evaluation",),
    ("command_line",),
)
"""Rooms of the core from the ground up: each may import from its own floor and from those before it."""


def modules(folder: Path) -> dict[str, Path]:
    """Every module of a package by its dotted name within it, folders by theirs; the package itself is "".

    The core that a host's package carries is left out.
    """
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if parts[0] == "dynaprot":
            continue
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: Iterable[str]) -> Iterator[str]:
    """Modules of the same package that a module imports, within functions too, but not for type checkers alone."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in run_time_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = package[: len(package) - node.level + 1]
        source = ".".join(filter(None, [*base, node.module or ""]))
        for alias in node.names:
            member = f"{source}.{alias.name}".lstrip(".")
            yield member if member in known else source


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from run_time_nodes(node)


@cache
def arrows(folder: Path) -> dict[str, set[str]]:
    """What each module of a package imports of the package."""
    known = modules(folder)
    return {name: set(imports(name, path, known)) - {name} for name, path in known.items()}


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Modules that import each other, directly or through others."""
    reach = {name: set(targets) for name, targets in graph.items()}
    for middle in graph:
        for targets in reach.values():
            if middle in targets:
                targets |= reach[middle]
    together = {frozenset(other for other in reach[name] if name in reach.get(other, ())) for name in graph}
    return [set(circle) for circle in together if circle]


def test_no_modules_of_the_core_import_each_other() -> None:
    """Neither at the top of a module nor later, within a function."""
    assert circles(arrows(CORE)) == []


def test_circles_are_found() -> None:
    """Through any number of modules, and nothing else."""
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a"}}
    assert circles(graph) == [{"a", "b", "c"}]


@pytest.mark.parametrize("name", sorted(set(modules(CORE)) - {""}))
def test_the_core_flows_one_way(name: str) -> None:
    """Each module imports only from its own floor and from those below it."""
    floor = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
    for source in arrows(CORE)[name] - {""}:
        assert floor[source.split(".")[0]] <= floor[name.split(".")[0]], f"{name} imports {source}"


LAYERS = ("scene", "commands", "window")
"""Of both hosts, from the ground up."""


@pytest.mark.parametrize("host", ["src", "pymol_plugin"])
def test_the_layers_of_a_host_run_one_way(host: str) -> None:
    """The window may import commands and scene, commands the scene, the scene neither; and none goes in a circle."""
    graph = arrows(ROOT / host)
    assert {name.split(".")[0] for name in graph} >= set(LAYERS)
    assert "scene.predictions" in set().union(*graph.values()), "imports are found"
    for name, targets in graph.items():
        layer = name.split(".")[0]
        above = LAYERS[LAYERS.index(layer) + 1 :] if layer in LAYERS else ()
        assert not {target for target in targets if target.split(".")[0] in above}, name
    assert circles({name: targets - {""} for name, targets in graph.items()}) == []


def test_no_analysis_imports_another() -> None:
    """Each is computed from `Dynamics` alone."""
    for name, targets in arrows(CORE).items():
        if name.startswith("analysis."):
            assert not {target for target in targets if target.startswith("analysis")}, name


@pytest.mark.parametrize("path", modules(CORE).values(), ids=lambda path: str(path.relative_to(CORE)))
def test_the_core_knows_no_host(path: Path) -> None:
    """Nothing in the core imports a host, and imports within the core are relative: ChimeraX embeds it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            package = name.split(".")[0]
            assert package not in HOSTS, f"{path.name} imports {name}"
            assert package != "dynaprot", f"{path.name} imports {name} absolutely"

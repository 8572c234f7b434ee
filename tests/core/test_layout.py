"""Imports go one way, inside each host's layer too; read from the source, so that lazy imports count."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imported_modules(package: Path) -> dict[str, set[str]]:
    """By module of a package, those of the same package that it imports, lazily or for types too.

    Modules are named from the package on, as ``scene.modes``, and the package itself is ""; the core within it is left
    out.
    """
    paths = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] != "dynaprot"]
    parts = {path: path.relative_to(package).with_suffix("").parts for path in paths}
    modules = {".".join(names).removesuffix("__init__").removesuffix("."): path for path, names in parts.items()}
    imports: dict[str, set[str]] = {}
    for module, path in modules.items():
        imports[module] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                home = [*parts[path][: -node.level], *filter(None, (node.module or "").split("."))]
                for alias in node.names:
                    name = ".".join([*home, alias.name])
                    imports[module].add(name if name in modules or alias.name == "dynaprot" else ".".join(home))
        imports[module] &= set(modules)
    return imports


def import_cycle(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, or none."""
    done: set[str] = set()

    def search(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module not in done:
            for imported in sorted(imports[module]):
                if cycle := search(imported, [*way, module]):
                    return cycle
            done.add(module)
        return []

    return next((cycle for module in imports if (cycle := search(module, []))), [])


def test_chimerax_layers_run_one_way() -> None:
    """The window may import commands and scene, commands the scene, the scene neither; and none goes in a circle."""
    imports = imported_modules(ROOT / "src")
    rank = {"scene": 0, "commands": 1, "window": 2, "": 3}
    assert {module.split(".")[0] for module in imports} == set(rank)
    assert {"scene.predictions", "scene.drawn"} <= imports["commands.rmsf"], "imports are found"
    assert {"commands", "window", "window.tool"} <= imports[""], "lazy ones too"
    for module, imported in imports.items():
        for other in imported:
            assert rank[other.split(".")[0]] <= rank[module.split(".")[0]], f"{module} imports {other}"
    cycle = import_cycle(imports)
    assert not cycle, " -> ".join(cycle)

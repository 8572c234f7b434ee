"""Layers run one way: who may import whom, read from the sources, so that imports inside functions count too."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imports_within(package: Path) -> dict[str, set[str]]:
    """Which modules of a package each of its modules imports, by name within the package; that of itself is empty."""
    paths = {".".join(path.relative_to(package).with_suffix("").parts): path for path in package.rglob("*.py")}
    modules = {name.removesuffix("__init__").rstrip("."): path for name, path in paths.items()}
    found: dict[str, set[str]] = {}
    for module, path in modules.items():
        folder = path.relative_to(package).parent.parts
        found[module] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and 0 < node.level <= len(folder) + 1:
                parts = [*folder[: len(folder) - node.level + 1], *(node.module or "").split(".")]
                base = ".".join(part for part in parts if part)
                for alias in node.names:
                    name = f"{base}.{alias.name}".lstrip(".")
                    found[module].add(name if name in modules else base)
        assert found[module] <= set(modules), f"{path} imports what is not there"
    return found


def test_pymol_layers_run_one_way() -> None:
    """In PyMOL's plugin, the window may use commands and scene, commands the scene, the scene neither; no circles."""
    allowed = {"window": {"commands", "scene"}, "commands": {"scene"}, "scene": set()}
    imports = imports_within(ROOT / "pymol_plugin")
    assert {module.split(".")[0] for module in imports} >= set(allowed)
    for module, imported in imports.items():
        if not module:
            continue  # the plugin itself, which puts the layers together
        layer = module.split(".")[0]
        others = {name.split(".")[0] for name in imported} & set(allowed) - {layer}
        assert others <= allowed.get(layer, set()), f"{module} imports {', '.join(sorted(others))}"
    list(TopologicalSorter(imports).static_order())  # a circle is a CycleError that names its modules

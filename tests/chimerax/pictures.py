"""Make the pictures of the README, the user guide and the help pages, with the bundle itself.

    .venv-chimerax/bin/python -m pytest tests/chimerax/pictures.py

Adenylosuccinate synthetase (1ADE) if the shared data are there, else HIV-1 protease. Look at each before committing it.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYNTHETASE = ROOT.parent / "shared" / "data" / "pockets" / "apo_holo" / "1ADE_A.pdb"
DOCS = ROOT / "docs" / "images"
HELP = ROOT / "src" / "docs" / "user" / "images"


KEY = "key pos 0.36,0.07 size 0.28,0.03 fontSize 22"


@pytest.fixture
def structure(run, protease_file):
    """Opened, and seen from where its long axis lies across."""
    run("windowsize 1200 900; set bgColor white")
    path = SYNTHETASE if SYNTHETASE.exists() else protease_file
    opened = run(f'open "{path}"')[0]
    run("graphics silhouettes true width 1.5; lighting simple")
    run("hide atoms; show protein cartoons; show ligand; color #1 light gray; dynaprot predict #1; view orient")
    return opened


@pytest.fixture
def draw(run):
    """Save the scene for the documents, and smaller for the help pages."""

    def draw(name):
        run("view; zoom 0.98; move y 3.5")  # room for the key
        run(f'save "{DOCS}/chimerax-{name}.png" width 1200 height 900 supersample 3')
        run(f'save "{HELP}/dynaprot-{name}.png" width 500 height 375 supersample 4')

    return draw


def test_ellipsoids(run, structure, draw):
    run("cartoon style width 1 thickness 0.3; transparency #1 55 target c")
    run(f"dynaprot ellipsoids #1 key true; {KEY}")
    draw("ellipsoids")


def test_rmsf(run, structure, draw):
    run(f"dynaprot rmsf #1; {KEY}")
    draw("rmsf")


def test_coupling(run, structure, draw):
    run("cartoon style width 1 thickness 0.3; color #1 #b0b0b0; transparency #1 50 target c")
    run(f"dynaprot coupling #1 threshold 0.5 minSeparation 30 key true; {KEY}")
    draw("coupling")


def test_ensemble(run, structure, draw, tmp_path):
    run(f'dynaprot save #1 "{tmp_path}/ensemble.pdb" count 20 seed 1')
    run(f'open "{tmp_path}/ensemble.pdb"')
    run("hide #2 atoms; cartoon #2; cartoon style #2 width 0.5 thickness 0.25; color #2 #9ecae1")
    run("cartoon style #1 width 1.4 thickness 0.8; color #1 #d7301f; graphics silhouettes width 0.8")
    draw("ensemble")


def test_modes(run, structure, draw):
    run("dynaprot modes #1 arrowScale 6")
    draw("modes")


def test_windows(session, run, structure, window):
    from chimerax.dynaprot.window.plots import CouplingTool, RmsfTool
    from chimerax.dynaprot.window.tool import DynaProtTool

    run("select #1/A:41-53; dynaprot rmsf #1; dynaprot coupling #1")
    for kind, name, size in (
        (DynaProtTool, "tool", (420, 330)),
        (RmsfTool, "plot", (700, 300)),
        (CouplingTool, "map", (560, 560)),
    ):
        tool = kind.get_singleton(session) if kind is DynaProtTool else session.tools.find_by_class(kind)[0]
        area = tool.tool_window.ui_area
        area.resize(*size)
        if kind is not DynaProtTool:
            tool.plot.figure.canvas.draw()
        assert area.grab().save(str(HELP / f"dynaprot-{name}.png"))

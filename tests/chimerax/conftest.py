"""A real ChimeraX session, without a window, into which the bundle has been installed from this checkout.

These tests run in an environment of their own: ``python3.11 tests/chimerax/environment.py`` makes it, and
``.venv-chimerax/bin/python -m pytest tests/chimerax`` runs them. Any other Python collects nothing here.
"""

import importlib.util
import os
import queue
import shutil
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "out" / "chimerax"

if importlib.util.find_spec("chimerax") is None:
    collect_ignore_glob = ["test_*.py"]


def pytest_configure(config):
    """Warnings are errors in this project, but the host's own code is what it is."""
    config.addinivalue_line("filterwarnings", r"ignore:::(chimerax\.(?!dynaprot)|numpy|.*grako)")


@pytest.fixture(scope="session")
def host_folders(tmp_path_factory):
    """Keep the host's settings, cache and data out of the user's own."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        os.environ[name] = str(tmp_path_factory.mktemp(name.lower()))


@pytest.fixture(scope="session")
def bundle(host_folders, tmp_path_factory):
    """Build and install the bundle as a user does, from a copy so that the checkout stays clean; its wheel."""
    source = tmp_path_factory.mktemp("checkout")
    for name in ("src", "weights"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("bundle_info.xml", "pyproject.toml"):
        shutil.copyfile(ROOT / name, source / name)
    install = f'devel install "{source}" user false noDeps true exit true'
    done = subprocess.run(
        [sys.executable, "-m", "chimerax.core", "--nogui", "--exit", "--cmd", install],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=source.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nstalled ChimeraX-DynaProt" in done.stdout, done.stdout + done.stderr  # or "Reinstalled"
    (wheel,) = (source / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def started(bundle):
    """Start the host once, the way its own executable does."""
    from chimerax.core import __main__ as application

    application.init(["ChimeraX", "--nogui", "--offscreen", "--exit"], event_loop=False)
    from chimerax.core.nogui import UI

    return UI.instance().session


@pytest.fixture
def session(started):
    """The host's session, empty again after each test."""
    from chimerax.atomic import check_for_changes

    yield started
    started.reset()
    check_for_changes(started)  # as before a frame: a new structure may lie at the address of one just closed


@pytest.fixture
def run(session):
    """Type a command, its result is what the command's function returns."""
    from chimerax.core.commands import run

    return lambda command: run(session, command, log=False)


@pytest.fixture
def log(session):
    """What the host logs during the test, as a list of (level, text)."""
    from chimerax.core.logger import PlainTextLog

    class Recorder(PlainTextLog):
        def __init__(self):
            self.messages = []

        def log(self, level, msg):
            self.messages.append((("info", "warning", "error", "bug")[level], msg.strip()))
            return True

    recorder = Recorder()
    session.logger.add_log(recorder)
    yield recorder.messages
    session.logger.remove_log(recorder)


@pytest.fixture
def protease_file():
    """HIV-1 protease with an inhibitor: two chains of 99 residues, a ligand and water."""
    return Path(sys.prefix) / "share" / "structures" / "1hpv.pdb"


@pytest.fixture
def protease(run, protease_file):
    return run(f'open "{protease_file}"')[0]


@pytest.fixture
def settle(session):
    """Let the host tell everybody what has changed, as it does before each frame."""
    from chimerax.atomic import Structure, check_for_changes

    def settle():
        check_for_changes(session)
        for structure in session.models.list(type=Structure):
            structure.update_graphics_if_needed()

    return settle


@pytest.fixture
def picture_folder():
    """Where tests leave pictures for people to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


@pytest.fixture
def picture(run, picture_folder):
    """Set the scene for a picture on paper, and afterwards save it and give back its pixels, (height, width, 3)."""
    import numpy as np
    from PIL import Image

    run("windowsize 800 600; set bgColor white; graphics silhouettes true; lighting soft")

    def picture(name):
        path = picture_folder / f"{name}.png"
        path.unlink(missing_ok=True)
        run(f'save "{path}" width 800 height 600 supersample 2')
        pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
        assert pixels.shape == (600, 800, 3)
        return pixels

    return picture


@pytest.fixture
def window(session, monkeypatch):
    """A small stand-in for the host's windows, which the PyPI wheel leaves out: `chimerax.ui` and what tools ask of it.

    Tools are real widgets of Qt, off the screen, and get real events. The fixture gives a function that lets events and
    calls from other threads happen until a condition holds.
    """
    from Qt.QtCore import QEvent
    from Qt.QtWidgets import QApplication, QWidget

    class MainToolWindow:
        """As `chimerax.ui.MainToolWindow`, a window of its own."""

        def __init__(self, tool_instance):
            self.tool_instance = tool_instance
            self.ui_area = QWidget()
            self.title = tool_instance.display_name
            self.shown = False
            self.fill_context_menu = lambda menu, x, y: None

        def manage(self, placement):
            self.ui_area.show()
            self.shown = True

    sliders = []

    def module(name, **contents):
        made = types.ModuleType(name)
        vars(made).update(contents)
        monkeypatch.setitem(sys.modules, name, made)

    module("chimerax.ui", MainToolWindow=MainToolWindow)
    module(
        "chimerax.std_commands.coordset_gui",
        CoordinateSetSlider=lambda session, structure, **_: sliders.append(structure),
    )
    if not session.triggers.has_trigger("mouse hover"):
        session.triggers.add_trigger("mouse hover")
    calls = queue.Queue()
    monkeypatch.setattr(session.ui, "is_gui", True)
    monkeypatch.setattr(session.ui, "thread_safe", lambda *call, **keywords: calls.put((call, keywords)))
    monkeypatch.setattr(session.ui, "remove_tool", lambda tool: tool.tool_window.ui_area.deleteLater(), raising=False)
    monkeypatch.setattr(
        session.ui, "set_tool_shown", lambda tool, shown: setattr(tool.tool_window, "shown", shown), raising=False
    )

    def wait(condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            QApplication.processEvents()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # as an event loop does
            try:
                (function, *arguments), keywords = calls.get(timeout=0.01)
            except queue.Empty:
                continue
            function(*arguments, **keywords)

    wait.sliders = sliders
    yield wait
    for tool in session.tools.list():
        tool.delete()

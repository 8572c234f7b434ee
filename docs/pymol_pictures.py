"""Draw the PyMOL pictures of the docs: `python docs/pymol_pictures.py`, in an environment with PyMOL, PyQt5 and Xvfb.

Everything is drawn by the plugin's own commands, from structures that PyMOL ships; the window is photographed on a
virtual screen, by running this file inside PyMOL. Names of pictures choose some: ellipsoids, coupling, ensemble, modes,
window.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

# Inside PyMOL, `__file__` is PyMOL's own.
ROOT = Path(globals().get("__script__", __file__)).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SCREEN = 1860, 880
"""Pixels of the virtual screen."""


def register() -> None:
    """Add the plugin's commands to PyMOL, with the core of this checkout."""
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    import pymol_plugin  # noqa: F401 - which registers them


def prepare(cmd: object, file: str = "data/tut/1hpv.pdb", name: str = "protease") -> None:
    """A protein on white, ready for a journal."""
    cmd.reinitialize()
    cmd.load(os.path.join(os.environ["PYMOL_PATH"], file), name)
    cmd.remove("solvent")
    cmd.bg_color("white")
    for setting, value in {
        "ray_opaque_background": 1, "ray_shadows": 0, "ray_trace_mode": 0, "ray_trace_color": "grey30",
        "ambient": 0.35, "specular": 0.15, "depth_cue": 1, "fog_start": 0.55, "antialias": 2, "orthoscopic": 1,
        "cartoon_fancy_helices": 1, "opaque_background": 1,
    }.items():  # fmt: skip
        cmd.set(setting, value)
    cmd.show_as("cartoon", "polymer")
    cmd.hide("everything", "not polymer")
    cmd.color("grey80", name)
    cmd.orient("polymer")


def ellipsoids(cmd: object) -> None:
    prepare(cmd)
    cmd.do("dynaprot_ellipsoids protease, 0.9")
    cmd.show_as("ribbon", "protease")
    cmd.set("ribbon_color", "grey60", "protease")
    cmd.set("ray_trace_mode", 1)
    cmd.zoom("polymer", -2)
    cmd.png(str(IMAGES / "pymol-ellipsoids.png"), 1200, 800, ray=1)


def coupling(cmd: object) -> None:
    prepare(cmd, "data/demo/1tii.pdb", "toxin")
    cmd.do("dynaprot_coupling toxin, 0.6, chain A and resi 110-130")
    cmd.set("ambient", 0.2)
    cmd.orient("polymer")
    cmd.zoom("polymer", 5)
    cmd.move("y", 6)
    cmd.png(str(IMAGES / "pymol-coupling.png"), 1200, 800, ray=1)


def ensemble(cmd: object) -> None:
    prepare(cmd)
    cmd.do("dynaprot_rmsf protease")
    cmd.do("dynaprot_ensemble protease")
    cmd.hide("everything", "protease")
    cmd.zoom("polymer", -2)
    cmd.png(str(IMAGES / "pymol-ensemble.png"), 1200, 800, ray=1)


def modes(cmd: object) -> None:
    prepare(cmd, "data/demo/1tii.pdb", "toxin")
    cmd.do("dynaprot_modes toxin, 1, 3")
    cmd.hide("everything", "toxin")
    cmd.orient("polymer")
    cmd.turn("x", -80)
    cmd.zoom("polymer", -7)
    cmd.move("x", 7)
    cmd.do(f"dynaprot_movie {IMAGES / 'pymol-modes.gif'}, 480, 320, 20")


def window() -> None:
    """Start PyMOL on a virtual screen and let it photograph itself."""
    screen = f"-screen 0 {SCREEN[0]}x{SCREEN[1]}x24 +extension GLX"
    command = ["timeout", "60", "xvfb-run", "-a", "-s", screen, sys.executable, "-m", "pymol", "-q", __file__]
    subprocess.run(command, check=True)


def photograph() -> None:
    """Inside PyMOL's window: draw ellipsoids, select a block of the map, save the screen, and quit."""
    from pymol import cmd

    try:
        photograph_window(cmd)
    finally:
        cmd.quit()


def photograph_window(cmd: object) -> None:
    from pymol.gui import get_qtwindow
    from pymol.Qt import QtCore, QtWidgets

    register()
    from pymol_plugin.scene.proteins import read_proteins
    from pymol_plugin.window import show_window

    def wait(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QtWidgets.QApplication.processEvents(QtCore.QEventLoop.AllEvents, 50)

    get_qtwindow().resize(1010, SCREEN[1])
    get_qtwindow().move(0, 0)
    prepare(cmd)
    panel = show_window()
    panel.resize(SCREEN[0] - 1010, SCREEN[1])
    panel.move(1010, 0)
    wait(1)
    panel.controls.ellipsoids.click()
    wait(3)
    cmd.show_as("ribbon", "protease")
    cmd.set("ribbon_color", "grey60", "protease")
    cmd.set("ellipsoid_quality", 3)
    cmd.rebuild()
    (protein,) = read_proteins("protease", _self=cmd)
    panel.panels["coupling"]._dragged(*[[k for k, key in enumerate(protein.keys) if key[1] == chain
                                         and 46 <= int(key[2]) <= 54] for chain in "AB"])  # fmt: skip
    cmd.zoom("polymer", -1)
    wait(3)
    QtWidgets.QApplication.primaryScreen().grabWindow(0).save(str(IMAGES / "pymol-window.png"))


if __name__ == "__main__":
    import pymol2

    register()
    import pymol_plugin.commands

    with pymol2.PyMOL() as session:
        pymol_plugin.commands.register(_self=session.cmd)
        for draw in (ellipsoids, coupling, ensemble, modes):
            if draw.__name__ in (sys.argv[1:] or draw.__name__):
                draw(session.cmd)
    if "window" in (sys.argv[1:] or "window"):
        window()
elif __name__ == "pymol":
    from pymol.Qt import QtCore

    QtCore.QTimer.singleShot(2000, photograph)

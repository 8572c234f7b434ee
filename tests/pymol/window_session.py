"""Drives PyMOL's window from inside: `pymol -q window_session.py -- install|use REPORT ARGUMENT ...`.

It does what a user does by hand and writes what the user would see to a JSON report.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from pathlib import Path

from pymol import cmd
from pymol.gui import get_qtwindow
from pymol.plugins.installation import get_default_user_plugin_path, installPluginFromFile
from pymol.Qt import PYQT_NAME, QtCore, QtGui, QtWidgets

QTest = importlib.import_module(f"{PYQT_NAME}.QtTest").QTest

part, report_path, *arguments = sys.argv[1:]
report = {"dialogs": []}


def answer_dialogs() -> None:
    """Say Yes or OK to every question."""
    dialog = QtWidgets.QApplication.activeModalWidget()
    if dialog is not None:
        report["dialogs"].append(dialog.text())
        (dialog.button(QtWidgets.QMessageBox.Yes) or dialog.button(QtWidgets.QMessageBox.Ok)).click()


def wait_until(condition, seconds=30.0) -> None:
    """Let PyMOL's window work until something is the case."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        QtWidgets.QApplication.processEvents(QtCore.QEventLoop.AllEvents, 50)


def entries() -> dict[str, QtWidgets.QAction]:
    """Those of the plugins' menu."""
    menu = get_qtwindow().menudict["PluginQt"]
    return {action.text(): action for action in menu.actions() if action.text() == "DynaProt"}


def click(button) -> None:
    QTest.mouseClick(button, QtCore.Qt.LeftButton)


def log() -> str:
    return get_qtwindow().browser.toPlainText()


def screenshot(path) -> None:
    QtWidgets.QApplication.processEvents(QtCore.QEventLoop.AllEvents, 300)
    QtWidgets.QApplication.primaryScreen().grabWindow(0).save(path)


def install() -> None:
    installPluginFromFile(arguments[0], plugdir=get_default_user_plugin_path())
    report["menu"] = list(entries())


def use() -> None:
    heavy = ("gemmi", "torch", "safetensors", "matplotlib", "dynaprot")
    report["heavy modules at start"] = [name for name in heavy if name in sys.modules]
    structure, picture = arguments
    cmd.load(structure, "molecule")
    report["completion"] = cmd._parser.complete("dynaprot_ellipsoids mol")
    cmd.show_as("ribbon", "molecule")
    cmd.color("grey60", "molecule")
    report["menu"] = list(entries())

    entries()["DynaProt"].trigger()
    plugin = sys.modules["pmg_tk.startup.dynaprot.window"]
    window = plugin._window
    window.resize(840, 700)
    window.move(550, 100)
    report["opened"] = window.isVisible()
    controls = window.controls
    wait_until(lambda: controls.objects.currentText() == "molecule")

    # A prediction from the button, and its ellipsoids.
    click(controls.predict)
    wait_until(lambda: window.job is None and ": 198 residues, RMSF" in log())
    click(controls.ellipsoids)
    wait_until(lambda: ", mobility." in log())
    report["objects"] = cmd.get_names()
    report["residues"] = cmd.count_atoms("molecule_ellipsoids")

    # The map is dragged, and the selection appears; a selection in PyMOL appears in the map.
    panel = window.panels["coupling"]
    wait_until(lambda: panel.canvas.width() > 400)
    QtWidgets.QApplication.processEvents(QtCore.QEventLoop.AllEvents, 200)
    panel.canvas.draw()
    ratio = panel.canvas.device_pixel_ratio
    ends = []
    for place in ((45, 144), (54, 153)):
        x, y = panel.plot.panel.transData.transform(place)
        ends.append(QtCore.QPoint(round(x / ratio), round(panel.canvas.height() - y / ratio)))
    QTest.mouseMove(panel.canvas, ends[0])
    QTest.mousePress(panel.canvas, QtCore.Qt.LeftButton, pos=ends[0])
    # QTest.mouseMove holds no button down, and comes when the window system has time for it.
    move = QtGui.QMouseEvent(
        QtCore.QEvent.MouseMove, QtCore.QPointF(ends[1]), QtCore.QPointF(panel.canvas.mapToGlobal(ends[1])),
        QtCore.Qt.LeftButton, QtCore.Qt.LeftButton, QtCore.Qt.NoModifier,
    )  # fmt: skip
    QtWidgets.QApplication.sendEvent(panel.canvas, move)
    QTest.mouseRelease(panel.canvas, QtCore.Qt.LeftButton, pos=ends[1])
    wait_until(lambda: "sele" in cmd.get_names("selections"))
    picked: set = set()
    cmd.iterate("sele and name CA", "picked.add((chain, resi))", space={"picked": picked})
    report["dragged"] = sorted(picked)
    wait_until(lambda: len(panel._marked) == len(picked))

    # What was drawn follows a protein that is moved.
    cmd.create("target", "molecule")
    cmd.rotate("y", 90, "target", camera=0)
    cmd.align("molecule", "target")
    cmd.delete("target")

    def distance():
        there = cmd.get_coords("molecule and name CA and polymer")
        return float(abs(cmd.get_coords("molecule_ellipsoids") - there).max())

    report["left behind"] = distance()
    wait_until(lambda: distance() < 0.01)
    cmd.orient("molecule")
    cmd.hide("everything", "not molecule*")
    screenshot(picture)

    # A typed command opens the window at the map.
    window.close()
    cmd.do("dynaprot_coupling molecule, 0.5")
    wait_until(lambda: "couplings of at least 0.5" in log())
    wait_until(window.isVisible)
    window.close()
    report["log"] = log()


def run() -> None:
    try:
        {"install": install, "use": use}[part]()
    except Exception:
        report["error"] = traceback.format_exc() + log()
    Path(report_path).write_text(json.dumps(report))
    cmd.quit()


dialogs = QtCore.QTimer()
dialogs.timeout.connect(answer_dialogs)
dialogs.start(200)
QtCore.QTimer.singleShot(2000, run)

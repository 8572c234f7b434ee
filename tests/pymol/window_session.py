"""Drives PyMOL's window from inside: `pymol -q window_session.py -- install|use REPORT ARGUMENT ...`.

It does what a user does by hand and writes what the user would see to a JSON report.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path

from pymol import cmd
from pymol.gui import get_qtwindow
from pymol.plugins.installation import get_default_user_plugin_path, installPluginFromFile
from pymol.Qt import QtCore, QtWidgets

part, report_path, *arguments = sys.argv[1:]
report = {"dialogs": []}


def answer_dialogs() -> None:
    """Say Yes or OK to every question."""
    dialog = QtWidgets.QApplication.activeModalWidget()
    if dialog is not None:
        report["dialogs"].append(dialog.text())
        (dialog.button(QtWidgets.QMessageBox.Yes) or dialog.button(QtWidgets.QMessageBox.Ok)).click()


def menu() -> dict[str, QtWidgets.QAction]:
    return {action.text(): action for action in get_qtwindow().menudict["PluginQt|DynaProt"].actions()}


def install() -> None:
    installPluginFromFile(arguments[0], plugdir=get_default_user_plugin_path())
    report["menu"] = list(menu())


def use() -> None:
    heavy = ("gemmi", "torch", "safetensors", "matplotlib", "dynaprot")
    report["heavy modules at start"] = [name for name in heavy if name in sys.modules]
    cmd.load(arguments[0], "molecule")
    report["completion"] = cmd._parser.complete("dynaprot_ellipsoids mol")
    cmd.show_as("ribbon", "molecule")
    cmd.color("grey60", "molecule")
    report["menu"] = list(menu())
    menu()["Ellipsoids"].trigger()
    while "(red)" not in get_qtwindow().browser.toPlainText():
        QtWidgets.QApplication.processEvents(QtCore.QEventLoop.AllEvents, 100)
    report["objects"] = cmd.get_names()
    report["residues"] = cmd.count_atoms("molecule_ellipsoids")
    report["log"] = get_qtwindow().browser.toPlainText()
    QtWidgets.QApplication.primaryScreen().grabWindow(0).save(arguments[1])


def run() -> None:
    try:
        {"install": install, "use": use}[part]()
    except Exception:
        report["error"] = traceback.format_exc()
    Path(report_path).write_text(json.dumps(report))
    cmd.quit()


dialogs = QtCore.QTimer()
dialogs.timeout.connect(answer_dialogs)
dialogs.start(200)
QtCore.QTimer.singleShot(2000, run)

"""Drives DynaProt's window without PyMOL's, on the binding of QT_API: `dialog_session.py STARTUP STRUCTURE REPORT`.

It does what a user does by hand and writes what the user would see to a JSON report, exceptions included.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
import traceback
from pathlib import Path

import pymol2
from pmg_tk import startup
from pymol.Qt import PYQT_NAME, QtCore, QtGui, QtWidgets

QtTest = importlib.import_module(f"{PYQT_NAME}.QtTest")

startup_folder, structure, report_path = sys.argv[1:]
startup.__path__.insert(0, startup_folder)

application = QtWidgets.QApplication([])
report = {"binding": PYQT_NAME, "errors": []}
sys.excepthook = lambda *failure: report["errors"].append("".join(traceback.format_exception(*failure)))


def wait_until(condition, seconds=20.0):
    """Let the window work until something is the case."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        application.processEvents()
        time.sleep(0.005)


def click(button):
    QtTest.QTest.mouseClick(button, QtCore.Qt.MouseButton.LeftButton)


def drag(panel, first, last):
    """Drag over a plot, from one residue to another, with the mouse."""
    canvas = panel.canvas
    canvas.draw()
    ratio = canvas.device_pixel_ratio
    points = []
    for place in (first, last):
        x, y = panel.plot.panel.transData.transform(place)
        points.append(QtCore.QPoint(round(x / ratio), round(canvas.height() - y / ratio)))
    QtTest.QTest.mouseMove(canvas, points[0])
    QtTest.QTest.mousePress(canvas, QtCore.Qt.MouseButton.LeftButton, pos=points[0])
    for share in (0.5, 1.0):
        between = points[0] + (points[1] - points[0]) * share
        # QTest.mouseMove holds no button down.
        move = QtGui.QMouseEvent(
            QtCore.QEvent.Type.MouseMove, QtCore.QPointF(between), QtCore.QPointF(canvas.mapToGlobal(between)),
            QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        application.sendEvent(canvas, move)
    QtTest.QTest.mouseRelease(canvas, QtCore.Qt.MouseButton.LeftButton, pos=points[1])


def watch(module, name, delays):
    """Tell from now on in which threads a function of the core is called.

    It first waits as `delays` says: so many seconds, or until a call returns.
    """
    from pmg_tk.startup.dynaprot.core import load_core

    home = load_core(module)
    function, threads = getattr(home, name), []

    def watched(*arguments):
        threads.append(threading.current_thread() is threading.main_thread())
        delay = delays.get(name, 0.0)
        delay() if callable(delay) else time.sleep(delay)
        return function(*arguments)

    setattr(home, name, watched)
    return threads


def use(cmd):
    from pmg_tk.startup.dynaprot.window.window import DynaProtWindow

    delays = {}
    in_main_thread = {
        "coupling": watch(".joint.elastic", "unit_diagonal", delays),
        "modes": watch(".joint.elastic", "leading_eigenpairs", delays),
        "ensemble": watch(".structure.chain_geometry", "restore_geometry", delays),
        "turns": watch(".structure.rigid_residues", "residue_rotations", delays),
    }

    commands = []
    do = cmd.do
    cmd.do = lambda command: (commands.append(command), do(command))
    window = DynaProtWindow(cmd)
    window.show()
    controls = window.controls

    # An object that appears is listed, with its chains.
    cmd.load(structure, "molecule")
    wait_until(lambda: controls.objects.currentText() == "molecule")
    report["chains"] = [controls.chains.item(row).text() for row in range(controls.chains.count())]

    # A prediction, which waits until the window has answered ten times meanwhile.
    answers = []
    answered = threading.Event()

    def answer():
        answers.append(time.monotonic())
        if len(answers) >= 10:
            answered.set()

    in_main_thread["predict"] = watch(".prediction", "predict", {"predict": lambda: answered.wait(30.0)})
    clock = QtCore.QTimer(window)
    clock.timeout.connect(answer)
    clock.start(10)
    controls.model.setCurrentText("anm")
    click(controls.predict)
    report["busy"] = window.progress.isVisible() and window.cancel_button.isVisible()
    wait_until(lambda: window.job is None)
    clock.stop()
    report["predicted in main thread"] = in_main_thread.pop("predict")
    report["answers"] = answered.is_set()
    report["status"] = window.status.text()
    report["plots"] = all(panel.plot is not None for panel in window.panels.values())

    # Every button, and the command that it prints.
    for button in (controls.ellipsoids, controls.rmsf, controls.restore, controls.coupling, controls.ensemble,
                   controls.mode_button):  # fmt: skip
        click(button)
        wait_until(lambda: window.job is None)
    report["objects"] = cmd.get_names()
    report["in main thread"] = {name: list(calls) for name, calls in in_main_thread.items()}

    # What a view asks of a prediction that is there can be left behind too, and stays away.
    delays["leading_eigenpairs"] = 0.5
    controls.mode.setValue(2)
    click(controls.mode_button)
    report["working"] = (window.status.text(), window.cancel_button.isVisible())
    click(window.cancel_button)
    title = cmd.get_title("molecule_modes", 1)
    wait_until(lambda: not any(thread.name == "DynaProt" for thread in threading.enumerate()))
    report["view cancelled"] = (window.status.text(), cmd.get_title("molecule_modes", 1) == title)
    delays.clear()

    # The probability's slider, live and when released.
    def scale():
        return float(cmd.get("ellipsoid_scale", "molecule_ellipsoids"))

    before, printed = scale(), len(commands)
    slider = controls.probability.slider
    slider.setSliderDown(True)
    slider.setValue(slider.maximum())
    report["grown live"] = scale() > before and len(commands) == printed
    slider.setSliderDown(False)
    application.processEvents()
    report["command of the slider"] = commands[-1]

    # Those of threshold and samples draw while they are held, and print when they are released.
    def tubes():
        return cmd.count_atoms("molecule_couplings") if "molecule_couplings" in cmd.get_names() else 0

    few, states = tubes(), cmd.count_states("molecule_ensemble")
    controls.threshold.slider.setSliderDown(True)
    controls.threshold.slider.setValue(controls.threshold.slider.value() // 2)
    wait_until(lambda: tubes() > few)
    controls.count.slider.setSliderDown(True)
    controls.count.slider.setValue(3)
    wait_until(lambda: cmd.count_states("molecule_ensemble") == 3)
    report["previewed"] = (states, commands[-1])
    controls.threshold.slider.setSliderDown(False)
    controls.count.slider.setSliderDown(False)
    report["settled"] = commands[-2:]

    # The plots, both ways.
    window.tabs.setCurrentWidget(window.panels["coupling"])
    application.processEvents()
    drag(window.panels["coupling"], (9, 29), (19, 39))
    application.processEvents()
    picked = set()
    cmd.iterate("sele and name CA", "picked.add((chain, resi))", space={"picked": picked})
    report["dragged"] = sorted(picked)
    report["command of the drag"] = commands[-1]
    panel = window.panels["coupling"]
    cmd.select("sele", "molecule and chain B and resi 50-52")
    wait_until(lambda: len(panel._marked) == 3)
    report["marked"] = [panel.protein.keys[residue][1:] for residue in panel._marked]
    panel.plot.on_hover(0, 98)
    report["hover"] = panel.line.text()
    window.tabs.setCurrentWidget(window.panels["rmsf"])
    application.processEvents()
    curve = window.panels["rmsf"]
    drag(curve, (49, 0.1), (49, 0.1))
    application.processEvents()
    report["command of the pick"] = commands[-1]

    # The object gets another name, which the plots then use; and its old one again.
    cmd.create("bystander", "molecule and chain A")
    cmd.order("bystander", location="top")
    wait_until(lambda: controls.objects.itemText(0) == "bystander")
    cmd.set_name("molecule", "renamed")
    wait_until(lambda: controls.objects.currentText() == "renamed")
    drag(curve, (59, 0.1), (59, 0.1))
    report["renamed"] = (commands[-1], all(panel.plot is not None for panel in window.panels.values()))
    cmd.delete("bystander")
    cmd.set_name("renamed", "molecule")
    wait_until(lambda: controls.objects.currentText() == "molecule")

    # One chain alone; a job that is cancelled; an object that is deleted while a job runs.
    controls.chains.item(1).setCheckState(QtCore.Qt.CheckState.Unchecked)
    report["one chain"] = controls.selection()
    click(controls.predict)
    click(window.cancel_button)
    report["cancelled"] = (window.status.text(), window.job is None, window.progress.isVisible())
    printed = len(commands)
    controls.model.setCurrentText("anm-cutoff")
    click(controls.rmsf)
    cmd.delete("molecule")
    wait_until(lambda: window.job is None)
    report["deleted"] = (window.status.text(), len(commands) == printed)
    wait_until(lambda: curve.plot is None)

    # What cannot be predicted; closing while a job runs; opening again.
    click(controls.rmsf)
    report["refused"] = window.status.text()
    cmd.load(structure, "molecule")
    wait_until(lambda: controls.objects.currentText() == "molecule")
    click(controls.ellipsoids)
    window.close()
    report["closed"] = window.job is None
    window.show()
    click(controls.ellipsoids)
    wait_until(lambda: window.job is None)
    report["after reopening"] = commands[-1]

    # A movie, a frame at a time.
    movie = Path(report_path).with_name(f"{PYQT_NAME}.gif")
    cmd.delete("molecule_*")
    cmd.viewport(32, 24)
    cmd.create("states", "molecule and resi 5", 1, 1)
    cmd.create("states", "molecule and resi 5", 1, 2)
    cmd.disable("molecule")
    window.record_to(movie)
    wait_until(lambda: window.job is None, 60)
    report["movie"] = (movie.exists(), window.status.text())
    window.record_to(movie.with_suffix(".avi"))
    report["no movie"] = window.status.text()

    # Saved where the user says, whatever the name.
    odd = Path(report_path).with_name(f"{PYQT_NAME}, {{a}}; b.csv")
    QtWidgets.QFileDialog.getSaveFileName = lambda *_: (str(odd), "")
    click(controls.save)
    wait_until(lambda: window.job is None)
    nowhere = Path(report_path).with_name("nowhere") / "b.csv"
    QtWidgets.QFileDialog.getSaveFileName = lambda *_: (str(nowhere), "")
    click(controls.save)
    wait_until(lambda: window.job is None)
    report["not saved"] = window.status.text()
    report["saved"] = (odd.exists(), f'dynaprot_save "{odd}", molecule' in commands)

    # The desktop turns dark.
    click(controls.ellipsoids)
    wait_until(lambda: window.job is None)
    dark = QtGui.QPalette(QtGui.QColor(40, 40, 45))
    window.setPalette(dark)
    application.processEvents()
    report["dark"] = panel.canvas.figure.get_facecolor()
    window.grab().save(str(Path(report_path).with_suffix(".png")))
    settings = sys.modules["pmg_tk.startup.dynaprot.settings"].settings()
    report["settings"] = {name: settings[name] for name in ("model", "probability")}
    window.close()


def install(cmd):
    """The dialog of missing packages, with a pip that only prints."""
    from pmg_tk.startup.dynaprot import installer
    from pmg_tk.startup.dynaprot.window.packages import PackagesDialog

    dialog = PackagesDialog(["gemmi", "matplotlib"])
    dialog.show()
    report["message"] = dialog.message.text()
    real = installer.pip_command
    installer.pip_command = lambda packages: [sys.executable, "-c", "print('no such package'); raise SystemExit(1)"]
    click(dialog.install_button)
    report["installing"] = (dialog.install_button.isEnabled(), dialog.progress.maximum())
    wait_until(lambda: dialog.install_button.isEnabled())
    report["failed"] = (dialog.output.toPlainText(), dialog.install_button.text())
    installer.pip_command = lambda packages: [sys.executable, "-c", "print('installed')"]
    click(dialog.install_button)
    wait_until(lambda: not dialog.isVisible())
    report["installed"] = dialog.result() == int(QtWidgets.QDialog.DialogCode.Accepted.value
                                                 if hasattr(QtWidgets.QDialog.DialogCode.Accepted, "value")
                                                 else QtWidgets.QDialog.DialogCode.Accepted)  # fmt: skip
    installer.pip_command = lambda packages: [sys.executable, "-c", "import time; time.sleep(60)"]
    dialog = PackagesDialog(["gemmi"])
    dialog.show()
    click(dialog.install_button)
    wait_until(lambda: dialog.process.state() == QtCore.QProcess.ProcessState.Running)
    click(dialog.later_button)
    report["given up"] = dialog.process.state() == QtCore.QProcess.ProcessState.NotRunning
    installer.pip_command = real

    # Asked for the window in a PyMOL whose Python is too old, DynaProt says so.
    from pmg_tk.startup.dynaprot import core

    told = []
    QtWidgets.QMessageBox.warning = lambda *words: told.append(words[-1])
    real, core.OLDEST_PYTHON = core.OLDEST_PYTHON, (4, 0)
    from pmg_tk.startup.dynaprot.window import show_window

    report["too old"] = (show_window() is None, *told)
    core.OLDEST_PYTHON = real

    # Asked for the window, DynaProt first says what is missing; the window opens once nothing is.
    from pmg_tk.startup.dynaprot import window

    def answer():
        dialog = application.activeModalWidget()
        if isinstance(dialog, PackagesDialog):
            report["asked"].append(dialog.missing)
            click(dialog.later_button)

    window.cmd = cmd  # this script has no PyMOL but the session's
    report["asked"] = []
    clock = QtCore.QTimer()
    clock.timeout.connect(answer)
    clock.start(50)
    real, installer.missing_packages = installer.missing_packages, lambda: ["numpy", "gemmi"]
    report["with packages missing"] = window.show_window() is not None
    installer.missing_packages = real
    report["with all packages"] = window.show_window() is not None
    clock.stop()


try:
    with pymol2.PyMOL() as session:
        import pmg_tk.startup.dynaprot.commands

        pmg_tk.startup.dynaprot.commands.register(_self=session.cmd)
        use(session.cmd)
        install(session.cmd)
except Exception:
    report["errors"].append(traceback.format_exc())
Path(report_path).write_text(json.dumps(report), encoding="utf-8")

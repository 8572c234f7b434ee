"""The windows: the tool, the RMSF plot and the heat map, driven by simulated clicks off the screen."""

import threading
import time

import numpy as np
import pytest


def commands(log):
    """The commands that were logged."""
    return [text.split("(cxcmd:")[1].removesuffix(")").replace("\n", " ") for _, text in log if "(cxcmd:" in text]


@pytest.fixture
def click(window):
    """Press and release the left button on a widget, or drag from one place to another."""
    from Qt.QtCore import QEvent, QPoint, QPointF, Qt
    from Qt.QtGui import QMouseEvent
    from Qt.QtWidgets import QApplication

    def send(widget, kind, place, buttons):
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
        where = QPointF(*place)
        screen = QPointF(widget.mapToGlobal(QPoint(*map(int, place))))
        event = QMouseEvent(kind, where, screen, button, buttons, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(widget, event)

    def click(widget, start=None, end=None):
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        start = start or (widget.width() / 2, widget.height() / 2)
        send(widget, QEvent.Type.MouseMove, start, none)
        send(widget, QEvent.Type.MouseButtonPress, start, left)
        for share in (0.5, 1.0) if end else ():
            place = [a + share * (b - a) for a, b in zip(start, end, strict=True)]
            send(widget, QEvent.Type.MouseMove, place, left)
        send(widget, QEvent.Type.MouseButtonRelease, end or start, none)
        QApplication.processEvents()

    return click


@pytest.fixture
def tool(session, protease, window):
    """The tool, opened as the menu does."""
    bundle = session.toolshed.find_bundle("ChimeraX-DynaProt", session.logger)
    (name,) = [tool.name for tool in bundle.tools]
    assert name == "DynaProt"
    return bundle.start_tool(session, name)


def test_the_tool_draws_ellipsoids(tool, click, window, protease, log):
    """A click predicts in a thread while the window answers, then runs and logs the command."""
    from chimerax.dynaprot.scene.ellipsoids import ellipsoids_of

    assert tool.structure is protease
    click(tool.buttons["Ellipsoids"])
    assert tool.cancel_button.isVisible()
    assert not tool.buttons["Ellipsoids"].isEnabled()
    assert not tool.style.isEnabled(), "a choice made now would be lost"
    assert tool.status.text().startswith("Predicting the motion of 1hpv.pdb #1, 198 residues")
    window(lambda: ellipsoids_of(protease) is not None)
    assert len(ellipsoids_of(protease).residues) == 198
    assert not tool.cancel_button.isVisible()
    assert tool.buttons["Ellipsoids"].isEnabled()
    assert tool.style.isEnabled()
    assert "dynaprot ellipsoids #1 probability 0.5 colorBy rmsf style ellipsoid model default" in commands(log)


def test_the_tool_shows_what_the_prediction_tells(tool, click, window, protease, run):
    """The notices that the log has, on the line for messages."""
    run("delete #1/B:20@C,O")
    click(tool.buttons["Ellipsoids"])
    window(lambda: tool.status.text() == "Rebuilt missing backbone atoms: C of /B:20.")


def test_the_probability_slider_is_live(tool, click, window, protease, log):
    """While it moves the ellipsoids grow; one command is logged when it is let go."""
    from chimerax.dynaprot.scene.ellipsoids import ellipsoids_of

    tool.model_menu.setCurrentText("Elastic network")
    tool.probability.setValue(60)
    assert ellipsoids_of(protease) is None, "nothing is drawn that was not asked for"
    click(tool.buttons["Ellipsoids"])
    window(lambda: ellipsoids_of(protease) is not None)
    surface = ellipsoids_of(protease)
    radius, logged = surface.radius, len(commands(log))
    tool.probability.setSliderDown(True)
    for value in range(61, 91):
        tool.probability.setValue(value)
    window(lambda: surface.radius > radius)
    assert tool.probability_text.text() == "0.90"
    assert len(commands(log)) == logged
    tool.probability.setSliderDown(False)
    assert commands(log)[logged:] == ["dynaprot ellipsoids #1 probability 0.9 colorBy rmsf style ellipsoid model anm"]
    tool.probability.setValue(80)  # as by a key
    window(lambda: commands(log)[-1].startswith("dynaprot ellipsoids #1 probability 0.8 "))
    assert len(commands(log)) == logged + 2
    tool.colouring.setCurrentText("chain")
    assert commands(log)[-1].endswith("colorBy chain style ellipsoid model anm")
    assert len(np.unique(surface.residue_colors, axis=0)) == 2
    drawn = surface.vertices
    tool.model_menu.setCurrentText("DynaProt")
    window(lambda: surface.vertices is not drawn)
    assert commands(log)[-1].endswith("colorBy chain style ellipsoid model default")


def test_chains_are_chosen(tool, click, window, protease, log):
    """The command names them, and they alone are predicted."""
    first, second = tool.chain_button.menu().actions()
    second.setChecked(False)
    assert tool.chain_button.text() == "A"
    tool.model_menu.setCurrentText("Elastic network")
    click(tool.buttons["RMSF"])
    window(lambda: hasattr(protease.residues[0], "dynaprot_rmsf"))
    assert "dynaprot rmsf #1/A model anm" in commands(log)
    assert not hasattr(protease.residues[150], "dynaprot_rmsf")
    first.setChecked(False)
    click(tool.buttons["RMSF"])
    assert tool.status.text() == "Choose a chain first."
    assert ("error", "Choose a chain first.") in log


def test_chains_change(run, tool, click, window, protease, log):
    """A chain that was deleted or has another name since the menu was filled is not asked for."""
    tool.model_menu.setCurrentText("Elastic network")
    run("delete #1/A")
    protease.chains[0].chain_id = "C"
    click(tool.buttons["RMSF"])
    window(lambda: hasattr(protease.residues[0], "dynaprot_rmsf"))
    assert "dynaprot rmsf #1 model anm" in commands(log)
    assert [action.text() for action in tool.chain_button.menu().actions()] == ["C"]


@pytest.fixture
def answers(window):
    """Asks, from within work that takes a while, whether the window goes on answering: its timer is to beat ten times.

    However slow the machine, it does so where the work is done in another thread, and never where the window waits.
    """
    from Qt.QtCore import QTimer

    beats = threading.Semaphore(0)
    timer = QTimer()
    timer.timeout.connect(beats.release)
    timer.start(20)

    def answers():
        while beats.acquire(blocking=False):
            pass
        return all(beats.acquire(timeout=10) for _ in range(10))

    yield answers
    timer.stop()


@pytest.fixture
def let_jobs_end(window):
    """Waits until no job is at work, and all that they left for the main thread to call has been called."""

    def let_jobs_end():
        window(lambda: "DynaProt" not in {thread.name for thread in threading.enumerate()})
        rounds = iter(range(10))  # in each of which one call is made
        window(lambda: next(rounds, None) is None)

    return let_jobs_end


def test_the_window_does_not_freeze(tool, click, window, protease, monkeypatch, answers):
    """Events are handled before and after the numbers of a prediction are worked out."""
    from chimerax.dynaprot.scene import predictions

    predict, answered = predictions.Request.predict, []

    def predict_slowly(request):
        answered.append(answers())
        dynamics = predict(request)
        answered.append(answers())
        return dynamics

    monkeypatch.setattr(predictions.Request, "predict", predict_slowly)
    click(tool.buttons["RMSF"])
    window(lambda: hasattr(protease.residues[0], "dynaprot_rmsf"))
    assert answered == [True, True]


HEAVY = {
    "Couplings": ("dynaprot.joint.elastic", "unit_diagonal", "coupling"),
    "Ensemble": ("dynaprot.analysis.ensembles", "restore_geometry", "ensemble"),
    "Motion": ("dynaprot.joint.elastic", "leading_eigenpairs", "modes"),
}
"""By button: the function that takes long in what its view asks for, and its command."""


@pytest.fixture
def slow(monkeypatch, answers):
    """Let a function of the bundle take a while; gives, for each call of it, whether the window answered meanwhile."""
    from importlib import import_module

    def slow(module, name):
        home = import_module(f"chimerax.dynaprot.{module}")
        function, calls = getattr(home, name), []

        def slowed(*arguments, **keywords):
            calls.append(None)
            calls[-1] = answers()
            return function(*arguments, **keywords)

        monkeypatch.setattr(home, name, slowed)
        return calls

    return slow


@pytest.mark.parametrize("button", HEAVY)
@pytest.mark.parametrize("predicted", [False, True])
def test_what_a_view_asks_for_does_not_freeze_the_window(tool, click, window, run, log, slow, button, predicted):
    """Couplings, restored conformations and modes are worked out once, in the job's thread; drawing comes after."""
    run("dynaprot predict #1 model default" if predicted else "dynaprot info")
    module, name, command = HEAVY[button]
    calls = slow(module, name)
    click(tool.buttons[button])
    assert tool.cancel_button.isVisible()
    assert ("Working out the view of" if predicted else "Predicting the motion of") in tool.status.text()
    window(lambda: tool._job is None)
    assert calls == [True]
    assert commands(log)[-1 if button == "Couplings" else -2].startswith(f"dynaprot {command} #1")


@pytest.mark.parametrize("button", HEAVY)
def test_cancel_what_a_view_asks_for(tool, click, window, session, protease, log, slow, let_jobs_end, button):
    """Nothing is drawn; the prediction, which was there already, is kept for the next click."""
    from chimerax.dynaprot.scene.predictions import Predictions
    from chimerax.dynaprot.window.plots import CouplingTool

    module, name, _ = HEAVY[button]
    calls = slow(module, name)
    models = session.models.list()
    click(tool.buttons[button])
    window(lambda: calls)
    click(tool.cancel_button)
    assert tool.status.text() == "Cancelled."
    let_jobs_end()
    assert session.models.list() == models
    assert not session.tools.find_by_class(CouplingTool)
    assert not commands(log)
    assert len([text for _, text in log if "residues predicted in" in text]) == 1
    assert len(Predictions.of(session)._kept[protease]) == 1


def test_a_motion_that_is_not_there_costs_no_prediction(tool, click, window, run, log):
    """It is refused in the window as by the command, and the prediction for it is kept."""
    run("delete #1 & ~ #1/A:1-6")
    tool.mode.setValue(20)
    click(tool.buttons["Motion"])
    window(lambda: "20 modes were asked for; there are 1 to 12" in tool.status.text())
    tool.mode.setValue(12)
    click(tool.buttons["Motion"])
    window(lambda: tool._job is None)
    assert "dynaprot modes #1 mode 12 amplitude 2 model default" in commands(log)
    assert len([text for _, text in log if "residues predicted in" in text]) == 1


@pytest.mark.parametrize("command", ["predict", "coupling", "ensemble", "modes", "save"])
def test_a_typed_command_lets_the_window_be_painted(run, protease, window, slow, command, tmp_path):
    """It returns with its result, and timers and painting go on until then."""
    if command != "predict":
        run("dynaprot predict #1 model anm")
    work = {name: heavy[:2] for *heavy, name in HEAVY.values()}
    work |= {"predict": ("scene.predictions", "predict"), "save": work["coupling"]}
    calls = slow(*work[command])
    result = run(f"dynaprot {command} #1{f' {tmp_path}/all.npz' if command == 'save' else ''} model anm")
    assert calls
    assert all(calls)
    assert (tmp_path / "all.npz").exists() if command == "save" else len(result) == 1


def test_cancel(tool, click, window, protease, log, monkeypatch, answers, let_jobs_end):
    """A cancelled prediction is dropped, nothing is drawn, and the next click starts anew."""
    from chimerax.dynaprot.scene import predictions
    from chimerax.dynaprot.scene.ellipsoids import ellipsoids_of

    predict = predictions.Request.predict
    monkeypatch.setattr(predictions.Request, "predict", lambda self: (answers(), predict(self))[1])
    tool.model_menu.setCurrentText("Elastic network")
    click(tool.buttons["Ellipsoids"])
    click(tool.cancel_button)
    assert tool.status.text() == "Cancelled."
    let_jobs_end()
    assert ellipsoids_of(protease) is None
    assert not commands(log)
    click(tool.buttons["Ellipsoids"])
    window(lambda: ellipsoids_of(protease) is not None)


def test_a_structure_closed_meanwhile(tool, click, window, protease, run, log, monkeypatch):
    """Its prediction is dropped, and the tool says that the specification names nothing."""
    from chimerax.dynaprot.scene import predictions

    predict = predictions.Request.predict
    monkeypatch.setattr(predictions.Request, "predict", lambda self: (time.sleep(0.3), predict(self))[1])
    click(tool.buttons["RMSF"])
    run("close #1")
    window(lambda: not tool.bar.isVisible())
    assert tool.structure is None
    assert [text for level, text in log if level == "error"]
    click(tool.buttons["RMSF"])
    assert tool.status.text() == "Open a structure first."


def test_what_the_core_refuses_is_shown(tool, click, window, run, log):
    """As in the command, in its own words."""
    run("delete #1 & ~ #1/A:1-3")
    click(tool.buttons["RMSF"])
    window(lambda: tool.status.text().startswith("1hpv.pdb #1: has 3 residues"))
    assert [level for level, text in log if "has 3 residues" in text] == ["error"]


def test_other_views(tool, click, window, session, protease, log):
    """Couplings with their heat map, an ensemble with the host's slider, and a motion that plays."""
    from chimerax.dynaprot.scene.couplings import couplings_of
    from chimerax.dynaprot.window.plots import CouplingTool

    tool.model_menu.setCurrentText("Elastic network")
    click(tool.buttons["Couplings"])
    window(lambda: couplings_of(protease) is not None)
    assert len(session.tools.find_by_class(CouplingTool)) == 1
    few = len(couplings_of(protease).pseudobonds)
    tool.threshold.setValue(40)
    window(lambda: len(couplings_of(protease).pseudobonds) > few)
    tool.count.setValue(3)
    click(tool.buttons["Ensemble"])
    window(lambda: len(session.models.list(type=type(protease))) == 2)
    assert [structure.name for structure in window.sliders] == ["1hpv.pdb ensemble"]
    tool.mode.setValue(3)
    click(tool.buttons["Motion"])
    window(lambda: tool._job is None)
    logged = commands(log)
    assert "dynaprot ensemble #1 count 3 model anm" in logged
    assert "dynaprot modes #1 mode 3 amplitude 2 model anm" in logged
    assert any(line.startswith("coordset #3 1,40") for line in logged)


def test_structures_come_and_go(tool, run, protease, protease_file):
    """The menu lists those with protein."""
    run(f'open "{protease_file}"')
    names = [tool.structure_menu.itemText(k) for k in range(tool.structure_menu.count())]
    assert names == ["1hpv.pdb #1", "1hpv.pdb #2"]
    run("close #1")
    assert tool.structure.id == (2,)
    run("close #2")
    assert tool.structure is None
    assert tool.chain_button.text() == "none"


def opened(session, run, kind, command):
    """The plot that a command opens."""
    from chimerax.dynaprot.window import plots

    run(command)
    (tool,) = session.tools.find_by_class(getattr(plots, kind))
    tool.tool_window.ui_area.resize(700, 700 if kind == "CouplingTool" else 320)
    tool.plot.figure.canvas.draw()
    return tool


def place(tool, x, y):
    """Where on the canvas a point of the plot is, in Qt's pixels."""
    canvas = tool.plot.figure.canvas
    across, up = tool.plot.panel.transData.transform((x, y))
    ratio = canvas.device_pixel_ratio
    return across / ratio, canvas.height() - up / ratio


def canvas_of(tool):
    return tool.plot.figure.canvas


def test_a_click_on_the_rmsf_selects_the_residue(session, run, protease, window, click, log):
    """It is selected and brought into the centre; hovering names it."""
    from chimerax.atomic import selected_residues

    tool = opened(session, run, "RmsfTool", "dynaprot rmsf #1 model anm")
    assert tool.display_name == "DynaProt RMSF of 1hpv.pdb #1"
    click(canvas_of(tool), place(tool, 49, 0.5))
    assert [(residue.chain_id, residue.number) for residue in selected_residues(session)] == [("A", 50)]
    assert "select /A:50" in commands(log)
    assert tool.hovered.text().startswith("A ILE 50: RMSF ")


@pytest.mark.parametrize(
    ("kind", "command"), [("RmsfTool", "rmsf"), ("CouplingTool", "coupling"), ("DynaProtTool", "ellipsoids")]
)
def test_pictures(session, run, protease, window, kind, command, picture_folder):
    """What the windows look like, for people to see."""
    run("select #1/A:45-55; dynaprot predict #1")
    if kind == "DynaProtTool":
        from chimerax.dynaprot.window.tool import DynaProtTool

        tool = DynaProtTool.get_singleton(session)
    else:
        tool = opened(session, run, kind, f"dynaprot {command} #1")
    area = tool.tool_window.ui_area
    path = picture_folder / f"window-{command}.png"
    assert area.grab().save(str(path))
    assert path.stat().st_size > 3000


def test_a_selection_is_marked_in_the_plots(session, run, protease, window, settle):
    """Rows and columns, also of a selection made before the plot was opened."""
    marked = []
    run("select #1/B:1-3")
    tool = opened(session, run, "CouplingTool", "dynaprot coupling #1 model anm")
    before = len(tool.plot._marks)
    assert before > 0
    tool.plot.mark = lambda residues: marked.append(residues.tolist())
    run("select #1/A:10-12,20")
    settle()
    session.update_loop.draw_new_frame()
    assert marked[-1] == [9, 10, 11, 19]


def test_a_box_in_the_heat_map_selects(session, run, protease, window, click, log):
    """Rows and columns of the box; the command is logged; hovering names the pair and its coupling."""
    from chimerax.atomic import selected_residues

    tool = opened(session, run, "CouplingTool", "dynaprot coupling #1 model anm")
    click(canvas_of(tool), place(tool, 109, 39), place(tool, 119, 49))
    chosen = {(residue.chain_id, residue.number) for residue in selected_residues(session)}
    assert chosen == {("A", k) for k in range(40, 51)} | {("B", k) for k in range(11, 22)}
    assert "select /A:40-50/B:11-21" in commands(log)
    coupling = tool.prediction.dynamics.coupling[49, 119]
    assert tool.hovered.text() == f"A ILE 50 – B GLU 21: {coupling:+.2f}"


def test_a_box_in_the_heat_map_colours(session, run, protease, window, click):
    """As an alternative, chosen in the context menu."""
    from Qt.QtWidgets import QMenu

    tool = opened(session, run, "CouplingTool", "dynaprot coupling #1 model anm")
    menu = QMenu()
    tool.tool_window.fill_context_menu(menu, 0, 0)
    colors = next(action for action in menu.actions() if "colors residues" in action.text())
    colors.trigger()
    click(canvas_of(tool), place(tool, 109, 39), place(tool, 119, 49))
    chain_a = protease.residues.filter(protease.residues.chain_ids == "A")
    assert list(chain_a[44].ribbon_color) == [255, 215, 0, 255]
    chain_b = protease.residues.filter(protease.residues.chain_ids == "B")
    assert list(chain_b[14].ribbon_color) == [30, 144, 255, 255]


def test_a_chain_without_a_name(session, run, protease, window, log):
    """As in files of simulations: the commands that the plots log name the structure."""
    from Qt.QtWidgets import QMenu

    run("delete #1/B; dynaprot predict #1 model anm")
    protease.chains[0].chain_id = " "
    tool = opened(session, run, "CouplingTool", "dynaprot coupling #1")
    run("select #1:50")
    menu = QMenu()
    tool.tool_window.fill_context_menu(menu, 0, 0)
    next(action for action in menu.actions() if "to the selection" in action.text()).trigger()
    assert "dynaprot coupling #1 from /*:50" in commands(log)
    assert protease.residues[49].dynaprot_coupling == pytest.approx(1)


def test_many_models_do_not_fill_the_screen(session, run, protease, window, log):
    """As those of an NMR structure: a few plots are opened, and the log says how to get another."""
    from chimerax.dynaprot.window.plots import RmsfTool

    run("delete #1/B")
    session.models.add([protease.copy("copy") for _ in range(4)])
    run("dynaprot rmsf #1-5 model anm")
    assert {tool.structure.id for tool in session.tools.find_by_class(RmsfTool)} == {(1,), (2,), (3,), (4,)}
    assert "windows of the first 4 of 5 structures" in log[-1][1]
    run("dynaprot rmsf #5")
    assert len(session.tools.find_by_class(RmsfTool)) == 5


def test_plots_close_with_what_they_show(session, run, protease, window, settle):
    """With the structure, or when a residue is deleted; a second command replaces the plot of the first."""
    from chimerax.dynaprot.window.plots import PlotTool

    def open_plots():
        return [tool for tool in session.tools.list() if isinstance(tool, PlotTool)]

    run("dynaprot rmsf #1 model anm; dynaprot rmsf #1; dynaprot coupling #1")
    assert len(open_plots()) == 2
    run("delete #1/A:5")
    settle()
    assert not open_plots()
    run("dynaprot rmsf #1; close #1")
    assert not open_plots()


def test_plots_come_back_with_a_session(session, run, protease, window, tmp_path, click, monkeypatch):
    """The same values, without a prediction, and still linked."""
    from chimerax.atomic import selected_residues
    from chimerax.dynaprot.dynaprot import Dynamics
    from chimerax.dynaprot.window.plots import CouplingTool, RmsfTool

    saves, save = [], Dynamics.save
    monkeypatch.setattr(Dynamics, "save", lambda self, path: (saves.append(path.name), save(self, path)))
    run("dynaprot rmsf #1 model anm; dynaprot coupling #1")
    rmsf = session.tools.find_by_class(RmsfTool)[0].prediction.dynamics.rmsf
    run(f'save "{tmp_path}/plots.cxs"')
    assert saves == ["dynamics.npz"], "it is saved once, not for each plot"
    session.reset()
    assert not session.tools.find_by_class(RmsfTool)
    run(f'open "{tmp_path}/plots.cxs"')
    (restored,) = session.tools.find_by_class(RmsfTool)
    assert len(session.tools.find_by_class(CouplingTool)) == 1
    np.testing.assert_array_equal(restored.prediction.dynamics.rmsf, rmsf)
    restored.tool_window.ui_area.resize(700, 320)
    canvas_of(restored).draw()
    click(canvas_of(restored), place(restored, 49, 0.5))
    assert [residue.number for residue in selected_residues(session)] == [50]

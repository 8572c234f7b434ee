"""The plots of the hosts' windows: what is dragged, clicked and pointed at is told, and what is selected is marked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backend_bases import LocationEvent, MouseButton, MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dynaprot import Dynamics, predict
from dynaprot.figures.coupling_image import CouplingImage
from dynaprot.figures.coupling_map import CouplingMap
from dynaprot.figures.figure import SIGNED
from dynaprot.figures.linked_plot import LinkedPlot
from dynaprot.figures.rmsf_plot import RmsfPlot

from .conftest import random_protein


class Pointer:
    """A mouse over a figure, at places given in residues."""

    def __init__(self, figure: Figure) -> None:
        self.canvas = figure.canvas

    def __call__(self, event: str, axes: Axes, x: float, y: float, button: MouseButton | None = None) -> None:
        pixels = axes.transData.transform((x, y))
        held = {"buttons": frozenset([button])} if event == "motion_notify_event" and button else {}
        self.canvas.callbacks.process(event, MouseEvent(event, self.canvas, *pixels, button, **held))

    def drag(self, axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move, release."""
        self("button_press_event", axes, *start, MouseButton.LEFT)
        self("motion_notify_event", axes, *end, MouseButton.LEFT)
        self("button_release_event", axes, *end, MouseButton.LEFT)

    def leave(self) -> None:
        """Out of the window."""
        self.canvas.callbacks.process("figure_leave_event", LocationEvent("figure_leave_event", self.canvas, -5, -5))


@pytest.fixture(scope="module")
def dynamics() -> Dynamics:
    """Two chains of 20 and 12 residues."""
    return predict(random_protein(5, (20, 12)), "anm")


@pytest.fixture(scope="module")
def large() -> Dynamics:
    """One chain of 251 residues."""
    return predict(random_protein(7, (251,)), "anm")


@pytest.fixture
def figure() -> Figure:
    """With its canvas, as a host makes it."""
    figure = Figure(figsize=(6, 5), dpi=100)
    FigureCanvasAgg(figure)
    return figure


def coupling_map(figure: Figure, dynamics: Dynamics) -> tuple[CouplingMap, list, list]:
    """A map, drawn, and what it tells."""
    dragged: list = []
    hovered: list = []
    plot = CouplingMap(
        figure,
        dynamics,
        on_drag=lambda rows, columns: dragged.append((rows.tolist(), columns.tolist())),
        on_hover=lambda i, j: hovered.append((i, j)),
    )
    figure.canvas.draw()
    return plot, dragged, hovered


# On the line between two residues, a pixel decides for either.
places = st.floats(-0.4, 31.4).filter(lambda place: abs(place % 1.0 - 0.5) > 0.02)


@given(st.lists(places, min_size=4, max_size=4))
def test_a_dragged_rectangle_names_its_residues(ends: list[float]) -> None:
    """Whatever corner it began at, all residues from the one pressed on to the one released on."""
    figure = Figure(figsize=(6, 5), dpi=100)
    FigureCanvasAgg(figure)
    plot, dragged, _ = coupling_map(figure, predict(random_protein(5, (20, 12)), "anm"))
    x0, y0, x1, y1 = ends
    Pointer(figure).drag(plot.panel, (x0, y0), (x1, y1))
    rows, columns = (list(range(round(min(pair)), round(max(pair)) + 1)) for pair in ((y0, y1), (x0, x1)))
    assert dragged == [(rows, columns)]


def test_a_click_on_the_map_names_one_pair(figure: Figure, dynamics: Dynamics) -> None:
    """Without a drag, as for a drag after it."""
    plot, dragged, _ = coupling_map(figure, dynamics)
    pointer = Pointer(figure)
    pointer.drag(plot.panel, (7.1, 24.8), (7.1, 24.8))
    pointer.drag(plot.panel, (2, 2), (4, 3))
    assert dragged == [([25], [7]), ([2, 3], [2, 3, 4])]


def test_the_pair_under_the_pointer_is_told_once_it_is_over_the_map(figure: Figure, dynamics: Dynamics) -> None:
    """And that it has left, once."""
    plot, _, hovered = coupling_map(figure, dynamics)
    pointer = Pointer(figure)
    pointer("motion_notify_event", plot.panel, 3.0, 21.4)
    pointer.leave()
    pointer.leave()
    assert hovered == [(21, 3), (None, None)]
    value = f"{dynamics.coupling[21, 3]:+.2f}"
    assert plot.describe(21, 3) == (
        f"{dynamics.structure.residue_label(21)} – {dynamics.structure.residue_label(3)}: {value}"
    )


def test_a_closed_plot_is_silent(figure: Figure, dynamics: Dynamics) -> None:
    """A host may close the window while the pointer still moves."""
    plot, dragged, hovered = coupling_map(figure, dynamics)
    plot.close()
    pointer = Pointer(figure)
    pointer.drag(plot.panel, (2, 2), (9, 9))
    pointer("motion_notify_event", plot.panel, 3.0, 3.0)
    assert dragged == hovered == []


@pytest.mark.parametrize("kind", [CouplingMap, RmsfPlot])
def test_marked_residues_show_and_go(figure: Figure, dynamics: Dynamics, kind: type) -> None:
    """The picture changes by marks and is what it was when they are taken away; a second mark replaces the first."""
    tell = {"on_hover": print, ("on_drag" if kind is CouplingMap else "on_pick"): print}
    plot = kind(figure, dynamics, **tell)
    plain = picture(figure)
    plot.mark(np.array([3, 4, 5, 25]))
    marked = picture(figure)
    plot.mark(np.array([9]))
    plot.mark(np.array([25, 4, 3, 5, 3]))
    assert (marked != plain).any()
    np.testing.assert_array_equal(picture(figure), marked)
    plot.mark(np.array([], dtype=int))
    np.testing.assert_array_equal(picture(figure), plain)


@given(st.integers(1, 90), st.integers(0, 99))
def test_a_map_of_more_residues_than_dots_is_drawn_from_means_in_their_place(size: int, seed: int) -> None:
    """The last block may be of fewer residues; where every residue has its dots, the coupling itself is drawn."""
    coupling = np.random.default_rng(seed).uniform(-1.0, 1.0, (size, size))
    figure = Figure(figsize=(1, 1), dpi=20)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    image = CouplingImage(axes, coupling)
    figure.canvas.draw()
    block = max(1, size // 20)
    starts = range(0, size, block)
    means = [[coupling[i : i + block, j : j + block].mean() for j in starts] for i in starts]
    np.testing.assert_allclose(image.get_array(), means, atol=1e-6)
    edge = block * len(starts) - 0.5
    assert tuple(image.get_extent()) == (-0.5, edge, edge, -0.5)
    assert image.get_window_extent().width == pytest.approx(20 * (edge + 0.5) / size)
    assert axes.viewLim.intervalx.tolist() == axes.viewLim.intervaly[::-1].tolist() == [-0.5, size - 0.5]


def test_a_large_map_looks_like_one_drawn_from_every_pair(large: Dynamics) -> None:
    """Printed small, with two residues and more to a dot, it tells the same by eye."""
    pictures = []
    for draw in (
        lambda axes: CouplingImage(axes, large.coupling),
        lambda axes: axes.imshow(large.coupling, cmap=SIGNED, vmin=-1.0, vmax=1.0, interpolation_stage="data"),
    ):
        figure = Figure(figsize=(1, 1), dpi=110)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        draw(axes)
        pictures.append(picture(figure).astype(float))
    assert np.abs(pictures[0] - pictures[1]).mean() < 8
    assert np.abs(pictures[0] - pictures[1][::-1]).mean() > 25


def test_marks_leave_the_dots_of_the_map_as_they_are(figure: Figure, dynamics: Dynamics) -> None:
    """They are made anew when the window changes its size, and when the map is zoomed, then from every pair."""
    plot, _, _ = coupling_map(figure, dynamics)
    (image,) = plot.panel.images
    dots = image.make_image(figure.canvas.get_renderer())[0]
    plot.mark(np.array([3]))
    figure.canvas.draw()
    assert image.make_image(figure.canvas.get_renderer())[0] is dots
    figure.set_size_inches(0.9, 0.8)
    figure.canvas.callbacks.process("resize_event", None)
    figure.canvas.draw()
    assert image.make_image(figure.canvas.get_renderer())[0].shape < dots.shape
    assert len(image.get_array()) < len(dynamics)
    plot.panel.set(xlim=(2.5, 6.5), ylim=(6.5, 2.5))
    figure.canvas.draw()
    np.testing.assert_array_equal(image.get_array(), dynamics.coupling.astype(np.float32))


@pytest.mark.parametrize("kind", [CouplingMap, RmsfPlot])
def test_each_residue_shows_when_marked_where_residues_are_thinner_than_dots(kind: type, large: Dynamics) -> None:
    """In its place, and no wider than two dots."""
    figure, plot = small_plot(kind, large)
    plain = picture(figure).astype(int)
    for residue in range(0, len(large), 7):
        plot.mark(np.array([residue]))
        changed = np.abs(picture(figure) - plain).max(-1) > 3
        columns = np.flatnonzero(changed.sum(0) > 0.5 * plot.panel.bbox.height)
        place = plot.panel.transData.transform((residue, 0))[0]
        assert 1 <= len(columns) <= 2
        assert np.abs(columns + 0.5 - place).max() <= 1.1


def test_scattered_marks_do_not_hide_a_large_map(large: Dynamics) -> None:
    """Every other residue marked is as dark as all of them marked."""
    figure, plot = small_plot(CouplingMap, large)
    plot.mark(np.arange(len(large)))
    all_marked = picture(figure).astype(int)
    plot.mark(np.arange(0, len(large), 2))
    assert np.abs(picture(figure) - all_marked).mean() < 2


def small_plot(kind: type, dynamics: Dynamics) -> tuple[Figure, LinkedPlot]:
    """A plot in a window with fewer dots than residues."""
    figure = Figure(figsize=(4, 4), dpi=36)
    FigureCanvasAgg(figure)
    plot = kind(figure, dynamics, **{"on_hover": print, ("on_drag" if kind is CouplingMap else "on_pick"): print})
    figure.canvas.draw()
    assert plot.panel.bbox.width < len(dynamics) / 1.5
    return figure, plot


def test_a_clicked_residue_of_the_profile_is_told(figure: Figure, dynamics: Dynamics) -> None:
    """The nearest one; not while a toolbar pans, nor for another button."""
    picked: list[int] = []
    hovered: list[int | None] = []
    plot = RmsfPlot(figure, dynamics, on_pick=picked.append, on_hover=hovered.append)
    figure.canvas.draw()
    pointer = Pointer(figure)
    pointer("button_press_event", plot.panel, 17.3, 0.2, MouseButton.LEFT)
    pointer("button_press_event", plot.panel, 5.0, 0.2, MouseButton.RIGHT)
    toolbar = object()
    figure.canvas.widgetlock(toolbar)
    pointer("button_press_event", plot.panel, 6.0, 0.2, MouseButton.LEFT)
    figure.canvas.widgetlock.release(toolbar)
    pointer("motion_notify_event", plot.panel, 30.6, 0.2)
    pointer.leave()
    assert picked == [17]
    assert hovered == [31, None]
    assert plot.describe(17).endswith(f"RMSF {dynamics.rmsf[17]:.2f} Å")


@pytest.mark.parametrize("size", [(4.0, 3.5), (9.0, 5.0), (1.0, 0.8)])
def test_the_layout_follows_the_window(figure: Figure, dynamics: Dynamics, size: tuple[float, float]) -> None:
    """The map stays square and within the figure; a window that is too small is no error."""
    plot, _, _ = coupling_map(figure, dynamics)
    figure.set_size_inches(*size)
    figure.canvas.callbacks.process("resize_event", None)
    figure.canvas.draw()
    extent = plot.panel.get_window_extent()
    assert extent.width == pytest.approx(extent.height, abs=1.0)
    if min(size) > 2:
        assert extent.x0 > 0
        assert extent.y0 > 0
        assert extent.x1 < figure.bbox.x1
        assert extent.y1 < figure.bbox.y1


def test_numbers_are_the_authors_and_follow_zoom(figure: Figure, dynamics: Dynamics) -> None:
    """Each chain by its own round numbers; more of them where there is room."""
    plot, _, _ = coupling_map(figure, dynamics)
    whole = plot._below.get_xticks()
    labels = [plot._below.xaxis.get_major_formatter()(place, 0) for place in whole]
    assert labels == [dynamics.structure.residue_ids[place] for place in whole]
    assert {place >= 20 for place in whole} == {True, False}, "both chains are numbered"
    plot.panel.set_xlim(3.5, 10.5)
    figure.canvas.draw()
    assert plot._below.get_xticks() == [4, 5, 6, 7, 8, 9, 10]


def picture(figure: Figure) -> np.ndarray:
    """What is drawn, as pixels."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba()).copy()

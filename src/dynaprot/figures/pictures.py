"""Three figures of a prediction, ready for print: RMSF, coupling, ellipsoids."""

from __future__ import annotations

import os

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..analysis.ellipsoids import contour_radius, drawable
from ..defaults import MOST_MOBILE, PROBABILITY
from ..dynamics import Dynamics
from ..structure import Structure
from ..structure.completion import count
from .coupling_image import CouplingImage
from .figure import (
    FOREGROUND,
    MOBILITY,
    RESOLUTION,
    SIGNED,
    WIDTH,
    Raster,
    axes_in_inches,
    colour_bar,
    empty_figure,
    round_ticks,
    save,
    style,
)  # fmt: skip
from .ray_caster import RayCaster
from .residue_axis import (
    MARKS,
    author_numbers,
    chains,
    draw_beyond,
    draw_chain_boundaries,
    draw_marks,
    draw_mobility,
    draw_secondary_structure,
    marked,
    mobility_limits,
    numbered_places,
    top_of_axis,
)

__all__ = ["draw_coupling", "draw_ellipsoids", "draw_rmsf"]

Array = NDArray[np.floating]
Indices = NDArray[np.int64]
Panel = tuple[Indices, Indices]
"""Residues of a chain, or a part of it, and their places along the axis."""

ROW = 500
"""Largest number of residues in one row of the RMSF figure."""
RESIDUE_LENGTH = 4.0
"""Length of a smooth curve from one C-alpha to the next, Å."""
TUBE_RADIUS, TUBE_COLOUR = 0.35, (0.66, 0.65, 0.64)


def draw_rmsf(dynamics: Dynamics, path: str | os.PathLike[str]) -> None:
    """Draw RMSF along the chains, over their secondary structure.

    Chains stand side by side, or below one another where a row is full; all share one scale. Residues have
    the author's numbers, and where residues are missing the curve has a gap. A coloured line at the axis marks residues
    whose size is uncertain, since they lie at a gap or are loosely held (notices of these kinds).

    Parameters
    ----------
    dynamics : Dynamics
    path : path-like
        The file to write: ``.png``, ``.pdf`` or ``.svg``.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    structure = dynamics.structure
    rows = _rows(structure)
    left, right, gap = 0.5, 0.1, 0.16
    room = WIDTH - left - right
    # One width a residue for the whole figure; a small peptide is not blown up.
    width = min((room - gap * (len(row) - 1)) / sum(_span(places) for _, places in row) for row in rows)
    width = min(width, 0.2)
    curve_height = 1.7 if len(rows) == 1 else 1.1
    strip_height, below, above, bottom = 0.16, 0.28, 0.24, 0.16
    row_height = curve_height + strip_height + below + above
    top = top_of_axis(dynamics.rmsf)
    with style():
        figure = empty_figure(bottom + row_height * len(rows))
        for number, row in enumerate(rows):
            x = left
            base = bottom + row_height * (len(rows) - 1 - number)
            for residues, places in row:
                extent = width * _span(places)
                curve = axes_in_inches(figure, x, base + below + strip_height, extent, curve_height)
                strip = axes_in_inches(figure, x, base + below, extent, strip_height)
                x += extent + gap
                _draw_chain(curve, strip, dynamics, residues, places)
                curve.set_ylim(0.0, top)
                draw_beyond(curve, places, dynamics.rmsf[residues])
                if places is row[0][1]:
                    curve.set_ylabel("RMSF (Å)")
                    curve.yaxis.set_major_locator(round_ticks())
                else:
                    curve.set_yticks([])
                    curve.spines["left"].set_visible(False)
                numbered = numbered_places(structure.residue_ids[residues], max(1, int(extent / 0.31)))
                strip.set_xticks(places[numbered], structure.residue_ids[residues[numbered]])
        height = figure.get_size_inches()[1]
        figure.text((left + x - gap) / 2.0 / WIDTH, 0.07 / height, "Residue", ha="center")
        _explain_marks(figure, dynamics)
        save(figure, path)


def draw_coupling(dynamics: Dynamics, path: str | os.PathLike[str]) -> None:
    """Draw the coupling (normalised dynamic cross-correlation, DCCM) of all pairs of residues as a map from -1 to 1.

    Lines separate the chains; the margins show secondary structure and the author's residue numbers.

    Parameters
    ----------
    dynamics : Dynamics
    path : path-like
        The file to write: ``.png``, ``.pdf`` or ``.svg``.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    structure = dynamics.structure
    size = len(structure)
    side, left, bottom, strip = 5.3, 0.75, 0.6, 0.15
    with style():
        figure = empty_figure(bottom + side + 0.3)
        panel = axes_in_inches(figure, left, bottom, side, side)
        CouplingImage(panel, dynamics.coupling)
        below = axes_in_inches(figure, left, bottom - strip - 0.04, side, strip)
        beside = axes_in_inches(figure, left - strip - 0.04, bottom, strip, side)
        numbered: list[int] = []
        for residues in chains(structure.chain_ids):
            letters = "".join(structure.secondary_structure[k] for k in residues)
            draw_secondary_structure(below, residues, letters)
            draw_secondary_structure(beside, residues, letters, upright=True)
            room = int(len(residues) / size * side / 0.35)
            numbered += list(residues[numbered_places(structure.residue_ids[residues], room)])
        draw_chain_boundaries(panel, structure.chain_ids, upright=True)
        panel.set(xticks=[], yticks=[])
        labels = structure.residue_ids[numbered]
        below.set(xlim=(-0.5, size - 0.5), ylim=(-1.1, 1.1), yticks=[], xlabel="Residue")
        below.set_xticks(numbered, labels)
        beside.set(ylim=(size - 0.5, -0.5), xlim=(-1.1, 1.1), xticks=[], ylabel="Residue")
        beside.set_yticks(numbered, labels)
        beside.yaxis.set_label_coords(-0.35 / strip, 0.5)
        for axes in (below, beside):
            axes.spines[:].set_visible(False)
        bar = axes_in_inches(figure, left + side + 0.4, bottom + side / 2.0 - 0.9, 0.12, 1.8)
        colour_bar(bar, SIGNED, Normalize(-1.0, 1.0), "Coupling")
        save(figure, path)


def draw_ellipsoids(dynamics: Dynamics, path: str | os.PathLike[str], probability: float = PROBABILITY) -> None:
    """Draw the surface that holds each C-alpha with a probability, on the backbone.

    The protein is turned so that it is widest from left to right and flattest towards the reader. Colours show RMSF,
    from the 2nd to the 98th percentile. Residues that are too mobile for an ellipsoid (`drawable`) are seen as the
    backbone alone.

    Parameters
    ----------
    dynamics : Dynamics
    path : path-like
        The file to write: ``.png``, ``.pdf`` or ``.svg``.
    probability : float
        Share of the time that a C-alpha is inside its ellipsoid, between 0 and 1.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    structure = dynamics.structure
    turn = _widest_view(structure.ca)
    positions = structure.ca @ turn.T
    covariances = contour_radius(probability) ** 2 * turn @ dynamics.marginals @ turn.T
    drawn = drawable(dynamics.rmsf)
    reach = np.where(drawn[:, None], np.sqrt(np.einsum("nii->ni", covariances)), TUBE_RADIUS)
    low, high = (positions - reach).min(0) - 1.0, (positions + reach).max(0) + 1.0
    positions = positions - (low + high) / 2.0
    extent = (high - low)[:2]
    room, bottom = WIDTH - 1.0, 0.5
    scale = min(room / extent[0], 5.4 / extent[1], room / 24.0)  # a small peptide is not blown up
    width, height = extent * scale

    limits = mobility_limits(dynamics.rmsf)
    dots = scale * RESOLUTION
    caster = RayCaster(*(int(np.ceil(side * dots)) for side in extent))
    curve, tangents = _spline(positions, structure.next_residue, spacing=TUBE_RADIUS / 3.0)
    caster.add_tube(curve * dots, tangents, TUBE_RADIUS * dots, np.broadcast_to(TUBE_COLOUR, curve.shape))
    colours = MOBILITY(limits(dynamics.rmsf))[:, :3]
    caster.add_ellipsoids(positions[drawn] * dots, covariances[drawn] * dots**2, colours[drawn])
    with style():
        figure = empty_figure(max(height, 2.0) + bottom)
        middle = bottom + max(height, 2.0) / 2.0
        figure.add_artist(Raster(figure, caster.picture(dots), (room - width) / 2.0, middle - height / 2.0))
        legend = axes_in_inches(figure, 0.1, 0.0, room, bottom)
        legend.set(xlim=(0.0, room), ylim=(0.0, bottom))
        legend.set_axis_off()
        legend.plot([0.0, 10.0 * scale], [0.3, 0.3], color=FOREGROUND, linewidth=1.5, solid_capstyle="butt")
        legend.text(5.0 * scale, 0.22, "10 Å", ha="center", va="top")
        caption = f"Ellipsoids at {100.0 * probability:g} % probability"
        if not drawn.all():
            caption += f"; none for {count(int((~drawn).sum()), 'residue')} beyond {MOST_MOBILE:g} Å RMSF"
        legend.text(room - 0.2, 0.22, caption, ha="right", va="top")
        bar = axes_in_inches(figure, room + 0.3, middle - 0.8, 0.12, 1.6)
        colour_bar(bar, MOBILITY, limits, "RMSF (Å)", extend="both")
        save(figure, path)


def _span(places: Indices) -> int:
    return int(places[-1] - places[0]) + 1


def _rows(structure: Structure) -> list[list[Panel]]:
    """Rows of panels, each panel the residues of a chain and their places along it."""
    panels: list[Panel] = []
    for residues in chains(structure.chain_ids):
        places = _places(structure, residues)
        parts = int(np.ceil(_span(places) / ROW))
        cuts = np.searchsorted(places, places[0] + _span(places) * np.arange(1, parts) / parts)
        panels += zip(np.split(residues, cuts), np.split(places, cuts), strict=True)
    rows: list[list[Panel]] = [[]]
    for panel in panels:
        if rows[-1] and sum(_span(places) for _, places in [*rows[-1], panel]) > ROW:
            rows.append([])
        rows[-1].append(panel)
    return rows


def _places(structure: Structure, residues: Indices) -> Indices:
    """Places along the axis: one apart, and at a chain break as far apart as the numbers say, up to ten."""
    missing = np.nan_to_num(np.diff(author_numbers(structure.residue_ids[residues])), nan=2.0)
    bonded = structure.next_residue[residues[:-1]] == residues[1:]
    return np.cumsum(np.append(0, np.where(bonded, 1, np.clip(missing, 2, 10)))).astype(np.int64)


def _draw_chain(curve: Axes, strip: Axes, dynamics: Dynamics, residues: Indices, places: Indices) -> None:
    """One panel: the curve of a chain, its secondary structure on the strip below, a gap at each break."""
    structure = dynamics.structure
    limits = mobility_limits(dynamics.rmsf)
    for stretch in np.split(np.arange(len(places)), np.flatnonzero(np.diff(places) > 1) + 1):
        draw_mobility(curve, places[stretch], dynamics.rmsf[residues[stretch]], limits)
        letters = "".join(structure.secondary_structure[k] for k in residues[stretch])
        draw_secondary_structure(strip, places[stretch], letters)
    draw_marks(strip, dynamics.notices, residues, places, height=1.5)
    bounds = (places[0] - 0.5, places[-1] + 0.5)
    curve.set(xlim=bounds, xticks=[])
    curve.spines[["top", "right", "bottom"]].set_visible(False)
    curve.text(0.0, 1.02, structure.chain_ids[residues[0]], transform=curve.transAxes, weight="bold")
    strip.set(xlim=bounds, ylim=(-1.2, 1.5), yticks=[])
    strip.spines[:].set_visible(False)


def _explain_marks(figure: Figure, dynamics: Dynamics) -> None:
    """Say what the colours of marks mean, those that there are, at the lower right corner."""
    present = [kind for kind in MARKS if len(marked(dynamics.notices, kind))]
    keys = [Line2D([], [], color=MARKS[kind][0], linewidth=2.0, label=MARKS[kind][1]) for kind in present]
    if keys:
        figure.legend(
            handles=keys, loc="lower right", bbox_to_anchor=(1.0 - 0.1 / WIDTH, 0.03 / figure.get_size_inches()[1]),
            ncols=len(keys), frameon=False, fontsize=7.0, handlelength=1.2, columnspacing=1.2, borderpad=0.0,
            borderaxespad=0.0,
        )  # fmt: skip


def _widest_view(positions: Array) -> Array:
    """Rotation that brings the longest extent along x and the shortest along the line of sight."""
    turn = np.linalg.svd(positions - positions.mean(0))[2]
    turn[2] *= np.linalg.det(turn)
    return turn


def _spline(positions: Array, following: Indices, spacing: float) -> tuple[Array, Array]:
    """Points (M, 3) on a smooth curve through bonded residues and its unit tangents (M, 3).

    Hermite's cubic: at each residue along the line between its neighbours, and about as fast as the chain is
    long, so that helices are round.
    """
    start = np.flatnonzero(following >= 0)
    end = following[start]
    after, before = np.arange(len(positions)), np.arange(len(positions))
    after[start], before[end] = end, start
    slopes = positions[after] - positions[before]
    slopes *= RESIDUE_LENGTH / np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1e-9)
    steps = int(np.ceil(RESIDUE_LENGTH / spacing))
    t = (np.arange(steps) / steps)[:, None]
    p, q, u, v = (array[:, None] for array in (positions[start], positions[end], slopes[start], slopes[end]))
    rise = 3 * t**2 - 2 * t**3
    curve = (1 - rise) * p + rise * q + (t**3 - 2 * t**2 + t) * u + (t**3 - t**2) * v
    tangents = 6 * (t**2 - t) * (p - q) + (3 * t**2 - 4 * t + 1) * u + (3 * t**2 - 2 * t) * v
    tangents /= np.maximum(np.linalg.norm(tangents, axis=-1, keepdims=True), 1e-9)
    return curve.reshape(-1, 3), tangents.reshape(-1, 3)

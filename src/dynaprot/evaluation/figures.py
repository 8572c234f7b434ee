"""Three pictures of an evaluation: medians with their intervals, protein against protein, and RMSF profiles."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap

import numpy as np
from matplotlib.ticker import MultipleLocator

from ..figures.figure import FOREGROUND, WIDTH, axes_in_inches, empty_figure, round_ticks, save, style
from .report import Report
from .scores import HALVES, Score

__all__ = ["draw_profiles", "draw_scatter", "draw_summary"]

BASELINE = "anm"
COLOURS = {"prior": "#2B5597", BASELINE: "#4F97CF", "anm-cutoff": "#9A9A9A", HALVES: FOREGROUND}
LEARNED = ("#B32E1A", "#EE9A45", "#7B4B94", "#3E8E6E")
PANELS = (
    ("rmsf_r", "RMSF r, MD ↑"),
    ("atlas_rmsf_r", "RMSF r, ATLAS ↑"),
    ("rmwd", "RMWD var (Å) ↓"),
    ("symmetric_kl", "Symmetric KL ↓"),
    ("shape", "Shape cosine ↑"),
    ("amplitude", "Amplitude ratio, 1 is right"),
    ("coupling_r50", "Coupling r, |i − j| ≤ 50 ↑"),
    ("rmsip", "RMSIP of 10 modes ↑"),
    ("joint_pca_w2", "Joint PCA W2 (Å) ↓"),
)
"""Key of the quantity, and title of its panel."""
DOT = 12.0


def _colours(report: Report) -> dict[str, str]:
    """A colour for each model, a strong one for those that are learned."""
    others = [each.name for each in report.contenders if each.name not in COLOURS]
    return {name: LEARNED[k % len(LEARNED)] for k, name in enumerate(others)} | COLOURS


def _lines(label: str, width: int) -> str:
    """A label with the name of a model, broken into lines of a width."""
    return "\n".join(wrap(label.replace("+", "+ "), width)).replace("+ ", "+")


def draw_summary(report: Report, path: Path) -> bool:
    """Draw medians and their 95 % intervals, a panel for each quantity; False if there is nothing to draw."""
    colours = _colours(report)
    models = [*(each.name for each in report.contenders), HALVES]
    panels = []
    for key, label in PANELS:
        lines = {
            line.model: line.interval for line in report.lines if line.quantity.key == key and line.model in models
        }
        if lines:
            panels.append((label, lines))
    if not panels:
        return False
    columns = 3
    rows = -(-len(panels) // columns)
    left, gap, bottom, above = 0.85, 0.3, 0.32, 0.28
    width = (WIDTH - left - 0.12 - gap * (columns - 1)) / columns
    height = 0.19 * len(models) + 0.12
    with style():
        figure = empty_figure(rows * (height + bottom + above))
        for k, (label, lines) in enumerate(panels):
            row, column = divmod(k, columns)
            base = (rows - 1 - row) * (height + bottom + above) + bottom
            axes = axes_in_inches(figure, left + column * (width + gap), base, width, height)
            for place, model in enumerate(models):
                if model in lines:
                    value, low, high = lines[model]
                    axes.plot([low, high], [place, place], color=colours[model], linewidth=1.2, solid_capstyle="butt")
                    axes.scatter([value], [place], s=DOT, color=colours[model], zorder=3)
            axes.set_title(label, fontsize=8.0, loc="left", pad=4.0)
            axes.set_ylim(len(models) - 0.4, -0.6)
            names = [_lines(model, 14) for model in models]
            axes.set_yticks(range(len(models)), names if column == 0 else [""] * len(models))
            axes.tick_params(axis="y", length=0.0)
            axes.grid(axis="x", color="#E4E4E4", linewidth=0.5)
            axes.set_axisbelow(True)
            axes.xaxis.set_major_locator(round_ticks())
            axes.spines[["top", "right", "left"]].set_visible(False)
        save(figure, path)
    return True


def draw_scatter(report: Report, path: Path) -> bool:
    """Draw RMSF r of each protein by each model against that by the elastic network; False if there is none."""
    models = [each.name for each in report.contenders if each.name != BASELINE]
    sources = (("MD", "rmsf_r"), ("ATLAS", "atlas_rmsf_r"))
    panels = []
    for model in models:
        for source, metric in sources:
            of = {
                name: {s.protein.name: s.values[metric] for s in report.scores
                       if s.model == name and metric in s.values and report.counts(s)}
                for name in (BASELINE, model)
            }  # fmt: skip
            pairs = np.array([(of[BASELINE][name], value) for name, value in of[model].items() if name in of[BASELINE]])
            if len(pairs):
                panels.append((model, source, pairs))
    if not panels:
        return False
    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    left, gap, bottom, above = 0.55, 0.68, 0.45, 0.28
    side = min((WIDTH - left - 0.15 - gap * (columns - 1)) / columns, 2.2)
    lowest = min(pairs.min() for _, _, pairs in panels)
    limits = (np.floor(10.0 * lowest - 1.0) / 10.0, 1.0)  # room for the count below the lowest
    colours = _colours(report)
    with style():
        figure = empty_figure(rows * (side + bottom + above))
        for k, (model, source, pairs) in enumerate(panels):
            row, column = divmod(k, columns)
            base = (rows - 1 - row) * (side + bottom + above) + bottom
            axes = axes_in_inches(figure, left + column * (side + gap), base, side, side)
            axes.plot(limits, limits, color="#BDBDBD", linewidth=0.6, zorder=0)
            axes.scatter(pairs[:, 0], pairs[:, 1], s=DOT, color=colours[model], alpha=0.75, linewidth=0.0)
            axes.set(xlim=limits, ylim=limits, xlabel=f"RMSF r by {BASELINE}")
            axes.set_ylabel(_lines(f"RMSF r by {model}", 22))
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(MultipleLocator(0.2))
            better = f"{(pairs[:, 1] > pairs[:, 0]).sum()} of {len(pairs)} better"
            axes.text(0.97, 0.02, better, transform=axes.transAxes, ha="right", va="bottom", fontsize=7.0)
            axes.set_title(source, fontsize=8.0, loc="left", pad=4.0)
            axes.spines[["top", "right"]].set_visible(False)
        save(figure, path)
    return True


def draw_profiles(report: Report, path: Path) -> bool:
    """Draw RMSF along the best, the median and the worst protein of the first model; False if there is none."""
    model = report.contenders[0].name
    cases: list[tuple[str, str, Score]] = []
    for metric in ("rmsf_r", "atlas_rmsf_r"):
        ranked = sorted(
            (s for s in report.scores if s.model == model and metric in s.values and report.counts(s)),
            key=lambda score: -score.values[metric],
        )
        if ranked:
            places = {len(ranked) - 1: "worst", len(ranked) // 2: "median", 0: "best"}
            cases += [(metric, f"{places[k]} of {len(ranked)}", ranked[k]) for k in sorted(places)]
    if not cases:
        return False
    baseline = {(s.protein.source, s.protein.name): s for s in report.scores if s.model == BASELINE and s.values}
    colours = _colours(report)
    left, bottom, above, height = 0.5, 0.2, 0.26, 0.95
    with style():
        figure = empty_figure(len(cases) * (height + bottom + above) + 0.35)
        for k, (metric, place, score) in enumerate(cases):
            base = 0.2 + (len(cases) - 1 - k) * (height + bottom + above) + bottom
            axes = axes_in_inches(figure, left, base, WIDTH - left - 0.1, height)
            profile = score.profiles["rmsf"]
            number = np.arange(1, len(profile.simulated) + 1)
            beside = baseline.get((score.protein.source, score.protein.name))
            axes.fill_between(number, profile.simulated, color="#E9E9E9", linewidth=0.0)
            axes.plot(number, profile.simulated, color=FOREGROUND, linewidth=0.9, label="MD")
            title = f"{score.protein.source}, {place}: {score.protein.name}, r {score.values[metric]:.2f}"
            drawn = [profile.simulated, profile.predicted]
            if beside is not None and model != BASELINE:
                drawn.append(beside.profiles["rmsf"].predicted)
                axes.plot(number, drawn[-1], color=colours[BASELINE], linewidth=0.8, label=BASELINE)
                title += f" ({BASELINE} {beside.values[metric]:.2f})"
            axes.plot(number, profile.predicted, color=colours[model], linewidth=1.0, label=model)
            axes.set_title(title, fontsize=8.0, loc="left", pad=4.0)
            axes.set(xlim=(0.5, len(number) + 0.5), ylabel="RMSF (Å)")
            axes.set_ylim(0.0, 1.05 * float(np.nanmax(drawn)))
            axes.yaxis.set_major_locator(round_ticks())
            axes.spines[["top", "right"]].set_visible(False)
            if k == 0:
                handles, labels = axes.get_legend_handles_labels()
                figure_height = figure.get_size_inches()[1]
                figure.legend(
                    handles, labels, loc="upper right", ncols=3, frameon=False, fontsize=7.0,
                    bbox_to_anchor=(1.0 - 0.1 / WIDTH, 1.0 - 0.02 / figure_height), borderaxespad=0.0,
                )  # fmt: skip
        figure.text(0.5, 0.06 / figure.get_size_inches()[1], "Residue", ha="center", va="bottom")
        save(figure, path)
    return True

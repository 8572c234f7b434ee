"""The files of an evaluation: a page in Markdown, CSV tables and pictures."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ..storage import replacing
from .figures import draw_profiles, draw_scatter, draw_summary
from .report import HIGHER, LOWER, Report

__all__ = ["write_report"]


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write ``evaluation.md``, ``summary.csv``, ``proteins.csv`` and pictures into a folder; returns their paths."""
    pictures = []
    for name, draw in (("figures", draw_summary), ("scatter", draw_scatter), ("profiles", draw_profiles)):
        if draw(report, folder / f"{name}.png"):
            pictures.append(folder / f"{name}.png")
    _write_proteins(report, folder / "proteins.csv")
    _write_summary(report, folder / "summary.csv")
    page = folder / "evaluation.md"
    with replacing(page) as temporary:
        temporary.write_text(report.as_markdown(pictures), encoding="utf-8")
    return [page, folder / "summary.csv", folder / "proteins.csv", *pictures]


def _write_proteins(report: Report, path: Path) -> None:
    """A row for each protein and model, with a column for each metric."""
    metrics = list(dict.fromkeys(name for score in report.scores for name in score.values))
    columns = [
        "protein", "source", "cluster", "residues", "frames", "split_half_rmsf_r", "counted", "model", "relation",
        "failure", *metrics,
    ]  # fmt: skip
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        for score in report.scores:
            protein = score.protein
            table.writerow(
                [
                    protein.name, protein.source, protein.cluster, protein.residues, protein.frames,
                    _number(protein.agreement), "yes" if report.counts(score) else "no", score.model,
                    score.relation or "", score.failure,
                    *(_number(score.values.get(metric)) for metric in metrics),
                ]
            )  # fmt: skip


def _write_summary(report: Report, path: Path) -> None:
    """A row for each quantity and model: value, ends of the 95 % interval, number of proteins."""
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["table", "figure", "metric", "model", "value", "low_95", "high_95", "proteins"])
        for line in report.lines:
            title = line.quantity.title.removesuffix(HIGHER).removesuffix(LOWER)
            numbers = (_number(value) for value in line.interval)
            table.writerow([line.quantity.table, title, line.quantity.metric, line.model, *numbers, line.proteins])


def _number(value: float | None) -> str:
    return f"{value:.6g}" if value is not None and np.isfinite(value) else ""

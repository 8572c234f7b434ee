"""What a run of `evaluate` found: tables for the terminal, CSV and Markdown, and the pictures beside them."""

from __future__ import annotations

import csv
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from rich.table import Table

from .. import __version__
from ..metrics.joints import DISTANCES, SEPARATIONS
from ..storage import replacing
from .contenders import Contender
from .scores import FEWEST_FRAMES, LEAST_AGREEMENT, Score
from .statistics import Interval, Statistic, interval, mean, percentile, pooled_pearson

__all__ = ["FIGURES", "Figure", "Line", "Report", "write_report"]

HIGHER, LOWER = " ↑", " ↓"


@dataclass(frozen=True)
class Figure:
    """One line of a table: a statistic over proteins.

    Attributes
    ----------
    table, title : str
        An arrow says which way is better.
    metric : str
        Proteins that have it are counted.
    statistic : callable
        From their scores to a `Statistic`.
    """

    table: str
    title: str
    metric: str
    statistic: Callable[[list[Score]], Statistic]


def _percentile(table: str, title: str, metric: str, rank: float = 50.0, scale: float = 1.0) -> Figure:
    return Figure(
        table, title, metric,
        lambda scores: percentile(scale * np.array([score.values[metric] for score in scores]), rank),
    )  # fmt: skip


def _over_residues(title: str, metric: str, which: str) -> Figure:
    """Median over the residues of all proteins together; each carries the weight of its protein."""

    def statistic(scores: list[Score]) -> Statistic:
        profiles = [getattr(score.profiles["ensemble_rmsf"], which) for score in scores]
        owner = np.repeat(np.arange(len(profiles)), [len(profile) for profile in profiles])
        of_residues = percentile(np.concatenate(profiles), 50.0)
        return lambda weights: of_residues(weights[:, owner])

    return Figure(ENSEMBLES, title, metric, statistic)


def _global_rmsf_r(scores: list[Score]) -> Statistic:
    profiles = [score.profiles["ensemble_rmsf"] for score in scores]
    return pooled_pearson([profile.predicted for profile in profiles], [profile.simulated for profile in profiles])


def _pairwise_rmsd_r(scores: list[Score]) -> Statistic:
    return pooled_pearson(
        *([np.array([score.values[metric]]) for score in scores] for metric in ("pairwise_rmsd", "md_pairwise_rmsd"))
    )


def _aligned_share(scores: list[Score]) -> Statistic:
    return mean(np.array([100.0 * (score.values["pc_cosine"] > 0.5) for score in scores]))


MARGINALS, ATLAS, COUPLING, ENSEMBLES, CHAINS, JOINT, COST = (
    "Residues: RMSF and marginals",
    "Residues: RMSF of ATLAS",
    "Pairs: coupling",
    "Ensembles, as AlphaFlow's analysis defines them",
    "Samples as chains",
    "Joint covariance",
    "Time",
)

FIGURES: tuple[Figure, ...] = (
    _percentile(MARGINALS, "RMSF r, median" + HIGHER, "rmsf_r"),
    _percentile(MARGINALS, "RMSF r, 75th percentile" + HIGHER, "rmsf_r", 75.0),
    _percentile(MARGINALS, "RMWD var, 25th percentile, Å" + LOWER, "rmwd", 25.0),
    _percentile(MARGINALS, "RMWD var, median, Å" + LOWER, "rmwd"),
    _percentile(MARGINALS, "symmetric KL, 25th percentile" + LOWER, "symmetric_kl", 25.0),
    _percentile(MARGINALS, "symmetric KL, median" + LOWER, "symmetric_kl"),
    _percentile(MARGINALS, "shape cosine, median" + HIGHER, "shape"),
    _percentile(MARGINALS, "amplitude ratio, median, 1 is right", "amplitude"),
    _percentile(ATLAS, "RMSF r, median" + HIGHER, "atlas_rmsf_r"),
    _percentile(ATLAS, "RMSF r, 75th percentile" + HIGHER, "atlas_rmsf_r", 75.0),
    _percentile(ATLAS, "amplitude ratio, median, 1 is right", "atlas_amplitude"),
    _percentile(COUPLING, "r, all pairs, median" + HIGHER, "coupling_r"),
    _percentile(COUPLING, "r, |i - j| ≤ 50, median" + HIGHER, "coupling_r50"),
    *(
        _percentile(
            COUPLING,
            f"r, |i - j| {f'{low} to {high}' if high else f'≥ {low}'}, median" + HIGHER,
            f"coupling_r_separation_{low}" + (f"_{high}" if high else ""),
        )
        for low, high in SEPARATIONS
    ),
    *(
        _percentile(
            COUPLING,
            f"r, {f'{low} to {high} Å' if high else f'≥ {low} Å'} apart, median" + HIGHER,
            f"coupling_r_distance_{low}" + (f"_{high}" if high else ""),
        )
        for low, high in DISTANCES
    ),
    _percentile(ENSEMBLES, "pairwise RMSD of MD, median, Å", "md_pairwise_rmsd"),
    _percentile(ENSEMBLES, "pairwise RMSD, median, Å", "pairwise_rmsd"),
    Figure(ENSEMBLES, "pairwise RMSD, r over proteins" + HIGHER, "pairwise_rmsd", _pairwise_rmsd_r),
    _over_residues("RMSF of MD, median over residues, Å", "ensemble_rmsf_r", "simulated"),
    _over_residues("RMSF, median over residues, Å", "ensemble_rmsf_r", "predicted"),
    Figure(ENSEMBLES, "RMSF r over all residues" + HIGHER, "ensemble_rmsf_r", _global_rmsf_r),
    _percentile(ENSEMBLES, "RMSF r per protein, median" + HIGHER, "ensemble_rmsf_r"),
    _percentile(ENSEMBLES, "root mean W2, median, Å" + LOWER, "rmwd_total"),
    _percentile(ENSEMBLES, "root mean W2, translation, median, Å" + LOWER, "rmwd_translation"),
    _percentile(ENSEMBLES, "root mean W2, variance, median, Å" + LOWER, "rmwd_variance"),
    _percentile(ENSEMBLES, "MD PCA W2, median, Å" + LOWER, "md_pca_w2"),
    _percentile(ENSEMBLES, "joint PCA W2, median, Å" + LOWER, "joint_pca_w2"),
    Figure(ENSEMBLES, "cosine of first PCs > 0.5, %" + HIGHER, "pc_cosine", _aligned_share),
    _percentile(ENSEMBLES, "weak contacts, Jaccard, median" + HIGHER, "weak_contacts"),
    _percentile(ENSEMBLES, "transient contacts, Jaccard, median" + HIGHER, "transient_contacts"),
    _percentile(CHAINS, "unphysical, median, %" + LOWER, "unphysical", scale=100.0),
    _percentile(CHAINS, "unphysical once mended, median, %" + LOWER, "unphysical_mended", scale=100.0),
    _percentile(CHAINS, "unphysical once mended, 75th percentile, %" + LOWER, "unphysical_mended", 75.0, scale=100.0),
    _percentile(CHAINS, "moved by mending, median, Å" + LOWER, "mended_by"),
    _percentile(JOINT, "relative Frobenius error, median" + LOWER, "joint_error"),
    _percentile(JOINT, "RMSIP of 10 modes, median" + HIGHER, "rmsip"),
    _percentile(COST, "marginals, median, s" + LOWER, "seconds"),
    _percentile(COST, "ensemble, median, s" + LOWER, "ensemble_seconds"),
)


@dataclass(frozen=True)
class Line:
    """A figure of one model with its interval and the number of proteins behind it."""

    figure: Figure
    model: str
    interval: Interval
    proteins: int

    @property
    def text(self) -> str:
        """As ``0.812 [0.790, 0.834]``."""
        value, low, high = self.interval
        decimals = 0 if "%" in self.figure.title else 3
        return f"{value:.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]" if np.isfinite(value) else "-"


@dataclass(frozen=True)
class Report:
    """Scores and what they come to.

    Attributes
    ----------
    scores : list of Score
    contenders : list of Contender
    everything : bool
        Count simulations that are short or disagree with themselves too.
    unread : sequence of str
        What of the data could not be read, and why.
    """

    scores: list[Score]
    contenders: list[Contender]
    everything: bool = False
    unread: Sequence[str] = ()

    def counts(self, score: Score) -> bool:
        """Whether a score goes into the tables."""
        return bool(score.values) and (self.everything or score.protein.sound)

    @cached_property
    def lines(self) -> list[Line]:
        """Every figure of every model that has it."""
        models = list(dict.fromkeys([each.name for each in self.contenders] + [score.model for score in self.scores]))
        lines = []
        for figure in FIGURES:
            for model in models:
                chosen = [s for s in self.scores if s.model == model and figure.metric in s.values and self.counts(s)]
                if chosen:
                    clusters = [score.protein.cluster for score in chosen]
                    lines.append(Line(figure, model, interval(figure.statistic(chosen), clusters), len(chosen)))
        return lines

    @cached_property
    def notes(self) -> list[str]:
        """What a reader of the tables must know, one sentence each."""
        proteins = list(dict.fromkeys(score.protein for score in self.scores))
        simulated = [protein for protein in proteins if protein.source == "MD"]
        counted = [protein for protein in simulated if self.everything or protein.sound]
        notes = []
        if simulated:
            notes.append(
                f"{len(counted)} simulated proteins of {len({p.cluster for p in counted})} sequence clusters are "
                f"counted; {len(simulated) - len(counted)} are left out, with fewer than {FEWEST_FRAMES} frames or "
                f"halves whose RMSF correlates to less than {LEAST_AGREEMENT}."
            )
        if chains := sum(protein.source == "ATLAS" for protein in proteins):
            notes.append(f"{chains} chains of ATLAS are counted: RMSF, for validation only.")
        for each in self.contenders:
            lacking = [
                what for what, asked in (("marginals", each.of_marginals), ("coupling", each.of_coupling)) if not asked
            ]
            if lacking:
                notes.append(f"{each.name} predicts no {lacking[0]}: the elastic network stands in.")
            known = sum(each.knows(protein.cluster) for protein in counted)
            if each.learned and not each.held_out:
                notes.append(
                    f"The weights of {each.name} do not say what was held out from them: relatives of any simulated "
                    "protein may have been trained on, which flatters their figures."
                )
            elif each.learned and counted:
                by = " by members of the committee that never saw them" if len(set(each.held_out.values())) > 1 else ""
                notes.append(
                    f"{each.name}: of {len(counted)} simulated proteins, {len(counted) - known} were held out from "
                    f"training and are predicted{by or ' as unseen'}; {known} may have been seen."
                )
        if lengths := [protein.residues for protein in proteins if protein.source == "ATLAS" or protein in counted]:
            notes.append(
                f"Times are of this machine, {platform.machine()} with {os.cpu_count()} processors; "
                f"the median protein has {np.median(lengths):.0f} residues."
            )
        failures: dict[tuple[str, str], list[str]] = {}
        for score in self.scores:
            if score.failure:
                failures.setdefault((score.model, score.failure), []).append(score.protein.name)
        notes += [f"{model} failed on {', '.join(names)}: {why}" for (model, why), names in failures.items()]
        return [*notes, *self.unread]

    def tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """Title, head and body of each table: figures down, models across."""
        tables = []
        for title in dict.fromkeys(line.figure.table for line in self.lines):
            lines = [line for line in self.lines if line.figure.table == title]
            models = list(dict.fromkeys(line.model for line in lines))
            cells = {(line.figure.title, line.model): line.text for line in lines}
            figures = list(dict.fromkeys(line.figure.title for line in lines))
            body = [[figure, *(cells.get((figure, model), "-") for model in models)] for figure in figures]
            tables.append((title, ["", *models], body))
        parameters = [["parameters", *(f"{each.parameters:,}" for each in self.contenders)]]
        tables.append(("Size", ["", *(each.name for each in self.contenders)], parameters))
        return tables

    def for_terminal(self) -> list[Table]:
        """The tables as `rich` prints them."""
        printed = []
        for title, head, body in self.tables():
            table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
            for k, name in enumerate(head):
                table.add_column(name, justify="right" if k else "left", no_wrap=True)
            for row in body:
                table.add_row(*row)
            printed.append(table)
        return printed

    def as_markdown(self, pictures: Sequence[Path]) -> str:
        """The tables and notes as a page."""
        page = ["# How good the predictions are", ""]
        page += [
            "Medians over proteins with 95 % bootstrap intervals; sequence clusters are resampled whole. Made by "
            f"`dynaprot evaluate`, version {__version__}.",
            "",
            "**MD halves**: one half of each simulation judged as a prediction of the other, which no model can be "
            "asked to exceed. **Eq. 5 of MD**: one scalar for each pair of residues, from the simulation's own "
            "marginals and coupling. **anm as MD**: the elastic network with the simulation's own marginals.",
            "",
        ]
        page += [f"- {note}" for note in self.notes]
        for title, head, body in self.tables():
            page += ["", f"## {title}", "", f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
            page += [f"| {' | '.join(cell.replace('|i - j|', 'separation') for cell in row)} |" for row in body]
        for picture in pictures:
            page += ["", f"![{picture.stem}]({picture.name})"]
        return "\n".join(page) + "\n"


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write ``evaluation.md``, ``summary.csv``, ``proteins.csv`` and the pictures into a folder; returns the paths."""
    from .figures import draw_figures, draw_profiles, draw_scatter

    pictures = []
    for name, draw in (("figures", draw_figures), ("scatter", draw_scatter), ("profiles", draw_profiles)):
        if draw(report, folder / f"{name}.png"):
            pictures.append(folder / f"{name}.png")
    _write_proteins(report, folder / "proteins.csv")
    _write_summary(report, folder / "summary.csv")
    page = folder / "evaluation.md"
    with replacing(page) as temporary:
        temporary.write_text(report.as_markdown(pictures), encoding="utf-8")
    return [page, folder / "summary.csv", folder / "proteins.csv", *pictures]


def _write_proteins(report: Report, path: Path) -> None:
    """One line for each protein and model, a column for each metric."""
    metrics = list(dict.fromkeys(name for score in report.scores for name in score.values))
    columns = [
        "protein", "source", "cluster", "residues", "frames", "split_half_rmsf_r", "counted", "model", "may_be_known",
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
                    "yes" if score.known else "no", score.failure,
                    *(_number(score.values.get(metric)) for metric in metrics),
                ]
            )  # fmt: skip


def _write_summary(report: Report, path: Path) -> None:
    """One line for each figure and model: value, ends of the 95 % interval, number of proteins."""
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["table", "figure", "metric", "model", "value", "low_95", "high_95", "proteins"])
        for line in report.lines:
            title = line.figure.title.removesuffix(HIGHER).removesuffix(LOWER)
            numbers = (_number(value) for value in line.interval)
            table.writerow([line.figure.table, title, line.figure.metric, line.model, *numbers, line.proteins])


def _number(value: float | None) -> str:
    return f"{value:.6g}" if value is not None and np.isfinite(value) else ""

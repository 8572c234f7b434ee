"""The result of an evaluation: scores, and tables for the terminal and for Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from .. import __version__
from ..datasets.sources import LONGEST_DRAWN
from ..metrics.joints import DISTANCES, SEPARATIONS
from ..metrics.statistics import (
    Interval,
    Statistic,
    bootstrap,
    deviation,
    difference,
    mean,
    percentile,
    pooled_pearson,
)
from .contenders import Contender, Relation
from .scores import FEWEST_FRAMES, FEWEST_FRAMES_OF_COMPLEXES, LEAST_AGREEMENT, Protein, Score

__all__ = ["HIGHER", "LOWER", "QUANTITIES", "Line", "Quantity", "Report"]

Array = NDArray[np.floating]

HIGHER, LOWER = " ↑", " ↓"
"""Ends of titles that say which way is better."""
NAMED = 12
"""Proteins that a note names at most."""
PAIRED_WITH = ("anm", "springs-1")
"""Models with which the others are paired, where they are evaluated."""


@dataclass(frozen=True)
class Quantity:
    """A quantity of a table: a statistic of one metric over proteins.

    Attributes
    ----------
    key : str
        Name by which pictures find it.
    table, title : str
        An arrow in the title says which way is better.
    metric : str
        The metric that a protein must have to be counted.
    statistic : callable
        Makes a `Statistic` of the scores of these proteins.
    proteins : callable, optional
        Whether a protein belongs in the table; by default all that are counted do.
    over : str
        The model whose quantity is subtracted, on the proteins that both predict; empty where none is.
    """

    key: str
    table: str
    title: str
    metric: str
    statistic: Callable[[list[Score]], Statistic]
    proteins: Callable[[Protein], bool] | None = None
    over: str = ""


def _of_complexes(title: str, metric: str) -> Quantity:
    quantity = _percentile(COMPLEXES, title, metric)
    return replace(quantity, key=f"complexes_{metric}", proteins=lambda protein: protein.complex)


def _paired(quantity: Quantity) -> tuple[Quantity, ...]:
    """A quantity, and how far it is from that of each model that it is paired with."""
    title, arrow = quantity.title[: -len(HIGHER)], quantity.title[-len(HIGHER) :]
    return quantity, *(
        replace(quantity, key=f"{quantity.key}_over_{over}", title=f"{title}, difference to {over}{arrow}", over=over)
        for over in PAIRED_WITH
    )


def _mean(table: str, title: str, metric: str) -> Quantity:
    return Quantity(
        metric, table, title, metric, lambda scores: mean(np.array([score.values[metric] for score in scores]))
    )


def _percentile(table: str, title: str, metric: str, rank: float = 50.0, scale: float = 1.0) -> Quantity:
    return Quantity(
        metric if rank == 50.0 else f"{metric}_percentile_{rank:.0f}", table, title, metric,
        lambda scores: percentile(scale * np.array([score.values[metric] for score in scores]), rank),
    )  # fmt: skip


def _over_residues(title: str, which: str) -> Quantity:
    """Median RMSF over the residues of all proteins together; each has the weight of its protein."""

    def statistic(scores: list[Score]) -> Statistic:
        profiles = [getattr(score.profiles["ensemble_rmsf"], which) for score in scores]
        owner = np.repeat(np.arange(len(profiles)), [len(profile) for profile in profiles])
        of_residues = percentile(np.concatenate(profiles), 50.0)
        return lambda weights: of_residues(weights[:, owner])

    return Quantity(f"ensemble_rmsf_{which}", ENSEMBLES, title, "ensemble_rmsf_r", statistic)


def _global_rmsf_r(scores: list[Score]) -> Statistic:
    profiles = [score.profiles["ensemble_rmsf"] for score in scores]
    return pooled_pearson([profile.predicted for profile in profiles], [profile.simulated for profile in profiles])


def _pairwise_rmsd_r(scores: list[Score]) -> Statistic:
    return pooled_pearson(
        *([np.array([score.values[metric]]) for score in scores] for metric in ("pairwise_rmsd", "md_pairwise_rmsd"))
    )


def _aligned_share(scores: list[Score]) -> Statistic:
    return mean(np.array([100.0 * (score.values["pc_cosine"] > 0.5) for score in scores]))


def _sizes(table: str, key: str, whole: bool) -> tuple[Quantity, ...]:
    """How well the size of the motion is predicted of whole chains of mdCATH, or of domains cut out of a chain."""

    def logarithms(scores: list[Score], metric: str) -> Array:
        return np.log([score.values[metric] for score in scores])

    def correlation(scores: list[Score]) -> Statistic:
        own = logarithms(scores, "mdcath_rmsf")
        true = own - logarithms(scores, "mdcath_amplitude")
        return pooled_pearson(list(own[:, None]), list(true[:, None]))

    def scatter(scores: list[Score]) -> Statistic:
        return deviation(logarithms(scores, "mdcath_amplitude"))

    quantities = (
        *_paired(Quantity("r", table, "log mean RMSF, r over proteins" + HIGHER, "mdcath_rmsf", correlation)),
        *_paired(Quantity("scatter", table, "log amplitude ratio, SD" + LOWER, "mdcath_amplitude", scatter)),
        _percentile(table, "amplitude ratio, median, 1 is right", "mdcath_amplitude"),
        _percentile(table, "spread ratio, median, 1 is right", "mdcath_spread"),
    )
    return tuple(
        replace(each, key=f"{key}_{each.key}", proteins=lambda protein: protein.whole == whole) for each in quantities
    )


MARGINALS, ATLAS, CRYSTALS, NMR, WHOLE, CUT, BPTI, PAIRED, COUPLING, COMPLEXES, ENSEMBLES, CHAINS, JOINT, COST = (
    "Residues: RMSF and marginals",
    "Residues: RMSF of ATLAS",
    "Residues: displacements in crystals",
    "Residues: order by NMR",
    "Size of the motion: whole chains of mdCATH",
    "Size of the motion: domains of mdCATH cut out of a chain",
    "BPTI",
    "Paired differences",
    "Pairs: coupling",
    "Complexes",
    "Ensembles, as AlphaFlow's analysis defines them",
    "Samples as chains",
    "Joint covariance",
    "Time",
)
ABOUT = {
    CRYSTALS: "Size r is the rank correlation of the mean square fluctuation with the trace of U along a chain; shape "
    "cosine compares form and direction of predicted ellipsoids and U. U holds the disorder of the lattice too.",
    NMR: "Rank correlation of RMSF along a chain with 1 − NOE of N–H, which grows with motion faster than nanoseconds.",
    WHOLE: "Mean RMSF of a protein beside its mean at 320 K over five simulations. Spread is the standard deviation of "
    "the RMSF along a chain over its mean, and its ratio that of prediction and simulation.",
    CUT: "The same where a domain was simulated without the rest of its chain, which may have held it.",
    PAIRED: "Means over simulated proteins, and over chains of ATLAS, of what a model gains or loses on each.",
    BPTI: "100 frames over a millisecond, with N and C rebuilt from C-alphas. DynaProt's networks were not trained on "
    "BPTI; the published figures are of the paper's own frames.",
}
"""What is said of a table on the page."""

QUANTITIES: tuple[Quantity, ...] = (
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
    *_paired(_mean(CRYSTALS, "size r, mean" + HIGHER, "crystal_size_r")),
    *_paired(_mean(CRYSTALS, "shape cosine, mean" + HIGHER, "crystal_shape")),
    *_paired(_mean(NMR, "r with 1 − NOE, mean" + HIGHER, "nmr_r")),
    *_sizes(WHOLE, "whole", True),
    *_sizes(CUT, "cut", False),
    _percentile(BPTI, "RMSF r" + HIGHER, "bpti_rmsf_r"),
    _percentile(BPTI, "RMWD var, Å" + LOWER, "bpti_rmwd"),
    _percentile(BPTI, "pairwise RMSD, Å", "bpti_pairwise_rmsd"),
    _percentile(BPTI, "pairwise RMSD of MD, Å", "bpti_md_pairwise_rmsd"),
    *(
        difference_to
        for title, metric in (
            ("RMSF r" + HIGHER, "rmsf_r"),
            ("RMWD var, Å" + LOWER, "rmwd"),
            ("symmetric KL" + LOWER, "symmetric_kl"),
            ("shape cosine" + HIGHER, "shape"),
            ("coupling r, |i - j| ≤ 50" + HIGHER, "coupling_r50"),
            ("RMSF r of ATLAS" + HIGHER, "atlas_rmsf_r"),
        )
        for difference_to in _paired(_mean(PAIRED, title, metric))[1:]
    ),
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
    _of_complexes("RMSF r, median" + HIGHER, "rmsf_r"),
    _of_complexes("RMWD var, median, Å" + LOWER, "rmwd"),
    _of_complexes("symmetric KL, median" + LOWER, "symmetric_kl"),
    _of_complexes("amplitude ratio, median, 1 is right", "amplitude"),
    _of_complexes("coupling r, all pairs, median" + HIGHER, "coupling_r"),
    _of_complexes("coupling r, |i - j| ≤ 50, median" + HIGHER, "coupling_r50"),
    _percentile(ENSEMBLES, "pairwise RMSD of MD, median, Å", "md_pairwise_rmsd"),
    _percentile(ENSEMBLES, "pairwise RMSD, median, Å", "pairwise_rmsd"),
    Quantity(
        "pairwise_rmsd_r", ENSEMBLES, "pairwise RMSD, r over proteins" + HIGHER, "pairwise_rmsd", _pairwise_rmsd_r
    ),
    _over_residues("RMSF of MD, median over residues, Å", "simulated"),
    _over_residues("RMSF, median over residues, Å", "predicted"),
    Quantity(
        "ensemble_rmsf_r_pooled", ENSEMBLES, "RMSF r over all residues" + HIGHER, "ensemble_rmsf_r", _global_rmsf_r
    ),
    _percentile(ENSEMBLES, "RMSF r per protein, median" + HIGHER, "ensemble_rmsf_r"),
    _percentile(ENSEMBLES, "root mean W2, median, Å" + LOWER, "rmwd_total"),
    _percentile(ENSEMBLES, "root mean W2, translation, median, Å" + LOWER, "rmwd_translation"),
    _percentile(ENSEMBLES, "root mean W2, variance, median, Å" + LOWER, "rmwd_variance"),
    _percentile(ENSEMBLES, "MD PCA W2, median, Å" + LOWER, "md_pca_w2"),
    _percentile(ENSEMBLES, "joint PCA W2, median, Å" + LOWER, "joint_pca_w2"),
    Quantity("pc_cosine", ENSEMBLES, "cosine of first PCs > 0.5, %" + HIGHER, "pc_cosine", _aligned_share),
    _percentile(ENSEMBLES, "weak contacts, Jaccard, median" + HIGHER, "weak_contacts"),
    _percentile(ENSEMBLES, "transient contacts, Jaccard, median" + HIGHER, "transient_contacts"),
    _percentile(CHAINS, "unphysical, median, %" + LOWER, "unphysical", scale=100.0),
    _percentile(CHAINS, "unphysical once restored, median, %" + LOWER, "unphysical_restored", scale=100.0),
    _percentile(
        CHAINS, "unphysical once restored, 75th percentile, %" + LOWER, "unphysical_restored", 75.0, scale=100.0
    ),
    _percentile(CHAINS, "moved by restoring, median, Å" + LOWER, "restored_by"),
    _percentile(JOINT, "relative Frobenius error, median" + LOWER, "joint_error"),
    _percentile(JOINT, "RMSIP of 10 modes, median" + HIGHER, "rmsip"),
    _percentile(COST, "marginals, median, s" + LOWER, "seconds"),
    _percentile(COST, "ensemble, median, s" + LOWER, "ensemble_seconds"),
)


@dataclass(frozen=True)
class Line:
    """A quantity of one model with its interval and the number of proteins from which it comes."""

    quantity: Quantity
    model: str
    interval: Interval
    proteins: int

    @property
    def text(self) -> str:
        """As ``0.812 [0.790, 0.834]``."""
        return self.interval.text(0 if "%" in self.quantity.title else 3)


@dataclass(frozen=True)
class Report:
    """Scores and their statistics.

    Attributes
    ----------
    scores : list of Score
    contenders : list of Contender
    everything : bool
        Count simulations too that are short or whose halves disagree.
    unread : sequence of str
        Data that could not be read, and why.
    """

    scores: list[Score]
    contenders: list[Contender]
    everything: bool = False
    unread: Sequence[str] = ()

    def counts(self, score: Score) -> bool:
        """Whether a score is counted in the tables."""
        return bool(score.values) and (self.everything or score.protein.sound)

    @cached_property
    def lines(self) -> list[Line]:
        """Every quantity of every model that has it."""
        models = list(dict.fromkeys([each.name for each in self.contenders] + [score.model for score in self.scores]))
        lines = (self._line(quantity, model) for quantity in QUANTITIES for model in models if model != quantity.over)
        return [line for line in lines if line is not None]

    def _line(self, quantity: Quantity, model: str) -> Line | None:
        chosen = self._scores(quantity, model)
        others = self._scores(quantity, quantity.over)
        if quantity.over:
            chosen = {protein: score for protein, score in chosen.items() if protein in others}
        if not chosen:
            return None
        statistic = quantity.statistic(list(chosen.values()))
        if quantity.over:
            statistic = difference(statistic, quantity.statistic([others[protein] for protein in chosen]))
        return Line(quantity, model, bootstrap(statistic, [protein.cluster for protein in chosen]), len(chosen))

    def _scores(self, quantity: Quantity, model: str) -> dict[Protein, Score]:
        """The scores of a model that belong in the table of a quantity."""
        return {
            score.protein: score
            for score in self.scores
            if score.model == model
            and quantity.metric in score.values
            and (quantity.proteins(score.protein) if quantity.proteins else self.counts(score))
        }

    @cached_property
    def notes(self) -> list[str]:
        """Notes that a reader of the tables needs."""
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
        if complexes := sorted({protein.name for protein in simulated if protein.complex}):
            notes.append(
                f"{len(complexes)} complexes with at least {FEWEST_FRAMES_OF_COMPLEXES} frames have a table of their "
                f"own: {', '.join(complexes)}."
            )
        if chains := sum(protein.source == "ATLAS" for protein in proteins):
            notes.append(f"{chains} chains of ATLAS are counted: RMSF, for validation only.")
        if relaxation := sum(protein.source == "NMR" for protein in proteins):
            notes.append(f"{relaxation} proteins with NMR relaxation are counted, for validation only.")
        kinds = {
            "crystals": ("crystal", True), "whole chains of mdCATH": ("mdCATH", True),
            "domains of mdCATH cut out of a chain": ("mdCATH", False),
        }  # fmt: skip
        numbers = {kind: sum((p.source, p.whole) == found for p in proteins) for kind, found in kinds.items()}
        if drawn := ", ".join(f"{number} {kind}" for kind, number in numbers.items() if number):
            notes.append(
                f"Drawn by chance are {drawn}: of up to {LONGEST_DRAWN} residues, one of each sequence cluster, "
                "without those whose relatives a model is known to have been trained on."
            )
        for each in self.contenders:
            if not each.predicts_marginals:
                notes.append(f"{each.name} predicts no marginals: the elastic network stands in.")
            if not each.predicts_coupling:
                notes.append(f"{each.name} predicts no coupling: the elastic network stands in.")
            notes += self._relations(each)
        if lengths := [protein.residues for protein in proteins if protein.source != "MD" or protein in counted]:
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

    def _relations(self, model: Contender) -> list[str]:
        """What a model saw in training of the proteins that are counted."""
        proteins: dict[Relation, list[str]] = {relation: [] for relation in Relation}
        for score in self.scores:
            if score.model == model.name and score.relation is not None and self.counts(score):
                proteins[score.relation].append(score.protein.name)
        total = sum(map(len, proteins.values()))
        if not total:
            return []
        notes = [
            f"{model.name}: of {total} proteins, {len(proteins[Relation.HELD_OUT])} are held out (predicted by "
            "networks that were trained on no relative with 30 % of the sequence in common), "
            f"{len(proteins[Relation.SEEN])} are seen, and of {len(proteins[Relation.NOT_KNOWN])} it is not known."
        ]
        for relation, meaning in (
            (Relation.SEEN, "relatives were trained on, which flatters the prediction"),
            (
                Relation.NOT_KNOWN,
                "beside the weights there is no .training.fasta.gz of what they were trained on",
            ),
        ):
            if names := proteins[relation]:
                more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
                notes.append(f"{model.name}, {relation}: {', '.join(names[:NAMED])}{more}: {meaning}.")
        return notes

    def tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """Title, head and body of each table, with a row for each quantity and a column for each model."""
        tables = []
        for title in dict.fromkeys(line.quantity.table for line in self.lines):
            lines = [line for line in self.lines if line.quantity.table == title]
            models = list(dict.fromkeys(line.model for line in lines))
            cells = {(line.quantity.title, line.model): line.text for line in lines}
            titles = list(dict.fromkeys(line.quantity.title for line in lines))
            body = [[name, *(cells.get((name, model), "-") for model in models)] for name in titles]
            tables.append((title, ["", *models], body))
        parameters = [["parameters", *(f"{each.parameters:,}" for each in self.contenders)]]
        tables.append(("Size", ["", *(each.name for each in self.contenders)], parameters))
        return tables

    def for_terminal(self) -> list[Table]:
        """The tables for `rich` to print."""
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
            "Statistics over proteins with 95 % bootstrap intervals; sequence clusters are resampled whole. Made by "
            f"`dynaprot evaluate`, version {__version__}.",
            "",
            "**MD halves**: one half of each simulation evaluated as a prediction of the other, which no model can be "
            "expected to exceed. **Eq. 5 of MD**: one scalar for each pair of residues, from the simulation's own "
            "marginals and coupling. **anm as MD**: the elastic network with the simulation's own marginals.",
            "",
            "**RMWD**, the root mean Wasserstein distance, is the root mean square over residues of the "
            '2-Wasserstein distance between predicted and simulated marginals; "var" means that both are '
            "centred. **Symmetric KL** is "
            "the mean of their Kullback–Leibler divergences in both directions. **Shape cosine** compares the form and "
            "direction of ellipsoids without their size. **Amplitude ratio** is the mean RMSF over that of the "
            "simulation. [Theory](../theory.md#how-predictions-are-measured) defines each.",
            "",
        ]
        page += [f"- {note}" for note in self.notes]
        for title, head, body in self.tables():
            page += ["", f"## {title}", *(["", ABOUT[title]] if title in ABOUT else [])]
            page += ["", f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
            page += [f"| {' | '.join(cell.replace('|i - j|', 'separation') for cell in row)} |" for row in body]
        for picture in pictures:
            page += ["", f"![{picture.stem}]({picture.name})"]
        return "\n".join(page) + "\n"

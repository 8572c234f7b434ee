"""How far predictions are off where structures are awkward: gaps, loose pieces, complexes; two models side by side.

    python benchmarks/awkward_structures.py --model springs-1 --model default --data DATA --cases FOLDER

The first table is about structure files of a folder, such as those on which predictions went wrong. The second is about
200 stretches of 3 to 30 residues cut out of simulated proteins, each predicted by a network that saw no relative of it:
three residues to either side of the cut, against the simulation of the whole protein and against the prediction of the
whole. The third is about the fold of the same proteins with an extended tail of 5 to 40 residues added. The fourth
is about the simulated complexes. With --held-out-of, these three are about proteins that those weights never saw.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from dynaprot import Dynamics, Structure, load_structure, predict
from dynaprot.datasets.distillation import extended
from dynaprot.datasets.labels import labels_of
from dynaprot.datasets.sources import Ensemble, read_ensembles
from dynaprot.evaluation.clusters import chosen_clusters
from dynaprot.evaluation.contenders import Contender, contenders
from dynaprot.metrics.residues import compare

CUTS, ENDS = 200, 3
"""Stretches that are cut out, and residues to either side that are looked at."""
FEWEST_FRAMES = 30
console = Console(soft_wrap=True)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table."""
    shown = Table(title=title)
    for column in columns:
        shown.add_column(column)
    for row in rows:
        shown.add_row(*row)
    console.print(shown)


def show_cases(folder: Path, models: list[str]) -> None:
    """Mean and largest RMSF of each structure file of a folder, and what the notices say of it."""
    rows = []
    for path in sorted(path for path in folder.rglob("*") if path.name.endswith((".pdb", ".pdb.gz", ".cif.gz"))):
        try:
            structure = load_structure(path)
            found = [predict(structure, model) for model in models]
        except Exception as error:  # a refusal is a result
            rows.append([path.name, *["refused"] * len(models), str(error)[:60]])
            continue
        sizes = [f"{dynamics.rmsf.mean():.2f} / {dynamics.rmsf.max():.2f}" for dynamics in found]
        rows.append([path.name, *sizes, "; ".join(sorted({n.kind for n in found[-1].notices}))])
    table("RMSF, Å: mean / largest", ["input", *models, f"notices of {models[-1]}"], rows)


def cut_out(ensemble: Ensemble, mobility: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Residues that are left when a stretch is cut out, the more mobile the likelier."""
    size = len(mobility)
    length = int(generator.integers(3, min(30, size // 3) + 1))
    weight = np.convolve(mobility, np.ones(length) / length, mode="valid")[5 : -5 or None] ** 2
    start = 5 + int(generator.choice(len(weight), p=weight / weight.sum()))
    return np.concatenate([np.arange(start), np.arange(start + length, size)])


def rmsf_of(chosen: Contender, structure: Structure, cluster: int | str) -> np.ndarray:
    """By a network that saw no relative of the protein."""
    return predict(structure, chosen.choose(structure, cluster)[0]).rmsf


def show_cuts(systems: list[Ensemble], judged: list[Contender]) -> None:
    """Errors at the ends of gaps."""
    generator = np.random.default_rng(0)
    single = [s for s in systems if len(s.frames) >= 100 and 60 <= len(s.structure) <= 400]
    errors: dict[str, list[tuple[float, float]]] = {contender.name: [] for contender in judged}
    whole: dict[tuple[str, str], np.ndarray] = {}
    for k in range(CUTS):
        system = single[k % len(single)]
        labels = labels_of(system.frames, system.structure.ca)
        truth = np.sqrt(np.trace(labels.marginals, axis1=1, axis2=2))
        kept = cut_out(system, truth, generator)
        place = int(np.flatnonzero(np.diff(kept) > 1)[0])
        ends = np.arange(place - ENDS + 1, place + ENDS + 1)
        part = system.structure[kept]
        for contender in judged:
            key = contender.name, system.structure.name
            if key not in whole:
                whole[key] = rmsf_of(contender, system.structure, system.cluster)
            now = rmsf_of(contender, part, system.cluster)[ends]
            errors[contender.name].append((
                float(np.log(now / truth[kept][ends]).mean()), float(np.log(now / whole[key][kept][ends]).mean()),
            ))  # fmt: skip
    rows = []
    for name, found in errors.items():
        to_truth, to_whole = np.array(found).T
        rows.append([
            name, f"{np.exp(np.median(to_truth)):.2f}", f"{np.abs(to_truth).mean():.3f}",
            f"{np.exp(np.median(to_whole)):.2f}", f"{np.abs(to_whole).mean():.3f}",
        ])  # fmt: skip
    columns = ["model", "over simulation, median", "mean |log|", "over own prediction of the whole", "mean |log|"]
    table(f"RMSF of {ENDS} residues to either side of {CUTS} cuts", columns, rows)


def show_tails(systems: list[Ensemble], judged: list[Contender]) -> None:
    """Errors of the fold of proteins to which a tail was added."""
    generator = np.random.default_rng(0)
    folds = []
    for system in systems:
        if len(set(system.structure.chain_ids)) == 1 and len(system.frames) >= 100 and len(system.structure) <= 400:
            tailed = extended(system.structure, generator)
            start = tailed.sequence.index(system.structure.sequence)
            folds.append((system, tailed, slice(start, start + len(system.structure))))
    rows = []
    for contender in judged:
        found = []
        for system, tailed, fold in folds:
            labels = labels_of(system.frames, system.structure.ca)
            model = contender.choose(system.structure, system.cluster)[0]
            alone, now = predict(system.structure, model), predict(tailed, model)
            # Seen from the fold, as its simulation is.
            now = now.superposed(np.isin(np.arange(len(tailed)), np.arange(fold.start, fold.stop)))
            against = compare(now.marginals[fold], None, labels)
            found.append([
                float(np.corrcoef(now.rmsf[fold], alone.rmsf)[0, 1]), float(np.median(now.rmsf[fold] / alone.rmsf)),
                against["rmsf_r"], against["symmetric_kl"],
            ])  # fmt: skip
        rows.append([contender.name, *(f"{value:.3f}" for value in np.median(found, axis=0))])
    columns = ["model", "r with the fold alone", "size over it", "RMSF r with simulation", "sym. KL"]
    table(f"The fold of {len(folds)} simulated proteins with a tail: medians", columns, rows)


def show_complexes(systems: list[Ensemble], judged: list[Contender]) -> None:
    """Coupling and marginals of simulated complexes."""
    rows = []
    for system in systems:
        structure = system.structure
        bonds = np.unique(structure.molecules)
        if len(bonds) < 2 or len(system.frames) < FEWEST_FRAMES:
            continue
        labels = labels_of(system.frames, structure.ca)
        for contender in judged:
            dynamics: Dynamics = predict(structure, contender.choose(structure, system.cluster)[0])
            figures = compare(dynamics.marginals, dynamics.coupling, labels)
            names = ("coupling_r50", "coupling_r", "symmetric_kl", "rmsf_r", "amplitude")
            rows.append([structure.name, contender.name, *(f"{figures[name]:.2f}" for name in names)])
    table("Simulated complexes", ["complex", "model", "coupling r50", "r", "sym. KL", "RMSF r", "amplitude"], rows)


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", required=True, help="a model of `dynaprot.predict`; repeat")
    parser.add_argument("--cases", type=Path, help="folder of structure files")
    parser.add_argument("--data", type=Path, help="folder with md_ensembles.npz")
    parser.add_argument("--held-out-of", type=Path, help="weights that say which clusters were held out from them")
    arguments = parser.parse_args()
    if arguments.cases:
        show_cases(arguments.cases, arguments.model)
    if arguments.data:
        systems = list(read_ensembles(arguments.data / "md_ensembles.npz", []))
        if (chosen := chosen_clusters("", arguments.held_out_of)) is not None:
            systems = [system for system in systems if system.cluster in chosen]
        with TemporaryDirectory() as folder:
            judged = [
                each for each in contenders(arguments.model, Path(folder)) if each.name not in ("prior", "anm-cutoff")
            ]
            show_cuts(systems, judged)
            show_tails(systems, judged)
            show_complexes(systems, judged)


if __name__ == "__main__":
    main()

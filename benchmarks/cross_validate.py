"""Compare recipes by cross-validation: each protein is judged by a network that never saw its sequence cluster.

    PYTHONPATH=src python benchmarks/cross_validate.py ../shared/data '{}' '{"epochs": 8}' --seeds 0 1

Each recipe is JSON of changes to `Recipe`'s defaults; "architecture" holds changes to its `Architecture`. Printed are
medians over proteins, and over clusters where each counts once, beside the network without learned parameters.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from dynaprot.network.model import DynaProt
from dynaprot.training.train import Recipe, atlas_rmsf_r, cross_validate, evaluate, load_data

FIGURES = ("rmsf_r", "rmwd", "symmetric_kl", "shape", "coupling_r50", "amplitude")


def table_row(rows: list[dict[str, float]], clusters: list[int], atlas: list[float]) -> str:
    """Medians over proteins, then in brackets over the clusters' means."""
    cells = []
    for figure in FIGURES:
        by_cluster = defaultdict(list)
        for row, cluster in zip(rows, clusters, strict=True):
            by_cluster[cluster].append(row[figure])
        over_clusters = np.median([np.mean(values) for values in by_cluster.values()])
        cells.append(f"{np.median([row[figure] for row in rows]):.3f} ({over_clusters:.3f})")
    return " | ".join([*cells, f"{np.median(atlas):.4f} ({np.mean(atlas):.4f})"])


def main() -> None:
    """Read the command line, cross-validate every recipe with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("recipes", nargs="+", type=json.loads)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = load_data(arguments.data, Recipe().crystals)
    print("| recipe | seed |", " | ".join(FIGURES), "| ATLAS RMSF r, median (mean) | seconds |")
    untrained = DynaProt(Recipe().architecture)
    judged = [example for example in data.simulations if example.trustworthy]
    row = table_row(evaluate(untrained, judged), [e.cluster for e in judged], atlas_rmsf_r(untrained, data.atlas))
    print(f"| parameter-free | | {row} | |", flush=True)
    for changes in arguments.recipes:
        architecture = replace(Recipe().architecture, **changes.get("architecture", {}))
        recipe = replace(Recipe(), **(changes | {"architecture": architecture}))
        for seed in arguments.seeds:
            start = time.time()
            folds = cross_validate(data, recipe, seed, report=lambda _: None)
            rows = [row for fold in folds for row in evaluate(fold.network, fold.held_out)]
            clusters = [example.cluster for fold in folds for example in fold.held_out]
            atlas = np.mean([atlas_rmsf_r(fold.network, data.atlas) for fold in folds], axis=0).tolist()
            row = table_row(rows, clusters, atlas)
            print(f"| `{json.dumps(changes)}` | {seed} | {row} | {time.time() - start:.0f} |", flush=True)


if __name__ == "__main__":
    main()

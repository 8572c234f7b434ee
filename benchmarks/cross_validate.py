"""Compare recipes by cross-validation: each protein is predicted by a network that never saw its sequence cluster.

    python benchmarks/cross_validate.py --data DATA '{}' '{"epochs": 8, "architecture": {"layers": 2}}' --seeds 0 1

Each recipe is JSON of changes to the default configuration of `dynaprot train`, with its data in DATA; "source" is a
list of changes, one for each source, with null for a source to leave out. Printed are medians over proteins, and over
clusters where each counts once, beside the network without learned parameters.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from dynaprot.network.torch_network import DynaProt
from dynaprot.training.configuration import BUNDLED, Configuration
from dynaprot.training.examples import Example
from dynaprot.training.folds import load_data
from dynaprot.training.processes import joined_processes
from dynaprot.training.train import train_members, validate, validate_on_chains

METRICS = ("rmsf_r", "rmwd", "symmetric_kl", "shape", "coupling_r50", "amplitude")


def changed(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A configuration with other values, in its tables too."""
    table = dict(table)
    for name, value in changes.items():
        if name == "source":
            both = zip(table[name], value, strict=True)
            table[name] = [source | change for source, change in both if change is not None]
        else:
            table[name] = table.get(name, {}) | value if isinstance(value, dict) else value
    return table


def table_row(examples: list[Example], rows: list[dict[str, float]], chains: list[float]) -> str:
    """Medians over proteins, then in brackets over the clusters' means."""
    cells = []
    for metric in METRICS:
        by_cluster = defaultdict(list)
        for example, row in zip(examples, rows, strict=True):
            by_cluster[example.cluster].append(row.get(metric, np.nan))
        over_clusters = np.median([np.mean(values) for values in by_cluster.values()])
        cells.append(f"{np.median([row.get(metric, np.nan) for row in rows]):.3f} ({over_clusters:.3f})")
    cells.append(f"{np.median(chains):.4f} ({np.mean(chains):.4f})" if chains else "")
    return " | ".join(cells)


def main() -> None:
    """Read the command line, cross-validate every recipe with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="+", type=json.loads)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    default = tomllib.loads((BUNDLED / "default.toml").read_text()) | {"data": arguments.data}
    print("| recipe | seed |", " | ".join(METRICS), "| RMSF r of chains, median (mean) | seconds |")
    for changes in arguments.recipes:
        configuration = Configuration.of(changed(default, changes), json.dumps(changes))
        data = load_data(configuration)
        for seed in arguments.seeds:
            start = time.perf_counter()
            with joined_processes("cpu") as processes, TemporaryDirectory() as folder:
                members = train_members(
                    data, replace(configuration, seed=seed), Path(folder), processes, report=lambda line: None
                )
            seconds = time.perf_counter() - start
            examples = [example for member in members for example in member.fold.held_out]
            chains = [validate_on_chains(member.network, data.validation, processes.device) for member in members]
            mean = np.mean(chains, axis=0).tolist() if chains[0] else []
            row = table_row(examples, [row for member in members for row in member.metrics], mean)
            print(f"| `{json.dumps(changes)}` | {seed} | {row} | {seconds:.0f} |", flush=True)
        if configuration.architecture.prior:
            untrained = DynaProt(configuration.architecture)
            rows = validate(untrained, examples, configuration, processes)
            chain = validate_on_chains(untrained, data.validation, processes.device)
            print(f"| parameter-free | | {table_row(examples, rows, chain)} | |", flush=True)


if __name__ == "__main__":
    main()

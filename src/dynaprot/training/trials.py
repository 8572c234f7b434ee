"""A table of trials: one row for each training, so that what failed is kept beside what worked."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from ..metrics.residues import METRICS
from ..storage import replacing
from .configuration import Configuration

__all__ = ["COLUMNS", "append_trial"]

COLUMNS = ("date", "name", "commit", "seed", "parameters", "steps", "proteins", *METRICS, "atlas_rmsf_r", "recipe")
"""Medians of the metrics over what was held out; ``recipe`` is the configuration without its texts, as JSON."""
TEXTS = ("about", "data", "data_needed", "checkpoint", "tensorboard")


def append_trial(
    path: Path, configuration: Configuration, metadata: dict[str, Any], parameters: int, steps: int
) -> None:
    """Add the row of a training to a CSV file, which is made where it is missing.

    Parameters
    ----------
    path : Path
    configuration : Configuration
    metadata : dict
        Description of the weights, as in their header.
    parameters, steps : int
        Numbers of learned parameters and of steps taken, over all networks.
    """
    recipe = {name: value for name, value in asdict(configuration).items() if name not in TEXTS}
    row = {
        "date": date.today().isoformat(),
        "name": metadata["name"],
        "commit": metadata["commit"][:9],
        "seed": configuration.seed,
        "parameters": parameters,
        "steps": steps,
        "proteins": metadata["proteins"],
        "recipe": json.dumps(recipe, separators=(",", ":")),
    }
    row |= {name: text.split()[0] for name, text in metadata["validation"].items() if name in COLUMNS}
    rows: list[dict[str, Any]] = []
    if path.exists():
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*rows, row])

"""Fit the one scale of each elastic network to the sizes of motion in MD, and print its constants.

    PYTHONPATH=src python benchmarks/calibrate_anm.py DATA

Stiffness is chosen so that the mean RMSF of the median protein is that of its simulation. One system of each sequence
cluster counts, with a trustworthy label; what the configuration `default` excludes is left out.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from dynaprot.datasets.labels import labels_of
from dynaprot.datasets.sources import read_ensembles
from dynaprot.metrics.residues import compare
from dynaprot.springs import elastic_networks
from dynaprot.training.configuration import read_configuration


def main(data: Path) -> None:
    """Print each constant's value and what it gives."""
    networks = {"STIFFNESS": elastic_networks.parameter_free_anm, "CLASSIC_STIFFNESS": elastic_networks.classic_anm}
    ratios: dict[str, list[float]] = {name: [] for name in networks}
    excluded = read_configuration("default").source[0].exclude
    seen = set()
    for system in read_ensembles(data / "md_ensembles.npz", []):
        structure = system.structure
        if system.cluster in seen or len(system.frames) < 100:
            continue
        if any(fnmatchcase(structure.name, pattern) for pattern in excluded):
            continue
        seen.add(system.cluster)
        labels = labels_of(system.frames, structure.ca)
        for name, network in networks.items():
            joint = network(structure)
            figures = compare(joint.marginals, joint.coupling, labels)
            ratios[name].append(figures["amplitude"])
            print(f"{structure.name:20.20} {name:18}", {key: round(value, 3) for key, value in figures.items()})
    for name, values in ratios.items():
        spread = np.percentile(values, [25, 50, 75])
        stiffness = getattr(elastic_networks, name) * spread[1] ** 2
        print(f"{name} = {stiffness:.4g}   # amplitudes now {spread.round(3)}, {len(values)} proteins")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Fit the two scalars that hold complexes together, each complex by the others: `between` and `floor` of the prior.

    python benchmarks/fit_complexes.py DATA                  # a folder with md_ensembles.npz

Each simulated complex is predicted by a network that saw no relative of it, with every pair of values. What is chosen
for a complex is the pair that is best for the others, by symmetric KL less coupling r up to 50 residues apart.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dynaprot.datasets.labels import labels_of
from dynaprot.datasets.sources import read_ensembles
from dynaprot.evaluation.contenders import contenders
from dynaprot.metrics.residues import compare
from dynaprot.network.features import featurise
from dynaprot.network.numpy_network import NumpyNetwork
from dynaprot.network.weights import load_weights
from dynaprot.springs.elastic_networks import parameter_free_anm
from dynaprot.springs.prior import PRIORS, SpringPrior

BETWEEN, FLOOR = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0), (0.03, 0.1, 0.3, 1.0)
FEWEST_FRAMES = 30


def figures(data: Path, folder: Path) -> dict[str, dict[tuple[float, float], dict[str, float]]]:
    """Metrics of each complex by the two scalars."""
    [model] = [contender for contender in contenders(["default"], folder) if contender.networks]
    found: dict[str, dict[tuple[float, float], dict[str, float]]] = {}
    for system in read_ensembles(data / "md_ensembles.npz", []):
        structure = system.structure
        if len(np.unique(structure.molecules)) < 2 or len(system.frames) < FEWEST_FRAMES:
            continue
        labels = labels_of(system.frames, structure.ca)
        chosen, relation = model.choose(structure, system.cluster)
        weights = load_weights(Path(chosen))
        architecture = weights.architecture
        features = featurise(structure, architecture.residue_features, architecture.pair_features)
        outputs = NumpyNetwork(weights)(features)
        anm = parameter_free_anm(structure)
        found[f"{structure.name} ({relation})"] = {(0.0, 0.0): compare(anm.marginals, anm.coupling, labels)}
        for between, floor in product(BETWEEN, FLOOR):
            PRIORS["trial"] = replace(PRIORS[architecture.prior], between=between, floor=floor)
            prior = SpringPrior.of(structure, features.pairs, "trial").corrected(outputs["springs"], outputs["chain"])
            joint, _ = prior.to_joint(outputs["congruence"])
            found[f"{structure.name} ({relation})"][between, floor] = compare(joint.marginals, joint.coupling, labels)
    return found


def main() -> None:
    """Print what is chosen for each complex, and the mean of all by each pair of values."""
    with TemporaryDirectory() as folder:
        found = figures(Path(sys.argv[1]), Path(folder))
    values = list(product(BETWEEN, FLOOR))

    def cost(name: str, pair: tuple[float, float]) -> float:
        return found[name][pair]["symmetric_kl"] - found[name][pair]["coupling_r50"]

    print("complex: chosen by the others; coupling r50 and symmetric KL with it (anm's)")
    for name in found:
        best = min(values, key=lambda pair: sum(cost(other, pair) for other in found if other != name))
        own, anm = found[name][best], found[name][0.0, 0.0]
        print(
            f"{name}: between {best[0]:g}, floor {best[1]:g}; {own['coupling_r50']:.3f} ({anm['coupling_r50']:.3f}), "
            f"{own['symmetric_kl']:.3f} ({anm['symmetric_kl']:.3f})"
        )
    print("between, floor: mean coupling r50, mean symmetric KL, mean amplitude")
    for pair in values:
        means = [
            np.mean([found[name][pair][key] for name in found]) for key in ("coupling_r50", "symmetric_kl", "amplitude")
        ]
        print(f"{pair[0]:g}, {pair[1]:g}: {means[0]:.3f}, {means[1]:.3f}, {means[2]:.2f}")


if __name__ == "__main__":
    main()

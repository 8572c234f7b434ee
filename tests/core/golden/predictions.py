"""What a golden file holds of one prediction, and how the files are written: `python -m tests.core.golden.predictions`.

Each file is called after a model and holds, for each protein of `PROTEINS`, the RMSF, the six numbers of each marginal
and 200 couplings, with five significant digits.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from dynaprot import Dynamics, load_structure, predict

FOLDER = Path(__file__).resolve().parent
STRUCTURES = FOLDER.parents[1] / "structures"
PROTEINS = ("1hpv", "1tii", "6gof_gap")
MODELS = ("springs-1", "springs-2", "dynaprot-1", "prior", "anm", "anm-cutoff")
COUPLINGS = 200
TOLERANCE = 1e-3
"""Of each number, relative to the largest of its kind in a protein."""
Numbers = dict[str, list[float]]


def pairs(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The residues whose couplings are kept: the same at every call, near and far along the chain alike."""
    i, j = np.triu_indices(size, 1)
    chosen = np.random.default_rng(0).choice(len(i), COUPLINGS, replace=False)
    return i[chosen], j[chosen]


def numbers(dynamics: Dynamics) -> Numbers:
    """RMSF, Å; marginals, Å^2, as U11 U22 U33 U12 U13 U23 of one residue after the other; couplings."""
    marginals = dynamics.marginals
    return {
        "rmsf": dynamics.rmsf.tolist(),
        "marginals": marginals[:, [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]].ravel().tolist(),
        "coupling": dynamics.coupling[pairs(len(dynamics))].tolist(),
    }


def predicted(model: str) -> dict[str, Numbers]:
    """The numbers of each protein as the model predicts them now."""
    return {
        name: numbers(predict(load_structure(STRUCTURES / f"{name}.pdb.gz"), model, device="cpu")) for name in PROTEINS
    }


def golden(model: str) -> dict[str, Numbers]:
    """The numbers of each protein as they are to stay."""
    found: dict[str, Numbers] = json.loads((FOLDER / f"{model}.json").read_text(encoding="utf-8"))
    return found


def agree(now: dict[str, Numbers], then: dict[str, Numbers]) -> bool:
    """Whether all numbers are the same to `TOLERANCE`."""
    return all(
        np.allclose(now[protein][kind], expected, rtol=0, atol=TOLERANCE * np.abs(expected).max())
        for protein, kinds in then.items()
        for kind, expected in kinds.items()
    )


def write(model: str) -> None:
    """Let what the model predicts now be what it is to predict; a file that still holds is left as it is."""
    now = predicted(model)
    if (FOLDER / f"{model}.json").exists() and agree(now, golden(model)):
        return
    rounded = {
        name: {kind: [float(f"{value:.5g}") for value in values] for kind, values in kinds.items()}
        for name, kinds in now.items()
    }
    text = json.dumps(rounded, separators=(",", ":")).replace("]", "]\n")
    (FOLDER / f"{model}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in MODELS:
        write(name)

"""Train a committee of learned elastic networks and write weights that `dynaprot.predict` reads.

    python -m dynaprot.training.train --data ../shared/data --output weights/dynaprot-default.safetensors

Proteins are dealt into folds by sequence cluster. Each fold is held out from one member of the committee, which is then
judged on it: so every protein is judged by a network that never saw it or its relatives, while the committee as a whole
has seen all. Each member starts exactly at the parameter-free elastic network, sees MD ensembles beside crystals and
sets of experimental conformers, and keeps the running mean of its weights. A quarter of an hour on one CPU core.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..network.anm import ISOTROPIC
from ..network.architecture import Architecture
from ..network.elastic import elastic_moments
from ..network.model import Committee, DynaProt, Heads
from ..network.weights import save_weights
from .examples import (
    AtlasChain,
    CrystalChain,
    Example,
    Input,
    load_atlas,
    load_conformers,
    load_crystals,
    load_simulations,
)
from .losses import crystal_loss, ensemble_loss
from .metrics import compare, pearson

__all__ = ["Data", "Fold", "Recipe", "atlas_rmsf_r", "cross_validate", "evaluate", "load_data", "median_figures"]

LARGEST_TRAINED = 470
"""Residues; larger simulations only validate, since a pass costs N^3."""
PER_EPOCH = 2
"""Systems of one cluster in an epoch, drawn by trust."""


@dataclass(frozen=True)
class Recipe:
    """How a committee is trained.

    Attributes
    ----------
    architecture : Architecture
        Of each member.
    folds : int
        Parts that the clusters are dealt into: members of the committee.
    epochs : int
    rate, decay : float
        Of AdamW; the rate warms up over 50 steps and falls along a cosine.
    shrinkage : float
        Weight of the mean squared log stiffness: a pull towards the parameter-free network.
    memory : int
        Steps over which weights are averaged.
    crystals : int
        Chains of the crystallographic set.
    crystal_share, conformer_share : float
        Probability that a step looks at a crystal, or at a set of conformers, beside its simulation.
    auxiliary_weight : float
        Weight of what it sees there.
    """

    architecture: Architecture = field(
        default_factory=lambda: Architecture(
            dimension=64, layers=0, residual=True, environment=True, final_norm=True, springs=True, congruence=True
        )
    )
    folds: int = 5
    epochs: int = 16
    rate: float = 2e-3
    decay: float = 1e-3
    shrinkage: float = 0.01
    memory: int = 200
    crystals: int = 400
    crystal_share: float = 0.4
    conformer_share: float = 0.3
    auxiliary_weight: float = 0.5


@dataclass
class Data:
    """Everything read from the data folder."""

    simulations: list[Example]
    conformers: list[Example]
    crystals: list[CrystalChain]
    atlas: list[AtlasChain]


@dataclass
class Fold:
    """One member of a committee with the proteins held out from it."""

    network: DynaProt
    held_out: list[Example]


def load_data(folder: Path, crystals: int) -> Data:
    """Read the archives of a data folder; clusters of ATLAS are kept out of all that is trained on."""
    atlas = load_atlas(folder / "atlas_rmsf.npz")
    validation = {chain.cluster for chain in atlas}
    return Data(
        [e for e in load_simulations(folder / "md_ensembles.npz") if e.cluster not in validation],
        [e for e in load_conformers(folder / "conformers.npz") if e.cluster not in validation],
        load_crystals(folder / "crystal_aniso.npz", crystals, validation),
        atlas,
    )


def predict_moments(network: nn.Module, protein: Input) -> tuple[Tensor, Tensor]:
    """Marginals (N, 3, 3) and coupling (N, N) of one protein, differentiable."""
    return moments_of(network(*protein.arguments), protein)


def moments_of(heads: Heads, protein: Input) -> tuple[Tensor, Tensor]:
    """Marginals and coupling of what a network says of one protein."""
    stiffness = heads.springs.exp() * protein.base[:, None]
    congruence = None
    if heads.congruence is not None:
        rotations = protein.arguments[1][0]
        congruence = rotations @ heads.congruence[0] @ rotations.mT
    marginals, coupling = elastic_moments(
        protein.positions, protein.arguments[5], stiffness[:, 0], ISOTROPIC * stiffness[:, 1], congruence
    )
    return marginals.double(), coupling.double()


def train_member(data: Data, held_out: set[int], recipe: Recipe, seed: int) -> DynaProt:
    """Train one network on everything outside some clusters; the same seed gives the same weights."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    clusters: dict[int, list[Example]] = defaultdict(list)
    for example in data.simulations:
        if example.cluster not in held_out and len(example.marginals) <= LARGEST_TRAINED:
            clusters[example.cluster].append(example)
    conformers = [example for example in data.conformers if example.cluster not in held_out]
    crystals = [chain for chain in data.crystals if chain.cluster not in held_out]
    network = DynaProt(recipe.architecture)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    steps = recipe.epochs * sum(min(len(members), PER_EPOCH) for members in clusters.values())
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 50) * (0.51 + 0.49 * np.cos(np.pi * step / steps))
    )

    def loss_on(example: Example) -> Tensor:
        heads = network(*example.input.arguments)
        loss = ensemble_loss(*moments_of(heads, example.input), example)
        return loss + recipe.shrinkage * (heads.springs**2).mean()

    step = 0
    for _ in range(recipe.epochs):
        for example in _epoch(clusters, generator):
            loss = example.trust * loss_on(example)
            if crystals and generator.random() < recipe.crystal_share:
                chain = crystals[generator.integers(len(crystals))]
                marginals, _ = predict_moments(network, chain.input)
                loss = loss + recipe.auxiliary_weight * crystal_loss(marginals, chain)
            if conformers and generator.random() < recipe.conformer_share:
                loss = loss + recipe.auxiliary_weight * loss_on(conformers[generator.integers(len(conformers))])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            step += 1
            with torch.no_grad():
                for kept, current in zip(average.parameters(), network.parameters(), strict=True):
                    kept.lerp_(current, max(1 / step, 1 / recipe.memory))
    return average.eval()


def _epoch(clusters: dict[int, list[Example]], generator: np.random.Generator) -> list[Example]:
    """A few systems of every cluster in random order."""
    chosen = []
    for members in clusters.values():
        trust = np.array([example.trust for example in members])
        count = min(len(members), PER_EPOCH)
        chosen += [members[k] for k in generator.choice(len(members), count, replace=False, p=trust / trust.sum())]
    return [chosen[k] for k in generator.permutation(len(chosen))]


def cross_validate(data: Data, recipe: Recipe, seed: int, report: Callable[[str], None] = print) -> list[Fold]:
    """Train one member for each fold of the clusters, each without its fold."""
    start = time.time()
    clusters = np.random.default_rng(0).permutation(sorted({example.cluster for example in data.simulations}))
    folds = []
    for k in range(recipe.folds):
        held_out = set(clusters[k :: recipe.folds].tolist())
        network = train_member(data, held_out, recipe, seed * 100 + k)
        folds.append(Fold(network, [e for e in data.simulations if e.cluster in held_out and e.trustworthy]))
        figures = median_figures(evaluate(network, folds[-1].held_out))
        report(f"fold {k + 1} of {recipe.folds}, {time.time() - start:.0f} s: {figures}")
    return folds


@torch.no_grad()
def evaluate(network: nn.Module, examples: list[Example]) -> list[dict[str, float]]:
    """Every metric of each protein."""
    network.eval()
    return [
        compare(*(moment.numpy() for moment in predict_moments(network, example.input)), example.labels)
        for example in examples
    ]


@torch.no_grad()
def atlas_rmsf_r(network: nn.Module, chains: list[AtlasChain]) -> list[float]:
    """Pearson correlation of RMSF of each ATLAS chain."""
    network.eval()
    correlations = []
    for chain in chains:
        rmsf = predict_moments(network, chain.input)[0].diagonal(dim1=1, dim2=2).sum(-1).sqrt().numpy()
        known = np.isfinite(chain.rmsf)
        correlations.append(pearson(rmsf[known], chain.rmsf[known]))
    return correlations


def median_figures(rows: list[dict[str, float]]) -> dict[str, float]:
    """Median of each metric over proteins."""
    return {name: round(float(np.median([row[name] for row in rows])), 4) for name in rows[0]}


def interval(values: NDArray[np.floating] | list[float]) -> str:
    """Median and its 95 % bootstrap interval over proteins."""
    draws = np.random.default_rng(0).choice(np.asarray(values), (2000, len(values)))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    return f"{np.median(values):.3f} [{low:.3f}, {high:.3f}]"


def committee_of(networks: list[DynaProt]) -> Committee:
    """Networks of one architecture as one."""
    committee = Committee(replace(networks[0].architecture, members=len(networks)))
    for member, network in zip(committee.members, networks, strict=True):
        member.load_state_dict(network.state_dict())
    return committee.eval()


def main() -> None:
    """Read the command line, train, print the out-of-fold figures, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with md_ensembles.npz and its companions")
    parser.add_argument("--output", type=Path, help="weights to write; nothing is kept without it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--architecture", type=json.loads, default={}, help="JSON of changes to the architecture")
    for option in fields(Recipe):
        if option.name != "architecture":
            default = getattr(Recipe(), option.name)
            parser.add_argument(f"--{option.name.replace('_', '-')}", type=type(default), default=default)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = {o.name: getattr(arguments, o.name) for o in fields(Recipe) if o.name != "architecture"}
    recipe = Recipe(architecture=replace(Recipe().architecture, **arguments.architecture), **chosen)

    data = load_data(arguments.data, recipe.crystals)
    folds = cross_validate(data, recipe, arguments.seed)
    committee = committee_of([fold.network for fold in folds])
    untrained = DynaProt(recipe.architecture)
    held_out = [example for fold in folds for example in fold.held_out]
    rows = [row for fold in folds for row in evaluate(fold.network, fold.held_out)]
    tables = {"out of fold": (rows, committee), "parameter-free": (evaluate(untrained, held_out), untrained)}
    figures = {
        name: {metric: interval([row[metric] for row in table]) for metric in table[0]}
        | {"atlas_rmsf_r": interval(atlas_rmsf_r(network, data.atlas))}
        for name, (table, network) in tables.items()
    }
    print(json.dumps(figures, indent=2))
    if arguments.output is not None:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
        save_weights(
            arguments.output,
            committee.architecture,
            {name: tensor.numpy() for name, tensor in committee.state_dict().items()},
            {
                "name": "DynaProt learned elastic network",
                "data": "MD ensembles (AE-PocketMiner, MIT), crystallographic displacements and sets of conformers "
                "(wwPDB entries, CC0); RMSF of ATLAS for validation only",
                "split": f"{recipe.folds} folds by 30 % sequence cluster; each member never saw its own fold",
                "recipe": asdict(recipe),
                "seed": arguments.seed,
                "commit": commit.stdout.strip(),
                "validation": figures["out of fold"],
                "validation_of_parameter_free_network": figures["parameter-free"],
                "proteins": f"{len(held_out)} MD systems out of fold, {len(data.atlas)} ATLAS chains by the committee",
            },
        )


if __name__ == "__main__":
    main()

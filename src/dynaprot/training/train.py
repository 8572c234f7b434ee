"""Train the learned elastic network on MD ensembles and write weights that `dynaprot.predict` reads.

    python -m dynaprot.training.train --data ../shared/data --output weights/dynaprot-default.safetensors

About ten minutes on one CPU core. Proteins are split by sequence cluster; the weights of the epoch that is best on the
held-out clusters are kept (the mean of late weights would do as well). The network starts exactly at the parameter-free
elastic network and can only be trained away from it.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..network.anm import ISOTROPIC, parameter_free_stiffness
from ..network.architecture import Architecture
from ..network.backend import tensors
from ..network.elastic import elastic_covariance, trace_coupling
from ..network.features import featurise
from ..network.model import DynaProt
from ..network.weights import save_weights
from ..structure.protein import Structure
from .labels import Labels, labels_of, read_ensembles
from .metrics import compare, pearson

FLOPPY = ("nsp8", "nsp14", "ApoE")
"""Systems that leave the harmonic regime altogether; one Gaussian does not describe them."""
MOST_PER_CLUSTER = 3
MOST_RESIDUES = 420
FEWEST_FRAMES = 45


@dataclass
class Example:
    """One protein, ready for the network."""

    structure: Structure
    inputs: tuple[Tensor, ...]
    positions: Tensor
    base: Tensor
    labels: Labels
    log_marginals: Tensor
    log_size: Tensor
    coupling: Tensor
    cluster: int
    frames: int


def inputs_of(structure: Structure) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """The network's arguments, C-alpha positions and parameter-free stiffness of a structure."""
    features = featurise(structure)
    i, j = features.pairs
    base = parameter_free_stiffness(np.linalg.norm(structure.ca[i] - structure.ca[j], axis=1))
    return tensors(features), torch.from_numpy(structure.ca), torch.from_numpy(base)


def matrix_log(matrices: Tensor) -> Tensor:
    """Symmetric logarithm of a stack of SPD matrices."""
    values, vectors = torch.linalg.eigh(matrices)
    return (vectors * values.clamp(min=1e-6).log()[..., None, :]) @ vectors.transpose(-1, -2)


def load_examples(path: Path) -> list[Example]:
    """MD systems fit for training: few per cluster, of moderate size, with enough frames."""
    examples: list[Example] = []
    seen: dict[int, int] = {}
    for system in read_ensembles(path):
        structure = system.structure
        if (
            len(system.frames) < FEWEST_FRAMES
            or len(structure) > MOST_RESIDUES
            or seen.get(system.cluster, 0) >= MOST_PER_CLUSTER
            or any(name in structure.name for name in FLOPPY)
        ):
            continue
        seen[system.cluster] = seen.get(system.cluster, 0) + 1
        labels = labels_of(system.frames, structure.ca)
        marginals = torch.from_numpy(labels.marginals)
        inputs, positions, base = inputs_of(structure)
        examples.append(
            Example(
                structure,
                inputs,
                positions,
                base,
                labels,
                matrix_log(marginals),
                0.5 * marginals.diagonal(dim1=1, dim2=2).sum(-1).log(),
                torch.from_numpy(labels.coupling),
                system.cluster,
                len(system.frames),
            )
        )
    return examples


def forward(network: DynaProt, inputs: tuple[Tensor, ...], positions: Tensor, base: Tensor) -> tuple[Tensor, Tensor]:
    """Marginals (N, 3, 3) and coupling (N, N) of one protein, differentiable."""
    heads = network(*inputs)
    stiffness = heads.springs.double().exp() * base[:, None]
    covariance = elastic_covariance(positions, inputs[5], stiffness[:, 0], ISOTROPIC * stiffness[:, 1])
    if heads.congruence is not None:
        rotations = inputs[1][0].double()
        congruence = rotations @ heads.congruence[0].double() @ rotations.transpose(1, 2)
        covariance = torch.einsum("iab,ibjc,jdc->iajd", congruence, covariance, congruence)
    return torch.einsum("iaib->iab", covariance), trace_coupling(covariance)


def loss_of(marginals: Tensor, coupling: Tensor, example: Example) -> Tensor:
    """Log-Euclidean distance of marginals, coupling (mostly of near pairs), and RMSF within and between proteins."""
    log_euclidean = ((matrix_log(marginals) - example.log_marginals) ** 2).sum((1, 2)).clamp(min=1e-9).sqrt().mean()
    i, j = torch.triu_indices(len(coupling), len(coupling), 1)
    weight = (j - i <= 50).double() + 0.3
    pairs = (weight * (coupling[i, j] - example.coupling[i, j]) ** 2).sum() / weight.sum()
    size = 0.5 * marginals.diagonal(dim1=1, dim2=2).sum(-1).log() - example.log_size
    return log_euclidean + 3.0 * pairs + ((size - size.mean()) ** 2).mean() + 0.3 * size.mean() ** 2


@torch.no_grad()
def evaluate(network: DynaProt, examples: list[Example]) -> dict[str, float]:
    """Median of each metric over proteins."""
    network.eval()
    rows = []
    for example in examples:
        marginals, coupling = forward(network, example.inputs, example.positions, example.base)
        rows.append(compare(marginals.numpy(), coupling.numpy(), example.labels))
    network.train()
    return {name: float(np.median([row[name] for row in rows])) for name in rows[0]}


Atlas = list[tuple[tuple[Tensor, ...], Tensor, Tensor, NDArray]]


def load_atlas(path: Path) -> Atlas:
    """ATLAS chains with their RMSF: validation only, never trained on."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    chains = []
    for k in range(len(arrays["name"])):
        rows = slice(arrays["offset"][k], arrays["offset"][k + 1])
        structure = Structure.from_arrays(
            arrays["N"][rows], arrays["CA"][rows], arrays["C"][rows], str(arrays["seq"][k])
        )
        chains.append((*inputs_of(structure), arrays["rmsf_A"][rows]))
    return chains


@torch.no_grad()
def atlas_rmsf_r(network: DynaProt, chains: Atlas) -> float:
    """Median Pearson of RMSF over ATLAS chains."""
    network.eval()
    correlations = []
    for inputs, positions, base, truth in chains:
        rmsf = forward(network, inputs, positions, base)[0].diagonal(dim1=1, dim2=2).sum(-1).sqrt().numpy()
        known = np.isfinite(truth)
        correlations.append(pearson(rmsf[known], truth[known]))
    network.train()
    return float(np.median(correlations))


def train(arguments: argparse.Namespace) -> None:
    """Run the training described at the top of this file."""
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    generator = np.random.default_rng(arguments.seed)
    examples = load_examples(arguments.data / "md_ensembles.npz")
    clusters = np.random.default_rng(arguments.split).permutation(sorted({e.cluster for e in examples}))
    held_out = set(clusters[: arguments.held_out].tolist())
    training = [e for e in examples if e.cluster not in held_out]
    validation = [e for e in examples if e.cluster in held_out]
    atlas = load_atlas(arguments.data / "atlas_rmsf.npz")
    architecture = Architecture(**json.loads(arguments.architecture))
    network = DynaProt(architecture)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.rate, weight_decay=arguments.decay)
    total, step, start, best = arguments.epochs * len(training), 0, time.time(), np.inf

    def report(label: str, model: DynaProt) -> dict[str, float]:
        figures = evaluate(model, validation) | {"atlas_rmsf_r": atlas_rmsf_r(model, atlas)}
        figures = {name: round(value, 4) for name, value in figures.items()}
        print(f"{label} {time.time() - start:.0f} s", figures, flush=True)
        return figures

    print(
        f"{len(training)} proteins to train on, {len(validation)} of {len(held_out)} held-out clusters,",
        f"{sum(p.numel() for p in network.parameters())} parameters",
    )
    baseline = report("parameter-free", network)
    for epoch in range(1, arguments.epochs + 1):
        running = 0.0
        for k in generator.permutation(len(training)):
            for group in optimiser.param_groups:
                warm_up, progress = min(1.0, (step + 1) / 50), step / total
                group["lr"] = arguments.rate * warm_up * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * progress)))
            example = training[k]
            optimiser.zero_grad()
            loss = loss_of(*forward(network, example.inputs, example.positions, example.base), example)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            step += 1
            running += float(loss.detach())
            with torch.no_grad():
                for kept, current in zip(average.parameters(), network.parameters(), strict=True):
                    kept.lerp_(current, max(1 / step, 1 / 200))
        figures = report(f"epoch {epoch} loss {running / len(training):.3f}", average)
        score = figures["symmetric_kl"] - 2 * figures["rmsf_r"] - 2 * figures["atlas_rmsf_r"] - figures["shape"]
        if score < best and arguments.output is not None:
            best = score
            commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
            save_weights(
                arguments.output,
                architecture,
                {name: tensor.numpy() for name, tensor in average.state_dict().items()},
                {
                    "name": "DynaProt learned elastic network",
                    "data": "md_ensembles.npz (AE-PocketMiner MD, MIT); ATLAS RMSF for validation only",
                    "split": f"by 30 % sequence cluster; held out: {sorted(held_out)}",
                    "training": {k: v for k, v in vars(arguments).items() if isinstance(v, int | float | str)},
                    "epoch": epoch,
                    "commit": commit.stdout.strip(),
                    "validation": figures,
                    "validation_of_parameter_free_network": baseline,
                },
            )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with md_ensembles.npz and atlas_rmsf.npz")
    parser.add_argument("--output", type=Path, help="weights to write; nothing is kept without it")
    parser.add_argument("--architecture", default=json.dumps(DEFAULT), help="JSON of `Architecture`")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=1e-3)
    parser.add_argument("--held-out", type=int, default=10, help="clusters kept for validation")
    parser.add_argument("--split", type=int, default=0, help="seed of the split")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    train(parser.parse_args())


DEFAULT = {
    "dimension": 64,
    "layers": 2,
    "heads": 4,
    "residual": True,
    "environment": True,
    "final_norm": True,
    "springs": True,
}

if __name__ == "__main__":
    main()

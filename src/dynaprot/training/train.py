"""Train networks by a configuration and write weights that `dynaprot.predict` reads.

    one CPU           dynaprot train default -o out/default
    one GPU           dynaprot train paper-m -o out/m
    eight GPUs        torchrun --no-python --nproc-per-node 8 dynaprot train paper-m -o out/m
    two such nodes    torchrun --no-python --nproc-per-node 8 --nnodes 2 --rdzv-backend c10d \
                          --rdzv-endpoint HOST:29400 dynaprot train paper-m -o out/m       # on each, HOST being one

A configuration is a TOML file or the name of one in `configs/`. After a kill the same command with ``--resume`` gives
exactly what the uninterrupted run would have given, from a folder that the nodes share.

Proteins are assigned to folds by sequence cluster. Each fold is held out from one member of a committee, which then
validates on it: so every protein is predicted by a network that never saw it or its relatives, while the committee as a
whole has seen all. Or a split of `dynaprot prepare` decides what is trained on.

A step is a list of proteins with weights, drawn from the seed and the number of its epoch alone. The processes share
the list and sum their gradients.
"""

from __future__ import annotations

import csv
import json
import math
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..datasets.distillation import TEACHER_SEQUENCES
from ..datasets.labels import Cluster
from ..datasets.training_sequences import TrainingSequences, sequences_path
from ..errors import TrainingDataError
from ..metrics.residues import METRICS, compare, pearson
from ..metrics.statistics import bootstrap, percentile
from ..network.torch_network import Committee, DynaProt
from ..network.weights import save_weights
from ..storage import replacing
from .augmentation import augmented
from .checkpoint import TrainingState
from .configuration import Configuration, TrainingSource
from .examples import Example, ValidationChain
from .folds import Data, Fold, assign_folds, load_data
from .losses import LOSSES, crystal_loss
from .moments import Moments, predict_moments
from .processes import Processes, joined_processes
from .trials import append_trial

__all__ = ["Member", "Task", "passes", "plan_epoch", "train", "train_members", "validate", "validate_on_chains"]

BUCKET = 16
"""Batches whose proteins are sorted by length before they are divided: little padding, and still much chance."""


PADDED = 1.4
"""Longest over shortest protein of a padded forward pass."""


@dataclass
class Member:
    """A trained network, its fold, and its metrics on what was held out, one row for each protein."""

    network: DynaProt
    fold: Fold
    metrics: list[dict[str, float]]


@dataclass(frozen=True)
class Task:
    """A protein of a step, and the weight of its loss."""

    example: Example
    weight: float


def plan_epoch(fold: Fold, configuration: Configuration, seed: Sequence[int], epoch: int) -> list[list[Task]]:
    """The steps of an epoch: the same for the same seed, on every process and after every restart."""
    generator = np.random.default_rng([*seed, epoch])
    tasks: list[Task] = []
    beside: list[tuple[TrainingSource, list[Example]]] = []
    for source, group in zip(configuration.source, fold.training, strict=True):
        if source.probability < 1.0:
            beside += [(source, group)] if group else []
            continue
        chosen = _few_of_each_cluster(group, configuration.per_cluster, generator)
        tasks += [Task(example, source.weight * example.trust) for example in chosen]
    tasks = [tasks[k] for k in generator.permutation(len(tasks))]
    leading_groups = zip(configuration.source, fold.training, strict=True)
    every = [example for source, group in leading_groups if source.probability == 1.0 for example in group]
    steps = _divided(tasks, every, configuration)
    steps = [steps[k] for k in generator.permutation(len(steps))]
    for step in steps:
        leading = len(step)
        for source, group in beside:
            if epoch < source.start * configuration.epochs:
                continue
            for _ in range(leading):
                if generator.random() < source.probability:
                    step.append(Task(group[generator.integers(len(group))], source.weight))
        # The loss of a step is a mean over its leading proteins.
        step[:] = [replace(task, weight=task.weight / leading) for task in step]
    return steps


def _divided(tasks: list[Task], every: list[Example], configuration: Configuration) -> list[list[Task]]:
    """Steps of a number of proteins, or of residues; those of a step are of similar length where it has several.

    Their number is the same in every epoch, although proteins are drawn from clusters: it follows from the number of
    tasks, and the mean size of all proteins that they are drawn from.
    """

    def residues(example: Example) -> int:
        return min(len(example), configuration.augmentation.crop or len(example))

    def size(task: Task) -> int:
        return residues(task.example)

    if configuration.batch_residues:
        expected = len(tasks) * sum(map(residues, every)) / len(every)
        steps = max(1, round(expected / configuration.batch_residues))
        window = -(-len(tasks) * BUCKET // steps)
    else:
        window = BUCKET * configuration.batch
    several = configuration.batch > 1 or configuration.batch_residues > 0
    ordered: list[Task] = []
    for start in range(0, len(tasks), window):
        bucket = tasks[start : start + window]
        ordered += sorted(bucket, key=size) if several else bucket
    if not configuration.batch_residues:
        return [ordered[k : k + configuration.batch] for k in range(0, len(ordered), configuration.batch)]
    ends = np.cumsum([size(task) for task in ordered])
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, steps) / steps)
    return [ordered[a:b] for a, b in zip([0, *cuts], [*cuts, len(ordered)], strict=True)]


def _few_of_each_cluster(group: list[Example], most: int, generator: np.random.Generator) -> list[Example]:
    if most == 0:
        return group
    clusters: dict[Cluster, list[Example]] = defaultdict(list)
    for example in group:
        clusters[example.cluster].append(example)
    chosen = []
    for members in clusters.values():
        trust = np.array([example.trust for example in members])
        count = min(len(members), most)
        chosen += [members[k] for k in generator.choice(len(members), count, replace=False, p=trust / trust.sum())]
    return chosen


def learning_rate_at(step: int, steps: int, configuration: Configuration) -> float:
    """Learning rate: a linear rise, then half a cosine down to a fiftieth."""
    rise = min(1.0, (step + 1) / max(configuration.warm_up, 1))
    return configuration.learning_rate * rise * (0.51 + 0.49 * math.cos(math.pi * step / steps))


def take_step(
    state: TrainingState,
    tasks: Sequence[Task],
    learning_rate: float,
    configuration: Configuration,
    seed: Sequence[int],
    processes: Processes,
) -> float:
    """One step of the optimiser on some proteins; returns the loss before it."""
    parameters = list(state.network.parameters())
    for parameter in parameters:
        # Zeros, not None: a process without a share of this step adds nothing, and AdamW treats all parameters alike.
        parameter.grad = torch.zeros_like(parameter)
    total = torch.zeros((), dtype=torch.float64, device=processes.device)
    state.network.train()
    mine = list(processes.share(list(enumerate(tasks))))
    for together in passes(mine, configuration):
        batch = []
        for number, task in together:
            generator = np.random.default_rng([*seed, state.step, number])
            batch.append((augmented(task.example, configuration.augmentation, generator), task.weight))
            torch.manual_seed(int(generator.integers(2**62)))  # for dropout
        inputs = [example.input.to(processes.device) for example, _ in batch]
        loss = total.new_zeros(())
        try:
            moments = predict_moments(state.network, inputs, configuration.precision)
            for (example, weight), prediction in zip(batch, moments, strict=True):
                loss = loss + weight * loss_on(example.to(processes.device), prediction, configuration)
            loss.backward()
        except torch.linalg.LinAlgError:  # raised for matrices that are not finite
            loss = total.new_tensor(math.nan)
        total += loss.detach()
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    processes.all_reduce([total, *gradients])
    if not total.isfinite():
        proteins = ", ".join(task.example.structure.name for task in tasks)
        raise TrainingDataError(
            f"The loss is not a number (NaN) in step {state.step + 1}, with {proteins}; check these proteins, or lower "
            "learning_rate."
        )
    nn.utils.clip_grad_norm_(parameters, configuration.grad_clip)
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate
    state.optimiser.step()
    state.step += 1
    with torch.no_grad():
        for kept, current in zip(state.average.parameters(), parameters, strict=True):
            kept.lerp_(current, max(1.0 / state.step, 1.0 / configuration.ema_steps))
    return float(total)


def passes(tasks: list[tuple[int, Task]], configuration: Configuration) -> Iterator[list[tuple[int, Task]]]:
    """Numbered tasks that share a forward pass, padded to the longest of them.

    Each has its own where it fills the memory by itself: springs and pair heads cost N^3.
    """
    architecture = configuration.architecture
    if architecture.prior or architecture.coupling == "pair":
        yield from ([task] for task in tasks)
        return
    together: list[tuple[int, Task]] = []
    for number, task in sorted(tasks, key=lambda each: len(each[1].example)):
        if together and len(task.example) > PADDED * len(together[0][1].example):
            yield together
            together = []
        together.append((number, task))
    if together:
        yield together


def loss_on(example: Example, prediction: Moments, configuration: Configuration) -> Tensor:
    """Loss of one protein; a crystal is compared only in what it shows."""
    marginals, coupling, springs = prediction
    if example.coupling is None:
        return example.marginals.new_zeros(()) if marginals is None else crystal_loss(marginals, example)
    loss = LOSSES[configuration.losses](marginals, coupling, example)
    return loss if springs is None else loss + configuration.shrinkage * (springs**2).mean()


def train_member(
    fold: Fold,
    configuration: Configuration,
    number: int,
    folder: Path,
    processes: Processes,
    resume: bool,
    report: Callable[[str], None],
    after_step: Callable[[TrainingState], None],
) -> DynaProt:
    """Train one network; the same seed gives the same weights, interrupted or not."""
    seed = (configuration.seed, number)
    path = folder / f"member-{number}.safetensors"
    state = TrainingState.new(configuration, configuration.seed * 100 + number, processes.device)
    if resume and path.exists():
        state.load(path, configuration)
    length = len(plan_epoch(fold, configuration, seed, 0))
    steps = configuration.epochs * length
    start = time.perf_counter()

    def stopped() -> bool:
        return bool(configuration.patience) and state.stale >= configuration.patience

    with _tensorboard(configuration, folder, number, state.step, processes) as write_scalar:
        while state.step < steps and not stopped():
            epoch, position = divmod(state.step, length)
            for tasks in plan_epoch(fold, configuration, seed, epoch)[position:]:
                learning_rate = learning_rate_at(state.step, steps, configuration)
                loss = take_step(state, tasks, learning_rate, configuration, seed, processes)
                state.loss_of_epoch += loss
                write_scalar("training/loss", loss, state.step)
                write_scalar("training/learning_rate", learning_rate, state.step)
                ended = state.step % length == 0
                if ended:
                    every = configuration.validate_every
                    validates = bool(every) and (epoch + 1) % every == 0
                    row = _end_epoch(state, fold if validates else None, configuration, length, processes)
                    for name, value in row.items():
                        write_scalar(f"held out/{name}", value, state.step)
                    if processes.first:
                        report(
                            f"network {number + 1} of {configuration.members}, epoch {epoch + 1} of "
                            f"{configuration.epochs}, {time.perf_counter() - start:.0f} s: "
                            + ", ".join(f"{name} {value:.3f}" for name, value in row.items())
                        )
                if processes.first and (ended or state.step % configuration.checkpoint == 0):
                    state.save(path, configuration)
                    _write_history(folder / f"member-{number}.csv", state.history)
                after_step(state)
    processes.wait()
    return state.best if configuration.patience else state.average


def _end_epoch(
    state: TrainingState, fold: Fold | None, configuration: Configuration, length: int, processes: Processes
) -> dict[str, float]:
    """Validate the running mean of the weights on a fold, if there is one, and keep it if it is the best so far."""
    row = {"training_loss": state.loss_of_epoch / length}
    if fold is not None:
        row |= _medians(validate(state.average, fold.held_out, configuration, processes))
    state.loss_of_epoch = 0.0
    state.history.append({"step": state.step} | row)
    if fold is None:
        return row
    loss = row.get("loss", math.nan)
    state.stale += 1
    if loss < state.lowest:
        state.lowest, state.stale = loss, 0
        state.best.load_state_dict(state.average.state_dict())
    return row


@contextmanager
def _tensorboard(
    configuration: Configuration, folder: Path, number: int, step: int, processes: Processes
) -> Iterator[Callable[[str, float, int], Any]]:
    """A function of the name, value and step of a curve, which writes for TensorBoard, or does nothing."""
    if not (configuration.tensorboard and processes.first):
        yield lambda name, value, step: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingDataError(
            "tensorboard = true needs TensorBoard: pip install dynaprot[train], or leave it out."
        ) from error
    with SummaryWriter(folder / "tensorboard" / f"member-{number}", purge_step=step) as writer:
        yield writer.add_scalar


def _write_history(path: Path, history: list[dict[str, float]]) -> None:
    with replacing(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in history for name in row)) or ["step"])
        writer.writeheader()
        writer.writerows(history)


@torch.no_grad()
def validate(
    network: nn.Module, examples: Sequence[Example], configuration: Configuration, processes: Processes
) -> list[dict[str, float]]:
    """Loss and metrics of each protein, those that the network predicts."""
    network.eval()
    names = ("loss", *METRICS)
    table = torch.zeros(len(examples), len(names), dtype=torch.float64, device=processes.device)
    for k in processes.share(range(len(examples))):
        example = examples[k]
        prediction = predict_moments(network, [example.input.to(processes.device)])[0]
        metrics = compare(_array(prediction.marginals), _array(prediction.coupling), example.labels)
        metrics["loss"] = float(loss_on(example.to(processes.device), prediction, configuration))
        table[k] = torch.tensor([metrics.get(name, math.nan) for name in names], dtype=torch.float64)
    processes.all_reduce([table])
    known = ~table.isnan().all(dim=0).cpu().numpy()
    return [{name: row[k] for k, name in enumerate(names) if known[k]} for row in table.tolist()]


def _array(tensor: Tensor | None) -> NDArray[np.floating] | None:
    return None if tensor is None else tensor.cpu().numpy()


@torch.no_grad()
def validate_on_chains(network: nn.Module, chains: list[ValidationChain], device: torch.device) -> list[float]:
    """Pearson correlation of the RMSF of each chain; an empty list for a network without marginals."""
    network.eval()
    correlations = []
    for each in chains:
        marginals = predict_moments(network, [each.input.to(device)])[0].marginals
        if marginals is None:
            return []
        rmsf = marginals.diagonal(dim1=1, dim2=2).sum(-1).sqrt().cpu().numpy()
        known = np.isfinite(each.chain.rmsf)
        correlations.append(pearson(rmsf[known], each.chain.rmsf[known]))
    return correlations


def _medians(rows: list[dict[str, float]]) -> dict[str, float]:
    """Median of each metric over proteins."""
    return {name: round(float(np.median([row[name] for row in rows])), 4) for name in (rows[0] if rows else {})}


def committee_of(networks: list[DynaProt]) -> DynaProt | Committee:
    """Networks of one architecture as one network."""
    if len(networks) == 1:
        return networks[0]
    committee = Committee(replace(networks[0].architecture, members=len(networks)))
    for member, network in zip(committee.members, networks, strict=True):
        member.load_state_dict(network.state_dict())
    return committee.eval()


def train_members(
    data: Data,
    configuration: Configuration,
    folder: Path,
    processes: Processes,
    *,
    resume: bool = False,
    report: Callable[[str], None] = print,
    after_step: Callable[[TrainingState], None] = lambda state: None,
) -> list[Member]:
    """Train every network of a configuration and validate each on what was held out from it."""
    members = []
    for number, fold in enumerate(assign_folds(data, configuration)):
        network = train_member(fold, configuration, number, folder, processes, resume, report, after_step)
        members.append(Member(network, fold, validate(network, fold.held_out, configuration, processes)))
    return members


def train(
    configuration: Configuration,
    folder: Path,
    *,
    name: str = "trained",
    resume: bool = False,
    device: str = "auto",
    trials: Path | None = None,
    report: Callable[[str], None] = print,
    after_step: Callable[[TrainingState], None] = lambda state: None,
) -> Path:
    """Train by a configuration and write weights with their metrics.

    Parameters
    ----------
    configuration : Configuration
    folder : Path
        Folder of weights, checkpoints, and a CSV of the metrics of each epoch; made if need be.
    name : str
        The weights are ``<name>.safetensors``, with the sequences that they were trained on as
        ``<name>.training.fasta.gz``.
    resume : bool
        Go on from the checkpoints of the folder.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    trials : Path, optional
        CSV file to which a row about this training is appended; see `trials`.
    report : callable
        Called with a line for each epoch.
    after_step : callable
        Called with the state after each step.

    Returns
    -------
    Path
        Path of the weights.

    Raises
    ------
    TrainingDataError
        If the data are missing or cannot be used, or the folder holds another training.
    """
    if not resume and any(folder.glob("member-*.safetensors")):
        raise TrainingDataError(f"{folder}: holds a training already; go on with --resume, or name another folder.")
    with joined_processes(device) as processes:
        folder.mkdir(parents=True, exist_ok=True)
        data = load_data(configuration)
        members = train_members(
            data, configuration, folder, processes, resume=resume, report=report, after_step=after_step
        )
        path = folder / f"{name}.safetensors"
        sequences = _sequences(members, configuration)
        metadata = _describe(data, configuration, members, sequences, name, processes)
        if processes.first:
            report(json.dumps(metadata["validation"], indent=2))
            network = committee_of([member.network for member in members])
            kept = torch.float16 if configuration.half else torch.float32
            tensors = {name: tensor.detach().cpu().to(kept).numpy() for name, tensor in network.state_dict().items()}
            save_weights(path, network.architecture, tensors, metadata)
            sequences.save(sequences_path(path))
            report(f"  {path}")
            if trials is not None:
                steps = sum(len(plan_epoch(member.fold, configuration, (0,), 0)) for member in members)
                count = sum(tensor.size for tensor in tensors.values())
                append_trial(trials, configuration, metadata, count, steps * configuration.epochs)
        processes.wait()
    return path


def _sequences(members: list[Member], configuration: Configuration) -> TrainingSequences:
    """Of all whose motion was measured, by simulation or experiment, and that the networks or their teachers saw."""
    sequences = TrainingSequences.of(
        (example.structure, example.cluster, number)
        for number, member in enumerate(members)
        for group in member.fold.training
        for example in group
        if not example.taught
    )
    for source in configuration.source:
        known = Path(configuration.data) / source.path / TEACHER_SEQUENCES
        if known.exists():
            of_teacher = TrainingSequences.load(known)
            for number in range(len(members)):
                sequences |= of_teacher.of_one_member(number)
    return sequences


def _describe(
    data: Data,
    configuration: Configuration,
    members: list[Member],
    sequences: TrainingSequences,
    name: str,
    processes: Processes,
) -> dict[str, Any]:
    """The description in the header of the weights."""
    device = processes.device
    network = committee_of([member.network for member in members]).to(device)
    held_out = [example for member in members for example in member.fold.held_out]
    clusters = [example.cluster for example in held_out]
    chain_clusters = [each.chain.cluster for each in data.validation]
    metrics = _intervals([row for member in members for row in member.metrics], clusters)
    correlations = validate_on_chains(network, data.validation, device)
    metrics |= _intervals([{"atlas_rmsf_r": value} for value in correlations], chain_clusters)
    trained = {record.cluster for record in sequences.records}
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    description: dict[str, Any] = {
        "name": name,
        "data": configuration.about,
        "configuration": asdict(configuration),
        "trained_clusters": sorted((int(name) if name.isdigit() else name for name in trained), key=str),
        "held_out_clusters": [member.fold.clusters for member in members],
        "commit": commit.stdout.strip(),
        "validation": metrics,
        "proteins": f"{len(held_out)} held out, each predicted by a network that never saw its cluster; "
        f"{len(correlations)} chains of {configuration.rmsf_archive or 'no archive'}, predicted by all together",
    }
    if configuration.architecture.prior:
        # Before training, such a network is the elastic network without parameters.
        untrained = DynaProt(configuration.architecture).to(device)
        bare = _intervals(validate(untrained, held_out, configuration, processes), clusters)
        correlations = validate_on_chains(untrained, data.validation, device)
        bare |= _intervals([{"atlas_rmsf_r": value} for value in correlations], chain_clusters)
        description["validation_of_parameter_free_network"] = bare
    return description


def _intervals(rows: Sequence[dict[str, float]], clusters: Sequence[Cluster]) -> dict[str, str]:
    """Median of each metric over proteins, with the 95 % interval over their sequence clusters."""
    return {
        name: bootstrap(percentile(np.array([row[name] for row in rows]), 50.0), clusters).text()
        for name in (rows[0] if rows else {})
    }

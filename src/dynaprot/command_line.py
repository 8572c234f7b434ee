"""The `dynaprot` command: a thin wrapper over the library, with one function for each command.

Each function imports what it needs, so that no command waits for the imports of another.
"""

from __future__ import annotations

import gc
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from . import __version__
from .defaults import CONFORMATIONS, DEVICE, FIGURES, MODEL, PROBABILITY, SEED, SUPERPOSITION
from .errors import DynaProtError, OutputError, TrainingDataError

if TYPE_CHECKING:
    from .dynamics import Dynamics

__all__ = ["app", "main"]

app = typer.Typer(
    help="How a protein moves, from one static structure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


class EnsembleFormat(StrEnum):
    """File formats of an ensemble."""

    pdb = "pdb"
    dcd = "dcd"
    xtc = "xtc"


class SplitName(StrEnum):
    """Ways to divide prepared proteins into training, validation and test."""

    clusters = "clusters"
    alphaflow = "alphaflow"
    flexpert = "flexpert"


StructureFile = Annotated[
    str, typer.Argument(help="PDB or mmCIF file, plain or gzipped, or pdb:ID to download an entry.")
]
ResultFile = Annotated[Path, typer.Argument(help="A dynamics.npz that `dynaprot predict` wrote.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="Folder for the results; it is made if it does not exist.")
]
Seed = Annotated[int, typer.Option(help="Seed of the random numbers; the same seed gives the same conformations.")]
Format = Annotated[EnsembleFormat, typer.Option("--format", help="File format of the ensemble.")]
Restore = Annotated[
    bool,
    typer.Option(
        "--restore/--raw", help="Restore C-alpha geometry (bonded distances, no clashes), or keep samples as drawn."
    ),
]
AllAtoms = Annotated[
    bool,
    typer.Option(
        "--all-atoms", help="Write all heavy atoms, moved with their residue as a rigid body: for display only."
    ),
]


@app.command("predict")
def predict_command(
    structure_file: StructureFile,
    output: Output = Path("out"),
    chains: Annotated[
        str | None, typer.Option(help="Chains to keep, such as A,B. All protein chains by default.")
    ] = None,
    residues: Annotated[
        str | None, typer.Option(help="Residues to predict, cut out of the rest, such as A:10-80,B. All by default.")
    ] = None,
    structure_model: Annotated[int, typer.Option(help="Model of the file, counted from 0.")] = 0,
    model: Annotated[
        str, typer.Option("--model", "-m", help="default, anm, anm-cutoff, a weights file, or two as M+J.")
    ] = MODEL,
    device: Annotated[str, typer.Option(help="auto, cpu, or a PyTorch device such as cuda.")] = DEVICE,
    superpose: Annotated[
        str,
        typer.Option(
            help="Residues that motion is seen from: all, core, a part such as A:1-120,B, or auto: all but loose ones."
        ),
    ] = SUPERPOSITION,
    samples: Annotated[int, typer.Option(min=0, help="Number of conformations to draw; 0 for none.")] = 0,
    seed: Seed = SEED,
    ensemble_format: Format = EnsembleFormat.pdb,
    restore: Restore = True,
    all_atoms: AllAtoms = False,
    pictures: Annotated[bool, typer.Option(help="Draw the three figures.")] = True,
) -> None:
    """Predict how a structure moves, and write the result, a table, structure files and figures."""
    from .prediction import predict
    from .structure.files import load_structure
    from .structure.selection import cut_out, select

    structure = load_structure(structure_file, chains, structure_model)
    if residues:
        structure = cut_out(structure, select(structure, residues))
    _say("[yellow]Note:[/]", structure.notices)
    _make_folder(output)
    start = time.perf_counter()
    dynamics = predict(structure, model, device).superposed(superpose)
    rmsf = dynamics.rmsf
    seconds = time.perf_counter() - start
    _say("[bold red]Warning:[/]", dynamics.notices[len(structure.notices) :])
    chain_names = list(dict.fromkeys(chain or "(blank)" for chain in structure.chain_ids))
    console.print(
        f"{structure.name}: {len(structure)} residues in chain {', '.join(chain_names)}; "
        f"RMSF {rmsf.min():.2f} to {rmsf.max():.2f} Å, mean {rmsf.mean():.2f} Å; {dynamics.model}, {seconds:.2f} s"
    )
    written = _write_results(dynamics, output)
    if samples:
        written += _write_samples(dynamics, samples, seed, output, ensemble_format, restore, all_atoms)
    if pictures:
        written += _draw(dynamics, output)
    _name(written)


@app.command("sample")
def sample_command(
    result: ResultFile,
    output: Output = Path("out"),
    samples: Annotated[int, typer.Option("--samples", "-n", min=1, help="Number of conformations.")] = CONFORMATIONS,
    seed: Seed = SEED,
    ensemble_format: Format = EnsembleFormat.pdb,
    restore: Restore = True,
    all_atoms: AllAtoms = False,
) -> None:
    """Draw conformations from a prediction."""
    from .dynamics import Dynamics

    dynamics = Dynamics.load(result)
    _make_folder(output)
    _name(_write_samples(dynamics, samples, seed, output, ensemble_format, restore, all_atoms))


@app.command("plot")
def plot_command(
    result: ResultFile,
    output: Output = Path("out"),
    probability: Annotated[
        float, typer.Option(help="Share of the time that a C-alpha is inside its ellipsoid.")
    ] = PROBABILITY,
) -> None:
    """Draw the figures of a prediction: RMSF along the chain, coupling (DCCM), ellipsoids."""
    from .dynamics import Dynamics

    dynamics = Dynamics.load(result)
    _make_folder(output)
    _name(_draw(dynamics, output, probability))


@app.command("evaluate")
def evaluate_command(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Simulations as for prepare: ATLAS, mdCATH, models; or a folder with md_ensembles.npz and the like."
        ),
    ] = None,
    model: Annotated[
        list[str],
        typer.Option("--model", "-m", help="Model or weights file, or two as M+J; can be given several times."),
    ] = ["default"],  # noqa: B006 - typer's way of a default
    output: Output = Path("out/evaluation"),
    clusters: Annotated[
        str, typer.Option(help="Only simulated proteins of these sequence clusters, such as 12,34.")
    ] = "",
    held_out_of: Annotated[
        Path | None, typer.Option(help="Only simulated proteins of the clusters held out from these weights.")
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="Only simulated proteins of the test set of this split.json.")
    ] = None,
    topology: Annotated[
        Path | None, typer.Option(help="Structure file of the molecule, where the data are one trajectory.")
    ] = None,
    temperature: Annotated[int, typer.Option(help="Temperature of the mdCATH simulations, K.")] = 320,
    everything: Annotated[bool, typer.Option("--all", help="Count short and inconsistent simulations too.")] = False,
    samples: Annotated[int, typer.Option(min=10, help="Number of conformations that each model draws.")] = 250,
    drawn: Annotated[
        int, typer.Option(min=0, help="Number of crystals, and of mdCATH domains, drawn from archives of them.")
    ] = 200,
    seed: Seed = SEED,
) -> None:
    """Evaluate models on simulated proteins beside the elastic networks, with tables, CSV and figures."""
    from tempfile import TemporaryDirectory

    from rich.progress import track

    from .datasets.splits import Split
    from .evaluation.clusters import chosen_clusters
    from .evaluation.contenders import contenders
    from .evaluation.files import write_report
    from .evaluation.proteins import DATA_NEEDED, read_proteins
    from .evaluation.report import Report
    from .evaluation.scores import evaluate

    if data is None:
        raise TrainingDataError(DATA_NEEDED)
    proteins = read_proteins(
        data,
        clusters=chosen_clusters(clusters, held_out_of),
        split=Split.load(split) if split else None,
        topology=topology,
        temperature=temperature,
        seed=seed,
    )
    _make_folder(output)
    with TemporaryDirectory() as folder:
        evaluated = contenders(model, Path(folder))
        scored = evaluate(
            proteins.systems, proteins.chains, evaluated, samples, seed, everything, proteins.draws, drawn
        )
        total = proteins.count + drawn * len(proteins.draws)
        scores = [
            score
            for found in track(scored, "Evaluating", total=total, console=errors, transient=True)
            for score in found
        ]
    if not scores:
        raise TrainingDataError(" ".join([f"{data}: there is no protein to evaluate on.", *proteins.unread]))
    report = Report(scores, evaluated, everything, proteins.unread)
    for table in report.for_terminal():
        console.print(table)
        console.print()
    _say("[yellow]Note:[/]", tuple(report.notes))
    _name(write_report(report, output))


@app.command("prepare")
def prepare_command(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Trajectories laid out as in ATLAS, its zips, mdCATH .h5, PDB, mmCIF, .npz archives, or folders."
        ),
    ],
    output: Output = Path("prepared"),
    topology: Annotated[
        Path | None,
        typer.Option(
            help="Structure file of the one molecule whose trajectories, in any common format, the sources are."
        ),
    ] = None,
    conformers: Annotated[
        bool, typer.Option("--conformers", help="Each source, a file or a folder, holds conformers of one protein.")
    ] = False,
    temperature: Annotated[int, typer.Option(help="Temperature of the mdCATH simulations, K.")] = 320,
    teacher: Annotated[
        str | None,
        typer.Option(help="Model whose predictions are the labels, for structures of whose motion nothing is known."),
    ] = None,
    varied: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="With --teacher: share of structures that get a gap or a tail, or are cut in two."
        ),
    ] = 0.0,
    licence: Annotated[str | None, typer.Option(help="Licence of the data, kept with every protein.")] = None,
    split: Annotated[
        SplitName, typer.Option(help="Split by sequence cluster, or a published split of ATLAS.")
    ] = SplitName.clusters,
    split_lists: Annotated[
        Path | None, typer.Option(help="Folder with the lists of a published split; AlphaFlow's are downloaded.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the split by clusters; the same seed gives the same split.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Number of processes; one for each processor by default.")
    ] = None,
) -> None:
    """Make labels for training from simulations, models, conformers and crystals: one file for each protein."""
    from rich.progress import track

    from .datasets.distillation import keep_sequences_of, taught
    from .datasets.prepare import prepare, split_prepared
    from .datasets.sources import find_sources, find_structures
    from .datasets.splits import published_split

    # Read first, so that an error comes before hours of work.
    published = None if split is SplitName.clusters else published_split(split.value, split_lists)
    if teacher:
        found = [taught(source, teacher, varied) for source in find_structures(sources, licence=licence)]
    else:
        found = find_sources(
            sources, topology=topology, conformers=conformers, temperature=temperature, licence=licence
        )
    _make_folder(output)
    if teacher:
        keep_sequences_of(teacher, output)
    outcomes = prepare(found, output, jobs=jobs)
    done = list(track(outcomes, "Preparing", total=len(found), console=errors, transient=True))
    for outcome in sorted(done, key=lambda outcome: (outcome.path is None, outcome.name)):
        kind = "[bold red]Failed:[/]" if outcome.path is None else "[yellow]Note:[/]"
        _say(kind, tuple(f"{outcome.name}: {message}" for message in outcome.messages))
    failed = sum(outcome.path is None for outcome in done)
    kept = sum(outcome.kept for outcome in done)
    console.print(
        f"{len(done) - failed - kept} proteins prepared, {kept} kept, {failed} failed, in {escape(str(output))}"
    )
    if failed == len(done):
        raise TrainingDataError("Nothing could be prepared.")
    try:
        made = published or split_prepared(output, seed)
    except TrainingDataError as error:
        _say("[yellow]Note:[/]", (f"No split was made. {error}",))
        return
    made.save(output / "split.json")
    counts = f"{len(made.train)} to train, {len(made.validation)} to validate, {len(made.test)} to test"
    console.print(f"Split by {made.name}: {counts}")


@app.command("train")
def train_command(
    configuration: Annotated[
        str,
        typer.Argument(help="TOML file, or a bundled configuration such as default, dynaprot or paper-m."),
    ],
    output: Output = Path("out/training"),
    data: Annotated[
        str | None, typer.Option(help="Folder of the data, in place of the one that the configuration names.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the checkpoints in the output folder.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    trials: Annotated[
        Path | None, typer.Option(help="CSV file to which a row about this training is appended.")
    ] = None,
) -> None:
    """Train networks and write weights; dynaprot/training/train.py says how to use several GPUs."""
    from dataclasses import replace

    try:
        from .training.configuration import read_configuration
        from .training.train import train
    except ModuleNotFoundError as error:
        raise TrainingDataError(f"Training needs more packages ({error}): pip install 'dynaprot[train]'.") from error
    read = read_configuration(configuration)
    if data is not None:
        read = replace(read, data=data)
    _make_folder(output)

    def report(line: str) -> None:
        console.print(escape(line))

    name = Path(configuration).stem
    train(read, output, name=name, resume=resume, device=device, trials=trials, report=report)


@app.command("info")
def info_command() -> None:
    """Show versions, weights and devices."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from rich.table import Table

    from .network.runtime import choose_device
    from .network.weights import LATEST, load_weights, shipped_weights
    from .prediction import ELASTIC_NETWORKS, parts

    table = Table(show_header=False, box=None)
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("DynaProt", __version__)
    table.add_row("Python", platform.python_version())
    for package in ("numpy", "gemmi", "torch"):
        try:
            table.add_row(package, version(package))
        except PackageNotFoundError:
            table.add_row(package, "not installed")
    device, reason = choose_device()
    runtime = "numpy on the CPU" if device == "cpu" else f"PyTorch on {device}"
    for name in LATEST:
        networks = parts(name)
        joined = ": the joint of the first, with the mean of both networks' marginals" if len(networks) > 1 else ""
        table.add_row(name, f"Stands for {' and '.join(networks)}{joined}.")
    for path in shipped_weights():
        weights = load_weights(path)
        runs_in = "PyTorch" if weights.architecture.coupling == "pair" else runtime
        table.add_row(path.stem, weights.architecture.describe())
        table.add_row("", f"{weights.parameters:,} parameters, in {runs_in}; {path}")
        for name, value in weights.metadata.get("validation", {}).items():
            table.add_row("", f"{name} {value}")
    for name, (_, description) in ELASTIC_NETWORKS.items():
        table.add_row(name, f"An {description}; no learned parameters, in numpy on the CPU.")
    table.add_row("networks run in", f"{runtime}: {reason}")
    console.print(table)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made or is not a folder ({error.strerror}).") from error


def _write_results(dynamics: Dynamics, output: Path) -> list[Path]:
    from .files.results import result_names, write_result

    paths = [output / name for name in result_names(dynamics.structure.name)]
    for path in paths:
        _say("[yellow]Note:[/]", write_result(dynamics, path))
    return paths


def _write_samples(
    dynamics: Dynamics,
    count: int,
    seed: int,
    output: Path,
    ensemble_format: EnsembleFormat,
    restore: bool,
    all_atoms: bool,
) -> list[Path]:
    from .analysis.ensembles import draw_ensemble
    from .files.trajectories import write_ensemble
    from .structure.rigid_residues import carry_atoms

    structure = dynamics.structure
    ensemble = draw_ensemble(dynamics, count, seed, restore)
    conformations = ensemble.conformations
    report = f"{count} conformations, {ensemble.unphysical_drawn:.0%} with a broken chain or a clash"
    if restore:
        report += f"; {ensemble.unphysical:.0%} once C-alpha geometry is restored, by {ensemble.displacement:.2f} Å"
    console.print(report)
    if all_atoms:
        if structure.atoms is None:
            raise OutputError(f"{structure.name}: only backbone atoms are known; leave out --all-atoms.")
        conformations = carry_atoms(structure, conformations, structure.atoms.positions, structure.atoms.residue)
    return list(write_ensemble(structure, conformations, output / f"ensemble.{ensemble_format.value}"))


def _draw(dynamics: Dynamics, output: Path, probability: float = PROBABILITY) -> list[Path]:
    from .figures.pictures import draw_coupling, draw_ellipsoids, draw_rmsf

    rmsf, coupling, ellipsoids = paths = [output / f"{name}.png" for name in FIGURES]
    draw_rmsf(dynamics, rmsf)
    draw_coupling(dynamics, coupling)
    draw_ellipsoids(dynamics, ellipsoids, probability)
    return paths


def _say(kind: str, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        errors.print(f"{kind} {escape(sentence)}")


def _name(written: list[Path]) -> None:
    for path in written:
        console.print(f"  {escape(str(path))}")


def main() -> None:
    """Run the command line; an error is one line, never a traceback."""
    # What a command loads and makes stays until its end: searching it for reference cycles as often as Python does by
    # default, and again at the end, would take `dynaprot predict` longer than the prediction.
    gc.set_threshold(10_000)
    try:
        app()
    except DynaProtError as error:
        _say("[bold red]Error:[/]", (str(error),))
        sys.exit(1)
    except MemoryError:
        _say(
            "[bold red]Error:[/]",
            ("There is not enough memory. Take fewer chains or conformations, or a larger machine.",),
        )
        sys.exit(1)
    finally:
        gc.freeze()

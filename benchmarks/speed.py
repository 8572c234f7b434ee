"""How fast and how large, beside a named rival in the same run.

    python benchmarks/speed.py                # prints the tables and draws docs/images/benchmarks.png; make bench
    python benchmarks/speed.py 100 271        # of these sizes only

1. Structure to marginals: the shipped network of attention, features included, against the shipped springs, the literal
   formula of invariant point attention, and ProDy's ANM.
2. Marginals: the published DYNAPROT-M network in numpy, which needs no PyTorch, and in PyTorch with fused attention,
   against the literal formula of invariant point attention (tests/core).
3. Coupling: the network of couplings with kernels in place of the published pair head, which takes N^3 operations.
4. Joint: the whole prediction of the shipped networks, from coordinates to marginals and coupling of all pairs,
   against ProDy's ANM: with its 20 slowest modes, its default, and with all modes and their covariance, which is a
   joint too.
5. Samples: 250 conformations from that joint against the route over its 3N x 3N covariance and Cholesky factor.

Each figure comes from a process of its own, on one thread: time is that of the processor, the best of several runs, so
that other work on the machine matters little; memory is the peak of the first run above what the process held before. A
case that takes more than `MEMORY`, or that by N^3 would take more than `PATIENCE`, is left out. Seconds depend on the
machine and on what else runs there; compare ratios within one run.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.ticker import LogLocator

from dynaprot import Structure, prediction
from dynaprot.figures.figure import FOREGROUND, WIDTH, axes_in_inches, empty_figure, save, style
from dynaprot.network.architecture import DYNAPROT_J, DYNAPROT_M, Architecture
from dynaprot.network.features import Features, featurise
from dynaprot.structure.residues import AMINO_ACIDS

ROOT = Path(__file__).resolve().parent.parent
SIZES = (100, 271, 600, 1000, 2000, 5000)
COUNT = 250
"""Conformations to draw: what ensemble metrics use."""
MEMORY = 10 * 2**30
"""Bytes that a process may have."""
PATIENCE = 600.0
"""Seconds that a rival may take."""


def globule(size: int, seed: int = 0) -> Structure:
    """A compact chain of the density of a protein, which grows where there is most room."""
    generator = np.random.default_rng(seed)
    radius = 2.2 * size**0.38 * np.sqrt(5 / 3)
    ca = np.zeros((size, 3))
    for k in range(1, size):
        steps = generator.normal(size=(40, 3))
        trials = ca[k - 1] + 3.8 * steps / np.linalg.norm(steps, axis=1, keepdims=True)
        room = np.linalg.norm(ca[:k, None] - trials[None], axis=2).min(0)
        ca[k] = trials[np.argmax(np.minimum(room, 3.8) - np.maximum(np.linalg.norm(trials, axis=1) - radius, 0.0))]
    axes = np.linalg.qr(generator.normal(size=(size, 3, 2)))[0]
    return Structure.from_arrays(
        ca + 1.46 * axes[:, :, 0], ca, ca + 1.52 * axes[:, :, 1], "".join(generator.choice(list(AMINO_ACIDS), size))
    )


def numpy_attention(size: int) -> Callable[[], object]:
    """DYNAPROT-M in numpy."""
    from dynaprot.network.numpy_network import NumpyNetwork
    from dynaprot.network.weights import Weights

    parameters = {name: tensor.numpy() for name, tensor in _network(DYNAPROT_M).state_dict().items()}
    network = NumpyNetwork(Weights(DYNAPROT_M, parameters, {}, Path("untrained")))
    features = featurise(globule(size))
    return lambda: network(features)


def fused_attention(size: int) -> Callable[[], object]:
    """DYNAPROT-M in PyTorch."""
    return _forward(DYNAPROT_M, size)


def literal_formula(size: int) -> Callable[[], object]:
    """DYNAPROT-M in PyTorch, with attention as its formula is written."""
    from dynaprot.network.torch_network import InvariantPointAttention

    sys.path.insert(0, str(ROOT))
    from tests.core.literal_attention import literal_attention

    def forward(layer: InvariantPointAttention, embedding, rotations, positions, mask):  # type: ignore[no-untyped-def]
        return literal_attention(layer, embedding, rotations, positions)

    InvariantPointAttention.forward = forward  # type: ignore[method-assign]
    return fused_attention(size)


def pair_head(size: int) -> Callable[[], object]:
    """DYNAPROT-J as published."""
    return _forward(DYNAPROT_J, size)


def kernel_head(size: int) -> Callable[[], object]:
    """DYNAPROT-J with a sum of kernels as its head."""
    return _forward(replace(DYNAPROT_J, coupling="kernel"), size)


def _forward(architecture: Architecture, size: int) -> Callable[[], object]:
    import torch

    from dynaprot.network.torch_network import tensors

    network = _network(architecture)
    inputs = tensors(featurise(globule(size)))
    return torch.inference_mode()(lambda: network(*inputs))


def _network(architecture: Architecture):  # type: ignore[no-untyped-def]
    """A network of PyTorch with random weights."""
    import torch

    from dynaprot.network.torch_network import DynaProt

    torch.manual_seed(0)
    return DynaProt(architecture).eval()


def whole_prediction(size: int) -> Callable[[], object]:
    """The shipped networks: features, force constants, and the joint that follows from them."""
    structure = globule(size)
    prediction.predict(globule(20))  # reads the weights

    def run() -> object:
        dynamics = prediction.predict(structure)
        return dynamics.marginals, dynamics.coupling

    return run


def attention_prediction(size: int) -> Callable[[], object]:
    """The shipped network of attention, from a structure to marginals."""
    return _marginals("dynaprot", size)


def springs_prediction(size: int) -> Callable[[], object]:
    """The shipped network of springs, from a structure to marginals."""
    return _marginals("springs", size)


def _marginals(model: str, size: int) -> Callable[[], object]:
    structure = globule(size)
    prediction.predict(globule(20), model)  # reads the weights
    # Each run has a structure of its own: what is known of one is kept.
    return lambda: prediction.predict(replace(structure), model).marginals


def anm_20_modes(size: int) -> Callable[[], object]:
    """ProDy's ANM as it is used most: the 20 slowest modes within 15 Å."""
    return _anm(size, 20)


def anm_all_modes(size: int) -> Callable[[], object]:
    """ProDy's ANM with all its modes, and the covariance of all pairs."""
    return _anm(size, None)


def _anm(size: int, modes: int | None) -> Callable[[], object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import prody
    prody.confProDy(verbosity="none")
    positions = globule(size).ca

    def run() -> object:
        anm = prody.ANM()
        anm.buildHessian(positions, cutoff=15.0)
        anm.calcModes(n_modes=modes)
        return anm.getCovariance() if modes is None else anm

    return run


def samples(size: int) -> Callable[[], object]:
    """Conformations from a prediction whose joint is known."""
    dynamics = prediction.predict(globule(size))
    dynamics.sample(1)
    return lambda: dynamics.sample(COUNT, seed=0)


def dense_samples(size: int) -> Callable[[], object]:
    """The same over the full covariance and its Cholesky factor."""
    dynamics = prediction.predict(globule(size))
    dynamics.sample(1)

    def run() -> np.ndarray:
        factor = np.linalg.cholesky(dynamics.covariance())
        noise = np.random.default_rng(0).standard_normal((COUNT, len(factor)))
        return dynamics.structure.ca + (noise @ factor.T).reshape(COUNT, -1, 3)

    return run


CASES = {
    case.__name__: case
    for case in (
        numpy_attention, fused_attention, literal_formula, kernel_head, pair_head, whole_prediction,
        attention_prediction, springs_prediction, anm_20_modes,
        anm_all_modes, samples, dense_samples,
    )
}  # fmt: skip
COMPARISONS = (
    (
        "Structure to marginals",
        ("attention_prediction",),
        ("springs_prediction", "literal_formula", "anm_20_modes", "anm_all_modes"),
    ),
    ("Marginals", ("numpy_attention", "fused_attention"), ("literal_formula",)),
    ("Coupling", ("kernel_head",), ("pair_head",)),
    ("Joint", ("whole_prediction",), ("anm_20_modes", "anm_all_modes")),
    (f"{COUNT} samples", ("samples",), ("dense_samples",)),
)
"""Title, what is ours, and the rivals."""

LABELS = {
    "numpy_attention": "numpy",
    "fused_attention": "PyTorch, fused",
    "literal_formula": "PyTorch, literal",
    "kernel_head": "sum of kernels",
    "pair_head": "published pair head",
    "whole_prediction": "whole prediction",
    "attention_prediction": "dynaprot",
    "springs_prediction": "springs",
    "anm_20_modes": "ProDy's ANM, 20 modes",
    "anm_all_modes": "ProDy's ANM, all modes",
    "samples": "by the joint's root",
    "dense_samples": "by the 3N x 3N covariance",
}


class Figures(NamedTuple):
    """Time in s and peak memory in MB of a case; nan where it did not fit."""

    seconds: float
    peak: float


def measure(case: str, size: int) -> Figures:
    """Figures of a case, in a process of its own."""
    done = _run("--case", case, str(size))
    if done.returncode:
        if "memory" not in done.stderr.lower():
            raise RuntimeError(f"{case} at {size} failed:\n{done.stderr}")
        return Figures(np.nan, np.nan)
    return Figures(*json.loads(done.stdout.splitlines()[-1]))


def growth(case: str, sizes: tuple[int, ...], patience: float = np.inf) -> dict[tuple[str, int], Figures]:
    """Figures of a case at each size, as far as it fits."""
    found: dict[tuple[str, int], Figures] = {}
    expected, before = 0.0, 1
    for size in sizes:
        expected *= (size / before) ** 3
        found[case, size] = measure(case, size) if expected < patience else Figures(np.nan, np.nan)
        expected, before = found[case, size].seconds, size
        print(f"{case} {size} {found[case, size]}", file=sys.stderr, flush=True)
    return found


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def measure_here(case: str, size: int) -> None:
    """What `measure` runs in the other process: prints time and peak."""
    CASES[case](20)()  # starts threads and loads kernels
    run = CASES[case](size)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to the present
    before = _status("VmRSS")
    times: list[float] = []
    while sum(times) < 2.0:
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
        if len(times) == 1:
            peak = (_status("VmHWM") - before) / 1024
    print(json.dumps([min(times), peak]))


def _status(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


def stages(size: int) -> list[float]:
    """Seconds that the parts of a prediction take: features, network, factor and marginals, coupling, samples."""
    return json.loads(_run("--stages", str(size)).stdout.splitlines()[-1])


def stages_here(size: int) -> None:
    """What `stages` runs in the other process: the fastest of several predictions, part by part."""
    prediction.predict(globule(20)).sample(1)
    features: list[float] = []

    def timed(structure: Structure, *names: Sequence[str]) -> Features:
        start = time.process_time()
        found = featurise(structure, *names)
        features.append(time.process_time() - start)
        return found

    prediction.featurise = timed  # type: ignore[assignment]
    runs: list[list[float]] = []
    while sum(map(sum, runs)) < 2.0:
        structure = globule(size)
        times = [time.process_time()]
        dynamics = prediction.predict(structure)
        times.append(time.process_time())
        assert len(dynamics.marginals) == size
        times.append(time.process_time())
        assert len(dynamics.coupling) == size
        times.append(time.process_time())
        dynamics.sample(COUNT)
        times.append(time.process_time())
        spent = list(np.diff(times))
        runs.append([features[-1], spent[0] - features[-1], *spent[1:]])
    print(json.dumps(min(runs, key=sum)))


def table(title: str, ours: tuple[str, ...], rivals: tuple[str, ...], figures: dict[tuple[str, int], Figures]) -> str:
    """A Markdown table of a comparison, with the ratio of every rival to everything that is ours."""
    cases = (*ours, *rivals)
    ratios = [(rival, own) for own in ours for rival in rivals]
    head = ["N", *(f"{LABELS[case]}, s" for case in cases)]
    head += [f"{LABELS[rival]} / {LABELS[own]}" for rival, own in ratios]
    head += [f"{LABELS[case]}, MB" for case in cases]
    rows = []
    for size in sorted({size for _, size in figures}):
        found = {case: figures[case, size] for case in cases}
        cells = [str(size), *(_seconds(found[case].seconds) for case in cases)]
        cells += [_number(found[rival].seconds / found[own].seconds, "{:.1f}") for rival, own in ratios]
        rows.append([*cells, *(_number(found[case].peak, "{:.0f}") for case in cases)])
    lines = [head, ["---:"] * len(head), *rows]
    return "\n".join([f"### {title}", "", *("| " + " | ".join(line) + " |" for line in lines), ""])


def _seconds(value: float) -> str:
    return _number(value, "{:.3f}" if value < 1 else "{:.1f}")


def _number(value: float, form: str) -> str:
    return "–" if np.isnan(value) else form.format(value)


def draw(figures: dict[tuple[str, int], Figures], path: Path) -> None:
    """How time and memory grow with N, ours and the rivals'."""
    sizes = sorted({size for _, size in figures})
    height, left, bottom, gap = 1.5, 0.55, 0.5, 0.1
    width = (WIDTH - left) / len(COMPARISONS) - gap
    colours = ("#B32E1A", "#4F97CF", "#2B5597", "#7B4B94", "#9A9A9A")
    limits = ((5e-4, 2e3), (0.5, 2e4))
    with style():
        figure = empty_figure(bottom + 2 * (height + gap) + 0.3)
        for column, (title, ours, rivals) in enumerate(COMPARISONS):
            for row, what in enumerate(("Time, s", "Peak memory, MB")):
                x = left + column * (width + gap)
                axes = axes_in_inches(figure, x, bottom + (1 - row) * (height + gap), width, height)
                for case, colour in zip((*ours, *rivals), colours, strict=False):
                    values = [max(figures[case, size][row], limits[row][0]) for size in sizes]
                    axes.loglog(sizes, values, "o-", color=colour, markersize=2.5, linewidth=1.0)
                axes.set(xlim=(0.7 * sizes[0], 1.5 * sizes[-1]), ylim=limits[row])
                marked = [size for size in sizes if size not in (600, 2000)]  # which have no room beside 1000
                axes.set_xticks(marked, [str(size) if row else "" for size in marked])
                axes.yaxis.set_major_locator(LogLocator(10.0, numticks=8))
                axes.minorticks_off()
                axes.spines[["top", "right"]].set_visible(False)
                if column:
                    axes.set_yticklabels([])
                else:
                    axes.set_ylabel(what)
                if row:
                    continue
                axes.text(0.06, 1.13, title, transform=axes.transAxes, weight="bold")
                for line, (case, colour) in enumerate(zip((*ours, *rivals), colours, strict=False)):
                    axes.text(
                        0.06, 1.02 - 0.09 * line, LABELS[case], transform=axes.transAxes, fontsize=6.5, color=colour
                    )
        figure.text(0.5, 0.015, "Residues", ha="center", color=FOREGROUND)
        save(figure, path)


def main(sizes: tuple[int, ...]) -> None:
    """Run everything, print the tables and draw the picture."""
    names = [line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "prody"))
    print(f"{names[0].strip()}, {platform.system()}; {packages}\n", flush=True)
    figures: dict[tuple[str, int], Figures] = {}
    for title, ours, rivals in COMPARISONS:
        for case in ours:
            figures |= growth(case, sizes)
        for case in rivals:
            figures |= growth(case, sizes, PATIENCE)
        compared = {key: value for key, value in figures.items() if key[0] in (*ours, *rivals)}
        print(table(title, ours, rivals, compared), flush=True)
    parts = ("features", "network", "factor and marginals", "coupling", f"{COUNT} samples")
    lines = [["N", *parts], ["---:"] * (len(parts) + 1)]
    lines += [[str(size), *map(_seconds, stages(size))] for size in sizes]
    print("### Where the time of a prediction goes, s\n")
    print("\n".join("| " + " | ".join(line) + " |" for line in lines))
    draw(figures, ROOT / "docs" / "images" / "benchmarks.png")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        measure_here(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:2] == ["--stages"]:
        stages_here(int(sys.argv[2]))
    else:
        main(tuple(map(int, sys.argv[1:])) or SIZES)

"""How fast and how large, beside a named rival in the same run.

    python benchmarks/speed.py                # prints the tables; make bench does the same

1. Attention: the published DYNAPROT-M network with fused attention against the literal formula (tests/core).
2. Sampling: 250 conformations from a joint against the route over its 3N x 3N covariance and Cholesky factor.

Each figure comes from a process of its own: time is the best of several runs, memory the peak of the first run above
what the process held before. Only the ratios travel to another machine.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from dynaprot import Dynamics, Structure, predict
from dynaprot.joint import FactoredJoint
from dynaprot.network.architecture import DYNAPROT_M
from dynaprot.network.attention import InvariantPointAttention
from dynaprot.network.features import featurise
from dynaprot.network.model import DynaProt
from dynaprot.network.torch_runtime import tensors
from dynaprot.structure.residues import AMINO_ACIDS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.core.literal_attention import literal_attention

console = Console(width=120)
COUNT = 250
"""Conformations to draw: what ensemble metrics use."""


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


def fused_attention(size: int) -> Callable[[], object]:
    """DYNAPROT-M as it is."""
    torch.manual_seed(0)
    network, inputs = DynaProt(DYNAPROT_M).eval(), tensors(featurise(globule(size)))
    return torch.inference_mode()(lambda: network(*inputs).marginal_factor)


def literal_formula(size: int) -> Callable[[], object]:
    """DYNAPROT-M with the formula as it is written."""

    def forward(layer: InvariantPointAttention, embedding: torch.Tensor, *frames: torch.Tensor) -> torch.Tensor:
        return literal_attention(layer, embedding, *frames[:2])

    InvariantPointAttention.forward = forward  # type: ignore[method-assign]
    return fused_attention(size)


def joint_of(form: str, size: int) -> Dynamics:
    """A prediction whose joint is known: springs factorised, marginals and coupling at hand."""
    dynamics = predict(globule(size), "anm")
    dynamics.sample(1)
    if form == "factored":
        return Dynamics(dynamics.structure, FactoredJoint(dynamics.marginals, dynamics.coupling))
    return dynamics


def ours(form: str, size: int) -> Callable[[], object]:
    """Sampling as the library does it; a factored joint pays for its Cholesky factor each time."""
    dynamics = joint_of(form, size)

    def run() -> np.ndarray:
        joint = dynamics.joint
        again = FactoredJoint(joint.marginals, joint.coupling) if isinstance(joint, FactoredJoint) else joint
        return Dynamics(dynamics.structure, again).sample(COUNT, seed=0)

    return run


def dense(form: str, size: int) -> Callable[[], object]:
    """Sampling over the full covariance."""
    dynamics = joint_of(form, size)

    def run() -> np.ndarray:
        factor = np.linalg.cholesky(dynamics.covariance())
        noise = np.random.default_rng(0).standard_normal((COUNT, len(factor)))
        return dynamics.structure.ca + (noise @ factor.T).reshape(COUNT, -1, 3)

    return run


CASES: dict[str, Callable[[int], Callable[[], object]]] = {
    "fused attention": fused_attention,
    "literal formula": literal_formula,
    "factored": partial(ours, "factored"),
    "factored, dense": partial(dense, "factored"),
    "elastic": partial(ours, "elastic"),
    "elastic, dense": partial(dense, "elastic"),
}


def measure(case: str, size: int) -> tuple[float, float]:
    """Best time in s and peak memory in MB of a case, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, case, str(size)], check=True, capture_output=True, text=True)
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def measure_here(case: str, size: int) -> None:
    """What `measure` runs in the other process: prints time and peak."""
    CASES[case](20)()  # starts threads and loads kernels
    run = CASES[case](size)
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to the present
    before = _status("VmRSS")
    run()
    peak = (_status("VmHWM") - before) / 1024
    best, spent = np.inf, 0.0
    while spent < 2.0:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
        spent += time.perf_counter() - start
    print(json.dumps([best, peak]))


def _status(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


def compare(title: str, rows: list[tuple[str, str, int]]) -> None:
    """Print a table of cases beside their rivals."""
    table = Table(title=title)
    for column in ("N", "ours", "rival", "time", "rival's time", "rival / ours", "peak", "rival's peak"):
        table.add_column(column, justify="right" if column not in ("ours", "rival") else "left")
    for case, rival, size in rows:
        (seconds, peak), (rival_seconds, rival_peak) = measure(case, size), measure(rival, size)
        table.add_row(
            str(size), case, rival, f"{1e3 * seconds:.1f} ms", f"{1e3 * rival_seconds:.0f} ms",
            f"{rival_seconds / seconds:.1f}", f"{peak:.0f} MB", f"{rival_peak:.0f} MB",
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure_here(sys.argv[1], int(sys.argv[2]))
        sys.exit()
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, numpy {np.__version__}, torch {torch.__version__}")
    compare(
        "DYNAPROT-M, 955,078 parameters: fused attention against the literal IPA formula",
        [("fused attention", "literal formula", size) for size in (100, 271, 600, 1000)],
    )
    compare(
        f"{COUNT} conformations from a joint that is known, against the 3N x 3N covariance",
        [(form, f"{form}, dense", size) for size in (100, 271, 600, 1000, 2000) for form in ("factored", "elastic")],
    )

"""How long a start takes: the best of several, each in a new process.

    python benchmarks/start_up.py protein.pdb                   # prints the table
    python benchmarks/start_up.py protein.pdb ../other/checkout # beside another version, in turn with it

The other version is a work tree of this repository (``git worktree add``); both run in this Python, which has to have
what both need. Seconds depend on what else runs on the machine; with two versions, compare their ratio.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from dynaprot import load_structure

RUNS = 10
ROOT = Path(__file__).resolve().parent.parent
COMMAND = "from dynaprot.command_line import main; main()"


class Seconds(NamedTuple):
    """The least of several runs."""

    processor: float
    clock: float


def measure(checkouts: list[Path], code: str, *arguments: str) -> list[Seconds]:
    """Time that a new Python takes to run code, with the sources of each checkout in turn."""
    runs: list[list[Seconds]] = [[] for _ in checkouts]
    for _ in range(RUNS):
        for checkout, found in zip(checkouts, runs, strict=True):
            found.append(_run(checkout, code, *arguments))
    return [Seconds(*(min(column) for column in zip(*found, strict=True))) for found in runs]


def _run(checkout: Path, code: str, *arguments: str) -> Seconds:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(checkout / "src")}
    start, before = time.perf_counter(), _spent()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, env=environment)
    return Seconds(_spent() - before, time.perf_counter() - start)


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(path: str, *others: str) -> None:
    """Print the table, in Markdown."""
    size = len(load_structure(path))
    checkouts = [ROOT, *(Path(other).resolve() for other in others)]
    head = ["", "processor, s", "clock, s"]
    for _ in others:
        head += ["the other's processor, s", "clock, s", "processor / other", "clock / other"]
    print("| " + " | ".join(head) + " |\n| ---" + " | ---:" * (len(head) - 1) + " |")
    with tempfile.TemporaryDirectory() as folder:
        predict = ["predict", str(Path(path).resolve()), "--output", folder, "--device", "cpu"]
        for what, code, arguments in (
            ("`python -c pass`", "pass", []),
            ("`import numpy`", "import numpy", []),
            ("`import numpy, dynaprot`", "import numpy, dynaprot", []),
            ("`import numpy, matplotlib.figure`", "import numpy, matplotlib.figure", []),
            ("`dynaprot --help`", COMMAND, ["--help"]),
            (f"`dynaprot predict --no-pictures`, {size} residues", COMMAND, [*predict, "--no-pictures"]),
            (f"`dynaprot predict`, {size} residues", COMMAND, predict),
        ):
            own, *rest = measure(checkouts, code, *arguments)
            cells = [f"{value:.2f}" for value in own]
            for other in rest:
                cells += [f"{value:.2f}" for value in other]
                cells += [f"{mine / theirs:.2f}" for mine, theirs in zip(own, other, strict=True)]
            print(f"| {what} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

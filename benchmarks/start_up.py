"""How long a start takes: the best of several, each in a new process.

python benchmarks/start_up.py protein.pdb
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

from dynaprot import load_structure

RUNS = 10
COMMAND = "from dynaprot.command_line import main; main()"


def seconds(code: str, *arguments: str) -> tuple[float, float]:
    """Seconds of the processor, and of the clock, of a new Python that runs the code."""
    runs = []
    for _ in range(RUNS):
        start, before = time.perf_counter(), _spent()
        subprocess.run(
            [sys.executable, "-c", code, *arguments],
            check=True,
            capture_output=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        runs.append((_spent() - before, time.perf_counter() - start))
    return min(spent for spent, _ in runs), min(clock for _, clock in runs)


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(path: str) -> None:
    """Print the table, in Markdown."""
    size = len(load_structure(path))
    with tempfile.TemporaryDirectory() as folder:
        predict = ["predict", path, "--output", folder, "--device", "cpu"]
        rows = {
            "`python -c pass`": seconds("pass"),
            "`import numpy`": seconds("import numpy"),
            "`import numpy, dynaprot`": seconds("import numpy, dynaprot"),
            "`import numpy, matplotlib.figure`": seconds("import numpy, matplotlib.figure"),
            "`dynaprot --help`": seconds(COMMAND, "--help"),
            f"`dynaprot predict --no-pictures`, {size} residues": seconds(COMMAND, *predict, "--no-pictures"),
            f"`dynaprot predict`, {size} residues": seconds(COMMAND, *predict),
        }
    print("| | processor, s | clock, s |\n| --- | ---: | ---: |")
    for what, (spent, clock) in rows.items():
        print(f"| {what} | {spent:.2f} | {clock:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1])

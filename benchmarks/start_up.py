"""How long a start takes: the best of several, each in a new process.

python benchmarks/start_up.py protein.pdb
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from dynaprot import load_structure

RUNS = 10
COMMAND = "from dynaprot.command_line import main; main()"


def seconds(code: str, *arguments: str) -> float:
    """Wall-clock time of a new Python that runs the code."""
    best = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def main(path: str) -> None:
    """Print the table, in Markdown."""
    size = len(load_structure(path))
    with tempfile.TemporaryDirectory() as folder:
        predict = ["predict", path, "--output", folder, "--device", "cpu"]
        rows = {
            "`python -c pass`": seconds("pass"),
            "`import numpy`": seconds("import numpy"),
            "`import numpy, dynaprot`": seconds("import numpy, dynaprot"),
            "`dynaprot --help`": seconds(COMMAND, "--help"),
            f"`dynaprot predict --no-pictures`, {size} residues": seconds(COMMAND, *predict, "--no-pictures"),
            f"`dynaprot predict`, {size} residues": seconds(COMMAND, *predict),
        }
    print("| | s |\n| --- | ---: |")
    for what, spent in rows.items():
        print(f"| {what} | {spent:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1])

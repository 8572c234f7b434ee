"""Whether memory grows: hundreds of predictions in one process, each with coupling, conformations and a picture.

    python benchmarks/soak.py [predictions]

prints the memory along the way and its slope, and fails where a prediction leaves more than 5 kB behind.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from dynaprot import load_structure, predict
from dynaprot.figures.pictures import draw_rmsf

STRUCTURES = sorted((Path(__file__).resolve().parent.parent / "tests" / "structures").glob("*.pdb.gz"))
MOST_KILOBYTES = 5
LINES = 10


def resident() -> float:
    """Memory that this process holds, kB, after what is free has been given back: else it goes up and down by 30 MB."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e3


def soak(predictions: int, folder: Path) -> float:
    """Predict the structures in turn; the slope of memory in kB a prediction, over all but the first third."""
    held = []
    for number in range(predictions):
        dynamics = predict(load_structure(STRUCTURES[number % len(STRUCTURES)]), device="cpu")
        dynamics.coupling.sum()
        dynamics.sample(10, seed=number)
        draw_rmsf(dynamics, folder / "rmsf.png")
        held.append(resident())
        if (number + 1) % max(1, predictions // LINES) == 0:
            print(f"{number + 1:6d} predictions: {held[-1] / 1e3:7.1f} MB", flush=True)
    # Until then caches fill, and the allocator finds out what it needs.
    start = predictions // 3
    return float(np.polyfit(np.arange(start, predictions), held[start:], 1)[0])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        slope = soak(int(sys.argv[1]) if len(sys.argv) > 1 else 500, Path(temporary))
    print(f"slope: {slope:+.1f} kB a prediction, of at most {MOST_KILOBYTES}")
    sys.exit(slope > MOST_KILOBYTES)

"""DynaProt keeps to itself: it asks no network for anything, and writes only where it was told to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import dynaprot

from .conftest import ROOT

SOURCE = str(Path(dynaprot.__file__).resolve().parent.parent)
PROTEIN = ROOT / "tests" / "structures" / "6gof_gap.pdb.gz"
COMMAND = [sys.executable, "-c", "from dynaprot.command_line import main; main()"]


@pytest.mark.parametrize("ensemble", ["pdb", "xtc"])
def test_a_prediction_stays_offline_and_writes_only_its_results(watch: Callable, output: Path, ensemble: str) -> None:
    """With tables, pictures and conformations."""
    options = ["--output", output, "--device", "cpu", "--samples", "2", "--format", ensemble]
    watched = watch([*COMMAND, "predict", PROTEIN, *options], PYTHONPATH=SOURCE)
    assert not watched.trespasses
    assert {"dynamics.npz", "rmsf.png"} <= {path.name for path in output.iterdir()}


def test_info_stays_offline_and_writes_nothing(watch: Callable, output: Path) -> None:
    """Although it looks for every package and device."""
    watched = watch([*COMMAND, "info"], PYTHONPATH=SOURCE)
    assert not watched.trespasses
    assert dynaprot.__version__ in watched.stdout
    assert not list(output.iterdir())


TRESPASSES = {
    # Of an address set aside for documentation.
    "192.0.2.1": "socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 9))",
    "htons(53)": "socket.socket(type=socket.SOCK_DGRAM).connect(('127.0.0.1', 53))",
    '/home/device"': "open(os.path.expanduser('~/device'), 'w')",
    '"beside"': "open('beside', 'w')",
    '"absent/file"': "open('absent/file', 'a')",
}
"""By what is to be seen of it: what a program must not do, be it allowed to or not."""


@pytest.mark.parametrize("seen", TRESPASSES)
def test_the_watch_sees_what_it_is_for(watch: Callable, seen: str) -> None:
    """A foreign address, a question for a name, a file outside the folders for results, even if it cannot be opened."""
    code = f"import os, socket\ntry: {TRESPASSES[seen]}\nexcept OSError: pass"
    assert seen in watch([sys.executable, "-c", code]).trespasses[0]

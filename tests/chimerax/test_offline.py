"""A prediction in ChimeraX asks no network for anything, and writes nothing but what it is told to save."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_prediction_in_chimerax_stays_offline_and_writes_only_what_is_saved(bundle, watch, output):
    """ChimeraX without a window, with the bundle installed."""
    structure, saved = ROOT / "tests" / "structures" / "6gof_gap.pdb.gz", output / "prediction.npz"
    commands = [f"open {structure}", "dynaprot ellipsoids #1", "dynaprot coupling #1", f"dynaprot save #1 {saved}"]
    host = [sys.executable, "-m", "chimerax.core", "--nogui", "--offscreen", "--exit", "--cmd", "; ".join(commands)]
    # What the graphics driver compiles for the host is no file of ours.
    watched = watch(host, MESA_SHADER_CACHE_DISABLE="true")
    assert "164 residues predicted in" in watched.stdout
    assert not watched.trespasses
    assert list(output.iterdir()) == [saved]

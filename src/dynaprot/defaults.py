"""What every host and the command line do where the user leaves a choice open: one number, palette or name for all.

Loading this costs nothing: only the standard library is imported.
"""

from __future__ import annotations

__all__ = [
    "AMPLITUDE", "ARROW_LENGTH", "COLOUR_PERCENTILES", "CONFORMATIONS", "COUPLINGS", "DEVICE", "ENSEMBLE_SUFFIXES",
    "FIGURES", "FIGURE_SUFFIXES", "FRAMES", "MODEL", "MOST_CONFORMATIONS", "MOST_MOBILE", "PALETTES", "PROBABILITY",
    "RESULT_SUFFIXES", "SEED", "SHORTEST_ARROW", "SUPERPOSITION", "THRESHOLD",
]  # fmt: skip

MODEL, DEVICE = "default", "auto"
SUPERPOSITION = "auto"
"""Residues that motion is seen from: all, but for loose ones where these would blur the others."""
PROBABILITY = 0.5
"""Share of the time that a C-alpha is inside its ellipsoid."""

MOST_MOBILE = 15.0
"""RMSF, Å, beyond which residues have no ellipsoid and do not count for the ends of scales: their ellipsoids would hide
all the rest, and a few hundred of them take PyMOL's ray tracer minutes."""

CONFORMATIONS = 50
"""How many an ensemble has."""
MOST_CONFORMATIONS = 10_000
"""They are made in memory."""
SEED = 0
"""The same seed gives the same conformations, today and in every host."""

AMPLITUDE = 2.0
"""Standard deviations from the structure to the turning point of a mode."""
FRAMES = 40
"""Conformations in one period of a mode."""
ARROW_LENGTH = 10.0
"""Å; the longest arrow of a mode, so that arrows are seen beside a cartoon."""
SHORTEST_ARROW = 0.15
"""Share of the longest arrow below which a residue has none."""

THRESHOLD = 0.6
"""Least coupling, in either sign, of the pairs that are drawn."""
COUPLINGS = 300
"""Pairs that are drawn at most, the strongest first: more hide the protein."""

PALETTES = {
    "mobility": ("#2B5597", "#4F97CF", "#A6D5E4", "#F7E6A6", "#EE9A45", "#B32E1A"),
    "signed": ("#1F4380", "#5B8FC1", "#B9D2E6", "#FFFFFF", "#F4C9AC", "#D9764A", "#96261A"),
}
"""From the lowest value to the highest: from rigid to mobile, and from -1 by 0 to 1. Readers of every kind of colour
vision can tell them apart."""
COLOUR_PERCENTILES = (2.0, 98.0)
"""Of the values shown, the ends of a colour scale that has no natural ends: a floppy tail must not take the colours
from all the rest."""

RESULT_SUFFIXES = {
    ".npz": "everything",
    ".csv": "one line for each residue",
    ".pdb": "the structure with B factors and ANISOU",
    ".cif": "the structure with B factors and anisotropic displacements",
}
"""Files that hold a prediction, and what each has."""
ENSEMBLE_SUFFIXES = (".pdb", ".dcd", ".xtc")
"""Files that hold conformations."""
FIGURE_SUFFIXES = (".png", ".svg", ".pdf")
"""Files that hold a figure."""
FIGURES = ("rmsf", "coupling", "ellipsoids")
"""The three figures of a prediction."""

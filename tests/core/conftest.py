"""Proteins to test on: random ones with real bond geometry, and real files where they are."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from dynaprot import Structure
from dynaprot.network.features import PAIR_FEATURES, RESIDUE_FEATURES
from dynaprot.structure.residues import AMINO_ACIDS

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"

EVERY_FEATURE = {"residue_features": tuple(RESIDUE_FEATURES), "pair_features": tuple(PAIR_FEATURES)}
"""For an `Architecture` that reads all there is."""

# HYPOTHESIS_PROFILE chooses: the same few random proteins in every run, others in each run, or many others. Predicting
# takes longer than hypothesis expects of a function, and shrinking a failure would take minutes: the random proteins
# are small and named by their seed as it is.
settings.register_profile(
    "fixed",
    deadline=None,
    max_examples=12,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    derandomize=True,
)
settings.register_profile("random", settings.get_profile("fixed"), derandomize=False, max_examples=40, print_blob=True)
settings.register_profile("thorough", settings.get_profile("random"), max_examples=300)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


def build_chain(dihedrals: np.ndarray) -> np.ndarray:
    """Backbone of ideal bond lengths and angles with given phi, psi in degrees: (N, 2) -> (N, 3 atoms, 3)."""
    bonds = {"N": 1.329, "CA": 1.458, "C": 1.525}
    angles = {"N": 116.2, "CA": 121.7, "C": 111.2}
    atoms = [np.array([0.0, 0.0, 0.0]), np.array([1.458, 0.0, 0.0]), np.array([2.0, 1.42, 0.0])]
    for (_, psi), (phi, _) in pairwise(dihedrals):
        for name, torsion in (("N", psi), ("CA", 180.0), ("C", phi)):
            a, b, c = atoms[-3:]
            axis = (c - b) / np.linalg.norm(c - b)
            normal = np.cross(b - a, axis)
            normal /= np.linalg.norm(normal)
            bend, turn = np.deg2rad(180.0 - angles[name]), np.deg2rad(torsion)
            local = [np.cos(bend), np.sin(bend) * np.cos(turn), np.sin(bend) * np.sin(turn)]
            atoms.append(c + bonds[name] * (local[0] * axis + local[1] * np.cross(normal, axis) + local[2] * normal))
    return np.array(atoms).reshape(-1, 3, 3)


def random_protein(seed: int, lengths: tuple[int, ...] = (30,)) -> Structure:
    """Chains of random helices, strands and loops, packed side by side."""
    generator = np.random.default_rng(seed)
    basins = np.array([[-60.0, -45.0], [-120.0, 130.0], [-75.0, 145.0], [55.0, 45.0]])
    chains = []
    for k, length in enumerate(lengths):
        basin = np.repeat(generator.integers(0, 4, length), generator.integers(2, 9, length))[:length]
        chain = build_chain(basins[basin] + generator.normal(0, 8, (length, 2)))
        chain -= chain.mean((0, 1))
        chains.append(chain + [0.0, 9.0 * k, 0.0])
    atoms = np.concatenate(chains)
    return Structure.from_arrays(
        atoms[:, 0],
        atoms[:, 1],
        atoms[:, 2],
        "".join(generator.choice(list(AMINO_ACIDS + "X"), sum(lengths))),
        chain_ids=[chr(65 + k) for k, length in enumerate(lengths) for _ in range(length)],
        residue_ids=[str(r + 1) for length in lengths for r in range(length)],
        name=f"random-{seed}",
    )


def rotation_matrix(seed: int) -> np.ndarray:
    """A random proper rotation, (3, 3)."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


def moved(structure: Structure, rotation: np.ndarray, shift: np.ndarray) -> Structure:
    """The same structure elsewhere: x -> rotation @ x + shift."""
    n, ca, c = (positions @ rotation.T + shift for positions in (structure.n, structure.ca, structure.c))
    return Structure.from_arrays(n, ca, c, structure.sequence, structure.chain_ids, structure.residue_ids)


proteins = st.builds(
    random_protein,
    st.integers(0, 10_000),
    st.sampled_from([(4,), (12,), (30,), (9, 7), (12, 1, 8)]),
)
"""Random proteins of one to three chains."""


@pytest.fixture(scope="session")
def adenylosuccinate_synthetase() -> Path:
    """1ADE, 431 residues."""
    return _shared("pockets/apo_holo/1ADE_A.pdb")


def shared_structures() -> list[Path]:
    """The awkward real files, none where the folder is absent."""
    return sorted((SHARED / "structures").glob("*.gz"))


def _shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"real data is not here: {path}")
    return path

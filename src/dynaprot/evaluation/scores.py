"""Every metric of every model on every protein, beside the standards that the simulations set."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..datasets.labels import Cluster, Labels, labels_of
from ..datasets.sources import Ensemble, RmsfChain
from ..dynamics import Dynamics
from ..errors import DynaProtError
from ..metrics.ensembles import compare_ensembles, fluctuation, superposed
from ..metrics.joints import Motion, compare_motions, coupling_by_range, eq5_ceiling, recoloured_anm
from ..metrics.residues import compare, pearson
from ..prediction import predict
from ..structure.chain_geometry import restore_geometry, unphysical_share
from ..structure.protein import Structure
from .contenders import Contender, Relation

__all__ = ["EQ5", "HALVES", "RECOLOURED", "Profile", "Protein", "Score", "evaluate", "halves"]

Array = NDArray[np.floating]

HALVES = "MD halves"
"""One half of the simulation in place of a prediction for the other, which no model can be expected to exceed."""
EQ5 = "Eq. 5 of MD"
"""Eq. 5 from the simulation's own marginals and coupling."""
RECOLOURED = "anm as MD"
"""The elastic network recoloured to the simulation's own marginals."""
FEWEST_FRAMES_OF_COMPLEXES = 30
"""Frames that the simulation of a complex must have to be counted among complexes, of which there are few."""
FEWEST_FRAMES = 100
"""Frames that a simulation must have to be counted."""
LEAST_AGREEMENT = 0.8
"""Correlation of the RMSF of its halves that a simulation must have to be counted."""
SMALLEST_ENSEMBLE = 20
"""Frames that an ensemble must have: with fewer, the marginals of its halves have no inverse."""
BLOCKS = 20
"""Stretches that a simulation is cut into before it is halved: neighbouring frames, which are alike, stay together."""
SAMPLES = 250
"""Number of conformations that are drawn, as in AlphaFlow's analysis."""


@dataclass(frozen=True)
class Protein:
    """A protein that models are evaluated on.

    Attributes
    ----------
    name : str
    source : str
        ``"MD"`` or ``"ATLAS"``.
    cluster : int or str
        Sequence cluster at 30 % identity.
    residues, frames : int
        There are no frames of ATLAS, of which only the RMSF is known.
    agreement : float or None
        Correlation of the RMSF of two halves of the simulation; not known for ATLAS.
    molecules : int
        How many molecules it consists of.
    """

    name: str
    source: str
    cluster: Cluster
    residues: int
    frames: int = 0
    agreement: float | None = None
    molecules: int = 1

    @property
    def complex(self) -> bool:
        """Whether it is a complex whose simulation is long and consistent enough to be counted among complexes."""
        long_enough = self.frames >= FEWEST_FRAMES_OF_COMPLEXES and (self.agreement or 0.0) >= LEAST_AGREEMENT
        return self.molecules > 1 and long_enough

    @property
    def sound(self) -> bool:
        """Whether its simulation is long and consistent enough to be counted."""
        return self.source == "ATLAS" or (self.frames >= FEWEST_FRAMES and (self.agreement or 0.0) >= LEAST_AGREEMENT)


@dataclass(frozen=True)
class Profile:
    """RMSF along a protein, predicted and simulated, each of shape=(N,), Å."""

    predicted: Array
    simulated: Array


@dataclass(frozen=True)
class Score:
    """The metrics of one model on one protein.

    Attributes
    ----------
    protein : Protein
    model : str
    values : dict of str to float
        Metrics by name; empty if the prediction failed.
    profiles : dict of str to Profile
        ``rmsf`` of the marginals, ``ensemble_rmsf`` of the samples.
    relation : Relation or None
        What the model saw of the protein in training; None for what learns nothing.
    failure : str
        Why there is no prediction, else empty.
    """

    protein: Protein
    model: str
    values: dict[str, float]
    profiles: dict[str, Profile] = field(default_factory=dict)
    relation: Relation | None = None
    failure: str = ""


def halves(frames: Array) -> tuple[Array, Array]:
    """Two halves of an ensemble, shape=(F, N, 3): stretches of it shared out by chance, each time alike."""
    chosen = np.random.default_rng(0).permutation(BLOCKS) % 2 == 0
    first = chosen[np.arange(len(frames)) * BLOCKS // len(frames)]
    return frames[first], frames[~first]


def evaluate(
    systems: Iterable[Ensemble],
    chains: Iterable[RmsfChain],
    contenders: Sequence[Contender],
    samples: int = SAMPLES,
    seed: int = 0,
    everything: bool = True,
) -> Iterator[list[Score]]:
    """Evaluate models on proteins, one protein at a time.

    Parameters
    ----------
    systems : iterable of Ensemble
        Simulated proteins.
    chains : iterable of RmsfChain
        Proteins of which only the RMSF is known.
    contenders : sequence of Contender
    samples : int
        Number of conformations that each model draws.
    seed : int
        The same seed gives the same metrics, whichever other proteins and models are evaluated.
    everything : bool
        Predict proteins too whose simulations are not sound, and which tables do not count by default.

    Yields
    ------
    list of Score
        Scores of each model, and for a simulated protein of the three standards that its simulation sets.
    """
    for system in systems:
        yield _score_system(system, contenders, samples, seed, everything)
    for chain in chains:
        yield [_score_chain(chain, each) for each in contenders if each.predicts_marginals]


def _score_chain(chain: RmsfChain, model: Contender) -> Score:
    protein = Protein(chain.structure.name, "ATLAS", chain.cluster, len(chain.structure))
    chosen, relation = model.of_marginals().choose(chain.structure, chain.cluster)
    try:
        dynamics, seconds = _predict(chain.structure, chosen)
    except DynaProtError as error:
        return Score(protein, model.name, {}, failure=str(error))
    labelled = np.isfinite(chain.rmsf)
    correlation = pearson(dynamics.rmsf[labelled], chain.rmsf[labelled])
    amplitude = float(dynamics.rmsf[labelled].mean() / chain.rmsf[labelled].mean())
    return Score(
        protein,
        model.name,
        {"atlas_rmsf_r": correlation, "atlas_amplitude": amplitude, "seconds": seconds},
        {"rmsf": Profile(dynamics.rmsf, chain.rmsf)},
        relation,
    )


@dataclass(frozen=True)
class _Simulation:
    """A simulation to compare with: its moments, its motions, and its frames superposed one by one on the structure."""

    structure: Structure
    labels: Labels
    motion: Motion
    frames: Array

    @classmethod
    def of(cls, structure: Structure, frames: Array) -> _Simulation:
        positions = structure.ca
        motion = Motion.in_frames(frames, positions)
        return cls(structure, labels_of(frames, positions), motion, superposed(frames, positions))

    def compare(
        self, moments: Labels | Dynamics, motion: Motion, samples: Array, generator: np.random.Generator
    ) -> tuple[dict[str, float], dict[str, Profile]]:
        """Every metric of a prediction, and its profiles; the samples must be superposed on the structure."""
        values = compare(moments.marginals, moments.coupling, self.labels)
        values |= coupling_by_range(moments.coupling, self.labels.coupling, self.structure.ca)
        values |= compare_ensembles(samples, self.frames, self.structure.ca, generator)
        values |= compare_motions(motion, self.motion)
        rmsf = [np.sqrt(np.trace(each.marginals, axis1=1, axis2=2)) for each in (moments, self.labels)]
        of_samples = Profile(fluctuation(samples), fluctuation(self.frames))
        return values, {"rmsf": Profile(*rmsf), "ensemble_rmsf": of_samples}


def _score_system(
    system: Ensemble, contenders: Sequence[Contender], samples: int, seed: int, everything: bool
) -> list[Score]:
    structure, frames = system.structure, system.frames.astype(np.float64)
    protein = Protein(
        structure.name, "MD", system.cluster, len(structure), len(frames), molecules=len(np.unique(structure.molecules))
    )
    if len(frames) < SMALLEST_ENSEMBLE:
        failure = f"{len(frames)} frames are too few; {SMALLEST_ENSEMBLE} are needed."
        return [Score(protein, each.name, {}, failure=failure) for each in contenders]
    draws = [seed, crc32(structure.name.encode())]  # the draws of a protein do not depend on the others

    own, other = (_Simulation.of(structure, half) for half in halves(frames))
    generator = np.random.default_rng(draws)
    drawn = own.frames[generator.integers(0, len(own.frames), samples)]
    values, profiles = other.compare(own.labels, own.motion, drawn, generator)
    values["unphysical"] = unphysical_share(structure, drawn)
    protein = replace(protein, agreement=values["rmsf_r"])
    scores = [Score(protein, HALVES, values, profiles)]
    if not (protein.sound or protein.complex or everything):
        return scores

    simulation = _Simulation.of(structure, frames)
    labels = simulation.labels
    for name, joint in ((EQ5, eq5_ceiling(labels)), (RECOLOURED, recoloured_anm(structure, labels))):
        scores.append(Score(protein, name, compare_motions(Motion.of(joint), simulation.motion)))

    for each in contenders:
        chosen, relation = each.choose(structure, system.cluster)
        try:
            dynamics, seconds = _predict(structure, chosen)
        except DynaProtError as error:
            scores.append(Score(protein, each.name, {}, failure=str(error)))
            continue
        start = time.perf_counter()
        conformations = dynamics.sample(samples, seed=seed)
        times = {"seconds": seconds, "ensemble_seconds": seconds + time.perf_counter() - start}
        placed = superposed(conformations, structure.ca)
        values, profiles = simulation.compare(dynamics, Motion.of(dynamics), placed, np.random.default_rng(draws))
        values |= _geometry(structure, conformations) | times
        scores.append(Score(protein, each.name, values, profiles, relation))
    return scores


def _predict(structure: Structure, model: str) -> tuple[Dynamics, float]:
    """A prediction, and the time that it took to its marginals, s."""
    start = time.perf_counter()
    dynamics = predict(structure, model)
    _ = dynamics.marginals
    return dynamics, time.perf_counter() - start


def _geometry(structure: Structure, conformations: Array) -> dict[str, float]:
    """Fraction of samples that are not possible chains, before and after restoring, and how far that moved them, Å."""
    restored = restore_geometry(structure, conformations)
    return {
        "unphysical": unphysical_share(structure, conformations),
        "unphysical_restored": unphysical_share(structure, restored),
        "restored_by": float(np.sqrt(((restored - conformations) ** 2).sum(2).mean())),
    }

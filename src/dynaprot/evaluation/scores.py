"""Every metric of every model on every protein, beside the standards that the simulations set."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..datasets.labels import Cluster, Labels, labels_of
from ..datasets.sources import Displacements, DomainSize, Ensemble, Relaxation, RmsfChain
from ..dynamics import Dynamics
from ..errors import DynaProtError
from ..metrics.ensembles import compare_ensembles, fluctuation, superposed
from ..metrics.joints import Motion, compare_motions, coupling_by_range, eq5_ceiling, recoloured_anm
from ..metrics.residues import compare, pearson, shape_cosine, spearman
from ..prediction import predict
from ..structure.chain_geometry import restore_geometry, unphysical_share
from ..structure.protein import Structure
from .contenders import Contender, Relation

__all__ = [
    "BPTI", "EQ5", "HALVES", "PUBLISHED", "RECOLOURED", "Known", "Profile", "Protein", "Score", "evaluate", "halves",
]  # fmt: skip

Array = NDArray[np.floating]
Known = RmsfChain | Displacements | Relaxation | DomainSize
"""A protein of which something other than conformations is known."""
SOURCES = {RmsfChain: "ATLAS", Displacements: "crystal", Relaxation: "NMR", DomainSize: "mdCATH"}

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
DRAWN = 200
"""Number of proteins that are drawn from each large archive."""

BPTI = "BPTI_anton"
"""Name of the simulation of BPTI, for which the paper states figures: it has a table of its own."""
PUBLISHED = "DYNAPROT, published"
PUBLISHED_OF_BPTI = {"rmsf_r": 0.88, "rmwd": 0.52, "pairwise_rmsd": 1.36, "md_pairwise_rmsd": 1.57}
"""The paper's figures, of networks that were not trained on BPTI; RMSDs are in Å (Bafna, Jing & Berger 2026)."""


@dataclass(frozen=True)
class Protein:
    """A protein that models are evaluated on.

    Attributes
    ----------
    name : str
    source : str
        ``"MD"``, ``"ATLAS"``, ``"crystal"``, ``"NMR"``, ``"mdCATH"`` or ``"BPTI"``.
    cluster : int or str
        Sequence cluster at 30 % identity.
    residues, frames : int
        There are no frames where only something else is known, as the RMSF of ATLAS.
    agreement : float or None
        Correlation of the RMSF of two halves of the simulation; not known without frames.
    molecules : int
        How many molecules it consists of.
    whole : bool
        Whether it is a whole chain; a domain of mdCATH may be cut out of one.
    """

    name: str
    source: str
    cluster: Cluster
    residues: int
    frames: int = 0
    agreement: float | None = None
    molecules: int = 1
    whole: bool = True

    @property
    def complex(self) -> bool:
        """Whether it is a complex whose simulation is long and consistent enough to be counted among complexes."""
        long_enough = self.frames >= FEWEST_FRAMES_OF_COMPLEXES and (self.agreement or 0.0) >= LEAST_AGREEMENT
        return self.molecules > 1 and long_enough

    @property
    def sound(self) -> bool:
        """Whether its simulation is long and consistent enough to be counted."""
        return self.source != "MD" or (self.frames >= FEWEST_FRAMES and (self.agreement or 0.0) >= LEAST_AGREEMENT)


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
    chains: Iterable[Known],
    contenders: Sequence[Contender],
    samples: int = SAMPLES,
    seed: int = 0,
    everything: bool = True,
    draws: Iterable[Iterator[Known]] = (),
    drawn: int = DRAWN,
) -> Iterator[list[Score]]:
    """Evaluate models on proteins, one protein at a time.

    Parameters
    ----------
    systems : iterable of Ensemble
        Simulated proteins.
    chains : iterable of RmsfChain or Relaxation
        Proteins of which something other than conformations is known.
    contenders : sequence of Contender
    samples : int
        Number of conformations that each model draws.
    seed : int
        The same seed gives the same metrics, whichever other proteins and models are evaluated.
    everything : bool
        Predict proteins too whose simulations are not sound, and which tables do not count by default.
    draws : iterable of iterator of Displacements or DomainSize
        Large sets in an order drawn by chance.
    drawn : int
        How many are evaluated of each: the first of which no model is known to have seen a relative in training.

    Yields
    ------
    list of Score
        Scores of each model, and for a simulated protein of the three standards that its simulation sets.
    """
    for system in systems:
        if system.structure.name == BPTI:
            yield _score_bpti(system, contenders, samples, seed)
        else:
            yield _score_system(system, contenders, samples, seed, everything)
    for chain in chains:
        yield _score_chain(chain, contenders)
    for draw in draws:
        unseen = (scores for chain in draw if (scores := _score_chain(chain, contenders, only_unseen=True)))
        yield from islice(unseen, drawn)


def _score_chain(chain: Known, contenders: Sequence[Contender], only_unseen: bool = False) -> list[Score]:
    """Scores of each model that predicts marginals; none, if it has to be unseen and a model has seen it."""
    structure = chain.structure
    whole = not isinstance(chain, DomainSize) or chain.whole
    protein = Protein(structure.name, SOURCES[type(chain)], chain.cluster, len(structure), whole=whole)
    asked = [each for each in contenders if each.predicts_marginals]
    choices = [each.of_marginals().choose(structure, chain.cluster) for each in asked]
    if only_unseen and any(relation is Relation.SEEN for _, relation in choices):
        return []
    scores = []
    for each, (chosen, relation) in zip(asked, choices, strict=True):
        try:
            dynamics, seconds = _predict(structure, chosen)
        except DynaProtError as error:
            scores.append(Score(protein, each.name, {}, failure=str(error)))
            continue
        profiles = {"rmsf": Profile(dynamics.rmsf, chain.rmsf)} if isinstance(chain, RmsfChain) else {}
        scores.append(Score(protein, each.name, _compare(dynamics, chain) | {"seconds": seconds}, profiles, relation))
    return scores


def _compare(dynamics: Dynamics, chain: Known) -> dict[str, float]:
    """The metrics of a prediction that what is known of the protein allows."""
    rmsf = dynamics.rmsf
    match chain:
        case RmsfChain():
            labelled = np.isfinite(chain.rmsf)
            own, true = rmsf[labelled], chain.rmsf[labelled]
            return {"atlas_rmsf_r": pearson(own, true), "atlas_amplitude": float(own.mean() / true.mean())}
        case Displacements():
            size = np.trace(chain.displacements, axis1=1, axis2=2)
            shape = shape_cosine(dynamics.marginals, chain.displacements)
            return {"crystal_size_r": spearman(rmsf, size), "crystal_shape": shape}
        case Relaxation():
            measured = np.isfinite(chain.noe)
            return {"nmr_r": spearman(rmsf[measured], 1.0 - chain.noe[measured])}
        case DomainSize():
            mean = float(rmsf.mean())
            return {
                "mdcath_rmsf": mean,
                "mdcath_amplitude": mean / chain.mean,
                "mdcath_spread": float(rmsf.std()) / mean / (chain.deviation / chain.mean),
            }


def _score_bpti(system: Ensemble, contenders: Sequence[Contender], samples: int, seed: int) -> list[Score]:
    """The figures that the paper states of BPTI, of each model, of the simulation's halves and of the paper."""
    scores = []
    for score in _score_system(system, contenders, samples, seed, everything=True):
        if score.failure or PUBLISHED_OF_BPTI.keys() <= score.values.keys():
            values = {f"bpti_{name}": score.values[name] for name in PUBLISHED_OF_BPTI if name in score.values}
            scores.append(replace(score, protein=replace(score.protein, source="BPTI"), values=values, profiles={}))
    published = {f"bpti_{name}": value for name, value in PUBLISHED_OF_BPTI.items()}
    return [*scores, Score(scores[0].protein, PUBLISHED, published)]


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
    dynamics = predict(structure, model).superposed("all")  # as the simulations are
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

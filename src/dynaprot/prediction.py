"""From a `Structure` to its `Dynamics`, by a network or by an elastic network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .dynamics import Dynamics
from .errors import PredictionError, StructureError
from .joint import ElasticJoint, FactoredJoint, Joint, SuperposedJoint
from .joint.linear_algebra import log_mean
from .network.architecture import Architecture
from .network.features import featurise
from .network.runtime import Network, choose_device, open_network
from .network.weights import LATEST, find_weights, load_weights, shipped_weights
from .notices import Notice
from .springs.elastic_networks import classic_anm, parameter_free_anm
from .springs.prior import SpringPrior
from .structure.protein import Structure

__all__ = ["ELASTIC_NETWORKS", "LARGEST", "models", "parts", "predict", "require_size"]

SMALLEST = 4
"""Residues: fewer have no internal motion in all three directions once rigid motions are projected out."""
LARGEST = 6000
"""Residues: the factor of the joint then takes 2.6 GB."""
LARGEST_OF_PAIRS = 700
"""Residues for DYNAPROT-J's pair head, which then takes 12 GB and minutes."""

ELASTIC_NETWORKS: dict[str, tuple[Callable[[Structure], ElasticJoint], str]] = {
    "prior": (lambda structure: SpringPrior.of(structure).to_joint()[0], "elastic network that the default corrects"),
    "anm": (parameter_free_anm, "elastic network, springs ~ r^-6"),
    "anm-cutoff": (classic_anm, "elastic network, equal springs within 15 Å"),
}
"""Models without learned parameters: how each makes its joint and what it is called."""


def models() -> list[str]:
    """Names that `predict` takes: ``default``, where its weights are there, other shipped weights, elastic networks."""
    default = ["default"] if all(find_weights(part) for part in parts("default")) else []
    return [*default, *(path.stem for path in shipped_weights()), *ELASTIC_NETWORKS]


def predict(structure: Structure, model: str = "default", device: str = "auto") -> Dynamics:
    """Predict how a structure moves.

    Parameters
    ----------
    structure : Structure
        All its chains are one system.
    model : str
        ``"default"``, another of `models`, or the path of a ``.safetensors`` file; or two networks with a plus between
        them. Of ``"m.safetensors+j.safetensors"``, the second predicts what the first does not, as the paper's M and J
        do. Of ``"springs+dynaprot"``, the joint of the springs is given the mean of the marginals that both predict.
        ``"anm"`` is the elastic network without parameters: the baseline, and the fallback where no weights
        are found.
    device : str
        ``"auto"`` is a GPU where PyTorch has one, else the CPU; or ``"cpu"``, or a device as PyTorch names it:
        ``"cuda"``, ``"mps"``. On the CPU, networks run in numpy, but for DYNAPROT-J's pair head, which needs PyTorch.

    Returns
    -------
    Dynamics
        Superposed on all residues, or on all but loose ones: see ``"auto"`` in `Dynamics.superposed`.

    Raises
    ------
    StructureError
        If the structure has fewer than 4 residues.
    PredictionError
        If it is too large, or the model or the device is not there.
    WeightsError
        If the weights are damaged.

    Examples
    --------
    >>> dynamics = predict(load_structure("1ade.pdb"))  # doctest: +SKIP
    """
    require_size(structure)
    return _predict(structure, model, device).superposed("auto")


def _predict(structure: Structure, model: str, device: str) -> Dynamics:
    if model in ELASTIC_NETWORKS:
        make_joint, description = ELASTIC_NETWORKS[model]
        return Dynamics(structure, make_joint(structure), description, structure.gap_notices)
    outputs: dict[str, NDArray[np.floating]] = {}
    opened, pairs = [], np.empty((2, 0), dtype=np.int64)
    for part in parts(model):
        path = find_weights(part)
        if path is None:
            if model == "default":
                return _fall_back(structure)
            raise PredictionError(
                f"There is no model '{part}'. Choose one of {', '.join(models())}, or a file (.safetensors)."
            )
        opened.append(_open(path, path.stat().st_mtime_ns if path.exists() else 0, device))
        _require_memory(structure, opened[-1])
    priors = [network.architecture.prior for network in opened if network.architecture.prior]
    if len(priors) > 1 or (priors and not all(n.architecture.prior or n.architecture.marginals for n in opened)):
        raise PredictionError(
            f"'{model}': beside a network of springs, which predicts everything, there can be one that predicts "
            "marginals, whose mean with those of the springs is taken."
        )
    for network in opened:
        features = featurise(structure, network.architecture.residue_features, network.architecture.pair_features)
        outputs = network.run(features) | outputs  # what the first predicts stays
        if network.architecture.prior:
            pairs = features.pairs
    description = f"{' + '.join(network.name for network in opened)} on {opened[0].device}"
    if priors:
        corrected = SpringPrior.of(structure, pairs, priors[0]).corrected(outputs["springs"], outputs["chain"])
        elastic, notices = corrected.to_joint(outputs.get("congruence"))
        joint: Joint = elastic
        if "marginal_factor" in outputs:
            recoloured = elastic.recoloured(log_mean(elastic.marginals, _marginals(structure, outputs)))
            joint = SuperposedJoint(recoloured, structure.ca)  # without the rigid motions that this brought in
        return Dynamics(structure, joint, description, (*structure.gap_notices, *notices))
    factored, notices = _joint_of_heads(structure, outputs)
    return Dynamics(structure, factored, description, (*structure.gap_notices, *notices))


def parts(model: str) -> list[str]:
    """The networks of a model, each by name or file: one, or those with a plus between them.

    A plus within the name of a file or a folder parts nothing: what no network is called goes on to the next plus.
    """
    model = LATEST.get(model, model)
    if Path(model).exists():
        return [model]
    found = [""]
    for piece in model.split("+"):
        if found[-1] in ELASTIC_NETWORKS or find_weights(found[-1]) is not None:
            found.append(piece)
        else:
            found[-1] += f"+{piece}" if found[-1] else piece
    return found


def require_size(structure: Structure) -> None:
    """Refuse, before anything is worked out, a structure that `predict` would refuse for its size.

    Raises
    ------
    StructureError
        If it has fewer than 4 residues.
    PredictionError
        If it is too large.
    """
    if len(structure) < SMALLEST:
        raise StructureError(
            f"{structure.name}: has {len(structure)} residues with a whole backbone; "
            f"DynaProt needs at least {SMALLEST}."
        )
    if len(structure) > LARGEST:
        raise PredictionError(
            f"{structure.name}: {len(structure)} residues are more than the {LARGEST} that fit a joint prediction in "
            "memory; predict fewer chains at a time."
        )


def _fall_back(structure: Structure) -> Dynamics:
    make_joint, description = ELASTIC_NETWORKS["anm"]
    notice = "No weights were found: this is the elastic network without learned parameters, NOT DynaProt's network."
    return Dynamics(structure, make_joint(structure), description, (*structure.gap_notices, Notice(notice, "model")))


@dataclass(frozen=True)
class _OpenNetwork:
    """A network ready to predict, what it is made of, and what to call it."""

    name: str
    architecture: Architecture
    run: Network
    device: str


@lru_cache(maxsize=4)
def _open(path: Path, changed: int, device: str) -> _OpenNetwork:
    """Load a network once; `changed` makes a rewritten file load again."""
    weights = load_weights(path)
    chosen, _ = choose_device(device)
    network = open_network(weights, chosen)
    return _OpenNetwork(weights.metadata.get("name", path.stem), weights.architecture, network, chosen)


def _require_memory(structure: Structure, network: _OpenNetwork) -> None:
    if network.architecture.coupling == "pair" and len(structure) > LARGEST_OF_PAIRS:
        raise PredictionError(
            f"{structure.name}: {len(structure)} residues are more than the {LARGEST_OF_PAIRS} whose pairs "
            f"'{network.name}' can hold in memory; predict fewer chains at a time, or choose another model."
        )


def _marginals(structure: Structure, outputs: dict[str, NDArray[np.floating]]) -> NDArray[np.floating]:
    """L L^T of each residue, in the frame of the structure: shape=(N, 3, 3), Å^2."""
    factor = structure.rotations @ outputs["marginal_factor"]
    return factor @ np.swapaxes(factor, 1, 2)


def _joint_of_heads(structure: Structure, outputs: dict[str, NDArray[np.floating]]) -> tuple[Joint, tuple[Notice, ...]]:
    """Assemble the joint from marginals and coupling; the elastic network fills in for the one that is missing."""
    if "marginal_factor" not in outputs:
        notice = "This network predicts no marginals: the elastic network stands in."
        return FactoredJoint(parameter_free_anm(structure).marginals, outputs["coupling"]), (Notice(notice, "model"),)
    marginals = _marginals(structure, outputs)
    if "coupling" in outputs:
        return FactoredJoint(marginals, outputs["coupling"]), ()
    notice = "This network predicts no coupling: the elastic network stands in."
    return parameter_free_anm(structure).recoloured(marginals), (Notice(notice, "model"),)

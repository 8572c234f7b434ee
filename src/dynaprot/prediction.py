"""From a `Structure` to its `Dynamics`, by a network or by an elastic network."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .dynamics import Dynamics
from .errors import PredictionError, StructureError
from .joint import ElasticJoint, FactoredJoint, Joint, Springs
from .joint.linear_algebra import matrix_power
from .network.features import SPRING_CUTOFF, Features, featurise
from .network.runtime import Network, choose_runtime, open_network
from .network.weights import find_weights, graph_path, load_weights, shipped_weights
from .springs.elastic_networks import classic_anm, parameter_free_anm, parameter_free_springs
from .springs.prior import Mechanics
from .structure.geometry import connected_parts
from .structure.protein import Structure

__all__ = ["ELASTIC_NETWORKS", "LARGEST", "models", "parts", "predict", "require_size"]

SMALLEST = 4
"""Residues: fewer have no internal motion in all three directions once rigid motions are projected out."""
LARGEST = 6000
"""Residues: the factor of the joint then takes 2.6 GB."""
LARGEST_OF_PAIRS = 700
"""Residues for DYNAPROT-J's pair head, which then takes 12 GB and minutes."""

ELASTIC_NETWORKS: dict[str, tuple[Callable[[Structure], ElasticJoint], str]] = {
    "anm": (parameter_free_anm, "elastic network, springs ~ r^-6"),
    "anm-cutoff": (classic_anm, "elastic network, equal springs within 15 Å"),
}
"""Models without learned parameters: how each makes its joint and what it is called."""


def models() -> list[str]:
    """Names that `predict` takes: ``default``, where its weights are there, other shipped weights, elastic networks."""
    default = ["default"] if find_weights("default") else []
    return [*default, *(path.stem for path in shipped_weights()), *ELASTIC_NETWORKS]


def predict(structure: Structure, model: str = "default", device: str = "auto") -> Dynamics:
    """Predict how a structure moves.

    Parameters
    ----------
    structure : Structure
        All its chains are one system.
    model : str
        ``"default"``, another of `models`, or the path of a ``.safetensors`` file; or two networks with a plus between
        them, as ``"m.safetensors+j.safetensors"``, of which the second predicts what the first does not, as the paper's
        M and J do. ``"anm"`` is the elastic network without parameters: the baseline, and the fallback where no weights
        are found.
    device : str
        ``"auto"`` is a GPU where PyTorch has one, else the CPU; or ``"cpu"``, or a device as PyTorch names it:
        ``"cuda"``, ``"mps"``. On the CPU, ONNX Runtime runs the network if it is there, else PyTorch.

    Returns
    -------
    Dynamics

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
    if model in ELASTIC_NETWORKS:
        make_joint, description = ELASTIC_NETWORKS[model]
        return Dynamics(structure, make_joint(structure), description)
    networks, descriptions = [], []
    for part in parts(model):
        path = find_weights(part)
        if path is None:
            if model != "default":
                raise PredictionError(
                    f"There is no model '{part}'. Choose one of {', '.join(models())}, or a file (.safetensors)."
                )
            return _fall_back(structure, "No weights were found")
        network, description, largest = _network(path, path.stat().st_mtime_ns if path.exists() else 0, device)
        if network is None:
            if model != "default":
                raise PredictionError(f"The model '{part}' cannot run: {description}. model='anm' can.")
            return _fall_back(structure, f"The network cannot run: {description}")
        if len(structure) > largest:
            raise PredictionError(
                f"{structure.name}: {len(structure)} residues are more than the {largest} whose pairs '{part}' can "
                "hold in memory; predict fewer chains at a time, or choose another model."
            )
        networks.append(network)
        descriptions.append(description)
    features = featurise(structure)
    heads: dict[str, NDArray[np.floating]] = {}
    for network in networks:
        heads = network(features) | heads  # what the first predicts stays
    if "springs" in heads and len(networks) > 1:
        raise PredictionError(f"'{model}': a network of springs predicts everything; give it alone.")
    joint, notices = _joint(structure, features, heads)
    return Dynamics(structure, joint, " + ".join(descriptions), notices)


def parts(model: str) -> list[str]:
    """The networks of a model, each by name or file: one, or those with a plus between them.

    A plus within the name of a file or a folder parts nothing: what no network is called goes on to the next plus.
    """
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


def _fall_back(structure: Structure, reason: str) -> Dynamics:
    make_joint, description = ELASTIC_NETWORKS["anm"]
    notice = f"{reason}: this is the elastic network without learned parameters, NOT DynaProt's network."
    return Dynamics(structure, make_joint(structure), description, (notice,))


@lru_cache(maxsize=4)
def _network(path: Path, changed: int, device: str) -> tuple[Network | None, str, int]:
    """Load a network once; `changed` makes a rewritten file load again.

    With it come what to call it, or where nothing can run it the reason, and the most residues that it takes.
    """
    weights = load_weights(path)
    runtime = choose_runtime(device, exported=graph_path(path).exists())
    if runtime.program is None:
        return None, runtime.reason, LARGEST
    name = weights.metadata.get("name", path.stem)
    largest = LARGEST_OF_PAIRS if weights.architecture.coupling == "pair" else LARGEST
    return open_network(weights, runtime), f"{name} on {runtime.device}", largest


def _joint(
    structure: Structure, features: Features, heads: dict[str, NDArray[np.floating]]
) -> tuple[Joint, tuple[str, ...]]:
    """Assemble the joint from the heads that the network has; the elastic network fills in for those it lacks."""
    rotations = structure.rotations
    if "springs" in heads:
        return _elastic_joint(structure, features, heads)
    if "marginal_factor" not in heads:
        notice = "This network predicts no marginals: the elastic network stands in."
        return FactoredJoint(parameter_free_anm(structure).marginals, heads["coupling"]), (notice,)
    factor = rotations @ heads["marginal_factor"]
    marginals = factor @ np.swapaxes(factor, 1, 2)
    if "coupling" in heads:
        return FactoredJoint(marginals, heads["coupling"]), ()
    # Recolour the elastic joint: J_ij = A_i P_ij A_j^T, A_i = Sigma_i^(1/2) P_ii^(-1/2), has the marginals Sigma_i.
    elastic = parameter_free_anm(structure)
    recolouring = matrix_power(marginals, 0.5) @ matrix_power(elastic.marginals, -0.5)
    notice = "This network predicts no coupling: the elastic network stands in."
    return ElasticJoint(structure.ca, elastic.springs, recolouring), (notice,)


def _elastic_joint(
    structure: Structure, features: Features, heads: dict[str, NDArray[np.floating]]
) -> tuple[ElasticJoint, tuple[str, ...]]:
    springs, coordinates = Mechanics.of(structure, features.pairs).corrected(heads["springs"], heads["chain"])
    notices: tuple[str, ...] = ()
    part = connected_parts(len(structure), springs.i, springs.j)
    if part.any():  # all in part 0 otherwise
        far_i, far_j = np.nonzero(np.triu(part[:, None] != part[None, :]))
        far = parameter_free_springs(structure.ca, far_i, far_j)
        springs = Springs(*map(np.concatenate, zip(vars(springs).values(), vars(far).values(), strict=True)))
        notices = (
            f"{len(np.unique(part))} parts of the structure lie more than {SPRING_CUTOFF:.0f} Å apart: how they move "
            "against each other is the elastic network's guess.",
        )
    congruence = None
    if "congruence" in heads:
        rotations = structure.rotations
        congruence = rotations @ heads["congruence"] @ np.swapaxes(rotations, 1, 2)
    return ElasticJoint(structure.ca, springs, congruence, coordinates), notices

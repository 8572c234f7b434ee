"""What a training run is: one record, read from TOML. `configs/` holds the bundled ones."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ..errors import TrainingDataError
from ..network.architecture import Architecture
from ..network.features import PAIR_FEATURES, RESIDUE_FEATURES
from ..springs.prior import PRIORS

__all__ = ["BUNDLED", "Augmentation", "Configuration", "Source", "bundled_configurations", "read_configuration"]

BUNDLED = Path(__file__).resolve().parent / "configs"
"""Where the configurations are that come with DynaProt."""


@dataclass(frozen=True)
class Source:
    """Where labels come from: one ``[[source]]`` table.

    Attributes
    ----------
    kind : {"md_archive", "prepared", "conformers", "crystals"}
        Simulations in one archive; a folder that `dynaprot prepare` wrote; experimental conformers, or anisotropic
        displacements, in one archive. Their layouts: the model card and docs/data.md.
    path : str
        In the folder of the data.
    share : float
        1: every epoch goes through it. Less: the probability that an example of such a source is accompanied by
        one of this.
    weight : float
        Of its loss.
    own_scale : bool
        Only directions and relative sizes are meant, not how far anything moves. Crystals never mean more.
    largest : int
        Residues; larger proteins only validate. A pass through springs costs N^3.
    most : int
        Proteins, drawn at random; 0 for all.
    """

    kind: Literal["md_archive", "prepared", "conformers", "crystals"]
    path: str
    share: float = 1.0
    weight: float = 1.0
    own_scale: bool = False
    largest: int = 600
    most: int = 0


@dataclass(frozen=True)
class Augmentation:
    """How an example differs from one step to the next: the ``[augmentation]`` table.

    Attributes
    ----------
    frames : float
        Probability that the network sees a frame of the ensemble in place of the reference.
    position_noise : float
        Standard deviation of each coordinate of each backbone frame, Å.
    rotation_noise : float
        Standard deviation of each component of its turn, degrees.
    crop : int
        Residues; a larger protein is cut down to so many. 0 for never, as springs want it: an elastic network of a part
        moves otherwise than the part does.
    crop_shape : {"space", "sequence"}
        The residues nearest one drawn at random, or a stretch along the chain.
    """

    frames: float = 0.0
    position_noise: float = 0.0
    rotation_noise: float = 0.0
    crop: int = 0
    crop_shape: Literal["space", "sequence"] = "space"


@dataclass(frozen=True)
class Configuration:
    """How networks are trained: the top level of the file.

    Attributes
    ----------
    architecture : Architecture
        Of each network.
    source : tuple of Source
    augmentation : Augmentation
    about : str
        What to say of the data and their licences in the header of the weights.
    data : str
        Folder that the sources lie in, from where the command is given.
    rmsf_archive : str
        RMSF of chains that validate and are never trained on, nor is anything of their clusters. Empty for none.
    split : str
        JSON of `dynaprot prepare` in the folder of the data: ``train`` trains, ``validation`` is held out, ``test`` is
        not looked at. Empty to deal sequence clusters into folds.
    folds, members : int
        Parts that clusters are dealt into, and how many networks are trained, each without one of the parts. Several
        are a committee.
    losses : {"full", "paper", "squared"}
        See `losses`.
    shrinkage : float
        Weight of the mean squared log stiffness beside the loss: a pull towards the parameter-free elastic network.
    seed : int
    epochs : int
    per_cluster : int
        Proteins of a cluster in an epoch, drawn by trust; 0 for all.
    batch : int
        Proteins of sources with share 1 in a step, over all processes.
    rate, decay : float
        Of AdamW.
    warm_up : int
        Steps in which the rate rises; it then falls along a cosine to a fiftieth.
    clip : float
        Largest norm of a gradient.
    memory : int
        Steps over which the weights that are kept are averaged.
    judge_every : int
        Epochs between looks at what is held out; 0 for only one, when training has ended, where looks cost much.
    patience : int
        Looks without a smaller loss on what is held out after which training stops, and the best weights are kept.
        0: all epochs, the last weights.
    precision : {"float32", "bfloat16"}
        Of the network's forward pass on a GPU; covariances are always in single or double.
    checkpoint : int
        Steps between checkpoints.
    tensorboard : bool
        Write curves, with the package `tensorboard`.
    """

    architecture: Architecture
    source: tuple[Source, ...]
    augmentation: Augmentation = field(default_factory=Augmentation)
    about: str = ""
    data: str = "."
    rmsf_archive: str = ""
    split: str = ""
    folds: int = 5
    members: int = 5
    losses: Literal["full", "paper", "squared"] = "full"
    shrinkage: float = 0.0
    seed: int = 0
    epochs: int = 16
    per_cluster: int = 2
    batch: int = 1
    rate: float = 2e-3
    decay: float = 1e-3
    warm_up: int = 50
    clip: float = 1.0
    memory: int = 200
    judge_every: int = 1
    patience: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    checkpoint: int = 100
    tensorboard: bool = False

    @classmethod
    def of(cls, table: Mapping[str, Any], where: str = "configuration") -> Configuration:
        """Check a table as TOML or JSON gives it.

        Raises
        ------
        TrainingDataError
            If a key is unknown or missing, or a value of the wrong kind.
        """
        found = dict(table)
        found["architecture"] = _architecture(found.get("architecture"), f"{where}, [architecture]")
        found["augmentation"] = _record(Augmentation, found.get("augmentation", {}), f"{where}, [augmentation]")
        sources = found.get("source")
        if not isinstance(sources, list) or not sources:
            raise TrainingDataError(f"{where}: names no [[source]] to learn from.")
        found["source"] = tuple(_record(Source, source, f"{where}, [[source]]") for source in sources)
        configuration = _record(cls, found, where)
        if not any(source.share == 1.0 for source in configuration.source):
            raise TrainingDataError(f"{where}: no [[source]] has share = 1, which an epoch would go through.")
        if not 1 <= configuration.members <= max(configuration.folds, 1):
            raise TrainingDataError(f"{where}: members must be from 1 to folds = {configuration.folds}.")
        if configuration.judge_every < 0 or (configuration.patience and not configuration.judge_every):
            raise TrainingDataError(f"{where}: judge_every is 1 or more, or 0, which leaves patience nothing to go by.")
        return configuration


def _architecture(table: Any, where: str) -> Architecture:
    """A network's shape; its features are named one by one, or ``"all"``."""
    found = dict(table) if isinstance(table, Mapping) else table
    for key, known in (("residue_features", RESIDUE_FEATURES), ("pair_features", PAIR_FEATURES)):
        if isinstance(found, dict) and key in found:
            names = list(known) if found[key] == "all" else found[key]
            unknown = [name for name in names if name not in known] if isinstance(names, list) else [names]
            if unknown:
                raise TrainingDataError(
                    f"{where}: '{key}' is \"all\" or a list of names; {unknown[0]!r} is not one of {', '.join(known)}."
                )
            found[key] = tuple(names)
    architecture = _record(Architecture, found, where)
    if architecture.prior and architecture.prior not in PRIORS:
        raise TrainingDataError(f"{where}: 'prior' is one of {', '.join(PRIORS)}, not {architecture.prior!r}.")
    return architecture


Record = TypeVar("Record")


def _record(kind: type[Record], table: Any, where: str) -> Record:
    """An instance of a dataclass from a table whose keys and values are checked."""
    if not isinstance(table, Mapping):
        raise TrainingDataError(f"{where}: this table is missing.")
    hints, known = get_type_hints(kind), [option.name for option in fields(kind)]  # type: ignore[arg-type]
    for name, value in table.items():
        if name not in known:
            raise TrainingDataError(f"{where}: unknown key '{name}'. There are {', '.join(known)}.")
        hint = hints[name]
        if get_origin(hint) is Literal:
            if value not in get_args(hint):
                choices = ", ".join(f'"{choice}"' for choice in get_args(hint))
                raise TrainingDataError(f"{where}: '{name}' is one of {choices}, not {value!r}.")
        elif hint in (bool, int, float, str):
            # True is an int to Python; 1 is a float to people.
            fits = type(value) is hint or (hint is float and type(value) is int)
            if not fits:
                raise TrainingDataError(f"{where}: '{name}' must be of type {hint.__name__}, not {value!r}.")
    try:
        return kind(**table)
    except TypeError as error:
        raise TrainingDataError(f"{where}: a key is missing ({error}).") from error


def bundled_configurations() -> list[str]:
    """Names of the configurations that come with DynaProt."""
    return sorted(path.stem for path in BUNDLED.glob("*.toml"))


def read_configuration(name: str) -> Configuration:
    """Read a TOML file, or a bundled configuration by its name.

    Raises
    ------
    TrainingDataError
        If it is missing, no TOML, or says something that is not understood.
    """
    path = Path(name) if name.endswith(".toml") else BUNDLED / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        bundled = ", ".join(bundled_configurations())
        raise TrainingDataError(f"{name}: is no .toml file here and not one of {bundled}.") from error
    except (OSError, ValueError) as error:
        raise TrainingDataError(f"{path}: cannot be read as TOML ({error}).") from error
    return Configuration.of(table, str(path))

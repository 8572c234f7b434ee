"""The configuration of a training: one record, read from TOML. The bundled ones are in `configs/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ..errors import TrainingDataError
from ..network.architecture import Architecture
from ..network.features import FEATURE_SETS, PAIR_FEATURES, RESIDUE_FEATURES
from ..springs.prior import PRIORS

__all__ = ["BUNDLED", "Augmentation", "Configuration", "TrainingSource", "bundled_configurations", "read_configuration"]

BUNDLED = Path(__file__).resolve().parent / "configs"
"""Folder of the configurations that come with DynaProt."""


@dataclass(frozen=True)
class TrainingSource:
    """A folder of proteins that `dynaprot prepare` wrote, and which of them are used: a ``[[source]]`` table.

    Attributes
    ----------
    path : str
        The folder, within that of the data.
    probability : float
        1: every epoch goes through the source. Less: the probability that an example of such a source is accompanied
        by one of this source.
    start : float
        Fraction of the epochs after which the source comes in; 0 from the first one on.
    weight : float
        Weight of its loss.
    scale_free : bool
        Compare only directions and relative sizes, not how far anything moves. Crystals are never compared otherwise.
    exclude : tuple of str
        Names to leave out, as shell patterns: ``"*ApoE*"``.
    min_residues, max_residues : int
        Smallest and largest protein; a pass through springs costs N^3. 0 for no limit.
    min_conformations : int
        Conformations that an ensemble must have.
    min_split_half_r : float
        Least correlation of the RMSF of the two halves of an ensemble; 0 for no limit.
    max_rmsf : float
        Largest root mean square fluctuation of a whole protein, Å; 0 for no limit.
    broken_chains : bool
        Use proteins whose chain is broken too.
    rebuilt_backbones : bool
        Use proteins too whose N and C were rebuilt from C-alphas.
    max_per_cluster : int
        Proteins of each sequence cluster, the best sampled ones; 0 for all.
    max_proteins : int
        Proteins, drawn at random; 0 for all.
    """

    path: str
    probability: float = 1.0
    start: float = 0.0
    weight: float = 1.0
    scale_free: bool = False
    exclude: tuple[str, ...] = ()
    min_residues: int = 0
    max_residues: int = 600
    min_conformations: int = 0
    min_split_half_r: float = 0.0
    max_rmsf: float = 0.0
    broken_chains: bool = True
    rebuilt_backbones: bool = True
    max_per_cluster: int = 0
    max_proteins: int = 0


@dataclass(frozen=True)
class Augmentation:
    """How an example differs from one step to the next: the ``[augmentation]`` table.

    Attributes
    ----------
    frames : float
        Probability that the network is given a frame of the ensemble in place of the reference.
    gaps : float
        Probability that a stretch of the chain is cut out of the structure, and its labels with it: the rest moves as
        it does in the whole, and the network learns what the ends of a gap do.
    position_noise : float
        Standard deviation of each coordinate of each backbone frame, Å.
    rotation_noise : float
        Standard deviation of each component of the rotation of each frame, degrees.
    crop : int
        Residues to which a larger protein is cut, as a stretch of its sequence, whose features stay those of the whole.
        0 for no crops, as springs need it: the elastic network of a part does not move as that part of the whole does.
    """

    frames: float = 0.0
    gaps: float = 0.0
    position_noise: float = 0.0
    rotation_noise: float = 0.0
    crop: int = 0


@dataclass(frozen=True)
class Configuration:
    """How networks are trained: the top level of the file.

    Attributes
    ----------
    architecture : Architecture
        Architecture of each network.
    source : tuple of TrainingSource
    augmentation : Augmentation
    about : str
        Description of the data and their licences, for the header of the weights.
    data : str
        Folder of the sources, relative to the working directory; empty where the command has to name it (``--data``).
    data_needed : str
        What a message says where data are missing: which data these are, and how their folders are made.
    rmsf_archive : str
        Archive of chains whose RMSF validates. Nothing of their sequence clusters is trained on. Empty for none.
    split : str
        Split of `dynaprot prepare` in the folder of the data: ``train`` trains, ``validation`` is held out, ``test`` is
        not used. Empty to assign sequence clusters to folds.
    held_out : tuple of str
        Sequence clusters that are not trained on and that validate, in place of folds.
    folds, members : int
        Number of folds, and number of networks, each of which is trained without one of the folds. Several networks are
        a committee.
    losses : {"full", "paper", "squared", "divergence"}
        See `losses`.
    shrinkage : float
        Weight of the mean squared log stiffness in the loss, which pulls towards the parameter-free elastic network.
    seed : int
    epochs : int
    per_cluster : int
        Proteins of a cluster in an epoch, drawn by trust; 0 for all.
    batch : int
        Proteins in a step, of sources with probability 1, over all processes.
    batch_residues : int
        Residues in a step, in place of a number of proteins: few long ones or many short ones. 0 for `batch`.
    learning_rate, weight_decay : float
        Parameters of AdamW.
    warm_up : int
        Steps in which the learning rate rises; it then falls along a cosine to a fiftieth.
    grad_clip : float
        Largest norm of a gradient.
    ema_steps : int
        Steps over which the weights that are kept are averaged.
    validate_every : int
        Epochs between validations on what is held out; 0 to validate only when training has ended.
    patience : int
        Validations without a smaller loss after which training stops and the best weights are kept. 0: train for all
        epochs and keep the last weights.
    precision : {"float32", "bfloat16"}
        Precision of the network's forward pass on a GPU; covariances are always in single or double precision.
    half : bool
        Store the trained weights in half precision: half as large, with a relative error of 5e-4 or less in each.
    checkpoint : int
        Steps between checkpoints.
    tensorboard : bool
        Write curves, with the package `tensorboard`.
    """

    architecture: Architecture
    source: tuple[TrainingSource, ...]
    augmentation: Augmentation = field(default_factory=Augmentation)
    about: str = ""
    data: str = ""
    data_needed: str = ""
    rmsf_archive: str = ""
    split: str = ""
    held_out: tuple[str, ...] = ()
    folds: int = 5
    members: int = 5
    losses: Literal["full", "paper", "squared", "divergence"] = "full"
    shrinkage: float = 0.0
    seed: int = 0
    epochs: int = 16
    per_cluster: int = 2
    batch: int = 1
    batch_residues: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    warm_up: int = 50
    grad_clip: float = 1.0
    ema_steps: int = 200
    validate_every: int = 1
    patience: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    half: bool = False
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
            raise TrainingDataError(f"{where}: has no [[source]] to learn from.")
        found["source"] = tuple(_record(TrainingSource, source, f"{where}, [[source]]") for source in sources)
        configuration = _record(cls, found, where)
        leading = [source for source in configuration.source if source.probability == 1.0]
        if any(source.start for source in leading):
            raise TrainingDataError(f"{where}: a [[source]] with probability = 1 is used from the start.")
        if not leading:
            raise TrainingDataError(f"{where}: no [[source]] has probability = 1, through which an epoch would go.")
        if not 1 <= configuration.members <= max(configuration.folds, 1):
            raise TrainingDataError(f"{where}: members must be from 1 to folds = {configuration.folds}.")
        if configuration.validate_every < 0 or (configuration.patience and not configuration.validate_every):
            raise TrainingDataError(f"{where}: validate_every must be 1 or more; it may be 0 where patience = 0.")
        return configuration


def _architecture(table: Any, where: str) -> Architecture:
    """A network's shape; its features are named one by one, or as one of `FEATURE_SETS`."""
    found = dict(table) if isinstance(table, Mapping) else table
    for key, known in (("residue_features", RESIDUE_FEATURES), ("pair_features", PAIR_FEATURES)):
        if isinstance(found, dict) and key in found:
            names = found[key]
            if isinstance(names, str) and names in FEATURE_SETS:
                names = list(FEATURE_SETS[names][key])
            unknown = [name for name in names if name not in known] if isinstance(names, list) else [names]
            if unknown:
                raise TrainingDataError(
                    f"{where}: '{key}' must be one of {', '.join(FEATURE_SETS)}, or a list of names; {unknown[0]!r} is "
                    f"not one of {', '.join(known)}."
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
        elif hint == tuple[str, ...]:
            if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
                raise TrainingDataError(f"{where}: '{name}' must be a list of texts, not {value!r}.")
        elif hint in (bool, int, float, str):
            # True is an int to Python; 1 is a float to people.
            fits = type(value) is hint or (hint is float and type(value) is int)
            if not fits:
                raise TrainingDataError(f"{where}: '{name}' must be of type {hint.__name__}, not {value!r}.")
    try:
        return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in table.items()})
    except TypeError as error:
        raise TrainingDataError(f"{where}: a key is missing ({error}).") from error


def bundled_configurations() -> list[str]:
    """Names of the configurations that come with DynaProt."""
    return sorted(path.stem for path in BUNDLED.glob("*.toml"))


def read_configuration(name: str) -> Configuration:
    """Read a TOML file, or a bundled configuration by its name.

    A file with ``base = "dynaprot"`` has the values of that configuration wherever it gives none itself.

    Raises
    ------
    TrainingDataError
        If it is missing, not TOML, or has unknown keys or values.
    """
    return Configuration.of(_table(name), name)


def _table(name: str) -> dict[str, Any]:
    """The values of a TOML file and of the bundled configuration that it is based on."""
    path = Path(name) if name.endswith(".toml") else BUNDLED / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        bundled = ", ".join(bundled_configurations())
        raise TrainingDataError(f"{name}: is neither a .toml file here nor one of {bundled}.") from error
    except (OSError, ValueError) as error:
        raise TrainingDataError(f"{path}: cannot be read as TOML ({error}).") from error
    base = table.pop("base", None)
    if base is not None and base not in bundled_configurations():
        raise TrainingDataError(f"{path}: 'base' is one of {', '.join(bundled_configurations())}, not {base!r}.")
    return table if base is None else _table(base) | table

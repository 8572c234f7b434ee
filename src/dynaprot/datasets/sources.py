"""Where labels come from: simulations, models, conformers and crystals, each read into one of two forms.

`find_sources` looks at names alone and is quick; the reading is done later, protein by protein, by `Source.read`.
mdtraj and h5py are imported only where a trajectory is read.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import gemmi
import numpy as np
from numpy.typing import NDArray

from ..errors import StructureError, TrainingDataError
from ..notices import Notice
from ..structure import Structure
from ..structure.completion import corrected_backbone
from ..structure.documents import read_document
from ..structure.files import load_structure
from ..structure.residues import one_letter_code
from ..structure.rigid_residues import residue_rotations
from ..structure.superposition import superpose_ensemble
from .alignment import align
from .labels import Cluster

__all__ = [
    "Displacements", "DomainSize", "Ensemble", "Relaxation", "RmsfChain", "Source", "StructureAlone", "draw_crystals",
    "draw_domains", "find_sources", "find_structures", "read_ensembles", "read_relaxation", "read_rmsf_chains",
]  # fmt: skip

Array = NDArray[np.floating]
Indices = NDArray[np.int64]
Drawn = TypeVar("Drawn")

REPLICA = re.compile(r"(?P<name>.+?)_(?:prod_)?R(?P<replica>\d+)(?P<fitted>_fit)?\.xtc")
STRUCTURE_FILES = (".pdb", ".ent", ".cif", ".mmcif")
BACKBONE = ("N", "CA", "C")

AT_ONCE = 200
"""Frames read together, so that a simulation is never in memory with all its atoms."""
WITH_BACKBONE = 50
"""Frames of a trajectory from one whose N and C are kept to the next."""
BACKBONES = 16
"""Number of frames in which N and C are rebuilt where only C-alphas are known."""
LONGEST_STEP = 10.0
"""Å between bonded residues' C-alphas (3.8 in a chain) above which the molecule was torn apart."""

SAME_PROTEIN = 0.9
"""Fraction of equal letters among matched residues from which two chains are conformers of one protein."""
COVERAGE = 0.8
"""Fraction of the reference's residues that a conformer must have: each missing one is lost to all."""

LONGEST_DRAWN = 300
"""Residues of the longest proteins that are drawn from a large archive."""

ATLAS_LICENCE = "CC BY-NC 4.0 (ATLAS)"
MDCATH_LICENCE = "CC BY 4.0 (mdCATH)"
UNSTATED = "unstated"


@dataclass(frozen=True)
class Ensemble:
    """Conformations of one protein.

    Attributes
    ----------
    structure : Structure
        The reference.
    frames : ndarray, shape=(F, N, 3)
        C-alpha positions, Å, not superposed.
    trajectory : ndarray, shape=(F,), dtype=int
        Number of the trajectory of each frame, in the order of time; each independent conformer has its own.
    backbones : ndarray, shape=(B, N, 3, 3)
        N, CA and C of some of the frames.
    backbone_frames : ndarray, shape=(B,), dtype=int
        Indices of these frames.
    kind : str
        As in `PreparedProtein`.
    cluster : int or str
        Sequence cluster, where the source states it, else empty.
    split_half_rmsf_r : float
        As in `PreparedProtein`, where the source states it, else NaN.
    backbone_rebuilt : bool
        Whether N and C of the reference were rebuilt from C-alphas.
    """

    structure: Structure
    frames: Array
    trajectory: Indices
    backbones: Array
    backbone_frames: Indices
    kind: str
    cluster: Cluster = ""
    split_half_rmsf_r: float = float("nan")
    backbone_rebuilt: bool = False


@dataclass(frozen=True)
class Displacements:
    """Anisotropic displacements U of each C-alpha of a crystal, shape=(N, 3, 3), Å^2, in the structure's frame."""

    structure: Structure
    displacements: Array
    cluster: Cluster = ""


@dataclass(frozen=True)
class StructureAlone:
    """A structure of whose motion nothing is said."""

    structure: Structure
    cluster: Cluster = ""


@dataclass(frozen=True)
class RmsfChain:
    """A chain of which only the RMSF is known.

    Attributes
    ----------
    structure : Structure
    rmsf : ndarray, shape=(N,)
        Å, NaN where it is not known. Of ATLAS: the mean over three simulations of 100 ns.
    cluster : int
        Sequence cluster.
    """

    structure: Structure
    rmsf: Array
    cluster: int


@dataclass(frozen=True)
class Relaxation:
    """A protein whose backbone's fast motion was measured by NMR.

    Attributes
    ----------
    structure : Structure
    noe : ndarray, shape=(N,)
        Heteronuclear NOE of each N-H, about 0.8 where it is rigid and less where it moves; NaN where not measured.
    cluster : str
        Its name: each protein stands for itself.
    """

    structure: Structure
    noe: Array
    cluster: str


@dataclass(frozen=True)
class DomainSize:
    """A simulated domain of which only the size of its motion and the spread along the chain are known.

    Attributes
    ----------
    structure : Structure
    mean, deviation : float
        Mean and standard deviation of the RMSF over residues, Å.
    whole : bool
        Whether it is a whole chain, and not cut out of a longer one.
    cluster : int
        Sequence cluster.
    """

    structure: Structure
    mean: float
    deviation: float
    whole: bool
    cluster: int


@dataclass(frozen=True)
class Source:
    """Where the motion of one protein is described.

    Attributes
    ----------
    name : str
        Name of the protein, fit for a file's name.
    description, licence : str
        Texts for people.
    read : callable
        Reads the data, or raises where they are broken. What it gives `prepare.prepare_protein` knows.
    """

    name: str
    description: str
    licence: str
    read: Callable[[], Any]

    def explain(self, error: Exception) -> str:
        """An error that `read` raised, in one line without the protein's name."""
        return " ".join(str(error).split()).removeprefix(f"{self.name}: ") or type(error).__name__


def find_sources(
    paths: Iterable[Path],
    *,
    topology: Path | None = None,
    conformers: bool = False,
    temperature: int = 320,
    licence: str | None = None,
) -> list[Source]:
    """List the proteins that files and folders hold.

    Parameters
    ----------
    paths : iterable of Path
        Trajectories in the layout of ATLAS, its zips, mdCATH's ``.h5``, PDB and mmCIF files, packed ``.npz`` archives,
        or folders with any of these.
    topology : Path, optional
        The paths are trajectories of this one molecule, of any format that mdtraj reads.
    conformers : bool
        All chains and models under each path are conformers of one protein, where their sequence is the same.
    temperature : int
        Temperature to take from mdCATH, K.
    licence : str, optional
        Licence of the data, in place of the one that ATLAS, mdCATH or the archive states.

    Returns
    -------
    list of Source
        In the order of the paths.

    Raises
    ------
    TrainingDataError
        If a path does not exist or holds no known kind of data, or if two proteins have the same name.
    """
    paths = list(paths)
    for path in (*paths, *([topology] if topology else [])):
        if not path.exists():
            raise TrainingDataError(f"{path}: no such file or folder.")
    if topology is not None:
        read = partial(_read_trajectories, topology, tuple(paths))
        description = f"{', '.join(path.name for path in paths)} of {topology.name}"
        sources = [Source(_name(topology), description, UNSTATED, read)]
    elif conformers:
        sources = [Source(_name(path), path.name, UNSTATED, partial(_read_conformers, path)) for path in paths]
    else:
        sources = []
        for path in paths:
            found = list(_in_files(sorted(path.rglob("*")) if path.is_dir() else [path], temperature))
            if not found:
                raise TrainingDataError(
                    f"{path}: holds no trajectory in ATLAS's layout, zip, mdCATH .h5, structure file or archive."
                )
            sources += found
    return _named_once(sources, licence)


def find_structures(paths: Iterable[Path], *, licence: str | None = None) -> list[Source]:
    """List the structures that files, folders and archives hold, whatever is known of their motion.

    Parameters
    ----------
    paths : iterable of Path
        PDB and mmCIF files, packed ``.npz`` archives with backbones, or folders with any of these.
    licence : str, optional
        As in `find_sources`.

    Raises
    ------
    TrainingDataError
        As in `find_sources`.
    """
    sources: list[Source] = []
    for path in paths:
        if not path.exists():
            raise TrainingDataError(f"{path}: no such file or folder.")
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        found = [source for file in files for source in _structures_in(file)]
        if not found:
            raise TrainingDataError(f"{path}: holds no structure file and no archive of backbones.")
        sources += found
    return _named_once(sources, licence)


def _structures_in(file: Path) -> Iterator[Source]:
    if file.suffix == ".npz":
        yield from _in_archive(file, ("N", "CA", "C", "seq"), _read_backbone)
    elif _is_structure(file):
        yield Source(_name(file), file.name, UNSTATED, partial(_read_structure_alone, file))


def _read_structure_alone(path: Path) -> StructureAlone:
    return StructureAlone(load_structure(path))


def _named_once(sources: list[Source], licence: str | None) -> list[Source]:
    twice = [name for name, number in Counter(source.name for source in sources).items() if number > 1]
    if twice:
        raise TrainingDataError(
            f"{', '.join(twice[:5])}: found more than once in the sources; prepare them into separate folders."
        )
    return [replace(source, licence=licence) for source in sources] if licence else sources


def _in_files(files: Sequence[Path], temperature: int) -> Iterator[Source]:
    """Sources among some files; the topology of a trajectory is not a source itself."""
    simulated = _replicas(str(file) for file in files)
    for stem, replicas in simulated.items():
        topology = Path(f"{stem}.pdb")
        description = ", ".join(Path(replica).name for replica in replicas)
        read = partial(_read_trajectories, topology, tuple(map(Path, replicas)))
        yield Source(_name(topology), description, ATLAS_LICENCE, read)
    for file in files:
        if file.suffix == ".zip":
            yield from _in_zip(file)
        elif file.suffix == ".h5":
            name = _name(file).removeprefix("mdcath_dataset_")
            description = f"{file.name} at {temperature} K"
            yield Source(name, description, MDCATH_LICENCE, partial(_read_mdcath, file, temperature))
        elif file.suffix == ".npz":
            yield from _in_archive(file, ("frames", "U"), _read_archive)
        elif _is_structure(file) and str(file.with_suffix("")) not in simulated:
            yield Source(_name(file), file.name, UNSTATED, partial(_read_structure, file))


def _replicas(files: Iterable[str]) -> dict[str, list[str]]:
    """Trajectories by the path of their molecule without its ending; a fitted one is preferred to its original."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for file in sorted(files):
        match = REPLICA.fullmatch(file)
        if match and (match["fitted"] or int(match["replica"]) not in found[match["name"]]):
            found[match["name"]][int(match["replica"])] = file
    return {name: [replicas[number] for number in sorted(replicas)] for name, replicas in found.items()}


def _in_zip(path: Path) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(path) as archive:
            molecules = _replicas(archive.namelist())
    except zipfile.BadZipFile:
        molecules = {_name(path): []}  # `read` finds the same fault and reports it
    for stem, replicas in molecules.items():
        description = ", ".join([path.name, *(PurePosixPath(replica).name for replica in replicas)])
        read = partial(_read_zip, path, f"{stem}.pdb", tuple(replicas))
        yield Source(PurePosixPath(stem).name, description, ATLAS_LICENCE, read)


def _in_archive(path: Path, any_of: Sequence[str], read: Callable[[Path, int], Any]) -> Iterator[Source]:
    """Sources in an archive that has one of some arrays."""
    with _opened(path) as file:
        if "offset" not in file or not any(name in file for name in any_of):
            return
        names = file["name"]
        licences = file["licence"] if "licence" in file else np.full(len(names), UNSTATED)
        origins = file["source"] if "source" in file else np.full(len(names), "")
    for k, (name, licence, origin) in enumerate(zip(names, licences, origins, strict=True)):
        description = ", ".join(filter(None, [path.name, str(origin)]))
        yield Source(_file_name(str(name)), description, str(licence), partial(read, path, k))


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)


def _name(path: Path) -> str:
    return path.name if path.is_dir() else Path(path.name.removesuffix(".gz")).stem


def _is_structure(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(STRUCTURE_FILES)


# Simulations -------------------------------------------------------------------------------------------------------


def _require(package: str) -> Any:
    try:
        return import_module(package)
    except ImportError as error:
        raise TrainingDataError(
            f'Simulations are read with {package}, which is not installed: pip install "dynaprot[train]"'
        ) from error


def _read_trajectories(topology: Path, trajectories: Sequence[Path]) -> Ensemble:
    mdtraj = _require("mdtraj")
    if not topology.is_file():
        raise TrainingDataError(f"{topology}: is missing beside its trajectories.")
    if _is_structure(topology) or topology.suffix == ".gro":
        molecule = mdtraj.load(str(topology))[0]
    else:  # a topology without coordinates: the simulation's first frame is the reference
        molecule = mdtraj.load_frame(str(trajectories[0]), 0, top=str(topology))
    structure, atoms = _reference(molecule, _name(topology))

    def frames(path: Path) -> Iterator[Array]:
        for chunk in mdtraj.iterload(str(path), top=molecule.topology, chunk=AT_ONCE, atom_indices=atoms.ravel()):
            yield 10.0 * chunk.xyz  # nm

    return _stream(structure, {path.name: partial(frames, path) for path in trajectories})


def _read_zip(path: Path, topology: str, trajectories: Sequence[str]) -> Ensemble:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        for member in (topology, *trajectories):
            if member not in archive.namelist():
                raise TrainingDataError(f"{path}: holds no {member} beside its trajectories.")
            archive.extract(member, folder)
        inside = [Path(folder, trajectory) for trajectory in trajectories]
        return _read_trajectories(Path(folder, topology), inside)


def _read_mdcath(path: Path, temperature: int) -> Ensemble:
    """One domain: PDB text, and Å by ``<domain>/<temperature>/<replica>/coords`` (Mirarchi et al. 2024)."""
    h5py, mdtraj = _require("h5py"), _require("mdtraj")
    with h5py.File(path, "r") as file:
        domain = file[next(iter(file))]
        if "pdbProteinAtoms" not in domain:
            raise TrainingDataError(f"{path}: has no pdbProteinAtoms; is it from mdCATH?")
        if str(temperature) not in domain:
            known = ", ".join(sorted(key for key in domain if key.isdigit()))
            raise TrainingDataError(f"{path}: has no simulation at {temperature} K; it has {known or 'none'}.")
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder, "protein.pdb")
            text.write_bytes(domain["pdbProteinAtoms"][()])
            molecule = mdtraj.load(str(text))
        structure, atoms = _reference(molecule, _name(path).removeprefix("mdcath_dataset_"))

        def frames(replica: str) -> Iterator[Array]:
            positions = domain[str(temperature)][replica]["coords"]
            for start in range(0, len(positions), AT_ONCE):
                yield positions[start : start + AT_ONCE][:, atoms.ravel()]

        replicas = sorted(domain[str(temperature)], key=int)
        return _stream(structure, {f"replica {replica}": partial(frames, replica) for replica in replicas})


def _reference(molecule: Any, name: str) -> tuple[Structure, Indices]:
    """Residues with a backbone of an mdtraj trajectory's first frame, and their atoms N, CA, C: shape=(N, 3)."""
    residues, atoms = [], []
    for residue in molecule.topology.residues:
        found = {atom.name: atom.index for atom in residue.atoms}
        if found.keys() >= set(BACKBONE):
            residues.append(residue)
            atoms.append([found[name] for name in BACKBONE])
    if not residues:
        raise TrainingDataError(f"{name}: the topology has no residue with N, CA and C.")
    positions = 10.0 * molecule.xyz[0][np.array(atoms)].astype(np.float64)
    structure = Structure.from_arrays(
        positions[:, 0],
        positions[:, 1],
        positions[:, 2],
        "".join(one_letter_code(residue.name) for residue in residues),
        chain_ids=[residue.chain.chain_id or str(residue.chain.index) for residue in residues],
        residue_ids=[residue.resSeq for residue in residues],
        residue_names=[residue.name for residue in residues],
        name=name,
    )
    return structure, np.array(atoms)


def _stream(structure: Structure, trajectories: dict[str, Callable[[], Iterator[Array]]]) -> Ensemble:
    """Read trajectories of backbone atoms, shape=(F, 3N, 3), piece by piece; broken ones are left out with a notice."""
    frames: list[Array] = []
    backbones: list[Array] = []
    lengths: list[int] = []
    notices: list[str] = []
    for name, read in trajectories.items():
        try:
            alphas, some = _read_one(structure, read())
        except Exception as error:  # the readers of other packages raise anything
            notices.append(f"Left out {name}: {' '.join(str(error).split())[:200] or type(error).__name__}.")
            continue
        lengths.append(len(alphas))
        frames.append(alphas)
        backbones.append(some)
    if not frames:
        raise TrainingDataError(f"{structure.name}: no trajectory can be read. {' '.join(notices)}")
    starts = np.cumsum([0, *lengths[:-1]])
    return Ensemble(
        replace(structure, notices=structure.notices + tuple(Notice(notice, "ignored") for notice in notices)),
        np.concatenate(frames),
        np.repeat(np.arange(len(lengths)), lengths),
        np.concatenate(backbones),
        np.concatenate(
            [start + np.arange(0, length, WITH_BACKBONE) for start, length in zip(starts, lengths, strict=True)]
        ),
        "simulation",
    )


def _read_one(structure: Structure, pieces: Iterable[Array]) -> tuple[Array, Array]:
    """C-alphas of every frame of one trajectory, and the whole backbone in some of them."""
    alphas, backbones = [], []
    bonded = np.flatnonzero(structure.next_residue >= 0)
    read = 0
    for piece in pieces:
        piece = piece.reshape(len(piece), len(structure), 3, 3)
        alpha = piece[:, :, 1].astype(np.float32)
        if not np.isfinite(piece).all():
            raise TrainingDataError(f"a coordinate is not finite within frames {read} to {read + len(piece)}")
        steps = np.linalg.norm(alpha[:, structure.next_residue[bonded]] - alpha[:, bonded], axis=2)
        if steps.max(initial=0.0) > LONGEST_STEP:
            residue = structure.residue_label(bonded[steps.max(0).argmax()])
            raise TrainingDataError(
                f"the chain is torn after residue {residue} within frames {read} to {read + len(piece)}; make the "
                "molecule whole across the periodic box first"
            )
        alphas.append(alpha)
        backbones.append(piece[-read % WITH_BACKBONE :: WITH_BACKBONE].astype(np.float32))
        read += len(piece)
    if read == 0:
        raise TrainingDataError("it holds no frame")
    return np.concatenate(alphas), np.concatenate(backbones)


# Structure files ---------------------------------------------------------------------------------------------------


def _read_structure(path: Path) -> Ensemble | Displacements:
    """Several models are an ensemble; one model with ANISOU records is a crystal."""
    structure, backbones = _models(path)
    if len(backbones) > 1:
        return _independent(structure, backbones, "models")
    document = read_document(path)
    displacements = _anisotropic_displacements(document.models[0], structure)
    seen = np.linalg.eigvalsh(displacements).min(1) > 0
    if not seen.any():
        reason = f"{path}: one model without ANISOU records of C-alphas says nothing about motion."
        raise TrainingDataError(" ".join([reason, *document.notices]))
    return Displacements(structure[seen], displacements[seen])


def _models(path: Path) -> tuple[Structure, Array]:
    """The residues that all models of a file have, and their N, CA and C: shape=(models, N, 3, 3)."""
    structure = replace(load_structure(path), notices=())  # ligands and the like do not matter to labels
    document = read_document(path).models
    if len(document) == 1:
        return structure, np.stack([structure.n, structure.ca, structure.c], axis=1)[None]
    keys = list(zip(structure.chain_ids, structure.residue_ids, strict=True))
    backbones = np.full((len(document), len(structure), 3, 3), np.nan)
    for model, of_model in zip(document, backbones, strict=True):
        atoms = _backbone_atoms(model)
        for k, key in enumerate(keys):
            for column, name in enumerate(BACKBONE):
                if candidates := atoms.get((*key, name)):
                    of_model[k, column] = max(candidates, key=lambda atom: atom.occ).pos.tolist()
    common = np.isfinite(backbones).all((0, 2, 3))
    return structure[common], backbones[:, common]


def _backbone_atoms(model: gemmi.Model) -> dict[tuple[str, str, str], list[gemmi.Atom]]:
    """Backbone atoms, all alternate conformers, by chain, residue number and name."""
    atoms = defaultdict(list)
    for chain in model:
        for residue in chain:
            for atom in residue:
                if atom.name in BACKBONE:
                    atoms[chain.name, str(residue.seqid), atom.name].append(atom)
    return atoms


def _anisotropic_displacements(model: gemmi.Model, structure: Structure) -> Array:
    """U of each C-alpha, shape=(N, 3, 3), Å^2; zero where the model has none."""
    atoms = _backbone_atoms(model)
    displacements = np.zeros((len(structure), 3, 3))
    for k, (chain, number) in enumerate(zip(structure.chain_ids, structure.residue_ids, strict=True)):
        # The alternate conformer that the structure was read from is the nearest.
        nearest = min(
            atoms.get((chain, number, "CA"), []),
            key=lambda atom: np.linalg.norm(atom.pos.tolist() - structure.ca[k]),
            default=None,
        )
        if nearest is not None:
            displacements[k] = nearest.aniso.as_mat33().tolist()
    return displacements


def _read_conformers(path: Path) -> Ensemble:
    """Chains of one sequence in the files of a folder (or in one file), each a conformer."""
    chains: list[tuple[Structure, Array]] = []
    files = sorted(filter(_is_structure, path.rglob("*"))) if path.is_dir() else [path]
    for file in files:
        structure, models = _models(file)
        for chain in dict.fromkeys(structure.chain_ids):
            of_chain = structure.chain_ids == chain
            chains += [(structure[of_chain], model[of_chain]) for model in models]
    if not chains:
        raise TrainingDataError(f"{path}: holds no structure file.")
    reference = _most_common(structure for structure, _ in chains)
    conformers: list[Array] = []
    other = short = 0
    for structure, backbone in chains:
        mine, theirs, identical = _matched(reference, structure)
        if identical < SAME_PROTEIN:
            other += 1
        elif len(mine) < COVERAGE * len(reference):
            short += 1
        else:
            placed = np.full((len(reference), 3, 3), np.nan)
            placed[mine] = backbone[theirs]
            conformers.append(placed)
    backbones = np.array(conformers)
    common = np.isfinite(backbones).all((0, 2, 3))
    backbones = backbones[:, common]
    if not common.any():
        raise TrainingDataError(f"{path}: its chains have no residue in common.")
    central = backbones[_central(backbones[:, :, 1])]
    notices = []
    if other:
        notices.append(f"Left out chains of another sequence: {other}.")
    if short:
        notices.append(f"Left out chains with less than {COVERAGE:.0%} of the residues: {short}.")
    # The structure is the conformer nearest the mean, with the names of the reference.
    structure = Structure.from_arrays(
        *corrected_backbone(*np.moveaxis(central, 1, 0)),
        "".join(np.array(list(reference.sequence))[common]),
        chain_ids=reference.chain_ids[common],
        residue_ids=reference.residue_ids[common],
        residue_names=reference.residue_names[common],
        name=_name(path),
        notices=[Notice(notice, "ignored") for notice in notices],
    )
    return _independent(structure, backbones, "conformers")


def _most_common(chains: Iterable[Structure]) -> Structure:
    """The chain with the most conformers among the others; the longest of several."""
    distinct: dict[str, Structure] = {}
    number: Counter[str] = Counter()
    for chain in chains:
        distinct.setdefault(chain.sequence, chain)
        number[chain.sequence] += 1

    def support(candidate: Structure) -> tuple[int, int]:
        alike = sum(
            number[other.sequence] for other in distinct.values() if _matched(candidate, other)[2] >= SAME_PROTEIN
        )
        return alike, len(candidate)

    return max(distinct.values(), key=support)


def _matched(a: Structure, b: Structure) -> tuple[Indices, Indices, float]:
    """Rows of two chains that are the same residue, and the fraction of these with the same letter.

    Residue numbers decide where they agree with the letters: beside a missing loop, several alignments score alike.
    """
    letters_a, letters_b = np.array(list(a.sequence)), np.array(list(b.sequence))
    _, i, j = np.intersect1d(a.residue_ids, b.residue_ids, return_indices=True)
    order = np.argsort(i)
    i, j = i[order], j[order]
    alike = float((letters_a[i] == letters_b[j]).mean()) if len(i) else 0.0
    if alike < SAME_PROTEIN or len(i) < COVERAGE * min(len(a), len(b)):
        i, j = align(a.sequence, b.sequence).matched
        alike = float((letters_a[i] == letters_b[j]).mean()) if len(i) else 0.0
    return i, j, alike


def _central(frames: Array) -> int:
    """The frame nearest the mean of all."""
    rotations, shifts = superpose_ensemble(frames, frames[0])
    placed = frames @ rotations + shifts
    return int(((placed - placed.mean(0)) ** 2).sum((1, 2)).argmin())


def _independent(structure: Structure, backbones: Array, kind: str) -> Ensemble:
    every = np.arange(len(backbones))
    return Ensemble(structure, backbones[:, :, 1], every, backbones, every, kind)


# Packed archives ---------------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            yield file
    except KeyError as error:
        raise TrainingDataError(f"{path}: lacks an array that such archives have ({error.args[0]}).") from error
    except Exception as error:  # zipfile, zlib and numpy raise errors of their own, wherever damage is met
        raise TrainingDataError(f"{path}: is damaged or not an archive of arrays ({error}).") from error


def read_ensembles(path: Path, unread: list[str] | None = None) -> Iterator[Ensemble]:
    """Every ensemble of an archive laid out as ``md_ensembles.npz`` or ``conformers.npz`` (docs/data.md).

    Parameters
    ----------
    path : Path
    unread : list of str, optional
        Takes the name of each protein whose structure cannot be read, and why; the others are read all the same.

    Raises
    ------
    StructureError
        If a structure cannot be read and there is no such list.
    """
    for source in find_sources([path]):
        try:
            content = source.read()
        except StructureError as error:
            if unread is None:
                raise
            unread.append(f"{source.name}: {source.explain(error)}")
            continue
        if isinstance(content, Ensemble):
            yield content


def read_rmsf_chains(path: Path) -> list[RmsfChain]:
    """Every chain of an archive laid out as ``atlas_rmsf.npz`` (docs/data.md).

    Raises
    ------
    TrainingDataError
        If the archive cannot be read.
    """
    arrays = _arrays(path, "atlas_id", "cluster", "rmsf_A")
    chains = []
    for k, name in enumerate(arrays["atlas_id"]):
        rows, structure = _chain(arrays, k, str(name))
        chains.append(RmsfChain(structure, arrays["rmsf_A"][rows].astype(np.float64), int(arrays["cluster"][k])))
    return chains


def read_relaxation(path: Path) -> list[Relaxation]:
    """The proteins of an archive laid out as ``relaxdb.npz`` (docs/data.md) that predictions may be compared with.

    They have a structure, are curated, and are not near a protein that is kept aside for tests. Residues without
    backbone coordinates are left out.

    Raises
    ------
    TrainingDataError
        If the archive cannot be read.
    """
    arrays = _arrays(path, "name", "NOE", "curated133", "near_hidden")
    proteins = []
    for k in np.flatnonzero(arrays["curated133"] & ~arrays["near_hidden"]):
        rows = np.arange(*arrays["offset"][k : k + 2])
        rows = rows[np.isfinite([arrays[atom][rows] for atom in BACKBONE]).all((0, 2))]
        if not len(rows):
            continue
        places = rows - arrays["offset"][k]
        structure = Structure.from_arrays(
            *corrected_backbone(*(arrays[atom][rows] for atom in BACKBONE)),
            "".join(np.array(list(str(arrays["seq"][k])))[places]),
            residue_ids=places + 1,
            name=str(arrays["name"][k]),
        )
        proteins.append(Relaxation(structure, arrays["NOE"][rows].astype(np.float64), structure.name))
    return proteins


def draw_crystals(path: Path, seed: int, unread: list[str]) -> Iterator[Displacements]:
    """Crystals of an archive laid out as ``crystal_aniso.npz`` (docs/data.md), one of each sequence cluster.

    They have up to 300 residues, come in an order that is drawn by chance, and are read as they are asked for.

    Parameters
    ----------
    path : Path
    seed : int
        Seed of the draw.
    unread : list of str
        Takes the name of each protein whose structure cannot be read, and why.

    Raises
    ------
    TrainingDataError
        If the archive cannot be read.
    """
    arrays = _arrays(path, "name", "cluster", "U")
    return _draw(arrays, seed, unread, lambda index: _displacements(arrays, index))


def draw_domains(path: Path, seed: int, unread: list[str]) -> Iterator[DomainSize]:
    """Domains of an archive laid out as ``mdcath_amplitude.npz`` (docs/data.md), drawn as `draw_crystals` does."""
    size, spread = "rmsf_mean_320K", "rmsf_sd_320K"
    arrays = _arrays(path, "name", "cluster", "fraction_of_chain", size, spread)

    def read(index: int) -> DomainSize:
        _, structure = _chain(arrays, index, str(arrays["name"][index]))
        whole = bool(arrays["fraction_of_chain"][index] == 1.0)
        return DomainSize(
            structure, float(arrays[size][index]), float(arrays[spread][index]), whole, int(arrays["cluster"][index])
        )

    return _draw(arrays, seed, unread, read)


def _draw(arrays: dict[str, NDArray], seed: int, unread: list[str], read: Callable[[int], Drawn]) -> Iterator[Drawn]:
    order = np.random.default_rng(seed).permutation(len(arrays["cluster"]))
    order = order[np.diff(arrays["offset"])[order] <= LONGEST_DRAWN]
    _, first = np.unique(arrays["cluster"][order], return_index=True)
    for index in order[np.sort(first)]:
        try:
            protein = read(int(index))
        except StructureError as error:
            unread.append(" ".join(str(error).split()))
            continue
        yield protein


def _arrays(path: Path, *names: str) -> dict[str, NDArray]:
    """Some arrays of an archive, with the structures of its proteins."""
    with _opened(path) as file:
        return {name: file[name] for name in ("seq", "offset", *BACKBONE, *names)}


@lru_cache(maxsize=1)
def _archive(path: Path, changed: int) -> dict[str, NDArray]:
    """All arrays of an archive, kept because its proteins are read one after another; `changed` is its time stamp."""
    with _opened(path) as file:
        return {name: file[name] for name in file.files}


def _read_archive(path: Path, index: int) -> Ensemble | Displacements:
    arrays = _archive(path, path.stat().st_mtime_ns)
    if "U" in arrays:
        return _displacements(arrays, index)
    _, structure = _chain(arrays, index, _file_name(str(arrays["name"][index])))
    cluster = int(arrays["cluster"][index])
    numbers = arrays["n_frames"].astype(np.int64)
    first = int((numbers[:index] * np.diff(arrays["offset"])[:index] * 3).sum())
    count = int(numbers[index])
    frames = arrays["frames"][first : first + count * len(structure) * 3].reshape(count, -1, 3)
    experimental = "n_entries" in arrays  # then `traj` is the entry, and each conformer is independent
    start = int(numbers[:index].sum())
    trajectory = np.arange(count) if experimental else arrays["traj"][start : start + count].astype(np.int64)
    picked = np.unique(np.linspace(0, count - 1, BACKBONES).astype(int))
    return Ensemble(
        structure,
        frames,
        trajectory,
        _carried(structure, frames[picked]),
        picked,
        "conformers" if experimental else "simulation",
        cluster,
        float(arrays["split_half_rmsf_r"][index]) if "split_half_rmsf_r" in arrays else float("nan"),
        bool(arrays["backbone_rebuilt"][index]) if "backbone_rebuilt" in arrays else False,
    )


def _read_backbone(path: Path, index: int) -> StructureAlone:
    arrays = _archive(path, path.stat().st_mtime_ns)
    structure = _chain(arrays, index, _file_name(str(arrays["name"][index])))[1]
    return StructureAlone(structure, int(arrays["cluster"][index]) if "cluster" in arrays else "")


def _displacements(arrays: dict[str, NDArray], index: int) -> Displacements:
    rows, structure = _chain(arrays, index, _file_name(str(arrays["name"][index])))
    displacements = arrays["U"][rows][:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3).astype(np.float64)
    seen = np.linalg.eigvalsh(displacements).min(1) > 0
    return Displacements(structure[seen], displacements[seen], int(arrays["cluster"][index]))


def _chain(arrays: dict[str, NDArray], index: int, name: str) -> tuple[slice, Structure]:
    """The rows of one structure of an archive, and the structure; its labels are of C-alphas and stay in their rows."""
    rows = slice(arrays["offset"][index], arrays["offset"][index + 1])
    backbone = corrected_backbone(arrays["N"][rows], arrays["CA"][rows], arrays["C"][rows])
    return rows, Structure.from_arrays(*backbone, str(arrays["seq"][index]), name=name)


def _carried(structure: Structure, frames: Array) -> Array:
    """Backbones for C-alpha frames, shape=(B, N, 3, 3): N and C turn as the C-alphas around them do."""
    reference = np.stack([structure.n, structure.ca, structure.c], axis=1) - structure.ca[:, None]
    rotations = residue_rotations(structure, frames)
    return frames[:, :, None] + np.einsum("bnij,nkj->bnki", rotations, reference)

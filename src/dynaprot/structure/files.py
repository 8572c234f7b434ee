"""Structure files: PDB and mmCIF, plain or gzipped, and entries of the PDB by their id."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from ..errors import StructureError
from ..notices import Notice
from .backbone import PEPTIDE_BOND
from .completion import complete_backbone, count, shorten, there
from .documents import Document, one_line, parse_document, read_document, unzipped
from .protein import Atoms, Structure
from .residues import is_amino_acid, is_nucleotide, one_letter_code

__all__ = ["load_structure"]

BACKBONE = ("N", "CA", "C")
DOWNLOAD = "https://files.rcsb.org/download/{id}.cif.gz"
ENDINGS = re.compile(r"\.gz$|\.(pdb\d*|ent|cif|mmcif)$", re.IGNORECASE)
ENTRY = re.compile(r"[a-z0-9]{4,12}|pdb_[a-z0-9]{8}")
NEAR = 3.0
"""C-alphas of two models that are nearer than this may be those of one residue in two conformations, Å."""

Residues = list[tuple[str, gemmi.Residue, list[gemmi.Atom]]]
"""Name of the chain, residue, and the atoms of one of its conformers."""


def load_structure(path: str | PathLike[str], chains: str | Iterable[str] | None = None, model: int = 0) -> Structure:
    """Read the protein chains of a structure file.

    Residues that are not amino acids are left out. N and C that are missing beside a C-alpha are rebuilt; a residue
    without C-alpha, or with bonds of impossible length, is left out. `Structure.notices` says which. Where a residue
    has alternate conformers, the one of highest occupancy is read. Chains that share a name are told apart as A, A-2,
    and so on; chains without a name get letters where there are several.

    Parameters
    ----------
    path : str or path
        PDB or mmCIF file, plain or gzipped, or ``pdb:1ADE`` to download that entry of the PDB.
    chains : str or iterable of str, optional
        Author chain names to keep (a string may list several with commas). All protein chains by default.
    model : int
        Index of the model, from 0. What files joined to one hold counts as models. Models that stand side by side, as
        the copies of an assembly do, are read together as model 0.

    Returns
    -------
    Structure
        All kept residues as one system, in the file's order.

    Raises
    ------
    StructureError
        If the file cannot be read, holds no protein, or lacks the model or a chain asked for.

    Examples
    --------
    >>> structure = load_structure("1ade.cif.gz", chains="A")  # doctest: +SKIP
    """
    source = str(path)
    if source.lower().startswith("pdb:"):
        name = source[4:].lower()
        document = _download(name)
    else:
        name = Path(path).name
        while ending := ENDINGS.search(name):
            name = name[: ending.start()]
        document = read_document(Path(path))
    models = document.models
    if len(models) == 0:
        raise StructureError(f"{source}: no model with atoms was found; is it a PDB or mmCIF coordinate file?")
    if not 0 <= model < len(models):
        raise StructureError(f"{source}: there is no model {model}; the file has {len(models)}, counted from 0.")
    chosen = _assembly(document) if model == 0 else models[model]
    return _collect(document, chosen, model, _wanted_chains(chains, chosen, source), source, name)


def _download(entry: str) -> Document:
    import http.client  # here, because they are slow to import and rarely needed
    import urllib.request

    if not ENTRY.fullmatch(entry):
        raise StructureError(f"pdb:{entry}: a PDB id has four letters and digits, as in pdb:1ade or pdb:pdb_00001ade.")
    # Ids of twelve characters are known by their last four as long as these are enough.
    url = DOWNLOAD.format(id=entry.removeprefix("pdb_0000").upper() if len(entry) <= 12 else entry)
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return parse_document(unzipped(answer.read()).decode(), f"pdb:{entry}")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise StructureError(f"pdb:{entry}: the PDB has no such entry.") from error
        raise StructureError(f"pdb:{entry}: the download from {url} failed ({error}).") from error
    except (OSError, EOFError, http.client.HTTPException, zlib.error, ValueError) as error:
        raise StructureError(f"pdb:{entry}: the download from {url} failed ({one_line(error)}).") from error


def _assembly(document: Document) -> gemmi.Model:
    """The first model, with those that stand beside it: the copies of an assembly, and not other conformations."""
    models = document.models
    first = models[0]
    if len(models) == 1:
        return first
    whole, joined = first.clone(), [0]
    taken = {chain.name for chain in first}
    occupied = _alpha_carbons(first)
    for index in range(1, len(models)):
        positions = _alpha_carbons(models[index])
        if not len(positions) or not len(occupied) or _share_near(positions, occupied) > 0.1:
            if joined == [0]:  # models are conformations, as in most files
                break
            continue
        for chain in models[index]:
            added = chain.clone()
            name = chain.name
            while name in taken:
                added.name = name = f"{chain.name or '_'}-{index + 1}"
                if name in taken:
                    index += 1
            taken.add(name)
            document.first_names[name] = document.first_names.get(chain.name, chain.name)
            whole.add_chain(added)
        occupied = np.concatenate([occupied, positions])
        joined.append(index)
    if len(joined) == len(models):
        document.notices.append(
            Notice(f"{len(models)} models stand side by side: they were read as one assembly.", "chains")
        )
    elif len(joined) > 1:
        document.unread.append(
            f"Read {len(joined)} of {len(models)} models, which stand side by side, as one assembly."
        )
    else:
        document.unread.append(f"Read model 0 of {len(models)}.")
    return whole


def _alpha_carbons(model: gemmi.Model) -> NDArray[np.float64]:
    positions = [
        atom.pos.tolist()
        for chain in model
        for residue in chain
        if is_amino_acid(residue.name)
        for atom in residue
        if atom.name == "CA"
    ]
    return np.array(positions).reshape(-1, 3)


def _share_near(positions: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Share of points that lie near one of the others."""
    near = [
        (np.linalg.norm(rows[:, None] - others[None], axis=2) < NEAR).any(1)
        for rows in np.array_split(positions, len(positions) // 256 + 1)
    ]
    return float(np.concatenate(near).mean())


def _wanted_chains(chains: str | Iterable[str] | None, model: gemmi.Model, source: str) -> set[str]:
    present = list(dict.fromkeys(chain.name for chain in model))
    if chains is None:
        return set(present)
    wanted = [chain.strip() for chain in (chains.split(",") if isinstance(chains, str) else chains)]
    for chain in wanted:
        if chain not in present:
            raise StructureError(f"{source}: there is no chain '{chain}'; the file has {', '.join(present) or 'none'}.")
    return set(wanted)


def _collect(document: Document, model: gemmi.Model, index: int, wanted: set[str], source: str, name: str) -> Structure:
    """Choose residues and conformers, and write notices of what is left out."""
    kept: Residues = []
    ligands: Counter[str] = Counter()
    nucleotides: Counter[str] = Counter()
    for chain in model:
        if chain.name not in wanted:
            continue
        for group in _by_number(chain):
            candidates = [(residue, _conformer(residue)) for residue in group]
            residue, atoms = max(candidates, key=lambda entry: (_is_complete(entry[1]), _occupancy(entry[1])))
            if _is_complete(atoms):
                kept.append((chain.name, residue, atoms))
            elif is_nucleotide(residue.name):
                nucleotides[chain.name] += 1
            elif is_amino_acid(residue.name) and _in_polymer(residue):
                kept.append((chain.name, residue, atoms))
            elif not residue.is_water():
                ligands[residue.name] += 1
    kept, free = _drop_free_amino_acids(kept)
    ligands.update(free)
    ignored = list(document.unread)
    if index and len(document.models) > 1:
        ignored.append(f"Read model {index} of {len(document.models)}.")
    if nucleotides:
        listed = [f"chain {chain} ({number})" for chain, number in nucleotides.items()]
        ignored.append(f"Ignored {count(nucleotides.total(), 'nucleotide')}: {shorten(listed)}.")
    if ligands:
        listed = [ligand if number == 1 else f"{number} {ligand}" for ligand, number in ligands.items()]
        ignored.append(f"Ignored ligands and ions: {shorten(listed)}.")
    notices = list(document.notices)
    if ignored:
        notices.append(Notice(" ".join(ignored), "ignored"))
    positions = _positions(kept)
    if not np.isfinite(positions).all(axis=(0, 2)).any():
        labels = [_label(chain, residue) for chain, residue, _ in kept]
        lacking = (
            [f"Left out {count(len(kept), 'residue')} without a whole backbone: {shorten(labels)}."] if kept else []
        )
        reason = " ".join([*notices, *lacking]) or "It has no amino acid with N, CA and C."
        raise StructureError(f"{source}: no protein residue was found. {reason}")
    return _structure(kept, positions, document.first_names, source, name, notices)


def _label(chain: str, residue: gemmi.Residue) -> str:
    return f"{chain} {residue.name} {residue.seqid}".strip()


def _by_number(chain: gemmi.Chain) -> list[list[gemmi.Residue]]:
    """Residues of a chain in the order of the file, those with the same number (microheterogeneity) together."""
    groups: dict[tuple[str, str, bool], list[gemmi.Residue]] = {}
    for residue in chain:
        groups.setdefault((str(residue.seqid), residue.segment, is_amino_acid(residue.name)), []).append(residue)
    return list(groups.values())


def _conformer(residue: gemmi.Residue) -> list[gemmi.Atom]:
    """Atoms of the conformer of highest occupancy, one with a whole backbone where the residue has such."""
    letters = sorted({atom.altloc for atom in residue if atom.has_altloc()})
    if not letters:
        return list(residue)
    conformers = [[atom for atom in residue if atom.altloc in ("\0", letter)] for letter in letters]
    return max(conformers, key=lambda atoms: (_is_complete(atoms), _occupancy(atoms)))


def _is_complete(atoms: list[gemmi.Atom]) -> bool:
    return {atom.name for atom in atoms}.issuperset(BACKBONE)


def _occupancy(atoms: list[gemmi.Atom]) -> float:
    return sum(atom.occ for atom in atoms) / max(1, len(atoms))


def _in_polymer(residue: gemmi.Residue) -> bool:
    return residue.het_flag == "A" or residue.entity_type == gemmi.EntityType.Polymer


def _drop_free_amino_acids(kept: Residues) -> tuple[Residues, Counter[str]]:
    """Separate free amino acids (HETATM outside the polymer, bonded to no residue: ligands) from the chain."""
    free: Counter[str] = Counter()
    doubtful = {k for k, (_, residue, _) in enumerate(kept) if not _in_polymer(residue)}
    if not doubtful:
        return kept, free
    n, _, c = _positions(kept)
    bonded: Residues = []
    for k, entry in enumerate(kept):
        if k in doubtful:
            others = np.arange(len(kept)) != k
            to_c, to_n = np.linalg.norm(c[others] - n[k], axis=1), np.linalg.norm(n[others] - c[k], axis=1)
            if not ((to_c < PEPTIDE_BOND) | (to_n < PEPTIDE_BOND)).any():
                free[entry[1].name] += 1
                continue
        bonded.append(entry)
    return bonded, free


def _positions(kept: Residues) -> NDArray[np.float64]:
    """N, CA and C of each residue, shape=(3, N, 3), NaN for an atom that is missing; the first of two of one name."""
    positions = np.full((3, len(kept), 3), np.nan)
    for k, (_, _, atoms) in enumerate(kept):
        for atom in reversed(atoms):
            if atom.name in BACKBONE:
                positions[BACKBONE.index(atom.name), k] = atom.pos.tolist()
    return positions


def _structure(
    kept: Residues,
    positions: NDArray[np.float64],
    first_names: dict[str, str],
    source: str,
    name: str,
    notices: list[Notice],
) -> Structure:
    labels = [_label(chain, residue) for chain, residue, _ in kept]
    n, ca, c = positions
    backbone = complete_backbone(n, ca, c, [chain for chain, _, _ in kept], labels, source)
    given = np.stack([there(atoms[backbone.kept]) for atoms in positions])
    kept = [kept[k] for k in backbone.kept]
    residues = [residue for _, residue, _ in kept]
    chain_ids = np.array([chain for chain, _, _ in kept])
    notices = [*_renamed(chain_ids, first_names), *notices, *backbone.notices]
    unknown = [k for k, residue in enumerate(residues) if one_letter_code(residue.name) == "X"]
    if unknown:
        names = sorted({residues[k].name for k in unknown})
        notices.append(Notice(f"Treated as residues of unknown type: {shorten(names)}.", "unknown", unknown))
    return Structure.from_arrays(
        backbone.n,
        backbone.ca,
        backbone.c,
        "".join(one_letter_code(residue.name) for residue in residues),
        chain_ids=chain_ids,
        residue_ids=[str(residue.seqid) for residue in residues],
        residue_names=[residue.name for residue in residues],
        label_chain_ids=[residue.subchain or chain for chain, residue, _ in kept],
        label_residue_ids=_places_in_sequence(chain_ids, residues),
        name=name,
        notices=notices,
        atoms=_atoms([atoms for _, _, atoms in kept], (backbone.n, backbone.ca, backbone.c), given),
    )


def _places_in_sequence(chain_ids: Sequence[str] | NDArray[np.str_], residues: Sequence[gemmi.Residue]) -> list[str]:
    """mmCIF label ids of residues: places in the sequence, or the author's numbers in chains where one is not known."""
    unknown = {chain for chain, residue in zip(chain_ids, residues, strict=True) if residue.label_seq is None}
    return [
        str(residue.seqid if chain in unknown else residue.label_seq)
        for chain, residue in zip(chain_ids, residues, strict=True)
    ]


def _atoms(
    of_residues: list[list[gemmi.Atom]], backbone: tuple[NDArray, NDArray, NDArray], given: NDArray[np.bool_]
) -> Atoms:
    """Heavy atoms as in the file, in each residue those of the backbone first that were rebuilt."""
    rows = []
    for k, atoms in enumerate(of_residues):
        rows += [
            (BACKBONE[which], "NCC"[which], backbone[which][k].tolist(), k) for which in np.flatnonzero(~given[:, k])
        ]
        # Without an element column " CA" and "CA  " look alike to a parser: in a residue it is carbon.
        rows += [
            (atom.name, "C" if atom.name == "CA" else atom.element.name, atom.pos.tolist(), k)
            for atom in atoms
            if not atom.element.is_hydrogen
        ]
    names, elements, positions, residue = zip(*rows, strict=True)
    return Atoms(np.array(names), np.array(elements), np.array(positions), np.array(residue))


def _renamed(chain_ids: NDArray[np.str_], first_names: dict[str, str]) -> list[Notice]:
    """Notices of the chains that share a name in the file, or have none."""
    notices = []
    present = list(dict.fromkeys(chain_ids.tolist()))
    for first in dict.fromkeys(first_names[chain] for chain in present if chain in first_names):
        chains = [chain for chain in present if first_names.get(chain, chain) == first]
        if len(chains) > 1:
            which = f"named {first}" if first else "without a name"
            residues = np.flatnonzero(np.isin(chain_ids, chains))
            notices.append(Notice(f"{len(chains)} chains {which} were read as {shorten(chains)}.", "chains", residues))
    return notices

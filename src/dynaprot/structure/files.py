"""Structure files: PDB and mmCIF, plain or gzipped, and entries of the PDB by their id."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import gemmi
import numpy as np

from ..errors import StructureError
from .backbone import PEPTIDE_BOND
from .protein import Atoms, Structure
from .residues import is_amino_acid, is_nucleotide, one_letter_code

__all__ = ["load_structure", "read_document"]

BACKBONE = ("N", "CA", "C")
DOWNLOAD = "https://files.rcsb.org/download/{id}.cif.gz"
COORDINATES = ("ATOM", "HETATM", "TER", "MODEL", "ENDMDL")
"""Records that are read from a PDB file which a strict parser rejects."""
USED_COLUMNS = 78
"""Columns of a PDB line that are read. The charge after them is not needed, and files from before 1996 have line
numbers there."""


def load_structure(path: str | PathLike[str], chains: str | Iterable[str] | None = None, model: int = 0) -> Structure:
    """Read the protein chains of a structure file.

    Residues that are not amino acids, or lack N, CA or C, are left out; `Structure.notices` says which. Where a residue
    has alternate conformers, the one of highest occupancy is read.

    Parameters
    ----------
    path : str or path
        PDB or mmCIF file, plain or gzipped, or ``pdb:1ADE`` to download that entry of the PDB.
    chains : str or iterable of str, optional
        Author chain names to keep (a string may list several with commas). All protein chains by default.
    model : int
        Index of the model, from 0.

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
    notices: list[str] = []
    if source.lower().startswith("pdb:"):
        name = source[4:].lower()
        document = _download(name)
    else:
        name = Path(path).name
        for ending in (".gz", ".pdb", ".ent", ".cif", ".mmcif"):
            name = name[: -len(ending)] if name.lower().endswith(ending) else name
        document, faults = read_document(Path(path))
        notices += faults
    document.setup_entities()
    if len(document) == 0:
        raise StructureError(f"{source}: no model with atoms was found; is it a PDB or mmCIF coordinate file?")
    if not 0 <= model < len(document):
        raise StructureError(f"{source}: there is no model {model}; the file has {len(document)}, counted from 0.")
    wanted = _wanted_chains(chains, document[model], source)
    return _collect(document[model], wanted, source, name, notices)


def read_document(path: Path) -> tuple[gemmi.Structure, list[str]]:
    """Read the whole content of a PDB or mmCIF file, plain or gzipped.

    Parameters
    ----------
    path : Path

    Returns
    -------
    document : gemmi.Structure
        The content; from a PDB file with faults outside its coordinates only these, without displacements (ANISOU).
    notices : list of str
        Sentences that say what was left out.

    Raises
    ------
    StructureError
        If the file cannot be read.
    """
    if not path.is_file():
        raise StructureError(f"{path}: no such file.")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise StructureError(f"{path}: cannot be read ({error}).") from error
    if not content.strip():
        raise StructureError(f"{path}: the file is empty.")
    if b"\0" in content[:4096]:
        raise StructureError(f"{path}: is a binary file; DynaProt reads PDB and mmCIF text, plain or gzipped.")
    text = content.decode("utf-8", errors="replace")
    try:
        return _parse(text), []
    except (RuntimeError, ValueError, IndexError) as error:
        document = gemmi.Structure() if _is_cif(text) else _coordinates_alone(text)
        if len(document) == 0:
            raise StructureError(f"{path}: cannot be read as PDB or mmCIF ({_one_line(error)}).") from error
        notice = f"The file departs from the PDB format ({_one_line(error)}): only its coordinates were read."
        return document, [notice]


def _is_cif(text: str) -> bool:
    return any(line.startswith("data_") for line in text.splitlines()[:200])


def _parse(text: str) -> gemmi.Structure:
    if not _is_cif(text):
        return gemmi.read_pdb_string(text, max_line_length=USED_COLUMNS)
    document = gemmi.cif.read_string(text)
    block = next((block for block in document if block.find_loop("_atom_site.id")), document[0])
    return gemmi.make_structure_from_block(block)


def _coordinates_alone(text: str) -> gemmi.Structure:
    """What a strict parser accepts from the coordinate records of a faulty PDB file; empty if it accepts nothing."""
    lines = [line for line in text.splitlines() if line.startswith(COORDINATES)]
    try:
        return gemmi.read_pdb_string("\n".join(lines), max_line_length=USED_COLUMNS)
    except (RuntimeError, ValueError):
        return gemmi.Structure()


def _download(entry: str) -> gemmi.Structure:
    import urllib.request  # here, because it is slow to import and rarely needed

    url = DOWNLOAD.format(id=entry.upper())
    if not (entry.isalnum() and 4 <= len(entry) <= 12):
        raise StructureError(f"pdb:{entry}: a PDB id has four letters and digits, as in pdb:1ade.")
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return _parse(gzip.decompress(answer.read()).decode())
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise StructureError(f"pdb:{entry}: the PDB has no such entry.") from error
        raise StructureError(f"pdb:{entry}: the download from {url} failed ({error}).") from error
    except (OSError, EOFError, RuntimeError, ValueError) as error:
        raise StructureError(f"pdb:{entry}: the download from {url} failed ({_one_line(error)}).") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _wanted_chains(chains: str | Iterable[str] | None, model: gemmi.Model, source: str) -> set[str]:
    present = list(dict.fromkeys(chain.name for chain in model))
    if chains is None:
        return set(present)
    wanted = [chain.strip() for chain in (chains.split(",") if isinstance(chains, str) else chains)]
    for chain in wanted:
        if chain not in present:
            raise StructureError(f"{source}: there is no chain '{chain}'; the file has {', '.join(present) or 'none'}.")
    return set(wanted)


def _collect(model: gemmi.Model, wanted: set[str], source: str, name: str, notices: list[str]) -> Structure:
    """Choose residues and conformers, and write a notice of what is left out."""
    kept: list[tuple[str, gemmi.Residue, list[gemmi.Atom]]] = []
    incomplete: list[str] = []
    ligands: Counter[str] = Counter()
    nucleotides: Counter[str] = Counter()
    for chain in model:
        if chain.name not in wanted:
            continue
        for group in _by_number(chain):
            candidates = [(residue, _conformer(residue)) for residue in group]
            complete = [(residue, atoms) for residue, atoms in candidates if _is_complete(atoms)]
            if complete:
                residue, atoms = max(complete, key=lambda entry: _occupancy(entry[1]))
                kept.append((chain.name, residue, atoms))
                continue
            residue = group[0]
            label = f"{chain.name} {residue.name} {residue.seqid}".strip()
            if is_nucleotide(residue.name):
                nucleotides[chain.name] += 1
            elif is_amino_acid(residue.name) and _in_polymer(residue):
                present = {atom.name for atom in residue}
                missing = ", ".join(atom for atom in BACKBONE if atom not in present)
                incomplete.append(f"{label} (lacks {missing})" if missing else label)
            elif not residue.is_water():
                ligands[residue.name] += 1
    kept, free = _drop_free_amino_acids(kept)
    ligands.update(free)
    if incomplete:
        notices.append(
            f"Left out {_count(len(incomplete), 'residue')} without a whole backbone: {_shorten(incomplete)}."
        )
    if nucleotides:
        listed = [f"chain {chain} ({number})" for chain, number in nucleotides.items()]
        notices.append(f"Ignored {_count(nucleotides.total(), 'nucleotide')}: {_shorten(listed)}.")
    if ligands:
        listed = [ligand if number == 1 else f"{number} {ligand}" for ligand, number in ligands.items()]
        notices.append(f"Ignored ligands and ions: {_shorten(listed)}.")
    if not kept:
        reason = " ".join(notices) or "It has no amino acid with N, CA and C."
        raise StructureError(f"{source}: no protein residue was found. {reason}")
    unknown = sorted({residue.name for _, residue, _ in kept if one_letter_code(residue.name) == "X"})
    if unknown:
        notices.append(f"Treated as residues of unknown type: {_shorten(unknown)}.")
    return _structure(kept, name, tuple(notices))


def _by_number(chain: gemmi.Chain) -> list[list[gemmi.Residue]]:
    """Residues of a chain in the order of the file, those with the same number (microheterogeneity) together."""
    groups: dict[tuple[str, str], list[gemmi.Residue]] = {}
    for residue in chain:
        groups.setdefault((str(residue.seqid), residue.segment), []).append(residue)
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


def _drop_free_amino_acids(
    kept: list[tuple[str, gemmi.Residue, list[gemmi.Atom]]],
) -> tuple[list[tuple[str, gemmi.Residue, list[gemmi.Atom]]], Counter[str]]:
    """Separate free amino acids (HETATM outside the polymer, bonded to no residue: ligands) from the chain."""
    free: Counter[str] = Counter()
    doubtful = [k for k, (_, residue, _) in enumerate(kept) if not _in_polymer(residue)]
    if not doubtful:
        return kept, free
    n, c = (
        np.array([next(atom.pos.tolist() for atom in atoms if atom.name == end) for _, _, atoms in kept])
        for end in ("N", "C")
    )
    for k in doubtful:
        others = np.arange(len(kept)) != k
        nearest = min(
            np.linalg.norm(c[others] - n[k], axis=1).min(initial=np.inf),
            np.linalg.norm(n[others] - c[k], axis=1).min(initial=np.inf),
        )
        if nearest > PEPTIDE_BOND:
            free[kept[k][1].name] += 1
            kept[k] = (kept[k][0], kept[k][1], [])
    return [entry for entry in kept if entry[2]], free


def _structure(
    kept: list[tuple[str, gemmi.Residue, list[gemmi.Atom]]], name: str, notices: tuple[str, ...]
) -> Structure:
    heavy = [(k, atom) for k, (_, _, atoms) in enumerate(kept) for atom in atoms if not atom.element.is_hydrogen]
    positions = np.array([atom.pos.tolist() for _, atom in heavy])
    names = np.array([atom.name for _, atom in heavy])
    residue = np.array([k for k, _ in heavy])
    backbone = {}
    for wanted in BACKBONE:
        first = np.full(len(kept), -1)
        rows = np.flatnonzero(names == wanted)[
            ::-1
        ]  # backwards, so that the first of two atoms with the same name stays
        first[residue[rows]] = rows
        backbone[wanted] = positions[first]
    label_numbers = [entry[1].label_seq for entry in kept]
    return Structure.from_arrays(
        backbone["N"],
        backbone["CA"],
        backbone["C"],
        "".join(one_letter_code(entry[1].name) for entry in kept),
        chain_ids=[entry[0] for entry in kept],
        residue_ids=[str(entry[1].seqid) for entry in kept],
        residue_names=[entry[1].name for entry in kept],
        label_chain_ids=[entry[1].subchain or entry[0] for entry in kept],
        label_residue_ids=[
            str(entry[1].seqid) if number is None else str(number)
            for entry, number in zip(kept, label_numbers, strict=True)
        ],
        name=name,
        notices=notices,
        atoms=Atoms(
            names=names,
            # Without an element column " CA" and "CA  " look alike to a parser: in a residue it is carbon.
            elements=np.array(["C" if atom.name == "CA" else atom.element.name for _, atom in heavy]),
            positions=positions,
            residue=residue,
        ),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shorten(items: list[str], most: int = 12) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")

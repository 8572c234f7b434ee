"""PDB and mmCIF files as they are: joined, gzipped, with shifted columns, with chains that share a name."""

from __future__ import annotations

import math
import re
import string
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import NamedTuple

import gemmi

from ..errors import StructureError
from ..notices import Notice
from .residues import is_amino_acid

__all__ = ["Document", "parse_document", "read_document", "unzipped"]

COORDINATES = ("ATOM", "HETATM", "TER", "MODEL", "ENDMDL")
"""Records that are read from a PDB file which a strict parser rejects."""
USED_COLUMNS = 78
"""Columns of a PDB line that are read. The charge after them is not needed, and files from before 1996 have line
numbers there."""
LARGEST = 2 << 30
"""Most bytes that a gzipped file may have once it is unpacked."""
CHUNK = 1 << 24
GZIP = b"\x1f\x8b"
LONG_SERIAL = re.compile(r"(?:ATOM  |HETATM|ANISOU|TER   )\s*(\d{6,})")
CIF = re.compile(r"^\s*data_", re.MULTILINE | re.IGNORECASE)


@dataclass
class Document:
    """The content of a structure file.

    Attributes
    ----------
    models : gemmi.Structure
        Its models; from a PDB file with faults outside its coordinates only these, without displacements (ANISOU).
        Chains of a model have different names.
    first_names : dict of str to str
        Name in the file of each chain that has another one in `models`.
    unread : list of str
        Sentences that count what `models` does not hold.
    notices : list of Notice
        Departures from the format.
    """

    models: gemmi.Structure
    first_names: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def read_document(path: Path) -> Document:
    """Read the whole content of a PDB or mmCIF file, plain or gzipped.

    Raises
    ------
    StructureError
        If the file cannot be read.
    """
    try:
        if path.is_dir():
            raise StructureError(f"{path}: is a folder; name a file in it.")
        with open(path, "rb") as file:  # a pipe too
            content = file.read()
        if content.startswith(GZIP):
            content = unzipped(content)
    except FileNotFoundError as error:
        raise StructureError(f"{path}: no such file.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise StructureError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}).") from error
    if not content.strip():
        raise StructureError(f"{path}: the file is empty.")
    if b"\0" in content[:4096]:
        raise StructureError(f"{path}: is a binary file; DynaProt reads PDB and mmCIF text, plain or gzipped.")
    return parse_document(content.decode("utf-8", errors="replace"), str(path))


def unzipped(content: bytes) -> bytes:
    """Unpack gzip; bytes behind it are ignored, as gunzip does. Of a binary file only the first piece is returned.

    Raises
    ------
    EOFError, OSError, zlib.error
        If it is cut off, damaged or far too large.
    """
    parts: list[bytes] = []
    size = 0
    while content.startswith(GZIP):
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            part = stream.decompress(content, CHUNK)
            if not part and not stream.eof and not stream.unconsumed_tail:
                raise EOFError("the gzipped file is cut off")
            content = stream.unconsumed_tail
            size += len(part)
            if not parts and b"\0" in part[:4096]:
                return part  # binary, and perhaps without end
            if size > LARGEST:
                raise OSError(f"it unpacks to more than {LARGEST >> 30} GB")
            parts.append(part)
        content = stream.unused_data
    return b"".join(parts)


def parse_document(text: str, source: str) -> Document:
    """Parse the text of a PDB or mmCIF file.

    Parameters
    ----------
    text : str
    source : str
        Name of the file in messages.

    Raises
    ------
    StructureError
        If it is neither, or atoms do not stand in the columns of the PDB format.
    """
    try:
        document = _parse_cif(text) if CIF.search(text) else _parse_pdb(text.splitlines(), source)
    except (RuntimeError, ValueError, IndexError) as error:
        raise StructureError(f"{source}: cannot be read as PDB or mmCIF ({one_line(error)}).") from error
    document.models.setup_entities()
    document.models.assign_label_seq_id()  # from SEQRES, where a PDB file has it: places in the sequence
    return document


def one_line(error: Exception) -> str:
    """The text of an error on one line of at most 200 characters."""
    return " ".join(str(error).split())[:200]


# PDB --------------------------------------------------------------------------------------------------------------


def _parse_pdb(lines: list[str], source: str) -> Document:
    lines = _parts_as_models(_in_columns(lines, source))
    names, codes = _told_apart(_pdb_atoms(lines))
    if codes:
        lines = [_with_chain(line, codes[k]) if k in codes else line for k, line in enumerate(lines)]
    notices = []
    try:
        models = gemmi.read_pdb_string("\n".join(lines), max_line_length=USED_COLUMNS)
    except (RuntimeError, ValueError, IndexError) as error:
        try:
            kept = [line for line in lines if line.startswith(COORDINATES)]
            models = gemmi.read_pdb_string("\n".join(kept), max_line_length=USED_COLUMNS)
        except (RuntimeError, ValueError):
            models = gemmi.Structure()
        if len(models) == 0:
            raise
        notices.append(
            Notice(
                f"The file departs from the PDB format ({one_line(error)}): only its coordinates were read.", "format"
            )
        )
    first_names = {}
    for model in models:
        for chain in model:
            if chain.name in names:
                first, chain.name = names[chain.name]
                first_names[chain.name] = first
    return Document(models, first_names, notices=notices)


def _in_columns(lines: list[str], source: str) -> list[str]:
    """Put lines that a serial number of six digits has shifted back into the columns; refuse other shifted lines."""
    shift = 0
    aligned = []
    for count, line in enumerate(lines, 1):
        if match := LONG_SERIAL.match(line):
            extra = max(0, match.end(1) - 11)
            if line[:4] in ("ATOM", "HETA"):
                shift = extra if not _coordinates_fit(line) and _coordinates_fit(line[:6] + line[6 + extra :]) else 0
            if shift:
                line = line[:6] + line[6 + extra :]
        if line[:4] in ("ATOM", "HETA") and not _coordinates_fit(line):
            raise StructureError(
                f"{source}: the coordinates in line {count}, '{line[30:60].strip()}', are not three numbers in "
                "columns 31 to 54 of the PDB format: the line is shifted, or a number needs more room. Move the "
                "structure nearer to the origin, or write it as mmCIF."
            )
        aligned.append(line)
    return aligned


def _coordinates_fit(line: str) -> bool:
    """Whether the columns of coordinates hold three numbers, and end where a number ends."""
    if len(line) < 54:  # too short for a parser, which says so
        return True
    try:
        if not math.isfinite(float(line[30:38]) + float(line[38:46]) + float(line[46:54])):
            return False
        if line[54:55].isdecimal():  # of an occupancy, or of a number that needs more room
            float(line[54:60])
    except ValueError:
        return not line[30:54].strip()
    return True


def _parts_as_models(lines: list[str]) -> list[str]:
    """Read on after END: what files joined to one hold are the models of one file."""
    ends = [k for k, line in enumerate(lines) if line[:6].strip().upper() == "END"]
    starts = [0, *(k + 1 for k in ends)]
    parts = [lines[start:end] for start, end in zip(starts, [*ends, len(lines)], strict=True)]
    first, *others = [part for part in parts if any(line[:4] in ("ATOM", "HETA") for line in part)] or [lines]
    if not others:
        return lines
    joined: list[str] = []
    number = 0
    for part in (first, *others):
        has_models = any(line.startswith("MODEL") for line in part)
        header = [] if joined else [line for line in part if not line.startswith((*COORDINATES, "ANISOU"))]
        atoms = [line for line in part if line.startswith((*COORDINATES, "ANISOU"))]
        for line in [*header, *(atoms if has_models else ["MODEL", *atoms, "ENDMDL"])]:
            if line.startswith("MODEL"):
                number += 1
                line = f"MODEL     {number:4d}"
            joined.append(line)
    return joined


def _with_chain(line: str, code: str) -> str:
    return f"{line[:20]}{code:>2}{line[22:]}"


# mmCIF ------------------------------------------------------------------------------------------------------------

LABELS = ("label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id", "label_seq_id")
"""Columns that gemmi needs."""


def _parse_cif(text: str) -> Document:
    file = gemmi.cif.Document()
    file.parse_string(text)  # which lets blocks of one name pass
    with_atoms = [block for block in file if block.find_loop("_atom_site.Cartn_x")]
    unread = []
    if len(with_atoms) > 1:
        unread.append(f"Read the first of {len(with_atoms)} data blocks with atoms.")
    block = with_atoms[0] if with_atoms else file[0]
    first_names = {}
    if with_atoms:
        _fill_labels(block)
        chains = block.find_values("_atom_site.auth_asym_id")
        atoms = _cif_atoms(block)
        known, codes = _told_apart(atoms)
        if codes and not len(chains):
            block.find_loop("_atom_site.id").get_loop().add_columns(["_atom_site.auth_asym_id"], "?")
            chains = block.find_values("_atom_site.auth_asym_id")
            for atom in atoms:
                chains[atom.row] = atom.chain
        for row, code in codes.items():
            first, name = known[code]
            chains[row] = gemmi.cif.quote(name)
            first_names[name] = first
    return Document(gemmi.make_structure_from_block(block), first_names, unread)


def _fill_labels(block: gemmi.cif.Block) -> None:
    """Copy the author's names where the file has no label names, which mmCIF demands and some programs leave out."""
    loop = block.find_loop("_atom_site.Cartn_x").get_loop()
    for label in LABELS:
        if f"_atom_site.{label}" in loop.tags:
            continue
        values = list(block.find_values(f"_atom_site.{label.replace('label', 'auth')}"))
        loop.add_columns([f"_atom_site.{label}"], "?" if label == "label_seq_id" else ".")
        if label not in ("label_seq_id", "label_alt_id"):
            column = block.find_values(f"_atom_site.{label}")
            for k, value in enumerate(values):
                column[k] = value


# Chains that share a name -----------------------------------------------------------------------------------------


class _Atom(NamedTuple):
    row: int
    model: str
    chain: str
    part: str
    """Changes where the file says that another chain begins: after TER, with another segment, with another label."""
    number: str
    residue: str
    name: str
    """Name of the atom and letter of its conformer."""


def _pdb_atoms(lines: list[str]) -> Iterator[_Atom]:
    model, ends = "", 0
    for k, line in enumerate(lines):
        record = line[:6]
        if record in ("ATOM  ", "HETATM"):
            part = f"{ends} {line[72:76].strip()}"
            yield _Atom(k, model, line[20:22].strip(), part, line[22:27], line[17:20], line[12:17])
        elif record.startswith("TER"):
            ends += 1
        elif record.startswith("MODEL"):
            model = line[6:]


def _cif_atoms(block: gemmi.cif.Block) -> list[_Atom]:
    def column(*names: str) -> list[str]:
        columns = [list(block.find_values(f"_atom_site.{name}")) for name in names]
        present = [values for values in columns if values]
        if not present:
            return [""] * rows
        if len(present) == 1:
            return present[0]
        return [
            next((value for value in values if value not in ("?", ".")), "") for values in zip(*present, strict=True)
        ]

    rows = len(block.find_values("_atom_site.Cartn_x"))
    numbers = map("".join, zip(column("auth_seq_id", "label_seq_id"), column("pdbx_PDB_ins_code"), strict=True))
    names = map("".join, zip(column("label_atom_id"), column("label_alt_id"), strict=True))
    chains = [gemmi.cif.as_string(chain) for chain in column("auth_asym_id", "label_asym_id")]
    columns = (column("pdbx_PDB_model_num"), chains, column("label_asym_id"), numbers, column("label_comp_id"), names)
    return [_Atom(*atom) for atom in zip(range(rows), *columns, strict=True)]


def _told_apart(atoms: Iterable[_Atom]) -> tuple[dict[str, tuple[str, str]], dict[int, str]]:
    """Find chains that share a name.

    Another chain of the same name begins where an atom comes again, and, in chains without a name, where the file ends
    a chain. Only amino acids count: ligands may share the numbers of residues.

    Parameters
    ----------
    atoms : iterable of _Atom
        In the order of the file.

    Returns
    -------
    names : dict of str to (str, str)
        For each code its chain's name in the file and the name that tells it apart: A-2 for the second chain A, as in
        the assemblies of the PDB, and free letters for chains without a name.
    codes : dict of int to str
        Code of the chain, of two characters, by the row of an atom; only rows of chains that get another name.
    """
    rows: dict[tuple[str, int], list[int]] = defaultdict(list)
    seen: dict[str, set[tuple[str, str]]] = {}
    piece: dict[str, int] = {}
    part: dict[str, str] = {}
    used: set[str] = set()
    model = None
    for residue in _residues(atoms):
        first = residue[0]
        if first.model != model:
            model, seen, piece, part = first.model, {}, {}, {}
        chain = first.chain
        used.add(chain)
        if is_amino_acid(first.residue):
            own = {(atom.number, atom.name) for atom in residue}
            known = seen.setdefault(chain, set())
            another_part = not chain and part.get(chain, first.part) != first.part
            if another_part or not known.isdisjoint(own):
                piece[chain] = piece.get(chain, 0) + 1
                known = seen[chain] = set()
            known |= own
            part[chain] = first.part
        rows[chain, piece.get(chain, 0)] += [atom.row for atom in residue]
    names: dict[str, tuple[str, str]] = {}
    codes: dict[int, str] = {}
    letters = iter(letter for letter in string.ascii_uppercase + string.ascii_lowercase if letter not in used)
    free = (code for code in map("".join, product(string.digits + string.ascii_letters, repeat=2)) if code not in used)
    split = {chain for chain, count in rows if count}
    for chain, count in rows:
        if chain not in split or (chain and not count):
            continue
        name = f"{chain}-{count + 1}" if chain else next(letters, f"_{count + 1}")
        while name in used:
            name += "'"
        used.add(name)
        code = next(free)
        names[code] = (chain, name)
        codes |= dict.fromkeys(rows[chain, count], code)
    return names, codes


def _residues(atoms: Iterable[_Atom]) -> Iterator[list[_Atom]]:
    """Atoms that stand together in the file and belong to one residue."""
    residue: list[_Atom] = []
    for atom in atoms:
        if residue and atom[1:6] != residue[-1][1:6]:
            yield residue
            residue = []
        residue.append(atom)
    if residue:
        yield residue

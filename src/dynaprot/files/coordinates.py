"""From arrays to the atoms of a coordinate file."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from ..errors import OutputError
from ..structure import Atoms, Structure

__all__ = ["alpha_carbons", "backbone", "molecule", "write_pdb_text"]


def alpha_carbons(structure: Structure) -> Atoms:
    """The C-alpha atoms, one for each residue."""
    size = len(structure)
    return Atoms(np.repeat("CA", size), np.repeat("C", size), structure.ca, np.arange(size))


def backbone(structure: Structure) -> Atoms:
    """N, CA and C of every residue."""
    size = len(structure)
    positions = np.stack([structure.n, structure.ca, structure.c], axis=1).reshape(-1, 3)
    names, elements = np.tile(["N", "CA", "C"], size), np.tile(["N", "C", "C"], size)
    return Atoms(names, elements, positions, np.repeat(np.arange(size), 3))


def molecule(structure: Structure, atoms: Atoms, title: str) -> gemmi.Structure:
    """A gemmi structure of one model.

    Parameters
    ----------
    structure : Structure
    atoms : Atoms
        Atoms to write.
    title : str

    Returns
    -------
    gemmi.Structure
        Residue after residue, within each the atoms in the order of `atoms`.
    """
    result = gemmi.Structure()
    result.name = "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in structure.name)
    result.info["_struct.title"] = title
    model = gemmi.Model(1)
    label_numbers = _label_numbers(structure)
    order = np.argsort(atoms.residue, kind="stable")
    bounds = np.searchsorted(atoms.residue[order], np.arange(len(structure) + 1))
    for index, chain_id in enumerate(structure.chain_ids):
        if index == 0 or chain_id != structure.chain_ids[index - 1]:
            chain = model.add_chain(gemmi.Chain(str(chain_id)))
        residue = gemmi.Residue()
        residue.name = str(structure.residue_names[index])
        number = re.fullmatch(r"(-?\d+)([A-Za-z]?)", structure.residue_ids[index])
        if number is None:
            raise OutputError(
                f"{structure.name}: residue {structure.residue_label(index)} cannot be written to a coordinate "
                "file, whose residue ids are a number and at most one letter."
            )
        residue.seqid = gemmi.SeqId(int(number[1]), number[2] or " ")
        residue.subchain = str(structure.label_chain_ids[index]) or "A"
        residue.label_seq = int(label_numbers[index])
        residue.entity_type = gemmi.EntityType.Polymer
        residue.het_flag = "A"  # modified residues too: readers cut the chain at HETATM
        for k in order[bounds[index] : bounds[index + 1]]:
            atom = gemmi.Atom()
            atom.name = str(atoms.names[k])
            atom.element = gemmi.Element(str(atoms.elements[k]))
            atom.pos = gemmi.Position(*atoms.positions[k])
            residue.add_atom(atom)
        chain.add_residue(residue)
    result.add_model(model)
    result.ensure_entities()
    return result


def _label_numbers(structure: Structure) -> NDArray[np.int64]:
    """Residue numbers of mmCIF's label scheme: whole and positive, with a gap where the chain has one."""
    if all(label.isdecimal() and int(label) > 0 for label in structure.label_residue_ids):
        return structure.label_residue_ids.astype(np.int64)
    follows = np.zeros(len(structure), dtype=bool)
    follows[1:] = structure.next_residue[:-1] == np.arange(1, len(structure))
    numbers = np.cumsum(np.where(follows, 1, 2))
    _, first, chain = np.unique(structure.chain_ids, return_index=True, return_inverse=True)
    return numbers - numbers[first][chain] + 1


def write_pdb_text(result: gemmi.Structure, path: Path, remarks: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Write a PDB file; REMARK 6 says what its columns cannot hold.

    Parameters
    ----------
    result : gemmi.Structure
        Molecule to write; names that do not fit are changed in it.
    path : Path
    remarks : tuple of str
        Further remarks for the file.

    Returns
    -------
    tuple of str
        One sentence for each thing that was changed to fit.
    """
    long_names = [chain.name for chain in result[0]]
    result.shorten_chain_names()
    short_names = [chain.name for chain in result[0]]
    if max(map(len, short_names)) > 1:
        raise OutputError(
            f"{result.name} has {len(set(short_names))} chains, the PDB format has room for 62; write mmCIF instead."
        )
    positions = np.array([cra.atom.pos.tolist() for model in result for cra in model.all()])
    if positions.min() <= -999.9995 or positions.max() >= 9999.9995:
        raise OutputError(
            f"{result.name} has coordinates below -999 or above 9999 Å, which do not fit the PDB format; "
            "write mmCIF instead."
        )
    notices = tuple(
        f"Chain {long} is named {short} in the PDB file, which has room for one letter."
        for long, short in dict(zip(long_names, short_names, strict=True)).items()
        if long != short
    )
    if any((residue.seqid.num or 0) > 9999 for chain in result[0] for residue in chain):
        notices += ("Residue numbers above 9999 are written in hybrid-36, as A000 for 10000.",)
    result.shorten_ccd_codes()
    lines = [line for text in remarks + notices for line in textwrap.wrap(text, 68)]
    result.raw_remarks = [f"REMARK   6 {line}" for line in ["", *lines]] if lines else []
    text = result.make_pdb_string(gemmi.PdbWriteOptions(cryst1_record=False))
    path.write_text(text, encoding="utf-8")
    return notices

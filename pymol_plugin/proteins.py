"""From PyMOL's objects to the core's structures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from chempy import Atom
from pymol import CmdException

from .core import load_core

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Structure

__all__ = ["Protein", "read_protein"]

BACKBONE = ("N", "CA", "C")
PEPTIDE_BONDED = "byres ((name N and neighbor name C) or (name C and neighbor name N))"


@dataclass(frozen=True)
class Protein:
    """The residues of one object that are predicted as one system.

    Attributes
    ----------
    name : str
        Name of the object.
    structure : Structure
        Its N residues with a whole backbone, in PyMOL's order.
    calphas : list of Atom, length=N
        C-alpha of each residue.
    is_selected : list of bool, length=N
        Whether the user's selection touches the residue.
    """

    name: str
    structure: Structure
    calphas: list[Atom]
    is_selected: list[bool]


def read_protein(name: str, selection: str, *, _self: Cmd) -> Protein | None:
    """Read the chains of an object that a selection touches, in the state that is shown.

    What counts as a residue is what the core's own reader of files takes for one: N, CA and C of one
    conformer, that of highest occupancy, and no ligand that is a free amino acid.

    Parameters
    ----------
    name : str
        Name of the object.
    selection : str
        Any selection of PyMOL's.

    Returns
    -------
    Protein or None
        None if the selection touches no residue of the object that has a whole backbone.
    """
    residues = load_core(".structure.residues")
    chains = f"model {name} and (bychain ({selection})) and not (hetatm and not ({PEPTIDE_BONDED}))"
    touched = {index for _, index in _self.index(f"name CA and model {name} and (byres ({selection}))")}
    atoms = _self.get_model(chains, state=_self.get_object_state(name)).atom

    backbones: list[dict[str, Atom]] = []
    left_out: list[str] = []
    for (segment, chain, number), members in groupby(atoms, key=lambda a: (a.segi, a.chain, a.resi)):
        residue = list(members)
        label = f"/{name}/{segment}/{chain}/{residue[0].resn}`{number}"
        if backbone := _backbone(residue, label):
            backbones.append(backbone)
        elif residues.is_amino_acid(residue[0].resn):
            left_out.append(label)
    calphas = [backbone["CA"] for backbone in backbones]
    is_selected = [calpha.index in touched for calpha in calphas]
    if not any(is_selected):
        return None
    notices = (f"Left out, lacking N, CA or C: {', '.join(left_out)}.",) if left_out else ()
    structure = load_core().Structure.from_arrays(
        *([backbone[atom].coord for backbone in backbones] for atom in BACKBONE),
        "".join(residues.one_letter_code(calpha.resn) for calpha in calphas),
        # Chains of equal id may be told apart by their segment, as in PyMOL.
        chain_ids=[f"{calpha.segi}/{calpha.chain}" for calpha in calphas],
        residue_ids=[calpha.resi for calpha in calphas],
        residue_names=[calpha.resn for calpha in calphas],
        name=name,
        notices=notices,
    )
    return Protein(name, structure, calphas, is_selected)


def _backbone(residue: list[Atom], label: str) -> dict[str, Atom] | None:
    """N, CA and C of the most occupied conformer that has all three, None if none has."""
    atoms = [atom for atom in residue if atom.name in BACKBONE]
    if len({(atom.name, atom.alt) for atom in atoms}) < len(atoms):
        raise CmdException(f"{label} is there twice: give each chain its own id, with 'alter' and 'sort'.")
    letters = sorted({atom.alt for atom in atoms} - {""}) or [""]
    conformers = [{atom.name: atom for atom in atoms if atom.alt in ("", letter)} for letter in letters]
    return max(
        (conformer for conformer in conformers if len(conformer) == len(BACKBONE)),
        key=lambda conformer: sum(atom.q for atom in conformer.values()),
        default=None,
    )

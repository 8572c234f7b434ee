"""From PyMOL's objects to the core's structures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from chempy import Atom
from pymol import CmdException
from pymol.colorprinting import warning

from ..core import core_refusals, load_core, without_collection
from .linked_objects import is_linked

if TYPE_CHECKING:
    from pymol.cmd import Cmd

    from dynaprot import Structure

__all__ = ["Protein", "read_protein", "read_proteins", "residue_key"]

BACKBONE = ("N", "CA", "C")
PEPTIDE_BONDED = "byres ((name N and neighbor name C) or (name C and neighbor name N))"
HYDROGENS = ("H", "D")


@dataclass(frozen=True)
class Protein:
    """The residues of one object that are predicted together, as one system.

    Attributes
    ----------
    name : str
        Name of the object.
    state : int
        The state that was read.
    structure : Structure
        Its N residues with a whole backbone, in PyMOL's order, with their heavy atoms.
    calphas : list of Atom, length=N
        C-alpha of each residue.
    atoms : list of Atom, length=A
        All atoms of the residues, hydrogens too, in the conformer that is predicted.
    is_selected : ndarray, shape=(N,), dtype=bool
        Whether the user's selection touches the residue.
    """

    name: str
    state: int
    structure: Structure
    calphas: list[Atom]
    atoms: list[Atom]
    is_selected: np.ndarray

    @property
    def keys(self) -> list[tuple[str, str, str]]:
        """Segment, chain and number of each residue, which identify it in PyMOL, length=N."""
        return [residue_key(calpha) for calpha in self.calphas]

    @property
    def selected_keys(self) -> list[tuple[str, str, str]]:
        """The keys of the selected residues."""
        return [key for key, chosen in zip(self.keys, self.is_selected, strict=True) if chosen]

    @property
    def has_segments(self) -> bool:
        """Whether only segments tell some of the chains apart."""
        return len({key[:2] for key in self.keys}) > len({key[1] for key in self.keys})

    def touched(self, selection: str, *, _self: Cmd) -> np.ndarray:
        """Which residues another selection touches, shape=(M,), dtype=int."""
        touched = _touched(self.name, selection, _self=_self)
        return np.flatnonzero([key in touched for key in self.keys])


def residue_key(atom: Atom) -> tuple[str, str, str]:
    """Segment, chain, and number with insertion code, which identify an atom's residue within its object."""
    return atom.segi, atom.chain, atom.resi


def read_proteins(selection: str, state: int = -1, *, _self: Cmd) -> list[Protein]:
    """Read every object of a selection that is a protein, except those that DynaProt drew itself.

    Parameters
    ----------
    selection : str
        Any selection of PyMOL's.
    state : int
        -1 for the state that each object shows, 0 for all states, as in PyMOL.

    Raises
    ------
    CmdException
        If there is none.
    """
    names = _self.get_object_list(f"({selection})")
    if names is None:
        raise CmdException(f"'{selection}' is not a valid selection.")
    proteins: list[Protein] = []
    refusals: list[CmdException] = []
    for name in names:
        if is_linked(name, _self=_self):
            continue
        states = range(1, _self.count_states(name) + 1) if state == 0 else [state]
        try:
            with core_refusals(), without_collection():
                found = [read_protein(name, selection, each, _self=_self) for each in states]
        except CmdException as refusal:  # one object must not stop the others
            refusals.append(refusal)
            continue
        proteins += [protein for protein in found if protein]
        if not any(found):
            warning(f" DynaProt: {name}: no residue of the selection has N, CA and C.")
    if not proteins:
        raise refusals[0] if refusals else CmdException(f"There is no protein in '{selection}'.")
    for each in refusals:
        warning(f" DynaProt: {each.message}")
    return proteins


def read_protein(name: str, selection: str, state: int = -1, *, _self: Cmd) -> Protein | None:
    """Read the chains of an object that a selection touches.

    What counts as a residue is what the core's own reader of files takes for one: N, CA and C of one conformer, that
    of highest occupancy, N and C rebuilt where they are missing, and no ligand that is a free amino acid.

    Parameters
    ----------
    name : str
        Name of the object.
    selection : str
        Any selection of PyMOL's.
    state : int
        -1 for the state that is shown.

    Returns
    -------
    Protein or None
        None if the selection touches no residue of the object that has a whole backbone.

    Raises
    ------
    CmdException, DynaProtError
        If it cannot be predicted: residues cannot be told apart, there is no such state, or it is too small or large.
    """
    state = _self.get_object_state(name) if state < 0 else state
    if not state:  # PyMOL's word for an object that shows all its states
        state = 1
    if state > (count := _self.count_states(name)):
        raise CmdException(f"{name} has no state {state}: it has {count}.")
    residues = load_core(".structure.residues")
    touched = _touched(name, selection, _self=_self)
    chains = {key[:2] for key in touched}
    # Here, because PyMOL's own `bychain` and `byres` take several times as long as all the rest.
    read = _self.get_model(f"model {name} and not (hetatm and not ({PEPTIDE_BONDED}))", state=state).atom
    members_of_chains = [atom for atom in read if (atom.segi, atom.chain) in chains]

    conformers: list[dict[str, Atom]] = []
    members_of: list[list[Atom]] = []
    first_atoms: list[Atom] = []
    labels: list[str] = []
    for (segment, chain, number), members in groupby(members_of_chains, key=residue_key):
        residue = list(members)
        label = f"/{name}/{segment}/{chain}/{residue[0].resn}`{number}"
        backbone = _backbone(residue, label)
        if len(backbone) == len(BACKBONE) or residues.is_amino_acid(residue[0].resn):
            kept = {"", *(atom.alt for atom in backbone.values())}
            members_of.append([atom for atom in residue if atom.alt in kept])
            conformers.append(backbone)
            first_atoms.append(residue[0])
            labels.append(label)
    if not any(len(backbone) == len(BACKBONE) for backbone in conformers):
        return None
    positions = np.full((3, len(conformers), 3), np.nan)
    for k, backbone in enumerate(conformers):
        for atom_name, atom in backbone.items():
            positions[BACKBONE.index(atom_name), k] = atom.coord
    whole = load_core(".structure.completion").complete_backbone(*positions, _chain_ids(first_atoms), labels, name)
    calphas = [conformers[k]["CA"] for k in whole.kept]
    atoms = [atom for k in whole.kept for atom in members_of[k]]
    residue_of = [number for number, k in enumerate(whole.kept) for _ in members_of[k]]
    is_selected = np.array([residue_key(calpha) in touched for calpha in calphas], dtype=bool)
    if not is_selected.any():
        return None
    heavy = [k for k, atom in enumerate(atoms) if atom.symbol not in HYDROGENS]
    core = load_core()
    structure = core.Structure.from_arrays(
        whole.n,
        whole.ca,
        whole.c,
        "".join(residues.one_letter_code(calpha.resn) for calpha in calphas),
        chain_ids=_chain_ids(calphas),
        residue_ids=[calpha.resi for calpha in calphas],
        residue_names=[calpha.resn for calpha in calphas],
        name=name,
        notices=whole.notices,
        atoms=core.Atoms(
            names=np.array([atoms[k].name for k in heavy]),
            elements=np.array([atoms[k].symbol for k in heavy]),
            positions=np.array([atoms[k].coord for k in heavy]),
            residue=np.array([residue_of[k] for k in heavy]),
        ),
    )
    load_core(".prediction").require_size(structure)
    return Protein(name, state, structure, calphas, atoms, is_selected)


def _touched(name: str, selection: str, *, _self: Cmd) -> set[tuple[str, str, str]]:
    """Keys of the residues that a selection touches, ligands and waters too."""
    keys: set = set()
    _self.iterate(f"model {name} and ({selection})", "keys.add((segi, chain, resi))", space={"keys": keys})
    return keys


def _chain_ids(calphas: list[Atom]) -> list[str]:
    """Chain ids; with the segment where, as in PyMOL, only that tells two chains apart."""
    chains = [calpha.chain for calpha in calphas]
    both = [f"{calpha.segi}/{calpha.chain}" for calpha in calphas]
    return chains if len(set(both)) == len(set(chains)) else both


def _backbone(residue: list[Atom], label: str) -> dict[str, Atom]:
    """N, CA and C of the most occupied conformer, of those that have all three if there are such."""
    atoms = [atom for atom in residue if atom.name in BACKBONE]
    if len({(atom.name, atom.alt) for atom in atoms}) < len(atoms):
        raise CmdException(f"{label} is there twice: give each chain its own id, with 'alter' and 'sort'.")
    letters = sorted({atom.alt for atom in atoms} - {""}) or [""]
    conformers = [{atom.name: atom for atom in atoms if atom.alt in ("", letter)} for letter in letters]
    return max(
        conformers,
        key=lambda conformer: (len(conformer), sum(atom.q for atom in conformer.values())),
    )

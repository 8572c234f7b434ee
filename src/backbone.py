"""From the host's structure to the core's: which residues are protein, and where their backbone lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import Residue, concise_residue_spec

from .dynaprot import Structure, StructureError
from .dynaprot.structure.residues import one_letter_code

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues


def protein_backbone(structure: AtomicStructure) -> tuple[Residues, Structure]:
    """Take the protein residues of a structure, all chains as one system.

    Parameters
    ----------
    structure : chimerax.atomic.AtomicStructure
        Its ligands, solvent and nucleic acids are ignored.

    Returns
    -------
    residues : chimerax.atomic.Residues, length=N
        The residues with N, CA and C.
    backbone : Structure
        The same residues for the core, in Å in the structure's own frame; its notices name residues left out.

    Raises
    ------
    StructureError
        If there is no such residue.
    """
    residues = structure.residues
    residues = residues.filter(residues.polymer_types == Residue.PT_AMINO)
    positions = np.full((3, len(residues), 3), np.nan)
    atoms = residues.atoms
    for of_name, name in zip(positions, ("N", "CA", "C"), strict=True):
        named = atoms.filter(atoms.names == name)
        of_name[residues.indices(named.residues)] = named.coords
    whole = np.isfinite(positions).all(axis=(0, 2))
    if not whole.any():
        raise StructureError(f"{structure} has no protein residue with N, CA and C atoms.")

    notices = []
    if incomplete := residues.filter(~whole):
        spec = concise_residue_spec(structure.session, incomplete)
        lack = "residue that lacks" if len(incomplete) == 1 else "residues that lack"
        notices.append(f"Left out {len(incomplete)} {lack} N, CA or C: {spec}")
    residues = residues.filter(whole)
    return residues, Structure.from_arrays(
        *positions[:, whole],
        "".join(map(one_letter_code, residues.names)),
        chain_ids=residues.chain_ids,
        residue_ids=[
            f"{number}{code}" for number, code in zip(residues.numbers, residues.insertion_codes, strict=True)
        ],
        residue_names=residues.names,
        name=str(structure),
        notices=tuple(notices),
    )

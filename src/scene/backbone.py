"""From the host's residues to the core's structure: which are protein, and where their backbone lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import Residue

from ..dynaprot import Atoms, Structure, StructureError
from ..dynaprot.structure.backbone import frames
from ..dynaprot.structure.completion import complete_backbone, rebuilt_backbone, there
from ..dynaprot.structure.residues import one_letter_code

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructure, Residues
    from numpy.typing import NDArray


def protein_residues(structure: AtomicStructure) -> Residues:
    """The residues of a structure's chains of amino acids, with or without their whole backbone."""
    residues = structure.residues
    return residues.filter(residues.polymer_types == Residue.PT_AMINO)


def protein_backbone(structure: AtomicStructure, chain_ids: list[str] | None = None) -> tuple[Residues, Structure]:
    """Take the protein residues of some chains of a structure as one system.

    Parameters
    ----------
    structure : chimerax.atomic.AtomicStructure
        Structure whose ligands, solvent and nucleic acids are ignored.
    chain_ids : list of str, optional
        By default all chains.

    Returns
    -------
    residues : chimerax.atomic.Residues, length=N
        The residues with N, CA and C, those included of which the core could rebuild N and C.
    backbone : Structure
        The same residues as the core takes them, with their heavy atoms, in Å in the structure's own frame; its
        notices name residues that are left out or rebuilt.

    Raises
    ------
    StructureError
        If no residue has them.
    """
    residues = protein_residues(structure)
    if chain_ids is not None:
        residues = residues.filter(np.isin(residues.chain_ids, chain_ids))
    n, ca, c = atom_positions(residues)
    if not (there(n) & there(ca) & there(c)).any():
        raise StructureError(f"{structure} has no protein residue with N, CA and C atoms.")
    labels = [residue.string(style="command", omit_structure=True) for residue in residues]
    whole = complete_backbone(n, ca, c, residues.chain_ids, labels, str(structure))
    residues = residues[whole.kept]
    heavy = residues.atoms
    heavy = heavy.filter(heavy.element_numbers > 1)
    return residues, Structure.from_arrays(
        whole.n,
        whole.ca,
        whole.c,
        "".join(map(one_letter_code, residues.names)),
        chain_ids=residues.chain_ids,
        residue_ids=[
            f"{number}{code}" for number, code in zip(residues.numbers, residues.insertion_codes, strict=True)
        ],
        residue_names=residues.names,
        name=str(structure),
        notices=whole.notices,
        atoms=Atoms(
            names=heavy.names.astype(str),
            elements=heavy.element_names.astype(str),
            positions=heavy.coords,
            residue=residues.indices(heavy.residues),
        ),
    )


def backbone_positions(residues: Residues) -> NDArray[np.floating]:
    """N, CA and C of residues of one structure, as `atom_positions`, with N and C rebuilt where they are missing."""
    positions = atom_positions(residues)
    if np.isnan(positions).any():
        every = protein_residues(residues[0].structure)
        n, ca, c = atom_positions(every)
        positions = np.stack(rebuilt_backbone(n, ca, c, every.chain_ids))[:, every.indices(residues)]
    return positions


def atom_positions(residues: Residues) -> NDArray[np.floating]:
    """N, CA and C of each residue: (3, N, 3), Å in the structure's own frame, NaN for a missing atom."""
    positions = np.full((3, len(residues), 3), np.nan)
    atoms = residues.atoms
    for of_name, name in zip(positions, ("N", "CA", "C"), strict=True):
        named = atoms.filter(atoms.names == name)
        of_name[residues.indices(named.residues)] = named.coords
    return positions


def backbone_frames(positions: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rotation of each residue's backbone frame, (N, 3, 3), from `backbone_positions`."""
    return frames(*positions)

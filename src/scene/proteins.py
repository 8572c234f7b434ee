"""From a specification to the proteins that are to be predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from chimerax.atomic import Residue, all_atomic_structures
from chimerax.core.errors import UserError

from ..dynaprot import Structure, StructureError
from .backbone import protein_backbone, protein_residues

if TYPE_CHECKING:
    from collections.abc import Collection

    from chimerax.atomic import AtomicStructure, Residues
    from chimerax.core.session import Session
    from numpy.typing import NDArray


MADE_FROM = "dynaprot_made_from"
"""Attribute of models that DynaProt has made, such as ensembles; they are predicted only where they are specified."""


@dataclass(frozen=True)
class Protein:
    """The chains of one structure that the user's specification touches, predicted together as one system.

    Attributes
    ----------
    structure : chimerax.atomic.AtomicStructure
    residues : chimerax.atomic.Residues, length=N
        All residues that are predicted.
    specified : ndarray, shape=(N,), dtype=bool
        Whether the user specified the residue, to be drawn and coloured; at least one is.
    backbone : Structure
        The N residues as the core takes them.
    """

    structure: AtomicStructure
    residues: Residues
    specified: NDArray[np.bool_]
    backbone: Structure


def chain_spec(structure: AtomicStructure, chain_ids: Collection[str]) -> str:
    """How a command names chains of a structure: as the structure, if they are all of its protein.

    This is also the only way to name a chain that has no name, as in files of simulations.
    """
    is_whole = set(chain_ids) == set(protein_residues(structure).unique_chain_ids)
    return structure.atomspec + ("" if is_whole else f"/{','.join(chain_ids)}")


def read_proteins(session: Session, residues: Residues | None = None) -> list[Protein]:
    """Read the proteins that a specification asks to be predicted.

    Each structure is predicted by itself, in its own frame. Its chains that are touched are one system.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, optional
        By default all residues of all atomic structures except those that DynaProt has made.

    Returns
    -------
    list of Protein
        One for each structure, at least one.

    Raises
    ------
    UserError
        If there is no protein; a structure without any, beside others, is left out with a warning.
    """
    if residues is None:
        structures = all_atomic_structures(session)
        own = [structure for structure in structures if not hasattr(structure, MADE_FROM)]
        by_structure = [(structure, structure.residues) for structure in own]
        if not by_structure:
            raise UserError(
                f"All that is open was made by DynaProt; specify what is meant, for example {structures[0].atomspec}."
                if structures
                else "No atomic structure was given; open one first."
            )
    else:
        by_structure = residues.by_structure
        if not by_structure:
            raise UserError("No residue of an atomic structure was given; what is open is listed by 'info models'.")
    found, refused = [], []
    for structure, given in by_structure:
        amino = given.filter(given.polymer_types == Residue.PT_AMINO)
        try:
            whole, backbone = protein_backbone(structure, list(amino.unique_chain_ids))
            specified = whole.mask(amino)
            if specified.any():
                found.append(Protein(structure, whole, specified, backbone))
            else:
                refused.append(f"{structure}: none of the residues given has N, CA and C atoms.")
        except StructureError as error:
            is_part = 0 < len(given) < structure.num_residues
            refused.append(f"{structure}: no protein residue was given." if is_part else str(error))
    if not found:
        raise UserError(" ".join(refused))
    for text in refused:
        session.logger.warning(text)
    return found

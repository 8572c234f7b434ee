"""The commands of the bundle, each a function and its description."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from chimerax.atomic import AtomicStructuresArg, Residue, all_atomic_structures
from chimerax.core.commands import CmdDesc, ColormapArg, EnumOf, register
from chimerax.core.errors import UserError

if TYPE_CHECKING:
    from chimerax.atomic import AtomicStructures, Residues
    from chimerax.core.session import Session
    from numpy.typing import NDArray

    from .dynaprot import Dynamics

PALETTE = "^rdylbu-5"
"""From blue, the most rigid residue, over yellow to red, the most mobile."""


def dynaprot_rmsf(
    session: Session, structures: AtomicStructures | None = None, *, model: str = "default"
) -> list[Dynamics]:
    """Predict the RMSF of each protein residue, keep it as a residue attribute and colour by it.

    Parameters
    ----------
    session : chimerax.core.session.Session
    structures : chimerax.atomic.AtomicStructures, optional
        Each is predicted as one complex. By default all that are open.
    model : str
        ``"default"``, the trained model, or ``"anm"``, the elastic network.

    Returns
    -------
    list of Dynamics
        One for each structure.
    """
    from .backbone import protein_backbone
    from .dynaprot import DynaProtError, predict

    if structures is None:
        structures = all_atomic_structures(session)
    if not structures:
        raise UserError("No atomic structure was given; open one first.")
    predicted = []
    for structure in structures:
        start = perf_counter()
        try:
            residues, backbone = protein_backbone(structure)
            dynamics = predict(backbone, model=model)
            rmsf, anisotropy = dynamics.rmsf, dynamics.anisotropy
        except DynaProtError as error:
            raise UserError(str(error)) from error
        seconds = perf_counter() - start

        set_attribute(session, residues, "dynaprot_rmsf", rmsf)
        set_attribute(session, residues, "dynaprot_anisotropy", anisotropy)
        color_by_attribute(session, residues, "dynaprot_rmsf")
        for notice in (*backbone.notices, *dynamics.notices):
            session.logger.warning(f"{structure}: {notice}")
        session.logger.info(
            f"{structure}: RMSF of {len(residues)} residues is {rmsf.min():.2f} to {rmsf.max():.2f} Å, "
            f"predicted in {seconds:.1f} s by {dynamics.model}"
        )
        predicted.append(dynamics)
    return predicted


def set_attribute(session: Session, residues: Residues, name: str, values: NDArray) -> None:
    """Give each residue a number that selections, colouring and saved sessions know.

    Parameters
    ----------
    session : chimerax.core.session.Session
    residues : chimerax.atomic.Residues, length=N
    name : str
        The attribute.
    values : ndarray, shape=(N,), dtype=float
    """
    Residue.register_attr(session, name, "DynaProt", attr_type=float)
    for residue, value in zip(residues, values.tolist(), strict=True):
        setattr(residue, name, value)
    session.change_tracker.add_modified(residues, f"{name} changed")


def color_by_attribute(session: Session, residues: Residues, name: str) -> None:
    """Colour atoms, cartoon and surface by a residue attribute, from its lowest to its highest value."""
    from chimerax.std_commands.color import color_by_attr

    palette, _, _ = ColormapArg.parse(PALETTE, session)
    color_by_attr(
        session, f"r:{name}", atoms=residues.atoms, palette=palette, undo_name="dynaprot rmsf", log_info=False
    )


def register_command(command_info, logger) -> None:
    """Register the one command of this bundle; called by the host when it is first typed."""
    description = CmdDesc(
        optional=[("structures", AtomicStructuresArg)],
        keyword=[("model", EnumOf(("default", "anm")))],
        synopsis=command_info.synopsis,
    )
    register(command_info.name, description, dynaprot_rmsf, logger=logger)

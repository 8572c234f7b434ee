"""`Dynamics`: how a structure moves, as predicted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .cached import cached_property
from .errors import OutputError, PredictionError, StructureError
from .joint import FORMS, Joint, SuperposedJoint
from .joint.superposed import core_weights
from .notices import Notice, as_notices, notice_rows, read_notices
from .storage import read_archive, write_archive
from .structure.completion import count, shorten
from .structure.protein import Structure
from .structure.selection import select, selection_text

__all__ = ["Dynamics"]

Array = NDArray[np.floating]

FORMAT = "dynaprot-dynamics-2"
EARLIER_FORMAT = "dynaprot-dynamics-1"
EARLIER_NAMES = {
    "sequence": "structure_sequence", "name": "structure_name", "atoms_names": "structure_atom_names",
    "atoms_elements": "structure_atom_elements", "atoms_positions": "structure_atom_positions",
    "atoms_residue": "structure_atom_residue",
}  # fmt: skip
"""Names of arrays in the earlier format, and what they are called since."""


class Dynamics:
    """A Gaussian over the C-alpha positions of a structure, whose mean is the structure.

    Parameters
    ----------
    structure : Structure
    joint : Joint
        The covariance, in one of its forms.
    model : str
        Name of the model that predicted it, for people to read.
    notices : sequence of Notice
        What the user should know about the prediction itself; `notices` has the structure's own before them.
    """

    def __init__(self, structure: Structure, joint: Joint, model: str = "", notices: Sequence[str] = ()) -> None:
        self.structure = structure
        self.joint = joint
        self.model = model
        self._notices = as_notices(notices)

    def __len__(self) -> int:
        return len(self.structure)

    def __repr__(self) -> str:
        return f"<Dynamics of {self.structure.name}: {len(self)} residues, by {self.model}>"

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know: of the structure, and of the prediction."""
        return self.structure.notices + self._notices

    @cached_property
    def marginals(self) -> Array:
        """Covariance of each residue's C-alpha, shape=(N, 3, 3), Å^2, SPD, in the frame of the input."""
        return self.joint.marginals

    @cached_property
    def rmsf(self) -> Array:
        """Root mean square fluctuation of each residue, shape=(N,), Å: the root of the marginal's trace."""
        return np.sqrt(np.trace(self.marginals, axis1=1, axis2=2))

    @cached_property
    def anisotropy(self) -> Array:
        """Fractional anisotropy of each marginal, shape=(N,): 0 for a sphere, 1 for a line.

        Basser & Pierpaoli 1996: the spread of the three variances over their norm.
        """
        variances = np.linalg.eigvalsh(self.marginals)
        spread = ((variances - variances.mean(1, keepdims=True)) ** 2).sum(1)
        return np.sqrt(1.5 * spread / (variances**2).sum(1))

    @cached_property
    def coupling(self) -> Array:
        """Coupling of each pair of residues, shape=(N, N), SPD, from -1 to 1.

        The normalised dynamic cross-correlation (DCCM), tr(Sigma_ij) / sqrt(tr Sigma_ii tr Sigma_jj): 1 for residues
        that move together, 0 for residues that move independently, -1 for residues that move against each other.
        """
        return self.joint.coupling

    def superposed(self, on: str | ArrayLike = "auto") -> Dynamics:
        """The same motion seen from some of the residues: conformations are superposed on these.

        Superposition is linear to first order in the motion, and so exact for the Gaussian. Conformations that are
        drawn (`sample`) and depart far from the structure would be superposed a little differently one by one.

        Parameters
        ----------
        on : str or array_like of bool, shape=(N,)
            ``"all"`` residues alike, as models are trained; the ``"core"``, where each residue counts by the inverse of
            its variance; residues by chain and number, as ``"A:10-80,B"``, or a mask; or ``"auto"``: all residues,
            except where loose pieces or tails, which notices name, have more than half of the variance: then the
            others.

        Returns
        -------
        Dynamics
            Its notices say on what it is superposed, if not on all residues.

        Raises
        ------
        StructureError
            If fewer than three residues are chosen, or they are not understood.
        """
        base = self.joint.joint if isinstance(self.joint, SuperposedJoint) else self.joint
        others = [notice for notice in self._notices if notice.kind != "superposition"]
        if isinstance(on, str) and on == "auto":
            return self._superposed_but_for_loose(base, others)
        if isinstance(on, str) and on == "all":
            joint = self.joint if base is self.joint else SuperposedJoint(base, self.structure.ca)
            return Dynamics(self.structure, joint, self.model, others)
        if isinstance(on, str) and on == "core":
            weights = core_weights(base, self.structure.ca)
            return self._superposed(base, weights, others, "the core: each residue counts by its inverse variance")
        chosen = select(self.structure, on) if isinstance(on, str) else np.asarray(on, dtype=bool)
        if chosen.shape != (len(self),):
            raise StructureError(f"{self.structure.name}: a mask of {len(self)} residues is needed to superpose on.")
        named = on if isinstance(on, str) else shorten(selection_text(self.structure, chosen).split(","))
        return self._superposed(base, chosen, others, f"residues {named}")

    def _superposed_but_for_loose(self, base: Joint, others: list[Notice]) -> Dynamics:
        loose = np.zeros(len(self), dtype=bool)
        for notice in others:
            if notice.kind == "loose":
                loose[notice.residues] = True
        everything = self.superposed("all")
        if not loose.any():  # nothing has to be worked out yet
            return everything
        variance = np.trace(everything.marginals, axis1=1, axis2=2)
        if variance[loose].sum() <= 0.5 * variance.sum() or (~loose).sum() < 3:
            return everything
        text = f"all residues but the {count(int(loose.sum()), 'loose one')}, which would blur the others"
        return self._superposed(base, ~loose, others, text)

    def _superposed(self, base: Joint, weights: NDArray[Any], others: list[Notice], on: str) -> Dynamics:
        if (weights > 0).sum() < 3:
            raise StructureError(f"{self.structure.name}: at least three residues are needed to superpose on.")
        notice = Notice(f"Superposed on {on}.", "superposition")
        joint = SuperposedJoint(base, self.structure.ca, weights)
        return Dynamics(self.structure, joint, self.model, (*others, notice))

    def covariance(self) -> Array:
        """The full covariance, shape=(3N, 3N), Å^2; rows run residue by residue, x y z. Computed at each call."""
        return self.joint.covariance()

    def modes(self, k: int) -> tuple[Array, Array]:
        """The k collective motions (normal modes) of largest variance, without forming the full covariance.

        Parameters
        ----------
        k : int
            At most 3N - 6: the six rigid motions are not counted.

        Returns
        -------
        variances : ndarray, shape=(k,)
            Variance along each mode, Å^2, from the largest down.
        directions : ndarray, shape=(k, N, 3)
            Unit vectors over all residues, orthogonal to each other; their signs are arbitrary.

        Raises
        ------
        PredictionError
            If there are fewer than k modes.
        """
        most = 3 * len(self) - 6
        if not 1 <= k <= most:
            raise PredictionError(
                f"{self.structure.name}: {k} modes were asked for; there are 1 to {most} of {len(self)} residues."
            )
        return self.joint.modes(k)

    def sample(self, n: int, seed: int | None = None) -> Array:
        """Draw conformations.

        Parameters
        ----------
        n : int
            Number of conformations.
        seed : int, optional
            Not negative. The same seed gives the same conformations.

        Returns
        -------
        ndarray, shape=(n, N, 3)
            C-alpha positions, Å, as the model says; `structure.chain_geometry.restore_geometry` restores chains.

        Raises
        ------
        PredictionError
            If none are asked for, or the seed is negative.
        """
        if n < 1:
            raise PredictionError(f"{self.structure.name}: at least one sample must be asked for, not {n}.")
        if seed is not None and seed < 0:
            raise PredictionError(f"{self.structure.name}: a seed is 0 or a larger whole number, not {seed}.")
        return self.structure.ca + self.joint.displacements(n, np.random.default_rng(seed))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one ``.npz`` file, without pickles; `load` reads it back."""
        arrays: dict[str, Any] = {f"structure_{name}": array for name, array in self.structure.to_arrays().items()}
        arrays |= {f"joint_{name}": array for name, array in self.joint.arrays().items()}
        arrays |= {
            "form": next(name for name, kind in FORMS.items() if isinstance(self.joint, kind)),
            "model": self.model,
            "notices": notice_rows(self._notices),
        }
        # What other programs read without DynaProt.
        arrays |= {"marginals": self.marginals, "rmsf": self.rmsf, "coupling": self.coupling}
        write_archive(path, FORMAT, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Dynamics:
        """Read what `save` wrote.

        Raises
        ------
        OutputError
            If the file is missing, damaged, or something else.
        """
        form, archive = read_archive(path, (FORMAT, EARLIER_FORMAT), "a result of DynaProt", OutputError)
        if form == EARLIER_FORMAT:
            archive.arrays = {EARLIER_NAMES.get(name, name): array for name, array in archive.arrays.items()}
        structure = Structure.from_archive(archive.section("structure_"))
        joint = archive.text("form")
        if joint not in FORMS:
            archive.refuse(f"'form' names no joint Gaussian that DynaProt knows: '{joint}'")
        dynamics = cls(
            structure,
            FORMS[joint].from_archive(archive.section("joint_")),
            archive.text("model"),
            read_notices(archive, "notices"),
        )
        # Computed already when it was saved; an elastic joint would have to be factorised for them.
        dynamics.marginals = archive.numbers("marginals", "N", 3, 3)
        dynamics.coupling = archive.numbers("coupling", "N", "N")
        if not (np.linalg.eigvalsh(dynamics.marginals) > 0.0).all():
            archive.refuse("'marginals' are not positive definite")
        return dynamics

"""`Dynamics`: how a structure moves, as predicted."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .archive import read_archive, write_archive
from .cached import cached_property
from .errors import OutputError, PredictionError
from .joint import FORMS, ElasticJoint, FactoredJoint, Joint
from .structure.protein import Atoms, Structure

__all__ = ["Dynamics"]

Array = NDArray[np.floating]
Answer = TypeVar("Answer")

FORMAT = "dynaprot-dynamics-1"
COLUMNS = (
    "n", "ca", "c", "chain_ids", "residue_ids", "residue_names", "label_chain_ids", "label_residue_ids",
)  # fmt: skip
ATOM_COLUMNS = ("names", "elements", "positions", "residue")


class Dynamics:
    """A Gaussian over the C-alpha positions of a structure, whose mean is the structure.

    Parameters
    ----------
    structure : Structure
    joint : Joint
        The covariance, in factored or elastic form.
    model : str
        What predicted it, for people to read.
    notices : tuple of str
        What the user should know about the prediction, one sentence each.
    """

    def __init__(self, structure: Structure, joint: Joint, model: str = "", notices: tuple[str, ...] = ()) -> None:
        self.structure = structure
        self.joint = joint
        self.model = model
        self.notices = notices
        self._answers: dict[Callable[..., Any], tuple[tuple[Any, ...], Any]] = {}

    def __len__(self) -> int:
        return len(self.structure)

    def __repr__(self) -> str:
        return f"<Dynamics of {self.structure.name}: {len(self)} residues, by {self.model}>"

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
        """Coupling tr(Sigma_ij)/3 scaled to a unit diagonal, shape=(N, N), SPD."""
        return self.joint.coupling

    def covariance(self) -> Array:
        """The full covariance, shape=(3N, 3N), Å^2; rows run residue by residue, x y z. Made anew at each call."""
        return self.joint.covariance()

    def modes(self, k: int) -> tuple[Array, Array]:
        """The k collective motions of largest variance, without forming the full covariance.

        Parameters
        ----------
        k : int
            At most 3N - 6: the six rigid motions are none.

        Returns
        -------
        variances : ndarray, shape=(k,)
            Å^2, from the largest down.
        directions : ndarray, shape=(k, N, 3)
            Unit vectors over all residues, orthogonal to each other; their signs are arbitrary.

        Raises
        ------
        PredictionError
            If there are not so many.
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
            How many.
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

    def once(self, question: Callable[..., Answer], *arguments: Any) -> Answer:
        """Ask what takes its time, or take the answer from before: the latest answer to each question is kept.

        So a window lets a thread ask, and the command that draws, which asks again, does not keep the user waiting.

        Parameters
        ----------
        question : callable
            Called with this and the arguments. Nobody may change what it returns.
        """
        known = self._answers.get(question)
        if known is None or known[0] != arguments:
            known = self._answers[question] = arguments, question(self, *arguments)
        return known[1]

    def knows(self, question: Callable[..., Any], *arguments: Any) -> bool:
        """Whether `once` has the answer from before."""
        return question in self._answers and self._answers[question][0] == arguments

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one ``.npz`` file, without pickles; `load` reads it back."""
        structure = self.structure
        arrays: dict[str, Any] = {f"structure_{name}": getattr(structure, name) for name in COLUMNS}
        arrays |= {f"joint_{name}": array for name, array in self.joint.arrays().items()}
        if structure.atoms is not None:
            arrays |= {f"atoms_{name}": getattr(structure.atoms, name) for name in ATOM_COLUMNS}
        form = next(name for name, kind in FORMS.items() if isinstance(self.joint, kind))
        arrays |= {
            "form": form,
            "model": self.model,
            "name": structure.name,
            "sequence": structure.sequence,
            "notices": np.array(self.notices, dtype=np.str_),
            "structure_notices": np.array(structure.notices, dtype=np.str_),
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
        arrays = read_archive(path, FORMAT, "result of DynaProt", OutputError)
        atoms = None
        if "atoms_names" in arrays:
            atoms = Atoms(**{name: arrays[f"atoms_{name}"] for name in ATOM_COLUMNS})
        structure = Structure.from_arrays(
            **{name: arrays[f"structure_{name}"] for name in COLUMNS},
            sequence=str(arrays["sequence"]),
            name=str(arrays["name"]),
            notices=tuple(str(notice) for notice in arrays["structure_notices"]),
            atoms=atoms,
        )
        parts = {name[6:]: array for name, array in arrays.items() if name.startswith("joint_")}
        kind: type[ElasticJoint] | type[FactoredJoint] = FORMS[str(arrays["form"])]
        dynamics = cls(
            structure,
            kind.from_arrays(parts),
            str(arrays["model"]),
            tuple(str(notice) for notice in arrays["notices"]),
        )
        # Already worked out when it was saved; an elastic joint would have to be factorised for them.
        dynamics.marginals, dynamics.coupling = arrays["marginals"], arrays["coupling"]
        return dynamics

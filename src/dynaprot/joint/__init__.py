"""Forms of a joint Gaussian over all C-alpha positions behind one interface."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .elastic import Background, ElasticJoint, InternalSprings, Springs
from .factored import FactoredJoint
from .superposed import BENEATH, SuperposedJoint

__all__ = [
    "FORMS",
    "Background",
    "ElasticJoint",
    "FactoredJoint",
    "InternalSprings",
    "Joint",
    "Springs",
    "SuperposedJoint",
]

FORMS: dict[str, type[ElasticJoint] | type[FactoredJoint] | type[SuperposedJoint]] = {
    **BENEATH,
    "superposed": SuperposedJoint,
}
"""The name of each form in a saved file."""


class Joint(Protocol):
    """What `Dynamics` needs of a joint Gaussian; shapes and units as in `FactoredJoint` and `ElasticJoint`."""

    @property
    def marginals(self) -> NDArray[np.floating]: ...

    @property
    def coupling(self) -> NDArray[np.floating]: ...

    def traces(self) -> NDArray[np.floating]: ...

    def product(self, vectors: NDArray[np.floating]) -> NDArray[np.floating]: ...

    def covariance(self) -> NDArray[np.floating]: ...

    def modes(self, count: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]: ...

    def displacements(self, count: int, generator: np.random.Generator) -> NDArray[np.floating]: ...

    def arrays(self) -> dict[str, NDArray]: ...

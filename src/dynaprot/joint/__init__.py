"""Two forms of a joint Gaussian over all C-alpha positions behind one interface."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .elastic import Background, ElasticJoint, InternalSprings, Springs
from .factored import FactoredJoint

__all__ = ["FORMS", "Background", "ElasticJoint", "FactoredJoint", "InternalSprings", "Joint", "Springs"]

FORMS: dict[str, type[ElasticJoint] | type[FactoredJoint]] = {
    "elastic": ElasticJoint,
    "factored": FactoredJoint,
}
"""The name of each form in a saved file."""


class Joint(Protocol):
    """What `Dynamics` needs of a joint Gaussian; shapes and units as in `FactoredJoint` and `ElasticJoint`."""

    @property
    def marginals(self) -> NDArray[np.floating]: ...

    @property
    def coupling(self) -> NDArray[np.floating]: ...

    def covariance(self) -> NDArray[np.floating]: ...

    def modes(self, count: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]: ...

    def displacements(self, count: int, generator: np.random.Generator) -> NDArray[np.floating]: ...

    def arrays(self) -> dict[str, NDArray]: ...

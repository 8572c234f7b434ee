"""What `Dynamics` needs of a joint Gaussian, whatever its form."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Joint"]


class Joint(Protocol):
    """A Gaussian over C-alpha displacements; shapes and units as in `FactoredJoint` and `ElasticJoint`."""

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

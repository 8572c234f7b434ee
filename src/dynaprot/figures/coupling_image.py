"""Coupling (DCCM) of all pairs of residues as an image, drawn from no more cells than it has dots."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from .figure import SIGNED

__all__ = ["CouplingImage"]

Array = NDArray[np.floating]


class CouplingImage(AxesImage):
    """A map of the coupling, from -1 to 1, that fills axes; residue k stands at k along both.

    Where several residues share a dot, the means of blocks of them are drawn: matplotlib would give each pair a colour
    first, which takes seconds and gigabytes for thousands of residues. The dots are kept as long as the axes show
    the same in the same place, so that what is drawn over them costs nothing here.

    Parameters
    ----------
    axes : Axes
    coupling : ndarray, shape=(N, N)
        Coupling as in `Dynamics.coupling`; it is not copied.
    """

    def __init__(self, axes: Axes, coupling: Array) -> None:
        super().__init__(axes, cmap=SIGNED, norm=Normalize(-1.0, 1.0))
        self.coupling = coupling
        edge = len(coupling) - 0.5
        axes.set(xlim=(-0.5, edge), ylim=(edge, -0.5))
        self._block = 0
        self._shown: tuple[Any, ...] = ()
        self._take_means(self._residues_in_a_dot(1.0))
        axes.add_image(self)
        self.set_clip_path(axes.patch)  # the last block may reach beyond the last residue

    def make_image(
        self, renderer: RendererBase, magnification: float = 1.0, unsampled: bool = False
    ) -> tuple[NDArray[np.uint8], float, float, Any]:
        """The dots and their place, as matplotlib needs them at each drawing."""
        shown = (self.axes.bbox.bounds, self.axes.viewLim.bounds, magnification, unsampled)
        if shown != self._shown:
            self._take_means(self._residues_in_a_dot(magnification))
            self._picture = super().make_image(renderer, magnification, unsampled)
            self._shown = shown
        return self._picture

    def _residues_in_a_dot(self, magnification: float) -> int:
        """Number of residues that share a dot along each axis, at least one."""
        panel, view = self.axes.bbox, self.axes.viewLim
        return max(1, int(min(abs(view.width) / panel.width, abs(view.height) / panel.height) / magnification))

    def _take_means(self, block: int) -> None:
        """Draw from the means of blocks with so many residues along each side."""
        if block == self._block:
            return
        starts = np.arange(0, len(self.coupling), block)
        sizes = np.diff(starts, append=len(self.coupling))
        means = np.add.reduceat(np.add.reduceat(self.coupling, starts, axis=0), starts, axis=1)
        means /= np.outer(sizes, sizes)
        self._block = block
        self.set_data(means.astype(np.float32))  # drawn in two thirds of the time
        edge = block * len(means) - 0.5
        self.set_extent((-0.5, edge, edge, -0.5))

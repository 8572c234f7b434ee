"""Who is told what a command has drawn: PyMOL's window adds itself here. Loading this costs nothing."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["on_coupling"]

on_coupling: list[Callable[..., None]] = []
"""Called once couplings are drawn, with the first protein, its prediction, and as `_self` the PyMOL that it is in."""

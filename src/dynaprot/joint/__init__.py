"""Forms of a joint Gaussian over all C-alpha positions behind one interface."""

from __future__ import annotations

from .elastic import Background, ElasticJoint, InternalSprings, Springs
from .factored import FactoredJoint
from .interface import Joint
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

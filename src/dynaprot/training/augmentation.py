"""How an example differs from one step to the next: frames of its simulation, noise, crops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..structure.protein import Structure
from .configuration import Augmentation
from .examples import Example

__all__ = ["augmented"]

Array = NDArray[np.floating]


def augmented(example: Example, how: Augmentation, generator: np.random.Generator) -> Example:
    """An example seen otherwise; its labels stay what they are, in the frame of its reference."""
    structure = example.structure
    if len(example.frames) and generator.random() < how.frames:
        # Frames are superposed on the reference, so that the labels hold in their frame too.
        structure = _with_backbone(structure, example.frames[generator.integers(len(example.frames))])
    if how.position_noise or how.rotation_noise:
        structure = _jostled(structure, how, generator)
    if how.crop and len(structure) > how.crop:
        kept = _crop(structure, how, generator)
        structure = structure[kept]
        coupling = None if example.coupling is None else example.coupling[kept][:, kept]
        example = replace(example, marginals=example.marginals[kept], coupling=coupling)
    if structure is example.structure:
        return example
    return replace(example, structure=structure, frames=example.frames[:0])


def _with_backbone(structure: Structure, backbone: Array) -> Structure:
    """The same residues elsewhere: N, CA and C, shape=(N, 3, 3)."""
    return replace(structure, n=backbone[:, 0], ca=backbone[:, 1], c=backbone[:, 2], atoms=None)


def _jostled(structure: Structure, how: Augmentation, generator: np.random.Generator) -> Structure:
    """Each backbone frame moved as a rigid body, with no regard to its neighbours."""
    backbone = np.stack([structure.n, structure.ca, structure.c], axis=1)
    turns = _rotations(np.deg2rad(how.rotation_noise) * generator.normal(size=(len(structure), 3)))
    shifts = how.position_noise * generator.normal(size=(len(structure), 1, 3))
    offsets = np.einsum("iab,ikb->ika", turns, backbone - backbone[:, 1:2])
    return _with_backbone(structure, backbone[:, 1:2] + shifts + offsets)


def _rotations(vectors: Array) -> Array:
    """Rotation about each axis by its length in radians (Rodrigues): (N, 3) -> (N, 3, 3)."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    x, y, z = (vectors / np.maximum(angle[:, 0], 1e-12)).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def _crop(structure: Structure, how: Augmentation, generator: np.random.Generator) -> NDArray[np.int64]:
    if how.crop_shape == "sequence":
        return np.arange(how.crop) + generator.integers(len(structure) - how.crop + 1)
    centre = structure.ca[generator.integers(len(structure))]
    return np.sort(np.argsort(np.linalg.norm(structure.ca - centre, axis=1), kind="stable")[: how.crop])

"""Augmentation: frames of the simulation, noise and crops, which change an example from step to step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..datasets.distillation import SHORTEST_GAP, without_stretch
from ..structure.protein import Structure
from .configuration import Augmentation
from .examples import Example

__all__ = ["augmented"]

Array = NDArray[np.floating]


def augmented(example: Example, how: Augmentation, generator: np.random.Generator) -> Example:
    """A variant of an example; its labels stay the same, in the frame of its reference."""
    structure = example.structure
    if len(example.frames) and generator.random() < how.frames:
        # Frames are superposed on the reference, so that the labels hold in their frame too.
        structure = _with_backbone(structure, example.frames[generator.integers(len(example.frames))])
    if how.position_noise or how.rotation_noise:
        structure = _jostled(structure, how, generator)
    if structure is not example.structure:
        example = replace(example, structure=structure)
    if len(example) > 3 * SHORTEST_GAP and generator.random() < how.gaps:
        rest = without_stretch(np.sqrt(np.einsum("iaa->i", example.marginals.numpy())), generator)
        coupling = None if example.coupling is None else example.coupling[rest][:, rest]
        example = replace(
            example, structure=structure[rest], marginals=example.marginals[rest], coupling=coupling,
            frames=example.frames[:, rest],
        )  # fmt: skip
    if how.crop and len(example) > how.crop:
        start = int(generator.integers(len(example) - how.crop + 1))
        example = example.cropped(slice(start, start + how.crop))
    return example


def _with_backbone(structure: Structure, backbone: Array) -> Structure:
    """The same residues with other N, CA and C, shape=(N, 3, 3)."""
    return replace(structure, n=backbone[:, 0], ca=backbone[:, 1], c=backbone[:, 2], atoms=None)


def _jostled(structure: Structure, how: Augmentation, generator: np.random.Generator) -> Structure:
    """Each backbone frame moved as a rigid body, independently of its neighbours."""
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

"""The shape of a network: one small record that is stored with its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DYNAPROT_J", "DYNAPROT_M", "Architecture"]


@dataclass(frozen=True)
class Architecture:
    """What a network is made of. The defaults are the published backbone.

    Attributes
    ----------
    dimension : int
        Width of a residue's embedding.
    layers, heads : int
        Layers of invariant point attention and heads in each.
    scalars, points : int
        Scalar and point channels of a head's queries, keys and values.
    residual : bool
        Pre-norm residual blocks with transitions instead of the published bare attention layers.
    environment : bool
        Feed each residue's surroundings (dihedrals, burial, hydrogen bonds) beside its type.
    final_norm : bool
        LayerNorm in front of the heads.
    marginals : bool
        DYNAPROT-M's Cholesky head: a 3x3 covariance for each residue.
    coupling : {"none", "pair", "kernel"}
        DYNAPROT-J's triangular pair head, of N^3 cost, or a sum of kernels, of N^2 cost.
    springs : bool
        Springs of an elastic network for each pair of residues: the whole joint.
    congruence : bool
        Beside springs, a lower-triangular correction B_i of each residue, Sigma_ij -> B_i Sigma_ij B_j^T.
    dropout : float
        On embeddings, in training only.
    members : int
        Networks of this shape in a committee, whose heads are averaged (springs by their log stiffness).
    """

    dimension: int = 128
    layers: int = 8
    heads: int = 8
    scalars: int = 16
    points: int = 4
    residual: bool = False
    environment: bool = False
    final_norm: bool = False
    marginals: bool = False
    coupling: Literal["none", "pair", "kernel"] = "none"
    springs: bool = False
    congruence: bool = False
    dropout: float = 0.0
    members: int = 1


DYNAPROT_M = Architecture(marginals=True, final_norm=True)
"""The published network of marginals: 955,078 parameters, 954,822 without its LayerNorm."""
DYNAPROT_J = Architecture(coupling="pair")
"""The published network of couplings: 1,902,145 parameters."""

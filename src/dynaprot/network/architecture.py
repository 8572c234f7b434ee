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
    residue_features : tuple of str
        Names of `features.RESIDUE_FEATURES` that are read beside the residue's type, in this order.
    pair_features : tuple of str
        Names of `features.PAIR_FEATURES` that springs are read from, in this order.
    final_norm : bool
        LayerNorm in front of the heads.
    marginals : bool
        DYNAPROT-M's Cholesky head: a 3x3 covariance for each residue.
    coupling : {"none", "pair", "kernel"}
        DYNAPROT-J's triangular pair head, of N^3 cost, or a sum of kernels, of N^2 cost.
    prior : str
        Springs head: it corrects the force constants of the elastic network of this name in `springs.prior.PRIORS`,
        which gives the whole joint. Empty for a network without it.
    congruence : bool
        Beside springs, a lower-triangular correction B_i of each residue, Sigma_ij -> B_i Sigma_ij B_j^T.
    dropout : float
        On embeddings, in training only.
    members : int
        Networks of this shape in a committee, whose outputs are averaged (springs by their log force constants).
    """

    dimension: int = 128
    layers: int = 8
    heads: int = 8
    scalars: int = 16
    points: int = 4
    residual: bool = False
    residue_features: tuple[str, ...] = ()
    pair_features: tuple[str, ...] = ()
    final_norm: bool = False
    marginals: bool = False
    coupling: Literal["none", "pair", "kernel"] = "none"
    prior: str = ""
    congruence: bool = False
    dropout: float = 0.0
    members: int = 1

    def describe(self) -> str:
        """What a network of this shape is made of, in one sentence."""
        number = "one network" if self.members == 1 else f"a committee of {self.members} networks"
        if self.layers:
            blocks = "residual layers" if self.residual else "layers, as published,"
            trunk = f"{number} with {self.layers} {blocks} of invariant point attention"
        else:
            trunk = f"{number} without any attention layer"
        heads = []
        if self.prior:
            heads.append("corrects the force constants of an elastic network, from which the whole joint follows")
        if self.marginals:
            heads.append("predicts the marginals by DYNAPROT-M's Cholesky head")
        if self.coupling == "pair":
            heads.append("predicts the coupling by DYNAPROT-J's pair head")
        if self.coupling == "kernel":
            heads.append("predicts the coupling by a sum of kernels")
        return f"{trunk[0].upper()}{trunk[1:]}, which {' and '.join(heads)}."


DYNAPROT_M = Architecture(marginals=True, final_norm=True)
"""The published network of marginals: 955,078 parameters, 954,822 without its LayerNorm."""
DYNAPROT_J = Architecture(coupling="pair")
"""The published network of couplings: 1,902,145 parameters."""

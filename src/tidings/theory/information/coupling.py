"""What two variables share: distance, common part and cheapest joint law; and whether parts can make up a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tidings.theory.information.entropy import entropy_bits
from tidings.theory.information.laws import read_law

__all__ = [
    "RajskiDistance",
    "SolvabilityLint",
    "gacs_korner_common_information",
    "greedy_coupling_entropy",
    "rajski_distance",
    "solvability_lint",
]


class RajskiDistance(TypedDict):
    """How far two variables are from determining each other.

    Attributes:
        D: H(X|Y) + H(Y|X), bits.
        d: D / H(X,Y), in [0, 1]; 0 if H(X,Y) = 0.
    """

    D: float
    d: float


@dataclass(frozen=True, slots=True)
class SolvabilityLint:
    """Whether the parts can determine the whole, as far as their distances to it tell.

    Attributes:
        sum_d: Sum of the Rajski distances of the parts to the whole.
        bound: n - 1 for n parts; a larger sum rules out that they determine the whole.
        is_possible: Whether `sum_d` <= `bound`. Necessary, not sufficient.
    """

    sum_d: float
    bound: int
    is_possible: bool


def rajski_distance(P: ArrayLike) -> RajskiDistance:
    """Returns D = H(X|Y) + H(Y|X) in bits and d = D / H(X,Y): 0 if each determines the other, 1 if independent.

    Args:
        P: Joint law `[n_x, n_y]`.

    Raises:
        ValueError: No law with two axes.

    Undefined: d is 0 by convention if H(X,Y) = 0.
    Source: Rajski 1961.
    """
    joint = read_law(P, "P", 2)
    both = entropy_bits(joint)
    distance = 2.0 * both - entropy_bits(joint.sum(axis=0)) - entropy_bits(joint.sum(axis=1))
    return {"D": distance, "d": distance / both if both > 0.0 else 0.0}


def gacs_korner_common_information(P: ArrayLike) -> float:
    """Returns the entropy of what both sides know without talking, in bits.

    The common part is the connected component of the graph {(x, y): P(x, y) > 0} that the pair lies in.

    Args:
        P: Joint law `[n_x, n_y]`; its exact zeros matter.

    Raises:
        ValueError: No law with two axes.

    Source: Gacs & Korner 1973.
    """
    joint = read_law(P, "P", 2)
    x, y = np.nonzero(joint)
    n_x, n_nodes = joint.shape[0], sum(joint.shape)
    graph = coo_array((np.ones(len(x)), (x, n_x + y)), shape=(n_nodes, n_nodes))
    component = connected_components(graph, directed=False)[1]
    return entropy_bits(np.bincount(component[x], weights=joint[x, y]).astype(np.float64))


def greedy_coupling_entropy(p: ArrayLike, q: ArrayLike) -> float:
    """Returns the entropy of the greedy minimum-entropy coupling of two laws, in bits.

    Pairs the largest remaining masses of p and q (ties: lowest index), takes the smaller one off both, and repeats.
    At least max(H(p), H(q)).

    Args:
        p: Law `[n_p]`.
        q: Law `[n_q]`.

    Raises:
        ValueError: `p` or `q` is no law.

    Source: Kocaoglu et al., arXiv 1611.04035.
    """
    left, right = read_law(p, "p", 1).copy(), read_law(q, "q", 1).copy()
    masses: list[float] = []
    while True:
        i, j = int(left.argmax()), int(right.argmax())
        mass = min(float(left[i]), float(right[j]))
        if mass <= 0.0:
            return entropy_bits(np.array(masses))
        left[i] -= mass
        right[j] -= mass
        masses.append(mass)


def solvability_lint(joints: Sequence[ArrayLike]) -> SolvabilityLint:
    """Returns whether n parts may determine the whole X, given each part's joint law with X.

    If X is a function of (X_1..X_n) and each X_i a function of X, then sum_i d(X, X_i) <= n - 1, with d the Rajski
    distance; tight for independent parts (Z6 from its remainders modulo 2 and 3: the sum is 1). The exact test is
    whether the join of all agents' facts leaves one answer.

    Args:
        joints: One joint law `[n_x, n_x_i]` of X and X_i per part.

    Raises:
        ValueError: No part, no law, laws of X that differ, or a part that is not a function of X.

    Source: Delsol et al., arXiv 2306.15540.
    """
    laws = [read_law(joint, f"joints[{index}]", 2) for index, joint in enumerate(joints)]
    if not laws:
        raise ValueError("joints: no part; allowed is at least one")
    for index, law in enumerate(laws):
        if law.shape[0] != laws[0].shape[0] or np.abs(law.sum(axis=1) - laws[0].sum(axis=1)).max() > 1e-9:
            raise ValueError(f"joints[{index}]: another law of X than in joints[0]; allowed is one for all parts")
        if np.any((law > 0.0).sum(axis=1) > 1):
            raise ValueError(f"joints[{index}]: a part that X does not determine; allowed are functions of X")
    total = float(sum(rajski_distance(law)["d"] for law in laws))
    return SolvabilityLint(total, len(laws) - 1, total <= len(laws) - 1 + 1e-9)

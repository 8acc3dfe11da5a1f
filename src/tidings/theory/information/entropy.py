"""Entropy, divergence and mutual information of known laws. Everything in bits, 0 log 0 = 0, nothing clipped.

Source: Cover & Thomas 2006, chapter 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.information.laws import check_index, read_channel, read_law

__all__ = [
    "channel_mutual_information",
    "conditional_mutual_information",
    "entropy",
    "kl_divergence",
    "mutual_information",
]


def entropy(p: ArrayLike) -> float:
    """Returns the entropy H = -sum p log2 p of a law of any shape, in bits.

    Raises:
        ValueError: `p` is no probability law.
    """
    return entropy_bits(read_law(p, "p"))


def kl_divergence(p: ArrayLike, q: ArrayLike) -> float:
    """Returns KL(p || q) = sum p log2(p / q), in bits.

    Args:
        p: Law of any shape; its zeros add nothing.
        q: Law of the same shape.

    Returns:
        A value >= 0 up to rounding; +inf where p > 0 and q = 0.

    Raises:
        ValueError: Not two laws of one shape.
    """
    left, right = read_law(p, "p"), read_law(q, "q")
    if left.shape != right.shape:
        raise ValueError(f"q: shape {right.shape!r}; allowed is the shape of p, {left.shape!r}")
    return divergence_bits(left, right)


def mutual_information(joint: ArrayLike) -> float:
    """Returns I(X;Y) of a joint law, in bits.

    I(X;Y) = sum_xy p(x,y) log2 p(x,y) / (p(x) p(y)).

    Args:
        joint: p(x,y) `[n_x, n_y]`; zeros allowed.

    Raises:
        ValueError: `joint` is no law with two axes.
    """
    return joint_information_bits(read_law(joint, "joint", 2))


def channel_mutual_information(channel: ArrayLike) -> float:
    """Returns I(X;Z) of a channel whose inputs are equally likely, in bits.

    Args:
        channel: p(z|x) `[n_x, n_z]`, one law per row.

    Raises:
        ValueError: A row is no law.
    """
    rows = read_channel(channel, "channel")
    return joint_information_bits(rows / len(rows))


def conditional_mutual_information(joint: ArrayLike, a: Sequence[int], b: Sequence[int], c: Sequence[int]) -> float:
    """Returns I(A;B|C) of groups of axes of a joint law, in bits.

    I(A;B|C) = H(A,C) + H(B,C) - H(A,B,C) - H(C). Axes in none of the groups are summed out.

    Args:
        joint: Law with one axis per variable.
        a: Axes of A.
        b: Axes of B.
        c: Axes of C; empty for I(A;B).

    Raises:
        ValueError: `joint` is no law, an axis does not exist, or one axis stands in two groups.
    """
    law = read_law(joint, "joint")
    groups = [[check_index(axis, law.ndim, name) for axis in axes] for name, axes in (("a", a), ("b", b), ("c", c))]
    axes = [axis for group in groups for axis in group]
    if len(set(axes)) != len(axes):
        raise ValueError(f"a, b, c: axes {axes!r}; allowed is each axis once; drop the repeated one")
    return conditional_information_bits(law, *groups)


def entropy_bits(law: NDArray[np.float64]) -> float:
    """Returns the entropy of an already checked law."""
    positive = law[law > 0.0]
    return float(-(positive * np.log2(positive)).sum()) + 0.0


def divergence_bits(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Returns KL(p || q) of already checked laws of one shape."""
    held = p > 0.0
    if not np.all(q[held] > 0.0):
        return float("inf")
    return float((p[held] * (np.log2(p[held]) - np.log2(q[held]))).sum())


def joint_information_bits(joint: NDArray[np.float64]) -> float:
    """Returns I(X;Y) of an already checked law `[n_x, n_y]`; logs of factors, since p(x) p(y) may underflow."""
    row, column = np.nonzero(joint)
    p = joint[row, column]
    log_x, log_y = _log2(joint.sum(axis=1)), _log2(joint.sum(axis=0))
    return float((p * (np.log2(p) - log_x[row] - log_y[column])).sum())


def conditional_information_bits(law: NDArray[np.float64], a: list[int], b: list[int], c: list[int]) -> float:
    """Returns I(A;B|C) of an already checked law."""

    def entropy_of(kept: list[int]) -> float:
        others = tuple(axis for axis in range(law.ndim) if axis not in kept)
        return entropy_bits(law.sum(axis=others) if others else law)

    return entropy_of(a + c) + entropy_of(b + c) - entropy_of(a + b + c) - entropy_of(c)


def _log2(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log2(p, out=np.full(p.shape, -np.inf), where=p > 0.0)

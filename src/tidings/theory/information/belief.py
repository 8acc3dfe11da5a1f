"""What beliefs are worth: log-score, Brier score, shift, and regret to the Bayes listener. In bits.

Beliefs are laws over worlds `[n_worlds]`; `truth` is the index of the true world. -inf and +inf are values.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.information.entropy import divergence_bits
from tidings.theory.information.laws import check_index, read_channel, read_law, read_numbers

__all__ = [
    "bayes_regret",
    "belief_shift",
    "brier_score",
    "claim_score",
    "expected_bayes_regret",
    "log_score_gain",
    "semantic_mutual_information",
]


def log_score_gain(prior: ArrayLike, post: ArrayLike, truth: int) -> float:
    """Returns log2 post(x*) - log2 prior(x*): bits gained about the true world, negative if misled.

    Args:
        prior: Belief before `[n_worlds]`.
        post: Belief after `[n_worlds]`.
        truth: Index of the true world x*.

    Returns:
        -inf if post(x*) = 0.

    Raises:
        ValueError: Not two laws over the same worlds, or an unknown world.

    Undefined: NaN if prior(x*) = 0.
    """
    before, after = _read_two(prior, post, "prior", "post")
    world = check_index(truth, len(before), "truth")
    return _log_ratio(float(after[world]), float(before[world]))


def belief_shift(prior: ArrayLike, post: ArrayLike) -> float:
    """Returns KL(post || prior): how far a belief has moved, right or wrong, in bits.

    Args:
        prior: Belief before `[n_worlds]`.
        post: Belief after `[n_worlds]`; its zeros add nothing.

    Returns:
        +inf if post > 0 where prior = 0.

    Raises:
        ValueError: Not two laws over the same worlds.
    """
    before, after = _read_two(prior, post, "prior", "post")
    return divergence_bits(after, before)


def brier_score(post: ArrayLike, truth: int) -> float:
    """Returns sum_y (post(y) - [y = x*])^2, in [0, 2]; 0 is certain and right.

    Args:
        post: Belief `[n_worlds]`.
        truth: Index of the true world x*.

    Raises:
        ValueError: No law, or an unknown world.

    Source: Brier 1950, the sum over all classes.
    """
    belief = read_law(post, "post", 1)
    target = np.zeros(len(belief))
    target[check_index(truth, len(belief), "truth")] = 1.0
    return float(((belief - target) ** 2).sum())


def bayes_regret(bayes: ArrayLike, post: ArrayLike, truth: int) -> float:
    """Returns log2 bayes(x*) - log2 post(x*): bits lost in this episode to the Bayes listener, may be negative.

    Args:
        bayes: Exact posterior from what was delivered `[n_worlds]`.
        post: Reported belief `[n_worlds]`.
        truth: Index of the true world x*.

    Returns:
        +inf if post(x*) = 0.

    Raises:
        ValueError: Not two laws over the same worlds, or an unknown world.

    Undefined: NaN if bayes(x*) = 0: the model of the world is wrong.
    """
    best, belief = _read_two(bayes, post, "bayes", "post")
    world = check_index(truth, len(best), "truth")
    return -_log_ratio(float(belief[world]), float(best[world]))


def expected_bayes_regret(bayes: ArrayLike, post: ArrayLike) -> float:
    """Returns KL(bayes || post) >= 0: bits lost to the Bayes listener, expected under its own posterior.

    Args:
        bayes: Exact posterior from what was delivered `[n_worlds]`.
        post: Reported belief `[n_worlds]`.

    Returns:
        +inf if post = 0 where bayes > 0.

    Raises:
        ValueError: Not two laws over the same worlds.
    """
    return divergence_bits(*_read_two(bayes, post, "bayes", "post"))


def claim_score(T: ArrayLike, px: ArrayLike, claim: int, truth: int) -> float:
    """Returns log2 T(j|x*) / T(j), T(j) = sum_x p(x) T(j|x): bits that claim j says about the true world x*.

    Args:
        T: Truth of each claim in each world, in [0, 1] `[n_worlds, n_claims]`.
        px: Probability of each world `[n_worlds]`.
        claim: Index j of the claim made.
        truth: Index of the true world x*.

    Returns:
        -inf for a crisp lie, T(j|x*) = 0.

    Raises:
        ValueError: Truths outside [0, 1], no law, or an unknown index.

    Undefined: NaN if T(j) = 0: the claim holds in no possible world.
    Source: Lu, arXiv 2510.15871.
    """
    worlds = read_law(px, "px", 1)
    truths = _read_truths(T, len(worlds))
    column = truths[:, check_index(claim, truths.shape[1], "claim")]
    return _log_ratio(float(column[check_index(truth, len(worlds), "truth")]), float(worlds @ column))


def semantic_mutual_information(px: ArrayLike, py_x: ArrayLike, T: ArrayLike) -> float:
    """Returns sum_ij p(x_i) p(j|x_i) log2 T(j|x_i) / T(j): the mean score of the claims, in bits.

    At most the mutual information of worlds and claims, equal to it at T = p(j|x) / max_x p(j|x). May be negative.

    Args:
        px: Probability of each world `[n_worlds]`.
        py_x: Probability of each claim in each world `[n_worlds, n_claims]`.
        T: Truth of each claim in each world, in [0, 1] `[n_worlds, n_claims]`.

    Returns:
        -inf if a crisp lie has positive probability.

    Raises:
        ValueError: Truths outside [0, 1], no laws, or shapes that differ.

    Source: Lu, arXiv 2510.15871.
    """
    worlds = read_law(px, "px", 1)
    claims = read_channel(py_x, "py_x", len(worlds))
    truths = _read_truths(T, len(worlds))
    if truths.shape != claims.shape:
        raise ValueError(f"T: shape {truths.shape!r}; allowed is the shape of py_x, {claims.shape!r}")
    p = worlds[:, None] * claims
    world, claim = np.nonzero(p)
    if np.any(truths[world, claim] == 0.0):
        return -math.inf
    scores = np.log2(truths[world, claim]) - np.log2((worlds @ truths)[claim])
    return float(p[world, claim] @ scores)


def _read_two(
    one: ArrayLike, other: ArrayLike, one_name: str, other_name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    left, right = read_law(one, one_name, 1), read_law(other, other_name, 1)
    if len(left) != len(right):
        raise ValueError(f"{other_name}: {len(right)!r} worlds; allowed is the number in {one_name}, {len(left)}")
    return left, right


def _read_truths(T: ArrayLike, n_worlds: int) -> NDArray[np.float64]:
    truths = read_numbers(T, "T", 2)
    if len(truths) != n_worlds:
        raise ValueError(f"T: {len(truths)!r} rows; allowed is one per world, {n_worlds}")
    bad = truths[~((truths >= 0.0) & (truths <= 1.0))]
    if bad.size:
        raise ValueError(f"T: entry {float(bad[0])!r}; allowed are truths in [0, 1]")
    return truths


def _log_ratio(above: float, below: float) -> float:
    """Returns log2 above / below; NaN if `below` is 0, -inf if only `above` is."""
    if below == 0.0:
        return math.nan
    return math.log2(above) - math.log2(below) if above > 0.0 else -math.inf

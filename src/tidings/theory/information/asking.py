"""Which question to ask: expected information gain for known worlds, conformal sets for free-text beliefs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tidings.theory.information.entropy import entropy_bits, joint_information_bits
from tidings.theory.information.laws import check_positive, read_channel, read_law, read_numbers

__all__ = ["best_question", "conformal_entropy_bound", "conformal_threshold", "expected_information_gain"]

_TIE = 1e-12
"""Gains, and miscoverages at the edge, that are closer than this are equal: rounding must not decide."""


def expected_information_gain(prior: ArrayLike, lik: ArrayLike) -> float:
    """Returns I(Y; answer): the bits that the answer to a question is expected to give about the world.

    Args:
        prior: Probability of each world `[n_worlds]`.
        lik: P(answer | world) `[n_worlds, n_answers]`.

    Raises:
        ValueError: No law, or likelihoods that do not fit it.
    """
    worlds = read_law(prior, "prior", 1)
    return joint_information_bits(worlds[:, None] * read_channel(lik, "lik", len(worlds)))


def best_question(prior: ArrayLike, liks: Sequence[ArrayLike]) -> int:
    """Returns the index of the question with the largest expected information gain; the first one of equals.

    Args:
        prior: Probability of each world `[n_worlds]`.
        liks: P(answer | world) `[n_worlds, n_answers]` of each question.

    Raises:
        ValueError: No question, no law, or likelihoods that do not fit it.
    """
    if len(liks) == 0:
        raise ValueError("liks: no question; allowed is at least one")
    gains = [expected_information_gain(prior, lik) for lik in liks]
    return next(index for index, gain in enumerate(gains) if gain >= max(gains) - _TIE)


def conformal_threshold(true_probs: ArrayLike, alpha: float) -> float:
    """Returns the threshold tau of the sets {y: f(y) >= tau} that miss the true class with probability alpha at most.

    The floor(alpha (n+1))-th smallest score. Coverage is 1 - floor(alpha (n+1)) / (n+1).

    Args:
        true_probs: Predicted probability of the true class on each calibration item `[n]`, any order.
        alpha: Miscoverage in [0, 1].

    Returns:
        -inf if the rank is 0 (every set is everything), +inf if it is n+1 (alpha = 1: every set is empty).

    Raises:
        ValueError: Scores that are no numbers, or alpha outside [0, 1].

    Source: Chan et al., arXiv 2507.03279, with the threshold corrected: the quantile printed there (Algorithm 1) gives
        a coverage of about alpha instead of 1 - alpha.
    """
    scores = np.sort(read_numbers(true_probs, "true_probs", 1))
    if np.any(np.isnan(scores)):
        raise ValueError("true_probs: a NaN; allowed are numbers; drop the item and count it as failed")
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"alpha: {alpha!r}; allowed is a miscoverage in [0, 1]")
    rank = math.floor(alpha * (len(scores) + 1) + 1e-12)
    if rank == 0:
        return -math.inf
    return float(scores[rank - 1]) if rank <= len(scores) else math.inf


def conformal_entropy_bound(alpha: float, n_cal: int, n_labels: int, mean_set_size: float) -> float:
    """Returns an upper bound on H(Y|X) from the mean size of conformal sets, in bits.

    h2(alpha) + alpha log2 |Y| - (1 - aN) log2(1 - alpha) + (1 - aN) log2 E|C|, aN = alpha - 1/(n+1).

    Args:
        alpha: Miscoverage.
        n_cal: Number n of calibration items.
        n_labels: Number |Y| of classes.
        mean_set_size: Mean size E|C| of the sets, not of its logarithm.

    Raises:
        ValueError: A negative count or size, or a size that is no number.

    Undefined: NaN unless 1/(n+1) <= alpha < 1/2, and if all sets are empty.
    Source: Chan et al., arXiv 2507.03279.
    """
    n_cal, n_labels = check_positive(n_cal, "n_cal", 0), check_positive(n_labels, "n_labels")
    if not mean_set_size >= 0.0:
        raise ValueError(f"mean_set_size: {mean_set_size!r}; allowed are sizes from 0 up")
    alpha_n = alpha - 1.0 / (n_cal + 1)
    if not (alpha_n >= -_TIE and alpha < 0.5) or mean_set_size == 0.0:
        return math.nan
    two_sided = entropy_bits(np.array([alpha, 1.0 - alpha]))
    return two_sided + alpha * math.log2(n_labels) + (1.0 - alpha_n) * (math.log2(mean_set_size) - math.log2(1 - alpha))

"""Intervals and tests over questions, for tables that compare variants on the same questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, norm

from tidings.benchmarks.streams import stream_generator
from tidings.core.errors import RequestError

__all__ = ["Interval", "bootstrap_mean", "gap_closed", "holm", "mcnemar_exact", "score_interval", "sign_flip_test"]

_MAX_EXACT_UNITS = 14
_CHUNK = 1000


class Interval(NamedTuple):
    """A mean with its interval.

    Attributes:
        mean: Mean over questions of the mean over seeds.
        low: Lower end of the percentile interval.
        high: Upper end.
        n_questions: Questions.
        n_groups: Units that were resampled.
    """

    mean: float
    low: float
    high: float
    n_questions: int
    n_groups: int


def bootstrap_mean(
    scores: ArrayLike,
    groups: Sequence[object] | None = None,
    seed: int = 0,
    n_draws: int = 10_000,
    level: float = 0.95,
) -> Interval:
    """Returns the mean score and its percentile bootstrap interval.

    Scores are averaged over seeds per question; then whole groups of questions are drawn with replacement, as many
    as there are, and the mean is taken over the questions drawn.

    Args:
        scores: `[n_questions]` or `[n_questions, n_seeds]`, without NaN: failed answers are left out, or counted as 0,
            by whoever calls, who must say which.
        groups: Group of each question, where several share facts; None: each question is a group.
        seed: Seed of the draws.
        n_draws: Bootstrap draws.
        level: Coverage, 0.95 for 95 %.

    Raises:
        RequestError: There is no question, a score is NaN, or the lengths differ.

    Undefined: one group only: the interval is NaN to NaN.

    Source: Efron, Tibshirani 1993, An Introduction to the Bootstrap, ch. 13; Davison, Hinkley 1997, 3.8 (groups).
    """
    sums, counts = _group_sums(_question_means(scores), groups)
    mean, n_groups = float(sums.sum() / counts.sum()), len(sums)
    if n_groups == 1:
        return Interval(mean, math.nan, math.nan, int(counts.sum()), 1)
    generator = stream_generator(seed, "bootstrap")
    means = np.empty(n_draws)
    for start in range(0, n_draws, _CHUNK):
        drawn = (generator.random((min(_CHUNK, n_draws - start), n_groups)) * n_groups).astype(np.int64)
        means[start : start + len(drawn)] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high), int(counts.sum()), n_groups)


def score_interval(scores: ArrayLike, groups: Sequence[object] | None = None, level: float = 0.95) -> Interval:
    """Returns the mean of scores in [0, 1] and an interval that lies in [0, 1].

    The percentile bootstrap of `bootstrap_mean`. It finds no spread where every score is 0, or every one 1; there it is
    Wilson's interval over the groups: `[0, z^2 / (n + z^2)]`, or `[n / (n + z^2), 1]`.

    Args:
        scores: `[n_questions]` or `[n_questions, n_seeds]`, in [0, 1].
        groups: Group of each question, where several share facts; None: each question is a group.
        level: Coverage.

    Raises:
        RequestError: There is no question, or a score is NaN or not in [0, 1].

    Undefined: one group only: the interval is NaN to NaN.

    Source: Wilson 1927, Journal of the American Statistical Association 22, 209-212.
    """
    array = np.asarray(scores, dtype=float)
    if ((array < -1e-9) | (array > 1 + 1e-9)).any():
        raise RequestError("scores", f"found {array.min():g} to {array.max():g}", "scores in [0, 1]")
    found = bootstrap_mean(array, groups, level=level)
    if found.n_groups == 1 or not ((array == 0).all() or (array == 1).all()):
        return found
    z2 = float(norm.ppf((1 + level) / 2)) ** 2
    most = z2 / (found.n_groups + z2)
    return found._replace(low=0.0, high=most) if found.mean == 0 else found._replace(low=1 - most, high=1.0)


def sign_flip_test(
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    groups: Sequence[object] | None = None,
    seed: int = 0,
    n_draws: int = 100_000,
) -> float:
    """Returns the two-sided p-value of a paired permutation test on per-question differences.

    Under the null hypothesis the sign of each group's summed difference is a fair coin. All sign patterns are counted
    for up to 14 groups that differ; else `n_draws` random ones, and p = (1 + hits) / (1 + n_draws).

    Args:
        scores_a: `[n_questions]` or `[n_questions, n_seeds]`, without NaN.
        scores_b: The same questions in the same order.
        groups: Group of each question, where several share facts.
        seed: Seed of the draws.
        n_draws: Random sign patterns.

    Returns:
        p in (0, 1]; 1 when no group differs.

    Raises:
        RequestError: There is no question, a score is NaN, or the lengths differ.

    Source: Good 2005, Permutation, Parametric and Bootstrap Tests, 3.2; the 1 + is Phipson, Smyth 2010.
    """
    means_a, means_b = _question_means(scores_a), _question_means(scores_b)
    if len(means_a) != len(means_b):
        raise RequestError("sign_flip_test", f"{len(means_a)} and {len(means_b)} questions", "the same questions")
    units, _ = _group_sums(means_a - means_b, groups)
    units = units[np.abs(units) > 1e-12]
    # A pattern that ties with the observed sum counts, also when floating point puts it a hair below.
    observed = abs(float(units.sum())) - 1e-9
    if not len(units):
        return 1.0
    if len(units) <= _MAX_EXACT_UNITS:
        patterns = (np.arange(2 ** len(units))[:, None] >> np.arange(len(units))) & 1
        return float(np.mean(np.abs((2 * patterns - 1) @ units) >= observed))
    generator, hits = stream_generator(seed, "sign-flip"), 0
    for start in range(0, n_draws, _CHUNK):
        signs = np.where(generator.random((min(_CHUNK, n_draws - start), len(units))) < 0.5, -1.0, 1.0)
        hits += int(np.count_nonzero(np.abs(signs @ units) >= observed))
    return (1 + hits) / (1 + n_draws)


def mcnemar_exact(right_a: Sequence[bool], right_b: Sequence[bool]) -> float:
    """Returns the two-sided p-value of McNemar's exact test on paired right/wrong answers of one seed.

    p = min(1, 2 P(X <= min(b, c))) with X ~ Binomial(b + c, 1/2), b and c the questions only one of the two has right;
    1 when there is none.

    Raises:
        RequestError: The lengths differ.

    Source: Agresti 2013, Categorical Data Analysis, 11.1.
    """
    if len(right_a) != len(right_b):
        raise RequestError("mcnemar_exact", f"{len(right_a)} and {len(right_b)} answers", "the same questions")
    only_a = sum(bool(a) and not b for a, b in zip(right_a, right_b, strict=True))
    only_b = sum(bool(b) and not a for a, b in zip(right_a, right_b, strict=True))
    return min(1.0, 2 * float(binom.cdf(min(only_a, only_b), only_a + only_b, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values adjusted for their number, in the given order.

    In rising order p_(i) becomes max over j <= i of min(1, (m - j + 1) p_(j)).

    Raises:
        RequestError: A value is not in [0, 1].

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise RequestError("holm", f"found {list(p_values)!r}", "p-values in [0, 1]")
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def gap_closed(full: float, floor: float, ceiling: float, smallest_gap: float = 0.05) -> float:
    """Returns the share of the way from floor to ceiling: (full - floor) / (ceiling - floor).

    Undefined: ceiling - floor is below `smallest_gap` (the suite cannot show anything): NaN.
    """
    gap = ceiling - floor
    # A gap of exactly 0.05 counts, also when floating point makes it 0.04999...
    return (full - floor) / gap if gap >= smallest_gap - 1e-12 else math.nan


def _question_means(scores: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(scores, dtype=float)
    if array.ndim not in (1, 2) or not array.size:
        raise RequestError("scores", f"an array of shape {array.shape}", "[n_questions] or [n_questions, n_seeds]")
    if np.isnan(array).any():
        found = f"{int(np.isnan(array).sum())} of {array.size} are NaN"
        raise RequestError("scores", found, "numbers", "leave failed answers out, or count them as 0, and say so")
    return array if array.ndim == 1 else array.mean(axis=1)


def _group_sums(
    values: NDArray[np.float64], groups: Sequence[object] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if groups is None:
        return values, np.ones(len(values))
    if len(groups) != len(values):
        raise RequestError("groups", f"{len(groups)} for {len(values)} questions", "one for each question")
    numbers: dict[object, int] = {}
    index = np.array([numbers.setdefault(group, len(numbers)) for group in groups])
    return np.bincount(index, weights=values).astype(float), np.bincount(index).astype(float)

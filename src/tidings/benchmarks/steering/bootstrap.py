"""Bootstrap intervals over rollouts, exact for repeated values and cheap for many rollouts."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["N_DRAWS", "Estimate", "bootstrap_mean", "bootstrap_ratio"]

N_DRAWS = 10_000
"""Bootstrap draws behind every interval."""

_DIGITS = 12
_MAX_CELLS = 4_000_000


class Estimate(NamedTuple):
    """A figure with its 95 % percentile bootstrap interval.

    Attributes:
        value: The figure; NaN if nothing was observed.
        low: Lower end; NaN below two rollouts.
        high: Upper end; NaN below two rollouts.
        n: Rollouts it rests on.
    """

    value: float
    low: float
    high: float
    n: int


def bootstrap_mean(values: ArrayLike, generator: np.random.Generator, n_draws: int = N_DRAWS) -> Estimate:
    """Returns the mean over rollouts with its interval.

    Args:
        values: One value a rollout `[n_rollouts]`.
        generator: Source of the draws.
        n_draws: Bootstrap draws.

    Undefined: NaN without values; NaN interval for a single one.
    """
    array = np.asarray(values, dtype=float)
    return bootstrap_ratio(array, np.ones_like(array), generator, n_draws)


def bootstrap_ratio(
    numerators: ArrayLike, denominators: ArrayLike, generator: np.random.Generator, n_draws: int = N_DRAWS
) -> Estimate:
    """Returns sum(numerators) / sum(denominators) with its interval; whole rollouts are drawn with replacement.

    Rollouts with equal pairs are exchangeable, so the draws are multinomial counts of the distinct pairs: the same
    distribution as drawing rollouts one by one.

    Args:
        numerators: For example sums over the turns of each rollout `[n_rollouts]`.
        denominators: For example numbers of such turns, at least 0 `[n_rollouts]`.
        generator: Source of the draws.
        n_draws: Bootstrap draws.

    Undefined: NaN if the denominators sum to 0; the interval is NaN unless two rollouts have a positive denominator.
        Draws whose denominators sum to 0 have no ratio and are left out of the interval.

    Source: Efron, Tibshirani 1993, An Introduction to the Bootstrap, ch. 13.
    """
    tops, bottoms = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    n = int(np.count_nonzero(bottoms))
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    value = float(tops.sum() / bottoms.sum())
    if n == 1:
        return Estimate(value, math.nan, math.nan, 1)
    both: NDArray[np.float64] = np.stack([tops, bottoms], axis=1).round(_DIGITS)
    pairs, counts = np.unique(both, axis=0, return_counts=True)
    ratios = _ratios(pairs, counts, generator, n_draws)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Estimate(value, float(low), float(high), n)


def _ratios(
    pairs: NDArray[np.float64], counts: NDArray[np.int64], generator: np.random.Generator, n_draws: int
) -> NDArray[np.float64]:
    total, sums = int(counts.sum()), np.empty((n_draws, 2))
    chunk = max(1, _MAX_CELLS // len(counts))
    for start in range(0, n_draws, chunk):
        drawn = generator.multinomial(total, counts / total, size=min(chunk, n_draws - start))
        sums[start : start + len(drawn)] = drawn @ pairs
    kept = sums[sums[:, 1] > 0.0]
    return kept[:, 0] / kept[:, 1]

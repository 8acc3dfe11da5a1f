"""Sampled measures with what they need to be believed: a permutation null, a p value, an interval, a reliability rule.

Samples come as columns with an `episode` label per row; rows of one episode stand in order of time. Whole episodes are
permuted, never single time steps: on two independent sticky chains a permutation of time steps rejects at 5 % in 9 to
36 % of all cases. Only episodes of equal length can take each other's place. For samples that are independent anyway,
number the episodes 0..n-1.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidings.theory.information.laws import check_positive

__all__ = ["Blocks", "PermutationNull", "SampledMeasure", "Statistic", "measure_with_null", "permutation_null"]

Blocks = Sequence[NDArray[np.intp]]
"""Row indices that move together, one array per episode."""

Statistic = Callable[[NDArray[np.intp], NDArray[np.intp]], float]
"""A measure of the table that takes the permuted variable from the first rows and all others from the second rows."""

_LEAST_PERMUTATIONS = 199
_SAMPLES_PER_CELL = 5
_LEVEL = 0.05
_TIE = 1e-12


@dataclass(frozen=True, slots=True)
class PermutationNull:
    """What a measure is worth where there is nothing to measure.

    Attributes:
        mean: Mean of the permuted values.
        p: (1 + b) / (1 + B), b the number of B permuted values not below the measured one.
        n_permutations: B.
        log10_arrangements: Decimal logarithm of the number of different arrangements of the episodes.
    """

    mean: float
    p: float
    n_permutations: int
    log10_arrangements: float


@dataclass(frozen=True, slots=True)
class SampledMeasure:
    """An estimate from samples, with everything that must stand beside it.

    Attributes:
        value: Plug-in estimate, not clipped and not corrected.
        unit: Unit of value, null_mean, interval and miller_madow.
        n: Number of samples (rows of the joint table) that it rests on.
        estimator: What was estimated, and which null was used.
        null_mean: Mean over the permutations. Not a bias to subtract: under strong dependence it overcorrects.
        p: (1 + b) / (1 + B); NaN if no permutation changes anything.
        interval: 95 % interval by resampling whole episodes; NaN, NaN with fewer than two, or if n < 5 x cells, where
            no interval of this kind holds what it promises.
        miller_madow: The same measure with the Miller-Madow correction; NaN where there is none.
        reliable: Whether n >= 5 x cells and the null has enough arrangements for a p value below 5 %.
        reason: Why it is undefined or not reliable, and whether it differs from zero; empty if there is nothing to say.
    """

    value: float
    unit: str
    n: int
    estimator: str
    null_mean: float
    p: float
    interval: tuple[float, float]
    miller_madow: float
    reliable: bool
    reason: str


def permutation_null(
    statistic: Statistic,
    blocks: Blocks,
    rng: np.random.Generator,
    n_permutations: int = _LEAST_PERMUTATIONS,
    strata: Sequence[Hashable] | None = None,
) -> PermutationNull:
    """Returns the permutation null of a statistic; blocks of equal length and stratum swap places.

    Args:
        statistic: The measure, see `Statistic`.
        blocks: Row indices of each episode; together 0..n_rows-1.
        rng: Generator of the permutations.
        n_permutations: B, at least 199.
        strata: Label of each block; blocks swap only within one. None for a single stratum.

    Raises:
        ValueError: Fewer than 199 permutations, or not one stratum per block.

    Undefined: mean and p are NaN if no block can swap, or if the measured value is NaN.
    """
    if check_positive(n_permutations, "n_permutations") < _LEAST_PERMUTATIONS:
        raise ValueError(f"n_permutations: {n_permutations!r}; allowed are {_LEAST_PERMUTATIONS} and more")
    groups = _exchangeable(blocks, strata)
    log10_arrangements = math.fsum(math.lgamma(len(group) + 1) for group in groups) / math.log(10.0)
    identity = np.arange(sum(len(block) for block in blocks))
    value = statistic(identity, identity)
    if log10_arrangements == 0.0 or math.isnan(value):
        return PermutationNull(math.nan, math.nan, 0, log10_arrangements)
    values = np.array([statistic(_permuted(identity, groups, rng), identity) for _ in range(n_permutations)])
    n_above = int((values >= value - _TIE).sum())
    return PermutationNull(
        float(values.mean()), (1 + n_above) / (1 + n_permutations), n_permutations, log10_arrangements
    )


def measure_with_null(
    statistic: Statistic,
    blocks: Blocks,
    rng: np.random.Generator,
    *,
    estimator: str,
    n_cells: int,
    miller_madow: float = math.nan,
    n_permutations: int = _LEAST_PERMUTATIONS,
    strata: Sequence[Hashable] | None = None,
    null_blocks: Blocks | None = None,
    extra_faults: Sequence[str] = (),
) -> SampledMeasure:
    """Returns a statistic with its null, interval and verdict.

    Args:
        statistic: The measure, see `Statistic`.
        blocks: Row indices of each episode.
        rng: Generator of permutations and resamples.
        estimator: What is estimated, for the record.
        n_cells: Cells of the joint table.
        miller_madow: The corrected value.
        n_permutations: B, at least 199.
        strata: Label of each block of the null.
        null_blocks: Blocks that the null permutes; None for the episodes.
        extra_faults: Further reasons why the value is not reliable.

    Raises:
        ValueError: Fewer than 199 permutations.
    """
    n = sum(len(block) for block in blocks)
    permuted = blocks if null_blocks is None else null_blocks
    null = permutation_null(statistic, permuted, rng, n_permutations, strata)
    value, is_dense = statistic(np.arange(n), np.arange(n)), n >= _SAMPLES_PER_CELL * n_cells
    faults = [*_faults(n, n_cells, null), *extra_faults]
    verdict = [f"not distinguishable from zero (p = {null.p:.3g})"] if null.p > _LEVEL else []
    return SampledMeasure(
        value=value,
        unit="bits",
        n=n,
        estimator=estimator,
        null_mean=null.mean,
        p=null.p,
        interval=_interval(value, statistic, blocks, rng, n_permutations) if is_dense else (math.nan, math.nan),
        miller_madow=miller_madow,
        reliable=not faults,
        reason="; ".join(faults + verdict),
    )


def _faults(n: int, n_cells: int, null: PermutationNull) -> Iterable[str]:
    """Yields why a value is undefined or not reliable."""
    if n == 0:
        yield "no samples"
        return
    if n < _SAMPLES_PER_CELL * n_cells:
        yield f"n = {n} < {_SAMPLES_PER_CELL} x {n_cells} cells"
    if null.log10_arrangements == 0.0:
        yield "no two episodes of equal length, so there is no null"
    elif 10.0**-null.log10_arrangements > _LEVEL:
        yield f"only {round(10.0**null.log10_arrangements)} arrangements of the episodes, so p cannot fall below 5 %"


def _exchangeable(blocks: Blocks, strata: Sequence[Hashable] | None) -> list[NDArray[np.intp]]:
    """Returns the groups of blocks that may swap, each as rows `[n_blocks, length]`."""
    if strata is not None and len(strata) != len(blocks):
        raise ValueError(f"strata: {len(strata)!r} labels; allowed is one per block, {len(blocks)}")
    groups: defaultdict[Hashable, list[NDArray[np.intp]]] = defaultdict(list)
    for index, block in enumerate(blocks):
        if len(block):
            groups[len(block), None if strata is None else strata[index]].append(block)
    return [np.stack(group) for group in groups.values()]


def _permuted(identity: NDArray[np.intp], groups: list[NDArray[np.intp]], rng: np.random.Generator) -> NDArray[np.intp]:
    rows = identity.copy()
    for group in groups:
        rows[group] = group[rng.permutation(len(group))]
    return rows


def _interval(
    value: float, statistic: Statistic, blocks: Blocks, rng: np.random.Generator, n_resamples: int
) -> tuple[float, float]:
    """Returns the reflected bootstrap interval.

    Resamples of a plug-in estimate lie above it by about as much as it lies above the truth. Reflected at the value,
    the interval holds the true information in 88 to 99 % of samples wherever n >= 5 x cells (six laws, n = 50 to 800);
    the plain percentile interval does so in 0 to 96 %.
    """
    held = [block for block in blocks if len(block)]
    if len(held) < 2 or math.isnan(value):
        return math.nan, math.nan
    stacked = np.stack(held) if len({len(block) for block in held}) == 1 else None
    values = []
    for _ in range(n_resamples):
        chosen = rng.integers(len(held), size=len(held))
        rows = stacked[chosen].reshape(-1) if stacked is not None else np.concatenate([held[i] for i in chosen])
        values.append(statistic(rows, rows))
    low, high = np.quantile(values, [0.025, 0.975])
    return 2.0 * value - float(high), 2.0 * value - float(low)

"""Measures of sampled columns with their permutation null: mutual information, transfer entropy, decomposition.

Columns hold one integer label per row, `episode` the episode of each row; rows of one episode stand in order of time.
All results are `SampledMeasure` in bits. Speaker consistency is the mutual information of message and own action,
instantaneous coordination the time-delayed one (lag 1) of message and another agent's action.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.information.decomposition import pid_atom
from tidings.theory.information.laws import check_positive
from tidings.theory.information.nulls import Blocks, SampledMeasure, measure_with_null
from tidings.theory.information.samples import Codes, information_of_codes, merge_codes, read_labels

__all__ = [
    "sampled_conditional_mutual_information",
    "sampled_mutual_information",
    "sampled_pid_atom",
    "sampled_time_delayed_mutual_information",
    "sampled_transfer_entropy",
]

_LONG_HISTORY = 5 * 128
"""Samples that longer histories than one step need at least."""


def sampled_mutual_information(
    x: ArrayLike, y: ArrayLike, episode: ArrayLike, rng: np.random.Generator, n_permutations: int = 199
) -> SampledMeasure:
    """Returns I(X;Y) of two columns with its null.

    Args:
        x: Labels `[n]`; their episodes are permuted.
        y: Labels `[n]`.
        episode: Episode of each row `[n]`.
        rng: Generator of permutations and resamples.
        n_permutations: B, at least 199.

    Raises:
        ValueError: Labels that are no integers, columns of unequal length, or too few permutations.

    Undefined: NaN without samples; p and null NaN with fewer than two episodes of equal length.
    """
    (left, right), blocks = _read_columns({"x": x, "y": y}, episode)
    return _information(left, right, None, blocks, rng, "I(X;Y) plug-in, episodes permuted", n_permutations)


def sampled_conditional_mutual_information(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike,
    episode: ArrayLike,
    rng: np.random.Generator,
    n_permutations: int = 199,
) -> SampledMeasure:
    """Returns I(X;Y|Z) of three columns with its null.

    Episodes of x swap only between episodes with the same z throughout: any other swap would break the tie of x to z
    and reject for that alone.

    Args:
        x: Labels `[n]`; their episodes are permuted.
        y: Labels `[n]`.
        z: Labels of the condition `[n]`.
        episode: Episode of each row `[n]`.
        rng: Generator of permutations and resamples.
        n_permutations: B, at least 199.

    Raises:
        ValueError: Labels that are no integers, columns of unequal length, or too few permutations.

    Undefined: NaN without samples; p and null NaN if no two episodes share length and z.
    """
    (left, right, condition), blocks = _read_columns({"x": x, "y": y, "z": z}, episode)
    strata = [condition[block].tobytes() for block in blocks]
    name = "I(X;Y|Z) plug-in, episodes of equal Z permuted"
    return _information(left, right, condition, blocks, rng, name, n_permutations, strata=strata)


def sampled_time_delayed_mutual_information(
    x: ArrayLike, y: ArrayLike, episode: ArrayLike, rng: np.random.Generator, lag: int = 1, n_permutations: int = 199
) -> SampledMeasure:
    """Returns I(X_t; Y_t+lag), pooled over episodes, with its null.

    Args:
        x: Earlier column `[n]`; its episodes are permuted.
        y: Later column `[n]`.
        episode: Episode of each row `[n]`.
        rng: Generator of permutations and resamples.
        lag: Steps between the two, at least 1.
        n_permutations: B, at least 199.

    Raises:
        ValueError: Labels that are no integers, columns of unequal length, a lag below 1, or too few permutations.

    Undefined: NaN if no episode is longer than the lag; p and null NaN with fewer than two episodes of equal length.
    """
    (left, right), blocks = _read_columns({"x": x, "y": y}, episode)
    lag = check_positive(lag, "lag")
    early, windows = _windows(blocks, lag)
    name = f"I(X_t;Y_t+{lag}) plug-in, episodes permuted"
    return _information(left[early[lag]], right[early[0]], None, windows, rng, name, n_permutations)


def sampled_transfer_entropy(
    x: ArrayLike,
    y: ArrayLike,
    episode: ArrayLike,
    rng: np.random.Generator,
    k: int = 1,
    l: int = 1,  # noqa: E741
    null: Literal["episodes", "tuples"] = "episodes",
    n_permutations: int = 199,
) -> SampledMeasure:
    """Returns the transfer entropy X -> Y, pooled over episodes, with its null.

    Args:
        x: Source column `[n]`.
        y: Target column `[n]`.
        episode: Episode of each row `[n]`; no window straddles two of them.
        rng: Generator of permutations and resamples.
        k: Length of the target's history; 0 does not condition on it.
        l: Length of the source's history, at least 1.
        null: 'episodes' permutes the source's whole episodes, 'tuples' its history tuples over all windows, which works
            for a single episode too.
        n_permutations: B, at least 199.

    Raises:
        ValueError: Labels that are no integers, columns of unequal length, a history length out of range, an unknown
            null, or too few permutations.

    Undefined: NaN if no window fits; p and null NaN if nothing can be permuted.
    Source: Schreiber 2000.
    """
    (source, target), blocks = _read_columns({"x": x, "y": y}, episode)
    k, l = check_positive(k, "k", 0), check_positive(l, "l")  # noqa: E741
    if null not in ("episodes", "tuples"):
        raise ValueError(f"null: {null!r}; allowed are 'episodes' and 'tuples'")
    back, windows = _windows(blocks, max(k, l))
    constant = np.zeros(len(back[0]), dtype=np.int64)
    past = merge_codes([constant, *(target[back[lag]] for lag in range(1, k + 1))])
    told = merge_codes([constant, *(source[back[lag]] for lag in range(1, l + 1))])
    n_cells = _n_states(target) ** (k + 1) * _n_states(source) ** l
    too_long = max(k, l) > 1 and len(constant) <= _LONG_HISTORY
    return _information(
        told,
        target[back[0]],
        past,
        windows,
        rng,
        f"transfer entropy (k={k}, l={l}) plug-in, source {null} permuted",
        n_permutations,
        n_cells=n_cells,
        null_blocks=[np.array([row]) for row in range(len(constant))] if null == "tuples" else None,
        extra_faults=[f"k, l > 1 need n > {_LONG_HISTORY}"] if too_long else [],
    )


def sampled_pid_atom(
    x1: ArrayLike,
    x2: ArrayLike,
    t: ArrayLike,
    episode: ArrayLike,
    rng: np.random.Generator,
    measure: str = "mmi",
    atom: str = "S",
    n_permutations: int = 199,
) -> SampledMeasure:
    """Returns one atom of the decomposition of I(T; X1, X2) of three columns with its null.

    Args:
        x1: First source `[n]`.
        x2: Second source `[n]`.
        t: Target `[n]`; its episodes are permuted.
        episode: Episode of each row `[n]`.
        rng: Generator of permutations and resamples.
        measure: 'imin', 'mmi' or 'broja', see `partial_information_decomposition`.
        atom: 'R', 'U1', 'U2' or 'S'.
        n_permutations: B, at least 199.

    Raises:
        ValueError: Labels that are no integers, columns of unequal length, an unknown measure or atom, or too few
            permutations.

    Undefined: NaN without samples; p and null NaN with fewer than two episodes of equal length; no Miller-Madow value.
    """
    (one, two, target), blocks = _read_columns({"x1": x1, "x2": x2, "t": t}, episode)
    shape = tuple(_n_states(column) for column in (one, two, target))

    def statistic(permuted: NDArray[np.intp], rest: NDArray[np.intp]) -> float:
        if len(rest) == 0:
            return math.nan
        cells = np.ravel_multi_index((one[rest], two[rest], target[permuted]), shape)
        counts = np.bincount(cells, minlength=math.prod(shape)).reshape(shape)
        return pid_atom(counts / len(rest), measure, atom)

    return measure_with_null(
        statistic,
        blocks,
        rng,
        estimator=f"PID {measure} {atom} plug-in, episodes of T permuted",
        n_cells=math.prod(shape),
        n_permutations=n_permutations,
    )


def _information(
    a: Codes,
    b: Codes,
    c: Codes | None,
    blocks: Blocks,
    rng: np.random.Generator,
    estimator: str,
    n_permutations: int,
    *,
    n_cells: int | None = None,
    strata: Sequence[bytes] | None = None,
    null_blocks: Blocks | None = None,
    extra_faults: Sequence[str] = (),
) -> SampledMeasure:
    """Returns I(A;B|C) of coded columns with its null; A is permuted."""

    def statistic(permuted: NDArray[np.intp], rest: NDArray[np.intp]) -> float:
        return information_of_codes(a[permuted], b[rest], None if c is None else c[rest])

    columns = [a, b] if c is None else [a, b, c]
    return measure_with_null(
        statistic,
        blocks,
        rng,
        estimator=estimator,
        n_cells=math.prod(_n_states(column) for column in columns) if n_cells is None else n_cells,
        miller_madow=information_of_codes(a, b, c, miller_madow=True),
        n_permutations=n_permutations,
        strata=strata,
        null_blocks=null_blocks,
        extra_faults=extra_faults,
    )


def _read_columns(columns: dict[str, ArrayLike], episode: ArrayLike) -> tuple[list[Codes], Blocks]:
    """Returns the columns as codes and the rows of each episode in order of time."""
    codes = [read_labels(values, name) for name, values in columns.items()]
    label = read_labels(episode, "episode")
    for name, column in zip(columns, codes, strict=True):
        if len(column) != len(label):
            raise ValueError(f"{name}: {len(column)!r} rows; allowed is one per entry of episode, {len(label)}")
    order = np.argsort(label, kind="stable")
    return codes, np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(order) else []


def _windows(blocks: Blocks, n_past: int) -> tuple[list[NDArray[np.intp]], Blocks]:
    """Returns the rows at 0..n_past steps before each window's last row, and the windows of each episode."""
    back: list[list[NDArray[np.intp]]] = [[] for _ in range(n_past + 1)]
    windows: list[NDArray[np.intp]] = []
    n_windows = 0
    for block in blocks:
        n_here = max(len(block) - n_past, 0)
        for lag, rows in enumerate(back):
            rows.append(block[n_past - lag : n_past - lag + n_here])
        windows.append(np.arange(n_windows, n_windows + n_here))
        n_windows += n_here
    empty = np.zeros(0, dtype=np.intp)
    return [np.concatenate([empty, *rows]) for rows in back], windows


def _n_states(codes: Codes) -> int:
    return len(np.unique(codes))

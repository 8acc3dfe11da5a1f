"""Emergence in groups of agents: what a group says about its future beyond its members. Plug-in, in bits.

Series are `[n_agents, n_times]` of integer labels. Biases are large at small n (synergy of independent 3-bin series,
n = 20: 0.85 bit), so compare with `identity_surrogate` and `shift_surrogate`, and use many of them.

Source: Riedl, arXiv 2510.05174; the number of bins used there is not given.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.information.decomposition import PidAtoms, partial_information_decomposition
from tidings.theory.information.laws import check_positive
from tidings.theory.information.samples import Codes, information_of_codes, merge_codes, read_labels

__all__ = [
    "coalition_synergy",
    "emergence_decomposition",
    "identity_surrogate",
    "macro_synergy",
    "shift_surrogate",
]


def macro_synergy(series: ArrayLike, macro: ArrayLike, lag: int = 1) -> float:
    """Returns I(V_t; V_t+lag) - sum_k I(X_k,t; V_t+lag) of a group variable V, in bits.

    Positive: V foretells itself better than its members do one by one. Negative says nothing, since what the members
    share is subtracted once for each.

    Args:
        series: Labels of the members X `[n_agents, n_times]`.
        macro: Labels of the group variable V `[n_times]`.
        lag: Steps ahead, at least 1.

    Raises:
        ValueError: Labels that are no integers, unequal lengths, or a lag below 1.

    Undefined: NaN if n_times <= lag.
    """
    members, lag = _read_series(series), check_positive(lag, "lag")
    group = read_labels(macro, "macro")
    if len(group) != len(members[0]):
        raise ValueError(f"macro: {len(group)!r} times; allowed is the number of times in series, {len(members[0])}")
    later = group[lag:]
    own = information_of_codes(group[: len(later)], later)
    return own - sum(information_of_codes(member[: len(later)], later) for member in members)


def emergence_decomposition(x_i: ArrayLike, x_j: ArrayLike, lag: int = 1, measure: str = "mmi") -> PidAtoms:
    """Returns the decomposition of what two agents' states say about their joint state `lag` steps later, in bits.

    Args:
        x_i: Labels of the first agent `[n_times]`.
        x_j: Labels of the second agent `[n_times]`.
        lag: Steps ahead, at least 1.
        measure: 'imin', 'mmi' or 'broja'.

    Raises:
        ValueError: Labels that are no integers, unequal lengths, no time left after the lag, or an unknown measure.
    """
    one, two = _read_series([x_i, x_j])
    n = len(one) - check_positive(lag, "lag")
    if n < 1:
        raise ValueError(f"lag: {lag!r}; allowed are lags below the number of times, {len(one)}")
    future = np.unique(merge_codes([one[lag:], two[lag:]]), return_inverse=True)[1].reshape(-1)
    law = np.zeros((int(one.max()) + 1, int(two.max()) + 1, int(future.max()) + 1))
    np.add.at(law, (one[:n], two[:n], future), 1.0 / n)
    return partial_information_decomposition(law, measure)


def coalition_synergy(x_i: ArrayLike, x_j: ArrayLike, x_k: ArrayLike, target: ArrayLike) -> float:
    """Returns G3 = I(X_i,X_j,X_k; T) - max over pairs I(pair; T): what only the three together say, in bits.

    Args:
        x_i: Labels of the first agent `[n]`.
        x_j: Labels of the second agent `[n]`.
        x_k: Labels of the third agent `[n]`.
        target: Labels of T `[n]`.

    Raises:
        ValueError: Labels that are no integers, or unequal lengths.

    Undefined: NaN without samples.
    """
    *agents, aim = _read_series([x_i, x_j, x_k, target])
    pairs = [information_of_codes(merge_codes(pair), aim) for pair in combinations(agents, 2)]
    return information_of_codes(merge_codes(agents), aim) - max(pairs)


def identity_surrogate(series: ArrayLike, rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns the series with the agents shuffled anew at each time `[n_agents, n_times]`: keeps the group's histogram.

    Args:
        series: Labels `[n_agents, n_times]`.
        rng: Generator of the shuffles.

    Raises:
        ValueError: Labels that are no integers.
    """
    return rng.permuted(np.array(_read_series(series)), axis=0)


def shift_surrogate(series: ArrayLike, rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns the series with each agent shifted in time by an own random amount: keeps each agent's own dynamics.

    Args:
        series: Labels `[n_agents, n_times]`.
        rng: Generator of the shifts, 0..n_times-1, cyclic.

    Raises:
        ValueError: Labels that are no integers.
    """
    members = _read_series(series)
    return np.array([np.roll(member, int(rng.integers(max(len(member), 1)))) for member in members])


def _read_series(series: ArrayLike | list[ArrayLike]) -> list[Codes]:
    """Returns one column of codes per agent; labels mean the same for all agents."""
    table = [np.asarray(row) for row in series]  # pyright: ignore[reportGeneralTypeIssues]
    lengths = {row.shape for row in table}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise ValueError(f"series: shapes {sorted(lengths)!r}; allowed are series of labels of one length")
    codes = read_labels(np.concatenate(table), "series")
    return list(codes.reshape(len(table), -1))

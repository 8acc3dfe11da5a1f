"""Exact Shapley values of any game with few players, by enumeration of all coalitions.

A coalition is a bit mask: bit i of an index says whether player i is in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MAX_EXACT_AGENTS", "check_n_exact", "exact_shapley_game", "shapley_of_values", "subset_sums"]

Array = NDArray[np.float64]

MAX_EXACT_AGENTS = 22


def check_n_exact(where: str, n: int) -> None:
    """Checks that `n` players can be enumerated.

    Raises:
        ValueError: If `n` is below 1 or above `MAX_EXACT_AGENTS`.
    """
    if not 1 <= n <= MAX_EXACT_AGENTS:
        raise ValueError(f"{where}: found {n!r} agents; need 1 to {MAX_EXACT_AGENTS}; use sampled_shapley for more")


def subset_sums(terms: Array) -> Array:
    """Returns the sum of every subset `[2**k, ...]`; bit i of the row number says whether term i is in.

    Args:
        terms: One number or vector per player `[k]` or `[k, dim]`.
    """
    sums = np.zeros((1, *terms.shape[1:]))
    for term in terms:
        sums = np.concatenate([sums, sums + term])
    return sums


def shapley_of_values(values: ArrayLike) -> Array:
    """Returns the Shapley values of a game given by the value of every coalition.

    phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! * (v(S + i) - v(S)).

    Args:
        values: v(S) `[2**n]`; bit i of the index says whether player i is in S.

    Returns:
        Shapley values `[n]`; they sum to v(all) - v(empty).

    Raises:
        ValueError: If the length is no power of two from 2 to 2**MAX_EXACT_AGENTS, or a value is not finite.

    Source: Shapley 1953, "A value for n-person games".
    """
    table = np.asarray(values, dtype=np.float64)
    n = table.size.bit_length() - 1
    if table.ndim != 1 or table.size != 1 << n or not np.isfinite(table).all():
        raise ValueError(f"shapley_of_values.values: found shape {table.shape!r}; need [2**n] finite numbers")
    check_n_exact("shapley_of_values", n)
    by_size = np.array([1.0 / (n * math.comb(n - 1, size)) for size in range(n)] + [0.0])
    weights = by_size[subset_sums(np.ones(n)).astype(np.intp)]
    phi = np.empty(n)
    for player in range(n):
        with_player, share = table.reshape(-1, 2, 1 << player), weights.reshape(-1, 2, 1 << player)
        phi[player] = ((with_player[:, 1] - with_player[:, 0]) * share[:, 0]).sum()
    return phi


def exact_shapley_game(value: Callable[[frozenset[int]], float], n: int) -> Array:
    """Returns the exact Shapley values of any game, from 2**n calls of its characteristic function.

    Args:
        value: v(S) for a set of players 0..n-1; called once per coalition, the empty one included.
        n: Number of players, at most `MAX_EXACT_AGENTS`.

    Returns:
        Shapley values `[n]`; they sum to v(all) - v(empty).

    Raises:
        ValueError: If `n` is out of range or a value is not finite.
    """
    check_n_exact("exact_shapley_game", n)
    coalitions = (frozenset(i for i in range(n) if mask >> i & 1) for mask in range(1 << n))
    return shapley_of_values([value(coalition) for coalition in coalitions])

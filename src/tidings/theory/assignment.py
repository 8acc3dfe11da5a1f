"""Assignments of rows to columns: the best one, exactly, and what one is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

__all__ = ["Pairs", "assignment_reward", "optimal_assignment"]

Pairs = tuple[tuple[int, int], ...]
"""An assignment: (row, column) for each row, in the order of the rows."""


def optimal_assignment(table: NDArray[np.generic] | Sequence[Sequence[float]]) -> Pairs:
    """Returns an assignment of the highest total reward, exactly.

    Args:
        table: Rewards `[n, n]`.
    """
    rows, columns = linear_sum_assignment(np.asarray(table, dtype=float), maximize=True)
    return tuple(zip(rows.tolist(), columns.tolist(), strict=True))


def assignment_reward(table: Sequence[Sequence[float]] | NDArray[np.generic], pairs: Pairs) -> float:
    """Returns the sum of the assigned cells of a table `[n, n]`."""
    return float(sum(table[row][column] for row, column in pairs))

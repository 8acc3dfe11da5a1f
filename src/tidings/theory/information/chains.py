"""Finite Markov chains: closed classes, period and stationary law, decided on the graph of possible steps.

Which class is closed and whether a chain is periodic are questions about zeros; an eigenvalue routine can only answer
them up to a tolerance.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

__all__ = ["closed_classes", "period", "stationary_law"]


def closed_classes(steps: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Returns the sets of states that the chain cannot leave, each as sorted indices.

    Args:
        steps: Transition probabilities `[n, n]`, one law per row.
    """
    n_classes, label = connected_components(csr_array(steps > 0.0), directed=True, connection="strong")
    leaves = (steps > 0.0) & (label[:, None] != label[None, :])
    is_open = np.zeros(n_classes, dtype=bool)
    is_open[label[leaves.any(axis=1)]] = True
    return [np.flatnonzero(label == index) for index in range(n_classes) if not is_open[index]]


def period(steps: NDArray[np.float64], members: NDArray[np.intp]) -> int:
    """Returns the period of a closed class: the greatest common divisor of the lengths of its cycles.

    Args:
        steps: Transition probabilities `[n, n]`.
        members: States of one closed class.
    """
    inside = steps[np.ix_(members, members)] > 0.0
    level = np.full(len(members), -1)
    level[0], frontier, result = 0, [0], 0
    while frontier:
        state = frontier.pop()
        for follower in np.flatnonzero(inside[state]):
            if level[follower] < 0:
                level[follower] = level[state] + 1
                frontier.append(int(follower))
            result = math.gcd(result, int(level[state] + 1 - level[follower]))
    return result


def stationary_law(steps: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Returns the stationary law `[n]`, or None if there are several.

    States outside the one closed class get 0. A periodic chain has a stationary law too.

    Args:
        steps: Transition probabilities `[n, n]`, one law per row.

    Source: Grassmann, Taksar, Heyman 1985: elimination without subtraction, exact to rounding in every entry.
    """
    classes = closed_classes(steps)
    if len(classes) != 1:
        return None
    members = classes[0]
    work = steps[np.ix_(members, members)].copy()
    for last in range(len(members) - 1, 0, -1):
        work[:last, last] /= work[last, :last].sum()
        work[:last, :last] += np.outer(work[:last, last], work[last, :last])
    weights = np.zeros(len(members))
    weights[0] = 1.0
    for state in range(1, len(members)):
        weights[state] = weights[:state] @ work[:state, state]
    result = np.zeros(len(steps))
    result[members] = weights / weights.sum()
    return result

"""Opinion dynamics on a weighted graph: where opinions end, and how far apart they are.

`W[i][j]` is the weight that agent i gives to agent j.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.information.chains import closed_classes, period, stationary_law
from tidings.theory.information.laws import read_channel, read_numbers

__all__ = ["degroot_consensus", "disagreement", "friedkin_johnsen_equilibrium", "polarization"]


def degroot_consensus(W: ArrayLike, x0: ArrayLike) -> float:
    """Returns the opinion on which all agents agree in the end, pi . x0 with pi = pi W.

    Opinions follow x(t+1) = W x(t). Zeros of W decide whether there is a limit, not an eigenvalue up to a tolerance.

    Args:
        W: Trust, row-stochastic `[n_agents, n_agents]`.
        x0: Initial opinions `[n_agents]`.

    Raises:
        ValueError: Rows that are no laws, or shapes that do not fit.

    Undefined: NaN without a unique limit: several closed groups that hear only themselves, or a periodic one.
    Source: DeGroot 1974.
    """
    trust, opinions = _read_network(W, x0, "x0")
    classes = closed_classes(trust)
    if len(classes) != 1 or period(trust, classes[0]) != 1:
        return math.nan
    weights = stationary_law(trust)
    assert weights is not None
    return float(weights @ opinions)


def friedkin_johnsen_equilibrium(W: ArrayLike, x0: ArrayLike, lam: ArrayLike) -> NDArray[np.float64]:
    """Returns the opinions x* = (I - diag(lam) W)^-1 (I - diag(lam)) x0 in which stubborn agents end `[n_agents]`.

    Opinions follow x(t+1) = diag(lam) W x(t) + (I - diag(lam)) x0.

    Args:
        W: Trust, row-stochastic `[n_agents, n_agents]`.
        x0: Initial opinions, to which stubborn agents hold `[n_agents]`.
        lam: Susceptibility of each agent in [0, 1] `[n_agents]`; 0 is stubborn, 1 fully open.

    Raises:
        ValueError: Rows that are no laws, susceptibilities outside [0, 1], or shapes that do not fit.

    Undefined: all NaN if the matrix is singular: a closed group of fully open agents.
    Source: Friedkin & Johnsen 1990.
    """
    trust, opinions = _read_network(W, x0, "x0")
    openness = read_numbers(lam, "lam", 1)
    if len(openness) != len(opinions):
        raise ValueError(f"lam: {len(openness)!r} entries; allowed is one per agent, {len(opinions)}")
    bad = openness[~((openness >= 0.0) & (openness <= 1.0))]
    if bad.size:
        raise ValueError(f"lam: entry {float(bad[0])!r}; allowed are susceptibilities in [0, 1]")
    if any(np.all(openness[members] == 1.0) for members in closed_classes(trust)):
        return np.full(len(opinions), np.nan)
    matrix = np.eye(len(opinions)) - openness[:, None] * trust
    return np.asarray(np.linalg.solve(matrix, (1.0 - openness) * opinions), dtype=np.float64)


def polarization(x: ArrayLike) -> float:
    """Returns the population variance of opinions, sum_i (x_i - mean)^2 / n, in squared opinion units.

    Args:
        x: Opinions `[n_agents]`.

    Raises:
        ValueError: Not one axis of finite numbers.

    Undefined: NaN without agents.
    """
    opinions = _read_opinions(x, "x")
    return float(((opinions - opinions.mean()) ** 2).mean()) if opinions.size else math.nan


def disagreement(W: ArrayLike, x: ArrayLike) -> float:
    """Returns 1/2 sum_ij W_ij (x_i - x_j)^2 over ordered pairs, in squared opinion units.

    Args:
        W: Weights `[n_agents, n_agents]`, used as given: neither symmetrised nor normalised.
        x: Opinions `[n_agents]`.

    Raises:
        ValueError: Weights that are not finite, or shapes that do not fit.
    """
    opinions = _read_opinions(x, "x")
    weights = read_numbers(W, "W", 2)
    _check_square(weights, opinions, "x")
    if not np.all(np.isfinite(weights)):
        raise ValueError("W: entries that are not finite; allowed are finite weights")
    return float(0.5 * (weights * (opinions[:, None] - opinions[None, :]) ** 2).sum())


def _read_network(W: ArrayLike, x0: ArrayLike, where: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    trust, opinions = read_channel(W, "W"), _read_opinions(x0, where)
    _check_square(trust, opinions, where)
    return trust, opinions


def _read_opinions(x: ArrayLike, where: str) -> NDArray[np.float64]:
    opinions = read_numbers(x, where, 1)
    if not np.all(np.isfinite(opinions)):
        raise ValueError(f"{where}: entries that are not finite; allowed are finite opinions")
    return opinions


def _check_square(matrix: NDArray[np.float64], opinions: NDArray[np.float64], where: str) -> None:
    if matrix.shape != (len(opinions), len(opinions)):
        raise ValueError(f"W: shape {matrix.shape!r}; allowed is n x n for the {len(opinions)} opinions in {where}")

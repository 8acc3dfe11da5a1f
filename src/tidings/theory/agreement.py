"""When do independent answerers agree on the right answer? Closed forms behind contribution weighting.

Source: arXiv 2510.00685, Lemma 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Coverage",
    "check_probabilities",
    "coverage",
    "critical_accuracy",
    "wrong_concentration",
    "wrong_shares",
]


def check_probabilities(where: str, **probabilities: float) -> None:
    """Checks that each named number is a probability.

    Raises:
        ValueError: If one is not in [0, 1].
    """
    for name, p in probabilities.items():
        if not 0 <= p <= 1:
            raise ValueError(f"{where}.{name}: found {p!r}; need a probability from 0 to 1")


def wrong_shares(n_scattered: int, p_attractor: float = 0.0) -> NDArray[np.float64]:
    """Returns how wrong answers spread: the attractor's share, then (1 - share) / n for each scattered one.

    Args:
        n_scattered: Number of scattered wrong answers.
        p_attractor: Share of the attractor.

    Returns:
        Shares that sum to 1 `[1 + n_scattered]`.

    Raises:
        ValueError: If `n_scattered` is below 0, or 0 while the attractor does not take all.
    """
    check_probabilities("wrong_shares", p_attractor=p_attractor)
    if n_scattered < 0 or (n_scattered == 0 and p_attractor < 1):
        raise ValueError(f"wrong_shares.n_scattered: found {n_scattered!r}; need 1 or more (0 only with p_attractor 1)")
    return np.append(p_attractor, np.full(n_scattered, (1 - p_attractor) / max(1, n_scattered)))


def wrong_concentration(shares: ArrayLike) -> float:
    """Returns q = sum of squared shares: the chance that two wrong answers coincide.

    Args:
        shares: Shares of the wrong answers, summing to 1.

    Raises:
        ValueError: If the shares are negative or do not sum to 1.
    """
    array = np.asarray(shares, dtype=np.float64)
    if array.ndim != 1 or not (array >= 0).all() or not math.isclose(array.sum(), 1.0, abs_tol=1e-9):
        raise ValueError(f"wrong_concentration.shares: found {shares!r}; need numbers >= 0 that sum to 1")
    return float((array**2).sum())


def critical_accuracy(q: float) -> float:
    """Returns p* = sqrt(q) / (1 + sqrt(q)): above it two agents agree more often rightly than wrongly.

    Two agents agree rightly with p**2 and wrongly with (1 - p)**2 q; p* makes them equal. Below it, weighting by
    closeness to the others amplifies error.

    Args:
        q: Chance that two wrong answers coincide, from 0 to 1; see `wrong_concentration`.

    Raises:
        ValueError: If `q` is no probability.

    Source: arXiv 2510.00685, Lemma 1, solved for p.
    """
    check_probabilities("critical_accuracy", q=q)
    return math.sqrt(q) / (1 + math.sqrt(q))


@dataclass(frozen=True)
class Coverage:
    """How many of n independent agents are right.

    Attributes:
        p_any: Chance that one or more are.
        p_exactly_one: Chance that a single one is: no closeness to others can find it.
        p_at_least_two: Chance that two or more are.
    """

    p_any: float
    p_exactly_one: float
    p_at_least_two: float


def coverage(p_right: float, n_agents: int) -> Coverage:
    """Returns how likely none, one, or several of `n_agents` independent agents are right.

    Raises:
        ValueError: If `p_right` is no probability or `n_agents` is below 1.
    """
    check_probabilities("coverage", p_right=p_right)
    if n_agents < 1:
        raise ValueError(f"coverage.n_agents: found {n_agents!r}; need 1 or more")
    p_any = 1 - (1 - p_right) ** n_agents
    p_one = n_agents * p_right * (1 - p_right) ** (n_agents - 1)
    return Coverage(p_any, p_one, p_any - p_one)

"""Exact Bayesian learning when each agent sees only some of its predecessors (extension of the classic model).

Without a common public belief an agent must sum over the actions it did not see. That is done by enumeration over the
actions of its *ancestors*: those it sees, those they saw, and so on. The graph, the order and all precisions are common
knowledge; every agent is assumed to be rational.

Source: Acemoglu, Dahleh, Lobel, Ozdaglar 2011, "Bayesian Learning in Social Networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tidings.theory.herding import TOLERANCE, Ties

__all__ = ["NetworkLearning", "ancestors", "learn_on_network", "naive_posterior", "network_posterior"]

_TREMBLE = 1e-12


def ancestors(position: int, seen: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Returns all positions whose actions can bear on what `position` sees, in order.

    Args:
        position: The agent.
        seen: For each position, the earlier positions whose actions it sees.
    """
    found: set[int] = set()
    stack = list(seen[position])
    while stack:
        other = stack.pop()
        if other not in found:
            found.add(other)
            stack.extend(seen[other])
    return tuple(sorted(found))


def _play_good(posteriors: NDArray[np.float64], signal: int, ties: Ties, threshold: float) -> NDArray[np.float64]:
    """Returns P(G) for each posterior given the own signal, the array form of `herding.p_play_good`."""
    at_tie = float(signal) if ties == "own_signal" else 0.5
    return np.where(posteriors > threshold + TOLERANCE, 1.0, np.where(posteriors < threshold - TOLERANCE, 0.0, at_tie))


def _of(threshold: float | Sequence[float], position: int) -> float:
    return threshold[position] if isinstance(threshold, Sequence) else threshold


def _posteriors(good: NDArray[np.float64], bad: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return good / (good + bad)


@dataclass(frozen=True)
class _Histories:
    """Joint law of the ancestors' actions. History h has action (h >> k) & 1 of the k-th ancestor.

    Attributes:
        members: Positions of the ancestors.
        good: P(history | G) `[2**len(members)]`.
        bad: P(history | B) `[2**len(members)]`.
    """

    members: tuple[int, ...]
    good: NDArray[np.float64]
    bad: NDArray[np.float64]

    def views(self, seen: Sequence[int]) -> NDArray[np.int64]:
        """Returns which view (actions of `seen`, as bits) each history gives."""
        histories = np.arange(len(self.good))
        view = np.zeros(len(histories), dtype=np.int64)
        for bit, position in enumerate(seen):
            view |= ((histories >> self.members.index(position)) & 1) << bit
        return view


def _view_law(histories: _Histories, seen: Sequence[int]) -> tuple[NDArray, NDArray, NDArray]:
    """Returns (view of each history, P(view | G), P(view | B))."""
    views = histories.views(seen)
    size = 1 << len(seen)
    return views, np.bincount(views, histories.good, size), np.bincount(views, histories.bad, size)


def _answers(
    good: NDArray, bad: NDArray, precision: float, prior: float, ties: Ties, threshold: float
) -> tuple[NDArray, NDArray]:
    """Returns P(G | view, signal G) and P(G | view, signal B) for each view `[2**n_seen]`."""
    answers = []
    for signal in (1, 0):
        in_good = prior * good * (precision if signal else 1 - precision)
        in_bad = (1 - prior) * bad * (1 - precision if signal else precision)
        answers.append(_play_good(_posteriors(in_good, in_bad), signal, ties, threshold))
    return answers[0], answers[1]


@lru_cache(maxsize=512)
def _enumerate(
    members: tuple[int, ...],
    seen: tuple[tuple[int, ...], ...],
    precisions: tuple[float, ...],
    prior: float,
    ties: Ties,
    thresholds: tuple[float, ...],
    tremble: float,
) -> _Histories:
    """Returns the joint law of the actions of `members` (closed under ancestry; entries of the tuples go by member)."""
    histories = _Histories((), np.ones(1), np.ones(1))
    for k, position in enumerate(members):
        views, good, bad = _view_law(histories, seen[k])
        on_good, on_bad = _answers(good, bad, precisions[k], prior, ties, thresholds[k])
        q = precisions[k]
        p_good = (q * on_good + (1 - q) * on_bad) * (1 - tremble) + tremble / 2
        p_bad = ((1 - q) * on_good + q * on_bad) * (1 - tremble) + tremble / 2
        histories = _Histories(
            (*members[:k], position),
            np.concatenate([histories.good * (1 - p_good[views]), histories.good * p_good[views]]),
            np.concatenate([histories.bad * (1 - p_bad[views]), histories.bad * p_bad[views]]),
        )
    return histories


def network_posterior(
    position: int,
    actions: dict[int, int],
    seen: Sequence[Sequence[int]],
    precisions: Sequence[float],
    prior: float = 0.5,
    ties: Ties = "own_signal",
    threshold: float | Sequence[float] = 0.5,
    max_ancestors: int = 16,
) -> float:
    """Returns P(state = G | the actions this agent saw), before its own signal; exact.

    A view that no rational agents could have produced (it happens beside language models) has probability zero; it is
    read as if each agent erred with probability 1e-12, so that on a complete graph an action against a cascade leaves
    the belief as it was.

    Args:
        position: The agent, counted from 0 in the order of play.
        actions: Seen position -> action, 1 for G; exactly the positions in `seen[position]`.
        seen: For each position, the earlier positions whose actions it sees.
        precisions: Precision of each position's signal.
        prior: P(state = G).
        ties: Tie rule.
        threshold: Posterior above which G pays, for all positions or for each.
        max_ancestors: Largest number of ancestors to enumerate (cost grows as 2 to its power).

    Raises:
        ValueError: If the agent has more ancestors than that.
    """
    members = ancestors(position, seen)
    if len(members) > max_ancestors:
        raise ValueError(
            f"agent at position {position}: {len(members)} ancestors; exact Bayes enumerates at most {max_ancestors} "
            f"(max_ancestors); choose `approximation: naive` or a sparser graph"
        )
    own = tuple(seen[position])
    view = sum(actions[other] << bit for bit, other in enumerate(own))
    law = (members, tuple(tuple(seen[m]) for m in members), tuple(precisions[m] for m in members))
    own_thresholds = tuple(_of(threshold, m) for m in members)
    for tremble in (0.0, _TREMBLE):
        histories = _enumerate(*law, prior, ties, own_thresholds, tremble)
        _, good, bad = _view_law(histories, own)
        total = prior * good[view] + (1 - prior) * bad[view]
        if total > 0.0:
            return float(prior * good[view] / total)
    return prior


def naive_posterior(actions: dict[int, int], precisions: Sequence[float], prior: float = 0.5) -> float:
    """Returns P(state = G) if every seen action is taken for an independent signal of its agent's precision.

    The stated approximation for graphs too large to enumerate: it ignores that actions already hold other actions.
    """
    odds_log = np.log(prior) - np.log1p(-prior)
    for position, action in actions.items():
        q = min(precisions[position], 1 - 1e-12)
        odds_log += (1 if action else -1) * (np.log(q) - np.log1p(-q))
    return float(1 / (1 + np.exp(-odds_log)))


@dataclass(frozen=True)
class NetworkLearning:
    """Exact learning curves.

    Attributes:
        p_correct: P(action = state) of each position `[n_agents]`.
        p_ignored: P(the action does not depend on the own signal) `[n_agents]`.
    """

    p_correct: NDArray[np.float64]
    p_ignored: NDArray[np.float64]


def learn_on_network(
    seen: Sequence[Sequence[int]],
    precisions: Sequence[float],
    prior: float = 0.5,
    ties: Ties = "own_signal",
    threshold: float | Sequence[float] = 0.5,
) -> NetworkLearning:
    """Returns how often each agent is right and how often it ignores its signal, by enumeration over all histories.

    Args:
        seen: For each position, the earlier positions whose actions it sees.
        precisions: Precision of each position's signal.
        prior: P(state = G).
        ties: Tie rule.
        threshold: Posterior above which G pays, for all positions or for each.
    """
    p_correct, p_ignored = np.zeros(len(seen)), np.zeros(len(seen))
    for position in range(len(seen)):
        members = ancestors(position, seen)
        law = (members, tuple(tuple(seen[m]) for m in members), tuple(precisions[m] for m in members))
        histories = _enumerate(*law, prior, ties, tuple(_of(threshold, m) for m in members), 0.0)
        _, good, bad = _view_law(histories, tuple(seen[position]))
        q = precisions[position]
        on_good, on_bad = _answers(good, bad, q, prior, ties, _of(threshold, position))
        right_in_good = good @ (q * on_good + (1 - q) * on_bad)
        right_in_bad = bad @ (1 - ((1 - q) * on_good + q * on_bad))
        p_correct[position] = prior * right_in_good + (1 - prior) * right_in_bad
        same = (on_good == on_bad) & (on_good != 0.5)
        p_ignored[position] = (prior * good + (1 - prior) * bad)[same].sum()
    return NetworkLearning(p_correct, p_ignored)

"""Rational social learning with a common public belief: one agent's rule, and whole arrays of herds.

Two states, written G (index 1) and B (index 0). Agent i gets a private signal that is right with probability q_i, sees
the actions of all predecessors, and plays G if its posterior exceeds the `threshold`, B if it falls short. At exactly
the threshold the tie rule decides: `own_signal` follows the signal, `coin` tosses a fair coin.

Source: Bikhchandani, Hirshleifer, Welch 1992 (coin); arXiv 2504.02648 (own signal, chosen precisions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tidings.core.seeds import SeedPath
from tidings.theory.draws import child_keys, uniforms

__all__ = [
    "FREE_TOLERANCE",
    "TOLERANCE",
    "HerdModel",
    "HerdRollouts",
    "Ties",
    "action_likelihoods",
    "next_belief",
    "p_play_good",
    "posterior",
    "simulate_herds",
]

Ties = Literal["own_signal", "coin"]

TOLERANCE = 1e-12
"""Posteriors closer than this to the threshold count as ties: in floats `1 - 0.7 <= 0.3` is false."""

FREE_TOLERANCE = 1e-9
"""A precision lies below the free one only if it does by more than this."""


def posterior(belief: float, precision: float, signal: int) -> float:
    """Returns P(state = G) after a signal of the given precision.

    Args:
        belief: P(state = G) before, in [0, 1].
        precision: P(signal = state), in [1/2, 1].
        signal: 1 for G, 0 for B.

    Undefined: NaN if the signal has probability 0 (a certain signal against a certain belief).
    """
    right = belief * (precision if signal else 1.0 - precision)
    wrong = (1.0 - belief) * (1.0 - precision if signal else precision)
    total = right + wrong
    return right / total if total > 0.0 else float("nan")


def p_play_good(belief: float, signal: int, ties: Ties, threshold: float = 0.5) -> float:
    """Returns the probability (0, 1/2 or 1) that an agent with this posterior and signal plays G."""
    if belief > threshold + TOLERANCE:
        return 1.0
    if belief < threshold - TOLERANCE:
        return 0.0
    return float(signal) if ties == "own_signal" else 0.5


def action_likelihoods(
    belief: float, precision: float, ties: Ties = "own_signal", threshold: float = 0.5
) -> tuple[float, float, float, float]:
    """Returns how an agent answers each signal, and how likely G is in each state.

    Args:
        belief: Public belief P(state = G) before the agent moves.
        precision: Precision of its signal.
        ties: Tie rule.
        threshold: Posterior above which G pays.

    Returns:
        `(P(G | signal G), P(G | signal B), P(G | state G), P(G | state B))`. An impossible signal counts as ignored.
    """
    after_good, after_bad = posterior(belief, precision, 1), posterior(belief, precision, 0)
    play = [
        p_play_good(belief if after != after else after, signal, ties, threshold)
        for after, signal in ((after_good, 1), (after_bad, 0))
    ]
    if play[0] == play[1]:
        return play[0], play[1], play[0], play[0]
    in_good = precision * play[0] + (1.0 - precision) * play[1]
    in_bad = (1.0 - precision) * play[0] + precision * play[1]
    return play[0], play[1], in_good, in_bad


def next_belief(belief: float, likelihood_good: float, likelihood_bad: float) -> float:
    """Returns the public belief after an action with these likelihoods in state G and state B.

    An action that says nothing leaves it as it is; so does one that no rational agent would take (it is off the path).
    """
    if likelihood_good == likelihood_bad:
        return belief
    right = belief * likelihood_good
    total = right + (1.0 - belief) * likelihood_bad
    return right / total if total > 0.0 else belief


@dataclass(frozen=True)
class HerdRollouts:
    """What happened in each of `n_rollouts` herds of `n_agents`.

    Attributes:
        state: True state, 1 for G `[n_rollouts]`.
        n_good: Agents that played G `[n_rollouts]`.
        first_cascade: Position (from 0) of the first agent that ignored its signal, -1 if none did `[n_rollouts]`.
        last_action: Action of the last agent, 1 for G `[n_rollouts]`.
        belief: Public belief after the last agent `[n_rollouts]`.
        cost: What the planner paid, sum of cost(q_i) `[n_rollouts]`.
        n_below: Agents whose precision lay below the free one `[n_rollouts]`.
        discounted_correct: sum of discount^i [action_i = state] `[n_rollouts]`.
        discounted_good: sum of discount^i [action_i = G] `[n_rollouts]`.
        discounted_cost: sum of discount^i cost(q_i) `[n_rollouts]`.
        n_agents: Agents in each herd.
    """

    state: NDArray[np.int8]
    n_good: NDArray[np.int32]
    first_cascade: NDArray[np.int32]
    last_action: NDArray[np.int8]
    belief: NDArray[np.float64]
    cost: NDArray[np.float64]
    n_below: NDArray[np.int32]
    discounted_correct: NDArray[np.float64]
    discounted_good: NDArray[np.float64]
    discounted_cost: NDArray[np.float64]
    n_agents: int


@dataclass(frozen=True)
class HerdModel:
    """The rules that all herds of one simulation share.

    Attributes:
        n_agents: Agents in each herd.
        policy: (public belief, position) -> precision; a pure function.
        prior: P(state = G).
        ties: Tie rule.
        threshold: Posterior above which G pays.
        discount: Weight of each later agent relative to the one before, in [0, 1].
        cost: (precision, position) -> what the planner pays.
        free: Position -> the precision that costs nothing.
        is_stationary: Whether policy and cost ignore the position; then an uninformative step is final.
        state: The true state if it is fixed; else it is drawn with the prior.
    """

    n_agents: int
    policy: Callable[[float, int], float]
    prior: float = 0.5
    ties: Ties = "own_signal"
    threshold: float = 0.5
    discount: float = 1.0
    cost: Callable[[float, int], float] = lambda _precision, _position: 0.0
    free: Callable[[int], float] = lambda _position: 0.5
    is_stationary: bool = True
    state: int | None = None


class _Rows(NamedTuple):
    """What happens at one position, by number of the public belief `[n_beliefs]` each."""

    precision: NDArray[np.float64]
    on_good: NDArray[np.float64]
    on_bad: NDArray[np.float64]
    ignored: NDArray[np.float64]
    after_bad: NDArray[np.float64]
    after_good: NDArray[np.float64]
    cost: NDArray[np.float64]
    below: NDArray[np.float64]


class _Beliefs:
    """Every public belief met so far; its transitions are worked out by the scalar functions, once a position."""

    def __init__(self, model: HerdModel) -> None:
        self._model = model
        self.values: list[float] = []
        self._ids: dict[float, int] = {}

    def id_of(self, belief: float) -> int:
        """Returns the number of this belief."""
        if belief not in self._ids:
            self._ids[belief] = len(self.values)
            self.values.append(belief)
        return self._ids[belief]

    def rows(self, ids: NDArray[np.int32], position: int) -> _Rows:
        """Returns the rows of all beliefs among `ids`; those of other beliefs are zero."""
        used = np.unique(ids)
        rows = np.zeros((used[-1] + 1, len(_Rows._fields)))
        for belief_id in used:
            rows[belief_id] = self._row(self.values[belief_id], position)
        return _Rows(*rows.T)

    def _row(self, belief: float, position: int) -> tuple[float, ...]:
        model = self._model
        precision = model.policy(belief, position)
        on_good, on_bad, in_good, in_bad = action_likelihoods(belief, precision, model.ties, model.threshold)
        after_good = self.id_of(next_belief(belief, in_good, in_bad))
        after_bad = self.id_of(next_belief(belief, 1.0 - in_good, 1.0 - in_bad))
        ignored = float(on_good == on_bad and on_good != 0.5)
        below = float(precision < model.free(position) - FREE_TOLERANCE)
        cost = model.cost(precision, position)
        return precision, on_good, on_bad, ignored, after_bad, after_good, cost, below


class _Herds:
    """All herds side by side; `open` are those whose belief can still change, `ids` the numbers of their beliefs."""

    def __init__(self, model: HerdModel, keys: NDArray[np.uint64]) -> None:
        n = len(keys)
        self.model, self.keys, self.signal_keys = model, keys, child_keys(keys, "signal")
        drawn = uniforms(keys, "state") < model.prior if model.state is None else np.full(n, model.state == 1)
        self.truth = drawn.astype(np.int8)
        self.beliefs = _Beliefs(model)
        self.n_good, self.first = np.zeros(n, np.int32), np.full(n, -1, np.int32)
        self.last, self.final = np.zeros(n, np.int8), np.zeros(n, np.int32)
        self.cost, self.n_below = np.zeros(n), np.zeros(n, np.int32)
        self.discounted = np.zeros((3, n))
        self.open = np.arange(n)
        self.ids = np.full(n, self.beliefs.id_of(model.prior), dtype=np.int32)

    def settle(self, rows: _Rows, position: int, tail: float) -> None:
        """Closes the herds in which nothing will be learnt any more; all later agents do the same."""
        done = (rows.ignored == 1.0)[self.ids]
        if not done.any():
            return
        where, which = self.open[done], self.ids[done]
        action = rows.on_good[which].astype(np.int8)
        self.n_good[where] += action.astype(np.int32) * (self.model.n_agents - position)
        self.first[where] = np.where(self.first[where] < 0, position, self.first[where])
        self.last[where], self.final[where] = action, which
        n_left = self.model.n_agents - position
        self.cost[where] += rows.cost[which] * n_left
        self.n_below[where] += rows.below[which].astype(np.int32) * n_left
        self._discount(where, which, action, rows, tail)
        self.open, self.ids = self.open[~done], self.ids[~done]

    def step(self, rows: _Rows, position: int, weight: float, coin: tuple[str, int]) -> None:
        """Lets the next agent of every open herd act."""
        where, ids = self.open, self.ids
        is_right = uniforms(self.signal_keys[where], position) < rows.precision[ids]
        signal = np.where(is_right, self.truth[where], 1 - self.truth[where])
        p_good = np.where(signal == 1, rows.on_good[ids], rows.on_bad[ids])
        action = (p_good > 0.5).astype(np.int8)
        tied = np.flatnonzero(p_good == 0.5)
        if len(tied):
            action[tied] = uniforms(self.keys[where[tied]], "seat", *coin, "coin") < 0.5
        newly = (rows.ignored[ids] == 1.0) & (self.first[where] < 0)
        self.first[where[newly]] = position
        self.n_good[where] += action
        self.last[where] = action
        self.cost[where] += rows.cost[ids]
        self.n_below[where] += rows.below[ids].astype(np.int32)
        self._discount(where, ids, action, rows, weight)
        self.ids = np.where(action == 1, rows.after_good[ids], rows.after_bad[ids]).astype(np.int32)
        self.final[where] = self.ids

    def _discount(
        self,
        where: NDArray[np.int64],
        ids: NDArray[np.int32],
        action: NDArray[np.int8],
        rows: _Rows,
        weight: float,
    ) -> None:
        """Adds right actions, actions G and costs, weighted."""
        self.discounted[0, where] += weight * (action == self.truth[where])
        self.discounted[1, where] += weight * action
        self.discounted[2, where] += weight * rows.cost[ids]


def simulate_herds(
    model: HerdModel, seed: SeedPath, rollouts: NDArray[np.int64], seats: Sequence[str], steps: Sequence[int]
) -> HerdRollouts:
    """Plays many herds on a complete graph at once, draw for draw as the step-by-step path does.

    Works agent by agent over all herds that are still open. Beliefs are kept as numbers into a table whose rows the
    scalar functions fill, so both paths make the same comparisons in the same floating-point arithmetic. A herd whose
    belief can no longer change leaves the arrays: most do after a few agents.

    Args:
        model: The rules.
        seed: Seed path above the rollouts; rollout r draws from `seed / r`.
        rollouts: Numbers of the rollouts `[n_rollouts]`.
        seats: Seat of each position `[n_agents]`; only a coin toss depends on it.
        steps: Step in which each position decides `[n_agents]`; only a coin toss depends on it.

    Returns:
        The outcome of each rollout, in the order of `rollouts`.
    """
    herds = _Herds(model, child_keys(np.full(len(rollouts), seed.key, dtype=np.uint64), np.asarray(rollouts)))
    weights = model.discount ** np.arange(model.n_agents, dtype=float)
    tails = np.cumsum(weights[::-1])[::-1]
    for position in range(model.n_agents):
        if not len(herds.open):
            break
        rows = herds.beliefs.rows(herds.ids, position)
        if model.is_stationary:
            herds.settle(rows, position, tails[position])
        herds.step(rows, position, weights[position], (seats[position], int(steps[position])))
    beliefs = np.array(herds.beliefs.values)[herds.final]
    correct, good, paid = herds.discounted
    known = herds.truth, herds.n_good, herds.first, herds.last, beliefs, herds.cost, herds.n_below
    return HerdRollouts(*known, correct, good, paid, model.n_agents)

"""Rational social learning with a common public belief: one agent's rule, and whole arrays of herds.

Two states, written G (index 1) and B (index 0). Agent i gets a private signal that is right with probability q_i, sees
the actions of all predecessors, and plays G if its posterior exceeds the `threshold`, B if it falls short. At exactly
the threshold the tie rule decides: `own_signal` follows the signal, `coin` tosses a fair coin.

Source: Bikhchandani, Hirshleifer, Welch 1992 (coin); arXiv 2504.02648 (own signal, chosen precisions).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tidings.core.seeds import SeedPath
from tidings.theory.draws import child_keys, uniforms

__all__ = ["TOLERANCE", "HerdRollouts", "Ties", "action_likelihoods", "p_play_good", "posterior", "simulate_herds"]

Ties = Literal["own_signal", "coin"]

TOLERANCE = 1e-12
"""Posteriors closer than this to the threshold count as ties: in floats `1 - 0.7 <= 0.3` is false."""


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
        discounted_correct: sum of discount^i [action_i = state] `[n_rollouts]`.
        discounted_cost: sum of discount^i cost(q_i) `[n_rollouts]`.
        n_agents: Agents in each herd.
    """

    state: NDArray[np.int8]
    n_good: NDArray[np.int32]
    first_cascade: NDArray[np.int32]
    last_action: NDArray[np.int8]
    belief: NDArray[np.float64]
    discounted_correct: NDArray[np.float64]
    discounted_cost: NDArray[np.float64]
    n_agents: int


@dataclass
class _Beliefs:
    """Every public belief met so far, with its transition; each is worked out once, by the scalar functions."""

    policy: Callable[[float, int], float]
    cost: Callable[[float], float]
    ties: Ties
    threshold: float
    values: list[float] = field(default_factory=list)
    ids: dict[float, int] = field(default_factory=dict)

    def id_of(self, belief: float) -> int:
        """Returns the number of this belief."""
        if belief not in self.ids:
            self.ids[belief] = len(self.values)
            self.values.append(belief)
        return self.ids[belief]

    def row(self, belief_id: int, position: int) -> tuple[float, float, float, float, int, int, float]:
        """Returns (precision, P(G|s=G), P(G|s=B), is_ignored, id after B, id after G, cost) at one position."""
        belief = self.values[belief_id]
        precision = self.policy(belief, position)
        on_good, on_bad, in_good, in_bad = action_likelihoods(belief, precision, self.ties, self.threshold)
        after_good = self.id_of(next_belief(belief, in_good, in_bad))
        after_bad = self.id_of(next_belief(belief, 1.0 - in_good, 1.0 - in_bad))
        ignored = float(on_good == on_bad and on_good != 0.5)
        return precision, on_good, on_bad, ignored, after_bad, after_good, self.cost(precision)


def simulate_herds(
    seed: SeedPath,
    rollouts: NDArray[np.int64],
    n_agents: int,
    policy: Callable[[float, int], float],
    *,
    seats: tuple[str, ...],
    steps: NDArray[np.int64],
    prior: float = 0.5,
    ties: Ties = "own_signal",
    threshold: float = 0.5,
    discount: float = 1.0,
    cost: Callable[[float], float] = lambda _: 0.0,
    is_stationary: bool = True,
    state: int | None = None,
) -> HerdRollouts:
    """Plays many herds on a complete graph at once, draw for draw as the step-by-step path does.

    Works step by step over all rollouts that are still open. Beliefs are kept as numbers into a table whose rows the
    scalar functions fill, so both paths make the same comparisons in the same floating-point arithmetic. A rollout
    whose belief can no longer change leaves the arrays: most herds end after a few agents.

    Args:
        seed: Seed path above the rollouts; rollout r draws from `seed / r`.
        rollouts: Numbers of the rollouts `[n_rollouts]`.
        n_agents: Agents in each herd.
        policy: (public belief, position) -> precision; a pure function.
        seats: Seat of each position `[n_agents]`; only a coin toss depends on it.
        steps: Step in which each position decides `[n_agents]`; only a coin toss depends on it.
        prior: P(state = G).
        ties: Tie rule.
        threshold: Posterior above which G pays.
        discount: Weight of each later agent relative to the one before, in [0, 1].
        cost: precision -> what the planner pays.
        is_stationary: Whether `policy` ignores the position; then an uninformative step is final.
        state: The true state if it is fixed; else it is drawn with the prior.

    Returns:
        The outcome of each rollout, in the order of `rollouts`.
    """
    n = len(rollouts)
    keys = child_keys(np.full(n, seed.key, dtype=np.uint64), np.asarray(rollouts))
    truth = (uniforms(keys, "state") < prior).astype(np.int8) if state is None else np.full(n, state, dtype=np.int8)
    table = _Beliefs(policy, cost, ties, threshold)
    n_good, first = np.zeros(n, np.int32), np.full(n, -1, np.int32)
    last, final = np.zeros(n, np.int8), np.zeros(n, np.int32)
    correct, paid = np.zeros(n), np.zeros(n)
    open_rollouts, ids = np.arange(n), np.full(n, table.id_of(prior), dtype=np.int32)
    signal_keys = child_keys(keys, "signal")
    weight, tail = 1.0, _discounted_tails(n_agents, discount)
    for position in range(n_agents):
        used = np.unique(ids)
        rows = np.zeros((used[-1] + 1, 7))
        for belief_id in used:
            rows[belief_id] = table.row(int(belief_id), position)
        precision, on_good, on_bad, ignored, after_bad, after_good, price = rows.T
        settled = (ignored == 1.0) & is_stationary
        if position + 1 < n_agents and settled[ids].any():
            done = settled[ids]
            where, which = open_rollouts[done], ids[done]
            action = on_good[which].astype(np.int8)
            n_good[where] += action.astype(np.int32) * (n_agents - position)
            first[where] = np.where(first[where] < 0, position, first[where])
            last[where], final[where] = action, which
            correct[where] += (action == truth[where]) * tail[position]
            paid[where] += price[which] * tail[position]
            open_rollouts, ids = open_rollouts[~done], ids[~done]
            if not len(ids):
                break
        is_right = uniforms(signal_keys[open_rollouts], position) < precision[ids]
        signal = np.where(is_right, truth[open_rollouts], 1 - truth[open_rollouts])
        p_good = np.where(signal == 1, on_good[ids], on_bad[ids])
        action = (p_good > 0.5).astype(np.int8)
        tied = np.flatnonzero(p_good == 0.5)
        if len(tied):
            coin_keys = keys[open_rollouts[tied]]
            tosses = uniforms(coin_keys, "seat", seats[position], int(steps[position]), "coin")
            action[tied] = tosses < 0.5
        n_good[open_rollouts] += action
        newly = (ignored[ids] == 1.0) & (first[open_rollouts] < 0)
        first[open_rollouts[newly]] = position
        last[open_rollouts] = action
        correct[open_rollouts] += weight * (action == truth[open_rollouts])
        paid[open_rollouts] += weight * price[ids]
        ids = np.where(action == 1, after_good[ids], after_bad[ids]).astype(np.int32)
        final[open_rollouts] = ids
        weight *= discount
    beliefs = np.array(table.values)[final]
    return HerdRollouts(truth, n_good, first, last, beliefs, correct, paid, n_agents)


def _discounted_tails(n_agents: int, discount: float) -> NDArray[np.float64]:
    """Returns sum of discount^i for i from each position to the last `[n_agents]`."""
    powers = discount ** np.arange(n_agents, dtype=float)
    return np.cumsum(powers[::-1])[::-1]

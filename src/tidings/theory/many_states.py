"""Social learning with K states and K actions (an extension of the classic model): beliefs, actions, what they reveal.

The state is one of K; a signal names it with probability q in [1/K, 1] and each other state with (1-q)/(K-1). An agent
plays the state its posterior favours. It follows its own signal s iff lambda b_s >= max_j b_j with
lambda = q(K-1)/(1-q), so at a tie with its signal it follows the signal; other ties go to the lowest index. Which
signals are followed depends on the public belief alone, so in a *partial cascade* some signals are followed and the
rest are pooled into the leader's action. With K = 2 this is the model of `tidings.theory.herding` with own-signal ties.

No result on optimal control of this model is known to us; planners look ahead instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tidings.core.events import Event
from tidings.theory.herd_events import of_seat
from tidings.theory.herding import TOLERANCE

__all__ = [
    "LineBelief",
    "action_after",
    "critical_precisions",
    "follow_line",
    "next_beliefs",
    "posteriors",
    "responses",
    "signal_law",
]

Belief = tuple[float, ...]
"""P(state = k) for each of the K states; sums to 1."""


def signal_law(n_states: int, precision: float) -> tuple[float, float]:
    """Returns (P(signal = state), P(signal = one given other state))."""
    return precision, (1.0 - precision) / (n_states - 1)


def posteriors(belief: Sequence[float], precision: float, signal: int) -> Belief:
    """Returns P(state | signal) for each state.

    Args:
        belief: P(state) before, `[n_states]`.
        precision: P(signal = state), in [1/n_states, 1].
        signal: Index of the state that the signal names.

    Undefined: NaN in every place if the signal has probability 0.
    """
    right, wrong = signal_law(len(belief), precision)
    joint = [b * (right if k == signal else wrong) for k, b in enumerate(belief)]
    total = sum(joint)
    return tuple(part / total for part in joint) if total > 0.0 else (float("nan"),) * len(belief)


def action_after(belief: Sequence[float], precision: float, signal: int) -> int:
    """Returns the action of an agent with this signal: the signal if it is followed, else the leader.

    A signal that has probability 0 counts as ignored.
    """
    right, wrong = signal_law(len(belief), precision)
    leader = max(range(len(belief)), key=lambda k: (belief[k], -k))
    for k in range(leader):  # beliefs closer than the tolerance are a tie: the lowest index leads
        if belief[k] >= belief[leader] * (1.0 - TOLERANCE):
            leader = k
            break
    own, best = belief[signal] * right, belief[leader] * wrong
    return signal if own > 0.0 and own >= best * (1.0 - TOLERANCE) else leader


def responses(belief: Sequence[float], precision: float) -> tuple[Belief, ...]:
    """Returns P(action | state): one row a state, one column an action, `[n_states, n_states]`."""
    n = len(belief)
    actions = [action_after(belief, precision, signal) for signal in range(n)]
    if len(set(actions)) == 1:  # a full cascade says nothing: exactly, not up to rounding
        return (tuple(float(action == actions[0]) for action in range(n)),) * n
    right, wrong = signal_law(n, precision)
    table = [[0.0] * n for _ in range(n)]
    for signal, action in enumerate(actions):
        for state in range(n):
            table[state][action] += right if state == signal else wrong
    return tuple(tuple(row) for row in table)


def next_beliefs(belief: Sequence[float], law: Sequence[Sequence[float]], action: int) -> Belief:
    """Returns the public belief after an action; one that no rational agent would take leaves it as it is.

    Args:
        belief: P(state) before, `[n_states]`.
        law: P(action | state) as `responses` gives it.
        action: Index of the action.
    """
    columns = [row[action] for row in law]
    if len(set(columns)) == 1:
        return tuple(belief)
    joint = [b * p for b, p in zip(belief, columns, strict=True)]
    total = sum(joint)
    return tuple(part / total for part in joint) if total > 0.0 else tuple(belief)


def critical_precisions(belief: Sequence[float]) -> tuple[float, ...]:
    """Returns the precisions from which on each signal is followed, one a state, in [1/n_states, 1]."""
    n, most = len(belief), max(belief)
    return tuple(most / (most + (n - 1) * b) if b > 0.0 else 1.0 for b in belief)


class LineBelief(NamedTuple):
    """What a rational observer of all actions holds.

    Attributes:
        setup: Data of the `setup` event; None before it.
        belief: P(state | actions so far) `[n_states]`.
        precisions: Seat -> precision the planner chose for its signal, latest only.
        position: Actions so far.
        ignored: Whether the last action could not depend on its agent's signal.
        off_path: Actions so far that no rational agent would have taken; they leave the belief as it was.
    """

    setup: dict[str, Any] | None = None
    belief: Belief = ()
    precisions: tuple[tuple[str, float], ...] = ()
    position: int = 0
    ignored: bool = False
    off_path: int = 0

    def precision(self, seat: str) -> float:
        """Returns the precision of a seat's signal: what the planner chose last, or the baseline."""
        assert self.setup is not None
        chosen = dict(self.precisions)
        return chosen[seat] if seat in chosen else of_seat(self.setup["precision"], seat)


def follow_line(line: LineBelief, event: Event) -> LineBelief:
    """Returns the belief after one more event; events that say nothing to the public leave it as it is."""
    if event.kind == "setup":
        return LineBelief(event.data, tuple(event.data["prior"]))
    if event.kind == "precision":
        return line._replace(precisions=((event.data["seat"], event.data["precision"]),))
    setup = line.setup
    if event.kind != "action" or setup is None or event.seat is None:
        return line
    law = responses(line.belief, line.precision(event.seat))
    action = setup["states"].index(event.data["action"])
    is_ignored = law[0] == law[1] and 1.0 in law[0]
    is_off = all(row[action] == 0.0 for row in law)
    belief = next_beliefs(line.belief, law, action)
    return LineBelief(setup, belief, line.precisions, line.position + 1, is_ignored, line.off_path + is_off)

"""Lines of rational agents as a planner sees them: what is publicly known, and what the next agent will do about it.

A line gives, for any public situation, P(action | state) of the next agent under a precision. It is the same model that
the environments play and the Bayesian agents follow; `lookahead` runs it forward. Two of them: everybody sees all
actions (`CommonLine`: two states with any thresholds, or K states), and each agent sees some predecessors
(`NetworkLine`).

Agents read nothing into the *choice* of a precision: they take it as given, as the agents of this house do.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from tidings.theory.herding import Ties, action_likelihoods, next_belief
from tidings.theory.many_states import critical_precisions, next_beliefs, responses
from tidings.theory.network_learning import network_posterior

__all__ = ["CommonLine", "Law", "Line", "NetworkLine", "NetworkSituation"]

Law: TypeAlias = tuple[tuple[float, ...], ...]
"""P(action | state): one row a state, one column an action, `[n_states, n_states]`."""


class Line(Protocol):
    """A line of agents that decide one after another."""

    @property
    def free(self) -> Sequence[float]:
        """The precision that costs nothing, for each position `[n_agents]`."""
        ...

    @property
    def n_states(self) -> int:
        """Number of states, which are also the actions."""
        ...

    def belief(self, situation: Hashable) -> tuple[float, ...]:
        """Returns what an observer of all actions believes, P(state) `[n_states]`."""
        ...

    def law(self, situation: Hashable, position: int, precision: float) -> Law:
        """Returns P(action | state) of the agent at this position."""
        ...

    def after(self, situation: Hashable, position: int, precision: float, action: int) -> Hashable:
        """Returns the situation after this action."""
        ...

    def criticals(self, situation: Hashable, position: int) -> tuple[float, ...]:
        """Returns the precisions at which the next agent begins to follow a signal, ascending."""
        ...


@dataclass(frozen=True)
class CommonLine:
    """Everybody sees all actions: the situation is the public belief, P(state) `[n_states]`.

    Attributes:
        free: Free precision of each position `[n_agents]`.
        n_states: Number of states.
        thresholds: With two states, the belief in the second one above which playing it pays, for each position.
        ties: Tie rule; with more than two states always `own_signal`.
    """

    free: tuple[float, ...]
    n_states: int = 2
    thresholds: tuple[float, ...] = ()
    ties: Ties = "own_signal"

    def belief(self, situation: Hashable) -> tuple[float, ...]:
        """Returns the public belief: the situation itself."""
        assert isinstance(situation, tuple)
        return situation

    def law(self, situation: Hashable, position: int, precision: float) -> Law:
        """Returns P(action | state) of the agent at this position."""
        belief = self.belief(situation)
        if self.n_states > 2:
            return responses(belief, precision)
        _, _, good, bad = action_likelihoods(belief[1], precision, self.ties, self._threshold(position))
        return (1.0 - bad, bad), (1.0 - good, good)

    def after(self, situation: Hashable, position: int, precision: float, action: int) -> Hashable:
        """Returns the public belief after this action."""
        belief, law = self.belief(situation), self.law(situation, position, precision)
        if self.n_states > 2:
            return next_beliefs(belief, law, action)
        good = next_belief(belief[1], law[1][action], law[0][action])
        return 1.0 - good, good

    def criticals(self, situation: Hashable, position: int) -> tuple[float, ...]:
        """Returns the precisions at which the next agent begins to follow a signal, ascending."""
        belief = self.belief(situation)
        if self.n_states > 2:
            return tuple(sorted(set(critical_precisions(belief))))
        return _criticals(belief[1], self._threshold(position))

    def _threshold(self, position: int) -> float:
        return self.thresholds[position] if self.thresholds else 0.5


@dataclass(frozen=True)
class NetworkSituation:
    """What the planner has seen.

    Attributes:
        actions: (position, action) of every agent that has acted, in order.
        precisions: Precision of each position so far.
        weights: P(state | actions), `(bad, good)`.
    """

    actions: tuple[tuple[int, int], ...]
    precisions: tuple[float, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class NetworkLine:
    """Two states; each agent sees the actions of some predecessors, the planner those of all.

    Attributes:
        free: Free precision of each position `[n_agents]`.
        seen: For each position, the earlier positions whose actions it sees.
        prior: P(second state).
        thresholds: Belief in the second state above which playing it pays, for each position; 1/2 if empty.
        ties: Tie rule.
        max_ancestors: Most agents whose actions are enumerated.
    """

    free: tuple[float, ...]
    seen: tuple[tuple[int, ...], ...]
    prior: float = 0.5
    thresholds: tuple[float, ...] = ()
    ties: Ties = "own_signal"
    max_ancestors: int = 16
    n_states: int = 2

    def situation(self, actions: Mapping[int, int], precisions: Sequence[float]) -> NetworkSituation:
        """Returns the situation in which these agents have acted.

        Args:
            actions: Position -> action, 1 for the second state; a position may be missing (an agent that failed).
            precisions: Precision of each position so far.
        """
        now = NetworkSituation((), (), (1.0 - self.prior, self.prior))
        for position, precision in enumerate(precisions):
            if position in actions:
                now = self.after(now, position, precision, actions[position])
            else:
                now = replace(now, precisions=(*now.precisions, precision))
        return now

    def belief(self, situation: Hashable) -> tuple[float, ...]:
        """Returns P(state | all actions)."""
        assert isinstance(situation, NetworkSituation)
        return situation.weights

    def law(self, situation: Hashable, position: int, precision: float) -> Law:
        """Returns P(action | state) of the agent at this position, from its own view.

        Raises:
            ValueError: If the agent has more ancestors than `max_ancestors`.
        """
        _, _, good, bad = action_likelihoods(
            self._view(situation, position), precision, self.ties, self._threshold(position)
        )
        return (1.0 - bad, bad), (1.0 - good, good)

    def after(self, situation: Hashable, position: int, precision: float, action: int) -> NetworkSituation:
        """Returns the situation after this action."""
        assert isinstance(situation, NetworkSituation)
        law = self.law(situation, position, precision)
        good = next_belief(situation.weights[1], law[1][action], law[0][action])
        actions = (*situation.actions, (position, action))
        return NetworkSituation(actions, (*situation.precisions, precision), (1.0 - good, good))

    def criticals(self, situation: Hashable, position: int) -> tuple[float, ...]:
        """Returns the precisions at which the next agent begins to follow a signal, ascending."""
        return _criticals(self._view(situation, position), self._threshold(position))

    def _view(self, situation: Hashable, position: int) -> float:
        """Returns what the agent at this position believes before its signal."""
        assert isinstance(situation, NetworkSituation)
        acted = dict(situation.actions)
        seen = [list(row) for row in self.seen]
        seen[position] = [other for other in self.seen[position] if other in acted]
        actions = {other: acted[other] for other in seen[position]}
        precisions = (*situation.precisions, *self.free[len(situation.precisions) :])
        thresholds = self.thresholds or (0.5,) * len(self.free)
        return network_posterior(
            position, actions, seen, precisions, self.prior, self.ties, thresholds, self.max_ancestors
        )

    def _threshold(self, position: int) -> float:
        return self.thresholds[position] if self.thresholds else 0.5


def _criticals(belief: float, threshold: float) -> tuple[float, ...]:
    """Returns where, as precision rises from 1/2, two-state behaviour changes.

    From the largest of the two on, both signals decide; below the smaller one none that goes against the belief does.
    """
    if not 0.0 < belief < 1.0:
        return ()
    odds = threshold * (1.0 - belief) / (belief * (1.0 - threshold))
    return (max(odds, 1.0) / (1.0 + odds),)

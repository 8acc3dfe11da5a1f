"""What a solved planner would do and get at any belief."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tidings.theory.steering.backup import Lookahead
from tidings.theory.steering.grids import Floats
from tidings.theory.steering.model import (
    TIE_TOLERANCE,
    is_followed,
    next_belief,
    signal_probability,
    snap_to_half,
)
from tidings.theory.steering.problem import PlannerProblem

NUDGE = 2e-9
"""How far a playable precision stays from a limit that is not attained (a square-root cost makes it lose 4.5e-5 k)."""

_LEAST_JUMP = 1e-10
_MAX_CACHED = 200_000


@dataclass(frozen=True)
class Decision:
    """The optimal choice at one belief.

    Attributes:
        value: V(b), the supremum over precisions.
        precision: a precision to play; where the supremum is not attained, `NUDGE` away from the limit.
        limit: an optimal precision, or the limit of near-optimal ones.
        action: 'informative' if the agent follows its signal, 'cascade' if it ignores it.
        is_attained: whether `limit` itself reaches the value.
        approach: the side from which playable precisions tend to the limit, 'below' or 'above'; None if attained.
    """

    value: float
    precision: float
    limit: float
    action: Literal["informative", "cascade"]
    is_attained: bool = True
    approach: Literal["below", "above"] | None = None


@dataclass(frozen=True, eq=False)
class PlannerSolution:
    """The optimal policy and value of an infinite-horizon planner; beliefs within 1e-12 of 1/2 count as 1/2.

    Attributes:
        problem: what was solved.
        lookahead: one-step lookahead to the solved table of values.
        error_bound: bound on |value(b) - V(b)| at every b: delta/(1-delta) times 1.5 times the largest Bellman
            residual found at the nodes and at three beliefs between each two neighbours.
    """

    problem: PlannerProblem
    lookahead: Lookahead
    error_bound: float
    _decisions: dict[float, Decision] = field(default_factory=dict, init=False, repr=False)

    def decision(self, b: float) -> Decision:
        """Return the optimal choice at belief b (cached).

        Raises:
            ValueError: b outside [0, 1].
        """
        found = self._decisions.get(b)
        if found is None:
            if len(self._decisions) >= _MAX_CACHED:
                self._decisions.clear()
            found = self._decisions[b] = decide(self.lookahead, b)
        return found

    def value(self, b: float) -> float:
        """Return V(b), the supremum over policies of the expected discounted reward; at 1/2 it is V(1/2).

        Raises:
            ValueError: b outside [0, 1].
        """
        return self.decision(b).value

    def precision(self, b: float) -> float:
        """Return an optimal precision at b, or one within `NUDGE` of the limit where the supremum is not attained.

        Raises:
            ValueError: b outside [0, 1].
        """
        return self.decision(b).precision

    def attained(self, b: float) -> bool:
        """Return whether some precision reaches V(b); if not, it is only a supremum.

        Raises:
            ValueError: b outside [0, 1].
        """
        return self.decision(b).is_attained

    def action(self, b: float) -> Literal["informative", "cascade"]:
        """Return 'informative' if the optimal precision is followed by the agent at b, else 'cascade'.

        Raises:
            ValueError: b outside [0, 1].
        """
        return self.decision(b).action

    @property
    def value_right_of_half(self) -> float:
        """The limit of V(b) as b falls to 1/2; above V(1/2) exactly when V jumps there."""
        return float(self.lookahead.backup(np.array([0.5]), np.array([True]))[0][0])

    def values(self, b: Floats) -> Floats:
        """Return V at an array of beliefs, [n] -> [n], much faster than one by one.

        Raises:
            ValueError: a belief outside [0, 1].
        """
        return lookahead_values(self.lookahead, b)

    def q_value(self, b: float, q: float) -> float:
        """Return the value of precision q at belief b for one agent and the optimal policy afterwards.

        Raises:
            ValueError: b outside [0, 1], or q outside the planner's range ([p, 1] altruistic, [1/2, 1] biased).
        """
        return one_step_value(self.lookahead, snap_to_half(b), q, ignored_next=self.value)

    def regret(self, b: float, q: float) -> float:
        """Return V(b) - Q(b, q) >= 0, what precision q loses once; valid also where the optimum is not unique.

        Raises:
            ValueError: b outside [0, 1], or q outside the planner's range ([p, 1] altruistic, [1/2, 1] biased).
        """
        return max(0.0, self.value(b) - self.q_value(b, q))


def decide(lookahead: Lookahead, b: float) -> Decision:
    """Return the optimal choice at belief b by one exact lookahead.

    Raises:
        ValueError: b outside [0, 1].
    """
    if not 0.0 <= b <= 1.0:
        raise ValueError(f"belief: b={b!r}; allowed is 0 <= b <= 1")
    b = snap_to_half(float(b))
    values, precisions = lookahead.backup(np.array([b]), np.array([b > 0.5]))
    value, q = float(values[0]), float(precisions[0])
    if np.isnan(q):
        return _cascade(lookahead.problem, b, value)
    least = max(b, 1.0 - b)
    if b <= 0.5 and q <= least + TIE_TOLERANCE and _has_jump(lookahead):
        # The posterior after G must end above 1/2, where the value is higher, not on it.
        return Decision(value, least + NUDGE, least, "informative", False, "above")
    return Decision(value, q, q, "informative")


def one_step_value(lookahead: Lookahead, b: float, q: float, ignored_next: Callable[[float], float]) -> float:
    """Return the reward of q at b plus delta times the expected value afterwards.

    Args:
        lookahead: the next agent's values.
        b: belief, already snapped to 1/2.
        q: precision in the planner's range.
        ignored_next: the next agent's value at an unchanged belief, a function of b.

    Raises:
        ValueError: b outside [0, 1] or q outside the planner's range.
    """
    problem = lookahead.problem
    reward = problem.reward(b, q)
    q = max(q, 0.5)
    if not is_followed(b, q):
        return reward + problem.delta * ignored_next(b)
    ahead = 0.0
    for signal in ("G", "B"):
        p_signal = signal_probability(b, q, signal)
        ahead += p_signal * lookahead.table.value(next_belief(b, q, signal))
    return reward + problem.delta * ahead


def lookahead_values(lookahead: Lookahead, b: Floats) -> Floats:
    """Return the optimal values at an array of beliefs, [n] -> [n].

    Raises:
        ValueError: a belief outside [0, 1].
    """
    beliefs = np.asarray(b, dtype=float)
    if not np.all((beliefs >= 0.0) & (beliefs <= 1.0)):
        raise ValueError(f"belief: b from {beliefs.min()!r} to {beliefs.max()!r}; allowed is 0 <= b <= 1")
    beliefs = np.where(np.abs(beliefs - 0.5) <= TIE_TOLERANCE, 0.5, beliefs)
    return lookahead.backup(beliefs, beliefs > 0.5)[0]


def _cascade(problem: PlannerProblem, b: float, value: float) -> Decision:
    if not is_followed(b, problem.p):
        return Decision(value, problem.p, problem.p, "cascade")
    # The biased planner freezes the belief: precisions just below b are ignored and cheapest.
    return Decision(value, max(0.5, b - NUDGE), b, "cascade", False, "below")


def _has_jump(lookahead: Lookahead) -> bool:
    jump = lookahead.table.right_values[0] - lookahead.table.left_values[-1]
    return bool(lookahead.problem.delta * jump > _LEAST_JUMP)

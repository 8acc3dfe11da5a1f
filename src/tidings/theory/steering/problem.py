"""One planner's control problem: objective, free precision, cost, discount; its one-step rewards."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidings.theory.steering.arguments import check_number
from tidings.theory.steering.costs import CostShape, PrecisionCost, make_cost
from tidings.theory.steering.model import TIE_TOLERANCE, error_probability, is_followed, signal_probability

OBJECTIVES = ("altruistic", "biased")
"""'altruistic' pays for wrong actions, 'biased' for every action B (it wants G)."""


@dataclass(frozen=True)
class PlannerProblem:
    """What a planner maximises: E sum over agents i >= 1 of delta^(i-1) r_i, with r_i <= 0.

    Altruistic: r = -beta(q-p) - C P(action is wrong), q in [p, 1].
    Biased (wants G): r = -beta(|q-p|) - C P(action is B), q in [1/2, 1]; a planner that wants B is its mirror image,
    V at 1-b.

    Attributes:
        objective: 'altruistic' or 'biased'.
        p: free precision in [1/2, 1).
        cost: beta.
        delta: discount factor per agent.
        error_cost: C > 0, the loss from one wrong action (altruistic) or one action B (biased).

    Source: arXiv 2504.02648, the two objectives. The argument of beta is read as the deviation from p.
    """

    objective: str
    p: float
    cost: PrecisionCost
    delta: float
    error_cost: float

    @property
    def is_biased(self) -> bool:
        """Whether the planner wants action G whatever the state."""
        return self.objective == "biased"

    @property
    def least_precision(self) -> float:
        """The lowest precision the planner may choose: p if altruistic, 1/2 if biased."""
        return 0.5 if self.is_biased else self.p

    def least_followed(self, b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the lowest permitted precision that the agent follows at each belief."""
        return np.maximum(self.least_precision, np.maximum(b, 1.0 - b))

    def reward(self, b: float, q: float) -> float:
        """Return the expected one-step reward of precision q at belief b.

        Raises:
            ValueError: b outside [0, 1] or q outside the planner's range.
        """
        if not self.least_precision - TIE_TOLERANCE <= q <= 1.0:
            raise ValueError(
                f"precision: q={q!r}; allowed for the {self.objective} planner is {self.least_precision!r} <= q <= 1"
            )
        q = max(q, 0.5)
        if not self.is_biased:
            loss = error_probability(b, q)
        elif is_followed(b, q):
            loss = signal_probability(b, q, "B")
        else:
            loss = float(b < 0.5)
        return -self.cost.of(q - self.p) - self.error_cost * loss

    def cascade_rewards(self, b: NDArray[np.float64], is_right: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the best one-step reward (a supremum) without a followed signal; -inf where every signal is followed.

        Altruistic: -C min(b, 1-b) if p < max(b, 1-b). Biased: -C left of 1/2 if p < 1-b; right of it 0 if b > p, else
        the "freeze" -beta(p-b), which precisions just below b approach.

        Args:
            b: beliefs, [n].
            is_right: whether each belief lies right of 1/2, [n]; 1/2 itself with True means "just above 1/2".
        """
        is_ignored = self.p < np.maximum(b, 1.0 - b) - TIE_TOLERANCE
        if not self.is_biased:
            return np.where(is_ignored, -self.error_cost * np.minimum(b, 1.0 - b), -np.inf)
        freeze = -self.cost(np.maximum(self.p - b, 0.0))
        return np.where(is_right, freeze, np.where(is_ignored, -self.error_cost, -np.inf))


def make_problem(
    where: str,
    objective: str,
    p: float,
    cost_kind: str | CostShape,
    cost_weight: float,
    delta: float,
    error_cost: float,
    *,
    is_finite: bool = False,
) -> PlannerProblem:
    """Return the checked problem; `where` names the caller in error messages, `is_finite` allows delta = 1.

    Raises:
        ValueError: unknown objective or cost, p outside [1/2, 1), negative cost weight, delta outside [0, 1) (or
            [0, 1] with a horizon), error cost not positive; one line naming the value and what is allowed.
    """
    if objective not in OBJECTIVES:
        raise ValueError(f"{where}: objective={objective!r}; allowed are 'altruistic' and 'biased'")
    allowed_delta = "0 <= delta <= 1" if is_finite else "0 <= delta < 1; for delta = 1 use solve_planner_finite"
    return PlannerProblem(
        objective=objective,
        p=check_number(where, "p", p, "0.5 <= p < 1", lambda x: 0.5 <= x < 1.0),
        cost=make_cost(cost_kind, cost_weight, where),
        delta=check_number(where, "delta", delta, allowed_delta, lambda x: 0.0 <= x < 1.0 or (is_finite and x == 1.0)),
        error_cost=check_number(where, "error_cost", error_cost, "a finite number > 0", lambda x: x > 0.0),
    )

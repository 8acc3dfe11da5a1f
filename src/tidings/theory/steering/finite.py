"""The planner of a finite line of agents, by backward induction; the discount may be 1."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tidings.theory.steering.arguments import check_count, check_number
from tidings.theory.steering.backup import Lookahead, table_rows, with_values
from tidings.theory.steering.costs import CostShape
from tidings.theory.steering.grids import Floats, ValueTable, initial_table, with_freeze_start
from tidings.theory.steering.model import snap_to_half
from tidings.theory.steering.problem import PlannerProblem, make_problem
from tidings.theory.steering.refinement import SAMPLING_MARGIN, refined
from tidings.theory.steering.solution import Decision, decide, lookahead_values, one_step_value

_N_INITIAL = 200
_N_MAX = 3000
_MAX_CACHED = 200_000


@dataclass(frozen=True, eq=False)
class FinitePlannerSolution:
    """The optimal policy and value with 1 to `horizon` agents left; beliefs within 1e-12 of 1/2 count as 1/2.

    Attributes:
        problem: what was solved.
        horizon: the number of agents T.
        lookaheads: one-step lookahead for each number of agents left, [T], first for the last agent.
        error_bound: bound on |value(b, t) - V_t(b)| at every b and t: the sum over stages of 1.5 times the largest
            interpolation error found at three beliefs between each two neighbouring nodes, discounted.
    """

    problem: PlannerProblem
    horizon: int
    lookaheads: tuple[Lookahead, ...]
    error_bound: float
    _decisions: dict[tuple[float, int], Decision] = field(default_factory=dict, init=False, repr=False)

    def decision(self, b: float, agents_left: int) -> Decision:
        """Return the optimal choice at belief b for the first of the agents left (cached).

        Raises:
            ValueError: b outside [0, 1], or agents_left not an integer from 1 to the horizon.
        """
        found = self._decisions.get((b, agents_left))
        if found is None:
            if len(self._decisions) >= _MAX_CACHED:
                self._decisions.clear()
            found = self._decisions[b, agents_left] = decide(self._stage(agents_left), b)
        return found

    def value(self, b: float, agents_left: int) -> float:
        """Return the supremum over policies of the expected discounted reward; 0 with no agent left.

        Raises:
            ValueError: b outside [0, 1], or agents_left not an integer from 0 to the horizon.
        """
        return 0.0 if agents_left == 0 else self.decision(b, agents_left).value

    def precision(self, b: float, agents_left: int) -> float:
        """Return an optimal precision, or one within `NUDGE` of the limit where the supremum is not attained.

        Raises:
            ValueError: b outside [0, 1], or agents_left not an integer from 1 to the horizon.
        """
        return self.decision(b, agents_left).precision

    def attained(self, b: float, agents_left: int) -> bool:
        """Return whether some precision reaches the value; if not, it is only a supremum.

        Raises:
            ValueError: b outside [0, 1], or agents_left not an integer from 1 to the horizon.
        """
        return self.decision(b, agents_left).is_attained

    def action(self, b: float, agents_left: int) -> Literal["informative", "cascade"]:
        """Return 'informative' if the next agent follows its signal under the optimal precision, else 'cascade'.

        Raises:
            ValueError: b outside [0, 1], or agents_left not an integer from 1 to the horizon.
        """
        return self.decision(b, agents_left).action

    def value_right_of_half(self, agents_left: int) -> float:
        """Return the limit of the value as b falls to 1/2.

        Raises:
            ValueError: agents_left not an integer from 1 to the horizon.
        """
        return float(self._stage(agents_left).backup(np.array([0.5]), np.array([True]))[0][0])

    def values(self, b: Floats, agents_left: int) -> Floats:
        """Return the values at an array of beliefs, [n] -> [n], much faster than one by one.

        Raises:
            ValueError: a belief outside [0, 1], or agents_left not an integer from 1 to the horizon.
        """
        return lookahead_values(self._stage(agents_left), b)

    def q_value(self, b: float, q: float, agents_left: int) -> float:
        """Return the value of precision q at belief b for the next agent and the optimal policy afterwards.

        Raises:
            ValueError: b outside [0, 1], q outside the planner's range, or agents_left not from 1 to the horizon.
        """
        stage = self._stage(agents_left)
        return one_step_value(stage, snap_to_half(b), q, ignored_next=stage.table.value)

    def regret(self, b: float, q: float, agents_left: int) -> float:
        """Return V(b) - Q(b, q) >= 0 with the given number of agents left, what precision q loses once.

        Raises:
            ValueError: b outside [0, 1], q outside the planner's range, or agents_left not from 1 to the horizon.
        """
        return max(0.0, self.value(b, agents_left) - self.q_value(b, q, agents_left))

    def _stage(self, agents_left: int) -> Lookahead:
        return self.lookaheads[check_count("planner", "agents_left", agents_left, 1, self.horizon) - 1]


def solve_planner_finite(
    objective: str,
    p: float,
    cost_kind: str | CostShape,
    cost_weight: float,
    delta: float,
    horizon: int,
    error_cost: float = 1.0,
    *,
    tolerance: float = 2e-6,
) -> FinitePlannerSolution:
    """Return the optimal planner of `horizon` agents.

    V_0 = 0 and V_T(b) = max{ sup over followed q of r + delta [g V_{T-1}(b_G) + h V_{T-1}(b_B)],
    r_cascade + delta V_{T-1}(b) }, with the same limits at 1/2 in every stage as `solve_planner`. A cascade need not
    last here: the policy depends on the agents left.

    Args:
        objective: 'altruistic' or 'biased'.
        p: precision that is free, in [1/2, 1).
        cost_kind: 'linear', 'quadratic', 'sqrt', or a function of the deviation |q-p| (see `make_cost`).
        cost_weight: k >= 0, multiplies the cost.
        delta: discount factor per agent, in [0, 1].
        horizon: number of agents T >= 1.
        error_cost: C > 0.
        tolerance: aim for the error each stage adds, as a share of C.

    Raises:
        ValueError: an argument outside its range; one line naming it and what is allowed.
    """
    where = "solve_planner_finite"
    problem = make_problem(where, objective, p, cost_kind, cost_weight, delta, error_cost, is_finite=True)
    horizon = check_count(where, "horizon", horizon, 1)
    tolerance = check_number(where, "tolerance", tolerance, "a finite number > 0", lambda x: x > 0.0)
    table, error, lookaheads = initial_table(problem, 2, 0.0), 0.0, []
    for agents_left in range(1, horizon + 1):
        lookaheads.append(Lookahead.of(problem, table, is_stationary=False))
        if agents_left < horizon:
            table, residual = _stage_table(lookaheads[-1], agents_left, tolerance * problem.error_cost)
            error = problem.delta * (error + SAMPLING_MARGIN * residual)
    return FinitePlannerSolution(problem, horizon, tuple(lookaheads), error + 1e-14 * horizon * problem.error_cost)


def _stage_table(lookahead: Lookahead, agents_left: int, tolerance: float) -> tuple[ValueTable, float]:
    """Return the table of values with so many agents left, and how far it may be from the lookahead between nodes."""
    problem = lookahead.problem
    n_discounted = float(sum(problem.delta**i for i in range(agents_left)))
    table = initial_table(problem, _N_INITIAL, n_discounted)
    table = with_values(problem, table, lookahead.backup(*table_rows(problem, table))[0])
    step = refined(lookahead, with_freeze_start(table), tolerance / SAMPLING_MARGIN, _N_MAX)
    return step.table, step.residual_after

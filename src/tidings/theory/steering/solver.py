"""The discounted infinite-horizon planner: policy iteration on two adaptive belief grids."""

import numpy as np
from scipy.sparse import csr_array

from tidings.theory.steering.arguments import check_number
from tidings.theory.steering.backup import Indices, Lookahead, table_rows, with_values
from tidings.theory.steering.costs import CostShape
from tidings.theory.steering.grids import Booleans, Floats, ValueTable, initial_table, with_freeze_start
from tidings.theory.steering.model import branches
from tidings.theory.steering.problem import PlannerProblem, make_problem
from tidings.theory.steering.refinement import SAMPLING_MARGIN, refined
from tidings.theory.steering.solution import PlannerSolution

_N_INITIAL = 200
_N_MAX = 3500
_MAX_ROUNDS = 20
# Below a thirtieth of the worst residual one would resolve kinks that a coarse table only seems to have.
_RESIDUAL_RANGE = 30.0
# New nodes shift the values a little, so aiming a little lower saves a last round for a few cells.
_STRICTNESS = 0.75
_MAX_IMPROVEMENTS = 60
_LARGE_VALUE = 10.0
_MAX_SWEEPS = 20_000


def solve_planner(
    objective: str,
    p: float,
    cost_kind: str | CostShape,
    cost_weight: float,
    delta: float,
    error_cost: float = 1.0,
    *,
    tolerance: float = 6e-6,
) -> PlannerSolution:
    """Return the optimal planner of an infinite line of Bayesian agents, discounted by delta.

    Solves V(b) = max{ sup over followed q of r + delta [g V(b_G) + h V(b_B)], r_cascade / (1-delta) } with b_G = 1/2
    read as the limit from the right, since V may jump there. Method: piecewise linear V on a grid either side of 1/2,
    exact maximisation over q, policy iteration, and new nodes wherever the Bellman residual between nodes is too
    large. Answers come from one exact lookahead, not from interpolation.

    Args:
        objective: 'altruistic' (pays for wrong actions, q in [p, 1]) or 'biased' (pays for actions B, q in [1/2, 1]).
        p: precision that is free, in [1/2, 1).
        cost_kind: 'linear', 'quadratic', 'sqrt', or a function of the deviation |q-p| (see `make_cost`).
        cost_weight: k >= 0, multiplies the cost.
        delta: discount factor per agent, in [0, 1).
        error_cost: C > 0.
        tolerance: aim for `error_bound` in units of C, relaxed in proportion if |V| exceeds 10 C somewhere.
            Refinement ends there or near 3500 nodes a side; the solution states the bound it reached.

    Raises:
        ValueError: an argument outside its range; one line naming it and what is allowed.

    Source: arXiv 2504.02648 (model, objectives); the treatment of 1/2 and of suprema is derived, see the docs.
    """
    where = "solve_planner"
    problem = make_problem(where, objective, p, cost_kind, cost_weight, delta, error_cost)
    tolerance = check_number(where, "tolerance", tolerance, "a finite number > 0", lambda x: x > 0.0)
    table, residual = _solve_adaptively(problem, tolerance)
    rounding = 1e-14 * (1.0 + float(np.abs(table.left_values).max()))
    bound = SAMPLING_MARGIN * residual * problem.delta / (1.0 - problem.delta) + rounding
    return PlannerSolution(problem, Lookahead.of(problem, table), bound)


def _solve_adaptively(problem: PlannerProblem, tolerance: float) -> tuple[ValueTable, float]:
    """Return a table of the wanted accuracy, if the node limit allows, and its largest residual."""
    table = _iterate_policy(problem, initial_table(problem, _N_INITIAL, 1.0 / (1.0 - problem.delta)), 0.0)
    table = with_freeze_start(table)
    target = _target_residual(problem, table, tolerance)
    change, residual = target, np.inf
    for _ in range(_MAX_ROUNDS):
        table = _iterate_policy(problem, table, change)
        step = refined(Lookahead.of(problem, table), table, _STRICTNESS * target, _N_MAX, _RESIDUAL_RANGE)
        residual = step.residual_before
        if residual <= target or step.table is table:
            break
        # One improvement is enough on a grid that is about to be refined; it changes values by about this much.
        table, change = step.table, max(0.1 * target, 2.0 * residual)
    else:
        table = _iterate_policy(problem, table, 0.1 * target)
        residual = refined(Lookahead.of(problem, table), table, target, n_max=0).residual_before
    b, is_right = table_rows(problem, table)
    at_nodes = np.abs(Lookahead.of(problem, table).backup(b, is_right)[0] - table.at(b, is_right)).max()
    return table, float(max(residual, at_nodes))


def _target_residual(problem: PlannerProblem, table: ValueTable, tolerance: float) -> float:
    largest = max(float(np.abs(table.left_values).max()), float(np.abs(table.right_values).max()))
    bound = tolerance * max(problem.error_cost, largest / _LARGE_VALUE)
    return bound * (1.0 - problem.delta) / (SAMPLING_MARGIN * max(problem.delta, 0.1))


def _iterate_policy(problem: PlannerProblem, table: ValueTable, target: float) -> ValueTable:
    """Improve and evaluate policies on fixed nodes until an improvement changes no value by more than the target."""
    b, is_right = table_rows(problem, table)
    for _ in range(_MAX_IMPROVEMENTS):
        values, q = Lookahead.of(problem, table).backup(b, is_right)
        change = np.abs(values - table.at(b, is_right)).max()
        table = with_values(problem, table, _evaluate_policy(problem, table, b, is_right, values, q))
        if change <= target + 1e-13 * (1.0 + np.abs(values).max()):
            break
    return table


def _evaluate_policy(
    problem: PlannerProblem, table: ValueTable, b: Floats, is_right: Booleans, values: Floats, q: Floats
) -> Floats:
    """Return the values of following q for ever, [n_rows]; rows where q is NaN keep their cascade value.

    The policy's value solves V = c + A V with at most four entries in a row of A, found by repeated substitution:
    most paths end in a cascade after a few agents, so this takes few sweeps.
    """
    rows = np.flatnonzero(~np.isnan(q))
    transition = _transition(problem, table, b, rows, q[rows])
    constant = values.copy()
    # What the lookahead adds to the interpolation of node values: rewards, and the freeze value between nodes.
    constant[rows] = Lookahead.of(problem, table).followed_values(b[rows], q[rows])
    constant[rows] -= (transition @ table.at(b, is_right))[rows]
    for _ in range(_MAX_SWEEPS):
        previous, values = values, constant + transition @ values
        if np.abs(values - previous).max() <= 1e-14 * (1.0 + np.abs(values).max()):
            break
    return values


def _transition(problem: PlannerProblem, table: ValueTable, b: Floats, rows: Indices, q: Floats) -> csr_array:
    """Return delta times the transition matrix between nodes, [n_rows, n_rows], empty outside the given rows."""
    g, h, b_g, b_b = branches(b[rows], q)
    i, up = _cell(table.right, b_g)
    j, rise = _cell(table.left, b_b)
    n_left = table.left.size
    low, high = (n_left + i, n_left + i + 1) if problem.is_biased else (n_left - 1 - i, n_left - 2 - i)
    weights = problem.delta * np.concatenate([g * (1.0 - up), g * up, h * (1.0 - rise), h * rise])
    columns = np.concatenate([low, high, j, j + 1])
    return csr_array((weights, (np.tile(rows, 4), columns)), shape=(b.size, b.size))


def _cell(nodes: Floats, b: Floats) -> tuple[Indices, Floats]:
    """Return for each belief the index of its cell and the weight of the cell's upper end."""
    i = (np.searchsorted(nodes, b, "right") - 1).clip(0, nodes.size - 2)
    return i, ((b - nodes[i]) / (nodes[i + 1] - nodes[i])).clip(0.0, 1.0)

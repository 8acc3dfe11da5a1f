"""The finite-horizon planner: golden values, closed forms, brute force and the limit of many agents."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from tidings.theory import steering as sl

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "steering.json").read_text())
ROWS = GOLDEN["finite_horizon"]


@functools.cache
def solve(objective, p, cost_kind, cost_weight, delta, error_cost, horizon=10):
    return sl.solve_planner_finite(objective, p, cost_kind, cost_weight, delta, horizon, error_cost)


def arguments(row):
    return tuple(row[key] for key in ("objective", "p", "cost_kind", "cost_weight", "delta", "error_cost"))


def row_name(row):
    return f"{row['objective']}-k{row['cost_weight']}-T{row['horizon']}"


def check_golden(row, solution):
    accuracy = max(row["change_from_coarser_grid"], row["difference_between_two_solvers"])
    for b, value in zip(row["b"], row["value"], strict=True):
        assert solution.value(b, row["horizon"]) == pytest.approx(value, abs=accuracy + 5e-6)


@pytest.mark.parametrize("row", [row for row in ROWS if row["horizon"] <= 10], ids=row_name)
def test_golden_values(row):
    check_golden(row, solve(*arguments(row)))


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if row["horizon"] > 10], ids=row_name)
def test_golden_values_of_twenty_agents(row):
    check_golden(row, solve(*arguments(row), horizon=20))


@pytest.mark.parametrize("delta", [1.0, 0.9])
@pytest.mark.parametrize(("p", "kind", "weight"), [(0.7, "linear", 0.5), (0.8, "sqrt", 0.3), (0.6, "quadratic", 1.0)])
def test_cheap_precision_has_a_closed_form(p, kind, weight, delta):
    solution = sl.solve_planner_finite("altruistic", p, kind, weight, delta, 12)
    for agents_left in (1, 2, 5, 12):
        for b in np.linspace(0.0, 1.0, 41).tolist():
            expected = sl.cheap_altruistic(b, p, kind, weight, delta, n_agents=agents_left)
            assert solution.value(b, agents_left) == pytest.approx(expected.value, abs=1e-9)


@pytest.mark.parametrize("kind", ["linear", "sqrt", "quadratic"])
@pytest.mark.parametrize(("objective", "weight"), [("altruistic", 2.0), ("biased", 0.5), ("biased", 2.0)])
def test_one_agent_is_the_myopic_planner(objective, kind, weight):
    finite = sl.solve_planner_finite(objective, 0.7, kind, weight, 1.0, 1)
    myopic = sl.solve_planner(objective, 0.7, kind, weight, 0.0)
    beliefs = np.linspace(0.0, 1.0, 201)
    assert finite.values(beliefs, 1) == pytest.approx(myopic.values(beliefs), abs=1e-13)
    for b in beliefs.tolist():
        assert finite.regret(b, finite.precision(b, 1), 1) <= (1e-4 if kind == "sqrt" else 1e-8)


def two_agents_by_brute_force(b, weight):
    """The biased planner's value with two agents, from the closed form for one and a dense choice of precisions."""
    one = functools.partial(sl.myopic_biased_linear, p=0.7, cost_weight=weight)
    least, best = max(b, 1 - b), -np.inf
    precisions = np.concatenate([np.linspace(least, 1, 400)[1:], [least + 1e-9, max(0.7, least + 1e-9)]])
    for q in precisions:
        g = b * q + (1 - b) * (1 - q)
        ahead = g * one(b * q / g).value + (1 - g) * one(b * (1 - q) / (1 - g)).value if q < 1 else -(1 - b)
        best = max(best, -weight * abs(q - 0.7) - (1 - g) + ahead)
    if b > 0.5:
        best = max(best, -weight * max(0.7 - b, 0) + one(b).value)
    elif b < 0.3 - 1e-12:
        best = max(best, -1.0 + one(b).value)
    return best


@pytest.mark.parametrize("weight", [0.5, 2.0])
@pytest.mark.parametrize("b", [0.05, 0.2, 0.31, 0.4, 0.5, 0.55, 0.65, 0.8])
def test_two_agents_against_brute_force(b, weight):
    found = solve("biased", 0.7, "linear", weight, 1.0, 1.0).value(b, 2)
    brute = two_agents_by_brute_force(b, weight)
    assert brute - 1e-6 <= found
    assert found == pytest.approx(brute, abs=2e-3)


@pytest.mark.parametrize(("objective", "kind", "weight"), [("biased", "linear", 2.0), ("altruistic", "sqrt", 2.0)])
def test_many_agents_tend_to_infinitely_many(objective, kind, weight):
    delta, horizon, beliefs = 0.6, 25, np.linspace(0.0, 1.0, 101)
    finite = sl.solve_planner_finite(objective, 0.7, kind, weight, delta, horizon, tolerance=1e-4)
    infinite = sl.solve_planner(objective, 0.7, kind, weight, delta, tolerance=1e-4)
    gap = np.abs(finite.values(beliefs, horizon) - infinite.values(beliefs)).max()
    assert gap <= finite.error_bound + infinite.error_bound + 4 * delta**horizon
    few = np.abs(finite.values(beliefs, 3) - infinite.values(beliefs)).max()
    assert few > 10 * gap


@pytest.mark.parametrize(("kind", "weight"), [("linear", 2.0), ("sqrt", 0.5)])
def test_the_error_bound_bounds_the_error(kind, weight):
    """A rough solve must lie within its own bound of one fifty times finer."""
    rough = sl.solve_planner_finite("biased", 0.7, kind, weight, 1.0, 6, tolerance=5e-4)
    fine = sl.solve_planner_finite("biased", 0.7, kind, weight, 1.0, 6, tolerance=1e-5)
    beliefs = np.linspace(0.0, 1.0, 1501)
    for agents_left in range(1, 7):
        error = np.abs(rough.values(beliefs, agents_left) - fine.values(beliefs, agents_left)).max()
        assert error <= rough.error_bound + fine.error_bound
    assert rough.error_bound <= 5 * 5e-4


def test_the_policy_depends_on_the_agents_left():
    solution = solve("altruistic", 0.9, "linear", 2.0, 1.0, 1.0)
    assert solution.action(0.04, 1) == "cascade"
    assert solution.action(0.04, 10) == "informative"
    assert solution.value(0.04, 0) == 0.0
    assert solution.attained(0.04, 10)


def test_the_value_jumps_at_one_half_in_every_stage():
    solution = solve("biased", 0.7, "linear", 0.5, 1.0, 1.0)
    for agents_left in (1, 2, 5):
        assert solution.value_right_of_half(agents_left) == pytest.approx(-0.1 * agents_left, abs=1e-9)
        assert solution.value(0.5, agents_left) < -0.1 * agents_left - 0.1
    # At 0.4 the next agent's jump is worth aiming just above 1/2; for the last agent nothing is.
    assert not solution.attained(0.4, 5)
    assert solution.precision(0.4, 5) == pytest.approx(0.6 + sl.NUDGE, abs=1e-12)
    assert solution.attained(0.4, 1)


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: sl.solve_planner_finite("biased", 0.7, "linear", 1.0, 1.1, 5), "delta=1.1"),
        (lambda: sl.solve_planner_finite("biased", 0.7, "linear", 1.0, 1.0, 0), "horizon=0"),
        (lambda: sl.solve_planner_finite("biased", 0.7, "linear", 1.0, 1.0, 2.5), "horizon=2.5"),
        (lambda: solve("biased", 0.7, "linear", 0.5, 1.0, 1.0).value(0.4, 11), "agents_left=11"),
        (lambda: solve("biased", 0.7, "linear", 0.5, 1.0, 1.0).precision(0.4, 0), "agents_left=0"),
    ],
)
def test_bad_input_is_named_in_one_line(call, found):
    with pytest.raises(ValueError, match="allowed") as error:
        call()
    assert found in str(error.value)
    assert "\n" not in str(error.value)

"""The infinite-horizon planner against golden values, closed forms and invariances."""

import functools
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

from tidings.theory import steering as sl

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "steering.json").read_text())
SETTINGS = {setting["name"]: setting for setting in GOLDEN["settings"]}
ARGUMENTS = ("objective", "p", "cost_kind", "cost_weight", "delta", "error_cost")
ROWS = [(name, row) for name, setting in SETTINGS.items() for row in setting["rows"]]


@functools.cache
def solve(*arguments):
    return sl.solve_planner(*arguments)


def solve_golden(name):
    return solve(*(SETTINGS[name][argument] for argument in ARGUMENTS))


@pytest.mark.parametrize("name", SETTINGS)
def test_golden_values_to_a_millionth(name):
    solution, setting = solve_golden(name), SETTINGS[name]
    # Golden values are rounded to 1e-7 and carry their own error bound, at most 9.4e-7.
    tolerance = 1e-6
    for row in setting["rows"]:
        assert solution.value(row["b"]) == pytest.approx(row["value"], abs=tolerance), row["b"]
    assert solution.value(0.5) == pytest.approx(setting["value_at_half"], abs=tolerance)
    assert solution.value_right_of_half == pytest.approx(setting["value_right_of_half"], abs=tolerance)


@pytest.mark.parametrize("name", SETTINGS)
def test_golden_error_is_within_the_stated_bound(name):
    solution, setting = solve_golden(name), SETTINGS[name]
    assert solution.error_bound <= 1e-5
    for row in setting["rows"]:
        allowed = solution.error_bound + setting["error_bound"] + 1e-7
        assert abs(solution.value(row["b"]) - row["value"]) <= allowed


@pytest.mark.slow
def test_golden_settings_take_less_than_five_seconds_each():
    for setting in SETTINGS.values():
        start = time.process_time()
        sl.solve_planner(*(setting[argument] for argument in ARGUMENTS))
        assert time.process_time() - start < 5.0, setting["name"]


@pytest.mark.parametrize(("name", "row"), ROWS, ids=lambda x: x if isinstance(x, str) else str(x["b"]))
def test_golden_policy(name, row):
    solution = solve_golden(name)
    decision = solution.decision(row["b"])
    assert any(low <= decision.precision <= high for low, high in row["accept"])
    assert (solution.action(row["b"]), solution.attained(row["b"]), decision.approach) == (
        row["action"],
        row["attained"],
        row["approach"],
    )
    assert sl.is_followed(row["b"], decision.precision) == (row["action"] == "informative")


@pytest.mark.parametrize("name", SETTINGS)
def test_golden_thresholds(name):
    found = sl.find_thresholds(solve_golden(name))
    expected = list(SETTINGS[name]["thresholds"].values())
    assert (found.lower, found.upper) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("name", SETTINGS)
def test_golden_phases(name):
    """The label at the middle of each wide golden phase; at single points two labels may hold."""
    solution = solve_golden(name)
    for start, stop, label in SETTINGS[name]["phases"]:
        if stop - start > 1e-3:
            assert sl.phase_label(solution, 0.5 * (start + stop)) == label


def test_the_value_jumps_at_one_half_when_freezing_is_cheap():
    cheap, dear = solve_golden("biased_linear_cheap_jump"), solve_golden("biased_linear_dear")
    assert cheap.value(0.5) == pytest.approx(-1.908111, abs=2e-6)
    assert cheap.value(0.5001) == pytest.approx(-0.9995, abs=1e-6)
    assert cheap.value_right_of_half == pytest.approx(-1.0, abs=1e-12)
    assert cheap.value(0.5 + 1e-13) == cheap.value(0.5)
    assert dear.value_right_of_half == pytest.approx(dear.value(0.5), abs=1e-12)


def test_the_biased_planner_obfuscates_where_the_paper_says():
    dear = solve_golden("biased_linear_dear")
    for b in (0.31, 0.35, 0.55, 0.6):
        assert dear.precision(b) < 0.7 - 1e-3
    assert dear.precision(0.31) == pytest.approx(0.69, abs=1e-6)
    assert dear.precision(0.35) == pytest.approx(0.65, abs=1e-6)
    assert dear.precision(0.6) == pytest.approx(0.6 - sl.NUDGE, abs=1e-12)
    cheap = solve_golden("biased_linear_cheap_jump")
    assert all(cheap.precision(b) < 0.7 for b in np.linspace(0.3001, 0.6999, 41).tolist())


@pytest.mark.parametrize("name", SETTINGS)
def test_the_played_precision_loses_next_to_nothing(name):
    solution = solve_golden(name)
    for b in np.linspace(0.0, 1.0, 201).tolist():
        # What is left is rounding: no golden setting pairs a limit with a square-root cost.
        assert solution.regret(b, solution.precision(b)) <= 1e-7


@pytest.mark.parametrize("name", SETTINGS)
def test_no_precision_beats_the_value(name):
    solution, rng = solve_golden(name), np.random.default_rng(3)
    for b in rng.uniform(0.0, 1.0, 40).tolist():
        for q in rng.uniform(solution.problem.least_precision, 1.0, 20).tolist():
            assert solution.q_value(b, q) <= solution.value(b) + 1e-9


def test_the_convexity_counterexample():
    exact, solution = sl.convexity_counterexample(), solve_golden("altruistic_linear_nonconvex")
    for b in np.linspace(0.0, 1.0, 301).tolist():
        assert solution.value(b) == pytest.approx(exact.value(b), abs=1e-6)
    assert [solution.value(b) for b in (0.02, 0.04, 0.06)] == pytest.approx([-0.190656, -0.188224, -0.192704], abs=1e-7)
    excess = solution.value(0.04) - 0.5 * (solution.value(0.02) + solution.value(0.06))
    assert excess == pytest.approx(0.003456, abs=1e-7)
    assert exact.midpoint_excess == pytest.approx(0.003456, abs=1e-12)
    assert (exact.d_a, exact.t_a) == pytest.approx((0.0190930124623, 0.0740740740741), abs=1e-12)


@pytest.mark.parametrize(
    ("p", "kind", "weight", "delta", "error_cost"),
    [
        (0.7, "linear", 1.0, 0.9, 1.0),
        (0.55, "linear", 0.3, 0.5, 2.0),
        (0.9, "linear", 0.05, 0.97, 1.0),
        (0.6, "quadratic", 1.2, 0.8, 1.0),
        (0.8, "sqrt", 0.4, 0.9, 1.0),
        (0.5, "linear", 0.7, 0.95, 1.0),
        (0.7, "linear", 0.0, 0.9, 1.0),
    ],
)
def test_cheap_precision_has_a_closed_form(p, kind, weight, delta, error_cost):
    solution = sl.solve_planner("altruistic", p, kind, weight, delta, error_cost)
    for b in np.linspace(0.0, 1.0, 173).tolist():
        expected = sl.cheap_altruistic(b, p, kind, weight, delta, error_cost)
        assert solution.value(b) == pytest.approx(expected.value, abs=1e-9)
        if solution.value(b) - error_cost * -min(b, 1 - b) / (1 - delta) > 1e-9:
            assert solution.precision(b) == pytest.approx(expected.limit)


@pytest.mark.parametrize(("p", "kind", "weight"), [(0.7, "linear", 0.5), (0.9, "linear", 2.0), (0.6, "sqrt", 0.4)])
def test_the_myopic_altruist_has_a_threshold(p, kind, weight):
    solution = sl.solve_planner("altruistic", p, kind, weight, 0.0)
    threshold = sl.myopic_altruistic_threshold(p, kind, weight)
    for b in np.linspace(0.001, 0.999, 167).tolist():
        expected = sl.myopic_altruistic(b, p, kind, weight)
        assert solution.value(b) == pytest.approx(expected.value, abs=1e-14)
        if abs(min(b, 1 - b) - threshold) > 1e-9:
            assert solution.precision(b) == pytest.approx(expected.limit)


@pytest.mark.parametrize(
    ("p", "weight", "error_cost"), [(0.7, 0.5, 1.0), (0.6, 3.0, 1.0), (0.9, 0.2, 2.0), (0.5, 1, 1)]
)
def test_the_myopic_biased_planner_has_four_candidates(p, weight, error_cost):
    solution = sl.solve_planner("biased", p, "linear", weight, 0.0, error_cost)
    for b in (*np.linspace(0.0, 1.0, 167).tolist(), 0.5, p, 1 - p):
        expected = sl.myopic_biased_linear(b, p, weight, error_cost)
        assert solution.value(b) == pytest.approx(expected.value, abs=1e-13), b
        assert solution.regret(b, solution.precision(b)) <= 1e-8


def test_first_myopic_threshold_is_the_root_of_the_sheet():
    t_1 = sl.find_thresholds(solve_golden("biased_linear_myopic")).lower
    assert 2 * t_1 * (1 - t_1) == pytest.approx(0.5 * (1 - t_1 - 0.7), abs=1e-9)


@pytest.mark.parametrize("kind", ["linear", "quadratic", "sqrt"])
def test_the_altruistic_value_is_symmetric(kind):
    solution = sl.solve_planner("altruistic", 0.75, kind, 3.0, 0.9, tolerance=1e-4)
    beliefs = np.linspace(0.0, 0.5, 80)
    assert solution.values(1.0 - beliefs) == pytest.approx(solution.values(beliefs), abs=1e-12)


@pytest.mark.parametrize("objective", ["altruistic", "biased"])
def test_values_scale_with_both_costs(objective):
    beliefs = np.linspace(0.0, 1.0, 101)
    unit = sl.solve_planner(objective, 0.7, "linear", 2.0, 0.8, 1.0, tolerance=1e-4)
    triple = sl.solve_planner(objective, 0.7, "linear", 6.0, 0.8, 3.0, tolerance=1e-4)
    # Where precisions tie exactly, rounding may pick another cell to refine, hence not 1e-12.
    assert triple.values(beliefs) == pytest.approx(3.0 * unit.values(beliefs), abs=4e-4)
    assert triple.values(beliefs) == pytest.approx(3.0 * unit.values(beliefs), abs=triple.error_bound)


@pytest.mark.parametrize("objective", ["altruistic", "biased"])
def test_a_dearer_precision_is_never_better(objective):
    beliefs, previous = np.linspace(0.0, 1.0, 101), np.full(101, np.inf)
    for weight in (0.0, 0.5, 2.0, 8.0):
        solution = sl.solve_planner(objective, 0.7, "linear", weight, 0.8, tolerance=1e-4)
        values = solution.values(beliefs)
        assert np.all(values <= previous + 2 * solution.error_bound)
        previous = values


@pytest.mark.parametrize(
    "arguments",
    [
        ("biased", 0.64, "linear", 1.7, 0.85),
        ("biased", 0.77, "quadratic", 3.1, 0.7),
        ("altruistic", 0.83, "sqrt", 1.3, 0.95),
    ],
)
def test_the_error_bound_bounds_the_error(arguments):
    """A rough solve must lie within its own bound of one fifty times finer."""
    rough = sl.solve_planner(*arguments, tolerance=1e-3)
    fine = sl.solve_planner(*arguments, tolerance=2e-5)
    beliefs = np.concatenate([np.linspace(0.0, 1.0, 1501), [0.4999, 0.5001]])
    error = np.abs(rough.values(beliefs) - fine.values(beliefs)).max()
    assert error <= rough.error_bound + fine.error_bound
    assert rough.error_bound <= 1.1e-3


def test_values_of_arrays_are_the_values_one_by_one():
    solution = solve_golden("biased_linear_dear")
    beliefs = np.array([0.0, 0.2, 0.5, 0.5 + 1e-14, 0.50001, 0.7, 1.0])
    assert solution.values(beliefs) == pytest.approx([solution.value(b) for b in beliefs.tolist()], abs=1e-14)


@pytest.mark.parametrize(
    "arguments",
    [
        ("biased", 0.5, "sqrt", 1.0, 0.9),
        ("altruistic", 0.5, "quadratic", 3.0, 0.9),
        ("biased", 0.7, "linear", 0.0, 0.9),
        ("altruistic", 0.7, "linear", 0.0, 0.9),
        ("biased", 0.7, "linear", 1e6, 0.9),
        ("altruistic", 0.7, "linear", 1e6, 0.9),
        ("biased", 0.7, "linear", 0.5, 0.99),
        ("altruistic", 0.9, "sqrt", 1.0, 0.99),
        ("biased", 1 - 1e-9, "linear", 1.0, 0.5),
    ],
)
def test_extreme_settings_solve(arguments):
    solution = sl.solve_planner(*arguments, tolerance=1e-3)
    values = solution.values(np.linspace(0.0, 1.0, 101))
    assert np.all(np.isfinite(values))
    assert np.all(values <= 0.0)
    assert 0.0 <= solution.error_bound <= 0.02
    worst = -1.0 / (1.0 - arguments[4])
    assert np.all(values >= worst - 1e-9)


def test_known_values_in_extreme_settings():
    # p = 1/2, biased: everything right of 1/2 is free.
    assert sl.solve_planner("biased", 0.5, "linear", 1.0, 0.9, tolerance=1e-3).value(0.6) == 0.0
    # Free precision for the altruist: reveal the state at once.
    assert sl.solve_planner("altruistic", 0.7, "linear", 0.0, 0.99, tolerance=1e-3).value(0.4) == 0.0
    # Deviating is ruinous: the biased planner can only play p, from 1/2 the walk of section 2.
    dear = sl.solve_planner("biased", 0.7, "linear", 1e6, 0.0)
    assert dear.value(0.5) == pytest.approx(-0.5)


@pytest.mark.parametrize("objective", ["altruistic", "biased"])
def test_a_user_cost_equals_the_named_one(objective):
    beliefs = np.linspace(0.0, 1.0, 101)
    named = sl.solve_planner(objective, 0.75, "quadratic", 3.0, 0.6, tolerance=1e-4)
    vectorised = sl.solve_planner(objective, 0.75, lambda d: d * d, 3.0, 0.6, tolerance=1e-4)
    scalar = sl.solve_planner(objective, 0.75, lambda d: math.pow(d, 2), 3.0, 0.6, tolerance=1e-4)
    assert vectorised.values(beliefs) == pytest.approx(named.values(beliefs), abs=1e-6)
    assert scalar.values(beliefs) == pytest.approx(named.values(beliefs), abs=1e-6)


def test_a_concave_user_cost_is_recognised():
    root = sl.make_cost(math.sqrt, 1.0)
    assert root.is_concave
    assert root(np.array([0.0, 0.01, 0.3])) == pytest.approx([0.0, 0.1, math.sqrt(0.3)], abs=1e-9)
    assert not sl.make_cost(lambda d: d**1.5, 1.0).is_concave


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"objective": "selfish"}, "objective='selfish'"),
        ({"p": 1.0}, "p=1.0"),
        ({"p": 0.49}, "p=0.49"),
        ({"p": float("nan")}, "p=nan"),
        ({"p": "0.7"}, "p='0.7'"),
        ({"cost_kind": "cubic"}, "cost_kind='cubic'"),
        ({"cost_kind": lambda d: d + 1.0}, "cost_kind='<lambda>' gives 1.0 at 0"),
        ({"cost_kind": lambda d: -d}, "cost_kind='<lambda>'"),
        ({"cost_kind": lambda d: d * (0.3 - d)}, "cost_kind='<lambda>'"),
        ({"cost_weight": -0.1}, "cost_weight=-0.1"),
        ({"cost_weight": float("inf")}, "cost_weight=inf"),
        ({"delta": 1.0}, "delta=1.0"),
        ({"delta": -0.1}, "delta=-0.1"),
        ({"error_cost": 0.0}, "error_cost=0.0"),
        ({"tolerance": 0.0}, "tolerance=0.0"),
    ],
)
def test_bad_input_is_named_in_one_line(changed, found):
    arguments = {"objective": "biased", "p": 0.7, "cost_kind": "linear", "cost_weight": 1.0, "delta": 0.9}
    with pytest.raises(ValueError, match="allowed") as error:
        sl.solve_planner(**(arguments | changed))
    assert found in str(error.value)
    assert "\n" not in str(error.value)


def test_beliefs_and_precisions_out_of_range_are_refused():
    solution = solve_golden("altruistic_linear_cheap")
    for call in (
        lambda: solution.value(1.1),
        lambda: solution.precision(float("nan")),
        lambda: solution.values(np.array([0.2, -0.1])),
        lambda: solution.q_value(0.4, 0.6),
        lambda: solution.q_value(0.4, 1.1),
    ):
        with pytest.raises(ValueError, match="allowed"):
            call()

"""Closed forms without a solver: no control, myopic and cheap planners, and their refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

from tidings.theory import steering as sl

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "steering.json").read_text())


@pytest.mark.parametrize("row", GOLDEN["no_control_values"], ids=lambda row: f"{row['p']}-{row['delta']}")
def test_golden_no_control(row):
    loss = sl.no_control_loss(row["p"], row["delta"], row["error_cost"])
    assert loss.from_half == pytest.approx(row["loss_from_half"], abs=1e-10)
    assert loss.from_p == pytest.approx(row["loss_from_p"], abs=1e-10)


def test_no_control_against_the_sheet():
    loss = sl.no_control_loss(0.7, 0.9)
    assert (loss.from_half, loss.from_p) == pytest.approx((1.968778, 1.854198), abs=5e-7)


@pytest.mark.parametrize("from_half", [True, False])
def test_no_control_by_simulation(from_half):
    p, delta, rng, n_runs = 0.7, 0.9, np.random.default_rng(2), 3000
    b_1 = 0.5 if from_half else p
    losses = np.zeros(n_runs)
    for run in range(n_runs):
        state, b, discount = ("G" if rng.random() < b_1 else "B"), b_1, 1.0
        other = "B" if state == "G" else "G"
        while discount > 1e-8:
            action = sl.agent_action(b, p, state if rng.random() < p else other)
            if not sl.is_followed(b, p):
                losses[run] += discount * (action != state) / (1 - delta)
                break
            losses[run] += discount * (action != state)
            b, discount = sl.next_belief(b, p, action), discount * delta
    loss = sl.no_control_loss(p, delta)
    expected = loss.from_half if from_half else loss.from_p
    assert losses.mean() == pytest.approx(expected, abs=3 * losses.std(ddof=1) / np.sqrt(n_runs))


def test_no_control_is_a_planner_that_never_deviates():
    """With a ruinous cost and delta > 0 the altruist of p = 0.7 follows q = p; its value is -L0 at 1/2."""
    solution = sl.solve_planner("altruistic", 0.7, "linear", 1e6, 0.9, tolerance=1e-5)
    loss = sl.no_control_loss(0.7, 0.9)
    assert solution.value(0.5) == pytest.approx(-loss.from_half, abs=1e-5)
    assert solution.value(0.7) == pytest.approx(-loss.from_p, abs=1e-5)


def test_the_myopic_threshold_of_the_sheet():
    assert sl.myopic_altruistic_threshold(0.7, "linear", 0.5) == pytest.approx(0.15)
    assert sl.myopic_altruistic_threshold(0.7, "linear", 1.5) == 0.5
    assert sl.myopic_altruistic(0.2, 0.7, "linear", 0.5).limit == 1.0
    assert sl.myopic_altruistic(0.1, 0.7, "linear", 0.5).limit == 0.7


def test_the_myopic_biased_planner_freezes_without_attaining():
    frozen = sl.myopic_biased_linear(0.6, 0.7, 0.5)
    assert (frozen.value, frozen.limit, frozen.is_attained) == (pytest.approx(-0.05), 0.6, False)
    assert sl.myopic_biased_linear(0.8, 0.7, 0.5).is_attained
    assert sl.myopic_biased_linear(0.2, 0.7, 0.5).limit == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("kind", "weight", "is_cheap"),
    [("linear", 1.0, True), ("linear", 1.01, False), ("quadratic", 1.6, True), ("quadratic", 1.7, False)],
)
def test_cheap_precision_is_recognised(kind, weight, is_cheap):
    assert sl.is_precision_cheap(0.7, kind, weight) is is_cheap
    shapes = {"linear": lambda d: d, "quadratic": lambda d: d * d}
    assert sl.is_precision_cheap(0.7, shapes[kind], weight) is is_cheap


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: sl.cheap_altruistic(0.3, 0.9, "linear", 2.0, 0.9), "cost_weight=2.0"),
        (lambda: sl.cheap_altruistic(0.3, 0.7, "linear", 0.5, 1.0), "delta=1.0"),
        (lambda: sl.cheap_altruistic(1.3, 0.7, "linear", 0.5, 0.9), "b=1.3"),
        (lambda: sl.cheap_altruistic(0.3, 0.7, "linear", 0.5, 1.0, n_agents=0), "n_agents=0"),
        (lambda: sl.myopic_altruistic_threshold(0.7, "quadratic", 1.0), "cost_kind='quadratic'"),
        (lambda: sl.myopic_biased_linear(0.3, 1.0, 1.0), "p=1.0"),
        (lambda: sl.no_control_loss(0.5, 0.9), "p=0.5"),
        (lambda: sl.no_control_loss(0.7, 1.0), "delta=1.0"),
    ],
)
def test_bad_input_is_named_in_one_line(call, found):
    with pytest.raises(ValueError, match="allowed") as error:
        call()
    assert found in str(error.value)
    assert "\n" not in str(error.value)

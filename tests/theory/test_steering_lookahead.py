"""Forecasts against closed forms and the exact solver; two kinds of line agree; plans beat the rules they try."""

from __future__ import annotations

from random import Random

import pytest

from tidings.core import SeedPath
from tidings.theory.network_learning import learn_on_network
from tidings.theory.steering import (
    RULES,
    Aim,
    CommonLine,
    NetworkLine,
    cheap_altruistic,
    forecast,
    make_cost,
    no_control_loss,
    plan_precision,
    solve_planner,
    solve_planner_finite,
)

HALF = (0.5, 0.5)


def common(p: float = 0.7, n: int = 200) -> CommonLine:
    return CommonLine((p,) * n)


def test_doing_nothing_loses_what_the_closed_form_says() -> None:
    loss = no_control_loss(0.7, 0.9)
    aim = Aim(make_cost("linear", 0.5), delta=0.9)
    found = forecast(common(), aim, HALF, 0, "free")
    assert found.is_exact
    assert found.value == pytest.approx(-loss.from_half, abs=1e-8)
    assert forecast(common(), aim, (0.3, 0.7), 0, "free").value == pytest.approx(-loss.from_p, abs=1e-8)


@pytest.mark.parametrize(
    "seen", [[[], [0], [1], [2], [3]], [[], [0], [0, 1], [1, 2], [2, 3]], [[], [], [0], [0, 2], [1]]]
)
def test_without_control_errors_on_a_graph_are_those_of_the_exact_curves(seen: list[list[int]]) -> None:
    line = NetworkLine((0.7,) * 5, tuple(map(tuple, seen)))
    found = forecast(line, Aim(make_cost("linear", 1.0)), line.situation({}, []), 0, "free")
    assert found.is_exact
    assert found.value == pytest.approx(-(1.0 - learn_on_network(seen, [0.7] * 5).p_correct).sum(), abs=1e-10)


@pytest.mark.parametrize("target", [None, 0, 1])
@pytest.mark.parametrize("rule", RULES)
def test_a_graph_in_which_all_see_all_is_the_common_line(target: int | None, rule: str) -> None:
    rng = Random(f"{target}{rule}")
    free = tuple(rng.uniform(0.55, 0.9) for _ in range(5))
    thresholds = tuple(rng.uniform(0.4, 0.6) for _ in range(5))
    aim = Aim(make_cost("quadratic", 2.0), 1.5, 0.8, target)
    everybody = tuple(tuple(range(i)) for i in range(5))
    network = NetworkLine(free, everybody, 0.45, thresholds)
    a = forecast(CommonLine(free, 2, thresholds), aim, (0.55, 0.45), 0, rule)
    b = forecast(network, aim, network.situation({}, []), 0, rule)
    assert a.value == pytest.approx(b.value, abs=1e-9)


def test_what_the_planner_saw_is_what_it_would_have_foreseen() -> None:
    line = NetworkLine((0.7,) * 4, ((), (0,), (1,), (0, 2)))
    now = line.situation({0: 1, 2: 0}, [0.8, 0.7, 0.9])  # the agent at position 1 failed and said nothing
    assert [position for position, _ in now.actions] == [0, 2]
    assert now.weights[1] == pytest.approx(0.8 * 0.1 / (0.8 * 0.1 + 0.2 * 0.9))  # a2 saw nobody: its own signal decides


@pytest.mark.parametrize("b", [0.1, 0.35, 0.5, 0.8])
def test_cheap_precision_is_bought_as_the_closed_form_says(b: float) -> None:
    aim = Aim(make_cost("linear", 0.5), delta=0.9)
    plan = plan_precision(common(), aim, (1 - b, b), 0, (0.7, 1.0))
    assert plan.value == pytest.approx(cheap_altruistic(b, 0.7, "linear", 0.5, 0.9).value, abs=1e-7)
    assert plan.is_exact


@pytest.mark.parametrize(("objective", "target"), [("altruistic", None), ("biased", 1)])
@pytest.mark.parametrize("k", [0.5, 2.0])
@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_plans_lie_between_their_rules_and_the_optimum(
    objective: str, target: int | None, k: float, horizon: int
) -> None:
    solution = solve_planner_finite(objective, 0.7, "linear", k, 1.0, horizon)
    aim, line = Aim(make_cost("linear", k), target=target), common(n=horizon)
    low = 0.5 if target is not None else 0.7
    for b in (0.1, 0.31, 0.4, 0.55, 0.65, 0.9):
        plan = plan_precision(line, aim, (1 - b, b), 0, (low, 1.0), n_uniform=40)
        best_rule = max(forecast(line, aim, (1 - b, b), 0, rule).value for rule in RULES)
        assert best_rule - 1e-9 <= plan.value <= solution.value(b, horizon) + 1e-5
        if horizon == 1:
            assert plan.value == pytest.approx(solution.value(b, 1), abs=1e-5)


@pytest.mark.parametrize(("k", "most"), [(0.5, 0.001), (2.0, 0.1)])
def test_first_choices_of_a_biased_planner_lose_little_against_the_solved_policy(k: float, most: float) -> None:
    """One-step loss V - Q(b, q) of the planned precision; doing nothing (q = p) loses up to 1.50 (k=.5), 0.77 (k=2)."""
    solution = solve_planner("biased", 0.7, "linear", k, 0.9)
    aim = Aim(make_cost("linear", k), delta=0.9, target=1)
    losses, idle = [], []
    for b in (0.2, 0.35, 0.45, 0.55, 0.62):
        plan = plan_precision(common(n=60), aim, (1 - b, b), 0, (0.5, 1.0), width=64, seed=SeedPath(1))
        losses.append(solution.regret(b, plan.precision))
        idle.append(solution.regret(b, 0.7))
    assert max(losses) <= most
    assert sum(losses) < 0.15 * sum(idle)


def test_samples_are_drawn_without_bias() -> None:
    line = CommonLine(tuple(0.55 + 0.03 * i for i in range(9)))
    aim = Aim(make_cost("linear", 1.0), delta=0.95, target=1)
    exact = forecast(line, aim, (0.6, 0.4), 0, "follow", width=10**6)
    sampled = [
        forecast(line, aim, (0.6, 0.4), 0, "follow", width=4, seed=SeedPath.root(i).child("x")) for i in range(400)
    ]
    assert exact.is_exact
    assert not any(found.is_exact for found in sampled)
    values = [found.value for found in sampled]
    mean = sum(values) / len(values)
    se = (sum((v - mean) ** 2 for v in values) / (len(values) - 1) / len(values)) ** 0.5
    assert se > 0.0
    assert abs(mean - exact.value) < 4 * se


def test_beyond_the_depth_the_last_agent_counts_for_all_later_ones() -> None:
    aim = Aim(make_cost("linear", 0.5), delta=0.9)
    cut = forecast(common(), aim, (0.02, 0.98), 0, "free", depth=3)  # a cascade: nothing changes any more
    whole = forecast(common(), aim, (0.02, 0.98), 0, "free")
    assert not cut.is_exact
    assert cut.value == pytest.approx(whole.value, abs=1e-12)


def test_a_budget_bounds_what_later_agents_are_given() -> None:
    aim = Aim(make_cost("linear", 1.0), budget=0.0)
    nothing = forecast(common(n=5), aim, HALF, 0, "free").value
    assert forecast(common(n=5), aim, HALF, 0, "learn_once").value == pytest.approx(nothing, abs=1e-9)
    rich = Aim(make_cost("linear", 1.0), budget=0.3)
    assert forecast(common(n=5), rich, HALF, 0, "learn_once").value == pytest.approx(-0.3)

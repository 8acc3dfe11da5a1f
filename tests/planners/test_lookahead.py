"""The planner `lookahead` through whole runs: graphs, K states, losses by seat, budgets, costs of one's own."""

from __future__ import annotations

import json
from math import sqrt
from pathlib import Path

import pytest

import tidings
from tidings.core import ScenarioError
from tidings.theory.steering import Aim, CommonLine, forecast, make_cost, plan_precision

RUNS = 150


def write(tmp_path: Path, planner: str, environment: str, graph: str = "{kind: complete, n: 8}", n: int = RUNS) -> Path:
    path = tmp_path / "s.yaml"
    path.write_text(
        f"name: ahead\ngraph: {graph}\nagents: [{{kind: bayesian, nodes: rest}}]\nenvironment: {environment}\n"
        f"planner: {planner}\nrollouts: {{count: {n}, seed: 3, log: full}}\n"
    )
    return path


def rewards(tmp_path: Path, *words: str, **more: object) -> object:
    run = tidings.run(write(tmp_path, *words, **more), out=tmp_path / "runs")  # type: ignore[arg-type]
    assert run.status["failed"] == 0
    return run.rollouts()["reward"]


CASES = {
    "three states": ("{kind: many_states, precision: 0.5}", "{kind: complete, n: 8}", "C"),
    "a graph": ("{kind: social_learning, precision: 0.7}", "{kind: cycle, n: 8}", "G"),
    "losses by seat": (
        "{kind: social_learning, loss_false_good: {a0: 2, a1: 1, a2: 1, a3: 3, a4: 1, a5: 1, a6: 1, a7: 1}}",
        "{kind: complete, n: 8}",
        "G",
    ),
    "precisions by seat and coin ties": (
        "{kind: social_learning, ties: coin, "
        "precision: {a0: 0.6, a1: 0.7, a2: 0.65, a3: 0.8, a4: 0.6, a5: 0.7, a6: 0.7, a7: 0.55}}",
        "{kind: complete, n: 8}",
        "G",
    ),
}


@pytest.mark.parametrize("objective", ["altruistic", "biased"])
@pytest.mark.parametrize("name", CASES)
def test_looking_ahead_earns_more_than_doing_nothing(tmp_path: Path, name: str, objective: str) -> None:
    """Paired on the same seeds: the free precision for everybody against the plan."""
    environment, graph, target = CASES[name]
    declared = f"objective: {objective}, cost: {{kind: linear, weight: 0.5}}, delta: 0.95"
    declared += f", target: {target}" if objective == "biased" else ""
    planned = rewards(tmp_path, f"{{kind: lookahead, {declared}}}", environment, graph)
    nothing = rewards(tmp_path, f"{{kind: lookahead, {declared}, budget: 0}}", environment, graph)
    gain = planned - nothing  # type: ignore[operator]
    assert gain.mean() > 3 * gain.std() / sqrt(len(gain))


def test_what_was_foreseen_comes_true_on_average(tmp_path: Path) -> None:
    """Replanning can only add to the first forecast: the mean reward is not below it by more than three s.e."""
    declared = "objective: biased, target: C, cost: {kind: linear, weight: 1}, delta: 0.9"
    earned = rewards(tmp_path, f"{{kind: lookahead, {declared}}}", CASES["three states"][0], n=800)
    aim = Aim(make_cost("linear", 1.0), delta=0.9, target=2)
    line, prior = CommonLine((0.5,) * 8, 3), (1 / 3,) * 3
    plan = plan_precision(line, aim, prior, 0, (1 / 3, 1.0))
    foreseen = forecast(line, aim, prior, 0, plan.rule, first=plan.precision, width=10**6)
    assert foreseen.is_exact
    assert foreseen.value == pytest.approx(plan.value, abs=0.05)
    assert earned.mean() > foreseen.value - 3 * earned.std() / sqrt(len(earned))  # type: ignore[union-attr]


def test_thoughts_hold_the_forecast_and_nobody_else_sees_them(tmp_path: Path) -> None:
    run = tidings.run(
        write(tmp_path, "{kind: lookahead, cost: {kind: linear, weight: 0.5}}", CASES["three states"][0], n=2),
        out=tmp_path / "runs",
    )
    thoughts = run.events().filter(kind="thought")
    assert set(thoughts["seat"]) == {"planner"}
    assert all(list(a) == ["planner"] for a in thoughts["audience"])
    first = json.loads(thoughts["data"][0])
    assert first["belief"] == pytest.approx([1 / 3] * 3)
    assert first["value"] <= 0.0
    assert first["rule"]


def test_a_budget_is_kept(tmp_path: Path) -> None:
    planner = "{kind: lookahead, cost: {kind: linear, weight: 1}, budget: 0.15}"
    run = tidings.run(write(tmp_path, planner, "{kind: social_learning}", n=40), out=tmp_path / "runs")
    assert run.status["failed"] == 0
    assert 0.0 < run.rollouts()["cost"].max() <= 0.15 + 1e-9  # type: ignore[operator]


def test_a_cost_of_ones_own_steers_every_planner(tmp_path: Path) -> None:
    for kind in ("lookahead", "optimal", "myopic"):
        chosen = {}
        for cost in ("sqrt", "math:sqrt"):
            planner = f"{{kind: {kind}, delta: 0.5, cost: {{kind: '{cost}', weight: 0.3}}}}"
            path = write(tmp_path, planner, "{kind: social_learning, prior: 0.4}", n=5)
            events = tidings.run(path, out=tmp_path / "runs").events().filter(kind="precision")
            chosen[cost] = [json.loads(text)["precision"] for text in events["data"]]
        assert chosen["sqrt"] == pytest.approx(chosen["math:sqrt"], abs=1e-5)
    planner = "{kind: optimal, delta: 0.5, cost: {kind: 'math:nothing', weight: 0.3}}"
    path = write(tmp_path, planner, "{kind: social_learning}")
    with pytest.raises(ScenarioError, match="cannot load 'math:nothing'"):
        tidings.load_scenario(path)


def test_too_dense_a_graph_is_a_counted_failure_that_says_what_to_do(tmp_path: Path) -> None:
    planner = "{kind: lookahead, cost: {kind: linear, weight: 1}, max_ancestors: 2}"
    run = tidings.run(
        write(tmp_path, planner, "{kind: social_learning}", "{kind: cycle, n: 8}", 1), out=tmp_path / "runs"
    )
    assert run.status["failed"] == 1
    assert "max_ancestors" in next(iter(run.failure_counts()))


def test_the_exact_planner_sends_more_than_two_states_to_lookahead(tmp_path: Path) -> None:
    environment = "{kind: many_states, states: [A, B, C, D]}"
    with pytest.raises(ScenarioError, match=r"environment.states: found 4 states.*lookahead"):
        tidings.run(write(tmp_path, "{kind: optimal, delta: 0.9}", environment), out=tmp_path / "runs")

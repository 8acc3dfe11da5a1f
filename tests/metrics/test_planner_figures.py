"""What steering was worth to the planner, against sums by hand over the events."""

from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.spec.io import make_scenario

CONSTANT = {
    "kind": "constant",
    "precision": 0.9,
    "objective": "biased",
    "target": "G",
    "delta": 0.5,
    "error_cost": 3.0,
    "cost": {"kind": "linear", "weight": 2.0},
}


def play(out: Path, planner: dict[str, Any], log: str) -> tidings.Run:
    values = {
        "name": "herd",
        "graph": {"kind": "complete", "n": 3},
        "agents": [{"kind": "bayesian", "nodes": "rest"}],
        "environment": {"kind": "social_learning", "precision": 0.7, "states": ["B", "G"]},
        "planner": planner,
        "rollouts": {"count": 30, "seed": 1, "log": log},
        "metrics": ["planner_reward", "planner_cost"],
    }
    return tidings.run(make_scenario(values), out=out)


def test_reward_and_cost_are_the_sums_over_the_agents(tmp_path: Path) -> None:
    run = play(tmp_path, CONSTANT, "full")
    reward, cost = run.metric_results()
    assert (cost.name, cost.value) == ("planner_cost", pytest.approx(3 * 2.0 * 0.2))
    actions = [line for line in run.lines() if line.kind == "action"]
    wrong = [0.5 ** int(line.seat[1:]) * 3.0 * (line.data["action"] != "G") for line in actions if line.seat]
    paid = (1 + 0.5 + 0.25) * 2.0 * 0.2
    assert len(wrong) == 90
    assert sum(wrong) > 0
    assert (reward.name, reward.value) == ("planner_reward", pytest.approx(-paid - sum(wrong) / 30))
    assert [result.value for result in play(tmp_path, CONSTANT, "summary").metric_results()] == [
        pytest.approx(reward.value),
        pytest.approx(cost.value),
    ]


@pytest.mark.parametrize("log", ["full", "summary"])
def test_without_a_planner_there_is_neither(tmp_path: Path, log: str) -> None:
    for result in play(tmp_path, {"kind": "none"}, log).metric_results():
        assert (result.value, result.reason) == (None, "nobody sits in the planner's seat")

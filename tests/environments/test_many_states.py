"""Social learning with K states, through whole runs."""

from __future__ import annotations

import json
from math import sqrt
from pathlib import Path

import pytest

import tidings
from tidings.core import ScenarioError


def write(
    tmp_path: Path, n: int = 3, rollouts: str = "{count: 4000, seed: 1}", planner: str = "", **environment: object
) -> Path:
    words = "".join(f", {key}: {value}" for key, value in environment.items())
    path = tmp_path / "s.yaml"
    path.write_text(
        f"name: many\ngraph: {{kind: complete, n: {n}}}\nagents: [{{kind: bayesian, nodes: rest}}]\n"
        f"environment: {{kind: many_states{words}}}\nrollouts: {rollouts}\n"
        + (f"planner: {planner}\n" if planner else "")
    )
    return path


@pytest.mark.parametrize(("states", "value"), [("[A, B]", 0.784), ("[A, B, C]", 0.8155)])
def test_the_third_agent_meets_the_closed_form(tmp_path: Path, states: str, value: float) -> None:
    run = tidings.run(write(tmp_path, states=states, precision=0.7), out=tmp_path / "runs")
    right = [who[2] for _, _, who in run.correct_actions()]
    assert len(right) == 4000
    assert abs(sum(right) / 4000 - value) <= 3 * sqrt(value * (1 - value) / 4000)


def test_signals_are_right_as_often_as_stated_and_wrong_ones_are_spread_evenly(tmp_path: Path) -> None:
    run = tidings.run(write(tmp_path, precision=0.5, state="B", n=5), rollouts=1200, out=tmp_path / "runs")
    signals = [json.loads(text)["value"] for text in run.events().filter(kind="signal")["data"]]
    n = len(signals)
    for value, p in (("A", 0.25), ("B", 0.5), ("C", 0.25)):
        assert abs(signals.count(value) / n - p) <= 4 * sqrt(p * (1 - p) / n)


def test_figures_and_cascades_are_there(tmp_path: Path) -> None:
    run = tidings.run(write(tmp_path, n=12, precision=0.6), rollouts=200, out=tmp_path / "runs")
    rows = {row["name"]: row["value"] for row in run.metrics().to_dicts()}
    assert 0.6 < rows["p_correct"] < 0.9
    assert rows["cascade_correct"] + rows["cascade_wrong"] + rows["cascade_none"] == pytest.approx(1.0)
    assert rows["welfare"] == pytest.approx(rows["p_correct"] - 1.0)
    assert run.rollouts()["n_good"].null_count() == 200
    assert run.rollouts()["off_path"].sum() == 0


def test_a_planner_sets_precisions_down_to_noise(tmp_path: Path) -> None:
    planner = "{kind: constant, precision: 0.34, objective: biased, target: B, cost: {kind: linear, weight: 1}}"
    with pytest.raises(ScenarioError, match=r"planner.precision"):
        tidings.run(write(tmp_path, planner=planner), rollouts=2, out=tmp_path / "runs")
    planner = "{kind: random, low: 0.6, high: 0.8, delta: 0.5, cost: {kind: linear, weight: 1}}"
    run = tidings.run(write(tmp_path, planner=planner), rollouts=2, out=tmp_path / "runs")
    chosen = [json.loads(text) for text in run.events().filter(kind="precision")["data"]]
    assert all(0.6 <= c["precision"] <= 0.8 and c["cost"] == pytest.approx(c["precision"] - 0.6) for c in chosen)
    assert (run.rollouts()["reward"] < 0).all()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"precision": 0.2}, r"precision: found 0.2; with 3 states it lies in \[0.3333, 1\]"),
        ({"prior": "[0.5, 0.6, 0.1]"}, "need 3 probabilities that sum to 1"),
        ({"states": "[A, A, B]"}, "need different names"),
        ({"state": "Z"}, "found 'Z'"),
        ({"precision": "{a0: 0.5}"}, "'a1' missing or unknown"),
    ],
)
def test_wrong_settings_are_one_line(tmp_path: Path, environment: dict, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        tidings.load_scenario(write(tmp_path, **environment))
    assert "\n" not in str(caught.value)


def test_other_graphs_are_refused_and_told_where_to_go(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text().replace("complete", "path"))
    with pytest.raises(ScenarioError, match="use social_learning"):
        tidings.load_scenario(path)


def test_every_signal_is_declared_with_its_chance(tmp_path: Path) -> None:
    path = write(tmp_path, prior="[0.5, 0.25, 0.25]", precision=0.6)
    run = tidings.run(path, rollouts=4000, out=tmp_path / "runs")
    declared = [json.loads(text) for text in run.events().filter(kind="fact_declared")["data"]]
    signals = [json.loads(text) for text in run.events().filter(kind="signal")["data"]]
    assert [(d["fact"], d["value"]) for d in declared] == [(s["fact"], s["value"]) for s in signals]
    chances = {d["value"]: d["prior_p"] for d in declared}
    assert chances == pytest.approx({"A": 0.5 * 0.6 + 0.5 * 0.2, "B": 0.3, "C": 0.3})
    first, n = [d["value"] for d in declared if d["owners"] == ["a0"]], 4000
    assert len(first) == n
    for value, p in chances.items():
        assert abs(first.count(value) / n - p) <= 4 * sqrt(p * (1 - p) / n)

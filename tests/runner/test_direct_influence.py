"""Social influence and CIC of actions of rational seats, against values worked out on paper."""

import math
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.spec.io import make_scenario
from tidings.theory.herding import action_likelihoods, next_belief, p_play_good, posterior

PRIOR, PRECISION = 0.45, 0.7


def a_herd(tmp_path: Path, **more: Any) -> Any:
    data = {
        "name": "herd",
        "graph": {"kind": "complete", "n": 4},
        "agents": [{"kind": "bayesian", "nodes": "rest"}],
        "environment": {
            "kind": "social_learning",
            "precision": PRECISION,
            "prior": PRIOR,
            "ties": "coin",
            "ask_belief": False,
        },
        "rollouts": {"count": 12, "seed": 3},
    }
    return tidings.run(make_scenario(data | more), out=tmp_path)


def on_paper(signals: tuple[int, int], said: int) -> tuple[float, float]:
    """Returns (social, CIC) of the first action on the second agent: each follows its signal where that decides."""
    _, _, good, bad = action_likelihoods(PRIOR, PRECISION, "coin")
    p_good_signal = PRIOR * PRECISION + (1 - PRIOR) * (1 - PRECISION)
    plays = [p_play_good(posterior(PRIOR, PRECISION, s), s, "coin") for s in (0, 1)]
    p_m = (1 - p_good_signal) * plays[0] + p_good_signal * plays[1]
    after = {1: next_belief(PRIOR, good, bad), 0: next_belief(PRIOR, 1 - good, 1 - bad)}
    law = {m: p_play_good(posterior(after[m], PRECISION, signals[1]), signals[1], "coin") for m in (0, 1)}
    mean = p_m * law[1] + (1 - p_m) * law[0]

    def divergence(p: float) -> float:
        pairs = ((p, mean), (1 - p, 1 - mean))
        return sum(a * math.log2(a / b) for a, b in pairs if a > 0)

    return divergence(law[said]), p_m * divergence(law[1]) + (1 - p_m) * divergence(law[0])


def test_influence_of_the_first_on_the_second_is_that_on_paper(tmp_path: Path) -> None:
    run = a_herd(tmp_path)
    seen: set[float] = set()
    for rollout in range(12):
        events = run.events().filter(rollout=rollout).to_dicts()
        signals = [int('"G"' in e["data"].split('"value"')[1].split(",")[0]) for e in events if e["kind"] == "signal"]
        actions = [e for e in events if e["kind"] == "action"]
        rows = run.measure_influence(rollout, actions[1]["index"])
        social, cic = on_paper((signals[0], signals[1]), int('"G"' in actions[0]["data"]))
        assert rows.filter(method="social")["value"].to_list() == pytest.approx([social], abs=1e-12)
        assert rows.filter(method="cic")["value"].to_list() == pytest.approx([cic], abs=1e-12)
        seen.add(round(cic, 6))
    assert len(seen) == 2, "one signal decides whatever was done before it, the other does not"
    results = {r.name: r for r in run.metric_results("message_influence")}
    rows = run.rows_beside("influence").filter(method="cic")
    assert results["causal_influence"].value == pytest.approx(rows["value"].mean())
    assert results["causal_influence"].n == 12


def test_seats_without_a_law_have_no_such_influence_and_the_metric_says_so(tmp_path: Path) -> None:
    seats = [{"kind": "llm", "model": "m", "nodes": "rest", "temperature": 1.0}]
    run = a_herd(tmp_path, agents=seats, models={"m": {"use": "scripted/m"}})
    last = run.events().filter(rollout=0, kind="action")["index"][1]
    assert run.measure_influence(0, last).filter(method="cic").is_empty()
    results = {r.name: r for r in run.metric_results("message_influence")}
    for name in ("causal_influence", "social_influence"):
        assert results[name].value is None
        assert "state their law" in results[name].reason

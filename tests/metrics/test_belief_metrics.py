"""Tier t1: beliefs beside exact Bayes, by closed forms."""

import math
from pathlib import Path

import polars as pl
import pytest
from flow_logs import evidence

import tidings
from tidings.metrics.evidence import SIDE_TABLES
from tidings.metrics.table import FLOW


def herd(tmp_path: Path, agents: str, **changes: object) -> tidings.Run:
    path = tmp_path / "herd.yaml"
    path.write_text(
        f"name: herd\ngraph: {{kind: complete, n: 3}}\nagents: [{agents}]\n"
        "environment: {kind: social_learning, precision: 0.8}\nrollouts: {count: 8, seed: 1, log: full}\n"
    )
    return tidings.run(path, out=tmp_path / "runs", overrides=changes)


def values(run: tidings.Run, *names: str) -> dict[str, float]:
    return dict(run.metrics(*names).select("name", "value").iter_rows())


def test_bayesian_seats_have_no_regret_and_the_gain_of_their_posteriors(tmp_path: Path) -> None:
    run = herd(tmp_path, "{kind: bayesian, count: 3}")
    found = values(run, "t1")
    assert found["bayes_regret"] == pytest.approx(0.0, abs=1e-12)
    assert found["bayes_regret_expected"] == pytest.approx(0.0, abs=1e-12)
    truths = dict(run.rollouts().select("rollout", "state").iter_rows())
    gains: dict[int, list[float]] = {}
    for row in run.beliefs().iter_rows(named=True):
        right = row["belief"] if truths[row["rollout"]] == "G" else 1 - row["belief"]
        gains.setdefault(row["rollout"], []).append(math.log2(right / 0.5))
    assert found["belief_gain"] == pytest.approx(sum(sum(g) / len(g) for g in gains.values()) / len(gains))
    assert set(run.metrics("belief_gain")["n"]) == {8}


def test_a_single_agent_in_closed_form(tmp_path: Path) -> None:
    """One signal of precision 0.8 from an even prior: 1 - h(0.8) bits; a following action gives all of it away."""
    run = herd(tmp_path, "{kind: bayesian, count: 3}", **{"environment.horizon": 1})
    found = values(run, "t1")
    h = -(0.8 * math.log2(0.8) + 0.2 * math.log2(0.2))
    assert found["expected_information_gain"] == pytest.approx(1 - h)
    assert found["belief_shift"] == pytest.approx(1 - h)
    assert found["action_leakage_maximal"] == pytest.approx(1.0)
    assert found["action_leakage_shannon"] == pytest.approx(1.0)
    assert found["action_leakage_min_entropy"] == pytest.approx(1.0)


def test_an_action_gives_nothing_away_where_the_losses_of_its_seat_leave_no_choice(tmp_path: Path) -> None:
    """a0 would lose 9 by playing G wrongly: no signal of 0.8 moves it; a1 follows its own as if it were first."""
    losses = {"a0": 9.0, "a1": 1.0, "a2": 1.0}
    settings = {"environment.loss_false_good": losses}
    run = herd(tmp_path, "{kind: bayesian, count: 3}", **settings, **{"environment.horizon": 1})
    assert values(run, "action_leakage")["action_leakage_shannon"] == pytest.approx(0.0, abs=1e-12)
    run = herd(tmp_path, "{kind: bayesian, count: 3}", **settings, **{"environment.horizon": 2})
    assert values(run, "action_leakage")["action_leakage_shannon"] == pytest.approx(0.5)


def test_a_stubborn_seat_in_closed_form(tmp_path: Path) -> None:
    run = herd(
        tmp_path,
        "{kind: scripted, count: 3, policy: constant, value: {belief: 0.9, action: G}}",
        **{"environment.state": "G", "environment.horizon": 1},
    )
    found = values(run, "belief_gain", "brier")
    assert found["belief_gain"] == pytest.approx(math.log2(0.9 / 0.5))
    assert found["brier"] == pytest.approx(2 * 0.1**2)


def test_a_seat_that_rules_out_the_truth_loses_without_bound_and_it_is_said(tmp_path: Path) -> None:
    run = herd(
        tmp_path,
        "{kind: scripted, count: 3, policy: constant, value: {belief: 0.0, action: B}}",
        **{"environment.state": "G"},
    )
    row = run.metrics("belief_gain").to_dicts()[0]
    assert (row["value"], row["low"]) == (-math.inf, None)
    assert row["reason"] == "8 of 8 values are infinite"


def test_probes_plug_in_and_carry_their_own_worlds() -> None:
    row = {
        "rollout": 0,
        "step": 1,
        "index": 4,
        "seat": "a",
        "order": 1,
        "about": None,
        "variable": "where",
        "worlds": ["x", "y", "z", "w"],
        "belief": [0.5, 0.5, 0.0, 0.0],
        "prior": [0.25] * 4,
        "bayes": [1.0, 0.0, 0.0, 0.0],
        "truth": "x",
        "estimator": "probe",
    }
    probes = pl.DataFrame([row, row | {"order": 2}], schema=SIDE_TABLES["probes"])
    material = evidence([], side={"probes": probes})
    results = {r.name: r for name in ("belief_gain", "bayes_regret") for r in FLOW[name].compute(material)}
    assert results["belief_gain"].value == pytest.approx(1.0)
    assert results["bayes_regret"].value == pytest.approx(1.0)
    assert results["bayes_regret_expected"].value == pytest.approx(1.0)
    assert results["belief_gain"].events == ("0:4",)
    assert "1 probe" in results["belief_gain"].estimator


def test_off_complete_graphs_there_is_no_exact_posterior_and_it_is_said(tmp_path: Path) -> None:
    run = herd(tmp_path, "{kind: bayesian, count: 3}", **{"graph.kind": "path"})
    frame = run.metrics("bayes_regret", "action_leakage")
    assert frame["value"].null_count() == len(frame)
    assert frame["reason"][0].startswith("no exact posterior")
    assert frame["reason"][2].startswith("no private signals with a common public belief")


def test_runs_without_what_is_needed_say_what_is_missing(tmp_path: Path) -> None:
    run = herd(tmp_path, "{kind: bayesian, count: 3}", **{"environment.ask_belief": False})
    frame = run.metrics("belief_gain", "t2", "t3")
    assert frame["value"].null_count() == len(frame) >= 3
    starts = {" ".join(reason.replace(":", "").split()[:2]) for reason in frame["reason"]}
    assert starts == {"no beliefs", "no log-probabilities", "no influence"}
    assert run.metrics("expected_information_gain")["value"][0] > 0

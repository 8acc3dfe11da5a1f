"""The table of metrics: every figure carries what it rests on, or says why it has no value; none invents one."""

import json
import math
from pathlib import Path

import polars as pl
import pytest
from flow_logs import declare, evidence, give, numbered, say

import tidings
from tidings.core import ScenarioError
from tidings.metrics.evidence import name_events
from tidings.metrics.metric import TIERS
from tidings.metrics.result import MetricResult, json_row, mean_result
from tidings.metrics.table import FLOW, METRICS, check_metrics, evaluate, known_metrics

HERD = """
name: herd
graph: {kind: complete, n: 4}
agents: [{kind: bayesian, count: 4}]
environment: {kind: social_learning}
rollouts: {count: 6, seed: 1, log: LOG}
"""

TALK = """
name: talk
graph: {kind: path, n: 3}
agents: [{kind: scripted, count: 3, policy: talk, text: Good morning}]
environment: {kind: talk, rounds: 2, facts: FACTS}
rollouts: {count: 2, seed: 1}
"""


def play(tmp_path: Path, text: str, **changes: object) -> tidings.Run:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return tidings.run(path, out=tmp_path / "runs", overrides=changes)


def by_name(results: list[MetricResult]) -> dict[str, MetricResult]:
    return {result.name: result for result in results}


def test_every_metric_gives_its_declared_figures_or_says_why_not() -> None:
    full = evidence(numbered([(0, declare("f", "a")), (0, give("f", "a")), (1, say("a", "b", ("f", "yes")))]))
    for material in (full, evidence(), evidence([]), evidence(absent="no events here")):
        for name, metric in FLOW.items():
            assert metric.tier in TIERS
            results = metric.compute(material) if not material.absent else []
            if results:
                assert [(r.name, r.unit) for r in results] == list(metric.figures), name
            for result in results:
                assert (result.value is None) <= bool(result.reason), (name, result)
                assert result.value is None or result.estimator, name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HERD.replace("LOG", "summary"), "this run logged one row a rollout"),
        (TALK.replace("FACTS", "{}"), "no facts: this environment declares none"),
    ],
)
def test_a_run_without_events_or_facts_has_no_figures_of_facts(tmp_path: Path, text: str, reason: str) -> None:
    frame = play(tmp_path, text).metrics("t0")
    assert frame["value"].null_count() == len(frame) > 10
    assert all(found.startswith(reason) for found in frame["reason"])


def test_failed_rollouts_leave_no_value_unless_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TALK.replace("FACTS", "{a0: {f: the key is red}}").replace(
        "{kind: scripted, count: 3, policy: talk, text: Good morning}",
        "{kind: 'seats:Drawing', count: 3, fail_share: 0.1}",
    )
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "support"))
    run = play(tmp_path, text, **{"rollouts.count": 10})
    assert 0 < run.status["failed"] < 10
    refused = run.metrics("coverage", "leaks")
    assert refused["value"].null_count() == len(refused)
    assert refused["reason"].str.contains("rollouts failed; ask with failed='drop'").all()
    kept = run.metrics("coverage", failed="drop").to_dicts()[0]
    assert kept["n"] == 10 - run.status["failed"]
    assert kept["value"] == pytest.approx(1 / 3)


def test_names_tiers_and_all(tmp_path: Path) -> None:
    run = play(tmp_path, HERD.replace("LOG", "full"))
    own = run.metrics()["name"].to_list()
    assert own[:2] == ["p_correct", "last_correct"]
    assert set(own) < set(run.metrics("all")["name"])
    assert run.metrics("leaks", "p_correct")["name"].to_list() == ["leaks", "leaky", "p_correct"]
    assert run.metrics("leaks", "t0", "leaks")["name"].to_list().count("leaks") == 1
    assert set(run.metrics("t0")["tier"]) == {"t0"}
    with pytest.raises(ScenarioError, match=r"metric\.0: no metric 'leak'; .*did you mean 'leaks'\?"):
        run.metrics("leak")


def test_a_figure_is_found_by_the_name_it_is_printed_with(tmp_path: Path) -> None:
    run = play(tmp_path, HERD.replace("LOG", "full"))
    printed = run.metrics("all")["name"].to_list()
    assert [run.metrics(name)["name"].to_list()[:1] for name in printed] == [[name] for name in printed]
    assert run.metrics("cascade_wrong", "leaky")["name"].to_list() == ["cascade_wrong", "leaky"]
    assert run.metrics("cascade_wrong", "cascades").height == run.metrics("cascades", "cascade_wrong").height == 3


def test_a_metric_of_an_environment_keeps_its_tier_where_one_of_all_has_its_name() -> None:
    assert {name: known_metrics("deliberation")[name][0] for name in METRICS["deliberation"]} == dict.fromkeys(
        METRICS["deliberation"], "rows"
    )


def test_scenarios_name_metrics_of_any_environment(tmp_path: Path) -> None:
    run = play(tmp_path, TALK.replace("FACTS", "{a0: {f: the key is red}}") + "metrics: [coverage, leaks]\n")
    kept = json.loads((run.path / "metrics.json").read_text())
    assert list(kept) == ["coverage", "leaks", "leaky"]
    assert kept["coverage"]["events"] == ["0-1:1-2"]
    with pytest.raises(ScenarioError, match=r"metrics\.0: no metric 'p_correct'"):
        check_metrics("talk", ["p_correct"])


def test_rows_of_an_environment_stay_what_they_were(tmp_path: Path) -> None:
    run = play(tmp_path, HERD.replace("LOG", "full"))
    alone = evaluate("social_learning", (), run.rollouts(), 0)
    assert [result.name for result in alone] == run.metrics()["name"].to_list()
    assert alone[0].events == ("0-5:*",)
    assert set(METRICS["social_learning"]).isdisjoint(FLOW)


def test_numbers_that_json_cannot_hold_are_null_with_a_reason() -> None:
    row = json_row(mean_result("gain", [1.0, -math.inf], "bits").row())
    assert row["value"] is None
    assert row["reason"] == "1 of 2 values are infinite; value is -inf"
    json.dumps(row, allow_nan=False)
    assert mean_result("gain", [math.inf, -math.inf], "bits").value is None
    unknown = mean_result("gain", [1.0, math.inf - math.inf], "bits")
    assert (unknown.value, unknown.low, unknown.reason) == (None, None, "1 of 2 values are no numbers")


def test_names_of_events() -> None:
    assert name_events({0: [3, 1, 2, 7], 1: [1, 2, 3, 7], 4: [2], 5: []}) == ("0-1:1-3,7", "4:2")
    assert name_events([3, 0, 1]) == ("0-1,3:*",)


@pytest.mark.parametrize(
    ("questions", "is_said"), [(["q0", "q1", "q0", "q1"], True), (["q0", "q1", "q2", "q3"], False)]
)
def test_intervals_over_plays_of_a_few_items_say_that_they_hold_for_these(questions: list[str], is_said: bool) -> None:
    rows = pl.DataFrame({"rollout": [0, 1, 2, 3], "question": questions, "right": [True, True, False, True]})
    (result,) = evaluate("deliberation", ["p_right"], rows, 0)
    words = ", for these 2 items and not for others like them"
    assert result.estimator == "share, Wilson interval" + words * is_said

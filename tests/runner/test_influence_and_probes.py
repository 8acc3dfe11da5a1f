"""What moved a seat, and what seats believe when they are asked outside the run."""

import math
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.core import ModelRequest, RequestError
from tidings.metrics.facts import canonical
from tidings.runner.probes import calibrate
from tidings.spec.io import make_scenario


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def crowd(request: ModelRequest) -> dict[str, float]:
    """Says YES if anybody did (an OR of its inputs), and believes what it was told; others it takes for undecided."""
    text = request.messages[-1].content
    if request.kind == "choice":
        if "does a" in text:
            return {"red": 0.5, "blue": 0.5}
        is_red = "know this: red" in text
        return {"red": 0.9, "blue": 0.1} if is_red else {"red": 0.25, "blue": 0.75}
    if "value of code" in text:
        return {"red": 0.5, "blue": 0.5}
    has_heard = "said: YES" in text and "You said: YES" not in text
    if "What you know so far" in text and "know this:" in text:
        return {"YES": 1.0}
    return {"YES": 0.8, "no": 0.2} if has_heard else {"YES": 0.1, "no": 0.9}


def a_talk(tmp_path: Path, elicit: str = "auto") -> Any:
    code = {"values": ["red", "blue"]}
    scenario = make_scenario(
        {
            "name": "talk",
            "graph": {"kind": "complete", "n": 3},
            "models": {"m": {"use": "scripted/m", "law": "test_influence_and_probes:crowd"}},
            "agents": [
                {"kind": "llm", "model": "m", "count": 3, "temperature": 1.0, "elicit": elicit, "label_options": False}
            ],
            "environment": {
                "kind": "talk",
                "rounds": 2,
                "facts": {"a0": {"code": code}, "a1": {"other": code}},
            },
            "rollouts": {"count": 4, "seed": 3},
        }
    )
    return tidings.run(scenario, out=tmp_path)


def test_two_messages_that_say_the_same_share_what_leave_one_out_cannot_see(tmp_path: Path) -> None:
    """The OR game: without one of two equal messages nothing changes, without both everything."""
    run = a_talk(tmp_path)
    said = run.messages().filter(rollout=0).to_dicts()
    last = next(row for row in said if row["seat"] == "a2" and row["step"] == 2)
    rows = run.measure_influence(0, last["index"])
    by_method = {m: rows.filter(method=m)["value"].to_list() for m in ("loo", "shapley", "label")}
    p_all, p_none = (0.8, 0.1) if last["text"] == "YES" else (0.2, 0.9)
    whole = math.log2(p_all / p_none)
    assert by_method["loo"] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert by_method["shapley"] == pytest.approx([whole / 2, whole / 2], abs=1e-9)
    sources = {row["index"] for row in said if row["step"] == 1 and row["seat"] != "a2"}
    assert set(rows["source"]) == sources
    assert run.rows_beside("influence").height == rows.height
    run.measure_influence(0, last["index"])
    assert run.rows_beside("influence").height == rows.height, "measured again, kept once"
    results = {r.name: r for r in run.metric_results("message_influence")}
    assert results["influence_shapley"].value == pytest.approx(whole / 2)
    assert results["influence_leave_one_out"].value == pytest.approx(0.0, abs=1e-9)


def test_an_answer_after_silence_has_no_inputs(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    first = run.messages().filter(rollout=0)["index"][0]
    result = run.metric_results("message_influence")[0]
    assert (result.value, "tidings influence" in result.reason) == (None, True)
    with pytest.raises(RequestError, match="had heard nothing"):
        run.measure_influence(0, first)
    with pytest.raises(RequestError, match="no answer of a seat"):
        run.measure_influence(0, 0)


def test_probes_stand_outside_the_run_and_are_scored(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    before = {p: p.read_bytes() for name in ("events", "calls") for p in (run.path / name).rglob("*.jsonl")}
    rows = run.probe("code")
    assert before == {p: p.read_bytes() for name in ("events", "calls") for p in (run.path / name).rglob("*.jsonl")}
    assert rows.height == 12
    for row in rows.to_dicts():
        assert row["worlds"] == [canonical("red"), canonical("blue")]
        belief = dict(zip(row["worlds"], row["belief"], strict=True))
        assert row["gain_bits"] == pytest.approx(math.log2(belief[row["truth"]] / 0.5))
        assert row["brier"] == pytest.approx(2 * (1 - belief[row["truth"]]) ** 2)
        if row["seat"] == "a0":
            assert row["bayes"] == [float(world == row["truth"]) for world in row["worlds"]]
            assert row["regret_bits"] == pytest.approx(-math.log2(belief[row["truth"]]))
            assert row["expected_regret_bits"] == pytest.approx(row["regret_bits"])
        else:
            assert (row["bayes"], row["regret_bits"]) == (None, None), "no Bayes listener without measured messages"
    told = [row["belief"] for row in rows.to_dicts() if row["seat"] == "a0" and row["truth"] == canonical("red")]
    assert all(belief == pytest.approx([0.9, 0.1]) for belief in told)


def test_the_bayes_listener_hears_what_was_delivered(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    run.measure_density("code")
    rows = run.probe("code", seats=["a2"])
    assert rows["bayes"].to_list() == [pytest.approx([0.5, 0.5])] * 4, "a0 says YES whatever the code is"


def test_second_order_probes_ask_about_somebody_else(tmp_path: Path) -> None:
    rows = a_talk(tmp_path).probe("code", seats=["a1"], about="a0")
    assert rows["order"].to_list() == [2] * 4
    assert rows["about"].to_list() == ["a0"] * 4
    assert rows["belief"].to_list() == [[0.5, 0.5]] * 4
    assert rows["brier"].null_count() == 4


def test_a_seat_without_probabilities_says_so(tmp_path: Path) -> None:
    run = a_talk(tmp_path, "text")
    rows = run.probe("code", rollouts=[0])
    assert rows["belief"].null_count() == rows.height
    assert "without probabilities" in rows["reason"][0]
    for result in run.metric_results("belief_gain", "bayes_regret"):
        assert result.value is None
        assert "answers without probabilities" in result.reason


def test_wrong_probes_are_one_line(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    with pytest.raises(RequestError, match="no fact 'cod'"):
        run.probe("cod")
    with pytest.raises(RequestError, match="no seat 'a9'"):
        run.probe("code", seats=["a9"])


def test_calibration_takes_away_a_common_lean(tmp_path: Path) -> None:
    rows = a_talk(tmp_path).probe("code")
    fixed = calibrate(rows)
    assert fixed.height == rows.height
    columns = list(zip(*rows["belief"].to_list(), strict=True))
    means = [sum(column) / len(column) for column in columns]
    first = rows["belief"][0].to_list()
    scaled = [p / m for p, m in zip(first, means, strict=True)]
    assert fixed["belief"][0].to_list() == pytest.approx([p / sum(scaled) for p in scaled])
    for row in fixed.iter_rows(named=True):
        right = row["belief"][row["worlds"].index(row["truth"])]
        assert row["gain_bits"] == pytest.approx(math.log2(right * len(row["worlds"])))
        assert row["brier"] == pytest.approx(sum(p * p for p in row["belief"]) - 2 * right + 1)

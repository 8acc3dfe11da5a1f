"""A model as detector of claims: what it reads goes into the ledger, how often it is right beside every number."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.core import DataError, ModelRequest, ScenarioError
from tidings.models.scripted import ScriptedModel
from tidings.spec.io import make_scenario

LABELLED = Path(__file__).parents[1] / "fixtures" / "flow" / "labelled_messages.jsonl"
SAID = ("Not that boring colour, the other one.", "The code is blue.", "Lovely weather.")
"""Red in a paraphrase that no search for words can see, and two that it can."""


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def reader(request: ModelRequest) -> dict[str, float]:
    """Understands the paraphrase with .9, and words with 1."""
    text = request.messages[-1].content
    message = text.split("Message: ")[1].split("\n")[0]
    labels = {option: label for label, option in re.findall(r"^([A-Z])\W+(.*)$", text, re.MULTILINE)}
    says = {SAID[0]: {"It says: red": 0.9, "It says: blue": 0.1}, SAID[1]: {"It says: blue": 1.0}}
    law = says.get(message, {"The message says nothing about it.": 1.0})
    return {labels[option]: p for option, p in law.items()}


def a_talk(tmp_path: Path, use: str = "scripted/judge", value: str = "red", **judge: Any) -> Any:
    rule = {"law": "test_judge:reader"} if use == "scripted/judge" else {}
    code = {"values": ["red", "blue"], "value": value, "variable": "code"}
    scripted = [{"kind": "scripted", "nodes": [f"a{i}"], "policy": "talk", "text": text} for i, text in enumerate(SAID)]
    scenario = make_scenario(
        {
            "name": "judged",
            "graph": {"kind": "complete", "n": 3},
            "models": {"judge": {"use": use, **rule, **judge}},
            "agents": scripted,
            "environment": {"kind": "talk", "rounds": 1, "facts": {"a0": {"code": code}}},
            "rollouts": {"count": 2, "seed": 3},
        }
    )
    return tidings.run(scenario, out=tmp_path)


def test_what_a_judge_reads_goes_into_the_ledger_beside_the_run(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    before = {p: p.read_bytes() for p in (run.path / "events").rglob("*.jsonl")}
    false = {r.name: r for r in run.metric_results("false_claims")}["false_claims"]
    assert false.value == 1.0, "the search for words finds the false claim alone"
    rows = run.judge("judge")
    assert before == {p: p.read_bytes() for p in before}
    assert run.calls().is_empty()
    found = rows.filter(rows["fact"].is_not_null())
    said = {(r, i): text for r, i, text in run.messages().select("rollout", "index", "text").rows()}
    read = [(said[r["rollout"], r["index"]], r["value"], r["polarity"], r["confidence"]) for r in found.to_dicts()]
    assert read == [(SAID[0], '"red"', 1, 0.9), (SAID[1], '"blue"', 1, 1.0)] * 2
    assert set(found["detector"]) == {"judge:scripted/judge"}
    result = run.metric_results("false_claims")[0]
    assert result.value == 0.5
    assert "judge:scripted/judge (precision and recall not measured)" in result.estimator
    calls = (run.path / "rows" / "calls").glob("*.jsonl")
    size = sum(p.stat().st_size for p in calls)
    run.judge("judge")
    assert sum(p.stat().st_size for p in (run.path / "rows" / "calls").glob("*.jsonl")) == size, "nothing is paid twice"


def test_the_judge_is_not_told_which_value_is_true(tmp_path: Path) -> None:
    asked: set[str] = set()
    for value in ("red", "blue"):
        run = a_talk(tmp_path / value, value=value)
        run.judge("judge")
        lines = [line for p in (run.path / "rows" / "calls").glob("*.jsonl") for line in p.read_text().splitlines()]
        said = [json.loads(line)["request"]["messages"][-1][1].split("Message: ")[1] for line in lines]
        asked |= {text.partition("\n")[2] for text in said}
    assert len(asked) == 1, "the same words whatever the message, the sender and the value"
    assert "It says: blue" in asked.pop()


def test_what_a_judge_left_unanswered_is_counted_and_told(tmp_path: Path) -> None:
    run = a_talk(tmp_path, failures=[{"kind": "refusal", "times": None}], retries=0)
    rows = run.judge("judge")
    assert rows["fact"].null_count() == rows.height == 2
    assert rows["n_failed"].to_list() == [3, 3]
    result = run.metric_results("false_claims")[0]
    assert result.value == 1.0, "the search for words still counts"
    assert "6 of 6 questions unanswered" in result.estimator


def test_a_measured_judge_is_published_with_every_number(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    file = tmp_path / "labelled.jsonl"
    facts = {"facts": [{"fact": "code", "value": "red", "domain": ["red", "blue"], "variable": "code"}]}
    messages = [
        {"text": SAID[0], "claims": [["code", "red", 1]]},
        {"text": SAID[1], "claims": [["code", "blue", -1]]},
        {"text": "Azure is the word.", "claims": [["code", "blue", 1]]},
        {"text": SAID[2], "claims": []},
        {"text": "It is red.", "side": [], "claims": []},
    ]
    file.write_text("\n".join(map(json.dumps, [facts, *messages])))
    run.judge("judge", labelled=file)
    quality = run.rows_beside("judges").to_dicts()
    assert quality == [
        {"detector": "judge:scripted/judge", "precision": 0.5, "recall": pytest.approx(1 / 3), "n": 4, "n_failed": 0}
    ]
    words = "judge:scripted/judge (precision 0.50, recall 0.33 on 4 labelled messages)"
    for result in run.metric_results("coverage", "false_claims", "leaks"):
        assert words in result.estimator


def test_a_model_without_probabilities_answers_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_talk(tmp_path)
    monkeypatch.setattr(ScriptedModel, "kinds", property(lambda self: frozenset(("text",))))
    rows = run.judge("judge").drop_nulls("fact")
    assert rows["value"].to_list() == ['"red"', '"blue"'] * 2
    assert all(math.isnan(confidence) for confidence in rows["confidence"]), "no probability is no certainty"


def test_wrong_requests_are_one_line(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    with pytest.raises(ScenarioError, match="no model 'jugde'; allowed: judge; did you mean 'judge'"):
        run.judge("jugde")
    with pytest.raises(DataError, match="cannot be read as labelled messages"):
        run.judge("judge", labelled=tmp_path / "none.jsonl")
    assert run.rows_beside("claims").is_empty()


@pytest.mark.real_model
def test_smollm2_reads_a_few_messages(tmp_path: Path) -> None:
    """It is a weak judge; here it is only seen that everything is real: probabilities, rows, its measured quality."""
    run = a_talk(tmp_path, use="transformers/smollm2")
    head, *rest = LABELLED.read_text().splitlines()
    few = tmp_path / "few.jsonl"
    facts = [fact for fact in json.loads(head)["facts"] if fact["fact"] == "code"]
    few.write_text("\n".join([json.dumps({"facts": facts}), *rest[:2]]))
    rows = run.judge("judge", labelled=few)
    assert rows.filter(rows["fact"].is_null())["n_failed"].to_list() == [0, 0]
    assert all(0 < confidence <= 1 for confidence in rows.drop_nulls("fact")["confidence"])
    (quality,) = run.rows_beside("judges").to_dicts()
    assert (quality["detector"], quality["n"], quality["n_failed"]) == ("judge:transformers/smollm2", 2, 0)
    assert "judge:transformers/smollm2 (" in run.metric_results("coverage")[0].estimator

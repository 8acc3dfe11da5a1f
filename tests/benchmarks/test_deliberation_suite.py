"""The suite `deliberation` on a scripted model: matched calls, failures apart, tests, resuming, pools, and its data."""

import json
import math
from pathlib import Path
from typing import Any

import deliberation_answers
import polars as pl
import pytest
from typer.testing import CliRunner

from tidings.benchmarks.asymmetry import data_source
from tidings.benchmarks.deliberation.data import DATA_VARIABLE, load_items
from tidings.benchmarks.deliberation.methods import METHODS, QUICK, Pool, scenario_of
from tidings.benchmarks.deliberation.scores import score_method
from tidings.benchmarks.deliberation.suite import DeliberationReport, play_methods, run_deliberation
from tidings.benchmarks.question_formats import load_questions
from tidings.benchmarks.statistics import holm
from tidings.cli.main import app
from tidings.core import DataError, RequestError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "questions"
ITEMS = [{"id": f"q{i}", "kind": "number", "text": f"What is {i}?", "gold": ["4"]} for i in range(4)]
REFUSED = {"kind": "refusal", "seat": "a2", "times": None}


def pool(*failures: dict[str, Any], models: int = 1, agents: int = 4) -> Pool:
    how = {"function": "deliberation_answers:answer", "failures": list(failures)}
    return Pool(tuple(f"scripted/x{i}" for i in range(models)), agents, 1, {"max_tokens": 32}, how)


def play(out: Path, *failures: dict[str, Any], names: tuple[str, ...] = QUICK, seeds: int = 3) -> DeliberationReport:
    return play_methods(names, pool(*failures), ITEMS, {"questions": "ours"}, out, seeds)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> DeliberationReport:
    return play(tmp_path_factory.mktemp("suite"), REFUSED)


def test_self_consistency_makes_the_calls_of_self_organising_question_by_question(report: DeliberationReport) -> None:
    calls = {score.name: score.rows.sort("rollout")["calls"].to_list() for score in report.scores}
    assert calls["self_consistency"] == calls["self_organising"]
    assert len(calls["self_consistency"]) == len(ITEMS) * 3
    assert set(calls["single"]) == {1}
    assert max(calls["debate"]) == 4 + 3, "four first answers, and one more of the three seats that gave one"


def test_wrong_unreadable_and_failed_are_three_numbers(report: DeliberationReport) -> None:
    by_name = {score.name: score for score in report.scores}
    debate = by_name["debate"]
    assert debate.n_failed_answers == 12, "the refusal of every rollout, and nothing else"
    assert debate.unparsable == pytest.approx(1 / 3), "a3 among the three whose answers stand"
    # a1 is right, a0 only in every fourth rollout, which is question 0; else the two differ and the first one wins.
    assert debate.outcomes == {"right": 3, "wrong": 9}
    assert debate.accuracy is not None
    assert debate.accuracy.mean == pytest.approx(3 / 12)
    assert all(score.n_failed == 0 for score in report.scores)
    lost = by_name["single"].outcomes
    assert sum(lost.values()) == 12


def test_all_answers_failed_is_no_answer_and_no_wrong_one(tmp_path: Path) -> None:
    found = play(tmp_path, {"kind": "refusal", "times": None}, names=("single",), seeds=1)
    (score,) = found.scores
    assert score.outcomes == {"no_answer": 4}
    assert (score.n_failed_answers, score.accuracy and score.accuracy.mean) == (4, 0.0)
    assert score.unparsable != score.unparsable, "no answer stands, so no share of them is unreadable"
    assert found.to_json()["methods"][0]["unparsable"] is None


def test_costs_are_those_of_the_questions_with_an_outcome(tmp_path: Path) -> None:
    (whole,) = play(tmp_path, names=("single",), seeds=1).scores
    folder = next(tmp_path.glob("single-*"))
    log = next(folder.glob("events/*.jsonl"))
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(line for line in lines if b'"rollout":0' in line))
    cut = score_method("single", folder, 4, 4)
    assert (cut.n_failed, cut.calls, cut.model_calls) == (3, 1.0, 1.0)
    assert cut.tokens == pytest.approx(whole.tokens, rel=0.05), "not the calls of all four over the one that ended"
    log.write_bytes(b"")
    gone = score_method("single", folder, 4, 4)
    assert all(math.isnan(cost) for cost in (gone.calls, gone.model_calls, gone.tokens, gone.depth))


def test_every_method_is_tested_against_matched_self_consistency(report: DeliberationReport) -> None:
    assert [test.name for test in report.tests] == ["self_organising", "single", "debate"]
    assert [test.p_holm for test in report.tests] == list(holm([test.p for test in report.tests]))
    assert {test.p_mcnemar for test in report.tests} == {None}, "three seeds of a question are no three questions"
    means = {score.name: score.accuracy.mean for score in report.scores if score.accuracy}
    for test in report.tests:
        assert test.difference.mean == pytest.approx(means[test.name] - means["self_consistency"])
        assert test.difference.n_questions == len(ITEMS)
    text = report.text()
    assert "| debate | 0.250" in text
    assert "## Against self-consistency at equal calls" in text
    assert "for a look, not for claims" in text


def test_one_seed_has_mcnemar(tmp_path: Path) -> None:
    found = play(tmp_path, seeds=1)
    assert all(test.p_mcnemar is not None for test in found.tests)


def test_a_cut_run_goes_on_and_what_is_done_is_not_played_again(tmp_path: Path) -> None:
    whole = play(tmp_path, names=QUICK[:2])
    first, second = (next(tmp_path.glob(f"{name}-*")) for name in QUICK[:2])
    before = {path: path.read_bytes() for folder in (first, second) for path in folder.glob("events/*.jsonl")}
    cut = next(second.glob("events/*.jsonl"))
    lines = cut.read_bytes().splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[: len(lines) // 3]))
    status = json.loads((second / "status.json").read_text())
    (second / "status.json").write_text(json.dumps(status | {"status": "interrupted"}))
    del deliberation_answers.CALLS[:]
    again = play(tmp_path, names=QUICK[:2])
    assert {path: path.read_bytes() for path in before} == before
    assert deliberation_answers.CALLS == [], "the record answers, nothing is paid twice"
    assert again.to_json() == whole.to_json()
    play(tmp_path, REFUSED, names=("single",))
    assert deliberation_answers.CALLS, "another pool is another run"


def test_a_mixed_pool_is_dealt_round_robin(tmp_path: Path) -> None:
    spec = scenario_of(METHODS["debate"], pool(models=2, agents=5), "items.jsonl", 4, 0)
    assert {agent["model"]: agent["nodes"] for agent in spec["agents"]} == {
        "m0": ["a0", "a2", "a4"],
        "m1": ["a1", "a3"],
    }
    assert [model["use"] for model in spec["models"].values()] == ["scripted/x0", "scripted/x1"]
    found = play_methods(("debate",), pool(models=2), ITEMS, {}, tmp_path, 1)
    assert found.scores[0].calls == 8
    few = scenario_of(METHODS["single"], pool(models=3, agents=2), "items.jsonl", 4, 0)
    assert [agent["nodes"] for agent in few["agents"]] == [["a0"], ["a1"]], "no seat for the third model"


def test_the_command_plays_a_local_file_and_says_which(tmp_path: Path) -> None:
    sizes = ["--items", "2", "--seeds", "1", "--agents", "2", "--rounds", "1"]
    place = ["--data", f"gsm8k:{FIXTURES / 'gsm8k.jsonl'}", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, ["bench", "deliberation", "--model", "scripted/x", *place, *sizes, "--json"])
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert (found["n_items"], found["n_seeds"], len(found["methods"])) == (2, 1, 4)
    assert len(found["about"]["SHA-256 of the source"]) == 64


def test_a_suite_without_a_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="--model"):
        run_deliberation(None, tmp_path, is_full=False)


@pytest.mark.parametrize("kind", ["aqua", "gsm8k", "humaneval", "mmlu", "svamp"])
def test_every_format_becomes_items(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = {"mmlu": "mmlu", "svamp": "svamp.json"}.get(kind, f"{kind}.jsonl")
    monkeypatch.setenv(DATA_VARIABLE, f"{kind}:{FIXTURES / path}")
    rows, about = load_items(None, 2)
    assert 1 <= len(rows) <= 2
    assert all(row["id"].startswith(f"{kind}/") for row in rows)
    assert all(("tests" in row) == (kind == "humaneval") and ("gold" in row) != ("tests" in row) for row in rows)
    assert about["questions"].startswith(f"{kind}:")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("gsm8k:missing.jsonl", "no such file"),
        ("mmlu:missing", "need an existing file"),
        ("gsm9k:x", "did you mean"),
        ("gsm8k", "FORMAT:PATH"),
        ("gsm8k:hf:nonsense", "hf:owner/name"),
        ("gsm8k:BROKEN", "is no JSON"),
        ("gsm8k:WRONG", "field 'answer'"),
        ("gsm8k:EMPTY", "found no question"),
        ("gsm8k:torn.parquet", "is no Parquet"),
        ("gsm8k:test-00000-of-00002.parquet", "one of 2 parts"),
    ],
)
def test_wrong_data_are_one_line(tmp_path: Path, named: str, message: str) -> None:
    (tmp_path / "BROKEN").write_text("{")
    (tmp_path / "WRONG").write_text('{"question": "1 + 1?"}')
    (tmp_path / "EMPTY").write_text("")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    (tmp_path / "test-00000-of-00002.parquet").write_bytes(b"PAR1")
    kind, mark, path = named.partition(":")
    place = path if path.startswith("hf:") else str(tmp_path / path)
    with pytest.raises(DataError) as raised:
        load_items(kind + mark + (place if mark else ""), None)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


HUB = {
    "gsm8k": ("main", {"question": ["1 + 1?"], "answer": ["It is 2.\n#### 2"]}),
    "aqua": (
        "raw",
        {"question": ["1 + 1?"], "options": [["A)2", "B)3"]], "rationale": ["because"], "correct": ["A"]},
    ),
    "mmlu": ("all", {"question": ["1 + 1?"], "subject": ["sums"], "choices": [["2", "3", "4", "5"]], "answer": [0]}),
    "humaneval": (
        "openai_humaneval",
        {
            "task_id": ["HumanEval/7"],
            "prompt": ["def two():\n"],
            "canonical_solution": ["    return 2\n"],
            "test": ["def check(f):\n    assert f() == 2\n"],
            "entry_point": ["two"],
        },
    ),
}
"""Format -> folder of the configuration and columns, as the hub stores them."""


@pytest.mark.parametrize("kind", HUB)
def test_a_snapshot_of_the_hub_is_read(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, columns = HUB[kind]
    (tmp_path / folder).mkdir()
    pl.DataFrame(columns).write_parquet(tmp_path / folder / "test-00000-of-00001.parquet")
    if kind == "mmlu":
        (tmp_path / "abstract").mkdir()
        (tmp_path / "abstract" / "test-00000-of-00001.parquet").write_bytes(b"one subject of many")
    monkeypatch.setattr(data_source, "fetch_snapshot", lambda repository: tmp_path)
    (row,), about = load_items(f"{kind}:hf:owner/name", None)
    gold = row["tests"] if kind == "humaneval" else row["gold"]
    assert gold == {"gsm8k": ["2"], "humaneval": columns.get("test", [""])[0]}.get(kind, ["A"])
    assert "because" not in str(row)
    assert "return" not in str(row).replace(str(gold), "")
    assert about["questions"] == f"{kind}:hf:owner/name"
    assert len(load_questions(kind, tmp_path / folder / "test-00000-of-00001.parquet")) == 1


def test_a_label_that_names_no_option_is_refused(tmp_path: Path) -> None:
    for right in (-1, 4):
        pl.DataFrame(HUB["mmlu"][1] | {"answer": [right]}).write_parquet(tmp_path / "x.parquet")
        with pytest.raises(DataError, match="need 0, 1, 2 or 3"):
            load_questions("mmlu", tmp_path / "x.parquet")

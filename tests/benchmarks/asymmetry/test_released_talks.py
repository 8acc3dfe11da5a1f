"""The released forms of Needle in the Persona and FriendsTV, on self-written lines: read, played, refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tidings.benchmarks.asymmetry.friends_released import load_friends
from tidings.benchmarks.asymmetry.informative_suite import run_informative
from tidings.benchmarks.asymmetry.needle_released import load_needles
from tidings.benchmarks.asymmetry.records import is_visible_to
from tidings.core import DataError, RequestError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "asymmetry"
NEEDLES, FRIENDS = FIXTURES / "needle_2hop.jsonl", FIXTURES / "friends" / "FriendsComQA.jsonl"


def test_needles_are_read_as_they_were_said() -> None:
    tasks = load_needles(NEEDLES)
    problem = tasks.problems[0]
    assert [gold.value for gold in tasks.golds] == ["tin kites", "night swims"]
    assert [(item.owner, item.hearers, item.text) for item in problem.items] == [
        ("A", ("B",), "Morning, Bob!"),
        ("B", ("A",), "Hello there."),
        ("A", ("B",), "I mend tin kites at the weekend. It is a long story."),
        ("C", ("D",), "How are you?"),
        ("D", ("C",), "My shelf is full of tin kites."),
        ("B", ("C",), "Any news?"),
        ("C", ("B",), "None at all."),
    ]
    assert problem.questions[0].asked == ("B", "C")
    assert "SECRET" not in repr(tasks)


def test_friends_lines_are_heard_by_all_their_hearers_and_once() -> None:
    tasks = load_friends(FRIENDS)
    (problem,) = tasks.problems
    names = {person.id: person.name for person in problem.people}
    lines = [(names[item.owner], [names[p] for p in item.hearers], item.text) for item in problem.items]
    assert lines[0] == ("una", ["vik", "wes"], "The boat key is under the mat.")
    assert lines[3] == ("xan", [], "I should not talk to myself.")
    assert len(lines) == 5
    assert {tuple(sorted((names[r.a], names[r.b]))) for r in problem.relations} == {
        ("una", "vik"),
        ("una", "wes"),
        ("wes", "yul"),
        ("xan", "yul"),
    }
    (question,) = problem.questions
    assert [names[person] for person in question.asked] == ["vik", "yul"]
    assert tasks.golds[0].value == "the blue hut"
    by_id = {item.fact: item for item in problem.items}
    for person, facts in zip(question.asked, question.evidence, strict=True):
        assert facts
        assert all(is_visible_to(by_id[fact], person) for fact in facts)
    assert "SECRET" not in repr(tasks)


@pytest.mark.parametrize("file", [NEEDLES, FRIENDS], ids=["needle", "friends"])
def test_a_model_plays_them_and_a_judge_reads_the_answers(file: Path, tmp_path: Path) -> None:
    report = run_informative("scripted/x", tmp_path, is_full=False, data=str(file), judge="scripted/judge")
    (part,) = report.sets
    assert part.mean("constant") == 0.0
    assert "exact, full" not in [row.name for row in part.rows], "no exact reader reads free text"
    assert "CC BY-NC" in report.notes[0]
    assert len(report.judged) == 1
    assert part.barrier["talk"].n_prompts > 0
    assert not any(scan.leaks for scan in part.barrier.values())
    texts = [path.read_text() for path in tmp_path.rglob("*.jsonl")]
    assert texts
    assert not any("SECRET" in text for text in texts)


def test_free_text_without_a_model_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match="free text, which no perfect reader reads; a model that plays; give --model"
    ):
        run_informative(None, tmp_path, is_full=False, data=str(NEEDLES))


def changed(path: Path, folder: Path, **fields: Any) -> Path:
    """Returns a copy of a file whose first line has other fields; None takes a field away."""
    row = json.loads(path.read_text().splitlines()[0]) | fields
    copy = folder / path.name
    copy.write_text(json.dumps({name: value for name, value in row.items() if value is not None}))
    return copy


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"answer": None}, "missing required field `answer`"),
        ({"answer": " "}, "answer: found it blank"),
        ({"chat_bob_charlie": "Eve: hello"}, "chat_bob_charlie: first turn 'Eve: hello'; turns that begin with bob:"),
        ({"chat_bob_charlie": ""}, "chat_bob_charlie: found no turn"),
    ],
)
def test_malformed_needles_are_one_line(fields: dict[str, Any], found: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=found) as caught:
        load_needles(changed(NEEDLES, tmp_path, **fields))
    assert "needle_2hop.jsonl:1" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_needle_that_comes_twice_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "needle.jsonl"
    path.write_text(NEEDLES.read_text() * 2)
    with pytest.raises(DataError, match=r"needle\.jsonl:3: id: found '0' again"):
        load_needles(path)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"generated_question": None}, "missing required field `generated_question`"),
        ({"answer": ""}, "answer: found it blank"),
        ({"QA1_third_party": ["nobody"]}, "QA1_third_party: found .'nobody'."),
        ({"QA1_third_party": ["wes"], "QA2_third_party": ["wes"]}, "QA2_third_party: found .'wes'."),
        ({"QA2_third_party": ["una"]}, "una heard no line of the script that Q_1_A_0 rests on"),
    ],
)
def test_malformed_friends_are_one_line(fields: dict[str, Any], found: str, tmp_path: Path) -> None:
    shutil.copy(FRIENDS.with_name("s01.csv"), tmp_path)
    with pytest.raises(DataError, match=found) as caught:
        load_friends(changed(FRIENDS, tmp_path, **fields))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (None, "beside FriendsComQA.jsonl"),
        ("sender,message\na,b\n", "found columns sender, message|s01.csv: columns sender, message"),
        ("sender,receiver,message\nUna,,hello\n", "s01.csv:2: found"),
    ],
)
def test_a_script_that_is_missing_or_malformed_is_one_line(script: str | None, found: str, tmp_path: Path) -> None:
    shutil.copy(FRIENDS, tmp_path)
    if script is not None:
        (tmp_path / "s01.csv").write_text(script)
    with pytest.raises(DataError, match=found):
        load_friends(tmp_path / FRIENDS.name)


@pytest.mark.parametrize("load", [load_needles, load_friends])
def test_a_wrong_path_is_one_line(load: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load(tmp_path / "no.jsonl")

"""The released form of FriendsTV: the annotated script and its two-hop questions, two files in one folder.

The script (`s*.csv`) has one row for each speaker and hearer of a line, with the columns `sender`, `receiver` and
`message`; rows of the same speaker and message that follow each other are one line. The questions
(`FriendsComQA.jsonl`) name for each of two evidence lines who heard it and not the other (`QA1_third_party`,
`QA2_third_party`). Which of them the original asked is not recorded: here the first by name of the first group asks,
and the first by name of the second group is the partner. `reason1`, `reason2`, `context`, `QA1` and `QA2` give the
solution away and are never shown. No line of the script is part of tidings.

Source: the fields that the release's own `make_qa_dataset.py` writes (github.com/thinkwee/iAgents); arXiv 2406.14928.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from tidings.benchmarks.asymmetry.records import Gold, Person, PrivateItem, Problem, Question, Relation, TaskSet
from tidings.benchmarks.asymmetry.sources import convert_record, file_sha256, read_json_lines, require_file
from tidings.core.errors import DataError

__all__ = ["QUESTIONS", "load_friends"]

QUESTIONS = "FriendsComQA.jsonl"
_SCRIPTS = "s[0-9]*.csv"
_COLUMNS = ("sender", "receiver", "message")


class _Evidence(msgspec.Struct):
    rationale_utterance: str
    related_qas: list[str]


class _Pair(msgspec.Struct):
    idx: str


class _Row(msgspec.Struct):
    generated_question: str
    answer: str
    QA1_third_party: list[str]
    QA2_third_party: list[str]
    rationale_list: list[_Evidence]
    QA1: _Pair
    QA2: _Pair


def load_friends(path: Path | str) -> TaskSet:
    """Returns one problem with all questions.

    Args:
        path: The questions of your own; the annotated script lies beside them.

    Raises:
        DataError: A file is missing or malformed, or a question's evidence is in no line that its side heard.
    """
    questions = require_file(path, f"{QUESTIONS} of FriendsTV")
    scripts = sorted(questions.parent.glob(_SCRIPTS))
    if not scripts:
        raise DataError(
            str(questions.parent), f"no {_SCRIPTS} beside {questions.name}", "the annotated script", "add it"
        )
    rows = [row for script in scripts for row in _read_script(script)]
    ids = {name: f"p{i}" for i, name in enumerate(sorted({name for a, b, _ in rows for name in (a, b)}))}
    items = _lay_items(rows, ids)
    relations = sorted({tuple(sorted((ids[a], ids[b]))) for a, b, _ in rows if a != b})
    asked: list[Question] = []
    golds: list[Gold] = []
    for where, value in read_json_lines(questions, f"{QUESTIONS} of FriendsTV"):
        row = convert_record(value, _Row, where)
        question = _read_question(row, len(asked), ids, items, where)
        asked.append(question)
        golds.append(Gold(question.id, "exact", row.answer.strip()))
    people = tuple(Person(person, name) for name, person in ids.items())
    edges = tuple(Relation(a, b) for a, b in relations)
    problem = Problem("friends", people, items, edges, tuple(asked))
    version = f"source:{file_sha256(questions)}"
    return TaskSet("friends", "released", 0, version, (problem,), tuple(golds))


def _read_script(path: Path) -> list[tuple[str, str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [column for column in _COLUMNS if column not in (reader.fieldnames or ())]:
            found = f"columns {', '.join(reader.fieldnames or ()) or 'none'}"
            raise DataError(str(path), found, f"columns {', '.join(_COLUMNS)}", f"add {', '.join(missing)}")
        rows = [(reader.line_num, [(row[column] or "").strip() for column in _COLUMNS]) for row in reader]
    for line, row in rows:
        if not all(row):
            raise DataError(f"{path}:{line}", f"found {row!r}", "a sender, a receiver and a message", "check the row")
    return [(_fold(row[0]), _fold(row[1]), row[2]) for _, row in rows]


def _lay_items(rows: Iterable[tuple[str, str, str]], ids: Mapping[str, str]) -> tuple[PrivateItem, ...]:
    lines: list[tuple[str, str, list[str]]] = []
    for sender, receiver, message in rows:
        if not lines or lines[-1][:2] != (sender, message):
            lines.append((sender, message, []))
        if receiver != sender and receiver not in lines[-1][2]:
            lines[-1][2].append(receiver)
    return tuple(
        PrivateItem(f"m{i}", ids[speaker], text, i, tuple(ids[name] for name in hearers), "script")
        for i, (speaker, text, hearers) in enumerate(lines)
    )


def _read_question(
    row: _Row, number: int, ids: Mapping[str, str], items: Iterable[PrivateItem], where: str
) -> Question:
    for name in ("generated_question", "answer"):
        if not getattr(row, name).strip():
            raise DataError(f"{where}: {name}", "found it blank", "text", "check the line")
    asked: list[str] = []
    evidence: list[tuple[str, ...]] = []
    for name, group, pair in (("QA1", row.QA1_third_party, row.QA1), ("QA2", row.QA2_third_party, row.QA2)):
        known = sorted(folded for folded in map(_fold, group) if folded in ids and ids[folded] not in asked)
        if not known:
            raise DataError(f"{where}: {name}_third_party", f"found {group!r}", "somebody of the script", "check it")
        said = [_squeeze(e.rationale_utterance) for e in row.rationale_list if pair.idx in e.related_qas]
        person = ids[known[0]]
        facts = [item for item in items if _squeeze(item.text) in said and person in (item.owner, *item.hearers)]
        if not facts:
            found = f"{known[0]} heard no line of the script that {pair.idx} rests on"
            raise DataError(f"{where}: rationale_list", found, "a line this person said or heard", "check the script")
        asked.append(person)
        evidence.append(tuple(item.fact for item in facts))
    text = row.generated_question.strip()
    question_id = f"friends-{number}"
    return Question(question_id, question_id, "released-friends", tuple(asked), "pair", text, (), tuple(evidence))


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _squeeze(text: str) -> str:
    return "".join(text.casefold().split())

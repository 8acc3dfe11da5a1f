"""The released form of Needle in the Persona (JSON lines), read into the same problems as ours.

Each line holds three conversations (Alice and Bob, Charlie and Dave, Bob and Charlie), a question and a short answer.
`needle_detail` gives the solution away and is never read. What a side's evidence is, the format does not say; answers
are free text, which no exact reader reads.

Source: the fields that the release's own `needle_2hop.py` writes (github.com/thinkwee/iAgents); arXiv 2406.14928.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from tidings.benchmarks.asymmetry.records import Gold, Person, PrivateItem, Problem, Question, Relation, TaskSet
from tidings.benchmarks.asymmetry.sources import convert_record, file_sha256, read_json_lines
from tidings.core.errors import DataError

__all__ = ["load_needles"]

_WHAT = "a Needle-in-the-Persona file (JSON lines)"
_NAMES = {"A": "Alice", "B": "Bob", "C": "Charlie", "D": "Dave"}


class _Row(msgspec.Struct):
    id: int | str
    modified_alice_bob_conversation: str
    modified_charlie_dave_conversation: str
    chat_bob_charlie: str
    task_prompt: str
    answer: str


def load_needles(path: Path | str) -> TaskSet:
    """Returns the problems of a file of your own, one question each, put to Bob and Charlie.

    Raises:
        DataError: The file is missing or a line is malformed; the error names the line.
    """
    problems: list[Problem] = []
    golds: list[Gold] = []
    for where, value in read_json_lines(path, _WHAT):
        row = convert_record(value, _Row, where)
        problem = _read_row(row, where)
        if any(problem.id == known.id for known in problems):
            raise DataError(f"{where}: id", f"found {row.id!r} again", "each id once", "check the file")
        problems.append(problem)
        golds.append(Gold(problem.id, "exact", row.answer.strip()))
    return TaskSet("needle", "released", 0, f"source:{file_sha256(path)}", tuple(problems), tuple(golds))


def _read_row(row: _Row, where: str) -> Problem:
    for name in ("task_prompt", "answer"):
        if not getattr(row, name).strip():
            raise DataError(f"{where}: {name}", "found it blank", "text", "check the line")
    chats = (
        ("A", "B", "modified_alice_bob_conversation"),
        ("C", "D", "modified_charlie_dave_conversation"),
        ("B", "C", "chat_bob_charlie"),
    )
    items: list[PrivateItem] = []
    for first, second, field in chats:
        for speaker, text in _read_chat(getattr(row, field), (first, second), f"{where}: {field}"):
            hearer = second if speaker == first else first
            items.append(PrivateItem(f"m{len(items)}", speaker, text, len(items), (hearer,), f"{first}-{second}"))
    problem_id = f"needle-released-{row.id}"
    question = Question(problem_id, problem_id, "released-needle", ("B", "C"), "pair", row.task_prompt.strip())
    people = tuple(Person(person, name) for person, name in _NAMES.items())
    relations = tuple(Relation(a, b) for a, b, _ in chats)
    return Problem(problem_id, people, tuple(items), relations, (question,))


def _read_chat(text: str, chat: tuple[str, str], where: str) -> list[tuple[str, str]]:
    """Returns (person, sentence) of each turn; a line without a name goes on with the turn before."""
    names = {_NAMES[person].casefold(): person for person in chat}
    turns: list[tuple[str, str]] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        match = re.fullmatch(rf"\W*({'|'.join(names)})\W*:\W*(.*)", line, re.IGNORECASE)
        if match and match[2]:
            turns.append((names[match[1].casefold()], match[2]))
        elif turns:
            turns[-1] = (turns[-1][0], f"{turns[-1][1]} {line}")
        else:
            allowed = f"turns that begin with {' or '.join(f'{name}:' for name in names)}"
            raise DataError(where, f"first turn {line[:40]!r}", allowed, "check the line")
    if not turns:
        raise DataError(where, "found no turn", "a conversation", "check the line")
    return turns

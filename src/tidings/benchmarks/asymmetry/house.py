"""A task set as the environment `collaboration` plays it: an items file, an archive, and the edges of the graph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tidings.benchmarks.asymmetry.answers import write_answer
from tidings.benchmarks.asymmetry.records import PUBLIC, Gold, Problem, Question, TaskSet
from tidings.core import ArchiveLine
from tidings.core.errors import DataError
from tidings.spec.archive import archive_line_json

__all__ = ["archive_of", "edges_of", "item_of", "items_of", "write_archive", "write_items"]


def items_of(tasks: TaskSet, *, has_archive: bool = False) -> list[dict[str, Any]]:
    """Returns one item for each question, in order.

    Args:
        tasks: The set.
        has_archive: Whether the private items lie in an archive instead of each item.
    """
    golds = tasks.gold_of()
    return [
        item_of(problem, question, golds[question.id], has_archive=has_archive)
        for problem in tasks.problems
        for question in problem.questions
    ]


def item_of(problem: Problem, question: Question, gold: Gold, *, has_archive: bool = False) -> dict[str, Any]:
    """Returns a question with what people hold, as a line of an items file.

    Raises:
        DataError: If the question is put to a whole group; such questions belong to another environment.
    """
    if question.mode == "group":
        raise DataError(question.id, "found mode 'group'", "pair or open")
    people = [person.id for person in problem.people]
    facts = [
        {
            "fact": item.fact,
            "owner": people[0] if item.owner == PUBLIC else item.owner,
            "text": item.text,
            "hearers": people[1:] if item.owner == PUBLIC else list(item.hearers),
            "time": item.time,
            "session": item.session,
        }
        for item in (() if has_archive else problem.items)
    ]
    return {
        "id": question.id,
        "group": question.group,
        "type": question.type,
        "question": question.text,
        "asked": list(question.asked),
        "mode": question.mode,
        "options": list(question.options),
        "names": {person.id: person.name for person in problem.people},
        "facts": facts,
        "evidence": [list(ids) for ids in question.evidence],
        "gold": write_answer(gold.kind, gold.value),
        "gold_kind": gold.kind,
        "catalogue": list(gold.catalogue),
    }


def archive_of(problem: Problem) -> list[ArchiveLine]:
    """Returns the private items of a problem as lines of an archive."""
    return [ArchiveLine(i.fact, float(i.time), i.session, i.owner, i.hearers, i.text) for i in problem.items]


def edges_of(problem: Problem) -> list[tuple[str, str]]:
    """Returns the relations of a problem as edges of a graph."""
    return [(relation.a, relation.b) for relation in problem.relations]


def write_items(path: Path, items: Sequence[Mapping[str, Any]]) -> None:
    """Writes an items file: one JSON object a line."""
    lines = (json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_archive(path: Path, lines: Iterable[ArchiveLine]) -> None:
    """Writes an archive: one JSON object a line."""
    path.write_text("".join(f"{archive_line_json(line)}\n" for line in lines), encoding="utf-8")

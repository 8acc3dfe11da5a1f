"""A task set as canonical JSON, with the hash that is printed beside every score."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import msgspec

from tidings.benchmarks.asymmetry.records import Answer, Gold, GoldKind, Problem, TaskSet
from tidings.core.errors import DataError

__all__ = ["from_json", "set_sha256", "to_json"]

FORMAT = "tidings-asymmetry-1"

_VALUE_TYPES: dict[str, Any] = {
    "integer": int,
    "names": tuple[str, ...],
    "spans": tuple[tuple[int, int], ...],
    "option": str,
    "exact": str,
    "assignment": tuple[tuple[int, int], ...],
}


class _StoredGold(msgspec.Struct, forbid_unknown_fields=True):
    question: str
    kind: GoldKind
    value: Any
    catalogue: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]


class _StoredSet(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    suite: str
    level: str
    seed: int
    version: str
    problems: tuple[Problem, ...]
    golds: tuple[_StoredGold, ...]


def to_json(tasks: TaskSet) -> str:
    """Returns a set as canonical JSON: sorted keys, no spaces, UTF-8 characters as they are."""
    content = {"format": FORMAT, **msgspec.to_builtins(tasks)}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def set_sha256(tasks: TaskSet) -> str:
    """Returns the SHA-256 of a set's canonical JSON, 64 hexadecimal digits."""
    return sha256(to_json(tasks).encode()).hexdigest()


def from_json(text: str, where: str = "task set") -> TaskSet:
    """Returns the set that `to_json` wrote.

    Args:
        text: The JSON.
        where: Named in errors, for example the file's path.

    Raises:
        DataError: Not JSON, of another format, or a question without exactly one gold.
    """
    try:
        stored = msgspec.json.decode(text, type=_StoredSet)
        golds = tuple(Gold(g.question, g.kind, _value(g), g.catalogue, g.table) for g in stored.golds)
    except msgspec.MsgspecError as error:
        raise DataError(where, str(error), f"expected the format {FORMAT}", "write it again with to_json") from None
    if stored.format != FORMAT:
        raise DataError(where, f"format {stored.format!r}", f"this version reads {FORMAT!r}", "generate it again")
    questions = sorted(question.id for problem in stored.problems for question in problem.questions)
    if questions != sorted(gold.question for gold in golds) or len(set(questions)) != len(questions):
        raise DataError(where, "questions and golds do not match", "each question id once in both", "generate it again")
    return TaskSet(stored.suite, stored.level, stored.seed, stored.version, stored.problems, golds)


def _value(gold: _StoredGold) -> Answer:
    return msgspec.convert(gold.value, _VALUE_TYPES[gold.kind])

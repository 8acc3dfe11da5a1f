"""Questions and their gold answers, kept apart: what players may see is a `Question`, what graders need is a `Gold`.

The two have no common base, and of the answer they share only its kind. A `Gold` does not print its content, so that it
cannot slip into a prompt or a log by way of `repr`, and nothing in `theory` accepts one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from tidings.core.errors import DataError
from tidings.theory.extraction import TaskKind
from tidings.theory.option_order import OptionOrder
from tidings.theory.questions import Question

__all__ = ["Gold", "QuestionSet"]


@dataclass(frozen=True)
class Gold:
    """What graders need, and nobody else.

    Attributes:
        question_id: The question it belongs to.
        kind: Kind of the answer.
        keys: All keys that count as right: one number or text, or the letters of the right option and of options with
            the same text; empty for `code`.
        tests: Source of the checks of a program; only for `code`, run in a sandbox outside tidings.
    """

    question_id: str
    kind: TaskKind
    keys: frozenset[str] = field(repr=False)
    tests: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"Gold({self.question_id})"

    def as_shown(self, order: OptionOrder) -> Gold:
        """Returns the gold of the question with its options in this order."""
        return replace(self, keys=frozenset(order.to_shown(letter) for letter in self.keys))


@dataclass(frozen=True)
class QuestionSet:
    """A set of questions with their golds beside them.

    Attributes:
        name: Name of the format it was read from.
        questions: In the order of the source.
        golds: Question id -> gold; the same ids, each once.
    """

    name: str
    questions: tuple[Question, ...]
    golds: Mapping[str, Gold] = field(repr=False)

    def __post_init__(self) -> None:
        ids = [question.id for question in self.questions]
        if len(set(ids)) != len(ids) or set(ids) != set(self.golds):
            odd = sorted({i for i in ids if ids.count(i) > 1} | (set(ids) ^ set(self.golds)))[:3]
            raise DataError(f"questions {self.name!r}", f"found {odd!r} twice or without partner", "need one gold each")
        for question in self.questions:
            gold = self.golds[question.id]
            if (gold.question_id, gold.kind) != (question.id, question.kind):
                found = f"found the gold of {gold.question_id!r} ({gold.kind})"
                raise DataError(f"questions {self.name!r}, {question.id!r}", found, f"need one of kind {question.kind}")

    def __len__(self) -> int:
        return len(self.questions)

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions)

    def first(self, n: int) -> QuestionSet:
        """Returns the first `n` questions with their golds."""
        kept = self.questions[:n]
        return QuestionSet(self.name, kept, {question.id: self.golds[question.id] for question in kept})

"""Questions and their gold answers, kept apart: what players may see is a `Question`, what graders need is a `Gold`.

The two have no common base, and of the answer they share only its kind. A `Gold` does not print its content, so that it
cannot slip into a prompt or a log by way of `repr`, and nothing in `theory` accepts one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tidings.core.errors import DataError, RequestError
from tidings.theory.extraction import Extraction, extract
from tidings.theory.extraction.choice import LETTERS
from tidings.theory.extraction.outcome import TaskKind

__all__ = ["Gold", "Question", "QuestionSet", "extract_answer"]


@dataclass(frozen=True)
class Question:
    """What players may see.

    Attributes:
        id: Unique inside its set, for example `gsm8k/17`.
        kind: Kind of the answer.
        text: The question; for `code` the beginning of the program.
        options: Option texts, the first is A; only for `choice`.
        entry_point: Name of the function asked for; only for `code`.
    """

    id: str
    kind: TaskKind
    text: str
    options: tuple[str, ...] = ()
    entry_point: str = ""

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise RequestError(f"question {self.id!r}.text", "found no text", "need the question", "leave the row out")
        needs_options = self.kind == "choice"
        if needs_options != bool(self.options) or not all(self.options) or len(self.options) > len(LETTERS):
            allowed = f"need 1 to {len(LETTERS)} non-empty texts for a choice, none for other kinds"
            raise RequestError(f"question {self.id!r}.options", f"found {self.options!r}", allowed)

    @property
    def letters(self) -> str:
        """The letters of the options, `ABCD` for four."""
        return LETTERS[: len(self.options)]


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


def extract_answer(question: Question, text: str) -> Extraction:
    """Returns the answer that a reply to the question gives, or why none can be read."""
    prompt = question.text if question.kind == "code" else ""
    return extract(question.kind, text, question.options, question.entry_point, prompt)

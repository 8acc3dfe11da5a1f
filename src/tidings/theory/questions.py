"""A question as players see it, without a trace of its answer: golds live in `tidings.benchmarks.questions`."""

from __future__ import annotations

from dataclasses import dataclass

from tidings.core.errors import RequestError
from tidings.theory.extraction import Extraction, TaskKind, extract
from tidings.theory.extraction.choice import LETTERS

__all__ = ["Question", "extract_answer"]


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


def extract_answer(question: Question, text: str) -> Extraction:
    """Returns the answer that a reply to the question gives, or why none can be read."""
    prompt = question.text if question.kind == "code" else ""
    return extract(question.kind, text, question.options, question.entry_point, prompt)

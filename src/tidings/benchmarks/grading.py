"""Grades an extracted answer against its gold. The only place where an answer and a gold meet."""

from __future__ import annotations

from typing import Literal, TypeAlias

from tidings.benchmarks.questions import Gold
from tidings.core.errors import RequestError
from tidings.theory.extraction.outcome import Extraction, Unparsable

__all__ = ["Grade", "grade"]

Grade: TypeAlias = Literal["right", "wrong", "unparsable", "needs_sandbox"]


def grade(extraction: Extraction, gold: Gold) -> Grade:
    """Returns the grade of an answer.

    `right` or `wrong` by key; `unparsable` is counted apart; a program is `needs_sandbox`: tidings runs no code.
    A failed call has no text and so no grade: count it as a failure, not here.

    Args:
        extraction: What was read from the reply.
        gold: The gold of the same question as shown (with shuffled options: of the shuffled one).

    Raises:
        RequestError: If the kinds differ.
    """
    if extraction.kind != gold.kind:
        found = f"found an answer of kind {extraction.kind!r}"
        raise RequestError(f"grade {gold.question_id!r}", found, f"need {gold.kind!r}", "grade it with its own gold")
    if isinstance(extraction, Unparsable):
        return "unparsable"
    if gold.kind == "code":
        return "needs_sandbox"
    return "right" if extraction.key in gold.keys else "wrong"

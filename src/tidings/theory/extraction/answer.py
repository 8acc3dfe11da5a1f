"""Reads the answer out of a free text: a number, an option letter, a few words, a program. Or says that it cannot.

`extract` returns `Extracted` or `Unparsable`. An unparsable answer is a counted outcome with a reason; it never becomes
an option, an empty string or a number. Nothing that a text holds is executed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from tidings.theory.extraction.choice import AMBIGUOUS, find_letter
from tidings.theory.extraction.code import find_program
from tidings.theory.extraction.number import find_number
from tidings.theory.extraction.outcome import (
    TASK_KINDS,
    Extracted,
    Extraction,
    Reason,
    TaskKind,
    Unparsable,
    boxed,
    cue_tails,
)

__all__ = ["extract", "text_key"]

_MISSING: dict[TaskKind, Reason] = {
    "number": "no_number",
    "choice": "no_letter",
    "text": "no_text",
    "code": "no_program",
}


def text_key(words: str) -> str:
    """Returns the key of a short text: case, articles, outer punctuation and spacing do not count."""
    plain = re.sub(r"[*_`\"“”]", "", unicodedata.normalize("NFKC", words)).casefold()
    return re.sub(r"^(?:an?|the) ", "", " ".join(plain.split()).strip(" .,;:!?'()[]"))


def _find_text(text: str) -> str | None:
    """Returns the last box, else the line after the last cue, else the reply if it is one line."""
    lines = [line for tail, _ in cue_tails(text) if (line := _first_line(tail))]
    whole = [text.strip()] if "\n" not in text.strip() else []
    return next((words for words in boxed(text) + lines + whole if text_key(words)), None)


def _first_line(tail: str) -> str:
    return next((line.strip(" *_:") for line in tail.splitlines() if line.strip(" *_:")), "")


def extract(
    kind: TaskKind, text: str, options: Sequence[str] = (), entry_point: str = "", prompt: str = ""
) -> Extraction:
    """Returns the answer that a reply gives, or why none can be read.

    Args:
        kind: `number`, `choice`, `text` or `code`.
        text: The whole reply.
        options: Option texts in the order shown; needed by `choice`.
        entry_point: Name of the function asked for; needed by `code`.
        prompt: Beginning of the program as given; used by `code`.

    Raises:
        ValueError: If the kind is unknown, or options or entry point are missing for their kind.
    """
    if kind not in TASK_KINDS:
        raise ValueError(f"extract.kind: found {kind!r}; need one of {', '.join(TASK_KINDS)}")
    if (kind == "choice" and not options) or (kind == "code" and not entry_point):
        missing = "options" if kind == "choice" else "entry_point"
        raise ValueError(
            f"extract.{missing}: found none; a task of kind {kind!r} needs it; pass what the question shows"
        )
    if not text.strip():
        return Unparsable(kind, "empty")
    if kind == "code":
        program = find_program(text, entry_point, prompt)
        return Unparsable(kind, "no_program") if program is None else Extracted(kind, program, None)
    if kind == "text":
        words = _find_text(text)
        return Unparsable(kind, "no_text") if words is None else Extracted(kind, words, text_key(words))
    found = find_number(text) if kind == "number" else find_letter(text, options)
    if found == AMBIGUOUS:
        return Unparsable(kind, "ambiguous")
    return Unparsable(kind, _MISSING[kind]) if found is None else Extracted(kind, found, found)

"""What reading an answer can end in: an extracted answer, or a typed, counted failure to find one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["TASK_KINDS", "Extracted", "Extraction", "Reason", "TaskKind", "Unparsable", "boxed", "cue_tails"]

TaskKind: TypeAlias = Literal["number", "choice", "text", "code"]
TASK_KINDS: tuple[TaskKind, ...] = ("number", "choice", "text", "code")

Reason: TypeAlias = Literal["empty", "no_number", "no_letter", "ambiguous", "no_text", "no_program"]


@dataclass(frozen=True)
class Extracted:
    """An answer that could be read.

    Attributes:
        kind: Kind of the task.
        value: The answer as text: canonical number, option letter, the words, or the source of the program.
        key: What two answers must share to count as the same; `None` for programs, which cannot be voted on.
    """

    kind: TaskKind
    value: str
    key: str | None


@dataclass(frozen=True)
class Unparsable:
    """An answer that could not be read: counted, never replaced by an option, an empty string or a number.

    Attributes:
        kind: Kind of the task.
        reason: `empty` (nothing but white space), `no_number`, `no_letter`, `no_text`, `no_program`, or `ambiguous`
            (more than one option is named as the answer).
    """

    kind: TaskKind
    reason: Reason

    @property
    def key(self) -> None:
        """None: an unparsable answer does not vote."""
        return None


Extraction: TypeAlias = Extracted | Unparsable

# A reply that runs in circles must not cost quadratic time.
_MOST = 20

_CUE = re.compile(
    r"""
    (?P<firm>
        # a heading such as `#### Step 2` announces nothing
        \#{4}(?=[ \t]*(?:[-$]*[0-9.][0-9,./]*%?(?:[ \t]+(?-i:[a-z]+)){0,2}|\(?[A-J]\)?)[ \t]*(?:\n|$))
        | \bfinal\s+answer\s*(?:is\b|[:=])
        | \b(?:answers?|(?:correct|right|best)\s+(?:option|choice))\b[^.:\n]{0,60}?(?:\b(?:is|are|equals)\b|=)
    )
    | \bans(?:wer)?[\s*_]{0,4}: | \banswer\ +(?=\(?(?-i:[A-J])\)?[.\s]*(?:\n|$))
    """,
    re.IGNORECASE | re.VERBOSE,
)


def cue_tails(text: str) -> list[tuple[str, bool]]:
    """Returns what follows each answer cue, last cue first, and whether the answer itself must follow.

    Only the last 20 cues are considered.

    A firm cue (`#### 18`, `the answer is`, `final answer:`) announces the answer; after a loose one (`Answer:`)
    reasoning may come first.

    Args:
        text: The whole reply.
    """
    cues = list(_CUE.finditer(text))[-_MOST:]
    return [(text[cue.end() :], cue["firm"] is not None) for cue in reversed(cues)]


def boxed(text: str) -> list[str]:
    r"""Returns what stands in each `\boxed{...}`, last of 20 boxes first; an unclosed one runs to its line end."""
    found = []
    for box in list(re.finditer(r"\\boxed\s*\{", text))[-_MOST:]:
        depth, end = 1, box.end()
        while end < len(text) and depth and text[end] != "\n":
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        found.append(text[box.end() : end - 1 if not depth else end])
    return found[::-1]

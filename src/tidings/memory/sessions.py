"""Where a talk is cut into parts short enough to be summed up, and a summary that needs no model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from tidings.core.errors import RequestError
from tidings.memory.records import Line
from tidings.memory.words import split_words

__all__ = ["SessionCut", "Summariser", "cut_sessions", "extract_summary"]

Summariser = Callable[[tuple[Line, ...]], Awaitable[str]]
"""Sums up lines of one session part in words: an async callable, for example around a language model. It is given only
lines that the seat holds, and must use nothing else: the summary is what this seat will read."""


@dataclass(frozen=True, slots=True)
class SessionCut:
    """Where the lines of one session, as one seat heard them, are cut into parts.

    Attributes:
        max_lines: Lines of a part, at most.
        max_gap: A longer silence, in the unit of `Line.time`, starts a new part; None: silence cuts nothing.

    Raises:
        RequestError: If `max_lines` is below 1, or `max_gap` negative or not finite.
    """

    max_lines: int = 20
    max_gap: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.max_lines, int) or self.max_lines < 1:
            raise RequestError("SessionCut.max_lines", f"found {self.max_lines!r}", "an integer of at least 1")
        gap = self.max_gap
        if gap is not None and not (isfinite(gap) and gap >= 0):
            raise RequestError("SessionCut.max_gap", f"found {gap!r}", "a finite number of at least 0, or None")

    def starts_part(self, n_lines: int, gap: float) -> bool:
        """Returns whether a line starts a new part, after `n_lines` in the open one and `gap` since the last."""
        return n_lines >= self.max_lines or (self.max_gap is not None and gap > self.max_gap)


def cut_sessions(lines: Iterable[Line], cut: SessionCut) -> tuple[tuple[Line, ...], ...]:
    """Returns the parts of all sessions in `lines`, ordered by their first line; sessions may be interleaved.

    Args:
        lines: The lines of one seat, in time order.
        cut: Where to cut.
    """
    parts: list[list[Line]] = []
    open_part: dict[str, list[Line]] = {}
    for line in lines:
        part = open_part.get(line.session)
        if part is None or cut.starts_part(len(part), line.time - part[-1].time):
            part = open_part[line.session] = []
            parts.append(part)
        part.append(line)
    return tuple(tuple(part) for part in parts)


def extract_summary(lines: Sequence[Line], *, max_chars: int = 600) -> str:
    r"""Returns those lines, as `speaker: text` in time order, that together hold most different words.

    All lines when they fit into `max_chars`. Else greedily: the line that adds most words not yet held, per character
    of its own; ties go to the earlier line; lines that no longer fit are passed over. If not even one line fits, the
    line with most different words, cut. The text depends on nothing but `lines`.

    Source: greedy concept coverage after Gillick and Favre 2009, "A scalable global model for summarization"; the
    concepts are single words here, all of weight 1.

    Raises:
        RequestError: If `lines` is empty or `max_chars` below 1.
    """
    if not lines:
        raise RequestError("extract_summary.lines", "found none", "at least one line")
    if max_chars < 1:
        raise RequestError("extract_summary.max_chars", f"found {max_chars!r}", "an integer of at least 1")
    texts = [f"{line.speaker}: {line.text}" for line in lines]
    if sum(map(len, texts)) + len(texts) - 1 <= max_chars:
        return "\n".join(texts)
    words = [frozenset(split_words(line.text)) for line in lines]
    chosen = _cover(texts, words, max_chars)
    if not chosen:
        return max(zip(words, texts, strict=True), key=lambda pair: len(pair[0]))[1][:max_chars]
    return "\n".join(texts[i] for i in sorted(chosen))


def _cover(texts: list[str], words: list[frozenset[str]], max_chars: int) -> list[int]:
    chosen: list[int] = []
    held: set[str] = set()
    left = list(range(len(texts)))
    room = max_chars + 1
    while True:
        n_new = {i: len(words[i] - held) for i in left if len(texts[i]) + 1 <= room}
        left = [i for i in n_new if n_new[i]]
        if not left:
            return chosen
        best = max(left, key=lambda i: (n_new[i] / (len(texts[i]) + 1), -i))
        chosen.append(best)
        held |= words[best]
        room -= len(texts[best]) + 1
        left.remove(best)

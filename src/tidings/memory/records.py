"""The values of the memory room: a line that was said, and what a search gives back."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from tidings.core.errors import RequestError

__all__ = ["ClearHit", "ClearResult", "Counts", "FuzzyHit", "Line", "known_line"]

MAX_TIME = 2**53
"""Times are kept below this size, where integers and floats still agree."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said, and who may look it up again: its speaker and its hearers, nobody else.

    Attributes:
        id: Unique in the memory.
        time: Finite number; lines are added in time order.
        session: Id of the talk it belongs to. Windows of neighbours never leave it.
        speaker: Seat that said it.
        hearers: Seats that heard it, each once; empty for a private note of the speaker. There is no wildcard.
        text: What was said; not blank.

    Raises:
        RequestError: If a field is of the wrong kind, the time is not finite, the text blank or not encodable, or a
            hearer is named twice.
    """

    id: str
    time: float
    session: str
    speaker: str
    hearers: tuple[str, ...]
    text: str

    def __post_init__(self) -> None:
        for value in (self.id, self.session, self.speaker, self.text):
            if not (isinstance(value, str) and value.isascii() and value.strip()):
                _check_texts(self)
                break
        time, hearers = self.time, self.hearers
        if isinstance(time, bool) or not isinstance(time, (int, float)) or not isfinite(time) or abs(time) > MAX_TIME:
            raise RequestError(f"line {self.id!r}.time", f"found {time!r}", "a finite number of at most 2**53 in size")
        if not isinstance(hearers, tuple) or not all(map(_is_text, hearers)):
            raise RequestError(f"line {self.id!r}.hearers", f"found {hearers!r}", "a tuple of seat names")
        if len(set(hearers)) < len(hearers):
            raise RequestError(f"line {self.id!r}.hearers", f"found {hearers!r}", "each hearer once")

    @property
    def audience(self) -> tuple[str, ...]:
        """The seats that may retrieve this line: the speaker, then the hearers; each once."""
        if self.speaker not in self.hearers:
            return (self.speaker, *self.hearers)
        return (self.speaker, *(seat for seat in self.hearers if seat != self.speaker))


def known_line(id: str, time: float, session: str, speaker: str, hearers: tuple[str, ...], text: str) -> Line:
    """Returns a line that was checked when it was added, without checking it again."""
    line = object.__new__(Line)
    for name, value in zip(Line.__slots__, (id, time, session, speaker, hearers, text), strict=True):
        object.__setattr__(line, name, value)
    return line


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _check_texts(line: Line) -> None:
    for name in ("id", "session", "speaker", "text"):
        where, value = f"line {line.id!r}.{name}", getattr(line, name)
        if not isinstance(value, str):
            raise RequestError(where, f"found {value!r}", "text")
        if name != "session" and not value.strip():
            raise RequestError(where, f"found {value!r}", "text that is not blank", "leave out what says nothing")
        try:
            value.encode()
        except UnicodeEncodeError:
            fix = "repair its encoding"
            raise RequestError(where, f"found {value!r}", "text without lone surrogates", fix) from None


class ClearHit(NamedTuple):
    """A line that matched a keyword search.

    Attributes:
        line_id: Its id.
        score: BM25 score, above 0, to nine decimals; a higher score is a better match.
    """

    line_id: str
    score: float


class ClearResult(NamedTuple):
    """What a keyword search found.

    Attributes:
        lines: Matching lines and their neighbours, each once, in time order.
        hits: The matching lines among them, best first; ties by time, then id.
        n_matches: How many of the seat's lines matched, those that `limit` left out included.
        unsearchable: Keywords that hold nothing to search for (punctuation only). They found nothing by their nature.
    """

    lines: tuple[Line, ...]
    hits: tuple[ClearHit, ...]
    n_matches: int
    unsearchable: tuple[str, ...]


class FuzzyHit(NamedTuple):
    """A session, or a part of a long one, that an embedding search found.

    Attributes:
        session: Id of the session.
        part: Number of the part, from 0; short sessions have one.
        start: Time of its first line that the seat still holds.
        end: Time of its last line.
        line_ids: Ids of those lines, in time order.
        summary: The summary that was searched, made only of lines this seat holds.
        score: Cosine of query and summary, in [-1, 1].
    """

    session: str
    part: int
    start: float
    end: float
    line_ids: tuple[str, ...]
    summary: str
    score: float


class Counts(NamedTuple):
    """How much a seat has heard and still holds; `n_received = n_held + n_evicted`.

    Attributes:
        n_received: Lines ever added with this seat in their audience.
        n_held: Lines it can still retrieve, at most `max_lines`.
        n_evicted: Lines it forgot, the oldest first, because of `max_lines`.
    """

    n_received: int
    n_held: int
    n_evicted: int

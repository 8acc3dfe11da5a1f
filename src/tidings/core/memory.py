"""What was said before a rollout began, and the port through which one seat looks its own share of it up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

__all__ = [
    "CITABLE_ID",
    "Archive",
    "ArchiveLine",
    "FoundLines",
    "FoundSession",
    "Memory",
    "MemoryKind",
    "MemorySettings",
]

CITABLE_ID = re.compile(r"[^\s,;\[\]()\"']+")
"""An id of a fact or line that a speaker can cite: ids stand between commas, spaces or brackets."""

MemoryKind = Literal["clear", "fuzzy", "mixed"]
"""Keyword search, search by meaning over sessions, or both."""


class ArchiveLine(NamedTuple):
    """One line said before a rollout began, held by its speaker and its hearers and nobody else.

    Attributes:
        id: Id of the line, and of the fact it tells.
        time: Position on the archive's clock.
        session: Id of the talk it belongs to.
        speaker: Seat that said it.
        hearers: Seats that heard it; empty for a note of the speaker's own.
        text: What was said.
    """

    id: str
    time: float
    session: str
    speaker: str
    hearers: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Archive:
    """All lines, in time order. The log holds their hash and number, never the lines.

    Attributes:
        lines: The lines.
        sha256: Hash of the file's bytes.
    """

    lines: tuple[ArchiveLine, ...] = ()
    sha256: str = ""


class MemorySettings(NamedTuple):
    """How a seat looks things up when it says nothing else.

    Attributes:
        kind: Which searches it may use.
        window: Neighbours of a matching line on either side.
        limit: Lines of one keyword search, at most.
        top_k: Sessions of one search by meaning, at most.
    """

    kind: MemoryKind
    window: int
    limit: int
    top_k: int


class FoundLines(NamedTuple):
    """What a keyword search found.

    Attributes:
        lines: Matching lines and their neighbours, each once, in time order.
        best: Ids of the matching lines among them, best first.
        n_matches: Lines that matched, those that the limit left out included.
    """

    lines: tuple[ArchiveLine, ...]
    best: tuple[str, ...]
    n_matches: int


class FoundSession(NamedTuple):
    """A talk, or a part of a long one, that a search by meaning found.

    Attributes:
        session: Id of the session.
        line_ids: Ids of its lines that the seat holds, in time order.
        summary: What was searched; made only of lines the seat holds.
        score: Cosine of query and summary, in [-1, 1].
    """

    session: str
    line_ids: tuple[str, ...]
    summary: str
    score: float


class Memory(Protocol):
    """What one seat can look up: lines it said or heard before the rollout began. It cannot add any."""

    @property
    def settings(self) -> MemorySettings:
        """How this seat looks things up."""
        ...

    @property
    def n_held(self) -> int:
        """Lines this seat holds."""
        ...

    def search(
        self,
        keywords: Iterable[str],
        *,
        window: int | None = None,
        limit: int | None = None,
        with_seat: str | None = None,
        without_seat: str | None = None,
    ) -> FoundLines:
        """Returns the lines that match any of the keywords, ranked, then cut to the limit.

        Args:
            keywords: What to look for; several words in one keyword must stand next to each other.
            window: Neighbours on either side; None: as the settings say.
            limit: Lines at most; None: as the settings say.
            with_seat: Only lines that this seat also said or heard match.
            without_seat: Lines that this seat said or heard do not match.

        Raises:
            RequestError: If there is no keyword, or one is blank.
        """
        ...

    async def search_sessions(self, query: str, *, top_k: int | None = None) -> tuple[FoundSession, ...]:
        """Returns the talks whose summaries are nearest in meaning, best first.

        Raises:
            RequestError: If the query is blank or the seat's memory has no search by meaning.
            ModelError: If a vector could not be had.
        """
        ...

    def read(self, line_ids: Iterable[str]) -> tuple[ArchiveLine, ...]:
        """Returns lines by id, in time order.

        Raises:
            RequestError: If this seat holds no such line.
        """
        ...

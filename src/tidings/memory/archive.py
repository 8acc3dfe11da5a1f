"""Memories over a scenario's archive: indexed once for all rollouts, private to each seat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import get_ident

from tidings.core import Embedder
from tidings.core.memory import Archive, ArchiveLine, FoundLines, FoundSession, MemorySettings
from tidings.memory.records import Line
from tidings.memory.seat import SeatMemory
from tidings.memory.shared import SharedMemory

__all__ = ["ArchiveMemory", "SeatArchive"]

_READS_ALL = "(everybody)"
"""The seat of the index that heard every line; for seats that may read the whole archive."""


class ArchiveMemory:
    """The index of an archive, made when a seat looks something up for the first time."""

    def __init__(self, archive: Archive, seats: Sequence[str], max_lines: int, embedder: Embedder | None) -> None:
        """Remembers what to index.

        Args:
            archive: The lines.
            seats: All seats of the scenario.
            max_lines: Lines a seat holds, at most.
            embedder: What turns texts into vectors; None: keyword search only.
        """
        self._archive, self._seats, self._max_lines = archive, tuple(seats), max_lines
        self._embedder = embedder
        self._reads_all = False
        # A memory belongs to the thread that made it, and a notebook plays a run in a thread of its own.
        self._index: dict[int, SharedMemory] = {}

    def seat(self, name: str, settings: MemorySettings, *, reads_all: bool = False) -> SeatArchive:
        """Returns what one seat can look up.

        Args:
            name: The seat.
            settings: How it looks things up.
            reads_all: Whether it may read every line, as the full-information row does.
        """
        self._reads_all |= reads_all
        return SeatArchive(self, _READS_ALL if reads_all else name, settings)

    def handle(self, name: str) -> SeatMemory:
        """Returns the handle of a seat of the index; indexes the archive if that was not done."""
        if get_ident() not in self._index:
            self._index[get_ident()] = self._build()
        return self._index[get_ident()].seat(name)

    def close(self) -> None:
        """Frees the index."""
        if (index := self._index.pop(get_ident(), None)) is not None:
            index.close()

    def _build(self) -> SharedMemory:
        extra = (_READS_ALL,) if self._reads_all else ()
        memory = SharedMemory((*self._seats, *extra), max_lines=self._max_lines, embedder=self._embedder)
        memory.extend(
            Line(line.id, line.time, line.session, line.speaker, (*line.hearers, *extra), line.text)
            for line in self._archive.lines
        )
        return memory


class SeatArchive:
    """What one seat can look up in the archive (the port `Memory`)."""

    def __init__(self, index: ArchiveMemory, name: str, settings: MemorySettings) -> None:
        """Use `ArchiveMemory.seat`."""
        self._index, self._name, self._settings = index, name, settings

    @property
    def settings(self) -> MemorySettings:
        """How this seat looks things up."""
        return self._settings

    @property
    def n_held(self) -> int:
        """Lines this seat holds."""
        return self._index.handle(self._name).counts().n_held

    def search(
        self,
        keywords: Iterable[str],
        *,
        window: int | None = None,
        limit: int | None = None,
        with_seat: str | None = None,
        without_seat: str | None = None,
    ) -> FoundLines:
        """Returns the lines that match any of the keywords; see `tidings.core.memory.Memory`."""
        found = self._index.handle(self._name).clear(
            keywords,
            window=self._settings.window if window is None else window,
            limit=limit or self._settings.limit,
            with_seat=with_seat,
            without_seat=without_seat,
        )
        return FoundLines(tuple(map(_plain, found.lines)), tuple(hit.line_id for hit in found.hits), found.n_matches)

    async def search_sessions(self, query: str, *, top_k: int | None = None) -> tuple[FoundSession, ...]:
        """Returns the talks nearest in meaning; see `tidings.core.memory.Memory`."""
        hits = await self._index.handle(self._name).fuzzy(query, top_k=top_k or self._settings.top_k)
        return tuple(FoundSession(hit.session, hit.line_ids, hit.summary, hit.score) for hit in hits)

    def read(self, line_ids: Iterable[str]) -> tuple[ArchiveLine, ...]:
        """Returns lines by id, in time order."""
        return tuple(map(_plain, self._index.handle(self._name).read(line_ids)))


def _plain(line: Line) -> ArchiveLine:
    hearers = tuple(hearer for hearer in line.hearers if hearer != _READS_ALL)
    return ArchiveLine(line.id, line.time, line.session, line.speaker, hearers, line.text)

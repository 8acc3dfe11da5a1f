"""The handle through which one seat uses its own share of the memory."""

from __future__ import annotations

from collections.abc import Iterable

from tidings.core.errors import RequestError
from tidings.memory.clear import search_clear
from tidings.memory.fuzzy import FuzzyIndex
from tidings.memory.records import ClearResult, Counts, FuzzyHit, Line
from tidings.memory.store import LineStore

__all__ = ["SeatMemory", "need_fuzzy"]


class SeatMemory:
    """What one seat can look up: lines it said or heard, and sessions as it heard them. It cannot add lines."""

    __slots__ = ("_fuzzy", "_held", "_store", "name")

    def __init__(self, store: LineStore, fuzzy: FuzzyIndex | None, name: str) -> None:
        """Use `SharedMemory.seat`.

        Args:
            store: The lines of all seats.
            fuzzy: The search over its summaries, if the memory has an embedder.
            name: Whose handle it is.

        Raises:
            RequestError: If the memory has no such seat.
        """
        self._store, self._fuzzy, self._held = store, fuzzy, store.seat(name)
        self.name = name

    def clear(
        self,
        keywords: Iterable[str],
        *,
        window: int = 1,
        limit: int = 30,
        with_seat: str | None = None,
        without_seat: str | None = None,
    ) -> ClearResult:
        """Returns the lines that match any of the keywords, best first up to `limit`, with their neighbours.

        Args:
            keywords: What to look for. Several words in one keyword must stand next to each other; a `*` at the end
                finds all words that begin so; any other sign is punctuation.
            window: Neighbours on either side, of the same session.
            limit: Lines returned, neighbours included, at most.
            with_seat: Only lines that this seat also said or heard match.
            without_seat: Lines that this seat said or heard do not match.

        Raises:
            RequestError: If there is no keyword, one is blank, a number is out of range, or a seat is unknown.
        """
        self._store.check_open()
        with_or_without = {"with_seat": with_seat, "without_seat": without_seat}
        return search_clear(self._store, self._held, keywords, window=window, limit=limit, **with_or_without)

    async def fuzzy(self, query: str, *, top_k: int = 3) -> tuple[FuzzyHit, ...]:
        """Returns the sessions, or parts of long ones, whose summaries are nearest to the query, best first.

        Args:
            query: What to look for, in words.
            top_k: Sessions returned, at most.

        Raises:
            RequestError: If the query is blank, `top_k` is below 1, or the memory has no embedder.
            ModelError: If a summary or a vector could not be had.
            ReplyError: If a summary is blank.
        """
        self._store.check_open()
        return await need_fuzzy(self._fuzzy).search(self._held, query, top_k)

    def read(self, line_ids: Iterable[str]) -> tuple[Line, ...]:
        """Returns lines by id, in time order; for example those of a `FuzzyHit`.

        Raises:
            RequestError: If this seat holds no such line. The error is the same whether or not the line exists.
        """
        self._store.check_open()
        return tuple(self._store.read(self._held, line_ids))

    def counts(self) -> Counts:
        """Returns how many lines this seat received, holds and has forgotten."""
        self._store.check_open()
        return self._held.counts


def need_fuzzy(fuzzy: FuzzyIndex | None) -> FuzzyIndex:
    """Returns the fuzzy index, or raises `RequestError` when the memory was made without an embedder."""
    if fuzzy is None:
        raise RequestError("memory.embedder", "found none", "an embedder, for fuzzy search", "give embedder=...")
    return fuzzy

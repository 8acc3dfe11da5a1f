"""One memory for all seats: every line stored and indexed once, found only by the seats in its audience."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from tidings.core.errors import DataError, RequestError
from tidings.memory.embeddings import Embedder
from tidings.memory.file import IndexFile
from tidings.memory.fuzzy import FuzzyIndex
from tidings.memory.records import Line
from tidings.memory.seat import SeatMemory, need_fuzzy
from tidings.memory.sessions import SessionCut, Summariser
from tidings.memory.store import LineStore

__all__ = ["SharedMemory"]


class SharedMemory:
    """What all seats have heard: every line is stored and indexed once, and found only by the seats in its audience.

    Give an agent `memory.seat(name)`, never the memory itself. Lines are added in time order; of lines with the same
    time, one added later stands later. Each seat holds its newest `max_lines` lines: a further one takes the place of
    the oldest, of which `counts` tells; a line that no seat holds any more is deleted, and its id is free again.

    All is held in memory. With a file every change is also written there; it survives a killed process, not necessarily
    a power cut, and can be made anew from the log at any time. `open` reads the whole file: what another process adds
    later is not seen.

    Threads: a memory belongs to the thread that made it and refuses others. For another rollout: `fork()`; for another
    thread or process: `open` on the file, to which at most one may write. Coroutines of one thread may share it.
    """

    def __init__(
        self,
        seats: Iterable[str],
        *,
        max_lines: int,
        embedder: Embedder | None = None,
        summarise: Summariser | None = None,
        cut: SessionCut | None = None,
        path: str | Path | None = None,
    ) -> None:
        """Makes an empty memory.

        Args:
            seats: All who may ever speak or hear. Anybody else in a line is an error, not a lost line.
            max_lines: Lines each seat holds, at most.
            embedder: For fuzzy search; None: the memory has clear search only.
            summarise: Sums up sessions for fuzzy search; None: `extract_summary`, without a model.
            cut: Where long sessions are cut; None: `SessionCut()`.
            path: A new file; None: in memory only.

        Raises:
            RequestError: If a seat is not a name or named twice, `max_lines` is below 1, or the file exists.
        """
        names = _check_seats(seats)
        if isinstance(max_lines, bool) or not isinstance(max_lines, int) or max_lines < 1:
            raise RequestError("memory.max_lines", f"found {max_lines!r}", "an integer of at least 1")
        rule = cut or SessionCut()
        file: IndexFile | None = None
        if path is not None:
            settings = {"seats": names, "max_lines": max_lines, "cut": [rule.max_lines, rule.max_gap]}
            file = IndexFile.create(Path(path), settings)
        self._take_over(LineStore(names, max_lines, rule, file), embedder, summarise)

    @classmethod
    def open(cls, path: str | Path, *, embedder: Embedder | None = None, summarise: Summariser | None = None) -> Self:
        """Returns the memory kept in a file; seats, `max_lines` and cut are those it was made with.

        Args:
            path: A file made with `SharedMemory(path=...)`.
            embedder: The embedder it was made with, or none for clear search only.
            summarise: As for `SharedMemory`; summaries already made stay.

        Raises:
            DataError: If there is no such file, it is no memory index, or its vectors come from another embedder.
        """
        file = IndexFile.open(Path(path))
        settings = file.settings()
        memory = cls.__new__(cls)
        store = LineStore(settings["seats"], settings["max_lines"], SessionCut(*settings["cut"]), file)
        memory._take_over(store, embedder, summarise)
        return memory

    def fork(self) -> SharedMemory:
        """Returns an independent copy in memory, for a rollout that adds lines of its own to a common stock."""
        self._store.check_open()
        copy = type(self).__new__(type(self))
        copy._store = self._store.copy()
        copy._fuzzy = None if self._fuzzy is None else self._fuzzy.copy(copy._store)
        return copy

    def _take_over(self, store: LineStore, embedder: Embedder | None, summarise: Summariser | None) -> None:
        self._store, self._fuzzy = store, None
        if embedder is not None:
            if store.file is not None:
                self._remember_embedder(store.file, [embedder.name, embedder.dim])
            self._fuzzy = FuzzyIndex(store, embedder, summarise)

    def _remember_embedder(self, file: IndexFile, given: list[Any]) -> None:
        known = file.settings().get("embedder")
        if known is None:
            file.write_setting("embedder", given)
        elif known != given:
            self.close()
            raise DataError("memory.embedder", f"found {given[0]!r}", f"{known[0]!r}, as in the index", "index anew")

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats, in the order in which they were given."""
        return tuple(self._store.seats)

    @property
    def max_lines(self) -> int:
        """Lines each seat holds, at most."""
        return self._store.max_lines

    def seat(self, name: str) -> SeatMemory:
        """Returns the handle of one seat, through which nothing but its own lines can be found.

        Raises:
            RequestError: If the memory has no such seat.
        """
        return SeatMemory(self._store, self._fuzzy, name)

    def add(self, line: Line) -> None:
        """Adds one line, for the seats in its audience.

        Raises:
            RequestError: If its id is taken, its time lies before the last line's, or it names an unknown seat.
        """
        self.extend((line,))

    def extend(self, lines: Iterable[Line]) -> int:
        """Adds lines, much faster than one by one, and returns their number.

        Raises:
            RequestError: If a line is refused, for the reasons of `add`. Then none of them was added.
        """
        self._store.check_open()
        return self._store.extend(lines)

    async def refresh(self) -> int:
        """Brings the summaries of all seats up to date; returns how many were made. A search does it for its own seat.

        Raises:
            RequestError: If the memory has no embedder.
            ModelError: If a summary or a vector could not be had. What was done before stays done.
            ReplyError: If a summary is blank.
        """
        self._store.check_open()
        fuzzy = need_fuzzy(self._fuzzy)
        return sum([await fuzzy.refresh(seat) for seat in self._store.seats.values()])

    def close(self) -> None:
        """Frees the index; a file stays. Closing twice does nothing, any other use afterwards is an error."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_seats(seats: Iterable[str]) -> list[str]:
    names = [seats] if isinstance(seats, str) else list(seats)
    if isinstance(seats, str) or not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise RequestError("memory.seats", f"found {seats!r}", "a list of names, at least one, none of them blank")
    if "*" in names:
        raise RequestError("memory.seats", "found '*'", "names of seats; there is no wildcard")
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise RequestError("memory.seats", f"found {twice!r} more than once", "each seat once")
    return names

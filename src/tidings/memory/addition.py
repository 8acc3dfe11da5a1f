"""Adding lines to the index, inside one transaction of the store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from tidings.core.errors import RequestError
from tidings.memory.eviction import evict_oldest
from tidings.memory.records import Line
from tidings.memory.sessions import SessionCut
from tidings.memory.words import count_repeats, encode_words, split_words

__all__ = ["Addition"]


@dataclass(slots=True)
class _Part:
    """The last part of a session as one seat heard it; `first` and `last` are line numbers."""

    part: int
    first: int
    last: int
    n_lines: int
    ends: float


class Addition:
    """Lines being added.

    Counters are kept here until a seat has to forget a line, or until `finish`. So many lines at once cost less than
    one by one, and leave the same index.

    Attributes:
        dropped: Seat and part number of every part of a session that was forgotten.
    """

    def __init__(self, db: sqlite3.Connection, seat_no: Callable[[str], int], max_lines: int, cut: SessionCut) -> None:
        """Starts after the last line of the index.

        Args:
            db: The database, with a transaction open.
            seat_no: Number of a seat; raises `RequestError` for a seat there is not.
            max_lines: Lines a seat holds, at most.
            cut: Where long sessions are cut.
        """
        self._db, self._seat_no, self._max_lines, self._cut = db, seat_no, max_lines, cut
        self.dropped: list[tuple[int, int]] = []
        last = db.execute("SELECT no, time FROM lines ORDER BY no DESC LIMIT 1").fetchone()
        self._no, self._time = last or (0, float("-inf"))
        self._sessions: dict[str, list[int]] = {}
        self._parts: dict[tuple[int, int], _Part] = {}
        self._seats: dict[int, list[int]] = {}

    def add(self, line: Line) -> None:
        """Adds one line, for its audience and nobody else.

        Raises:
            RequestError: If its id is taken, its time lies before the last line's, or a seat is unknown.
        """
        if line.time < self._time:
            # Whoever adds the same lines twice is told so, not to sort them.
            self._refuse_known(line)
            raise RequestError(
                f"line {line.id!r}.time",
                f"found {line.time!r} after {self._time!r}",
                "lines in time order",
                "sort them",
            )
        seats = [self._seat_no(seat) for seat in line.audience]
        words = split_words(line.text)
        no, session = self._no + 1, self._session(line.session)
        self._insert(no, session, line, words, seats)
        for seat in seats:
            self._count(seat)
            self._extend_part(seat, session, no, line.time)
        self._no, self._time = no, line.time
        # At once, not at the end: where a part begins depends on what is still held, and must not depend on the batch.
        full = [seat for seat in seats if self._seats[seat][1] > self._max_lines]
        if full:
            for seat in full:
                self._seats[seat][1] -= 1
            self.finish()
            self.dropped += [(seat, part) for seat in full for part in evict_oldest(self._db, self._seat_no, seat)]

    def _insert(self, no: int, session: int, line: Line, words: list[str], seats: list[int]) -> None:
        hearers = json.dumps(line.hearers)
        row = no, line.id, line.time, session, line.speaker, hearers, line.text, len(seats)
        try:
            self._db.execute("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            self._refuse_known(line)
            raise
        codes = " ".join(map(str, seats))
        self._db.execute(
            "INSERT INTO full_text (rowid, text, seats) VALUES (?, ?, ?)", (no, encode_words(words), codes)
        )
        repeats = [(word, no, n) for word, n in count_repeats(words).items()]
        self._db.executemany("INSERT INTO repeats VALUES (?, ?, ?)", repeats)
        views = [(seat, no, session, len(words)) for seat in seats]
        self._db.executemany("INSERT INTO views VALUES (?, ?, ?, ?)", views)

    def _refuse_known(self, line: Line) -> None:
        if self._db.execute("SELECT 1 FROM lines WHERE id = ?", (line.id,)).fetchone():
            raise RequestError(f"line {line.id!r}.id", "found a line with this id", "each id once") from None

    def _session(self, name: str) -> int:
        if name not in self._sessions:
            query = "SELECT no, n_lines FROM sessions WHERE name = ?"
            found = self._db.execute(query, (name,)).fetchone()
            if found is None:
                self._db.execute("INSERT INTO sessions (name, n_lines) VALUES (?, 0)", (name,))
                found = self._db.execute(query, (name,)).fetchone()
            self._sessions[name] = list(found)
        session = self._sessions[name]
        session[1] += 1
        return session[0]

    def _count(self, seat: int) -> None:
        counts = self._seats.get(seat)
        if counts is None:
            query = "SELECT n_received, n_held FROM seats WHERE no = ?"
            counts = self._seats[seat] = list(self._db.execute(query, (seat,)).fetchone())
        counts[0] += 1
        counts[1] += 1

    def _extend_part(self, seat: int, session: int, no: int, time: float) -> None:
        key = seat, session
        part = self._parts.get(key) or self._last_part(key)
        if part is None or self._cut.starts_part(part.n_lines, time - part.ends):
            if part is not None:
                self._write_part(key, part)
            part = _Part(part.part + 1 if part else 0, no, no, 0, time)
        part.last, part.n_lines, part.ends = no, part.n_lines + 1, time
        self._parts[key] = part

    def _last_part(self, key: tuple[int, int]) -> _Part | None:
        found = self._db.execute(
            "SELECT part, first, last, n_lines, ends FROM parts"
            " WHERE seat = ? AND session = ? ORDER BY part DESC LIMIT 1",
            key,
        ).fetchone()
        return _Part(*found) if found else None

    def _write_part(self, key: tuple[int, int], part: _Part) -> None:
        self._db.execute(
            "INSERT INTO parts (seat, session, part, first, last, n_lines, ends, is_stale)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (seat, session, part) DO UPDATE"
            " SET last = excluded.last, n_lines = excluded.n_lines, ends = excluded.ends, is_stale = 1",
            (*key, part.part, part.first, part.last, part.n_lines, part.ends),
        )

    def finish(self) -> None:
        """Writes the counters, and forgets them here."""
        for key, part in self._parts.items():
            self._write_part(key, part)
        sessions = [(n_lines, no) for no, n_lines in self._sessions.values()]
        self._db.executemany("UPDATE sessions SET n_lines = ? WHERE no = ?", sessions)
        counts = [(*counts, seat) for seat, counts in self._seats.items()]
        self._db.executemany("UPDATE seats SET n_received = ?, n_held = ? WHERE no = ?", counts)
        self._parts, self._sessions, self._seats = {}, {}, {}

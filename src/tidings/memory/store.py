"""The shared index: every line once, and a table that says which seat may retrieve which line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache

from tidings.core.errors import RequestError, suggest
from tidings.memory.addition import Addition
from tidings.memory.held import HeldLines
from tidings.memory.records import Counts, Line, known_line
from tidings.memory.sessions import SessionCut

__all__ = ["LineStore"]

_FEW, _MANY = 32, 500
"""Lines asked for with one statement."""


class LineStore:
    """Adds lines to an index, and gives them back to the seats that hold them.

    Everything is kept in the database, and every change is one transaction: a refused batch leaves no trace.

    Attributes:
        db: A database with the tables of `tidings.memory.schema`.
        seats: Number of each seat.
        max_lines: Lines a seat holds, at most.
        cut: Where long sessions are cut.
        on_drop: Called with seat and part number after a part of a session was forgotten.
    """

    def __init__(self, db: sqlite3.Connection, seats: Mapping[str, int], max_lines: int, cut: SessionCut) -> None:
        self.db, self.seats, self.max_lines, self.cut = db, dict(seats), max_lines, cut
        self.on_drop: Callable[[int, int], None] = lambda seat, part: None
        self._is_open = True
        self._held: dict[int, HeldLines] = {}

    def check_open(self) -> None:
        """Raises `RequestError` after `close`."""
        if not self._is_open:
            raise RequestError("memory", "found it closed", "an open memory", "close it after its last use")

    def close(self) -> None:
        """Closes the database; closing twice does nothing."""
        self._is_open = False
        self.db.close()

    def seat_no(self, seat: str) -> int:
        """Returns the number of a seat.

        Raises:
            RequestError: If the memory has no such seat.
        """
        no = self.seats.get(seat)
        if no is None:
            allowed = f"one of the {len(self.seats)} seats it was made with"
            raise RequestError("memory", f"found seat {seat!r}", allowed, suggest(seat, self.seats))
        return no

    def counts(self, seat_no: int) -> Counts:
        """Returns how many lines the seat received, holds and has forgotten."""
        received, held = self.db.execute("SELECT n_received, n_held FROM seats WHERE no = ?", (seat_no,)).fetchone()
        return Counts(received, held, received - held)

    def held(self, seat_no: int) -> HeldLines:
        """Returns which lines the seat holds, up to date."""
        held = self._held.setdefault(seat_no, HeldLines(self.db, seat_no))
        held.update()
        return held

    def select(self, columns: str, seat_no: int, numbers: Sequence[int]) -> list[tuple]:
        """Returns columns of the numbered lines, as far as the seat holds them; `l` is the line."""
        found: list[tuple] = []
        for start in range(0, len(numbers), _MANY):
            batch = numbers[start : start + _MANY]
            # Two lengths only, so that the statement is nearly always prepared; no line has the number 0.
            n = _FEW if len(batch) <= _FEW else _MANY
            found += self.db.execute(
                f"SELECT {columns} FROM views v JOIN lines l ON l.no = v.line"
                f" WHERE v.seat = ? AND v.line IN (?{',?' * (n - 1)})",
                (seat_no, *batch, *[0] * (n - len(batch))),
            )
        return found

    def time(self, number: int) -> float:
        """Returns the time of a numbered line, for the order of lines; nothing else about it."""
        return self.db.execute("SELECT time FROM lines WHERE no = ?", (number,)).fetchone()[0]

    def lines(self, seat_no: int, numbers: Sequence[int]) -> list[Line]:
        """Returns those of the numbered lines that the seat holds, in time order."""
        return list(self.numbered_lines(seat_no, numbers).values())

    def numbered_lines(self, seat_no: int, numbers: Sequence[int]) -> dict[int, Line]:
        """Returns line number -> line, of those of the numbered lines that the seat holds, in time order."""
        session = "(SELECT s.name FROM sessions s WHERE s.no = l.session)"
        found = self.select(f"l.no, l.id, l.time, {session}, l.speaker, l.hearers, l.text", seat_no, numbers)
        return {
            number: known_line(line_id, time, session, speaker, _parse_hearers(hearers), text)
            for number, line_id, time, session, speaker, hearers, text in sorted(found)
        }

    def read(self, seat_no: int, line_ids: Iterable[str]) -> list[Line]:
        """Returns the lines with these ids, in time order.

        Raises:
            RequestError: If the seat holds no such line; the same for a line there is not and one of somebody else.
        """
        query = "SELECT l.no FROM lines l JOIN views v ON v.line = l.no AND v.seat = ? WHERE l.id = ?"
        numbers: list[int] = []
        for line_id in dict.fromkeys(line_ids):
            found = self.db.execute(query, (seat_no, line_id)).fetchone()
            if found is None:
                raise RequestError("memory.read", f"found line id {line_id!r}", "ids of lines this seat holds")
            numbers.append(found[0])
        return self.lines(seat_no, numbers)

    def extend(self, lines: Iterable[Line]) -> int:
        """Adds lines and returns their number; all of them or, if one is refused, none."""
        batch = list(lines)
        with self.transaction():
            addition = Addition(self.db, self.seat_no, self.max_lines, self.cut)
            for line in batch:
                addition.add(line)
            addition.finish()
        for seat, part in addition.dropped:
            self.on_drop(seat, part)
        return len(batch)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Makes all changes inside it at its end, or none if it is left by an exception."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise


@lru_cache(maxsize=4096)
def _parse_hearers(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))

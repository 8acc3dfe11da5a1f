"""The shared store: every line once, and for each seat which of them it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import get_ident

from tidings.core.errors import RequestError, suggest
from tidings.memory.file import IndexFile, Place
from tidings.memory.held import HeldLines
from tidings.memory.postings import Postings, Spans
from tidings.memory.records import Line
from tidings.memory.sessions import SessionCut
from tidings.memory.talks import Part

__all__ = ["LineStore"]

_ROOM = 1000
"""So many lines that nobody holds any more may stay in the full-text index, and as many as there are others."""


class LineStore:
    """Adds lines, and knows which seat holds which.

    Attributes:
        lines: Line number -> line, of all lines that somebody holds; the numbers rise in the order of adding.
        seats: Name -> what this seat holds.
        max_lines: Lines a seat holds, at most.
        cut: Where long sessions are cut.
        file: Where every change is written, or None.
        on_drop: Called with seat and part after a part of a session was forgotten.
    """

    def __init__(self, seats: Iterable[str], max_lines: int, cut: SessionCut, file: IndexFile | None = None) -> None:
        """Starts with the lines of the file.

        Args:
            seats: All seats.
            max_lines: Lines a seat holds, at most.
            cut: Where long sessions are cut.
            file: Where every change is written; None: nowhere.
        """
        self.lines: dict[int, Line] = {}
        self.seats = {name: HeldLines(name) for name in seats}
        self.max_lines, self.cut, self.file = max_lines, cut, file
        self.on_drop: Callable[[HeldLines, Part], None] = lambda seat, part: None
        self._numbers: dict[str, int] = {}
        self._n_holders: dict[int, int] = {}
        self._next, self._last_time = 1, float("-inf")
        self._postings, self._taken_up = Postings(), 1
        self._owner, self._is_open = get_ident(), True
        if file is not None:
            self._restore(file)

    def check_open(self) -> None:
        """Raises `RequestError` after `close`, and in another thread than the one that made it."""
        if not self._is_open:
            raise RequestError("memory", "found it closed", "an open memory", "close it after its last use")
        if self._owner != get_ident():
            raise RequestError("memory", "found another thread", "the thread that made it", "use fork() or open()")

    def close(self) -> None:
        """Frees the index and closes the file; closing twice does nothing."""
        self._is_open = False
        self.lines, self._numbers, self._n_holders, self._postings = {}, {}, {}, Postings()
        if self.file is not None:
            self.file.close()

    def seat(self, name: str) -> HeldLines:
        """Returns what a seat holds.

        Raises:
            RequestError: If the memory has no such seat.
        """
        seat = self.seats.get(name)
        if seat is None:
            allowed = f"one of the {len(self.seats)} seats it was made with"
            raise RequestError("memory", f"found seat {name!r}", allowed, suggest(name, self.seats))
        return seat

    def postings(self) -> Postings:
        """Returns the full-text index, up to date."""
        if self._postings.n_lines > 2 * len(self.lines) + _ROOM:
            self._postings, self._taken_up = Postings(self._postings.version + 1), 1
            self._postings.take_up(self.lines.items())
        elif self._taken_up < self._next:
            new = range(self._taken_up, self._next)
            self._postings.take_up((number, self.lines[number]) for number in new if number in self.lines)
        self._taken_up = self._next
        return self._postings

    def spans(self, seat: HeldLines) -> Spans:
        """Returns the lines of a seat as intervals of the full-text index."""
        return seat.spans(self.postings())

    def read(self, seat: HeldLines, line_ids: Iterable[str]) -> list[Line]:
        """Returns the lines with these ids, in time order.

        Raises:
            RequestError: If the seat holds no such line; the same for a line there is not and one of somebody else.
        """
        numbers: set[int] = set()
        for line_id in line_ids:
            number = self._numbers.get(line_id)
            if number is None or not seat.holds(number, self.lines[number].session):
                raise RequestError("memory.read", f"found line id {line_id!r}", "ids of lines this seat holds")
            numbers.add(number)
        return [self.lines[number] for number in sorted(numbers)]

    def extend(self, lines: Iterable[Line]) -> int:
        """Adds lines and returns their number; all of them or, if one is refused, none.

        If the change is interrupted or cannot be written, the memory is closed: what it held is in the file.
        """
        batch = list(lines)
        seats = self._check(batch)
        try:
            change = _Change()
            for line, audience in zip(batch, seats, strict=True):
                self._add(line, audience, change)
            if self.file is not None:
                dropped = [(seat.name, part.session, part.part) for seat, part in change.dropped]
                self.file.write(zip(batch, change.places, strict=True), change.gone, dropped)
        except BaseException:
            self.close()
            raise
        for seat, part in change.dropped:
            self.on_drop(seat, part)
        return len(batch)

    def _check(self, batch: list[Line]) -> list[list[HeldLines]]:
        """Returns the audience of each line.

        Raises:
            RequestError: If an id is taken, a time lies before the last line's, or a seat is unknown.
        """
        time = self._last_time
        new: set[str] = set()
        seats: list[list[HeldLines]] = []
        for line in batch:
            if line.time < time:
                # Whoever adds the same lines twice is told so, not to sort them.
                self._refuse_known(line, new)
                where, found = f"line {line.id!r}.time", f"found {line.time!r} after {time!r}"
                raise RequestError(where, found, "lines in time order", "sort them")
            try:
                seats.append([self.seats[name] for name in line.audience])
            except KeyError as error:
                self.seat(error.args[0])
            self._refuse_known(line, new)
            time = line.time
            new.add(line.id)
        return seats

    def _refuse_known(self, line: Line, new: set[str]) -> None:
        if line.id in self._numbers or line.id in new:
            raise RequestError(f"line {line.id!r}.id", "found a line with this id", "each id once")

    def _add(self, line: Line, audience: list[HeldLines], change: _Change) -> None:
        number = self._next
        self._next, self._last_time = number + 1, line.time
        self.lines[number], self._numbers[line.id], self._n_holders[number] = line, number, len(audience)
        places: list[Place] = []
        for seat in audience:
            part = seat.hear(number, line, self.cut)
            if self.file is not None:
                places.append(Place(seat.counts.n_received, part.part, part.n_lines - 1))
        change.places.append(places)
        # At once, not at the end: where a part begins depends on what is still held, and must not depend on the batch.
        for seat in audience:
            if len(seat) > self.max_lines:
                self._forget_first(seat, change)

    def _forget_first(self, seat: HeldLines, change: _Change) -> None:
        number = seat.first()
        line = self.lines[number]
        part = seat.forget_first(line.session)
        if part is not None:
            change.dropped.append((seat, part))
        self._n_holders[number] -= 1
        if not self._n_holders[number]:
            del self.lines[number], self._numbers[line.id], self._n_holders[number]
            change.gone.append(line.id)

    def _restore(self, file: IndexFile) -> None:
        rows = list(file.lines())
        received = {
            name: place.n_received for line, places in rows for name, place in zip(line.audience, places, strict=True)
        }
        for line, places in rows:
            number, self._next = self._next, self._next + 1
            self.lines[number], self._numbers[line.id], self._n_holders[number] = line, number, 0
            self._last_time = line.time
            for name, place in zip(line.audience, places, strict=True):
                if place.n_received > received[name] - self.max_lines:
                    self.seats[name].restore(number, line, *place)
                    self._n_holders[number] += 1

    def copy(self) -> LineStore:
        """Returns an independent copy in memory."""
        copy = LineStore((), self.max_lines, self.cut)
        copy.lines, copy._numbers, copy._n_holders = self.lines.copy(), self._numbers.copy(), self._n_holders.copy()
        copy.seats = {name: seat.copy() for name, seat in self.seats.items()}
        copy._next, copy._last_time = self._next, self._last_time
        copy._postings, copy._taken_up = self._postings.copy(), self._taken_up
        return copy


class _Change:
    """What adding lines did.

    Attributes:
        places: For each line, where it stands for each seat of its audience; empty without a file.
        gone: Ids of lines that nobody holds any more.
        dropped: Parts that were forgotten, with their seats.
    """

    def __init__(self) -> None:
        self.places: list[list[Place]] = []
        self.gone: list[str] = []
        self.dropped: list[tuple[HeldLines, Part]] = []

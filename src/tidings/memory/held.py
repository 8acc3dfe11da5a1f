"""What one seat holds: which lines, in which talks. The barrier: a line that is not here has no way to the seat."""

from __future__ import annotations

from collections import deque

import numpy as np

from tidings.memory.postings import Postings, Spans
from tidings.memory.records import Counts, Line
from tidings.memory.sessions import SessionCut
from tidings.memory.talks import Part, Talk

__all__ = ["HeldLines"]


class HeldLines:
    """The lines a seat holds, oldest first, and the talks they belong to.

    Line numbers only rise, and a seat forgets its oldest lines first. What a ranking needs of each line is kept as
    arrays; a line enters them at the next search, so that hearing one costs next to nothing.

    Attributes:
        name: The seat.
        talks: Session -> its lines and parts.
        stale: Parts whose summary is missing or out of date, in the order in which they became so.
    """

    def __init__(self, name: str) -> None:
        """Starts empty.

        Args:
            name: The seat.
        """
        self.name = name
        self.talks: dict[str, Talk] = {}
        self.stale: dict[int, Part] = {}
        self._n_received = self._n_parts = 0
        self._new: deque[int] = deque()
        self._table = np.empty((3, 64), np.int64)
        self._first = self._end = self._total_words = 0
        self._version = -1

    def __len__(self) -> int:
        return self._end - self._first + len(self._new)

    @property
    def counts(self) -> Counts:
        """How many lines the seat received, holds and has forgotten."""
        return Counts(self._n_received, len(self), self._n_received - len(self))

    @property
    def total_words(self) -> int:
        """Words of all lines of the last `spans` together."""
        return self._total_words

    def hear(self, number: int, line: Line, cut: SessionCut) -> Part:
        """Takes up a line, newer than all others, and returns the part of its session to which it belongs."""
        talk = self.talks.get(line.session)
        if talk is None:
            talk = self.talks[line.session] = Talk()
        part = talk.open_part(line.time, cut)
        if part is None:
            part = self._begin(number, line.session, talk.parts[-1].part + 1 if talk.parts else 0)
        self._n_received += 1
        self._take_up(number, line.time, talk, part)
        return part

    def restore(self, number: int, line: Line, n_received: int, part_no: int, n_before: int) -> None:
        """Takes up a line as it was held before.

        Args:
            number: Its number.
            line: The line.
            n_received: Lines the seat had received when it heard this one.
            part_no: Number of the part of the session to which it belongs.
            n_before: Lines this part had before it, the forgotten ones included.
        """
        talk = self.talks.setdefault(line.session, Talk())
        part = talk.parts[-1] if talk.parts else None
        if part is None or part.part != part_no:
            part = self._begin(number, line.session, part_no, n_before)
        self._n_received = n_received
        self._take_up(number, line.time, talk, part)

    def _begin(self, first: int, session: str, part_no: int, n_before: int = 0) -> Part:
        self._n_parts += 1
        return Part(self._n_parts, session, part_no, first, first, n_before, 0.0)

    def _take_up(self, number: int, time: float, talk: Talk, part: Part) -> None:
        talk.add(number, time, part)
        self.stale[part.key] = part
        self._new.append(number)

    def holds(self, number: int, session: str) -> bool:
        """Returns whether it holds a line, which is of this session."""
        talk = self.talks.get(session)
        return talk is not None and talk.holds(number)

    def first(self) -> int:
        """Returns the number of the oldest line."""
        return int(self._table[0, self._first]) if self._first < self._end else self._new[0]

    def forget_first(self, session: str) -> Part | None:
        """Forgets the oldest line, which is of this session; returns the part that went with it, if one did.

        A part that lost its first line only becomes stale: its summary must no longer quote it.
        """
        if self._first < self._end:
            self._total_words -= int(self._table[2, self._first])
            self._first += 1
        else:
            self._new.popleft()
        part, is_gone = self.talks[session].forget_first()
        if not is_gone:
            self.stale[part.key] = part
            return None
        self.stale.pop(part.key, None)
        if not self.talks[session].numbers:
            del self.talks[session]
        return part

    def spans(self, postings: Postings) -> Spans:
        """Returns the lines held as intervals of the index, up to date; valid until the next change."""
        if self._version != postings.version:
            numbers = self._table[0, self._first : self._end].copy()
            self._first = self._end = self._total_words = 0
            self._append(postings.spans(numbers))
            self._version = postings.version
        if self._new:
            self._append(postings.spans(np.fromiter(self._new, np.int64, len(self._new))))
            self._new.clear()
        return Spans(*self._table[:, self._first : self._end])

    def _append(self, new: Spans) -> None:
        n_kept, n_new = self._end - self._first, len(new.numbers)
        if self._end + n_new > self._table.shape[1]:
            table = np.empty((3, 2 * (n_kept + n_new)), np.int64)
            table[:, :n_kept] = self._table[:, self._first : self._end]
            self._table, self._first, self._end = table, 0, n_kept
        self._table[:, self._end : self._end + n_new] = np.array(new)
        self._end += n_new
        self._total_words += int(new.n_words.sum())

    def copy(self) -> HeldLines:
        """Returns an independent copy."""
        copy = HeldLines(self.name)
        copy.talks = {session: talk.copy() for session, talk in self.talks.items()}
        parts = {part.key: part for talk in copy.talks.values() for part in talk.parts}
        copy.stale = {key: parts[key] for key in self.stale}
        copy._n_received, copy._n_parts, copy._version = self._n_received, self._n_parts, self._version
        copy._new, copy._table = self._new.copy(), self._table.copy()
        copy._first, copy._end, copy._total_words = self._first, self._end, self._total_words
        return copy

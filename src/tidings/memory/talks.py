"""One session as one seat heard it: its lines in order, cut into parts short enough to be summed up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace

from tidings.memory.sessions import SessionCut

__all__ = ["Part", "Talk"]


@dataclass(slots=True, eq=False)
class Part:
    """A part of a session, as one seat heard it.

    Attributes:
        key: Of the parts of one seat, this one's.
        session: Id of the session.
        part: Its number in the session, from 0.
        first: Number of its first line that is still held.
        last: Number of its last line.
        n_lines: Lines it had, the forgotten ones included.
        ends: Time of its last line.
    """

    key: int
    session: str
    part: int
    first: int
    last: int
    n_lines: int
    ends: float


class Talk:
    """The lines of one session that one seat holds, and their parts, both in order."""

    __slots__ = ("numbers", "parts")

    def __init__(self) -> None:
        """Starts empty."""
        self.numbers: list[int] = []
        self.parts: list[Part] = []

    def open_part(self, time: float, cut: SessionCut) -> Part | None:
        """Returns the part that a line at this time goes on, or None if it starts a new one."""
        if not self.parts:
            return None
        part = self.parts[-1]
        return None if cut.starts_part(part.n_lines, time - part.ends) else part

    def add(self, number: int, time: float, part: Part) -> None:
        """Adds a line at the end, to its last part or to one that begins with it."""
        self.numbers.append(number)
        if not self.parts or self.parts[-1] is not part:
            self.parts.append(part)
        part.last, part.ends, part.n_lines = number, time, part.n_lines + 1

    def forget_first(self) -> tuple[Part, bool]:
        """Takes its first line away; returns the part it belonged to, and whether that went with it."""
        part = self.parts[0]
        del self.numbers[0]
        if not self.numbers or part.last < self.numbers[0]:
            del self.parts[0]
            return part, True
        part.first = self.numbers[0]
        return part, False

    def holds(self, number: int) -> bool:
        """Returns whether a line is among those held."""
        place = bisect_left(self.numbers, number)
        return place < len(self.numbers) and self.numbers[place] == number

    def lines_of(self, part: Part) -> list[int]:
        """Returns the numbers of the lines of a part that are still held."""
        return self.numbers[bisect_left(self.numbers, part.first) : bisect_right(self.numbers, part.last)]

    def around(self, number: int, window: int) -> list[int]:
        """Returns the neighbours of a line on either side, the nearest first, of two equally near the earlier."""
        place = bisect_left(self.numbers, number)
        before = self.numbers[max(place - window, 0) : place][::-1]
        after = self.numbers[place + 1 : place + 1 + window]
        n_both = min(len(before), len(after))
        paired = [line for pair in zip(before, after, strict=False) for line in pair]
        return paired + before[n_both:] + after[n_both:]

    def copy(self) -> Talk:
        """Returns an independent copy."""
        copy = Talk()
        copy.numbers, copy.parts = self.numbers[:], [replace(part) for part in self.parts]
        return copy

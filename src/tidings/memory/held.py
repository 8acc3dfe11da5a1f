"""Which lines one seat holds, as arrays: what ranking needs of a line without asking the database for each."""

from __future__ import annotations

import sqlite3

import numpy as np
import numpy.typing as npt

__all__ = ["HeldLines", "find_places"]

_NEW = "SELECT line, n_words FROM views WHERE seat = ? AND line > ? ORDER BY line"
_FIRST = "SELECT line FROM views WHERE seat = ? ORDER BY line LIMIT 1"


class HeldLines:
    """Numbers and lengths of the lines a seat holds, read from the table of views and from nothing else.

    Line numbers only rise, and a seat forgets its oldest lines first. So `update` is exact after reading what came
    since the last time and the number of the first line that is still held.
    """

    def __init__(self, db: sqlite3.Connection, seat: int) -> None:
        """Starts empty; `update` reads.

        Args:
            db: The database.
            seat: Number of the seat.
        """
        self._db, self._seat = db, seat
        self._table = np.empty((2, 64), np.int64)
        self._first = self._end = 0
        self._last_number = self._total_words = 0

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """Line numbers, rising, int64 `[n_lines]`."""
        return self._table[0, self._first : self._end]

    @property
    def n_words(self) -> npt.NDArray[np.int64]:
        """Words of each line, int64 `[n_lines]`."""
        return self._table[1, self._first : self._end]

    @property
    def total_words(self) -> int:
        """Words of all lines together."""
        return self._total_words

    def update(self) -> None:
        """Takes up what the seat was told and what it forgot since the last time."""
        new = self._db.execute(_NEW, (self._seat, self._last_number)).fetchall()
        if new:
            self._append(np.array(new, np.int64).T)
            self._last_number = new[-1][0]
        first = self._db.execute(_FIRST, (self._seat,)).fetchone()
        if first:
            forgotten = int(np.searchsorted(self.numbers, first[0]))
            self._total_words -= int(self.n_words[:forgotten].sum())
            self._first += forgotten

    def _append(self, new: npt.NDArray[np.int64]) -> None:
        n = self._end - self._first + new.shape[1]
        if self._end + new.shape[1] > self._table.shape[1]:
            table = np.empty((2, 2 * n), np.int64)
            table[:, : self._end - self._first] = self._table[:, self._first : self._end]
            self._table, self._first, self._end = table, 0, self._end - self._first
        self._table[:, self._end : self._end + new.shape[1]] = new
        self._end += new.shape[1]
        self._total_words += int(new[1].sum())

    def find(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Returns the places, in `numbers` of this object, of those given line numbers that the seat holds."""
        return find_places(self.numbers, numbers)


def find_places(rising: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Returns where, in a rising array, those of the wanted values stand that are in it; in the order of `wanted`."""
    if not len(rising):
        return np.empty(0, np.int64)
    places = np.searchsorted(rising, wanted)
    places[places == len(rising)] = 0
    return places[rising[places] == wanted]

"""The full-text index: where in the stream of all words each word stands.

All lines, one after the other, make one stream of words, with an empty place after each line. A keyword is a rising
array of positions in it, a line an interval. So one search in a sorted array says which of a seat's lines hold a
keyword, and several words stand next to each other where their positions do.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tidings.memory.records import Line
from tidings.memory.words import Pattern, split_words

__all__ = ["Postings", "Spans", "find_places"]

Positions = npt.NDArray[np.int64]


class Spans(NamedTuple):
    """Lines as intervals of the stream.

    Attributes:
        numbers: Line numbers, rising, int64 `[n_lines]`.
        starts: Position of the first word of each, rising, int64 `[n_lines]`.
        n_words: Words of each, int64 `[n_lines]`.
    """

    numbers: Positions
    starts: Positions
    n_words: Positions

    def hold(self, positions: Positions) -> tuple[Positions, Positions]:
        """Returns the places of the lines that hold any of the rising positions, and how many each holds."""
        if len(self.starts) < len(positions):
            counts = np.searchsorted(positions, self.starts + self.n_words) - np.searchsorted(positions, self.starts)
            places = np.flatnonzero(counts)
            return places, counts[places]
        places = np.searchsorted(self.starts, positions, "right") - 1
        is_inside = (places >= 0) & (positions < self.starts[places] + self.n_words[places])
        places = places[is_inside]
        firsts = np.flatnonzero(np.diff(places, prepend=-1))
        return places[firsts], np.diff(firsts, append=len(places))


class Postings:
    """Positions of every word of the lines taken up so far; it knows no seats, and gives out no text.

    Attributes:
        version: Tells one index from the next that was made of the same lines.
    """

    def __init__(self, version: int = 0) -> None:
        """Starts empty.

        Args:
            version: See the class.
        """
        self.version = version
        self._words: dict[str, array[int]] = {}
        self._numbers, self._starts, self._n_words = array("q"), array("q"), array("q")
        self._end = 0

    @property
    def n_lines(self) -> int:
        """Lines taken up."""
        return len(self._numbers)

    def take_up(self, lines: Iterable[tuple[int, Line]]) -> None:
        """Takes up lines with their numbers, which rise from call to call."""
        positions_of = self._words
        for number, line in lines:
            words = split_words(line.text)
            self._numbers.append(number)
            self._starts.append(self._end)
            self._n_words.append(len(words))
            for position, word in enumerate(words, self._end):
                if word in positions_of:
                    positions_of[word].append(position)
                else:
                    positions_of[word] = array("q", (position,))
            self._end += len(words) + 1

    def spans(self, numbers: Positions) -> Spans:
        """Returns the intervals of numbered lines, all of them taken up, `[n_lines]`."""
        places = np.searchsorted(np.array(self._numbers), numbers)
        return Spans(numbers, np.array(self._starts)[places], np.array(self._n_words)[places])

    def find(self, pattern: Pattern) -> Positions:
        """Returns the positions at which a keyword begins, rising."""
        *firsts, last = pattern.words
        found = [self._of(word) for word in firsts]
        found.append(self._of_prefix(last) if pattern.is_prefix else self._of(last))
        # From the rarest word on; which way is taken changes no result.
        begins = sorted((positions - i for i, positions in enumerate(found)), key=len)
        return reduce(_intersect, begins)

    def _of(self, word: str) -> Positions:
        return np.array(self._words.get(word, ()), np.int64)

    def _of_prefix(self, prefix: str) -> Positions:
        words = [word for word in self._words if word.startswith(prefix)]
        return np.sort(np.concatenate([np.empty(0, np.int64), *map(self._of, words)]))

    def copy(self) -> Postings:
        """Returns an independent copy."""
        copy = Postings(self.version)
        copy._words = {word: positions[:] for word, positions in self._words.items()}
        copy._numbers, copy._starts, copy._n_words = self._numbers[:], self._starts[:], self._n_words[:]
        copy._end = self._end
        return copy


def _intersect(few: Positions, many: Positions) -> Positions:
    return many[find_places(many, few)]


def find_places(rising: Positions, wanted: Positions) -> Positions:
    """Returns where, in a rising array, those of the wanted values stand that are in it; in the order of `wanted`."""
    if not len(rising):
        return np.empty(0, np.int64)
    places = np.searchsorted(rising, wanted)
    places[places == len(rising)] = 0
    return places[rising[places] == wanted]

"""BM25 scores of the lines one seat holds, with statistics of those lines only.

The full-text index is shared by all seats; the statistics (how many lines, how long, how many with a word) are not.
With statistics of the whole index, a line that a seat never heard would change the order of what it finds and, with a
limit, the content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tidings.memory.held import HeldLines, find_places
from tidings.memory.store import LineStore
from tidings.memory.words import Pattern, split_words

__all__ = ["Scores", "score_lines"]

K1, B = 1.2, 0.75
"""Saturation and length normalisation of BM25, at their usual values."""
_LARGE_SHARE = 10
"""A seat with more than a tenth of all lines: it is quicker to look up all lines with a word and keep those it holds
than to walk through the list of its lines. Which way is taken changes no result."""

_MATCHES = "SELECT group_concat(rowid) FROM full_text WHERE full_text MATCH ?"
"""All line numbers in one text: thousands of rows one by one cost several times as much."""
_REPEATS = "SELECT line, n FROM repeats WHERE word = ?"
_SPAN = "SELECT (SELECT max(no) FROM lines) - (SELECT min(no) FROM lines)"


class Scores(NamedTuple):
    """The lines of a seat that match.

    Attributes:
        numbers: Line numbers, rising, int64 `[n_matches]`.
        values: Their scores, float64 `[n_matches]`.
    """

    numbers: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]

    def of(self, lines: Iterable[int]) -> dict[int, float]:
        """Returns the scores of those of the lines that match."""
        places = find_places(self.numbers, np.fromiter(lines, np.int64))
        return dict(zip(self.numbers[places].tolist(), self.values[places].tolist(), strict=True))


def score_lines(
    store: LineStore,
    seat: int,
    patterns: Sequence[Pattern],
    with_seat: str | None = None,
    without_seat: str | None = None,
) -> Scores:
    """Returns the score of every line of the seat that matches.

    The score is the sum over the keywords w of `idf(w) tf (k1 + 1) / (tf + k1 (1 - b + b len / mean_len))` with
    `idf(w) = ln(1 + (N - df + 1/2) / (df + 1/2))`: tf occurrences of w in the line of len words, df of the seat's N
    lines hold w. A keyword of several words counts where they stand next to each other.

    Args:
        store: The shared index.
        seat: Number of the seat.
        patterns: The keywords.
        with_seat: Only lines that this seat also said or heard match. What a match is worth does not change.
        without_seat: Lines that this seat said or heard do not match.

    Raises:
        RequestError: If a seat is unknown.

    Source: Robertson and Zaragoza 2009, "The probabilistic relevance framework: BM25 and beyond"; the idf with 1 added
    inside the logarithm, so that no match counts against a line.
    """
    held = store.held(seat)
    n_lines = len(held.numbers)
    mean_words = held.total_words / max(n_lines, 1) or 1.0
    others = _others(store, with_seat, without_seat)
    span = store.db.execute(_SPAN).fetchone()[0] or 0
    is_large = n_lines * _LARGE_SHARE > span
    found: list[npt.NDArray[np.int64]] = []
    worth: list[npt.NDArray[np.float64]] = []
    for pattern in patterns:
        places, counts = _find(store, seat, held, pattern, is_large=is_large)
        idf = log(1 + (n_lines - len(places) + 0.5) / (len(places) + 0.5))
        relative = held.n_words[places] / mean_words
        values = idf * (K1 + 1) * counts / (counts + K1 * (1 - B + B * relative))
        if others is not None:
            match = others.format(f'seats:"{seat}" AND {pattern.match}')
            is_wanted = np.isin(places, held.find(_select(store, match)), assume_unique=True)
            places, values = places[is_wanted], values[is_wanted]
        found.append(places)
        worth.append(values)
    # Only the lines that match are touched; for one who heard everything they are a hundredth of those held.
    matches, which = np.unique(np.concatenate([np.empty(0, np.int64), *found]), return_inverse=True)
    total = np.bincount(which, np.concatenate([np.empty(0), *worth]), len(matches)).astype(np.float64)
    return Scores(held.numbers[matches], total)


def _others(store: LineStore, with_seat: str | None, without_seat: str | None) -> str | None:
    """Returns a full-text expression with a place for another one, or None for no condition."""
    if with_seat is None and without_seat is None:
        return None
    wanted = "({})" if with_seat is None else f'(({{}}) AND seats:"{store.seat_no(with_seat)}")'
    return wanted if without_seat is None else f'({wanted} NOT seats:"{store.seat_no(without_seat)}")'


def _select(store: LineStore, match: str) -> npt.NDArray[np.int64]:
    """Returns the numbers of the lines that meet a full-text expression, rising; lines of all seats."""
    numbers = store.db.execute(_MATCHES, (match,)).fetchone()[0]
    return np.sort(np.fromstring(numbers or "", np.int64, sep=","))


def _find(
    store: LineStore, seat: int, held: HeldLines, pattern: Pattern, *, is_large: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns the places in `held` where a keyword occurs, and how often in each."""
    places = held.find(_select(store, pattern.match if is_large else f'seats:"{seat}" AND {pattern.match}'))
    counts = np.ones(len(places), np.int64)
    if pattern.is_word:
        repeats = dict(store.db.execute(_REPEATS, pattern.words))
        numbers = held.numbers[places]
        for place in find_places(numbers, np.fromiter(repeats, np.int64)).tolist():
            counts[place] = repeats[int(numbers[place])]
        return places, counts
    texts = store.select("l.no, l.text", seat, held.numbers[places].tolist())
    found = {number: pattern.count(split_words(text)) for number, text in texts}
    counts = np.array([found[number] for number in held.numbers[places].tolist()], np.int64)
    return places[counts > 0], counts[counts > 0]

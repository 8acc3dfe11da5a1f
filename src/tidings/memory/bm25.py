"""BM25 scores of the lines one seat holds, with statistics of those lines only.

The full-text index is shared by all seats; the statistics (how many lines, how long, how many with a word) are not.
With statistics of the whole index, a line that a seat never heard would change the order of what it finds and, with a
limit, the content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import log
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tidings.memory.held import HeldLines
from tidings.memory.postings import find_places
from tidings.memory.store import LineStore
from tidings.memory.words import Pattern

__all__ = ["Scores", "score_lines"]

K1, B = 1.2, 0.75
"""Saturation and length normalisation of BM25, at their usual values."""


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
    store: LineStore, seat: HeldLines, patterns: Sequence[Pattern], is_wanted: Callable[[int], bool] | None = None
) -> Scores:
    """Returns the score of every line of the seat that matches.

    The score is the sum over the keywords w of `idf(w) tf (k1 + 1) / (tf + k1 (1 - b + b len / mean_len))` with
    `idf(w) = ln(1 + (N - df + 1/2) / (df + 1/2))`: tf occurrences of w in the line of len words, df of the seat's N
    lines hold w. A keyword of several words counts where they stand next to each other.

    Args:
        store: The lines of all seats.
        seat: What the seat holds.
        patterns: The keywords.
        is_wanted: Whether a numbered line may match; None: any. What a match is worth does not change.

    Source: Robertson and Zaragoza 2009, "The probabilistic relevance framework: BM25 and beyond"; the idf with 1 added
    inside the logarithm, so that no match counts against a line.
    """
    postings = store.postings()
    held = seat.spans(postings)
    n_lines = len(held.numbers)
    mean_words = seat.total_words / max(n_lines, 1) or 1.0
    found: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    worth: list[npt.NDArray[np.float64]] = [np.empty(0)]
    for pattern in patterns:
        places, counts = held.hold(postings.find(pattern))
        idf = log(1 + (n_lines - len(places) + 0.5) / (len(places) + 0.5))
        relative = held.n_words[places] / mean_words
        found.append(places)
        worth.append(idf * (K1 + 1) * counts / (counts + K1 * (1 - B + B * relative)))
    # Only the lines that match are touched; for one who heard everything they are a hundredth of those held.
    matches, which = np.unique(np.concatenate(found), return_inverse=True)
    scores = Scores(held.numbers[matches], np.bincount(which, np.concatenate(worth), len(matches)).astype(np.float64))
    if is_wanted is None:
        return scores
    kept = np.fromiter(map(is_wanted, scores.numbers.tolist()), np.bool_, len(matches))
    return Scores(scores.numbers[kept], scores.values[kept])

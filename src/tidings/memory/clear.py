"""Clear memory: keyword search over the lines one seat holds, ranked, with a window of neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from tidings.core.errors import RequestError
from tidings.memory.bm25 import Scores, score_lines
from tidings.memory.held import HeldLines
from tidings.memory.records import ClearHit, ClearResult
from tidings.memory.store import LineStore
from tidings.memory.words import Pattern, parse_keyword

__all__ = ["search_clear"]

DECIMALS = 9
"""Scores are rounded to this, so that lines of equal worth tie whatever the last digits of their sums."""


class _Match(NamedTuple):
    """A matching line; the order of these is the rank."""

    minus_score: float
    time: float
    line_id: str
    line: int


def search_clear(
    store: LineStore,
    seat: HeldLines,
    keywords: Iterable[str],
    *,
    window: int,
    limit: int,
    with_seat: str | None = None,
    without_seat: str | None = None,
) -> ClearResult:
    """Returns the lines a seat holds that match any of the keywords, and their neighbours.

    Lines rank by BM25 (`tidings.memory.bm25`); ties go to the earlier time, then to the lower id. From the best line
    down, each brings itself and then its neighbours, the nearest first, until `limit` lines are together.

    Args:
        store: The lines of all seats.
        seat: What the seat that asks holds.
        keywords: What to look for; see `tidings.memory.words` for what counts as a word.
        window: Neighbours on either side, out of those lines of the same session that the seat holds.
        limit: Lines returned, at most.
        with_seat: Only lines that this seat also said or heard match.
        without_seat: Lines that this seat said or heard do not match.

    Raises:
        RequestError: If there is no keyword, one is blank or no text, a number is out of range, or a seat is unknown.
    """
    _check_number("window", window, 0)
    _check_number("limit", limit, 1)
    patterns, unsearchable = _parse(keywords)
    scores = score_lines(store, seat, patterns, _partner_filter(store, with_seat, without_seat))
    # A line taken up as a neighbour of a better one may leave a place, so `limit` matches are always enough.
    ranked = _rank(store, _best(store, scores, limit))[:limit]
    lines = {number: store.lines[number] for number in sorted(_widen(store, seat, ranked, window, limit))}
    # A neighbour that matches is a hit too, even if it ranks below those that were asked for.
    found = tuple(ClearHit(match.line_id, -match.minus_score) for match in _rank(store, scores.of(lines)))
    return ClearResult(tuple(lines.values()), found, len(scores.numbers), unsearchable)


def _partner_filter(store: LineStore, with_seat: str | None, without_seat: str | None) -> Callable[[int], bool] | None:
    """Returns whether a numbered line is one that the first seat said or heard and the second did not; None: any is."""
    if with_seat is None and without_seat is None:
        return None
    for name in (with_seat, without_seat):
        if name is not None:
            store.seat(name)

    def is_wanted(number: int) -> bool:
        audience = store.lines[number].audience
        return (with_seat is None or with_seat in audience) and without_seat not in audience

    return is_wanted


def _parse(keywords: Iterable[str]) -> tuple[list[Pattern], tuple[str, ...]]:
    given = [keywords] if isinstance(keywords, str) else list(keywords)
    if isinstance(keywords, str) or not all(isinstance(keyword, str) and keyword.strip() for keyword in given):
        raise RequestError("clear.keywords", f"found {keywords!r}", "a list of texts, none of them blank")
    if not given:
        raise RequestError("clear.keywords", "found none", "at least one word", "say what to look for")
    parsed = [(keyword, parse_keyword(keyword)) for keyword in given]
    patterns = dict.fromkeys(pattern for _, pattern in parsed if pattern is not None)
    return list(patterns), tuple(keyword for keyword, pattern in parsed if pattern is None)


def _check_number(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise RequestError(f"clear.{name}", f"found {value!r}", f"an integer of at least {least}")


def _best(store: LineStore, scores: Scores, n: int) -> dict[int, float]:
    """Returns the n lines of highest score, and those that tie with the last of them in score and time."""
    numbers, values = scores
    if len(values) > n:
        is_near = values >= np.partition(values, len(values) - n)[len(values) - n] - 2 * 10.0**-DECIMALS
        numbers, values = numbers[is_near], values[is_near]
    # Many lines are worth the same: each worth is rounded once, and not by NumPy, whose last digits differ.
    worth, which = np.unique(values, return_inverse=True)
    rounded = np.array([-round(value, DECIMALS) for value in worth.tolist()])[which]
    # Lines are numbered in time order, so all that share a time stand together.
    places = np.lexsort((numbers, rounded))
    order = list(zip(rounded[places].tolist(), numbers[places].tolist(), strict=True))
    best = order[:n]
    ties = takewhile(lambda entry: entry[0] == best[-1][0] and _time(store, entry) == _time(store, best[-1]), order[n:])
    return {line: -score for score, line in (*best, *ties)}


def _time(store: LineStore, entry: tuple[float, int]) -> float:
    return store.lines[entry[1]].time


def _rank(store: LineStore, scores: Mapping[int, float]) -> list[_Match]:
    found = ((number, store.lines[number], score) for number, score in scores.items())
    return sorted(_Match(-round(score, DECIMALS), line.time, line.id, number) for number, line, score in found)


def _widen(store: LineStore, seat: HeldLines, ranked: Sequence[_Match], window: int, limit: int) -> set[int]:
    chosen: set[int] = set()
    for match in ranked:
        near = seat.talks[store.lines[match.line].session].around(match.line, window)
        for line in (match.line, *near):
            if len(chosen) == limit:
                return chosen
            chosen.add(line)
    return chosen

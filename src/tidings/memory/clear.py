"""Clear memory: keyword search over the lines one seat holds, ranked by BM25, with a window of neighbours.

The full-text index is shared by all seats; the ranking is not. Its statistics (how many lines, how long, how many with
a word) are those of the lines this seat holds. With statistics of the whole index, a line that a seat never heard
would change the order of what it finds and, with a limit, the content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest
from math import log
from typing import NamedTuple

from tidings.core.errors import RequestError
from tidings.memory.records import ClearHit, ClearResult
from tidings.memory.store import LineStore
from tidings.memory.words import Pattern, parse_keyword, split_words

__all__ = ["search_clear"]

K1, B = 1.2, 0.75
"""Saturation and length normalisation of BM25, at their usual values."""
DECIMALS = 9
"""Scores are rounded to this, so that lines of equal worth tie whatever the last digits of their sums."""

_MATCHES = """
SELECT v.line, v.n_words FROM full_text f CROSS JOIN views v ON v.seat = ?1 AND v.line = f.rowid
WHERE f.full_text MATCH ?2
"""
_REPEATS = """
SELECT r.line, r.n FROM repeats r CROSS JOIN views v ON v.seat = ?1 AND v.line = r.line WHERE r.word = ?2
"""
_TEXTS = """
SELECT v.line, v.n_words, l.text FROM full_text f CROSS JOIN views v ON v.seat = ?1 AND v.line = f.rowid
CROSS JOIN lines l ON l.no = v.line WHERE f.full_text MATCH ?2
"""
_BEFORE = "SELECT line FROM views WHERE seat = ? AND session = ? AND line < ? ORDER BY line DESC LIMIT ?"
_AFTER = "SELECT line FROM views WHERE seat = ? AND session = ? AND line > ? ORDER BY line LIMIT ?"


class _Match(NamedTuple):
    """A matching line; the order of these is the rank."""

    minus_score: float
    time: float
    line_id: str
    line: int
    session: int


def search_clear(
    store: LineStore,
    seat: int,
    keywords: Iterable[str],
    *,
    window: int,
    limit: int,
    with_seat: str | None = None,
    without_seat: str | None = None,
) -> ClearResult:
    """Returns the lines a seat holds that match any of the keywords, and their neighbours.

    The score of a line is the sum over the keywords w of `idf(w) tf (k1 + 1) / (tf + k1 (1 - b + b len / mean_len))`,
    `idf(w) = ln(1 + (N - df + 1/2) / (df + 1/2))`: tf occurrences of w in the line of len words, df of the seat's N
    lines hold w. A keyword of several words counts where they stand next to each other. From the best line down,
    each brings itself and then its neighbours, the nearest first, until `limit` lines are together.

    Args:
        store: The shared index.
        seat: Number of the seat that asks.
        keywords: What to look for; see `tidings.memory.words` for what counts as a word.
        window: Neighbours on either side, out of those lines of the same session that the seat holds.
        limit: Lines returned, at most.
        with_seat: Only lines that this seat also said or heard match.
        without_seat: Lines that this seat said or heard do not match.

    Raises:
        RequestError: If there is no keyword, one is blank or no text, a number is out of range, or a seat is unknown.

    Source: Robertson and Zaragoza 2009, "The probabilistic relevance framework: BM25 and beyond"; the idf with 1 added
    inside the logarithm, so that no match counts against a line.
    """
    _check_number("window", window, 0)
    _check_number("limit", limit, 1)
    patterns, unsearchable = _parse(keywords)
    scores = _score(store, seat, patterns)
    if with_seat is not None or without_seat is not None:
        scores = _filter(store, seat, patterns, scores, with_seat, without_seat)
    # A line taken up as a neighbour of a better one may leave a place, so `limit` matches are always enough.
    ranked = _rank(store, seat, _best(scores, limit), scores)[:limit]
    chosen = _widen(store, seat, ranked, window, limit)
    hits = _rank(store, seat, [line for line in chosen if line in scores], scores)
    found = tuple(ClearHit(match.line_id, -match.minus_score) for match in hits)
    return ClearResult(tuple(store.lines(seat, sorted(chosen))), found, len(scores), unsearchable)


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


def _score(store: LineStore, seat: int, patterns: Sequence[Pattern]) -> dict[int, float]:
    n_lines, n_words = store.db.execute("SELECT n_held, n_words FROM seats WHERE no = ?", (seat,)).fetchone()
    scores: dict[int, float] = {}
    for pattern in patterns:
        lengths, counts = _count(store, seat, pattern)
        if not lengths:
            continue
        weight = (K1 + 1) * log(1 + (n_lines - len(lengths) + 0.5) / (len(lengths) + 0.5))
        base, slope = K1 * (1 - B), K1 * B * n_lines / n_words
        for line, length in lengths.items():
            count = counts.get(line, 1)
            scores[line] = scores.get(line, 0.0) + weight * count / (count + base + slope * length)
    return scores


def _count(store: LineStore, seat: int, pattern: Pattern) -> tuple[dict[int, int], dict[int, int]]:
    """Returns the length of each line with this keyword, and its occurrences where they are not 1."""
    match = f'seats:"{seat}" AND {pattern.match}'
    if pattern.is_word:
        lengths = dict(store.db.execute(_MATCHES, (seat, match)))
        return lengths, dict(store.db.execute(_REPEATS, (seat, pattern.words[0])))
    texts = store.db.execute(_TEXTS, (seat, match))
    counted = [(line, length, pattern.count(split_words(text))) for line, length, text in texts]
    return {line: length for line, length, n in counted if n}, {line: n for line, _, n in counted if n}


def _filter(
    store: LineStore,
    seat: int,
    patterns: Sequence[Pattern],
    scores: dict[int, float],
    with_seat: str | None,
    without_seat: str | None,
) -> dict[int, float]:
    kept: dict[int, float] = {}
    for pattern in patterns:
        match = f'seats:"{seat}" AND {pattern.match}'
        if with_seat is not None:
            match += f' AND seats:"{store.seat_no(with_seat)}"'
        if without_seat is not None:
            match = f'({match}) NOT seats:"{store.seat_no(without_seat)}"'
        kept.update((line, scores[line]) for line, _ in store.db.execute(_MATCHES, (seat, match)) if line in scores)
    return kept


def _best(scores: dict[int, float], n: int) -> list[int]:
    """Returns the lines of the n highest scores, and those that may tie with the last of them."""
    if len(scores) <= n:
        return list(scores)
    least = nlargest(n, scores.values())[-1] - 2 * 10.0**-DECIMALS
    return [line for line, score in scores.items() if score >= least]


def _rank(store: LineStore, seat: int, lines: Sequence[int], scores: dict[int, float]) -> list[_Match]:
    columns = "l.no, l.time, l.id, l.session"
    return sorted(
        _Match(-round(scores[line], DECIMALS), time, line_id, line, session)
        for line, time, line_id, session in store.select(columns, seat, lines)
    )


def _widen(store: LineStore, seat: int, ranked: Sequence[_Match], window: int, limit: int) -> set[int]:
    chosen: set[int] = set()
    for match in ranked:
        for line in (match.line, *_neighbours(store, seat, match, window)):
            if len(chosen) == limit:
                return chosen
            chosen.add(line)
    return chosen


def _neighbours(store: LineStore, seat: int, match: _Match, window: int) -> list[int]:
    if not window:
        return []
    place = seat, match.session, match.line, min(window, 2**31)
    before = [line for (line,) in store.db.execute(_BEFORE, place)]
    after = [line for (line,) in store.db.execute(_AFTER, place)]
    n_both = min(len(before), len(after))
    paired = [line for pair in zip(before, after, strict=False) for line in pair]
    return paired + before[n_both:] + after[n_both:]

"""What can be scored on a Schedule level without communication: measured on fresh days, without a model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tidings.benchmarks.asymmetry.schedule import draw_days
from tidings.benchmarks.asymmetry.schedule_balanced import draw_easy_layout
from tidings.benchmarks.asymmetry.schedule_golds import (
    ASKER_SIDE,
    DAY_SLOTS,
    PARTNER_SIDE,
    PEOPLE,
    Days,
    Span,
    free_spans,
    longest_names,
    min_deletions,
    most_total_names,
    waking,
)
from tidings.benchmarks.streams import Draws

__all__ = ["Floor", "constant_spans_iou", "draw_floor_days", "schedule_floors"]

_N_POOL = 1500
"""Partner days an own day is held against; fewer make the argmax noisy (400 lose 0.005)."""

DaysAndOptions = tuple[Days, tuple[str, ...]]


class Floor(NamedTuple):
    """A measured row.

    Attributes:
        mean: Mean score in [0, 1].
        standard_error: Standard deviation of the scores over the square root of n.
        n: Number of items measured.
        rule: How the answers were made.
    """

    mean: float
    standard_error: float
    n: int
    rule: str


def schedule_floors(profile: str, level: str, n: int, seed: int) -> dict[str, Floor]:
    """Returns the rows `constant`, `asker` and `partner` of one level.

    What a row must learn from data (the best constant; for `easy` the best guess at each number of own activities) is
    learnt on other items, a quarter as many (at least 500), of seed + 1.

    Args:
        profile: `paper` or `balanced`.
        level: A level of that profile.
        n: Items measured.
        seed: Seed of the measured items.
    """
    train = draw_floor_days(profile, level, max(500, n // 4), seed + 1)
    test = draw_floor_days(profile, level, n, seed)
    rows = {"easy": _easy, "medium": _medium, "medium-total": _total, "hard": _hard}[level](train, test)
    if (profile, level) == ("balanced", "easy"):
        rows |= _easy_optimal(test, seed)
    return rows


def draw_floor_days(profile: str, level: str, n: int, seed: int) -> list[DaysAndOptions]:
    """Returns the days of items 0..n-1, the same as those of `generate_schedule`."""
    path = f"schedule/{profile}"
    return [draw_days(Draws(seed, path, level, index), profile, level, index) for index in range(n)]


def constant_spans_iou(days: Sequence[Days], span: Span) -> float:
    """Returns the mean IoU of always answering one span of slots."""
    free = _free_matrix([(day, ()) for day in days], PEOPLE)
    answer = np.zeros(DAY_SLOTS, dtype=bool)
    answer[slice(*span)] = True
    return float(_iou(free, answer[None, :]).mean())


def _floor(scores: Sequence[float] | NDArray[np.float64], rule: str) -> Floor:
    values = np.asarray(scores, dtype=float)
    return Floor(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))), len(values), rule)


def _easy(train: list[DaysAndOptions], test: list[DaysAndOptions]) -> dict[str, Floor]:
    def gold(item: DaysAndOptions) -> int:
        return min_deletions(waking(item[0], ("A", "D")))

    golds = [gold(item) for item in test]
    constant = Counter(gold(item) for item in train).most_common(1)[0][0]
    rows = {"constant": _floor([g == constant for g in golds], f"always {constant}")}
    for row, person in (("asker", "A"), ("partner", "D")):
        guesses = _best_guesses([(len(waking(item[0], person)), gold(item)) for item in train])
        answers = [guesses.get(len(waking(item[0], person)), constant) for item in test]
        scores = [a == g for a, g in zip(answers, golds, strict=True)]
        rows[row] = _floor(scores, "the likeliest answer at this number of own activities")
    return rows


def _best_guesses(pairs: list[tuple[int, int]]) -> dict[int, int]:
    golds: dict[int, Counter[int]] = defaultdict(Counter)
    for seen, gold in pairs:
        golds[seen][gold] += 1
    return {seen: counts.most_common(1)[0][0] for seen, counts in golds.items()}


def _easy_optimal(test: list[DaysAndOptions], seed: int) -> dict[str, Floor]:
    """Returns the optimal own-view rows of the balanced level, whose golds 1-4 are equally likely.

    P(gold | own day) is proportional to P(gold | own day, unselected partner) / P(gold | unselected pair); both are
    counted over a pool of unselected partner days.
    """
    draws = Draws(seed, "schedule/balanced", "easy", "floor")
    pool = np.array([draw_easy_layout(draws) for _ in range(_N_POOL)])
    pairs = np.concatenate([_pool_deletions(layout, pool) for layout in pool[:_N_POOL:4]])
    prior = np.bincount(pairs, minlength=10)[1:5]
    golds = np.array([min_deletions(waking(days, ("A", "D"))) for days, _ in test])
    rows = {}
    for row, person in (("asker", "A"), ("partner", "D")):
        layouts = [np.array([(a.start, a.end) for a in waking(days, person)]) for days, _ in test]
        counts = [np.bincount(_pool_deletions(layout, pool), minlength=10)[1:5] for layout in layouts]
        answers = 1 + np.argmax(np.array(counts) / prior, axis=1)
        rows[row] = _floor(answers == golds, "optimal: the likeliest answer at this own day")
    return rows


def _pool_deletions(layout: NDArray[np.int64], pool: NDArray[np.int64]) -> NDArray[np.int64]:
    spans = np.concatenate([pool, np.broadcast_to(layout, pool.shape)], axis=1)
    order = np.argsort(spans[..., 1], axis=1, kind="stable")
    spans = np.take_along_axis(spans, order[..., None], axis=1)
    kept, last_end = np.zeros(len(pool), dtype=np.int64), np.zeros(len(pool), dtype=np.int64)
    for column in range(spans.shape[1]):
        taken = spans[:, column, 0] >= last_end
        kept += taken
        last_end = np.where(taken, spans[:, column, 1], last_end)
    return spans.shape[1] - kept


def _medium(train: list[DaysAndOptions], test: list[DaysAndOptions]) -> dict[str, Floor]:
    golds = [frozenset(longest_names(days)) for days, _ in test]
    constant = _best_constant_names([frozenset(longest_names(days)) for days, _ in train])
    rows = {"constant": _floor([_f1(constant, g) for g in golds], f"always {', '.join(sorted(constant))}")}
    for row, side in (("asker", ASKER_SIDE), ("partner", PARTNER_SIDE)):
        answers = [frozenset(longest_names(days, side)) for days, _ in test]
        scores = [_f1(a, g) for a, g in zip(answers, golds, strict=True)]
        rows[row] = _floor(scores, "the longest names of the own three people")
    return rows


def _f1(answer: frozenset[str], gold: frozenset[str]) -> float:
    return 2 * len(answer & gold) / (len(answer) + len(gold)) if answer or gold else 1.0


def _best_constant_names(golds: list[frozenset[str]]) -> frozenset[str]:
    best: frozenset[str] = frozenset()
    counts = Counter(golds)

    def mean(answer: frozenset[str]) -> float:
        return sum(n * _f1(answer, gold) for gold, n in counts.items())

    names = sorted(set().union(*golds))
    while True:  # greedy: one name more as long as it helps
        grown = max((best | {name} for name in names), key=mean)
        if mean(grown) <= mean(best):
            return best
        best = grown


def _total(train: list[DaysAndOptions], test: list[DaysAndOptions]) -> dict[str, Floor]:
    golds = [most_total_names(days, options)[0] for days, options in test]
    # Options are in random order, so a constant can only be a position.
    position = Counter(o.index(most_total_names(days, o)[0]) for days, o in train).most_common(1)[0][0]
    scores = [options[position] == g for (_, options), g in zip(test, golds, strict=True)]
    rows = {"constant": _floor(scores, f"always option {position + 1}")}
    for row, side in (("asker", ASKER_SIDE), ("partner", PARTNER_SIDE)):
        winners = [_total_candidates(days, options, side) for days, options in test]
        shares = [(g in w) / len(w) for w, g in zip(winners, golds, strict=True)]
        rows[row] = _floor(shares, "optimal: a total of 13 wins, a total of 1 cannot, else a guess")
    return rows


def _total_candidates(days: Days, options: tuple[str, ...], side: Sequence[str]) -> list[str]:
    totals = dict.fromkeys(options, 0)
    for activity in waking(days, side):
        totals[activity.name] += activity.end - activity.start
    sure = [name for name in options if totals[name] == 13]
    return sure or [name for name in options if totals[name] > 1] or list(options)


def _hard(train: list[DaysAndOptions], test: list[DaysAndOptions]) -> dict[str, Floor]:
    free = _free_matrix(test, PEOPLE)
    start, end = _best_constant_span(_free_matrix(train, PEOPLE))
    answer = np.zeros((1, DAY_SLOTS), dtype=bool)
    answer[:, start:end] = True
    rows = {"constant": _floor(_iou(free, answer), f"always slots {start}..{end}")}
    sides: tuple[tuple[str, Sequence[str]], ...] = (("asker", ASKER_SIDE), ("partner", PARTNER_SIDE))
    for row, side in sides:
        rows[row] = _floor(_iou(free, _free_matrix(test, side)), "the free time of the own three people")
    return rows


def _free_matrix(items: list[DaysAndOptions], people: Sequence[str]) -> NDArray[np.bool_]:
    matrix = np.zeros((len(items), DAY_SLOTS), dtype=bool)
    for row, (days, _) in zip(matrix, items, strict=True):
        for start, end in free_spans(days, people):
            row[start:end] = True
    return matrix


def _iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> NDArray[np.float64]:
    union = (a | b).sum(axis=1)
    return np.where(union > 0, (a & b).sum(axis=1) / np.maximum(union, 1), 1.0)


def _best_constant_span(free: NDArray[np.bool_]) -> Span:
    spans = [(start, end) for start in range(DAY_SLOTS) for end in range(start + 1, DAY_SLOTS + 1)]
    covered = np.concatenate([np.zeros((len(free), 1)), np.cumsum(free, axis=1)], axis=1)
    n_free = covered[:, -1]

    def mean(span: Span) -> float:
        start, end = span
        both = covered[:, end] - covered[:, start]
        return float((both / (n_free + (end - start) - both)).mean())

    return max(spans, key=mean)

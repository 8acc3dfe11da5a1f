"""The `balanced` profile: days whose answers cannot be guessed from one side. The default for claims."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.benchmarks.asymmetry.schedule_golds import (
    ASKER_SIDE,
    DAY_SLOTS,
    PARTNER_SIDE,
    PEOPLE,
    SLEEP,
    Activity,
    Days,
    Span,
    min_deletions,
)
from tidings.benchmarks.streams import Draws

__all__ = ["WAKE", "draw_easy_days", "draw_easy_layout", "draw_hard_days", "draw_total_days"]

WAKE: Span = (14, 44)
"""Everybody is awake in these slots and asleep in all others."""

_EASY_LENGTHS = (1, 1, 2, 2, 3)
_N_WAKING = WAKE[1] - WAKE[0]


def draw_easy_days(draws: Draws, names: Sequence[str], gold: int) -> Days:
    """Returns days in which `gold` activities of A and D must go.

    A and D have five activities each, redrawn together until the gold is met; the others are drawn likewise.

    Args:
        draws: The item's stream.
        names: At least five names; each person's activities have different ones.
        gold: 1 to 4.
    """
    while True:
        layouts = {person: draw_easy_layout(draws) for person in ("A", "D")}
        if min_deletions([Activity("", *span) for spans in layouts.values() for span in spans]) == gold:
            break
    layouts |= {person: draw_easy_layout(draws) for person in PEOPLE if person not in layouts}
    blocks = {
        person: [(name, *span) for name, span in zip(draws.sample(names, 5), layouts[person], strict=True)]
        for person in PEOPLE
    }
    return _as_days(blocks)


def draw_easy_layout(draws: Draws) -> list[Span]:
    """Returns one person's five spans in time order."""
    return _lay_out(draws, draws.shuffled(_EASY_LENGTHS))


def draw_total_days(draws: Draws, names: Sequence[str], winner: str) -> Days:
    """Returns days in which `winner` takes one slot more, in total over all six, than each other name.

    One side (coin) has totals a_j uniform in 1..12 slots, the other b_j = 13 + [j = winner] - a_j. Each total is cut
    into blocks of at most four slots, given to that side's people without overlap.
    """
    uniform = {name: draws.between(1, 12) for name in names}
    other = {name: 13 + (name == winner) - total for name, total in uniform.items()}
    sides = (uniform, other) if draws.coin() else (other, uniform)
    blocks: dict[str, list[tuple[str, int, int]]] = {}
    for people, totals in zip((ASKER_SIDE, PARTNER_SIDE), sides, strict=True):
        for person, share in _deal_blocks(draws, people, totals).items():
            spans = _lay_out(draws, [length for _, length in share])
            blocks[person] = [(name, *span) for (name, _), span in zip(share, spans, strict=True)]
    return _as_days(blocks)


def draw_hard_days(draws: Draws, names: Sequence[str]) -> Days:
    """Returns days with two to four slots free for all six, in one span or in two that do not touch.

    The other waking slots are cut into runs of 1-4; each run goes to one side by coin and there to one person.
    """
    free = _draw_free_spans(draws)
    blocks: dict[str, list[tuple[str, int, int]]] = {person: [] for person in PEOPLE}
    for start, end in _complement(free):
        while start < end:
            length = min(draws.between(1, 4), end - start)
            side = ASKER_SIDE if draws.coin() else PARTNER_SIDE
            blocks[draws.pick(side)].append((draws.pick(names), start, start + length))
            start += length
    return _as_days(blocks)


def _lay_out(draws: Draws, lengths: Sequence[int]) -> list[Span]:
    n_free = _N_WAKING - sum(lengths)
    cuts = sorted(draws.between(0, n_free) for _ in lengths)
    spans, used = [], WAKE[0]
    for cut, length in zip(cuts, lengths, strict=True):
        spans.append((used + cut, used + cut + length))
        used += length
    return spans


def _deal_blocks(draws: Draws, people: Sequence[str], totals: dict[str, int]) -> dict[str, list[tuple[str, int]]]:
    pieces: list[tuple[str, int]] = []
    for name, total in totals.items():
        while total:
            length = min(draws.between(1, 4), total)
            pieces.append((name, length))
            total -= length
    shares: dict[str, list[tuple[str, int]]] = {person: [] for person in people}
    # Somebody always has room: a side's totals sum to 49 at most, and three people without room for four slots hold 81.
    for name, length in draws.shuffled(pieces):
        roomy = [p for p in people if sum(n for _, n in shares[p]) + length <= _N_WAKING]
        shares[draws.pick(roomy)].append((name, length))
    return shares


def _draw_free_spans(draws: Draws) -> list[Span]:
    n_slots, n_spans = draws.between(2, 4), draws.between(1, 2)
    first = draws.between(1, n_slots - 1) if n_spans == 2 else n_slots
    if n_spans == 1:
        start = draws.between(WAKE[0], WAKE[1] - n_slots)
        return [(start, start + n_slots)]
    # One slot between the two spans is set aside, so that they never touch.
    low, high = sorted(draws.between(0, _N_WAKING - n_slots - 1) for _ in range(2))
    start, gap_start = WAKE[0] + low, WAKE[0] + high + first + 1
    return [(start, start + first), (gap_start, gap_start + n_slots - first)]


def _complement(free: Sequence[Span]) -> list[Span]:
    edges = [WAKE[0], *(edge for span in free for edge in span), WAKE[1]]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]


def _as_days(blocks: dict[str, list[tuple[str, int, int]]]) -> Days:
    days: dict[str, list[Activity]] = {}
    for person in PEOPLE:
        merged: list[Activity] = []
        for name, start, end in sorted(blocks[person], key=lambda block: block[1]):
            if merged and merged[-1].name == name and merged[-1].end == start:
                start = merged.pop().start
            merged.append(Activity(name, start, end, (person,)))
        nights = [Activity(SLEEP, 0, WAKE[0], (person,)), Activity(SLEEP, WAKE[1], DAY_SLOTS, (person,))]
        days[person] = [nights[0], *merged, nights[1]]
    return days

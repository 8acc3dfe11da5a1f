"""Days of six people, and the right answers about them, by algorithm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

__all__ = [
    "ASKER_SIDE",
    "DAY_SLOTS",
    "LEVELS",
    "LUNCH",
    "PARTNER_SIDE",
    "PEOPLE",
    "SLEEP",
    "Activity",
    "Days",
    "Span",
    "free_spans",
    "longest_names",
    "min_deletions",
    "most_total_names",
    "waking",
]

DAY_SLOTS = 48
"""Slots of half an hour in a day, 0..47; a block ends before its `end` slot."""

ASKER_SIDE: tuple[str, ...] = ("A", "B", "C")
PARTNER_SIDE: tuple[str, ...] = ("D", "E", "F")
PEOPLE: tuple[str, ...] = ASKER_SIDE + PARTNER_SIDE

LEVELS: dict[str, tuple[str, ...]] = {"paper": ("easy", "medium", "hard"), "balanced": ("easy", "medium-total", "hard")}
"""The levels each profile has."""

SLEEP = "Sleep"
LUNCH = "Lunch"

Span = tuple[int, int]


class Activity(NamedTuple):
    """One block of a day.

    Attributes:
        name: What is done.
        start: First slot.
        end: Slot after the last.
        people: Everybody who takes part, in alphabetical order.
    """

    name: str
    start: int
    end: int
    people: tuple[str, ...] = ()


Days = Mapping[str, Sequence[Activity]]
"""Person -> activities."""


def waking(days: Days, people: Iterable[str]) -> list[Activity]:
    """Returns the activities of these people without sleep; a shared one appears once per person."""
    return [activity for person in people for activity in days.get(person, ()) if activity.name != SLEEP]


def min_deletions(activities: Sequence[Activity]) -> int:
    """Returns how many activities must go, at least, so that no two of the rest overlap.

    n minus the size of the largest subset without overlap: sorted by end, each is taken that starts at or after the
    end of the last one taken. Touching is no overlap.

    Source: the activity selection problem; Cormen et al., Introduction to Algorithms, 3rd ed., 16.1.
    """
    kept, last_end = 0, 0
    for activity in sorted(activities, key=lambda block: (block.end, block.start)):
        if activity.start >= last_end:
            kept, last_end = kept + 1, activity.end
    return len(activities) - kept


def longest_names(days: Days, people: Iterable[str] = PEOPLE) -> tuple[str, ...]:
    """Returns the sorted names whose longest single occurrence is the longest of all, sleep left out.

    Undefined: nobody does anything but sleep: ().
    """
    activities = waking(days, people)
    longest = max((activity.end - activity.start for activity in activities), default=0)
    return tuple(sorted({a.name for a in activities if a.end - a.start == longest}))


def most_total_names(days: Days, names: Sequence[str], people: Iterable[str] = PEOPLE) -> tuple[str, ...]:
    """Returns those of `names` whose slots, summed over all people, are the most; several when tied."""
    totals = dict.fromkeys(names, 0)
    for activity in waking(days, people):
        if activity.name in totals:
            totals[activity.name] += activity.end - activity.start
    return tuple(name for name in names if totals[name] == max(totals.values()))


def free_spans(days: Days, people: Iterable[str] = PEOPLE) -> tuple[Span, ...]:
    """Returns the maximal spans of slots in which none of these people does anything; sleep is busy."""
    busy = sorted((a.start, a.end) for person in people for a in days.get(person, ()))
    spans, free_from = [], 0
    for start, end in [*busy, (DAY_SLOTS, DAY_SLOTS)]:
        if start > free_from:
            spans.append((free_from, start))
        free_from = max(free_from, end)
    return tuple(spans)

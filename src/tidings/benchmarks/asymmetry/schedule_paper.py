"""The `paper` profile: days of the shape of the released InformativeBench generator, with names of our own.

These days are nearly empty, so that answers without communication do well. Use it to compare with published numbers
and `balanced` for claims.

Source: arXiv 2406.14928, Schedule; the four steps below are those of its released generator.
"""

from __future__ import annotations

from tidings.benchmarks.asymmetry.schedule_golds import DAY_SLOTS, LUNCH, PEOPLE, SLEEP, Activity, Days, Span
from tidings.benchmarks.streams import Draws

__all__ = ["CATALOGUE", "FOUR_SLOT_SINGLES", "SHARED", "SINGLES", "draw_paper_days"]

_SINGLE_NAMES = (
    "Juggling", "Ironing", "Carpentry", "Beekeeping", "Yoga", "Sketching", "Fishing", "Birdwatching",
    "Knitting", "Archery", "Pottery", "Stargazing", "Dusting", "Skating", "Calligraphy",
)  # fmt: skip

SINGLES: dict[str, int] = {
    **{name: 1 + i % 4 for i, name in enumerate(_SINGLE_NAMES)},
    "Breakfast": 1,
    "Supper": 1,
}
"""Single activities and their slots: fifteen of length 1, 2, 3, 4 in turn, and two meals of 1."""

FOUR_SLOT_SINGLES = tuple(name for name, length in SINGLES.items() if length == 4)

SHARED: dict[str, tuple[int, tuple[int, int]]] = {
    "Chess Club": (1, (20, 40)),
    "Choir Practice": (2, (14, 40)),
    "Map Workshop": (3, (16, 36)),
    "Board Game Evening": (4, (36, 44)),
    "Budget Review": (1, (16, 40)),
    "Drama Rehearsal": (2, (16, 36)),
    "Site Inspection": (3, (14, 34)),
    "First Aid Course": (4, (20, 40)),
    "Tea Tasting": (1, (20, 40)),
}
"""Shared activities: slots, and the two slots at which they may start."""

CATALOGUE = (*SINGLES, *SHARED, LUNCH)
"""Every name that is not sleep."""

_SLEEP_STARTS, _SLEEP_SLOTS = (44, 45, 46), 16
_LUNCH_STARTS = (22, 23, 24, 25, 26)
_N_TRIES = 5
_P_KEEP = 0.1
_FITTING = {gap: tuple(item for item in SINGLES.items() if item[1] <= gap) for gap in range(1, 5)}


def draw_paper_days(draws: Draws) -> Days:
    """Returns one day of six people, the activities of each in time order."""
    days: dict[str, list[Activity]] = {person: [] for person in PEOPLE}
    for name in draws.sample(tuple(SHARED), draws.between(1, 2)):
        length, starts = SHARED[name]
        people, start = tuple(sorted(draws.sample(PEOPLE, 2))), draws.pick(starts)
        for person in people:
            days[person].append(Activity(name, start, start + length, people))
    for person, activities in days.items():
        _add_sleep(draws, person, activities)
        _add_lunch(draws, person, activities)
        activities += _fill_gaps(draws, person, _gaps(activities))
        activities.sort(key=lambda a: (a.start, a.end, a.name))
    return days


def _free_start(draws: Draws, activities: list[Activity], starts: tuple[int, ...]) -> int | None:
    for _ in range(_N_TRIES):
        start = draws.pick(starts)
        if not any(a.start <= start < a.end for a in activities):
            return start
    return None


def _add_sleep(draws: Draws, person: str, activities: list[Activity]) -> None:
    start = _free_start(draws, activities, _SLEEP_STARTS)
    if start is not None:
        activities.append(Activity(SLEEP, 0, start + _SLEEP_SLOTS - DAY_SLOTS, (person,)))
        activities.append(Activity(SLEEP, start, DAY_SLOTS, (person,)))


def _add_lunch(draws: Draws, person: str, activities: list[Activity]) -> None:
    start = _free_start(draws, activities, _LUNCH_STARTS)
    if start is not None:
        activities.append(Activity(LUNCH, start, start + 1, (person,)))


def _gaps(activities: list[Activity]) -> list[Span]:
    gaps, free_from = [], 0
    for start, end in [*sorted((a.start, a.end) for a in activities), (DAY_SLOTS, DAY_SLOTS)]:
        if start > free_from:
            gaps.append((free_from, start))
        free_from = max(free_from, end)
    return gaps


def _fill_gaps(draws: Draws, person: str, gaps: list[Span]) -> list[Activity]:
    likes = {name: draws.coin() for name in SINGLES}
    kept: list[Activity] = []
    for start, end in gaps:
        while start < end:
            name, length = _next_block(draws, end - start, likes)
            if draws.coin(_P_KEEP):
                _append_merged(kept, Activity(name, start, start + length, (person,)))
            start += length
    return kept


def _next_block(draws: Draws, gap: int, likes: dict[str, bool]) -> tuple[str, int]:
    if gap > 4:
        return draws.pick(FOUR_SLOT_SINGLES), 4
    fitting = _FITTING[gap]
    for _ in range(_N_TRIES - 1):
        name, length = draws.pick(fitting)
        if likes[name]:
            return name, length
    return draws.pick(fitting)


def _append_merged(kept: list[Activity], block: Activity) -> None:
    if kept and kept[-1].name == block.name and kept[-1].end == block.start:
        block = block._replace(start=kept.pop().start)
    kept.append(block)

"""The Schedule suite: two agents must pool the days of three people each.

Levels: `easy` asks how many activities of two people must go so that none overlap (an integer), `medium` which
activities last longest (a set of names; `medium-total` in the balanced profile: which takes most time in total, one of
four), `hard` when all six are free (spans).

Source: arXiv 2406.14928, InformativeBench, Schedule; re-made with seeded streams and golds by algorithm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidings.benchmarks.asymmetry.names import draw_names
from tidings.benchmarks.asymmetry.records import Answer, Gold, Person, PrivateItem, Problem, Question, Relation, TaskSet
from tidings.benchmarks.asymmetry.schedule_balanced import draw_easy_days, draw_hard_days, draw_total_days
from tidings.benchmarks.asymmetry.schedule_golds import (
    ASKER_SIDE,
    LEVELS,
    PARTNER_SIDE,
    PEOPLE,
    SLEEP,
    Days,
    Span,
    free_spans,
    longest_names,
    min_deletions,
    most_total_names,
    waking,
)
from tidings.benchmarks.asymmetry.schedule_paper import CATALOGUE, SINGLES, draw_paper_days
from tidings.benchmarks.asymmetry.schedule_text import CHATS, tell_days, told_days
from tidings.benchmarks.streams import Draws
from tidings.core.errors import RequestError

__all__ = [
    "VERSION",
    "answer_from_items",
    "build_schedule_problem",
    "draw_days",
    "generate_schedule",
    "schedule_gold",
    "spans_in_minutes",
]

VERSION = "schedule-1"
"""Version of the generator: it changes whenever an item would come out differently."""

_N_TOTAL_NAMES = 4
_SLOT_MIN = 30


def generate_schedule(profile: str, level: str, n: int, seed: int) -> TaskSet:
    """Returns `n` problems of one level, each drawn from its own stream (seed, set, level, id).

    Args:
        profile: `balanced` (for claims) or `paper` (the distribution of the released generator).
        level: `easy`, `medium` (`medium-total` in `balanced`) or `hard`.
        n: Number of problems, one question each.
        seed: Seed of the set.

    Raises:
        RequestError: No such profile or level.
    """
    _check_level(profile, level)
    pairs = [_draw_problem(profile, level, seed, index) for index in range(n)]
    problems, golds = tuple(problem for problem, _ in pairs), tuple(gold for _, gold in pairs)
    return TaskSet("schedule", f"{profile}/{level}", seed, VERSION, problems, golds)


def draw_days(draws: Draws, profile: str, level: str, index: int) -> tuple[Days, tuple[str, ...]]:
    """Returns the days of one item and, for `medium-total`, the four names in question."""
    if profile == "paper":
        return draw_paper_days(draws), ()
    names = tuple(SINGLES)
    if level == "easy":
        return draw_easy_days(draws, names, gold=1 + index % 4), ()
    if level == "hard":
        return draw_hard_days(draws, names), ()
    options = tuple(draws.sample(names, _N_TOTAL_NAMES))
    return draw_total_days(draws, options, winner=draws.pick(options)), options


def schedule_gold(level: str, days: Days, options: Sequence[str] = (), people: Iterable[str] = PEOPLE) -> Answer:
    """Returns the exact answer for these people's days.

    Args:
        level: `easy` (of A and D only), `medium`, `medium-total` or `hard`.
        days: Person -> activities.
        options: The four names of `medium-total`.
        people: Whose days count.
    """
    if level == "easy":
        return min_deletions(waking(days, ("A", "D")))
    if level == "medium":
        return longest_names(days, people)
    if level == "medium-total":
        return most_total_names(days, options, people)[0]
    return spans_in_minutes(free_spans(days, people))


def spans_in_minutes(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Returns spans of half-hour slots as spans of minutes since midnight."""
    return tuple((start * _SLOT_MIN, end * _SLOT_MIN) for start, end in spans)


def answer_from_items(question: Question, items: Iterable[PrivateItem]) -> Answer | None:
    """Returns what a perfect reader of these messages answers, as if there were no others; None when it cannot tell.

    `easy` needs messages of both asked people and `medium-total` a single winner; the other levels one message.
    """
    level = question.type.removeprefix("schedule-")
    days = told_days(items)
    asker, partner = question.asked
    if not days or (level == "easy" and not (asker in days and partner in days)):
        return None
    if level == "medium-total":
        winners = most_total_names(days, question.options)
        return winners[0] if len(winners) == 1 else None
    return schedule_gold(level, days)


def build_schedule_problem(
    draws: Draws, problem_id: str, level: str, days: Days, options: Sequence[str] = ()
) -> Problem:
    """Returns the problem that tells these days in messages and asks the level's question."""
    names = dict(zip(PEOPLE, draw_names(draws, len(PEOPLE)), strict=True))
    people = tuple(Person(person, name) for person, name in names.items())
    items = tuple(tell_days(draws, days, names))
    relations = tuple(Relation(a, b) for a, b in (*CHATS, ("A", "D")))
    question = Question(
        id=problem_id,
        group=problem_id,
        type=f"schedule-{level}",
        asked=("A", "D"),
        mode="pair",
        text=_question_text(level, names, options),
        options=tuple(options),
        evidence=_evidence(level, items),
    )
    return Problem(problem_id, people, items, relations, (question,))


def gold_record(problem_id: str, level: str, value: Answer) -> Gold:
    """Returns the gold of a level in the form the scorer reads."""
    if level == "medium":
        return Gold(problem_id, "names", value, CATALOGUE)
    return Gold(problem_id, {"easy": "integer", "medium-total": "option", "hard": "spans"}[level], value)  # type: ignore[arg-type]


def _draw_problem(profile: str, level: str, seed: int, index: int) -> tuple[Problem, Gold]:
    draws = Draws(seed, f"schedule/{profile}", level, index)
    days, options = draw_days(draws, profile, level, index)
    problem_id = f"schedule-{profile}-{level}-{index}"
    problem = build_schedule_problem(draws, problem_id, level, days, options)
    return problem, gold_record(problem_id, level, schedule_gold(level, days, options))


def _evidence(level: str, items: Sequence[PrivateItem]) -> tuple[tuple[str, ...], ...]:
    sides = (("A",), ("D",)) if level == "easy" else (ASKER_SIDE, PARTNER_SIDE)
    counts_sleep = level == "hard"
    return tuple(
        tuple(item.fact for item in items if item.owner in side and (counts_sleep or SLEEP not in item.text))
        for side in sides
    )


def _question_text(level: str, names: dict[str, str], options: Sequence[str]) -> str:
    everybody = f"{', '.join(names[person] for person in PEOPLE[:-1])} and {names[PEOPLE[-1]]}"
    if level == "easy":
        return (
            f"Put today's activities of {names['A']} and {names['D']} on one calendar and leave sleep out. What is the "
            "smallest number of them that must be cancelled so that no two of the rest overlap? Activities that only "
            "touch do not overlap; one that both attend counts once for each. Answer with one integer."
        )
    if level == "medium":
        return (
            f"Over the days of {everybody}, sleep left out: which activities have the longest single occurrence? "
            "Answer with all their names, separated by commas."
        )
    if level == "medium-total":
        return (
            f"Add up the time that {everybody} spend today. Which of these takes most time in total: "
            f"{', '.join(options)}? Answer with one of these names."
        )
    return (
        f"At which times of today are {everybody} all free? Sleep counts as busy. "
        "Answer with every span as H:MM-H:MM, separated by commas."
    )


def _check_level(profile: str, level: str) -> None:
    if profile not in LEVELS:
        raise RequestError("schedule.profile", f"found {profile!r}", f"one of {', '.join(LEVELS)}")
    if level not in LEVELS[profile]:
        raise RequestError("schedule.level", f"found {level!r}", f"{profile} has {', '.join(LEVELS[profile])}")

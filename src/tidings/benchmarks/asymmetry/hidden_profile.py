"""Hidden profiles: what all know favours a wrong option, what each knows alone makes another the best.

Two sources of the same problems: HiddenBench files of your own, and a seeded generator whose tasks are provable: the
pooled facts have one best option, the gold, and every single view has another.

Source: Stasser, Titus 1985; HiddenBench, arXiv 2505.11556. Its `rationale` field gives the solution away and is never
read; its right option is often the last one, so the order of options is shuffled by seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tidings.benchmarks.asymmetry.hidden_profile_text import CRITERIA, OPTIONS, Point, net_points, write_point
from tidings.benchmarks.asymmetry.records import (
    PUBLIC,
    Gold,
    Person,
    PrivateItem,
    Problem,
    Question,
    Relation,
    TaskSet,
    visible_items,
)
from tidings.benchmarks.asymmetry.sources import convert_record, file_sha256, read_json
from tidings.benchmarks.streams import Draws
from tidings.core.errors import DataError, RequestError

__all__ = [
    "VERSION",
    "VoteScores",
    "answer_from_items",
    "generate_hidden_profiles",
    "load_hidden_bench",
    "score_votes",
    "view_order",
]

VERSION = "hidden-profile-1"
"""Version of the generator: it changes whenever a task would come out differently."""

_WHAT = "a HiddenBench tasks file (one JSON array)"


class _Task(msgspec.Struct):
    id: int | str
    name: str
    description: str
    shared_information: list[str]
    hidden_information: list[str]
    possible_answers: list[str]
    correct_answer: str


def load_hidden_bench(path: Path | str, seed: int = 0) -> TaskSet:
    """Returns the tasks of a HiddenBench file.

    The hidden facts go to the people in a random order and the options are shown in a random order, both by seed.

    Args:
        path: A `tasks.json` of your own (for a Hugging Face id: `fetch_snapshot(id)` gives the folder).
        seed: Decides both orders.

    Raises:
        DataError: The file is missing or a task is malformed; the error names the task.
    """
    tasks = read_json(path, _WHAT)
    if not isinstance(tasks, list) or not tasks:
        raise DataError(str(path), f"found {type(tasks).__name__}", f"expected {_WHAT}", "check the download")
    pairs = [_read_task(value, seed, f"{path}[{index}]") for index, value in enumerate(tasks)]
    version = f"source:{file_sha256(path)}"
    return TaskSet(
        "hidden-profile", "hiddenbench", seed, version, tuple(p for p, _ in pairs), tuple(g for _, g in pairs)
    )


def generate_hidden_profiles(n: int, seed: int, n_people: int = 4, n_options: int = 3) -> TaskSet:
    """Returns `n` tasks of our own, each drawn from its own stream (seed, set, size, id).

    Every fact is one advantage or drawback, all of equal weight; the best option has the most advantages minus
    drawbacks. Everybody holds the shared facts and one hidden fact.

    Args:
        n: Number of tasks.
        seed: Seed of the set.
        n_people: 3 to 8.
        n_options: 2 to 6.

    Raises:
        RequestError: A size is out of range.
    """
    for name, value, low, high in (("n_people", n_people, 3, 8), ("n_options", n_options, 2, 6)):
        if not low <= value <= high:
            raise RequestError(f"hidden_profile.{name}", f"found {value!r}", f"{low} to {high}")
    pairs = [_draw_task(seed, index, n_people, n_options) for index in range(n)]
    level = f"people={n_people}/options={n_options}"
    return TaskSet("hidden-profile", level, seed, VERSION, tuple(p for p, _ in pairs), tuple(g for _, g in pairs))


def view_order(problem: Problem, person: str, seed: int) -> tuple[PrivateItem, ...]:
    """Returns all this person holds, in the random order in which this person reads it."""
    return tuple(Draws(seed, "view", problem.id, person).shuffled(visible_items(problem.items, person)))


def answer_from_items(question: Question, items: Iterable[PrivateItem]) -> str | None:
    """Returns the option with most advantages minus drawbacks in these facts, or None when tied.

    Only for generated tasks: the facts of HiddenBench are free text, for which this returns None.
    """
    totals = net_points(question.options, (item.text for item in items))
    best = max(totals.values())
    winners = [option for option, total in totals.items() if total == best]
    return winners[0] if len(winners) == 1 else None


@dataclass(frozen=True, slots=True)
class VoteScores:
    """How a group voted.

    Attributes:
        share: Share of valid votes for the gold; NaN when there is none.
        majority: 1 if the gold alone has most votes, 1/n when n options tie for most and it is one of them, else 0;
            NaN when there is no valid vote.
        n_failed: Votes that were missing or unreadable.
    """

    share: float
    majority: float
    n_failed: int


def score_votes(votes: Sequence[str | None], gold: str) -> VoteScores:
    """Returns the scores of one vote of a group; None stands for a vote that failed and is counted apart."""
    valid = [vote for vote in votes if vote is not None]
    n_failed = len(votes) - len(valid)
    if not valid:
        return VoteScores(float("nan"), float("nan"), n_failed)
    counts = Counter(valid)
    leaders = [option for option, count in counts.items() if count == max(counts.values())]
    return VoteScores(counts[gold] / len(valid), (gold in leaders) / len(leaders), n_failed)


def _read_task(value: object, seed: int, where: str) -> tuple[Problem, Gold]:
    task = convert_record(value, _Task, where)
    if task.correct_answer not in task.possible_answers:
        raise DataError(f"{where}: correct_answer", f"found {task.correct_answer!r}", "one of possible_answers")
    if len(set(task.possible_answers)) != len(task.possible_answers):
        raise DataError(f"{where}: possible_answers", "an option comes twice", "different options")
    if len(task.hidden_information) < 2:
        raise DataError(
            f"{where}: hidden_information", f"{len(task.hidden_information)} facts", "one per person, 2 or more"
        )
    draws = Draws(seed, "hidden-profile", "hiddenbench", str(task.id))
    names = tuple(f"Participant {i + 1}" for i in range(len(task.hidden_information)))
    return _lay_out(
        f"hiddenbench-{task.id}",
        names,
        task.description,
        task.shared_information,
        draws.shuffled(task.hidden_information),
        draws.shuffled(task.possible_answers),
        task.correct_answer,
    )


def _lay_out(
    problem_id: str,
    names: Sequence[str],
    description: str,
    shared: Sequence[str],
    hidden: Sequence[str],
    options: Sequence[str],
    gold: str,
) -> tuple[Problem, Gold]:
    people = tuple(Person(f"p{i}", name) for i, name in enumerate(names))
    items = [PrivateItem(f"shared{i}", PUBLIC, text, i) for i, text in enumerate(shared)]
    items += [
        PrivateItem(f"hidden{i}", person.id, text, len(shared))
        for i, (person, text) in enumerate(zip(people, hidden, strict=True))
    ]
    ids = tuple(person.id for person in people)
    question = Question(
        id=problem_id,
        group=problem_id,
        type="hidden-profile",
        asked=ids,
        mode="group",
        text=description,
        options=tuple(options),
        evidence=tuple((f"hidden{i}",) for i in range(len(people))),
        n_hops=len(people),
    )
    relations = tuple(Relation(a, b) for i, a in enumerate(ids) for b in ids[i + 1 :])
    return Problem(problem_id, people, tuple(items), relations, (question,)), Gold(problem_id, "option", gold)


def _draw_task(seed: int, index: int, n_people: int, n_options: int) -> tuple[Problem, Gold]:
    draws = Draws(seed, "hidden-profile", f"{n_people}/{n_options}", index)
    options = draws.sample(OPTIONS, n_options)
    gold, decoy = options[0], options[1]
    hidden = _draw_hidden(draws, gold, decoy, n_people)
    shared = _draw_shared(draws, options, _draw_nets(draws, n_people, n_options), hidden)
    names = [f"Participant {i + 1}" for i in range(n_people)]
    texts = [write_point(draws, point) for point in shared], [write_point(draws, point) for point in hidden]
    shown = draws.shuffled(options)
    description = (
        f"Your group must choose one building: {', '.join(shown)}. Every advantage and every drawback weighs the same; "
        "the right one has the most advantages minus drawbacks, counting what any of you knows."
    )
    return _lay_out(f"hidden-profile-{n_people}-{n_options}-{index}", names, description, *texts, shown, gold)


def _draw_nets(draws: Draws, n_people: int, n_options: int) -> list[int]:
    """Returns the options' totals in the shared facts: gold, decoy, the rest.

    The decoy leads by 2 to n_people - 1. A hidden fact moves the two by one point towards each other, so one of them
    is too few to turn the lead and all of them are enough; the rest stay below the gold.
    """
    gold = draws.between(0, 1)
    return [gold, gold + draws.between(2, n_people - 1), *(gold - draws.between(1, 2) for _ in range(n_options - 2))]


def _draw_hidden(draws: Draws, gold: str, decoy: str, n_people: int) -> list[Point]:
    n_for = draws.between(1, n_people - 1)
    pros = [Point(gold, criterion, 1) for criterion in draws.sample(CRITERIA, n_for)]
    cons = [Point(decoy, criterion, -1) for criterion in draws.sample(CRITERIA, n_people - n_for)]
    return draws.shuffled([*pros, *cons])


def _draw_shared(draws: Draws, options: Sequence[str], nets: Sequence[int], hidden: Sequence[Point]) -> list[Point]:
    points: list[Point] = []
    for option, net in zip(options, nets, strict=True):
        taken = {point.criterion for point in hidden if point.option == option}
        n_cons = max(0, -net) + draws.between(0, 1)
        criteria = draws.sample([c for c in CRITERIA if c not in taken], net + 2 * n_cons)
        points += [Point(option, c, -1 if i < n_cons else 1) for i, c in enumerate(criteria)]
    return draws.shuffled(points)

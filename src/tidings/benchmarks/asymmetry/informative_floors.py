"""Rows of the suite `informative` that need no play: a constant, and one side's view read perfectly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tidings.benchmarks.asymmetry import needle, schedule, town
from tidings.benchmarks.asymmetry.informative_data import Source
from tidings.benchmarks.asymmetry.records import Answer, Gold, PrivateItem, Question, TaskSet, visible_items
from tidings.benchmarks.asymmetry.schedule_floors import draw_floor_days
from tidings.benchmarks.asymmetry.scoring import score_answer
from tidings.benchmarks.asymmetry.suite import SymbolicRow

__all__ = ["symbolic_rows"]

_N_TRAIN, _N_TRAIN_INTEGER = 400, 3000
"""Questions a constant is chosen on; the two best integers lie close together in the profile `paper`."""
_N_PARTS = 10
_DAY = ((7 * 60, 22 * 60),)
"""`7:00-22:00`: the constant answer of the level hard, as the reference states it for both profiles."""


def symbolic_rows(source: Source) -> tuple[SymbolicRow, ...]:
    """Returns the rows `constant`, `asker, symbolic` and `partner, symbolic` of a set, as far as they are known.

    A constant is chosen on questions of another seed, or, for names that only a file has, on its other questions. A
    symbolic reader sees what its side holds and guesses evenly
    among the answers left; the level easy of Schedule has no such reader, its floor stands above the table.
    """
    values, about = _constant(source.tasks)
    rows = [SymbolicRow("constant", values, about)] if values else []
    for name, side in () if source.is_free else (("asker, symbolic", 0), ("partner, symbolic", 1)):
        if values := _own_view(source, side):
            rows.append(SymbolicRow(name, values, "perfect reader of this side's facts, guessing evenly"))
    return tuple(rows)


def _constant(tasks: TaskSet) -> tuple[dict[str, float], str]:
    golds = tasks.gold_of()
    questions = [question for problem in tasks.problems for question in problem.questions]
    if questions[0].options:
        chance = {q.id: 1 / len(q.options) for q in questions}
        return chance, "any constant choice; options are in random order"
    if tasks.golds[0].kind == "exact":
        return dict.fromkeys((q.id for q in questions), 0.0), "any constant value"
    if tasks.golds[0].kind == "names" and tasks.level.startswith("released"):
        return _cross_fitted(tasks.golds), "the best names of the file's other questions, in ten parts"
    answer = _train(tasks)
    return {q.id: score_answer(golds[q.id], answer) for q in questions}, f"always {_shown(answer)}"


def _train(tasks: TaskSet) -> Answer:
    """Returns the best constant answer, chosen on other questions."""
    kind = tasks.golds[0].kind
    if kind == "spans":
        return _DAY
    level = {"integer": "easy", "names": "medium"}[kind]
    profile = "balanced" if tasks.level.startswith("balanced") else "paper"
    if kind == "integer":
        days = draw_floor_days(profile, level, _N_TRAIN_INTEGER, tasks.seed + 1)
        return Counter(schedule.schedule_gold(level, day) for day, _ in days).most_common(1)[0][0]
    return _best_names(schedule.generate_schedule(profile, level, _N_TRAIN, tasks.seed + 1).golds)


def _cross_fitted(golds: Sequence[Gold]) -> dict[str, float]:
    """Returns the score of constants chosen on the other questions of a file; none if there is only one.

    The names of a released file are not ours, so our generator cannot tell which of them come often.
    """
    n_parts = min(_N_PARTS, len(golds))
    best = {part: _best_names(gold for i, gold in enumerate(golds) if i % n_parts != part) for part in range(n_parts)}
    scores = {gold.question: score_answer(gold, best[i % n_parts]) for i, gold in enumerate(golds)}
    return scores if n_parts > 1 else {}


def _best_names(golds: Iterable[Gold]) -> tuple[str, ...]:
    golds = list(golds)
    names = sorted({name for gold in golds for name in gold.value})  # type: ignore[union-attr, misc]

    def mean(answer: tuple[str, ...]) -> float:
        return sum(score_answer(gold, answer) for gold in golds)

    best: tuple[str, ...] = ()
    while names:  # greedy: one name more as long as it helps
        grown = max((tuple(sorted({*best, str(name)})) for name in names), key=mean)
        if mean(grown) <= mean(best):
            break
        best = grown
    return best


def _shown(answer: Answer) -> str:
    if answer == _DAY:
        return "7:00-22:00"
    return ", ".join(map(str, answer)) if isinstance(answer, tuple) else str(answer)


def _own_view(source: Source, side: int) -> dict[str, float]:
    tasks, golds = source.tasks, source.tasks.gold_of()
    questions = [question for problem in tasks.problems for question in problem.questions]
    wanted = {questions[i].id for i in source.picked}
    values: dict[str, float] = {}
    for problem in tasks.problems:
        by_person: dict[str, tuple[PrivateItem, ...]] = {}
        for question in (q for q in problem.questions if q.id in wanted):
            person = question.asked[side]
            if person not in by_person:
                by_person[person] = visible_items(problem.items, person)
            share = _share(question, golds[question.id], by_person[person])
            if share is not None:
                values[question.id] = share
    return values


def _share(question: Question, gold: Gold, items: tuple[PrivateItem, ...]) -> float | None:
    """Returns the expected score of a perfect reader of these items; None where there is none."""
    guess: dict[str, Callable[[Question, Iterable[PrivateItem]], tuple[str, ...]]] = {
        "needle": needle.candidates_from_items,
        "town": town.candidates_from_items,
    }
    suite = question.type.partition("-")[0]
    if suite in guess:
        candidates = guess[suite](question, items)
        return sum(score_answer(gold, answer) for answer in candidates) / len(candidates) if candidates else 0.0
    if question.type == "schedule-easy":
        return None
    answer = schedule.answer_from_items(question, items)
    if answer is None:
        return 1 / len(question.options) if question.options else None
    return score_answer(gold, answer)

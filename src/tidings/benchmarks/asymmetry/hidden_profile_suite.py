"""The suite `hidden_profile`: votes before and after a talk, from an own generator or a HiddenBench file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tidings.benchmarks.asymmetry.data_source import find_data
from tidings.benchmarks.asymmetry.files import set_sha256
from tidings.benchmarks.asymmetry.hidden_profile import answer_from_items, generate_hidden_profiles, load_hidden_bench
from tidings.benchmarks.asymmetry.hidden_profile_text import read_point
from tidings.benchmarks.asymmetry.records import PUBLIC, PrivateItem, TaskSet, visible_items
from tidings.benchmarks.asymmetry.suite import (
    Item,
    PlaySpec,
    RolloutScore,
    RowSpec,
    ScoreRollout,
    SetPlan,
    SuiteOptions,
    SymbolicRow,
    suite_options,
)
from tidings.benchmarks.asymmetry.tables import AsymmetryReport, run_plans
from tidings.core import Event, RequestError
from tidings.metrics.hidden_profile import vote_row

__all__ = ["plan_hidden_profile", "profile_items", "run_hidden_profile"]

NAME = "hidden_profile"
ROUNDS, FULL_ROUNDS = 3, 15
"""Rounds of talk in the quick suite, and in the full one (as published)."""

_TERMS = (
    "HiddenBench says MIT on its Hugging Face card and has no licence on GitHub, and its tasks 4-8 restate published "
    "studies"
)


def run_hidden_profile(
    model: str | None,
    out: Path,
    *,
    is_full: bool,
    data: str | None = None,
    seeds: int | None = None,
    items: int | None = None,
) -> AsymmetryReport:
    """Lets groups with hidden profiles vote, talk and vote again; own tasks, or HiddenBench by --data.

    Args:
        model: Language model as `provider/model`; without one only exact solvers play.
        out: Folder of the suite.
        is_full: Whether to take 300 tasks and 15 rounds of talk.
        data: A `tasks.json` in HiddenBench's format, its folder, or `hf:owner/name`.
        seeds: Plays of each task.
        items: Number of tasks.

    Raises:
        RequestError: If the data, the model or a number cannot be used.
    """
    options = suite_options(model, out, is_full=is_full, data=data, seeds=seeds, items=items)
    plan, notes = plan_hidden_profile(options)
    return run_plans(NAME, [plan], out, notes, announce=is_full and model is not None)


def plan_hidden_profile(options: SuiteOptions) -> tuple[SetPlan, list[str]]:
    """Returns the set that these options ask for, and what a reader must know."""
    notes: list[str] = []
    if options.data is not None:
        file = find_data(options.data, ("tasks.json", "benchmark.json", "*.json"), "a HiddenBench tasks file")
        tasks = load_hidden_bench(file.path)
        about = file.about()
        notes.append(file.notice(_TERMS))
    else:
        tasks = generate_hidden_profiles(options.n_items or 1, seed=0)
        about = {"source": f"generator {tasks.version}, seed {tasks.seed}", "SHA-256 of the set": set_sha256(tasks)}
    items = profile_items(tasks)[: options.n_items]
    is_exact = all(fact.get("points") for item in items for fact in (*item["shared"], *item["hidden"]))
    if options.model is None:
        if not is_exact:
            found = "facts in free text, which no exact solver reads"
            raise RequestError(str(options.data), found, "a model that plays", "give --model")
        notes.append("No --model was given: only exact solvers play.")
    return _plan(options, items, tasks, about, is_exact), notes


def profile_items(tasks: TaskSet) -> tuple[Item, ...]:
    """Returns the tasks as items of the environment `hidden_profile`, with the worth of facts where it is known."""
    golds = tasks.gold_of()
    return tuple(
        {
            "id": question.id,
            "group": question.group,
            "text": question.text,
            "options": list(question.options),
            "gold": golds[question.id].value,
            "shared": [_fact(item) for item in problem.items if item.owner == PUBLIC],
            "hidden": [_fact(item) for item in problem.items if item.owner != PUBLIC],
        }
        for problem in tasks.problems
        for question in problem.questions
    )


def _fact(item: PrivateItem) -> dict[str, Any]:
    point = read_point(item.text)
    points = {"points": {"option": point.option, "weight": point.weight}} if point else {}
    return {"fact": item.fact, "text": item.text, **points}


def _plan(
    options: SuiteOptions, items: Sequence[Item], tasks: TaskSet, about: Mapping[str, str], is_exact: bool
) -> SetPlan:
    n_seats = max(len(item["hidden"]) for item in items)
    rounds = FULL_ROUNDS if options.is_full else ROUNDS
    n_calls = n_seats * (rounds + 2)
    before, after, majority = (_score(name, rounds) for name in ("right_before", "right_after", "majority_after"))
    plays: list[PlaySpec] = []
    rows: list[RowSpec] = []
    if options.model is not None:
        plays += _model_plays(options.model, n_seats, rounds, n_calls)
        rows += [
            RowSpec("no communication", "talk", before, "share of right votes before the talk"),
            RowSpec("partner alone", "talk", _without_first(before), "the same without the votes of the first seat"),
            RowSpec("full", "talk", after, f"share after {rounds} rounds of talk"),
            RowSpec("full, majority", "talk", majority, "majority of these votes; a tie counts by its share"),
            RowSpec("alone, equal calls", "alone", _score("majority_after", 0), f"one agent, majority of {n_calls}"),
            RowSpec("full information", "pooled", _score("right_after", 0), f"one agent, share of {n_calls} votes"),
            RowSpec("full information, equal calls", "pooled", _score("majority_after", 0), "majority of these votes"),
        ]
    if is_exact:
        plays.append(_play("exact", n_seats, {"kind": "tally"}, None, rounds=max(1, rounds), cites=True))
        rows += [
            RowSpec("exact, no communication", "exact", before, "seats that add up their facts exactly"),
            RowSpec("exact, full", "exact", after, "the rational twin: they tell all they know"),
        ]
    prefix = "" if options.model is not None else "exact, "
    return SetPlan(
        name="hiddenbench" if options.data else "generated",
        items=tuple(items),
        plays=tuple(plays),
        rows=tuple(rows),
        symbolic=_symbolic(items, tasks, options),
        floor=f"{prefix}no communication",
        ceiling="full information" if options.model is not None else "exact, full",
        full=f"{prefix}full",
        measure="share of a group's votes for the right option",
        about=about,
        n_seeds=options.n_seeds,
    )


def _model_plays(model: str, n_seats: int, rounds: int, n_calls: int) -> list[PlaySpec]:
    agent = {"kind": "llm", "model": "m", "temperature": 0.7, "max_tokens": 128}
    single = {"rounds": 0, "voters": 1, "ballots": n_calls}
    return [
        _play("talk", n_seats, agent, model, rounds=rounds),
        _play("alone", n_seats, agent, model, **single),
        _play("pooled", n_seats, agent, model, **single, information="full"),
    ]


def _play(name: str, n_seats: int, agent: Mapping[str, Any], model: str | None, **settings: Any) -> PlaySpec:
    models = {} if model is None else {"models": {"m": {"use": model}}}
    return PlaySpec(
        name,
        {
            "graph": {"kind": "complete", "n": n_seats},
            "agents": [{**agent, "nodes": "rest"}],
            "environment": {"kind": NAME, **settings},
            **models,
        },
    )


def _symbolic(items: Sequence[Item], tasks: TaskSet, options: SuiteOptions) -> tuple[SymbolicRow, ...]:
    chance = {item["id"]: 1 / len(item["options"]) for item in items}
    rows = [SymbolicRow("constant", chance, "any constant choice: options are shuffled in every rollout")]
    if options.data is not None:
        return tuple(rows)
    values: dict[str, dict[str, float]] = {"shared": {}, "own": {}, "pooled": {}}
    for problem, gold in zip(tasks.problems, tasks.golds, strict=True):
        question = problem.questions[0]
        shared = tuple(item for item in problem.items if item.owner == PUBLIC)
        answers = [answer_from_items(question, visible_items(problem.items, person)) for person in question.asked]
        values["shared"][question.id] = float(answer_from_items(question, shared) == gold.value)
        values["own"][question.id] = sum(answer == gold.value for answer in answers) / len(answers)
        values["pooled"][question.id] = float(answer_from_items(question, problem.items) == gold.value)
    rows += [
        SymbolicRow("solver, shared facts", values["shared"], "exact solver of what everybody holds"),
        SymbolicRow("solver, own facts", values["own"], "exact solver of one person's facts, mean over people"),
        SymbolicRow("solver, all facts", values["pooled"], "exact solver of everything"),
    ]
    return tuple(rows)


def _score(column: str, rounds: int) -> ScoreRollout:
    """Returns the score that is one of the figures of `vote_row`, of a play with so many rounds."""
    last_talk = rounds + bool(rounds)
    is_before = column.endswith("before")

    def score(item: Item, events: Sequence[Event]) -> RolloutScore:
        value = vote_row(events)[column]
        failed = [e for e in events if e.kind == "failure" and (e.step == 1 if is_before else e.step > last_talk)]
        if value is None:
            first = failed[0].data if failed else {"boundary": "reply", "error": "empty"}
            return RolloutScore.failed(f"{first['boundary']}/{first['error']}")
        stop = "all rounds spoken" if rounds and not is_before else "no talk"
        return RolloutScore(value, n_failed=len(failed), stop=stop, last_step=1 if is_before else None)

    return score


def _without_first(score: ScoreRollout) -> ScoreRollout:
    def rest(item: Item, events: Sequence[Event]) -> RolloutScore:
        seats = list(dict.fromkeys(e.seat for e in events if e.kind == "fact" and e.seat))
        found = score(item, [e for e in events if e.seat != seats[0]])
        return replace(found, seats=tuple(seats[1:]))

    return rest

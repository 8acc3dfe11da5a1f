"""What a rollout of the suite `informative` is worth, and what its plans looked like."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tidings.benchmarks.asymmetry.answers import parse_answer
from tidings.benchmarks.asymmetry.records import Answer, Gold, Question
from tidings.benchmarks.asymmetry.scoring import score_answer
from tidings.benchmarks.asymmetry.suite import Item, RolloutScore, ScoreRollout
from tidings.core import Event, ReplyError, RequestError

__all__ = ["gold_of", "plan_figures", "question_of", "score_answers"]


def question_of(item: Item) -> Question:
    """Returns the question of an item."""
    asked, options = tuple(item["asked"]), tuple(item["options"])
    return Question(item["id"], item["group"], item["type"], asked, item["mode"], item["question"], options)


def gold_of(item: Item) -> Gold:
    """Returns the gold of an item, read from its text."""
    blank = Gold(item["id"], item["gold_kind"], "", tuple(item["catalogue"]))
    value = parse_answer(question_of(item), blank, item["gold"])
    return Gold(blank.question, blank.kind, value, blank.catalogue)


def score_answers(votes: str) -> ScoreRollout:
    """Returns the score of the answers of a rollout.

    Args:
        votes: `mean` (the mean over the answers) or `majority` (the mean over the answers given most often).
    """
    if votes not in ("mean", "majority"):
        raise RequestError("votes", f"found {votes!r}", "mean or majority")

    def score(item: Item, events: Sequence[Event]) -> RolloutScore:
        question, gold = question_of(item), gold_of(item)
        stop = next((e.data["reason"] for e in events if e.kind == "stop"), "")
        failures = [f"{e.data['boundary']}/{e.data['error']}" for e in events if e.kind == "failure"]
        answers: list[Answer] = []
        unread: list[str] = []
        for event in events:
            if event.kind == "answer":
                try:
                    answers.append(parse_answer(question, gold, event.data["answer"]))
                except ReplyError as error:
                    unread.append(error.kind)
        if not answers:
            failed = RolloutScore.failed((unread or failures or ["no answer"])[-1], stop)
            return replace(failed, n_scanned=_scanned(events))
        chosen = answers if votes == "mean" else _most_common(answers)
        value = math.fsum(score_answer(gold, answer) for answer in chosen) / len(chosen)
        scanned, figures = _scanned(events), plan_figures(events)
        return RolloutScore(value, n_failed=len(unread), stop=stop, n_scanned=scanned, extra=figures)

    return score


def _most_common(answers: Sequence[Answer]) -> list[Answer]:
    counts = Counter(answers)
    most = max(counts.values())
    return [answer for answer, n in counts.items() if n == most]


def _scanned(events: Sequence[Event]) -> int | None:
    """Returns how many messages searches looked through; None if nobody searched."""
    held = [e.data["n_held"] for e in events if e.kind == "thought" and "n_held" in e.data]
    return sum(held) if held else None


def plan_figures(events: Sequence[Event]) -> dict[str, float]:
    """Returns what the plans of a rollout looked like at its end; empty without plans.

    `facts in plan` and `fake solved` (share of facts ever fake), `solved` (share known), `conflicts`, means over seats;
    `solved per update`; `consensus` (facts of the ledger that the plans of both sides rest on, of those that either
    rests on; only where two seats or more have sources).
    """
    plans: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        if event.kind == "thought" and event.data.get("about") == "plan" and event.seat is not None:
            plans.setdefault(event.seat, []).append(event.data)
    if not plans:
        return {}
    last = [seat[-1]["facts"] for seat in plans.values()]
    n_facts = [len(facts) for facts in last]
    solved = [sum(fact["status"] == "known" for fact in facts) for facts in last]
    n_updates = sum(len(seat) - 1 for seat in plans.values())
    figures = {
        "facts in plan": sum(n_facts) / len(last),
        "solved": sum(solved) / sum(n_facts),
        "fake solved": sum(fact["was_fake"] for facts in last for fact in facts) / sum(n_facts),
        "conflicts": sum(fact["status"] == "conflict" for facts in last for fact in facts) / sum(n_facts),
    }
    if n_updates:
        figures["solved per update"] = sum(solved) / n_updates
    sources = [{s for fact in facts if fact["status"] == "known" for s in fact["sources"]} for facts in last]
    if len(sources) > 1 and set.union(*sources):
        figures["consensus"] = len(set.intersection(*sources)) / len(set.union(*sources))
    return figures

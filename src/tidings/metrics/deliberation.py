"""Figures of deliberations: one row a rollout, and what is made of many rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from tidings.core import Event
from tidings.metrics.result import MetricResult, mean_result, share_result
from tidings.theory.aggregation import majority
from tidings.theory.coalitions import exact_shapley_game

__all__ = [
    "DELIBERATION_COLUMNS",
    "coverage",
    "deliberation_row",
    "hindsight_contributions",
    "mean_calls",
    "mean_depth",
    "p_right",
    "unparsable",
]

DELIBERATION_COLUMNS = {
    "question": pl.String,
    "kind": pl.String,
    "outcome": pl.String,
    "right": pl.Boolean,
    "covered": pl.Boolean,
    "key": pl.String,
    "rule": pl.String,
    "label": pl.String,
    "n_answers": pl.Int64,
    "n_unparsable": pl.Int64,
    "n_failed": pl.Int64,
    "calls": pl.Int64,
    "depth": pl.Int64,
    "rounds": pl.Int64,
}
"""Columns of a frame of deliberations.

`outcome`: `right`, `wrong`, `unparsable` (answers stand, none can be read), `no_answer` (every seat failed, or the
judge did), `ungraded` (no gold, or a program: tidings runs no code). `right` is null where it is ungraded; a group
without an answer is not right. `covered`: whether some answer that stands is right.
"""

_MAX_EXACT = 10


def deliberation_row(events: Iterable[Event]) -> dict[str, Any]:
    """Returns the figures of one rollout; see `DELIBERATION_COLUMNS`."""
    gold: Mapping[str, Any] = {}
    result: Mapping[str, Any] = {}
    ledger: Mapping[str, Any] = {"answers": []}
    for event in events:
        if event.kind == "gold":
            gold = event.data
        elif event.kind == "ledger":
            ledger = event.data
        elif event.kind == "result":
            result = event.data
    keys = gold.get("keys") if gold.get("kind") != "code" else None
    outcome = _outcome(result, keys)
    is_right = None if outcome == "ungraded" else outcome == "right"
    covered = None if keys is None else any(row["key"] in keys for row in ledger["answers"])
    graded = {
        "question": gold.get("question"),
        "kind": gold.get("kind"),
        "outcome": outcome,
        "right": is_right,
        "covered": covered,
    }
    counted = {name: result[name] if result else None for name in DELIBERATION_COLUMNS if name not in graded}
    return graded | counted


def _outcome(result: Mapping[str, Any], keys: Sequence[str] | None) -> str:
    if keys is None:
        return "ungraded"
    if result.get("label") is None and result.get("rule") != "no_key":
        return "no_answer"
    if result.get("key") is None:
        return "unparsable"
    return "right" if result["key"] in keys else "wrong"


def hindsight_contributions(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Returns what each answer was worth, seen from the right answer: exact Shapley values of the vote's correctness.

    v(S) = 1 if the majority of the answers in S is right, else 0; v(empty) = 0. One entry for each round and answer:
    `round`, `seat`, `sample`, `phi_right`. This is the best that a planner could have known; none ever does.

    Undefined: None for more than 10 answers, without gold, or for programs.
    """
    listed, keys = list(events), None
    for event in listed:
        if event.kind == "gold" and event.data["kind"] != "code":
            keys = event.data["keys"]
    rows: list[dict[str, Any]] = []
    for event in listed:
        if event.kind == "ledger":
            answers = event.data["answers"]
            phi = _phi_right([row["key"] for row in answers], keys)
            rows += [
                {"round": event.data["round"], "seat": a["seat"], "sample": a["sample"], "phi_right": worth}
                for a, worth in zip(answers, phi, strict=True)
            ]
    return rows


def _phi_right(said: Sequence[str | None], keys: Sequence[str] | None) -> list[float | None]:
    n = len(said)
    if keys is None or not 1 <= n <= _MAX_EXACT:
        return [None] * n

    def value(coalition: frozenset[int]) -> float:
        return float(bool(coalition) and majority([said[i] for i in sorted(coalition)]).key in keys)

    return np.asarray(exact_shapley_game(value, n)).round(9).tolist()


def p_right(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the share of graded questions whose group answer is right; no answer is not right."""
    known = rows["right"].drop_nulls()
    return [share_result("p_right", int(known.sum()), len(known))]


def coverage(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the share of graded questions to which some answer that stands is right: what any choice can reach."""
    known = rows["covered"].drop_nulls()
    return [share_result("coverage", int(known.sum()), len(known))]


def unparsable(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean share of answers that cannot be read, over rollouts with answers."""
    answered = rows.filter(pl.col("n_answers") > 0)
    shares = (answered["n_unparsable"] / answered["n_answers"]).to_list()
    return [mean_result("unparsable", shares, "share of answers", (0.0, 1.0))]


def mean_calls(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean number of answers asked for; repairs and a planner's own calls are not among them."""
    return [mean_result("calls", rows["calls"].cast(pl.Float64).to_list(), "answers")]


def mean_depth(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean critical path: answers that had to wait for each other."""
    return [mean_result("depth", rows["depth"].cast(pl.Float64).to_list(), "sequential answers")]

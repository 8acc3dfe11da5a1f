"""Frame of contributions: what each answer of a deliberation was worth, round by round, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from tidings.analysis.frames.frame import ID_COLUMNS, Column, Frame, Rows
from tidings.core import Event
from tidings.log.calls import CallStore
from tidings.metrics.deliberation import hindsight_contributions

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["CONTRIBUTIONS"]


def _contributions(run: Run) -> Rows:
    if run.scenario.environment.kind != "deliberation":
        return
    spent = _tokens(run)
    for rollout, lines in run.rollout_lines():
        for row in _rows([line.event() for line in lines]):
            tokens = spent.get((rollout, row.pop("asked"), row["seat"]))
            found = row | {"rollout": rollout, "tokens": tokens}
            yield tuple(found[name] for name in CONTRIBUTIONS.columns)


def _tokens(run: Run) -> dict[tuple[int, int, str], int]:
    calls = CallStore.frame(run.path / "calls")
    if calls.is_empty():
        return {}
    total = (pl.col("tokens_in") + pl.col("tokens_out")).sum().alias("tokens")
    summed = calls.group_by("rollout", "step", "seat").agg(total)
    return {(rollout, step, seat): tokens for rollout, step, seat, tokens in summed.iter_rows()}


def _rows(events: list[Event]) -> list[dict[str, Any]]:
    """Returns one row for each round and answer that stood at its end; `asked` is the step in which it was given."""
    worth = {(row["round"], row["seat"], row["sample"]): row["phi_right"] for row in hindsight_contributions(events)}
    given: dict[tuple[int, str], int] = {}
    schedule: dict[str, Mapping[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    for event in events:
        data = event.data
        if event.kind == "message" and data["written"] == data["round"]:
            given.setdefault((data["round"], data["label"]), event.step)
        elif event.kind == "plan" and not data["stop"]:
            order = {seat: place for place, seat in enumerate(data["order"])}
            reads = {v: [u for u, w in data["edges"] + data["last_edges"] if w == v] for v in order}
            schedule = {
                e["seat"]: {**e, "order": order[e["seat"]], "reads": reads[e["seat"]]} for e in data["schedule"]
            }
        elif event.kind == "plan":
            _state_weights(rows, data["weights"])
        elif event.kind == "ledger":
            rows += [_row(event, answer, schedule, given, worth) for answer in data["answers"]]
        if event.kind == "plan" and not data["stop"]:
            _state_weights(rows, data["weights"])
    return rows


def _state_weights(rows: list[dict[str, Any]], weights: Mapping[str, float] | None) -> None:
    """Puts what the planner said about the answers of the last round into their rows."""
    last = rows[-1]["round"] if rows else None
    for row in rows:
        if row["round"] == last and weights is not None:
            row["weight"] = weights.get(row["seat"])


def _row(
    event: Event,
    answer: Mapping[str, Any],
    schedule: Mapping[str, Mapping[str, Any]],
    given: Mapping[tuple[int, str], int],
    worth: Mapping[tuple[int, str, int], float | None],
) -> dict[str, Any]:
    round, seat, sample = event.data["round"], answer["seat"], answer["sample"]
    plan = schedule.get(seat, {}) if round else {}
    label = seat if sample == 0 else f"{seat}#{sample + 1}"
    return {
        "round": round,
        "step": event.step,
        "seat": seat,
        "sample": sample,
        "key": answer["key"],
        "reason": answer["reason"],
        "written": answer["written"],
        "psi": answer["psi"],
        "phi": answer["phi"],
        "weight": None,
        "phi_right": worth[round, seat, sample],
        "mode": plan.get("mode", "first"),
        "order": plan.get("order"),
        "reads": plan.get("reads", []),
        "asked": given.get((answer["written"], label), -1),
    }


CONTRIBUTIONS = Frame(
    "one row for each answer that stood after a round of a deliberation (deliberation)",
    {
        "rollout": ID_COLUMNS["rollout"],
        "round": Column(pl.Int64, "round of reading; 0 for the first answers"),
        "step": ID_COLUMNS["step"],
        "seat": Column(pl.String, "who gave the answer"),
        "sample": Column(pl.Int64, "number of the further independent answer of this seat, from 0"),
        "key": Column(pl.String, "what the answer says in comparable form; null if nothing can be compared"),
        "reason": Column(pl.String, "why it cannot be read; null if it can"),
        "written": Column(pl.Int64, "round in which it was given"),
        "psi": Column(pl.Float64, "cosine with the mean of all answers, on hashed words"),
        "phi": Column(pl.Float64, "exact Shapley value of the cosine game; null for more than 10 answers"),
        "weight": Column(pl.Float64, "what the planner then said it counts; null if it said nothing"),
        "phi_right": Column(
            pl.Float64, "exact Shapley value of the vote's correctness, in hindsight; null without gold"
        ),
        "mode": Column(pl.String, "`first`, `self_refine`, `read_parents` or `skip`"),
        "order": Column(pl.Int64, "place in the speaking order of the round, from 0; null for first answers"),
        "reads": Column(pl.List(pl.String), "whose answers the seat was sent in this round"),
        "tokens": Column(pl.Int64, "tokens of the calls behind the answer; null without a model"),
    },
    _contributions,
)

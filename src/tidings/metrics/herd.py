"""One row of figures for each rollout of social learning, as a pure function of its events."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from tidings.core.events import Event
from tidings.theory.herd_events import HerdBelief, follow_herd, of_seat, places_of
from tidings.theory.herding import FREE_TOLERANCE
from tidings.theory.many_states import LineBelief, follow_line

__all__ = ["HERD_COLUMNS", "herd_row", "total_loss"]

HERD_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "state": pl.String,
    "n_agents": pl.Int64,
    "n_good": pl.Int64,
    "n_correct": pl.Int64,
    "first_cascade": pl.Int64,
    "last_correct": pl.Boolean,
    "belief": pl.Float64,
    "off_path": pl.Int64,
    "loss": pl.Float64,
    "cost": pl.Float64,
    "n_below": pl.Int64,
    "reward": pl.Float64,
}
"""Columns of `herd_row` with their types, in order."""


def herd_row(events: Iterable[Event]) -> dict[str, Any]:
    """Returns the figures of one rollout of `social_learning` or `many_states`.

    The public belief is that of rational observers who see every action; it is a benchmark, and on a graph that is not
    complete no seat holds it (`belief` and `first_cascade` are then None).

    Args:
        events: All events of the rollout, in order.

    Returns:
        `state` (name), `n_agents` that acted, `n_good` that played the second of two states, `n_correct`,
        `first_cascade` (position from 0 of the first agent whose signal could not matter to a rational agent; None if
        there was none), `last_correct` (bool; None if nobody acted), `belief` in the second state (of more than two:
        in the true one) at the end, `off_path` (actions no rational agent would have taken; the belief is kept there),
        `loss` (sum of the agents' losses), `cost` (what the planner paid), `n_below` (agents whose precision was set
        below the free one) and `reward` (the planner's discounted reward: minus what it paid and minus its error cost
        for each wrong or unwanted action, each weighed by its place in the order of play, also where agents before it
        failed to act; None without a planner).
    """
    herd: HerdBelief | LineBelief = HerdBelief()
    follow: Any = follow_herd
    truth = ""
    wrong: Counter[tuple[float, bool]] = Counter()
    row: dict[str, Any] = dict.fromkeys(HERD_COLUMNS)
    row |= {"n_good": 0, "n_correct": 0, "loss": 0.0, "cost": 0.0, "n_below": 0}
    control: dict[str, Any] | None = None
    places: Mapping[str, int] = {}
    for event in events:
        if event.kind == "setup":
            places = places_of(event.data)
            if isinstance(event.data["prior"], list):
                herd, follow = LineBelief(), follow_line
        herd = follow(herd, event)
        if event.kind == "state":
            truth = event.data["value"]
        elif event.kind == "control":
            control, row["reward"] = event.data, 0.0
        elif event.kind == "precision" and herd.setup is not None:
            row["cost"] += event.data["cost"]
            row["n_below"] += event.data["precision"] < free_precision(herd.setup, event.data["seat"]) - FREE_TOLERANCE
        elif event.kind == "action" and herd.setup is not None:
            is_good, is_right = event.data["action"] == herd.setup["states"][1], event.data["action"] == truth
            row["n_good"] += is_good
            row["n_correct"] += is_right
            row["last_correct"] = is_right
            if not is_right:
                wrong[_threshold(herd, event.seat or ""), is_good] += 1
            if herd.ignored and row["first_cascade"] is None:
                row["first_cascade"] = herd.position - 1
        if control is not None:
            row["reward"] -= _price(control, event, truth, places)
    row["loss"] = math.fsum(total_loss(threshold, n * is_good, n) for (threshold, is_good), n in wrong.items())
    row |= {"state": truth, "n_agents": herd.position, "off_path": herd.off_path}
    if isinstance(herd, LineBelief):
        assert herd.setup is not None
        return row | {"n_good": None, "belief": herd.belief[herd.setup["states"].index(truth)]}
    row["belief"] = herd.belief
    is_common = herd.setup is None or herd.setup["seen"] is None
    return row if is_common else row | {"belief": None, "first_cascade": None}


def _price(control: Mapping[str, Any], event: Event, truth: str, places: Mapping[str, int]) -> float:
    """Returns what an event costs the planner, discounted: the price of a precision, the error of an action."""
    if event.kind == "precision":
        return discount(control, places[event.data["seat"]]) * event.data["cost"]
    if event.kind != "action":
        return 0.0
    is_error = event.data["action"] != (truth if control["target"] is None else control["target"])
    return discount(control, places[event.seat or ""]) * control["error_cost"] * is_error


def _threshold(herd: HerdBelief | LineBelief, seat: str) -> float:
    """Returns the threshold that says what a wrong action costs; among more than two states each costs 1."""
    return herd.threshold(seat) if isinstance(herd, HerdBelief) else 0.5


def free_precision(setup: dict[str, Any], seat: str) -> float:
    """Returns the precision that costs nothing for this seat."""
    return of_seat(setup["precision"], seat)


def discount(control: Mapping[str, Any], position: int) -> float:
    """Returns the weight of the agent at this position (from 0) in the planner's reward."""
    return 1.0 if control["delta"] is None else float(control["delta"]) ** position


def total_loss(threshold: float, n_false_good: Any, n_wrong: Any) -> Any:
    """Returns the loss of all wrong actions; one of each kind sums to 2 (both are 1 when payoffs are symmetric).

    Args:
        threshold: Belief in the second state above which playing it pays.
        n_false_good: Agents that played the second state when the first was true (number or array).
        n_wrong: Agents that were wrong at all.
    """
    return 2.0 * threshold * n_false_good + 2.0 * (1.0 - threshold) * (n_wrong - n_false_good)

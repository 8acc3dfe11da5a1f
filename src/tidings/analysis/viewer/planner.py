"""What a planner did in one rollout: what it chose, what it paid, what the public believed; graphs it built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tidings.core import Event
from tidings.theory.herd_events import HerdBelief, follow_herd

__all__ = ["planner_view"]


def planner_view(events: Iterable[Event]) -> dict[str, Any]:
    """Returns the planner's side of a rollout.

    Returns:
        `control`: its declared objective and cost, or None.
        `plans`: graphs it built, each with `step`, `index`, `round`, `edges` and `last_edges` (pairs of seats: the
        second reads the first), `order`, `schedule` and `stop`.
        `ledgers`: what it knew of the answers of each round.
        `precision`: one row for each signal it set, with `step`, `seat`, `precision`, `cost`, `spent` (so far),
        `chosen` (False: its turn failed and the free precision held) and `public` (the rational public belief before;
        None on a graph that is not complete).
    """
    herd = HerdBelief()
    control: dict[str, Any] | None = None
    rows: list[dict[str, Any]] = []
    plans: list[dict[str, Any]] = []
    ledgers: list[dict[str, Any]] = []
    spent = 0.0
    is_herd = True
    for event in events:
        if event.kind == "control":
            control = event.data
        elif event.kind == "precision":
            spent += event.data["cost"]
            is_common = herd.setup is not None and herd.setup["seen"] is None
            rows.append(
                {
                    "step": event.step,
                    "seat": event.data["seat"],
                    "precision": event.data["precision"],
                    "cost": event.data["cost"],
                    "spent": spent,
                    "chosen": event.seat is not None,
                    "public": herd.belief if is_common else None,
                }
            )
        elif event.kind == "plan":
            known = {key: event.data.get(key) for key in ("round", "stop", "order", "schedule", "weights")}
            edges = {key: event.data.get(key) or [] for key in ("edges", "last_edges")}
            plans.append({"step": event.step, "index": event.index, **known, **edges})
        elif event.kind == "ledger":
            ledgers.append({"step": event.step, "index": event.index, **event.data})
        if event.kind == "setup":
            is_herd = "ties" in event.data and "threshold" in event.data
        if is_herd:
            herd = follow_herd(herd, event)
    return {"control": control, "precision": rows, "plans": plans, "ledgers": ledgers}

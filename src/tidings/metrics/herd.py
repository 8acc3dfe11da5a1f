"""One row of figures for each rollout of social learning, as a pure function of its events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tidings.core.events import Event
from tidings.theory.herd_events import HerdBelief, follow_herd

__all__ = ["HERD_COLUMNS", "herd_row"]

HERD_COLUMNS = (
    "state",
    "n_agents",
    "n_good",
    "n_correct",
    "first_cascade",
    "last_correct",
    "belief",
    "off_path",
    "loss",
)
"""Columns of `herd_row`, in order."""


def herd_row(events: Iterable[Event]) -> dict[str, Any]:
    """Returns the figures of one rollout of `social_learning`.

    The public belief is that of rational observers who see every action; it is a benchmark, and on a graph that is not
    complete no seat holds it (`belief` and `first_cascade` are then None).

    Args:
        events: All events of the rollout, in order.

    Returns:
        `state` (name), `n_agents` that acted, `n_good` that played the second state, `n_correct`, `first_cascade`
        (position from 0 of the first agent whose signal could not matter to a rational agent; None if there was none),
        `last_correct` (bool; None if nobody acted), `belief` in the second state at the end, `off_path` (actions no
        rational agent would have taken; the belief is kept there), `loss` (sum of the agents' losses).
    """
    herd, truth = HerdBelief(), ""
    row: dict[str, Any] = dict.fromkeys(HERD_COLUMNS)
    row |= {"n_good": 0, "n_correct": 0, "loss": 0.0}
    for event in events:
        herd = follow_herd(herd, event)
        if event.kind == "state":
            truth = event.data["value"]
        elif event.kind == "action" and herd.setup is not None:
            is_good, is_right = event.data["action"] == herd.setup["states"][1], event.data["action"] == truth
            row["n_good"] += is_good
            row["n_correct"] += is_right
            row["last_correct"] = is_right
            row["loss"] += 0.0 if is_right else _loss(herd.setup["threshold"], is_good)
            if herd.ignored and row["first_cascade"] is None:
                row["first_cascade"] = herd.position - 1
    row |= {"state": truth, "n_agents": herd.position, "off_path": herd.off_path, "belief": herd.belief}
    is_common = herd.setup is None or herd.setup["seen"] is None
    return row if is_common else row | {"belief": None, "first_cascade": None}


def _loss(threshold: float, is_good: bool) -> float:
    """Returns the loss of a wrong action; the two losses sum to 2 (both are 1 when payoffs are symmetric)."""
    return 2.0 * threshold if is_good else 2.0 * (1.0 - threshold)

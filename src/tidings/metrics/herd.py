"""One row of figures for each rollout of social learning, as a pure function of its events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tidings.core.events import Event
from tidings.theory.herding import action_likelihoods, next_belief

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
    setup: dict[str, Any] = {}
    truth, belief, precision = "", 0.5, 0.5
    row: dict[str, Any] = dict.fromkeys(HERD_COLUMNS)
    row |= {"n_agents": 0, "n_good": 0, "n_correct": 0, "off_path": 0, "loss": 0.0}
    for event in events:
        data = event.data
        if event.kind == "setup":
            setup, belief = data, data["prior"]
        elif event.kind == "state":
            truth = data["value"]
        elif event.kind == "signal":
            precision = data["precision"]
        elif event.kind == "action":
            good = setup["states"][1]
            is_good, is_right = data["action"] == good, data["action"] == truth
            row["n_good"] += is_good
            row["n_correct"] += is_right
            row["last_correct"] = is_right
            row["loss"] += 0.0 if is_right else _loss(setup["threshold"], is_good)
            if setup["seen"] is None:
                on_good, on_bad, p_good, p_bad = action_likelihoods(
                    belief, precision, setup["ties"], setup["threshold"]
                )
                if on_good == on_bad and on_good != 0.5 and row["first_cascade"] is None:
                    row["first_cascade"] = row["n_agents"]
                likelihoods = (p_good, p_bad) if is_good else (1.0 - p_good, 1.0 - p_bad)
                row["off_path"] += max(likelihoods) == 0.0
                belief = next_belief(belief, *likelihoods)
            row["n_agents"] += 1
    return row | {"state": truth, "belief": belief if setup.get("seen", ...) is None else None}


def _loss(threshold: float, is_good: bool) -> float:
    """Returns the loss of a wrong action; the two losses sum to 2 (both are 1 when payoffs are symmetric)."""
    return 2.0 * threshold if is_good else 2.0 * (1.0 - threshold)

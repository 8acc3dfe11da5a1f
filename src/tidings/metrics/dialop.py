"""What came of an optimisation game: one row a rollout, and the figures over rollouts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from tidings.core import Event
from tidings.metrics.result import MetricResult, mean_result, share_result

__all__ = ["GAME_COLUMNS", "agreed", "game_row", "messages", "norm", "proposals"]

GAME_COLUMNS = {
    "item": pl.String,
    "agreed": pl.Boolean,
    "reward": pl.Float64,
    "norm": pl.Float64,
    "messages": pl.Int64,
    "proposals": pl.Int64,
}
"""Columns of a row: whether both agreed, the mean reward and norm of what was assigned (null if nothing was)."""


def game_row(events: Iterable[Event]) -> dict[str, Any]:
    """Returns the figures of one rollout of `dialop`: the columns of `GAME_COLUMNS`."""
    item, outcomes = "", []
    counts = {"message": 0, "proposal": 0}
    for event in events:
        if event.kind == "gold":
            item = event.data["item"]
        elif event.kind == "outcome":
            outcomes.append(event.data)
        elif event.kind in counts:
            counts[event.kind] += 1
    row: dict[str, Any] = {"item": item, "agreed": any(o["status"] == "agreed" for o in outcomes)}
    for name in ("reward", "norm"):
        known = [o[name] for o in outcomes if o[name] is not None]
        row[name] = sum(known) / len(known) if known else None
    return row | {"messages": counts["message"], "proposals": counts["proposal"]}


def norm(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean share of the best reward, over games in which something was assigned."""
    return [mean_result("norm", rows["norm"].drop_nulls().to_list(), "share of the best reward", (0.0, 1.0))]


def agreed(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the share of games that ended with an accepted proposal."""
    return [share_result("agreed", int(rows["agreed"].sum()), len(rows))]


def messages(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean number of messages."""
    return [mean_result("messages", rows["messages"].cast(pl.Float64).to_list(), "messages", (0.0, float("inf")))]


def proposals(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean number of proposals."""
    return [mean_result("proposals", rows["proposals"].cast(pl.Float64).to_list(), "proposals", (0.0, float("inf")))]

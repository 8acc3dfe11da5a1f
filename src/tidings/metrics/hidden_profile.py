"""How a group voted before and after it talked: one row a rollout, and the figures over rollouts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from tidings.core import Event
from tidings.metrics.result import MetricResult, mean_result

__all__ = ["VOTE_COLUMNS", "gain", "majority_after", "majority_before", "majority_share", "right_after", "right_before",
           "vote_row"]  # fmt: skip

VOTE_COLUMNS = {
    "item": pl.String,
    "n_before": pl.Int64,
    "right_before": pl.Float64,
    "majority_before": pl.Float64,
    "n_after": pl.Int64,
    "right_after": pl.Float64,
    "majority_after": pl.Float64,
}
"""Columns of a row: votes that were given, the share for the right option, and `majority_share`; null without votes."""


def majority_share(votes: Sequence[str], gold: str) -> float | None:
    """Returns 1 if `gold` alone has most votes, 1/n if n options tie for most and it is one of them, else 0.

    None without votes. The order of the votes does not matter: it is what a fair draw among the tied options gives.
    """
    if not votes:
        return None
    counts = Counter(votes)
    leaders = [option for option, count in counts.items() if count == max(counts.values())]
    return (gold in leaders) / len(leaders)


def vote_row(events: Iterable[Event]) -> dict[str, Any]:
    """Returns the figures of one rollout of `hidden_profile`: the columns of `VOTE_COLUMNS`."""
    gold, item = "", ""
    votes: dict[str, list[str]] = {"before": [], "after": []}
    for event in events:
        if event.kind == "gold":
            gold, item = event.data["value"], event.data["item"]
        elif event.kind == "vote":
            votes[event.data["phase"]].append(event.data["option"])
    row: dict[str, Any] = {"item": item}
    for phase, given in votes.items():
        row[f"n_{phase}"] = len(given)
        row[f"right_{phase}"] = given.count(gold) / len(given) if given else None
        row[f"majority_{phase}"] = majority_share(given, gold)
    return row


def right_before(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the share of votes for the right option before the talk."""
    return [_mean("right_before", rows)]


def right_after(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the share of votes for the right option after the talk."""
    return [_mean("right_after", rows)]


def majority_before(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns how often the majority was right before the talk; a tie counts by its share."""
    return [_mean("majority_before", rows)]


def majority_after(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns how often the majority was right after the talk; a tie counts by its share."""
    return [_mean("majority_after", rows)]


def gain(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean paired difference in the share of right votes, after less before the talk."""
    both = rows.drop_nulls(["right_before", "right_after"])
    values = (both["right_after"] - both["right_before"]).to_list()
    return [mean_result("gain", values, "share of votes", (-1.0, 1.0))]


def _mean(name: str, rows: pl.DataFrame) -> MetricResult:
    unit = "share of votes" if name.startswith("right") else "share of rollouts"
    return mean_result(name, rows[name].drop_nulls().to_list(), unit, (0.0, 1.0))

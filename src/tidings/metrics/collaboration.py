"""How a collaboration ended: one row a rollout, and the figures over rollouts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import polars as pl

from tidings.core import Event
from tidings.metrics.result import MetricResult, mean_result, share_result

__all__ = [
    "COLLABORATION_COLUMNS",
    "answered",
    "collaboration_row",
    "evidence_precision",
    "evidence_recall",
    "messages",
    "recruited",
    "right",
    "rounds",
]

COLLABORATION_COLUMNS = {
    "item": pl.String,
    "answered": pl.Boolean,
    "right": pl.Float64,
    "evidence_precision": pl.Float64,
    "evidence_recall": pl.Float64,
    "stop": pl.String,
    "rounds": pl.Int64,
    "messages": pl.Int64,
    "recruited": pl.Int64,
    "cost": pl.Float64,
}
"""Columns of a row. `right` is null without an answer, without a gold, and for golds that a text match cannot score."""

_BY_TEXT = ("integer", "option", "exact", None)


def collaboration_row(events: Iterable[Event]) -> dict[str, Any]:
    """Returns how a rollout ended.

    `right` is the share of answers equal to the gold, case, punctuation and spaces aside, for golds that are a number,
    an option or a text; sets of names and times are scored by the suite `informative`. Evidence counts against the ids
    that the item names: precision over those cited, recall over those named; null where there are none.
    """
    item: dict[str, Any] = {}
    stop: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []
    for event in events:
        if event.kind == "item":
            item = event.data
        elif event.kind == "stop":
            stop = event.data
        elif event.kind == "answer":
            answers.append(event.data)
    wanted = {fact for ids in item.get("evidence", ()) for fact in ids}
    cited = set(answers[-1]["evidence"]) if answers else set()
    return {
        "item": item.get("id"),
        "answered": bool(answers),
        "right": _right(item, answers),
        "evidence_precision": len(cited & wanted) / len(cited) if cited and wanted else None,
        "evidence_recall": len(cited & wanted) / len(wanted) if wanted and answers else None,
        "stop": stop.get("reason"),
        **{name: stop.get(name) for name in ("rounds", "messages", "recruited", "cost")},
    }


def _right(item: dict[str, Any], answers: list[dict[str, Any]]) -> float | None:
    gold = item.get("gold")
    if gold is None or not answers or item.get("gold_kind") not in _BY_TEXT:
        return None
    return sum(_bare(str(answer["answer"])) == _bare(str(gold)) for answer in answers) / len(answers)


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).split())


def _mean(rows: pl.DataFrame, column: str, unit: str, *, is_share: bool = False) -> list[MetricResult]:
    values = [float(value) for value in rows[column].drop_nulls().to_list()]
    return [mean_result(column, values, unit, (0.0, 1.0) if is_share else (0.0, float("inf")))]


def answered(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the share of rollouts with a final answer."""
    return [share_result("answered", int(rows["answered"].sum()), len(rows))]


def right(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean share of right answers, over rollouts whose answer can be scored by a text match."""
    return _mean(rows, "right", "share of answers", is_share=True)


def evidence_precision(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean share of cited facts that are evidence."""
    return _mean(rows, "evidence_precision", "share of cited facts", is_share=True)


def evidence_recall(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean share of the evidence that was cited."""
    return _mean(rows, "evidence_recall", "share of the evidence", is_share=True)


def rounds(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean number of rounds of talk."""
    return _mean(rows, "rounds", "rounds")


def messages(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean number of messages, counted once per addressee."""
    return _mean(rows, "messages", "messages")


def recruited(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean number of contacts brought in."""
    return _mean(rows, "recruited", "contacts")

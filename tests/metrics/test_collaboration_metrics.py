"""Figures of collaborations, by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tidings.core import Event
from tidings.metrics import collaboration
from tidings.metrics.collaboration import COLLABORATION_COLUMNS, collaboration_row


def events(gold: Any, *answers: str, kind: str | None = "option", cited: tuple[str, ...] = ()) -> list[Event]:
    item = {"id": "q", "evidence": [["f0"], ["f1"]], "gold": gold, "gold_kind": kind}
    stop = {"reason": "complete", "rounds": 3, "messages": 4, "recruited": 1, "cost": 2.0}
    given = [Event("answer", ("a",), {"answer": answer, "evidence": list(cited)}) for answer in answers]
    return [Event("item", (), item), Event("stop", (), stop), *given]


@pytest.mark.parametrize(
    ("gold", "answers", "kind", "right"),
    [
        ("barn", ["Barn."], "option", 1.0),
        ("barn", ["mill"], "option", 0.0),
        ("barn", ["barn", "mill"], "exact", 0.5),
        ("3", ["3"], "integer", 1.0),
        ("9:00-12:00", ["9:00-12:00"], "spans", None),
        ("barn", [], "option", None),
        (None, ["barn"], None, None),
    ],
)
def test_right_answers(gold: Any, answers: list[str], kind: str | None, right: float | None) -> None:
    row = collaboration_row(events(gold, *answers, kind=kind))
    assert (row["right"], row["answered"]) == (right, bool(answers))


def test_evidence_counts_against_what_the_item_names() -> None:
    row = collaboration_row(events("barn", "barn", cited=("f0", "f7")))
    assert (row["evidence_precision"], row["evidence_recall"]) == (0.5, 0.5)
    assert collaboration_row(events("barn", "barn"))["evidence_precision"] is None
    assert (row["stop"], row["rounds"], row["messages"], row["recruited"], row["cost"]) == ("complete", 3, 4, 1, 2.0)


def test_figures_over_rollouts() -> None:
    rows = pl.DataFrame(
        [collaboration_row(events("barn", "barn")), collaboration_row(events("barn"))], schema=COLLABORATION_COLUMNS
    )
    assert collaboration.answered(rows)[0].value == 0.5
    assert (collaboration.right(rows)[0].value, collaboration.right(rows)[0].n) == (1.0, 1)
    assert collaboration.messages(rows)[0].value == 4.0

"""The detectors of claims, and how good each was found to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import polars as pl

from tidings.metrics.ledger import Ledger

__all__ = ["MEASURED", "Quality", "publish", "trusts_judge"]


class Quality(NamedTuple):
    """What a detector did on labelled messages.

    Attributes:
        precision: Share of its claims that are right in fact, value and polarity; None if it made none.
        recall: Share of the labelled claims that it finds; None if there is none.
        n: Labelled messages.
    """

    precision: float | None
    recall: float | None
    n: int


MEASURED: Mapping[str, Quality] = {"canonical": Quality(0.89, 0.82, 185), "structured": Quality(1.0, 1.0, 10)}
"""Detector -> quality on `tests/fixtures/flow/labelled_messages.jsonl`; a test measures it again."""


def publish(ledgers: Iterable[Ledger], side: Mapping[str, pl.DataFrame] | None = None) -> str:
    """Returns which detectors the claims of these ledgers come from, with their precision and recall.

    Args:
        ledgers: The ledgers.
        side: Rows measured beside the run: `claims` of a judge, which is named also where it found nothing, with what
            it left unanswered; `judges`, how good it was.
    """
    side = side or {}
    asked = _asked(side)
    names = sorted({*asked, *(name for ledger in ledgers for name in ledger.detectors)})
    known = {**MEASURED, **_measured(side)}
    return f"claims: {', '.join(_words(name, known, asked) for name in names)}" if names else "claims: none"


def trusts_judge(side: Mapping[str, pl.DataFrame]) -> bool:
    """Returns whether the judge of these rows was measured to be more precise than the search for words.

    Args:
        side: Rows measured beside the run: `claims` of the judge, and `judges`, how good it was.
    """
    names: set[str] = set(side["claims"]["detector"]) if "claims" in side else set()
    measured, floor = _measured(side), MEASURED["canonical"].precision or 0.0
    precisions = [measured[name].precision if name in measured else None for name in names]
    return bool(names) and all(precision is not None and precision > floor for precision in precisions)


def _asked(side: Mapping[str, pl.DataFrame]) -> dict[str, tuple[int, int]]:
    """Returns judge -> questions it was asked, and how many of them it did not answer."""
    rows = side.get("claims")
    if rows is None or "n_asked" not in rows.columns:
        return {}
    totals = rows.group_by("detector").agg(pl.col("n_asked").sum(), pl.col("n_failed").sum())
    return {name: (n_asked, n_failed) for name, n_asked, n_failed in totals.iter_rows()}


def _measured(side: Mapping[str, pl.DataFrame]) -> dict[str, Quality]:
    rows = side.get("judges", pl.DataFrame()).iter_rows(named=True)
    return {row["detector"]: Quality(row["precision"], row["recall"], row["n"]) for row in rows}


def _words(name: str, known: Mapping[str, Quality], asked: Mapping[str, tuple[int, int]]) -> str:
    quality = known.get(name)
    if quality is None:
        said = "precision and recall not measured"
    else:
        precision, recall = ("undefined" if x is None else f"{x:.2f}" for x in quality[:2])
        said = f"precision {precision}, recall {recall} on {quality.n} labelled messages"
    n_asked, n_failed = asked.get(name, (0, 0))
    return f"{name} ({said}{f'; {n_failed} of {n_asked} questions unanswered' if n_failed else ''})"

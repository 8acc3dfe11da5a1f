"""The detectors of claims, and how good each was found to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tidings.metrics.ledger import Ledger

__all__ = ["MEASURED", "Quality", "publish"]


class Quality(NamedTuple):
    """What a detector did on labelled messages.

    Attributes:
        precision: Share of its claims that are right in fact, value and polarity.
        recall: Share of the labelled claims that it finds.
        n: Labelled messages.
    """

    precision: float
    recall: float
    n: int


MEASURED: Mapping[str, Quality] = {"canonical": Quality(0.89, 0.82, 185), "structured": Quality(1.0, 1.0, 10)}
"""Detector -> quality on `tests/fixtures/flow/labelled_messages.jsonl`; a test measures it again."""


def publish(ledgers: Iterable[Ledger]) -> str:
    """Returns which detectors the claims of these ledgers come from, with their precision and recall."""
    names = sorted({name for ledger in ledgers for name in ledger.detectors})
    return f"claims: {', '.join(map(_words, names))}" if names else "claims: none"


def _words(name: str) -> str:
    quality = MEASURED.get(name)
    if quality is None:
        return f"{name} (precision and recall not measured)"
    return f"{name} (precision {quality.precision:.2f}, recall {quality.recall:.2f} on {quality.n} labelled messages)"

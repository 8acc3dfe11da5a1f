"""What a metric of any environment is: a pure function of the evidence of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tidings.metrics.evidence import Evidence
from tidings.metrics.result import MetricResult

__all__ = ["TIERS", "Metric"]

TIERS = {
    "rows": "figures of one environment, from one row a rollout",
    "t0": "exact provenance: follows from the log and the claims",
    "t1": "exact Bayes: stated or probed beliefs beside what was possible",
    "t2": "model-based: log-probabilities of messages",
    "t3": "interventional: forks of the run",
    "t4": "sampled: estimates, each beside its permutation null",
}
"""Tier -> what it rests on."""


class Metric(NamedTuple):
    """One metric.

    Attributes:
        compute: Evidence -> its figures, always all of `figures`; without a value they say why.
        tier: One of `TIERS`.
        text: What it says, in one line.
        figures: (name, unit) of each figure.
        version: Version of the definition.
    """

    compute: Callable[[Evidence], list[MetricResult]]
    tier: str
    text: str
    figures: tuple[tuple[str, str], ...]
    version: int = 1

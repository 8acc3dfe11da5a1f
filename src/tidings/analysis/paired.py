"""A figure rollout by rollout, and the paired difference of two of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from tidings.metrics.evidence import Evidence
from tidings.metrics.result import MetricResult, mean_result
from tidings.metrics.table import FLOW, evaluate

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["MOST_ROLLOUTS", "paired_difference", "provenance_by_rollout", "values_by_rollout"]

MOST_ROLLOUTS = 5_000
"""With more rollouts no paired difference is made: taking a figure apart costs time for each."""


def provenance_by_rollout(run: Run) -> dict[str, dict[int, float]]:
    """Returns figure -> rollout -> value, for the figures of exact provenance (t0) that the scenario names."""
    if run.is_summary:
        return {}
    found = {result.name: result for result in run.metric_results(failed="drop") if result.tier == "t0"}
    values = {name: values_by_rollout(run, result) for name, result in found.items()}
    return {name: by_rollout for name, by_rollout in values.items() if by_rollout}


def values_by_rollout(run: Run, result: MetricResult, rows: pl.DataFrame | None = None) -> dict[int, float]:
    """Returns a figure's value for each rollout alone; empty if the figure is not the mean of these.

    Args:
        run: Where the figure comes from.
        result: The figure.
        rows: Per-rollout rows it was made from; those of the run by default.
    """
    rows = run.rollouts() if rows is None else rows
    if result.value is None or rows.is_empty() or len(rows) > MOST_ROLLOUTS:
        return {}
    if result.tier == "t0":
        return _of_events(run, result)
    values: dict[int, float] = {}
    for part in rows.iter_slices(1):
        found = evaluate(run.scenario.environment.kind, [result.name], part, 0)
        value = next((r.value for r in found if r.name == result.name), None)
        if value is not None:
            values[part["rollout"][0]] = value
    return _if_mean(values, result.value)


def _of_events(run: Run, result: MetricResult) -> dict[int, float]:
    """Returns the value of a figure of exact provenance in each rollout that ended well."""
    whole, kind = run.evidence(), run.scenario.environment.kind
    metric = next(name for name, one in FLOW.items() if result.name in dict(one.figures))
    values: dict[int, float] = {}
    for rollout, lines in run.ended():
        events = [line.event() for line in lines]
        alone = Evidence(partial(iter, [(rollout, events)]), whole.graph, whole.seed, whole.side)
        found = evaluate(kind, [metric], pl.DataFrame(), 0, evidence=alone)
        value = next((r.value for r in found if r.name == result.name), None)
        if value is not None:
            values[rollout] = value
    assert result.value is not None
    return _if_mean(values, result.value)


def _if_mean(values: dict[int, float], mean: float) -> dict[int, float]:
    is_mean = bool(values) and math.isclose(math.fsum(values.values()) / len(values), mean, abs_tol=1e-9)
    return values if is_mean else {}


def paired_difference(first: Mapping[int, float], second: Mapping[int, float]) -> MetricResult | None:
    """Returns first minus second over the rollouts that both have, with a t interval; None if they share none."""
    both = [number for number in first if number in second]
    return mean_result("difference", [first[r] - second[r] for r in both], "") if both else None

"""Effects of interventions (tier t3), from rows of `influence` that were measured beside a run."""

from __future__ import annotations

import math

from tidings.metrics.evidence import Evidence, name_events
from tidings.metrics.metric import Metric
from tidings.metrics.result import MetricResult, mean_result, refused

__all__ = ["INFLUENCE"]

NO_INFLUENCE = "no interventions: no fork of this run was measured (rows/influence.parquet)"


def _influence(evidence: Evidence) -> list[MetricResult]:
    rows = evidence.side.get("influence")
    if rows is None:
        return [refused("influence", "as measured", 0, NO_INFLUENCE)]
    units = rows["unit"].unique().to_list()
    if len(units) > 1:
        return [refused("influence", "as measured", 0, f"effects in several units: {', '.join(sorted(units))}")]
    floor = rows["null_mean"].drop_nulls()
    methods = ", ".join(sorted(rows["method"].unique()))
    result = mean_result("influence", rows["value"].to_list(), "as measured")
    mean = floor.to_list()
    return [
        result.noting(
            estimator=f"forks ({methods}), {result.estimator}; unit {units[0]}",
            null_mean=math.fsum(mean) / len(mean) if mean else None,
            events=name_events(
                {k[0]: p["target"].to_list() for k, p in rows.partition_by("rollout", as_dict=True).items()}
            ),
        )
    ]


INFLUENCE: dict[str, Metric] = {
    "influence": Metric(
        _influence,
        "t3",
        "mean effect of dropped or swapped messages beside its noise floor",
        (("influence", "as measured"),),
    ),
}
"""Name -> metric of interventions."""

"""Figures of rows that were measured beside a run: bits of messages (t2) and effects of forks (t3)."""

from __future__ import annotations

import math
from collections.abc import Callable

import polars as pl

from tidings.metrics.evidence import Evidence, name_events
from tidings.metrics.metric import Metric
from tidings.metrics.result import MetricResult, mean_result, refused

__all__ = ["BESIDE"]

NO_DENSITY = "no log-probabilities: no message was scored under swapped private states (rows/density.parquet)"
NO_INFLUENCE = "no interventions: no fork of this run was measured (rows/influence.parquet)"


def _message_bits(evidence: Evidence) -> list[MetricResult]:
    unit = "bits a message"
    rows = evidence.side.get("density")
    if rows is None:
        return [refused("message_bits", unit, 0, NO_DENSITY), refused("message_bits_per_token", "bits", 0, NO_DENSITY)]
    per_rollout = rows.group_by("rollout", maintain_order=True).agg(
        pl.col("bits").mean(), total=pl.col("bits").sum(), tokens=pl.col("tokens").sum()
    )
    result = mean_result("message_bits", per_rollout["bits"].to_list(), unit)
    scorers, modes = (", ".join(sorted(rows[name].drop_nulls().unique())) for name in ("scorer", "mode"))
    cap = rows["cap_bits"].max()
    words = f"log-probabilities ({modes}; scorer {scorers}; cap {cap} bits a message), {result.estimator}"
    events = name_events(
        {k[0]: part["index"].to_list() for k, part in rows.partition_by("rollout", as_dict=True).items()}
    )
    tokens = math.fsum(per_rollout["tokens"])
    per_token = (
        MetricResult("message_bits_per_token", math.fsum(per_rollout["total"]) / tokens, "bits", len(per_rollout))
        if tokens
        else refused("message_bits_per_token", "bits", 0, "no tokens")
    )
    short = "short texts have more bits a token at equal bits: read it beside bits, tokens and cap"
    return [
        result.noting(estimator=words, events=events),
        per_token.noting(estimator=words, events=events, reason=per_token.reason or short),
    ]


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


def _entry(
    compute: Callable[[Evidence], list[MetricResult]], tier: str, text: str, *figures: tuple[str, str]
) -> Metric:
    return Metric(compute, tier, text, figures)


BESIDE: dict[str, Metric] = {
    "message_bits": _entry(
        _message_bits,
        "t2",
        "what a message says about its sender's private state, from log-probabilities",
        ("message_bits", "bits a message"),
        ("message_bits_per_token", "bits"),
    ),
    "influence": _entry(
        _influence,
        "t3",
        "mean effect of dropped or swapped messages beside its noise floor",
        ("influence", "as measured"),
    ),
}
"""Name -> metric of rows beside the events."""

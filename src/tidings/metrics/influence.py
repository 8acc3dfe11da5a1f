"""What messages did to the answers after them, from rows measured beside the run (tier t3)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tidings.metrics.evidence import Evidence, name_events
from tidings.metrics.metric import Metric
from tidings.metrics.result import MetricResult, mean_result, refused

__all__ = ["INFLUENCE", "message_influence"]

NOT_MEASURED = "no influence was measured; `tidings influence RUN --at rollout:index` measures it for one answer"
NO_LAW = "no measured answer has a sender and a listener that state their law (`bayesian` seats do)"
_METHODS = {
    "loo": "influence_leave_one_out",
    "shapley": "influence_shapley",
    "social": "social_influence",
    "cic": "causal_influence",
}
_HOW = {
    "loo": "log2-probability of the answer with and without the message",
    "shapley": "log2-probability of the answer with and without the message",
    "social": "exact, direct: law of the answer after the message against that over all messages (Jaques)",
    "cic": "exact, direct: mutual information of message and answer under p(m) pi(a|do(m)) (CIC)",
}


def message_influence(evidence: Evidence) -> list[MetricResult]:
    """Returns the mean influence of a message on a measured answer, in bits: leave-one-out, Shapley, social, CIC.

    `n` counts answers; each counts once, with the mean over its inputs.

    Undefined: where nothing was measured, or a value is not finite.
    """
    rows = evidence.side.get("influence", pl.DataFrame())
    return [_mean(rows, method, name) for method, name in _METHODS.items()]


def _mean(rows: pl.DataFrame, method: str, name: str) -> MetricResult:
    found = rows if rows.is_empty() else rows.filter(pl.col("method") == method)
    if found.is_empty():
        return refused(name, "bits", 0, NOT_MEASURED if rows.is_empty() or method in ("loo", "shapley") else NO_LAW)
    if n_missing := found["value"].null_count():
        why = found.filter(pl.col("value").is_null())["reason"][0] if "reason" in found.columns else "not finite"
        return refused(name, "bits", 0, f"{n_missing} of {found.height} values are missing: {why}")
    answers = found.group_by("rollout", "target", maintain_order=True).agg(pl.col("value").mean())
    events = name_events({int(r): sorted(part["target"].to_list()) for (r,), part in answers.group_by("rollout")})
    how = f"mean over the answers that were measured; {_HOW[method]}"
    return mean_result(name, answers["value"].to_list(), "bits").noting(estimator=how, events=events)


INFLUENCE: Mapping[str, Metric] = {
    "message_influence": Metric(
        message_influence,
        "t3",
        "how much likelier messages made the answers that were measured",
        tuple((name, "bits") for name in _METHODS.values()),
    )
}
"""Metrics from rows of `influence`."""

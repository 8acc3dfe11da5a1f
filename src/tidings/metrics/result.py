"""What every figure carries with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from scipy.special import ndtri, stdtrit

__all__ = ["MetricResult", "json_row", "json_value", "mean_result", "refused", "share_result"]


@dataclass(frozen=True)
class MetricResult:
    """One figure with what is needed to trust it.

    Attributes:
        name: Name of the metric.
        value: The figure; None when it has no value, and `reason` says why.
        unit: Unit of `value`, `se`, `low` and `high`.
        n: Independent items it rests on (rollouts, unless the metric says otherwise).
        se: Standard error; None when it is not defined (fewer than two items).
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        estimator: How value and interval were made.
        reason: Why there is no value, or what keeps it from being taken at its word.
        null_mean: Mean of the value where there is nothing to measure; None unless the estimator has such a null.
        p: Share of that null at or above the value; None as for `null_mean`.
        reliable: Whether the sample is large enough for the estimator; None where no rule is known.
        events: The events it rests on, as texts `rollouts:indices`, for example `0-2:4,7-9`; `*` is all of them.
        tier: How it comes to its value: `rows` (figures of one environment), `t0` exact provenance, `t1` exact Bayes,
            `t2` model-based, `t3` interventional, `t4` sampled.
        version: Version of the definition; figures of different versions are not comparable.
    """

    name: str
    value: float | None
    unit: str
    n: int
    se: float | None = None
    low: float | None = None
    high: float | None = None
    estimator: str = ""
    reason: str = ""
    null_mean: float | None = None
    p: float | None = None
    reliable: bool | None = None
    events: tuple[str, ...] = ()
    tier: str = ""
    version: int = 1

    def noting(self, **changes: Any) -> MetricResult:
        """Returns the result with some fields changed."""
        return replace(self, **changes)

    def row(self) -> dict[str, Any]:
        """Returns the fields by name; `events` as a list."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"events": list(self.events)}


def json_value(value: Any) -> Any:
    """Returns mappings, lists and numbers as JSON holds them; a number that is not finite is null."""
    if isinstance(value, Mapping):
        return {key: json_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the row of a figure as JSON values: what JSON cannot hold becomes null, and `reason` says what it was."""
    odd = {name: value for name, value in row.items() if isinstance(value, float) and not math.isfinite(value)}
    if not odd:
        return dict(row)
    said = "; ".join(f"{name} is {value}" for name, value in odd.items())
    return {**row, **dict.fromkeys(odd), "reason": "; ".join(filter(None, [row["reason"], said]))}


def mean_result(
    name: str, values: Sequence[float], unit: str, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> MetricResult:
    """Returns the mean of independent values with a 95 % t interval, cut to the values that are possible.

    Infinite values are values: with one of them the mean is infinite, and it has no interval.

    Undefined: None without values, with NaN among them, or where +inf meets -inf; no interval for a single one.
    """
    n = len(values)
    if n == 0:
        return refused(name, unit, 0, "no rollout has a value")
    if n_odd := sum(map(math.isnan, values)):
        return refused(name, unit, n, f"{n_odd} of {n} values are no numbers")
    if infinite := {value for value in values if math.isinf(value)}:
        if len(infinite) == 2:
            return refused(name, unit, n, "both +inf and -inf among the values")
        n_infinite = sum(math.isinf(value) for value in values)
        said = f"{n_infinite} of {n} values are infinite"
        return MetricResult(name, infinite.pop(), unit, n, estimator="mean", reason=said)
    mean = math.fsum(values) / n
    if n == 1:
        return MetricResult(name, mean, unit, 1, estimator="one value")
    se = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)
    half = float(stdtrit(n - 1, 0.975)) * se
    return MetricResult(
        name, mean, unit, n, se, max(bounds[0], mean - half), min(bounds[1], mean + half), "mean, t interval"
    )


def share_result(name: str, n_true: int, n: int, unit: str = "share of rollouts") -> MetricResult:
    """Returns a share of independent yes/no items with a 95 % Wilson interval.

    Undefined: None without items.
    Source: Wilson 1927.
    """
    if n == 0:
        return refused(name, unit, 0, "no rollout has a value")
    share, z2 = n_true / n, float(ndtri(0.975)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    se = math.sqrt(share * (1 - share) / n)
    low, high = max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))
    return MetricResult(name, share, unit, n, se, low, high, "share, Wilson interval")


def refused(name: str, unit: str, n: int, reason: str) -> MetricResult:
    """Returns a result without a value, and why."""
    return MetricResult(name, None, unit, n, reason=reason)

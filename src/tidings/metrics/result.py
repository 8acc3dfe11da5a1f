"""What every figure carries with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scipy.special import ndtri, stdtrit

__all__ = ["MetricResult", "mean_result", "refused", "share_result"]


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
        reason: Why there is no value.
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

    def row(self) -> dict[str, Any]:
        """Returns the fields by name."""
        return asdict(self)


def mean_result(
    name: str, values: Sequence[float], unit: str, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> MetricResult:
    """Returns the mean of independent values with a 95 % t interval, cut to the values that are possible.

    Undefined: None without values; the interval is None for a single one.
    """
    n = len(values)
    if n == 0:
        return refused(name, unit, 0, "no rollout has a value")
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

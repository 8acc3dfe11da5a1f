"""Two runs side by side: what was asked differently, and each figure with its paired difference."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table
from rich.text import Text
from scipy.special import stdtrit

from tidings.analysis.paired import provenance_by_rollout
from tidings.analysis.run import Run, load_run
from tidings.log.gaps import names_gaps
from tidings.metrics.result import MetricResult, mean_result
from tidings.spec.io import read_source

__all__ = ["Comparison", "Row", "compare_runs", "comparison_tables"]


@dataclass(frozen=True)
class Row:
    """One figure in both runs.

    Attributes:
        name: Column of the per-rollout rows.
        first: Mean in the first run.
        second: Mean in the second run.
        difference: Second minus first with its interval; paired if the runs share their seed.
    """

    name: str
    first: MetricResult
    second: MetricResult
    difference: MetricResult


@dataclass(frozen=True)
class Comparison:
    """What two runs differ in.

    Attributes:
        settings: Dotted path -> (value in the first, value in the second), where they differ.
        rows: The figures.
        is_paired: Whether rollouts of equal number share their random draws.
        n: Rollouts compared.
    """

    settings: dict[str, tuple[Any, Any]]
    rows: tuple[Row, ...]
    is_paired: bool
    n: int

    def to_json(self) -> dict[str, Any]:
        """Returns the comparison as JSON values."""
        return asdict(self)


@names_gaps
def compare_runs(first: Path, second: Path) -> Comparison:
    """Returns the comparison of two runs.

    Rollouts are paired by number when both runs have the same seed; then they share all random draws that both make.

    Raises:
        DataError: If one of them is no run.
    """
    runs = load_run(first), load_run(second)
    settings = _differences(*(_flat(read_source(run.path / "scenario.yaml").data) for run in runs))
    frames = [_numeric(run) for run in runs]
    is_paired = runs[0].scenario.rollouts.seed == runs[1].scenario.rollouts.seed
    common = frames[0].join(frames[1], on="rollout", suffix="|second") if is_paired else None
    names = [name for name in frames[0].columns if name != "rollout" and name in frames[1].columns]
    rows = tuple(_row(name, frames, common) for name in names)
    return Comparison(settings, rows, is_paired, len(common) if common is not None else min(map(len, frames)))


def comparison_tables(comparison: Comparison) -> list[Table]:
    """Returns tables for the terminal: what was asked differently, if anything was, and the figures."""
    kind = "paired by seed" if comparison.is_paired else "not paired: the seeds differ"
    settings = Table(box=None, pad_edge=False, header_style="bold")
    settings.add_column("setting", overflow="fold", min_width=24)
    settings.add_column("first", overflow="fold")
    settings.add_column("second", overflow="fold")
    for path, values in comparison.settings.items():
        settings.add_row(Text(path), *(Text("-" if value is None else str(value)) for value in values))
    title = f"{comparison.n} rollouts, {kind}"
    figures = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    figures.add_column("figure", overflow="fold")
    for heading in ("first", "second", "second - first", "95 % interval"):
        figures.add_column(heading, justify="right", no_wrap=True)
    for row in comparison.rows:
        d = row.difference
        interval = "" if d.low is None else f"{d.low:.3g} to {d.high:.3g}"
        figures.add_row(row.name, *(_number(r.value) for r in (row.first, row.second, d)), interval)
    return [settings, figures] if comparison.settings else [figures]


def _row(name: str, frames: list[pl.DataFrame], common: pl.DataFrame | None) -> Row:
    if common is not None:
        both = common.select(a=name, b=f"{name}|second").drop_nulls()
        first, second = (mean_result(name, both[side].to_list(), "") for side in ("a", "b"))
        return Row(name, first, second, mean_result(name, (both["b"] - both["a"]).to_list(), ""))
    first, second = (mean_result(name, frame[name].drop_nulls().to_list(), "") for frame in frames)
    return Row(name, first, second, _welch(name, first, second))


def _welch(name: str, first: MetricResult, second: MetricResult) -> MetricResult:
    """Returns the difference of two independent means with a t interval.

    Source: Welch 1947, Biometrika 34, 28-35; degrees of freedom by Satterthwaite 1946.
    """
    if first.value is None or second.value is None or first.se is None or second.se is None:
        return MetricResult(name, None, "", 0, reason="one of the runs has too few rollouts")
    value, parts = second.value - first.value, (first.se**2, second.se**2)
    se = math.sqrt(sum(parts))
    weights = sum(part**2 / (run.n - 1) for part, run in zip(parts, (first, second), strict=True))
    half = float(stdtrit(sum(parts) ** 2 / weights, 0.975)) * se if weights else 0.0
    n = min(first.n, second.n)
    return MetricResult(name, value, "", n, se, value - half, value + half, "Welch, t interval")


def _numeric(run: Run) -> pl.DataFrame:
    frame = run.rollouts()
    keep = [name for name, kind in frame.schema.items() if kind.is_numeric() or kind == pl.Boolean]
    frame = frame.select(pl.col("rollout"), *(pl.col(name).cast(pl.Float64) for name in keep if name != "rollout"))
    for name, values in provenance_by_rollout(run).items():
        column = pl.DataFrame(
            {"rollout": list(values), name: list(values.values())}, schema={"rollout": pl.Int64, name: pl.Float64}
        )
        frame = frame if name in frame.columns else frame.join(column, "rollout", "left")
    return frame


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in items:
        flat |= _flat(item, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _differences(first: dict[str, Any], second: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    paths = list(dict.fromkeys([*first, *second]))
    return {path: (first.get(path), second.get(path)) for path in paths if first.get(path) != second.get(path)}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"

"""Figures of what came out and what it cost: metrics with intervals, accuracy against calls, the cost panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tidings.analysis.canvas import BLUE, COLOURS, GREEN, GREY, INK, ORANGE, TITLE, canvas, plain
from tidings.core import DataError
from tidings.metrics.result import MetricResult

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["accuracy_calls", "cost", "welfare"]

_SEATS = 24


def welfare(run: Run, others: Mapping[str, Run] | None = None, metric: str = "welfare") -> Figure:
    """Returns welfare with its 95 % interval, beside the rational twin and any other runs; 0 is best.

    Args:
        run: A run with this metric.
        others: Name -> another run of the same kind, for one line each.
        metric: Any metric that gives one figure of this name.

    Raises:
        DataError: If the metric has no value here.
    """
    own = _value(run, metric)
    lines = [("this run", own, BLUE)]
    twin = next((r for r in run.twin_results() if r.name == metric and r.value is not None), None)
    lines += [("rational twin", twin, ORANGE)] if twin else []
    lines += [(name, _value(other, metric), GREEN) for name, other in (others or {}).items()]
    figure, axes = canvas(6.4, 0.9 + 0.36 * len(lines))
    for place, (_, result, colour) in enumerate(lines):
        if result.low is not None and result.high is not None:
            axes.plot([result.low, result.high], [place, place], "-", lw=2, color=colour)
        axes.plot([result.value or 0.0], [place], "o", ms=6, color=colour)
    axes.set_yticks(range(len(lines)), [f"{name} (n = {result.n:,})" for name, result, _ in lines])
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_xlabel(f"{metric}: {own.unit}")
    axes.grid(axis="x", color=GREY, alpha=0.25, lw=0.6)
    axes.set_title(f"{metric} with 95 % intervals", **TITLE)
    return figure


def accuracy_calls(run: Run, others: Mapping[str, Run] | None = None, metric: str | None = None) -> Figure:
    """Returns a metric against the model calls it took for each rollout, one point a run, with 95 % intervals.

    Both are over the rollouts that ended well: calls of failed and unfinished ones are not counted.

    Args:
        run: The first point.
        others: Name -> further runs.
        metric: Which metric; the first that the run names by default.

    Raises:
        DataError: If the metric has no value in one of them.
    """
    runs = {run.path.name: run, **(others or {})}
    name = metric or next((r.name for r in run.metric_results(failed="drop") if r.value is not None), "")
    figure, axes = canvas(5.6, 3.6)
    counts = []
    for i, (label, each) in enumerate(runs.items()):
        result = _value(each, name)
        ended = each.rollouts().select("rollout")  # whose figures these are; other rollouts asked models too
        n_calls = len(each.calls().join(ended, on="rollout", how="semi")) / len(ended)
        counts.append(n_calls)
        colour, marker = COLOURS[i % len(COLOURS)], "osD^vPX"[i % 7]
        assert result.value is not None
        if result.low is not None and result.high is not None:
            axes.plot([n_calls, n_calls], [result.low, result.high], "-", lw=1.5, color=colour)
        axes.plot([n_calls], [result.value], marker, ms=7, color=colour, label=label)
    if min(counts) > 0 and max(counts) > 20 * min(counts):
        axes.set_xscale("log")
    axes.set(xlabel="model calls for each rollout", ylabel=name)
    axes.set_title(f"{name} against calls, 95 % intervals", **TITLE)
    axes.legend(frameon=False, fontsize=8)
    return figure


def cost(run: Run) -> Figure:
    """Returns tokens by seat, latency of calls, and calls over time.

    Raises:
        DataError: If no model was asked.
    """
    calls = run.calls()
    if calls.is_empty():
        raise DataError(str(run.path), "no model was asked", "runs with language models")
    figure = Figure(figsize=(7.2, 2.8), layout="constrained")
    tokens, latency, time = figure.subplots(1, 3)
    plain((tokens, latency, time))
    _tokens(tokens, calls)
    answered = calls.filter(pl.col("status") == "answered")["latency_s"].to_numpy()
    if len(answered):
        unit, factor = ("ms", 1000.0) if answered.max() < 0.1 else ("s", 1.0)
        latency.hist(answered * factor, bins=min(30, len(answered)), color=BLUE)
        latency.set(xlabel=f"latency of a call, {unit}", ylabel="calls")
        latency.xaxis.set_major_locator(MaxNLocator(nbins=4))
    latency.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    started = np.sort(calls["started"].to_numpy())
    time.step(started - started[0], np.arange(1, len(started) + 1), where="post", color=INK, lw=1.4)
    time.set(xlabel="time since the first, s", ylabel="calls begun")
    time.xaxis.set_major_locator(MaxNLocator(nbins=4))
    time.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    return figure


def _tokens(axes: Axes, calls: pl.DataFrame) -> None:
    """Draws tokens by seat; of more than 24 seats the others together."""
    by_seat = calls.group_by("seat").agg(pl.col("tokens_in").sum(), pl.col("tokens_out").sum())
    by_seat = by_seat.sort(pl.col("tokens_in") + pl.col("tokens_out"), "seat", descending=[True, False])
    rows = [(str(seat)[:12], n_in, n_out) for seat, n_in, n_out in by_seat.iter_rows()]
    if len(rows) > _SEATS:
        rest = rows[_SEATS - 1 :]
        rows = [*rows[: _SEATS - 1], (f"{len(rest)} others", sum(r[1] for r in rest), sum(r[2] for r in rest))]
    places = np.arange(len(rows))
    n_in, n_out = (np.array([row[i] for row in rows], dtype=float) for i in (1, 2))
    axes.barh(places, n_in, color=BLUE, label="prompt")
    axes.barh(places, n_out, left=n_in, color=ORANGE, label="answer")
    axes.set_yticks(places, [row[0] for row in rows], fontsize=8 if len(rows) < 12 else 5)
    axes.invert_yaxis()
    axes.set_xlabel("tokens")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.legend(frameon=False, fontsize=7, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))


def _value(run: Run, metric: str) -> MetricResult:
    results = [r for r in run.metric_results(failed="drop") if r.name == metric and r.value is not None]
    if not results:
        raise DataError(str(run.path), f"no value of {metric!r}", "a metric of the run that has one")
    return results[0]

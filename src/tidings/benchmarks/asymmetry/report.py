"""The figures of a set: intervals over questions, paired tests against the full system, gain and gap closed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidings.benchmarks.asymmetry.plays import Played, play_set
from tidings.benchmarks.asymmetry.rows import BarrierCount, PlayedRow, scan_play, score_rows
from tidings.benchmarks.asymmetry.suite import SetPlan, SymbolicRow
from tidings.benchmarks.statistics import Interval, bootstrap_mean, gap_closed, holm, score_interval, sign_flip_test

__all__ = ["ReportRow", "SetReport", "report_set"]


@dataclass(frozen=True)
class ReportRow:
    """One line of a table.

    Attributes:
        name: Of the row.
        about: What it is.
        interval: Mean over questions of the mean over seeds, with its 95 % bootstrap interval; None without a score.
        zero_mean: The mean with every missing answer counted as 0; NaN without any.
        difference: This row less the full one over the questions both have; None for the full row itself.
        p: Of the paired test against the full row; NaN where there is none.
        p_holm: Adjusted for all tests of the table.
        played: Scores and cost; None for a symbolic row.
    """

    name: str
    about: str
    interval: Interval | None
    zero_mean: float
    difference: Interval | None
    p: float
    p_holm: float
    played: PlayedRow | None


@dataclass(frozen=True)
class SetReport:
    """Everything a table says about a set.

    Attributes:
        plan: What was planned.
        rows: Played rows, then symbolic ones.
        gain: Full system less the row without communication, paired; None where one has no score.
        gap_closed: Share of the way from floor to ceiling; NaN below a distance of 0.05 or without a score.
        barrier: Play -> what the scan of its prompts found; only plays that asked a model.
        plays: The run folders.
    """

    plan: SetPlan
    rows: tuple[ReportRow, ...]
    gain: Interval | None
    gap_closed: float
    barrier: dict[str, BarrierCount]
    plays: tuple[Played, ...]

    def row(self, name: str) -> ReportRow:
        """Returns a row by its name."""
        return next(row for row in self.rows if row.name == name)

    def mean(self, name: str) -> float:
        """Returns the score of a row; NaN if it has none."""
        interval = self.row(name).interval
        return math.nan if interval is None else interval.mean

    @property
    def n_failed(self) -> int:
        """Answers that are missing, over all rows."""
        return sum(row.played.n_failed for row in self.rows if row.played is not None)


def report_set(plan: SetPlan, suite: str, folder: Path) -> SetReport:
    """Plays what is missing of a set, scores it and returns its figures.

    Args:
        plan: The set.
        suite: Name of the suite.
        folder: Folder of the suite.

    Raises:
        RequestError: If a scenario is wrong.
    """
    played = play_set(plan, suite, folder)
    rows = score_rows(plan, played)
    scores = {row.spec.name: row.scores for row in rows}
    scores |= {row.name: _column(plan, row) for row in plan.symbolic}
    full = scores[plan.full]
    others = [row.spec.name for row in rows if row.spec.name != plan.full]
    p_values = {name: _p_value(plan, scores[name], full) for name in others}
    tested = [name for name, p in p_values.items() if not math.isnan(p)]
    adjusted = dict(zip(tested, holm([p_values[name] for name in tested]), strict=True))

    def line(name: str, about: str, row: PlayedRow | None) -> ReportRow:
        difference = None if name == plan.full else _difference(plan, scores[name], full)
        p, p_holm = p_values.get(name, math.nan), adjusted.get(name, math.nan)
        return ReportRow(
            name, about, _interval(plan, scores[name]), _zero_mean(scores[name]), difference, p, p_holm, row
        )

    lines = [line(row.spec.name, row.spec.about, row) for row in rows]
    lines += [line(row.name, row.about, None) for row in plan.symbolic]
    means = {row.name: math.nan if row.interval is None else row.interval.mean for row in lines}
    barrier = {play.name: scan for play in played if (scan := scan_play(play.folder)).n_prompts}
    return SetReport(
        plan,
        tuple(lines),
        _difference(plan, full, scores[plan.floor]),
        _gap(means[plan.full], means[plan.floor], means[plan.ceiling]),
        barrier,
        tuple(played),
    )


def question_means(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the mean over the seeds that have an answer, `[n_questions]`; NaN for a question without any."""
    has = ~np.isnan(scores)
    n = has.sum(axis=1)
    return np.where(n > 0, np.where(has, scores, 0.0).sum(axis=1) / np.maximum(n, 1), math.nan)


def _column(plan: SetPlan, row: SymbolicRow) -> NDArray[np.float64]:
    return np.array([[row.values.get(question, math.nan)] for question in plan.ids], dtype=float)


def _interval(plan: SetPlan, scores: NDArray[np.float64]) -> Interval | None:
    means = question_means(scores)
    has = ~np.isnan(means)
    return score_interval(means[has], _kept(plan.groups, has)) if has.any() else None


def _zero_mean(scores: NDArray[np.float64]) -> float:
    return float(np.nan_to_num(scores, nan=0.0).mean()) if scores.size else math.nan


def _difference(plan: SetPlan, first: NDArray[np.float64], second: NDArray[np.float64]) -> Interval | None:
    differences = question_means(first) - question_means(second)
    has = ~np.isnan(differences)
    return bootstrap_mean(differences[has], _kept(plan.groups, has)) if has.any() else None


def _p_value(plan: SetPlan, first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    means = question_means(first), question_means(second)
    has = ~np.isnan(means[0]) & ~np.isnan(means[1])
    return sign_flip_test(means[0][has], means[1][has], _kept(plan.groups, has)) if has.any() else math.nan


def _kept(groups: Sequence[str], has: NDArray[np.bool_]) -> list[str]:
    return [group for group, kept in zip(groups, has.tolist(), strict=True) if kept]


def _gap(full: float, floor: float, ceiling: float) -> float:
    return math.nan if any(map(math.isnan, (full, floor, ceiling))) else gap_closed(full, floor, ceiling)


def interval_json(interval: Interval | None) -> dict[str, Any] | None:
    """Returns an interval as JSON values; an undefined end is null."""
    if interval is None:
        return None
    return {name: None if value != value else value for name, value in interval._asdict().items()}

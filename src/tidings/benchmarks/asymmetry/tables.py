"""The figures of a suite as Markdown and as JSON."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tidings.benchmarks.asymmetry.failures import FAILURES_FILE, write_failures
from tidings.benchmarks.asymmetry.judge import JudgedSet, judge_words
from tidings.benchmarks.asymmetry.plays import estimate_words
from tidings.benchmarks.asymmetry.report import ReportRow, SetReport, interval_json, report_set
from tidings.benchmarks.asymmetry.rows import PlayedRow
from tidings.benchmarks.asymmetry.suite import FEWEST_QUESTIONS, FEWEST_SEEDS, SetPlan
from tidings.benchmarks.statistics import Interval
from tidings.metrics.result import json_value

__all__ = ["AsymmetryReport", "run_plans"]

_LEGEND = (
    "A question's score is its mean over seeds; intervals are 95 % bootstrap intervals over questions (10,000 draws, "
    "questions that share facts drawn together), or Wilson's where every score is 0 or every one 1. A missing answer "
    "enters no score: its number stands under `missing`, and `as 0` is the mean with every missing answer counted as "
    "0. `vs full` is the paired difference from the full system; p is that of a two-sided sign-flip test, "
    "Holm-adjusted over the table. `-`: not defined. Cost is per question and seed; seconds are those in which at "
    "least one of its calls was in flight."
)


@dataclass(frozen=True)
class AsymmetryReport:
    """The scores of a suite.

    Attributes:
        name: Name of the suite.
        folder: Where it was played.
        notes: What a reader must know, one sentence each.
        sets: One report a set.
        judged: What a judge says of the sets whose answers are words; empty without a judge.
    """

    name: str
    folder: Path
    notes: tuple[str, ...]
    sets: tuple[SetReport, ...]
    judged: tuple[JudgedSet, ...] = ()

    @property
    def n_failed(self) -> int:
        """Answers that are missing, over all rows of all sets."""
        return sum(part.n_failed for part in self.sets)

    def text(self) -> str:
        """Returns the tables as Markdown; the distance from floor to ceiling comes first."""
        parts = [f"# {self.name}", *map(_distance_words, self.sets), *self.notes, _LEGEND]
        for part in self.sets:
            parts += [f"## {part.plan.name}", _about(part.plan), _score_table(part), _gain_words(part)]
            parts += [_cost_table(part)] if any(row.played for row in part.rows) else []
            parts += [_extra_table(part)] if _has_extra(part) else []
            parts += [judge_words(judged) for judged in self.judged if judged.name == part.plan.name]
            parts += [_barrier_words(part), _failure_words(part), _folder_words(part, self.folder)]
        return "\n\n".join(words for words in parts if words) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Returns the scores as JSON values; undefined numbers are null."""
        sets = [json_value(_set_json(part)) for part in self.sets]
        judged = {"judge": json_value([asdict(part) for part in self.judged])} if self.judged else {}
        return {"suite": self.name, "n_failed": self.n_failed, "notes": list(self.notes), "sets": sets, **judged}


def run_plans(
    name: str, plans: Sequence[SetPlan], folder: Path, notes: Iterable[str] = (), *, announce: bool = False
) -> AsymmetryReport:
    """Plays what is missing of all sets, scores them, keeps the transcripts of failures and returns the report.

    Args:
        name: Name of the suite.
        plans: Its sets.
        folder: Folder of the suite.
        notes: What a reader must know.
        announce: Whether to say on standard error, before anything is played, what it will ask of models.

    Raises:
        RequestError: If a scenario is wrong.
    """
    if announce:
        sys.stderr.write(f"{name}: counting what models will be asked, without asking; at full size it takes minutes\n")
        sys.stderr.write(f"{name}: {estimate_words(plans, name, folder)}\n")
    sets = tuple(report_set(plan, name, folder) for plan in plans)
    write_failures(sets, folder)
    return AsymmetryReport(name, folder, (*notes, *_size_notes(plans)), sets)


def _size_notes(plans: Sequence[SetPlan]) -> Iterable[str]:
    n_seeds, n_items = min(plan.n_seeds for plan in plans), min(len(plan.items) for plan in plans)
    if n_seeds < FEWEST_SEEDS or n_items < FEWEST_QUESTIONS:
        yield (
            f"For a look, not for claims: {n_items} question{'s' * (n_items != 1)} and {n_seeds} "
            f"seed{'s' * (n_seeds != 1)}; "
            f"claims need {FEWEST_QUESTIONS} and {FEWEST_SEEDS} (`--full` takes them where the data have as many)."
        )


def _distance_words(part: SetReport) -> str:
    plan = part.plan
    low, high = part.mean(plan.floor), part.mean(plan.ceiling)
    words = f"**{plan.name}**: floor {_number(low)} ({plan.floor}), ceiling {_number(high)} ({plan.ceiling})"
    if math.isnan(high - low):
        return f"{words}: the distance is not known."
    words = f"{words}: distance {high - low:.3f}"
    if plan.fresh is None:
        return f"{words}, {_closing(high - low)}."
    who, fresh = plan.fresh.best()
    words += f" on {len(plan.items)} questions; on {plan.fresh.n:,} fresh ones floor {fresh:.3f} ({who}), distance "
    return f"{words}{high - fresh:.3f}: {_closing(high - fresh)}."


def _closing(distance: float) -> str:
    return "this is all the suite can show" if distance >= 0.05 else "too little to show anything"


def _about(plan: SetPlan) -> str:
    words = {
        "score": plan.measure,
        "questions": f"{len(plan.items)} in {len(set(plan.groups))} groups",
        "seeds": f"{plan.n_seeds} from {plan.seed}",
        **plan.about,
    }
    return "\n".join(f"- {name}: {value}" for name, value in words.items())


def _score_table(part: SetReport) -> str:
    rows = []
    for row in part.rows:
        interval = row.interval
        cells = [_bold(row.name, row.name == part.plan.full), _words(interval), _number(row.zero_mean)]
        cells += [_words(row.difference, is_signed=True), _p(row.p_holm)]
        cells += [str(interval.n_questions) if interval else "0", _missing(row.played), row.about]
        rows.append(cells)
    headings = ["row", "score", "as 0", "vs full", "p (Holm)", "questions", "missing", "what it is"]
    return _markdown(headings, rows)


def _missing(row: PlayedRow | None) -> str:
    if row is None:
        return "-"
    words = [f"{row.n_failed} of {row.scores.size}"]
    words += [f"{count} x {failure}" for failure, count in row.failures.items()]
    if row.n_partly_failed[0]:
        words.append(f"{row.n_partly_failed[1]} single answers in {row.n_partly_failed[0]} scored rollouts")
    return "; ".join(words)


def _gain_words(part: SetReport) -> str:
    closed = "not defined" if math.isnan(part.gap_closed) else f"{part.gap_closed:.3f}"
    return (
        f"Gain ({part.plan.full} less {part.plan.floor}, paired): {_words(part.gain, is_signed=True)}. "
        f"Gap closed: {closed}."
    )


def _cost_table(part: SetReport) -> str:
    rows = []
    for row in part.rows:
        if row.played is None:
            continue
        cost = row.played.cost
        figures = (cost.calls, cost.turns, cost.failed_turns, cost.tokens_in, cost.tokens_out, cost.n_scanned)
        stops = "; ".join(f"{count} x {stop}" for stop, count in row.played.stops.items())
        seconds = _number(cost.seconds)
        rows.append([row.name, *(_figure(x) for x in figures), seconds, stops or "-"])
    headings = [
        "row",
        "calls",
        "turns",
        "failed turns",
        "tokens in",
        "tokens out",
        "messages scanned",
        "seconds",
        "stopped by",
    ]
    return _markdown(headings, rows)


def _has_extra(part: SetReport) -> bool:
    return any(row.played and row.played.extra for row in part.rows)


def _extra_table(part: SetReport) -> str:
    rows = [
        [row.name, name, _number(right), _number(wrong)]
        for row in part.rows
        if row.played
        for name, (right, wrong) in row.played.extra.items()
    ]
    return _markdown(["row", "figure", "score above 0.5", "other scores"], rows)


def _barrier_words(part: SetReport) -> str:
    if not part.barrier:
        return ""
    n_leaks = sum(len(scan.leaks) for scan in part.barrier.values())
    n_prompts = sum(scan.n_prompts for scan in part.barrier.values())
    n_looks = sum(scan.n_looks for scan in part.barrier.values())
    words = (
        f"Barrier: {n_prompts} recorded prompts searched for facts that their seat neither owns nor was told "
        f"({n_looks} looks): {n_leaks} leaks."
    )
    if not n_leaks:
        return words
    name, scan = next((name, scan) for name, scan in part.barrier.items() if scan.leaks)
    leak = scan.leaks[0]
    where = f"{name}, rollout {leak.rollout}, step {leak.step}, seat {leak.seat}, fact {leak.fact}"
    return f"**{words} These scores are void.** The first: {where}."


def _failure_words(part: SetReport) -> str:
    n = sum(len(row.played.failed_rollouts) for row in part.rows if row.played)
    return f"Transcripts of the rollouts in which an answer failed: [{FAILURES_FILE}]({FAILURES_FILE})" if n else ""


def _folder_words(part: SetReport, folder: Path) -> str:
    links = ", ".join(f"[{play.name}]({play.folder.relative_to(folder)})" for play in part.plays)
    stopped = [play.name for play in part.plays if play.status != "done"]
    words = f"Run folders: {links}." if links else ""
    return words + (f" Stopped at a cap: {', '.join(stopped)}." if stopped else "")


def _set_json(part: SetReport) -> dict[str, Any]:
    plan = part.plan
    return {
        "set": plan.name,
        "measure": plan.measure,
        "about": dict(plan.about),
        "n_questions": len(plan.items),
        "n_seeds": plan.n_seeds,
        "seed": plan.seed,
        "floor": {"row": plan.floor, "score": part.mean(plan.floor)},
        "ceiling": {"row": plan.ceiling, "score": part.mean(plan.ceiling)},
        "distance": part.mean(plan.ceiling) - part.mean(plan.floor),
        "fresh_floors": None if plan.fresh is None else {**plan.fresh.means, "n": plan.fresh.n},
        "full": plan.full,
        "gain": interval_json(part.gain),
        "gap_closed": part.gap_closed,
        "rows": [_row_json(row) for row in part.rows],
        "barrier": {
            name: {"n_prompts": scan.n_prompts, "n_looks": scan.n_looks, "leaks": [x._asdict() for x in scan.leaks]}
            for name, scan in part.barrier.items()
        },
        "runs": {play.name: {"folder": str(play.folder), "status": play.status} for play in part.plays},
    }


def _row_json(row: ReportRow) -> dict[str, Any]:
    values: dict[str, Any] = {
        "row": row.name,
        "score": interval_json(row.interval),
        "failed_as_zero": row.zero_mean,
        "difference": interval_json(row.difference),
        "p": row.p,
        "p_holm": row.p_holm,
    }
    if (played := row.played) is not None:
        values |= {
            "play": played.played.name,
            "n_rollouts": played.scores.size,
            "n_failed": played.n_failed,
            "failures": dict(played.failures),
            "partly_failed": {"rollouts": played.n_partly_failed[0], "answers": played.n_partly_failed[1]},
            "stops": dict(played.stops),
            "cost": asdict(played.cost),
            "extra": {name: list(pair) for name, pair in played.extra.items()},
            "scores": played.scores.tolist(),
        }
    return values


def _markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _words(interval: Interval | None, *, is_signed: bool = False) -> str:
    if interval is None:
        return "-"
    sign = "+" if is_signed else ""
    value = f"{interval.mean:{sign}.3f}"
    return value if math.isnan(interval.low) else f"{value} [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _p(value: float) -> str:
    return "-" if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _bold(text: str, is_bold: bool) -> str:
    return f"**{text}**" if is_bold else text

"""Reading plays: the score of every rollout, what it cost, and whether a prompt held what its seat could not know."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tidings.benchmarks.asymmetry.archive_barrier import ArchiveTexts
from tidings.benchmarks.asymmetry.plays import Played
from tidings.benchmarks.asymmetry.suite import Item, RolloutScore, RowSpec, SetPlan
from tidings.core import Event
from tidings.log.calls import CallRecord, CallStore
from tidings.log.reader import read_rollouts
from tidings.log.store import ENDED
from tidings.metrics.prompt_barrier import PromptLeak, scan_prompts
from tidings.runner.folder import RunFolder
from tidings.simulation.compile import build_environment
from tidings.spec.io import read_scenario

__all__ = ["BarrierCount", "Cost", "PlayedRow", "scan_play", "score_rows", "seconds_busy"]


@dataclass(frozen=True)
class Cost:
    """What one question costs in a row, as means over those whose rollouts ended; NaN without any.

    Attributes:
        calls: Model calls.
        tokens_in: Prompt tokens.
        tokens_out: Answer tokens.
        seconds: Time in which at least one of its calls was in flight.
        turns: Turns asked for, failed ones included.
        failed_turns: Of these, turns in which the seat gave nothing usable.
        n_scanned: Messages that memory looked through; NaN where none is searched.
    """

    calls: float
    tokens_in: float
    tokens_out: float
    seconds: float
    turns: float
    failed_turns: float
    n_scanned: float


@dataclass(frozen=True)
class PlayedRow:
    """All scores of one row.

    Attributes:
        spec: What the row is.
        played: Where it was played.
        scores: `[n_questions, n_seeds]`; NaN where there is no answer.
        failures: Why answers are missing -> how often.
        n_partly_failed: Rollouts with a score in which some answers failed, and how many answers.
        stops: Why talks ended -> how often.
        cost: Per question.
        extra: Figure -> (mean over the better half of the scores, mean over the others); see `extra_by_score`.
        failed_rollouts: Numbers of the rollouts without an answer, or with failed ones among them.
    """

    spec: RowSpec
    played: Played
    scores: NDArray[np.float64]
    failures: Mapping[str, int]
    n_partly_failed: tuple[int, int]
    stops: Mapping[str, int]
    cost: Cost
    extra: Mapping[str, tuple[float, float]]
    failed_rollouts: tuple[int, ...]

    @property
    def n_failed(self) -> int:
        """Rollouts without an answer."""
        return int(np.isnan(self.scores).sum())


@dataclass(frozen=True)
class BarrierCount:
    """What a scan of all recorded prompts of a play found.

    Attributes:
        leaks: Prompts that held the text of a fact which their seat neither owned nor was told.
        n_prompts: Prompts read.
        n_looks: Texts looked for in them.
    """

    leaks: tuple[PromptLeak, ...]
    n_prompts: int
    n_looks: int


class _Call:
    """The parts of a recorded call that a cost needs."""

    __slots__ = ("end", "seat", "start", "step", "tokens_in", "tokens_out")

    def __init__(self, record: CallRecord) -> None:
        self.step, self.seat = record.request.key.step, record.request.key.seat
        self.tokens_in, self.tokens_out = record.tokens_in, record.tokens_out
        self.start, self.end = record.started, record.started + record.latency_s


def score_rows(plan: SetPlan, played: Iterable[Played]) -> list[PlayedRow]:
    """Returns the scores of all played rows of a set, in the plan's order.

    A rollout that never ended (a cap stopped the run) counts as `budget`, one that ended as failed by its failure.
    """
    found: dict[str, PlayedRow] = {}
    for play in played:  # one after another: the events of a play fit into memory, those of all may not
        calls, ended = _calls(play.folder), _ended(play.folder)
        found |= {spec.name: _score_row(plan, spec, play, ended, calls) for spec in plan.rows if spec.play == play.name}
    return [found[spec.name] for spec in plan.rows]


def scan_play(folder: Path) -> BarrierCount:
    """Returns what the scan of all recorded prompts of a run finds; all lines of an archive are looked for, too."""
    run = RunFolder.open(folder)
    archive = _archive_texts(run)
    by_rollout: dict[int, list[CallRecord]] = defaultdict(list)
    for record in CallStore(run.calls).records():
        by_rollout[record.request.key.rollout].append(record)
    leaks: list[PromptLeak] = []
    n_prompts = n_looks = 0
    for rollout, lines in read_rollouts(run.events):
        records = sorted(by_rollout.get(rollout, ()), key=lambda record: record.request.key)
        asked = [(record.request, record.response.text if record.response else "") for record in records]
        events = [line.event() for line in lines]
        if archive is not None:
            requests = [request for request, _ in asked]
            events += archive.declare(requests, [event for event in events if event.kind == "fact_declared"])
            n_looks += sum(archive.n_unknown(request.key.seat) for request in requests)
        scan = scan_prompts(events, asked)
        leaks += scan.leaks
        n_prompts, n_looks = n_prompts + scan.n_prompts, n_looks + scan.n_looks
    return BarrierCount(tuple(leaks), n_prompts, n_looks)


def _archive_texts(run: RunFolder) -> ArchiveTexts | None:
    """Returns the lines of the run's archive as its seats read them; None if it has none."""
    scenario = read_scenario(run.scenario)
    if scenario.environment.archive is None:
        return None
    environment: Any = build_environment(scenario)
    reads_all = [seat for seat in environment.seats if environment.reads_archive(seat) == "all"]
    return ArchiveTexts(environment.archive, reads_all)


def seconds_busy(spans: Iterable[tuple[float, float]]) -> float:
    """Returns the total length of the union of (start, end) spans."""
    total, reached = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def extra_by_score(scores: Sequence[RolloutScore]) -> dict[str, tuple[float, float]]:
    """Returns each extra figure as (mean where the score is above one half, mean where it is not); NaN without any."""
    names = dict.fromkeys(name for score in scores for name in score.extra)
    found: dict[str, tuple[float, float]] = {}
    for name in names:
        pairs = [(score.value > 0.5, score.extra[name]) for score in scores if name in score.extra]
        right, wrong = ([value for good, value in pairs if good is side] for side in (True, False))
        found[name] = (_mean(right), _mean(wrong))
    return found


def _score_row(
    plan: SetPlan,
    spec: RowSpec,
    played: Played,
    ended: Mapping[int, tuple[str, list[Event]]],
    calls: Mapping[int, list[_Call]],
) -> PlayedRow:
    n, repeats = len(plan.items), next(play.repeats for play in plan.plays if play.name == spec.play)
    scores = np.full((n, plan.n_seeds), math.nan)
    results: list[RolloutScore] = []
    used: list[_Use] = []
    failed: list[int] = []
    for question, seed in ((q, s) for s in range(plan.n_seeds) for q in range(n)):
        rollouts = [question + n * (seed * repeats + j) for j in range(repeats)]
        parts = [ended.get(rollout, ("budget", [])) for rollout in rollouts]
        result = _score_parts(plan.items[question], spec, parts)
        scores[question, seed] = result.value
        results.append(result)
        if all(rollout in ended for rollout in rollouts):  # one that a cap cut off does not show what it costs
            use = [_use(result, events, calls.get(r, ())) for r, (_, events) in zip(rollouts, parts, strict=True)]
            used.append(_sum_of(use, 1 if spec.combine else repeats))
        failed += rollouts if math.isnan(result.value) or result.n_failed else []
    scored = [result for result in results if not math.isnan(result.value)]
    partly = [result.n_failed for result in scored if result.n_failed]
    return PlayedRow(
        spec,
        played,
        scores,
        dict(Counter(result.failure for result in results if math.isnan(result.value)).most_common()),
        (len(partly), sum(partly)),
        dict(Counter(result.stop for result in results if result.stop).most_common()),
        _cost(used, [result.n_scanned for result in results]),
        extra_by_score(scored),
        tuple(sorted(failed)),
    )


def _score_parts(item: Item, spec: RowSpec, parts: Sequence[tuple[str, list[Event]]]) -> RolloutScore:
    """Returns the score of one question and seed: that of its rollout, or of its repeats."""
    well = [events for status, events in parts if status == "ok"]
    if not well:
        return RolloutScore.failed(parts[0][0])
    if spec.combine is not None:
        result = spec.combine(item, well)
    else:
        scores = [spec.score(item, events) for events in well]
        valid = [score for score in scores if not math.isnan(score.value)]
        result = valid[0] if valid else scores[0]
        if len(valid) > 1:
            result = replace(result, value=_mean([score.value for score in valid]), extra={})
        if len(parts) == 1:
            return result
    n_missing = len(parts) - len(well)
    return replace(result, n_failed=result.n_failed + n_missing)


class _Use(NamedTuple):
    """What one question used, or the mean use of a repeat."""

    calls: float
    tokens_in: float
    tokens_out: float
    seconds: float
    turns: float
    failed_turns: float


def _use(result: RolloutScore, events: Sequence[Event], calls: Sequence[_Call]) -> _Use:
    def pays(seat: str | None, step: int) -> bool:
        is_early = result.last_step is None or step <= result.last_step
        return is_early and (result.seats is None or seat in result.seats)

    kinds = [e.kind for e in events if pays(e.seat, e.step)]
    own = [call for call in calls if pays(call.seat, call.step)]
    n_failed = kinds.count("failure")
    return _Use(
        len(own),
        sum(call.tokens_in for call in own),
        sum(call.tokens_out for call in own),
        seconds_busy((call.start, call.end) for call in own),
        kinds.count("reply") + n_failed,
        n_failed,
    )


def _sum_of(uses: Sequence[_Use], share: int) -> _Use:
    return _Use(*(math.fsum(values) / share for values in zip(*uses, strict=True)))


def _cost(uses: Sequence[_Use], scanned: Sequence[int | None]) -> Cost:
    means = {name: _mean([getattr(use, name) for use in uses]) for name in _Use._fields}
    return Cost(**means, n_scanned=_mean([n for n in scanned if n is not None]))


def _ended(folder: Path) -> dict[int, tuple[str, list[Event]]]:
    """Returns rollout -> (`ok` or its first failure, events) of every rollout that ended."""
    found: dict[int, tuple[str, list[Event]]] = {}
    for rollout, lines in read_rollouts(RunFolder.open(folder).events):
        if lines[-1].kind != ENDED:
            continue
        events = [line.event() for line in lines]
        status = "ok"
        if lines[-1].data["status"] != "ok":
            failures = [e.data for e in events if e.kind == "failure"]
            status = f"{failures[0]['boundary']}/{failures[0]['error']}" if failures else "failed"
        found[rollout] = (status, events)
    return found


def _calls(folder: Path) -> dict[int, list[_Call]]:
    found: dict[int, list[_Call]] = defaultdict(list)
    for record in CallStore(RunFolder.open(folder).calls).records():
        found[record.request.key.rollout].append(_Call(record))
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan

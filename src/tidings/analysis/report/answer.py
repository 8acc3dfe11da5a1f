"""The first screen of a report: what was asked, what came out, and what else was possible."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from tidings.analysis.controls import Control
from tidings.analysis.paired import paired_difference, values_by_rollout
from tidings.analysis.report.kinds import Kind, kind_of
from tidings.analysis.report.markup import Markup, Part, el, number
from tidings.analysis.words import plural
from tidings.metrics.result import MetricResult, mean_result
from tidings.runner.twin import why_no_twin

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["answer", "opening"]

_STATES = {
    "done": "finished",
    "running": "still running: everything below is of the rollouts that have ended so far",
    "interrupted": "interrupted: everything below is of the rollouts that had ended by then",
    "limit": "stopped at a limit: everything below is of the rollouts that had ended by then",
    "broken": "broke off: everything below is of the rollouts that had ended by then",
    "unknown": "whether it is finished is not known: its folder holds no status.json",
}


class _Line(NamedTuple):
    name: str
    words: str
    result: MetricResult
    difference: MetricResult | None
    is_own: bool = False


def opening(run: Run) -> Markup:
    """Returns the heading: name, description, and how the run stands."""
    status, scenario = run.status, run.scenario
    state = str(status.get("status", "unknown"))
    n_failed = int(status.get("failed") or 0)
    n_done, n = int(status.get("done") or 0), int(status.get("rollouts") or scenario.rollouts.count)
    words = f"{n_done:,} of {plural(n, 'rollout')} ended; {_STATES.get(state, state)}."
    message = f" {status['message']}." if status.get("message") and state not in ("done", "running") else ""
    hint = f" Go on with: tidings resume {run.path}" if state in ("interrupted", "limit", "broken") else ""
    failed = el("strong", f" {n_failed:,} of them failed: ", el("a", "see failures", href="#failures"), ".")
    seats = len(run.social_graph())
    about = f"{scenario.environment.kind} · {seats:,} agents"
    about += f" · planner {scenario.planner.kind}" if scenario.planner.kind != "none" else ""
    return el(
        "header",
        el("p", f"{about} · seed {scenario.rollouts.seed}", class_="eyebrow"),
        el("h1", scenario.name),
        el("p", scenario.description) if scenario.description else None,
        el(
            "p",
            words + message + hint,
            failed if n_failed else None,
            class_="status" if state == "done" and not n_failed else "status warning",
        ),
    )


def answer(run: Run, against: tuple[Run, ...] = ()) -> Markup:
    """Returns the question and the answer: the key metric with its interval, beside twin, controls and other runs."""
    kind = kind_of(run.scenario.environment.kind)
    results = run.metric_results()
    n_failed = int(run.status.get("failed") or 0)
    dropped = run.metric_results(failed="drop") if n_failed else results
    key = next((r for r in results if r.name == kind.key), results[0] if results else None)
    question = el("h2", kind.question, id="answer")
    if key is None and kind.key:
        key = next((r for r in run.metric_results(kind.key) if r.value is not None), None)
        dropped = run.metric_results(kind.key, failed="drop") if key is not None else []
    if key is None:
        return el("section", question, el("p", _counts(run)), class_="answer")
    shown = next(r for r in dropped if r.name == key.name)
    return el(
        "section",
        question,
        _value(key, shown, kind, n_failed, _counts(run) if shown.value is None else ""),
        _beside(run, shown, kind, against) if shown.value is not None else None,
        _no_twin(run),
        class_="answer",
    )


def _value(key: MetricResult, shown: MetricResult, kind: Kind, n_failed: int, counts: str) -> list[Part]:
    if shown.value is None:
        return [el("p", f"No figure of {shown.name}: {shown.reason}.", class_="big none"), el("p", counts)]
    interval = "no interval"
    if shown.low is not None:
        interval = f"95 % interval {number(shown.low, 3)} to {number(shown.high, 3)}"
        interval += f" (all {shown.n:,} values are equal)" if shown.low == shown.high else ""
    meaning = kind.words if kind.key == key.name and kind.words else f"{key.name}, {shown.unit}"
    parts: list[Part] = [el("p", f"Read with care: {shown.reason}.", class_="warning")] if shown.reason else []
    parts += [
        el("p", el("b", number(shown.value, 3)), el("span", f" {meaning}"), class_="big"),
        el("p", f"{interval}; n = {shown.n:,}; {shown.estimator}.", class_="note"),
    ]
    if _is_sampled(shown):
        parts.append(el("p", _null_words(shown), class_="note" if shown.reliable else "warning"))
    if key.value is None and n_failed:
        words = (
            f"This run has no such figure: {n_failed:,} rollouts failed. The number below is of the others alone; if "
            "failing has to do with what would have come out, it is biased."
        )
        parts.insert(0, el("p", words, class_="warning"))
    return parts


def _is_sampled(result: MetricResult) -> bool:
    """Returns whether the figure is an estimate that means nothing without its null."""
    return result.tier == "t4" or result.null_mean is not None


def _null_words(result: MetricResult) -> str:
    """Returns what the same estimator gives where there is nothing, and whether the sample is large enough."""
    words = "No null could be made of this run"
    if result.null_mean is not None:
        chance = "unknown" if result.p is None else number(result.p, 3)
        words = (
            f"Where there is nothing to find it comes to {number(result.null_mean, 3)} on average (null); p = {chance}"
        )
    if result.reliable is None:
        return f"{words}. Whether the sample is large enough is not known."
    size = "large enough for this estimator (reliable)" if result.reliable else "too small for it (not reliable)"
    return f"{words}. The sample is {size}."


def _beside(run: Run, key: MetricResult, kind: Kind, against: tuple[Run, ...]) -> Markup | None:
    """Returns the table of this run beside everything that it can be measured against."""
    own = values_by_rollout(run, key)
    lines = [_Line("this run", "", key, None, is_own=True)]
    twin = {r.name: r for r in run.twin_results()}.get(key.name)
    if twin is not None and twin.value is not None:
        values = values_by_rollout(run, twin, run.twin())
        words = "the same seeds with a rational agent in every seat"
        lines.append(_Line("rational twin", words, twin, paired_difference(own, values)))
    for control in _controls(run, kind, key):
        result = mean_result(key.name, list(control.values.values()), key.unit, (0.0, 1.0))
        lines.append(_Line(control.name, control.words, result, paired_difference(own, control.values)))
    lines += [line for other in against if (line := _other(run, other, key, own)) is not None]
    return _strip(lines) if len(lines) > 1 else None


def _controls(run: Run, kind: Kind, key: MetricResult) -> list[Control]:
    if not kind.controls or key.name != kind.key:
        return []
    module, _, function = kind.controls.partition(":")
    return getattr(import_module(module), function)(run)


def _other(run: Run, other: Run, key: MetricResult, own: dict[int, float]) -> _Line | None:
    found = {r.name: r for r in other.metric_results(failed="drop")}.get(key.name)
    if found is None or found.value is None:
        return None
    is_paired = run.scenario.rollouts.seed == other.scenario.rollouts.seed
    values = values_by_rollout(other, found) if is_paired else {}
    words = f"{other.scenario.environment.kind}, seed {other.scenario.rollouts.seed}"
    n_failed = int(other.status.get("failed") or 0)
    words += f"; without its {n_failed} failed rollouts" if n_failed else ""
    return _Line(other.path.name, words, found, paired_difference(own, values))


def _strip(lines: list[_Line]) -> Markup:
    """Returns one row for each line, with its interval drawn on a common scale."""
    found = [v for line in lines for v in (line.result.value, line.result.low, line.result.high) if v is not None]
    low, high = _scale([v for v in found if math.isfinite(v)])
    has_null = any(_is_sampled(line.result) for line in lines)
    rows = []
    for line in lines:
        r, d = line.result, line.difference
        interval = f"{number(r.low, 3)} to {number(r.high, 3)}" if r.low is not None else ""
        gap = ""
        if d is not None and d.value is not None:
            gap = _signed(d.value) + (f" ({_signed(d.low)} to {_signed(d.high)})" if d.low is not None else "")
            gap += f", on the {d.n:,} that both have" if d.n < max(r.n, lines[0].result.n) else ""
        name = el("th", line.name, el("small", line.words) if line.words else None, scope="row")
        null = el("td", _null_cell(r)) if has_null else None
        cells = (name, el("td", number(r.value, 3), class_="n"), null, el("td", interval))
        rows.append(
            el(
                "tr",
                *cells,
                el("td", _whisker(r, low, high), class_="scale"),
                el("td", gap),
                class_="own" if line.is_own else None,
            )
        )
    heads = ["", "value", *(["null, reliable"] if has_null else []), "95 % interval"]
    cells = [el("th", heading, scope="col") for heading in heads]
    cells.append(el("th", el("span", f"{low:g}"), " ", el("span", f"{high:g}"), scope="col", class_="scale"))
    cells.append(el("th", "this run minus it, paired by rollout", scope="col"))
    head = el("thead", el("tr", cells))
    return el("div", el("table", head, el("tbody", rows), class_="beside"), class_="scroll", tabindex="0")


def _scale(values: list[float]) -> tuple[float, float]:
    """Returns the ends of a scale that holds all values, rounded outwards to a tenth or so of what it spans."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if math.isclose(low, high, abs_tol=1e-12):
        below, above = math.floor(low), math.ceil(high)
        return (below, above) if below < above else (below - (below != 0), above + (above != 1))
    power = 10.0 ** math.floor(math.log10(high - low))
    step = power * (0.2 if high - low < 2 * power else 0.5 if high - low < 5 * power else 1.0)
    return round(math.floor(low / step) * step, 12), round(math.ceil(high / step) * step, 12)


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.3g}" if value else "0"


def _null_cell(result: MetricResult) -> str:
    null = "none" if result.null_mean is None else number(result.null_mean, 3)
    return f"{null}, {'unknown' if result.reliable is None else 'yes' if result.reliable else 'no'}"


def _whisker(result: MetricResult, low: float, high: float) -> Markup | str:
    if result.value is None or not math.isfinite(result.value):
        return "off the scale"

    def at(value: float) -> str:
        return f"{100.0 * (value - low) / (high - low):.2f}%"

    dot = el("circle", cx=at(result.value), cy="50%", r="4.5")
    line = None
    if result.low is not None and result.high is not None:
        line = el("line", x1=at(result.low), x2=at(result.high), y1="50%", y2="50%")
    return el("svg", line, dot, class_="whisker", role="img", aria_label=f"{number(result.value, 3)} on the scale")


def _no_twin(run: Run) -> Markup | None:
    """Returns why no rational twin stands beside the figure; nothing if one does."""
    if not run.twin().is_empty():
        return None
    is_ended = run.status.get("status") in ("done", None)
    later = "its rows are not in the run folder" if is_ended else "it is played when all rollouts have ended"
    reason = why_no_twin(run.scenario) or later
    return el("p", f"No rational twin: {reason}.", class_="note")


def _counts(run: Run) -> str:
    status = run.status
    if not status.get("done"):
        return "Nothing has ended yet, so there is nothing to say."
    kinds = run.event_counts()
    n = sum(kinds.values())
    return (
        f"{plural(status['done'], 'rollout')} ended; the log holds {plural(n, 'event')}, "
        f"{kinds.get('message', 0):,} of them messages."
    )

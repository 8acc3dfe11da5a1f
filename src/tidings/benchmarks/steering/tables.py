"""The scores of a suite as Markdown tables and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from tidings.benchmarks.steering.bootstrap import Estimate
from tidings.benchmarks.steering.report import CellScore
from tidings.benchmarks.steering.scoring import MessagePrecision, bin_label

__all__ = ["report_json", "report_text"]

_OUTCOMES = {
    "P(correct)": "p_correct",
    "right cascade": "cascade_correct",
    "wrong cascade": "cascade_wrong",
    "cascade time": "cascade_time",
    "expenditure": "expenditure",
    "obfuscation": "obfuscation",
    "reward": "reward",
}
_PAIRED = {"vs none: P(correct)": "p_correct", "discounted welfare": "discounted_welfare"}
_LEGEND = (
    "95 % bootstrap intervals over rollouts (10,000 draws). Differences are paired with no control on the same seeds. "
    "Messages: how often their words pointed to the truth, over the turns that were logged, beside the precision that "
    "was asked for. Failed rollouts enter no figure; their number stands in the last column. `-`: not defined."
)


def report_text(name: str, suite_scores: Sequence[CellScore]) -> str:
    """Returns the tables of a suite as Markdown."""
    parts = [f"# {name}", _LEGEND]
    for heading, scores in _by_block(suite_scores):
        parts += [f"## {heading}", _outcome_table(scores)]
        parts += _policy_part(scores)
        parts += [_bayes_table(scores)] if any(score.bayes for score in scores) else []
    if any(score.n_failed for score in suite_scores):
        parts.append(_failure_words(suite_scores))
    return "\n\n".join(parts) + "\n"


def report_json(name: str, scores: Sequence[CellScore]) -> dict[str, Any]:
    """Returns the scores of a suite as JSON values; undefined numbers are null, bins are named by their edges."""
    cells = [_plain(_score_json(score)) for score in scores]
    return {"suite": name, "n_failed": sum(score.n_failed for score in scores), "cells": cells}


def _by_block(scores: Iterable[CellScore]) -> Iterable[tuple[str, list[CellScore]]]:
    def heading(score: CellScore) -> str:
        cell, control = score.cell, score.cell.control
        price = f"p = {control.p:g}, k = {control.k:g} ({control.cost_kind}), delta = {control.delta:g}"
        size = f"{cell.n_agents} {cell.agents} agents, {score.n_rollouts} rollouts"
        where = "" if cell.world == "classic" else f"{cell.world}, "
        told = ", told in words" if cell.oracle == "text" else ""
        return f"{where}{cell.task}: {price}; {size}{told}"

    return ((words, list(part)) for words, part in groupby(scores, heading))


def _outcome_table(scores: Sequence[CellScore]) -> str:
    rows = []
    for score in scores:
        cells = [_words(score.outcomes[name]) for name in _OUTCOMES.values()]
        cells += [_words(score.paired.get(name), is_signed=True) for name in _PAIRED.values()]
        cells.append(_message_words(score.messages))
        failed = f"{score.n_failed} of {score.n_rollouts}"
        failed += f" ({score.n_failed_baseline} of none)" if score.paired and score.n_failed_baseline else ""
        rows.append([score.cell.planner, *cells, failed])
    return _markdown(["planner", *_OUTCOMES, *_PAIRED, "messages right, of asked", "failed"], rows)


def _policy_part(scores: Sequence[CellScore]) -> list[str]:
    rows = [
        [
            score.cell.planner,
            bin_label(i),
            *map(_words, (found.regret, found.signed, found.absolute, score.obfuscation[i])),
        ]
        for score in scores
        if score.cell.planner == "llm"
        for i, found in score.policy.items()
    ]
    headings = ["planner", "public belief", "regret", "q - q*", "abs(q - q*)", "q below p"]
    return [_markdown(headings, rows)] if rows else []


def _message_words(messages: MessagePrecision) -> str:
    """Returns how often messages pointed to the truth, and how often they should have."""
    return f"{_words(messages.realised)} of {messages.requested.value:.3f}" if messages.requested.n else "-"


def _bayes_table(scores: Sequence[CellScore]) -> str:
    rows = []
    for score in scores:
        if (bayes := score.bayes) is None:
            continue
        gaps = ", ".join(f"{bin_label(i)}: {gap.value:.3f}" for i, gap in bayes.absolute.items())
        counts = [f"{n} of {bayes.n_stated}" for n in (bayes.n_unused, bayes.n_without_bayes)]
        slopes = [_words(part) for part in (bayes.agreeing, bayes.opposing, bayes.delay)]
        rows.append([score.cell.planner, *slopes, *counts, gaps])
    headings = ["planner", "NB1 slope", "NB2 slope", "NB3 delay", "beliefs in no slope", "without Bayes"]
    return _markdown([*headings, "mean abs(stated - Bayes) by public belief"], rows)


def _failure_words(scores: Iterable[CellScore]) -> str:
    lines = [
        f"- {score.cell.task}, {score.cell.planner}: {score.n_failed} of {score.n_rollouts} rollouts failed "
        f"({', '.join(f'{count} x {kind}' for kind, count in score.failures.items()) or 'stopped'})"
        for score in scores
        if score.n_failed
    ]
    return "\n".join(["## Failures", "", *lines])


def _markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _words(estimate: Estimate | None, *, is_signed: bool = False) -> str:
    if estimate is None or math.isnan(estimate.value):
        return "-"
    sign = "+" if is_signed else ""
    value = f"{estimate.value:{sign}.3f}"
    return value if math.isnan(estimate.low) else f"{value} [{estimate.low:{sign}.3f}, {estimate.high:{sign}.3f}]"


def _score_json(score: CellScore) -> dict[str, Any]:
    parts = {name: getattr(score, name) for name in ("n_rollouts", "n_failed", "n_failed_baseline", "failures")}
    bayes = None if score.bayes is None else vars(score.bayes)
    tables = {name: getattr(score, name) for name in ("outcomes", "paired", "messages", "obfuscation", "policy")}
    return {**asdict(score.cell), **parts, **tables, "bayes": bayes}


def _plain(value: Any) -> Any:
    """Returns a value as JSON: named tuples as objects, bins by their edges, NaN as null."""
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {bin_label(key) if isinstance(key, int) else key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""The tables of the suite as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from tidings.benchmarks.deliberation.scores import MethodScore, Test
from tidings.benchmarks.statistics import Interval

__all__ = ["report_text"]

_LEGEND = (
    "Accuracy: right answers among graded questions, averaged over seeds; a group without a readable answer is not "
    "right. 95 % bootstrap intervals over questions, Wilson's where all are right or none is. `unreadable`: share of "
    "answers that stand but cannot be read. `no answer`: questions left without one. `failed answers`: calls that gave "
    "no usable text (cut off, refused), counted apart from wrong answers. `calls`: answers asked for per question; "
    "`model calls` has repairs and the planner's own. `critical path`: answers that had to wait for each other."
)


def report_text(
    about: Mapping[str, str], scores: Sequence[MethodScore], tests: Sequence[Test], n_items: int, n_seeds: int
) -> str:
    """Returns the report as Markdown."""
    head = [f"- {name}: {value}" for name, value in about.items()]
    head.append(f"- {n_items} questions, each played {n_seeds} times")
    if n_seeds < 3 or n_items < 100:
        head.append("- few questions or seeds: for a look, not for claims")
    parts = ["# deliberation", "\n".join(head), _LEGEND, _markdown(_HEADINGS, map(_score_row, scores))]
    if tests:
        heading = ["method", "less self-consistency", "p (sign flip)", "p (Holm)", "p (McNemar, one seed)"]
        parts += ["## Against self-consistency at equal calls", _markdown(heading, map(_test_row, tests))]
    failed = [f"- {s.name}: {s.n_failed} of {s.n_rollouts} rollouts did not end well" for s in scores if s.n_failed]
    return "\n\n".join(parts + (["## Failures", "\n".join(failed)] if failed else [])) + "\n"


_HEADINGS = [
    "method",
    "accuracy",
    "wrong",
    "unreadable group answer",
    "no answer",
    "unreadable",
    "failed answers",
    "calls",
    "model calls",
    "tokens",
    "critical path",
]


def _score_row(score: MethodScore) -> list[str]:
    counts = score.outcomes
    return [
        score.name,
        _interval(score.accuracy),
        *(str(counts.get(name, 0)) for name in ("wrong", "unparsable", "no_answer")),
        _number(score.unparsable, 3),
        str(score.n_failed_answers),
        _number(score.calls, 1),
        _number(score.model_calls, 1),
        _number(score.tokens, 0),
        _number(score.depth, 1),
    ]


def _test_row(test: Test) -> list[str]:
    exact = "-" if test.p_mcnemar is None else f"{test.p_mcnemar:.3f}"
    return [test.name, _interval(test.difference, "+"), f"{test.p:.3f}", f"{test.p_holm:.3f}", exact]


def _interval(value: Interval | None, sign: str = "") -> str:
    if value is None:
        return "-"
    mean = f"{value.mean:{sign}.3f}"
    return mean if math.isnan(value.low) else f"{mean} [{value.low:{sign}.3f}, {value.high:{sign}.3f}]"


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

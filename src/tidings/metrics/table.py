"""The tables of metrics. Adding one is one function and one line here.

`METRICS`: environment -> name -> function of its per-rollout rows. `FLOW`: name -> metric of any environment, a
function of the events of a run and of what was measured beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from tidings.core import Event, ScenarioError, suggest
from tidings.metrics import collaboration, deliberation, dialop, hidden_profile, social_learning
from tidings.metrics.collaboration import COLLABORATION_COLUMNS, collaboration_row
from tidings.metrics.deliberation import DELIBERATION_COLUMNS, deliberation_row
from tidings.metrics.density import DENSITY
from tidings.metrics.dialop import GAME_COLUMNS, game_row
from tidings.metrics.evidence import Evidence, name_events
from tidings.metrics.exact_beliefs import BELIEFS
from tidings.metrics.herd import HERD_COLUMNS, herd_row
from tidings.metrics.hidden_profile import VOTE_COLUMNS, vote_row
from tidings.metrics.influence import INFLUENCE
from tidings.metrics.metric import TIERS, Metric
from tidings.metrics.provenance import PROVENANCE
from tidings.metrics.result import MetricResult, refused
from tidings.metrics.sampled_flow import SAMPLED

__all__ = ["FLOW", "METRICS", "ROWS", "RowMaker", "check_metrics", "evaluate", "known_metrics"]


class RowMaker(NamedTuple):
    """How the events of one rollout become one row of figures.

    Attributes:
        make: Events -> row.
        columns: Name -> type of each column.
    """

    make: Callable[[Iterable[Event]], dict[str, Any]]
    columns: Mapping[str, Any]

    def frame(self, rows: Iterable[tuple[int, Iterable[Event]]]) -> pl.DataFrame:
        """Returns one row for each (rollout, events)."""
        made = [{"rollout": rollout, **self.make(events)} for rollout, events in rows]
        return pl.DataFrame(made, schema={"rollout": pl.Int64, **self.columns})


ROWS: Mapping[str, RowMaker] = {
    "collaboration": RowMaker(collaboration_row, COLLABORATION_COLUMNS),
    "deliberation": RowMaker(deliberation_row, DELIBERATION_COLUMNS),
    "dialop": RowMaker(game_row, GAME_COLUMNS),
    "hidden_profile": RowMaker(vote_row, VOTE_COLUMNS),
    "many_states": RowMaker(herd_row, HERD_COLUMNS),
    "social_learning": RowMaker(herd_row, HERD_COLUMNS),
}
"""Environment -> how its rollouts become rows of figures."""

_DECISIONS = {
    "p_correct": social_learning.p_correct,
    "last_correct": social_learning.last_correct,
    "welfare": social_learning.welfare,
    "cascades": social_learning.cascades,
    "cascade_time": social_learning.cascade_time,
    "off_path": social_learning.off_path,
    "planner_reward": social_learning.planner_reward,
    "planner_cost": social_learning.planner_cost,
}

METRICS: Mapping[str, Mapping[str, Callable[[pl.DataFrame], list[MetricResult]]]] = {
    "deliberation": {
        "p_right": deliberation.p_right,
        "coverage": deliberation.coverage,
        "unparsable": deliberation.unparsable,
        "calls": deliberation.mean_calls,
        "depth": deliberation.mean_depth,
    },
    "collaboration": {
        "answered": collaboration.answered,
        "right": collaboration.right,
        "evidence_precision": collaboration.evidence_precision,
        "evidence_recall": collaboration.evidence_recall,
        "rounds": collaboration.rounds,
        "messages": collaboration.messages,
        "recruited": collaboration.recruited,
    },
    "dialop": {
        "norm": dialop.norm,
        "agreed": dialop.agreed,
        "messages": dialop.messages,
        "proposals": dialop.proposals,
    },
    "hidden_profile": {
        "right_before": hidden_profile.right_before,
        "right_after": hidden_profile.right_after,
        "majority_before": hidden_profile.majority_before,
        "majority_after": hidden_profile.majority_after,
        "gain": hidden_profile.gain,
    },
    "many_states": _DECISIONS,
    "social_learning": _DECISIONS,
}
"""Environment -> metric -> function of its rows."""


FLOW: Mapping[str, Metric] = {**PROVENANCE, **BELIEFS, **DENSITY, **INFLUENCE, **SAMPLED}
"""Metrics of any environment: name -> function of the events of a run."""


def known_metrics(environment: str) -> dict[str, tuple[str, str]]:
    """Returns name -> (tier, words) of every metric that a run of this environment can be asked for."""
    rows = {name: ("rows", _first_line(compute)) for name, compute in METRICS.get(environment, {}).items()}
    return rows | {name: (metric.tier, metric.text) for name, metric in FLOW.items() if name not in rows}


def check_metrics(environment: str, names: Sequence[str], where: str = "metrics") -> None:
    """Checks that the metrics exist for this kind of environment.

    The name of a tier, or `all`, stands for many; that of a figure, where a metric has several, for this one.

    Raises:
        ScenarioError: At the first that does not.
    """
    known = [*known_metrics(environment), *TIERS, "all"]
    figures = _metric_of_figure(environment)
    for i, name in enumerate(names):
        if name not in known and name not in figures:
            allowed = f"metrics of {environment}: {', '.join(known)}"
            close = suggest(name, known) or suggest(name, figures)
            raise ScenarioError(f"{where}.{i}", f"no metric {name!r}", allowed, close)


def evaluate(
    environment: str,
    names: Sequence[str],
    rows: pl.DataFrame,
    n_failed: int,
    *,
    drop_failed: bool = False,
    evidence: Evidence | None = None,
) -> list[MetricResult]:
    """Returns the metrics of a run.

    Args:
        environment: Kind of the environment.
        names: Which metrics, figures of them, tiers, or `all`. If empty: those of that environment's rows.
        rows: One row for each rollout that ended well.
        n_failed: Rollouts that failed and are not in `rows`.
        drop_failed: Average over the others all the same.
        evidence: Events of the rollouts that ended well; without it, only figures of rows are given.

    Returns:
        One result for each figure. With failed rollouts and no leave to drop them, no figure has a value.
    """
    results: list[MetricResult] = []
    events = name_events(rows["rollout"]) if "rollout" in rows.columns else ()
    for name, figures in _chosen(environment, names).items():
        found: list[MetricResult] = []
        if (compute := METRICS.get(environment, {}).get(name)) is not None:
            found = [_of_items(result, rows).noting(tier="rows", events=events) for result in compute(rows)]
        elif evidence is not None:
            found = _flow_results(FLOW[name], evidence)
        results += [result for result in found if not figures or result.name in figures]
    if n_failed == 0 or drop_failed:
        return results
    n = len(rows) + n_failed
    reason = f"{n_failed} of {n} rollouts failed"
    reason += f"; ask with failed='drop' to average over the other {len(rows)}" if len(rows) else ""
    return [_withheld(result, reason) for result in results]


def _chosen(environment: str, names: Sequence[str]) -> dict[str, set[str]]:
    """Returns metric -> which of its figures; none named: all."""
    known, of_figure = known_metrics(environment), _metric_of_figure(environment)
    groups = {tier: [name for name, (of, _) in known.items() if of == tier] for tier in TIERS} | {"all": list(known)}
    chosen: dict[str, set[str]] = {}
    for wish in names or ("rows",):
        if wish in of_figure:
            if chosen.get(of_figure[wish]) != set():
                chosen.setdefault(of_figure[wish], set()).add(wish)
        else:
            chosen |= {name: set() for name in groups.get(wish, [wish])}
    return chosen


def _metric_of_figure(environment: str) -> dict[str, str]:
    """Returns figure -> metric, for figures that are no metric by their own name: `cascade_wrong` of `cascades`."""
    computes = METRICS.get(environment, {})
    empty = ROWS[environment].frame(()) if computes else pl.DataFrame()
    figures = {result.name: name for name, compute in computes.items() for result in compute(empty)}
    figures |= {figure: name for name, metric in FLOW.items() for figure, _ in metric.figures}
    return {figure: name for figure, name in figures.items() if figure not in known_metrics(environment)}


def _flow_results(metric: Metric, evidence: Evidence) -> list[MetricResult]:
    if evidence.absent:
        found = [refused(name, unit, 0, evidence.absent) for name, unit in metric.figures]
    else:
        found = metric.compute(evidence)
    return [result.noting(tier=metric.tier, version=metric.version) for result in found]


def _of_items(result: MetricResult, rows: pl.DataFrame) -> MetricResult:
    """Returns the result; where items were played several times, it says for what its interval holds.

    Rollouts of one item are independent only given the item: for items like these, the suites draw whole items.
    """
    names = [name for name in ("item", "question") if name in rows.columns]
    n_items = rows[names[0]].n_unique() if names else len(rows)
    if result.low is None or n_items == len(rows):
        return result
    return result.noting(estimator=f"{result.estimator}, for these {n_items} items and not for others like them")


def _withheld(result: MetricResult, reason: str) -> MetricResult:
    """Returns the result without anything that could be taken for a value."""
    return result.noting(
        value=None, se=None, low=None, high=None, null_mean=None, p=None, reliable=None, events=(), reason=reason
    )


def _first_line(compute: Callable[..., Any]) -> str:
    return (compute.__doc__ or "").strip().split("\n")[0].removeprefix("Returns ")

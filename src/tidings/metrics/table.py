"""The table of metrics: name -> function of the per-rollout rows of one kind of environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import polars as pl

from tidings.core import Event, ScenarioError, suggest
from tidings.metrics import hidden_profile, social_learning
from tidings.metrics.herd import HERD_COLUMNS, herd_row
from tidings.metrics.hidden_profile import VOTE_COLUMNS, vote_row
from tidings.metrics.result import MetricResult

__all__ = ["METRICS", "ROWS", "RowMaker", "check_metrics", "evaluate"]


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
<<<<<<< HEAD
    "many_states": RowMaker(herd_row, HERD_COLUMNS),
=======
    "hidden_profile": RowMaker(vote_row, VOTE_COLUMNS),
>>>>>>> main
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
}

METRICS: Mapping[str, Mapping[str, Callable[[pl.DataFrame], list[MetricResult]]]] = {
<<<<<<< HEAD
    "many_states": _DECISIONS,
    "social_learning": _DECISIONS,
=======
    "hidden_profile": {
        "right_before": hidden_profile.right_before,
        "right_after": hidden_profile.right_after,
        "majority_before": hidden_profile.majority_before,
        "majority_after": hidden_profile.majority_after,
        "gain": hidden_profile.gain,
    },
    "social_learning": {
        "p_correct": social_learning.p_correct,
        "last_correct": social_learning.last_correct,
        "welfare": social_learning.welfare,
        "cascades": social_learning.cascades,
        "cascade_time": social_learning.cascade_time,
        "off_path": social_learning.off_path,
    },
>>>>>>> main
}
"""Environment -> metric -> function of its rows."""


def check_metrics(environment: str, names: Sequence[str]) -> None:
    """Checks that the metrics exist for this kind of environment.

    Raises:
        ScenarioError: At the first that does not.
    """
    known = METRICS.get(environment, {})
    for i, name in enumerate(names):
        if name not in known:
            allowed = f"metrics of {environment}: {', '.join(known) or 'none'}"
            raise ScenarioError(f"metrics.{i}", f"no metric {name!r}", allowed, suggest(name, known))


def evaluate(
    environment: str, names: Sequence[str], rows: pl.DataFrame, n_failed: int, *, drop_failed: bool = False
) -> list[MetricResult]:
    """Returns the metrics of a run from its per-rollout rows.

    Args:
        environment: Kind of the environment.
        names: Which metrics; all of that environment if empty.
        rows: One row for each rollout that ended well.
        n_failed: Rollouts that failed and are not in `rows`.
        drop_failed: Average over the others all the same.

    Returns:
        One result for each figure. With failed rollouts and no leave to drop them, no figure has a value.
    """
    known = METRICS.get(environment, {})
    results = [result for name in names or known for result in known[name](rows)]
    if n_failed == 0 or drop_failed:
        return results
    n = len(rows) + n_failed
    reason = f"{n_failed} of {n} rollouts failed; ask with failed='drop' to average over the other {len(rows)}"
    return [replace(r, value=None, se=None, low=None, high=None, reason=reason) for r in results]

"""What an experiment tracker is told about a run: parameters, figures with intervals, failures, and files.

Failures are told as failures: with failed rollouts a figure has no value, so none is logged under its name. What the
other rollouts alone give stands under `without_failed.`. Figures of a run that has not ended are not logged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tidings.analysis.report import write_report
from tidings.analysis.report.markup import cut
from tidings.log.gaps import names_gaps
from tidings.metrics.result import MetricResult

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["RunRecord", "record_of"]

_LONGEST = 5_000
"""Characters of a parameter; the least that a tracker takes is 6,000 (MLflow)."""

_ENDED = ("done", "limit")


class RunRecord(NamedTuple):
    """A run as trackers take it.

    Attributes:
        name: Name of the run folder.
        params: The scenario, flattened: `environment.precision` -> value as text. Lists but `agents` are JSON text.
        metrics: Counts of rollouts and failures, and figures: `name`, `name.low`, `name.high`, `name.n`, `name.twin`.
        tags: Status, versions, seed, commit.
        files: The report and the scenario.
        is_ended: Whether no rollout is missing.
        n_failed: Rollouts that failed.
    """

    name: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    files: tuple[Path, ...]
    is_ended: bool
    n_failed: int


@names_gaps
def record_of(run: Run) -> RunRecord:
    """Returns the record of a run; writes its report first, so that it is the report of what is logged."""
    status, manifest = run.status, run.manifest
    state, n_failed = str(status.get("status", "unknown")), int(status.get("failed") or 0)
    n_done, n = int(status.get("done") or 0), int(status.get("rollouts") or run.scenario.rollouts.count)
    metrics: dict[str, float] = {"rollouts.done": n_done, "rollouts.failed": n_failed, "rollouts.asked": n}
    metrics |= {f"failures.{kind}": count for kind, count in _failures(run).items()}
    if state in _ENDED:
        twins = {result.name: result.value for result in run.twin_results()}
        metrics |= dict(_figures(run.metric_results(), twins))
        if n_failed:
            others = _figures(run.metric_results(failed="drop"), {})
            metrics |= {f"without_failed.{name}": value for name, value in others}
    tags = {
        "status": state,
        "environment": run.scenario.environment.kind,
        "planner": run.scenario.planner.kind,
        "seed": str(manifest.get("seed")),
        "tidings": str(manifest.get("packages", {}).get("tidings", "")),
        "commit": str((manifest.get("git") or {}).get("commit", "")),
    }
    params = dict(_flat(run.scenario.model_dump(mode="json", exclude_none=True)))
    files = (write_report(run), run.path / "scenario.yaml")
    is_ended = state == "done" and n_done == n
    return RunRecord(run.path.name, params, metrics, {k: v for k, v in tags.items() if v}, files, is_ended, n_failed)


def _figures(results: list[MetricResult], twins: Mapping[str, float | None]) -> Iterator[tuple[str, float]]:
    for result in results:
        if result.value is None:
            continue
        ends = {"": result.value, ".low": result.low, ".high": result.high, ".n": result.n}
        ends |= {".twin": twins.get(result.name)}
        yield from ((f"{result.name}{end}", float(value)) for end, value in ends.items() if value is not None)


def _failures(run: Run) -> dict[str, int]:
    """Returns how many failures of each kind there are, by names that every tracker takes."""
    counts: dict[str, int] = {}
    for line in run.lines():
        if line.kind == "failure":
            name = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{line.data['boundary']}.{line.data['error']}")
            counts[name] = counts.get(name, 0) + 1
    return counts


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():  # type: ignore[reportUnknownVariableType]
            yield from _flat(inner, f"{name}.{key}" if name else str(key))  # type: ignore[reportUnknownArgumentType]
    elif isinstance(value, list) and name == "agents":
        for number, inner in enumerate(value):  # type: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            yield from _flat(inner, f"{name}.{number}")
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield re.sub(r"[^A-Za-z0-9_./-]", "_", name), cut(text, _LONGEST, "scenario.yaml")

"""A finished, stopped or running run as data frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx
import polars as pl

from tidings.analysis.frames.table import FRAMES, find_frame
from tidings.core import DataError, Event
from tidings.log.codec import LogLine
from tidings.log.gaps import names_gaps
from tidings.log.reader import count_rollouts, groups, read_events
from tidings.log.store import ENDED
from tidings.metrics.evidence import SIDE_TABLES, Evidence
from tidings.metrics.ledger import Ledger
from tidings.metrics.result import MetricResult, json_row
from tidings.metrics.table import ROWS, check_metrics, evaluate
from tidings.runner.folder import RunFolder
from tidings.runner.twin import correct_actions
from tidings.simulation.compile import deal_seats
from tidings.spec.graphs import to_social_graph
from tidings.spec.io import read_scenario
from tidings.spec.scenario import Scenario

if TYPE_CHECKING:
    from tidings.analysis.figures import Plots

__all__ = ["Run", "load_run"]

_HERDS = ("many_states", "social_learning")
"""Environments in which agents decide one after another, each right or wrong."""

FailedRollouts = Literal["refuse", "drop"]


def load_run(path: str | Path) -> Run:
    """Returns the run in a folder.

    Raises:
        DataError: If there is no run there.
    """
    return Run(RunFolder.open(Path(path)))


class Run:
    """One run: its scenario, its frames, its figures. Reads when asked, never writes events."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def __repr__(self) -> str:
        status = self.status
        words = f"{status.get('status')}, {status.get('done')} of {status.get('rollouts')} rollouts"
        return f"Run({str(self.path)!r}: {words})"

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._folder.path

    @cached_property
    def scenario(self) -> Scenario:
        """The resolved scenario."""
        return read_scenario(self._folder.scenario)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Versions, seeds, model ids."""
        return self._folder.read_json("manifest.json")

    @property
    def status(self) -> dict[str, Any]:
        """How far the run is; a run whose process is gone is told as `interrupted`, with what its log holds."""
        status = self._folder.read_status()
        if status.get("status") in ("running", "interrupted", "broken") and not self.is_summary:
            count = count_rollouts(self._folder.events)
            status |= {"done": count.n_ended, "failed": count.n_failed}
        return status

    @property
    def is_summary(self) -> bool:
        """Whether the run logged one row a rollout instead of events."""
        return self.manifest.get("log") == "summary"

    @names_gaps
    def rollouts(self) -> pl.DataFrame:
        """Returns one row of figures for each rollout that ended well."""
        if self.is_summary:
            files = sorted(self._folder.summary.glob("*.parquet"))
            return pl.read_parquet(files) if files else pl.DataFrame()
        maker = ROWS.get(self.scenario.environment.kind)
        if maker is None:
            return pl.DataFrame({"rollout": [r for r, _ in self.ended()]}, schema={"rollout": pl.Int64})
        return maker.frame((rollout, _events(lines)) for rollout, lines in self.ended())

    def twin(self) -> pl.DataFrame:
        """Returns the rows of the rational twin on the same seeds; empty if the run has none or is its own twin."""
        path = self.path / "twin.parquet"
        return pl.read_parquet(path) if path.exists() else pl.DataFrame()

    def lines(self) -> Iterator[LogLine]:
        """Yields every committed line of the event log, rollout by rollout in order; none for a run of summaries."""
        return iter(()) if self.is_summary else read_events(self._folder.events)

    def rollout_lines(self) -> Iterator[tuple[int, list[LogLine]]]:
        """Yields (rollout, its lines), finished or not, one rollout in memory at a time."""
        return groups(self.lines())

    def ended(self) -> Iterator[tuple[int, list[LogLine]]]:
        """Yields (rollout, its lines) of every rollout that ended well."""
        for rollout, lines in self.rollout_lines():
            if lines[-1].kind == ENDED and lines[-1].data["status"] == "ok":
                yield rollout, lines

    @names_gaps
    def frame(self, name: str) -> pl.DataFrame:
        """Returns a frame of the table `tidings.analysis.frames.table.FRAMES`; `docs/frames.md` says what is in it.

        Raises:
            RequestError: If there is no such frame.
            DataError: If the run logged no events and the frame needs them.
        """
        return find_frame(name).read(self, name)

    def scan(self, name: str) -> pl.LazyFrame:
        """Returns a frame unread: rows are read in batches when it is collected, and only as far as needed.

        Raises:
            RequestError: If there is no such frame.
            DataError: If the run logged no events and the frame needs them.
        """
        return find_frame(name).scan(self, name)

    def __getattr__(self, name: str) -> Callable[[], pl.DataFrame]:
        if name.startswith("_") or name not in FRAMES:
            raise AttributeError(f"a run has no {name!r}; its frames: {', '.join(FRAMES)}")
        return partial(self.frame, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *FRAMES})

    def events(self) -> pl.DataFrame:
        """Returns every committed event; `data` is JSON text."""
        return self.frame("events")

    def scan_events(self) -> pl.LazyFrame:
        """Returns every committed event, read when it is collected."""
        return self.scan("events")

    def turns(self) -> pl.DataFrame:
        """Returns one row for each reply or failure; `action` is JSON text, `failure` is `boundary/kind`."""
        return self.frame("turns")

    def messages(self) -> pl.DataFrame:
        """Returns what reached others: messages, and public actions as messages of their own kind."""
        return self.frame("messages")

    def beliefs(self) -> pl.DataFrame:
        """Returns every stated belief beside the rational one from the same view."""
        return self.frame("beliefs")

    def facts(self) -> pl.DataFrame:
        """Returns every private fact with its owner and value (JSON text)."""
        return self.frame("facts")

    def calls(self) -> pl.DataFrame:
        """Returns every recorded model call with tokens, latency and price; empty if no model was asked."""
        return self.frame("calls")

    def metrics(self, *names: str, failed: FailedRollouts = "refuse") -> pl.DataFrame:
        """Returns one row for each figure, beside the value of the rational twin.

        Args:
            *names: Which metrics, figures, tiers (`t0`, `t1`, ...) or `all`; those of the scenario (or all that its
                environment has of its own) by default.
            failed: What to do about failed rollouts: give no value and say why, or average over the others.

        Raises:
            ScenarioError: If there is no such metric.
            DataError: If the log of a complete run was cut.
        """
        rows = [result.row() for result in self.metric_results(*names, failed=failed)]
        frame = pl.DataFrame(rows, schema=_METRICS)
        twins = {result.name: result.value for result in self.twin_results(*names)}
        return frame.with_columns(pl.col("name").replace_strict(twins, default=None).cast(pl.Float64).alias("twin"))

    def write_metrics(self) -> None:
        """Writes the figures as they are now to `metrics.json` in the run folder."""
        self._folder.write_json("metrics.json", {row["name"]: json_row(row) for row in self.metrics().to_dicts()})

    @names_gaps
    def metric_results(self, *names: str, failed: FailedRollouts = "refuse") -> list[MetricResult]:
        """Returns the figures as values."""
        kind = self.scenario.environment.kind
        check_metrics(kind, names, "metric")
        n_failed = int(self.status.get("failed", 0))
        wanted, is_dropped = names or self.scenario.metrics, failed == "drop"
        rows = self.rollouts()
        self._refuse_cut_log(len(rows))
        return evaluate(kind, wanted, rows, n_failed, drop_failed=is_dropped, evidence=self.evidence())

    def _refuse_cut_log(self, n_rows: int) -> None:
        """Checks that nothing is gone of a complete log: figures over what is left would look like the run's."""
        status = self.status
        n_well = status.get("done", 0) - status.get("failed", 0)
        if status.get("status") == "done" and n_rows < n_well:
            found = f"its log holds {n_rows} of the {n_well} rollouts that ended well"
            fix = f"restore it from a copy, or play what is gone again: tidings resume {self.path}"
            raise DataError(str(self.path), found, fix=fix)

    def twin_results(self, *names: str) -> list[MetricResult]:
        """Returns the figures of the rational twin; empty if there is none."""
        rows = self.twin()
        return (
            [] if rows.is_empty() else evaluate(self.scenario.environment.kind, names or self.scenario.metrics, rows, 0)
        )

    def evidence(self) -> Evidence:
        """Returns what metrics read: the rollouts that ended well, and the rows that were measured beside them."""
        absent = "this run logged one row a rollout; run it again with `--set rollouts.log=full` and fewer rollouts"
        return Evidence(
            lambda: ((rollout, _events(lines)) for rollout, lines in self.ended()),
            to_social_graph(self._folder.read_graph()),
            self.scenario.rollouts.seed,
            {name: frame for name in SIDE_TABLES if not (frame := self.rows_beside(name)).is_empty()},
            absent if self.is_summary else "",
        )

    def ledgers(self) -> Iterator[Ledger]:
        """Yields the fact ledger of each rollout, finished or not; its events are read one after another, none held."""
        evidence = self.evidence()
        for rollout, lines in groupby(self.lines(), key=lambda line: line.rollout):
            yield evidence.read(rollout, (line.event() for line in lines))

    def rows_beside(self, name: str) -> pl.DataFrame:
        """Returns rows that were measured beside the events (`SIDE_TABLES`); empty if they were not."""
        path = self.path / "rows" / f"{name}.parquet"
        return pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=SIDE_TABLES[name])

    def measure_density(
        self, fact: str | None = None, *, scorer: str | None = None, rollouts: Iterable[int] | None = None
    ) -> pl.DataFrame:
        """Measures what each message says about a private fact; see `tidings.analysis.measures.density`."""
        from tidings.analysis.measures import density

        return density(self, fact, scorer=scorer, rollouts=rollouts)

    def measure_influence(self, rollout: int, index: int, **how: Any) -> pl.DataFrame:
        """Measures what moved a seat to one answer; see `tidings.analysis.measures.influence`."""
        from tidings.analysis.measures import influence

        return influence(self, rollout, index, **how)

    def probe(self, fact: str, **how: Any) -> pl.DataFrame:
        """Asks seats what they believe, outside the run; see `tidings.analysis.measures.probe`."""
        from tidings.analysis.measures import probe

        return probe(self, fact, **how)

    def judge(self, model: str, **how: Any) -> pl.DataFrame:
        """Has a model say what each message claims; see `tidings.analysis.measures.judge`."""
        from tidings.analysis.measures import judge

        return judge(self, model, **how)

    @property
    def plot(self) -> Plots:
        """The figures of this run."""
        from tidings.analysis.figures import Plots

        return Plots(self)

    def seat_kinds(self) -> dict[str, str]:
        """Returns the kind of agent in each seat."""
        graph = to_social_graph(self.social_graph())
        return {seat: group.kind for seat, group, *_ in deal_seats(self.scenario, graph)}

    @names_gaps
    def correct_actions(self) -> list[tuple[int, str, list[bool | None]]]:
        """Returns (rollout, true state, whether each agent was right in order of play); where agents decide in line.

        An agent that failed to act is None in its place.
        """
        if self.is_summary or self.scenario.environment.kind not in _HERDS:
            return []
        return [(rollout, *correct_actions(_events(lines))) for rollout, lines in self.ended()]

    def twin_correct(self) -> list[list[bool | None]]:
        """Returns whether each agent of the rational twin was right, for every rollout it has."""
        twin = self.twin()
        return [] if twin.is_empty() else twin["correct"].to_list()

    @names_gaps
    def failure_counts(self) -> dict[str, int]:
        """Returns how often each kind of failure happened, most frequent first."""
        failures = (line.data for line in self.lines() if line.kind == "failure")
        return dict(Counter(f"{f['boundary']}/{f['error']}: {f['message']}" for f in failures).most_common())

    def event_counts(self) -> dict[str, int]:
        """Returns how many events of each kind there are, most frequent first."""
        return dict(Counter(line.kind for line in self.lines()).most_common())

    def social_graph(self) -> nx.Graph:
        """Returns who can hear whom, as it was before anything happened; nodes are seats."""
        graph = self._folder.read_graph()
        names = {node: f"a{node}" if isinstance(node, int) else str(node) for node in graph}
        return nx.relabel_nodes(graph, names)

    @names_gaps
    def graph(self, rollout: int = 0, step: int | None = None) -> nx.Graph:
        """Returns the social graph; nodes hold the seat's last action up to `step`, and whether it has acted.

        Args:
            rollout: Which rollout.
            step: Up to which step; the end by default.
        """
        graph = self.social_graph()
        if self.is_summary:
            return graph
        for e in self._rollout(rollout):
            if step is not None and e.step > step:
                break
            if e.kind == "action" and e.seat in graph:
                graph.nodes[e.seat]["action"] = e.data["action"]
                graph.nodes[e.seat]["step"] = e.step
        return graph

    def _rollout(self, rollout: int) -> list[LogLine]:
        for number, lines in self.rollout_lines():
            if number == rollout:
                return lines
        raise DataError(str(self.path), f"no rollout {rollout}", f"rollouts 0 to {self.status.get('rollouts', 0) - 1}")


_METRICS = {
    "name": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "n": pl.Int64,
    "se": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "estimator": pl.String,
    "reason": pl.String,
    "null_mean": pl.Float64,
    "p": pl.Float64,
    "reliable": pl.Boolean,
    "events": pl.List(pl.String),
    "tier": pl.String,
    "version": pl.Int64,
}


def _events(lines: list[LogLine]) -> list[Event]:
    return [line.event() for line in lines]

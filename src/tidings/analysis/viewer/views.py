"""One run as the viewer sees it: everything a page asks for, as JSON values."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import msgspec
import networkx as nx
import polars as pl

from tidings.analysis.viewer.call_index import CallIndex
from tidings.analysis.viewer.catalog import run_row
from tidings.analysis.viewer.exact import has_large, with_texts
from tidings.analysis.viewer.fold import RolloutFold
from tidings.analysis.viewer.log_index import LogIndex
from tidings.analysis.viewer.planner import planner_view
from tidings.core import PLANNER, DataError, RequestError
from tidings.log.codec import LogLine
from tidings.runner.folder import RunFolder
from tidings.simulation.compile import deal_seats
from tidings.spec.graphs import to_social_graph
from tidings.spec.io import read_scenario

__all__ = ["EVENTS_PER_PAGE", "ROWS_PER_PAGE", "RunView"]

EVENTS_PER_PAGE = 256
ROWS_PER_PAGE = 200

_FOLDS = 8
_FRESH_S = 0.5


class RunView:
    """One run, with the indices of its files kept in memory. Reads only; safe for many threads."""

    def __init__(self, path: Path) -> None:
        """Prepares the view; nothing is read before it is asked for."""
        self.path = path
        self._folder = RunFolder(path)
        self._lock = threading.RLock()
        self._log, self._calls = LogIndex(self._folder.events), CallIndex(self._folder.calls)
        self._folds: OrderedDict[int, RolloutFold] = OrderedDict()
        self._graph: dict[str, Any] | None = None
        self._looked = -math.inf

    def head(self) -> dict[str, Any]:
        """Returns what the page of the run says: status, figures, graph, scenario."""
        with self._lock:
            self._refresh()
            row = run_row(self.path)
            manifest = self._folder.read_json("manifest.json")
            text = self._folder.scenario.read_text(encoding="utf-8") if self._folder.scenario.exists() else ""
            if row.get("log") != "summary":
                row |= self._counts(row)
            return {
                **row,
                "description": self._description(),
                "scenario": text,
                "manifest": {key: manifest.get(key) for key in ("python", "platform", "packages", "git")},
                "graph": self.graph(),
                "report": self._report(),
                "n_logged": len(self._log.rollouts),
                "n_events": sum(place.n_events for place in self._log.rollouts.values()),
                "problem": row["problem"] or "; ".join(self._log.problems),
            }

    def graph(self) -> dict[str, Any]:
        """Returns the seats, who hears whom (pairs of seat numbers: sender, hearer), and the kind of each seat."""
        if self._graph is None:
            data = self._folder.read_json("graph.json")
            if not data:
                return {"seats": [], "edges": [], "directed": False, "complete": False, "kinds": [], "planner": None}
            social = to_social_graph(nx.node_link_graph(data, edges="edges"))
            number = {seat: i for i, seat in enumerate(social.seats)}
            edges = [(number[u], number[v]) for u, v in social.edges() if social.is_directed or number[u] < number[v]]
            kinds, planner = self._seat_kinds(social)
            self._graph = {
                "seats": list(social.seats),
                "edges": [] if social.is_complete else edges,
                "directed": social.is_directed,
                "complete": social.is_complete,
                "kinds": [kinds.get(seat, "") for seat in social.seats],
                "planner": planner,
            }
        return self._graph

    def rollouts(self, page: int, *, only_failures: bool = False) -> dict[str, Any]:
        """Returns a page of the rollouts, or of those with failures: number, status, steps, events, failures."""
        with self._lock:
            self._refresh()
            places = [item for item in self._log.rollouts.items() if item[1].n_failures or not only_failures]
            first = page * ROWS_PER_PAGE
            rows = [
                [number, place.status, place.n_steps, place.n_events, place.n_failures]
                for number, place in places[first : first + ROWS_PER_PAGE]
            ]
            return {"n": len(places), "page": ROWS_PER_PAGE, "rows": rows}

    def summary(self, page: int) -> dict[str, Any]:
        """Returns a page of the rows of a run that logged one row a rollout."""
        files = sorted(self._folder.summary.glob("*.parquet"))
        if not files:
            return {"n": 0, "page": ROWS_PER_PAGE, "columns": [], "rows": []}
        frame = pl.scan_parquet(files)
        n = int(frame.select(pl.len()).collect().item())
        part = frame.slice(page * ROWS_PER_PAGE, ROWS_PER_PAGE).collect()
        return {"n": n, "page": ROWS_PER_PAGE, "columns": part.columns, "rows": part.rows()}

    def columns(self, rollout: int) -> dict[str, Any]:
        """Returns the columns of one rollout."""
        with self._lock:
            fold = self._fold(rollout)
            place = self._log.rollouts[rollout]
            return {"rollout": rollout, "status": place.status, "page": EVENTS_PER_PAGE, **fold.columns()}

    def events(self, rollout: int, page: int) -> list[dict[str, Any]]:
        """Returns a page of events with their data.

        `exact` is its JSON text where a browser would change a number; `read` holds (fact, what is stated of it) for
        claims found in a message's text.
        """
        with self._lock:
            read = self._fold(rollout).read
            first = page * EVENTS_PER_PAGE
            lines = self._log.read(rollout, first, first + EVENTS_PER_PAGE)
            return [_event(line) | ({"read": read[line.index]} if line.index in read else {}) for line in lines]

    def block(self, rollout: int, number: int) -> dict[str, Any]:
        """Returns the states of all seats in one block of steps."""
        with self._lock:
            return self._fold(rollout).block(number)

    def facts(self, rollout: int) -> list[dict[str, Any]]:
        """Returns the facts of a rollout, each with when each seat first met it."""
        with self._lock:
            fold = self._fold(rollout)
            return [
                {
                    "name": fact.name,
                    "value": with_texts(fact.value),
                    "owners": fact.owners,
                    "step": fact.step,
                    "prior_p": fact.prior_p,
                    "decoy": fact.is_decoy,
                    "known": len(fact.known),
                    "wrong": len(fact.wrong),
                    "leaks": sum(fact.is_leak(fold.seats[seat]) for seat in fact.known),
                }
                for fact in fold.facts.values()
            ]

    def fact(self, rollout: int, number: int) -> dict[str, Any]:
        """Returns how one fact spread: (seat, step, index, whether it may not know it) for each seat that met it."""
        with self._lock:
            fold = self._fold(rollout)
            facts = list(fold.facts.values())
            if not 0 <= number < len(facts):
                raise DataError(f"rollout {rollout}", f"no fact {number}", f"{len(facts)} facts")
            fact = facts[number]
            met = sorted((index, step, seat) for seat, (step, index) in fact.known.items())
            rows = [[seat, step, index, fact.is_leak(fold.seats[seat])] for index, step, seat in met]
            return {"name": fact.name, "met": rows, "wrong": fact.wrong}

    def planner(self, rollout: int) -> dict[str, Any]:
        """Returns what the planner did in a rollout."""
        with self._lock:
            self._refresh()
            return planner_view(line.event() for line in self._log.read(rollout))

    def calls(self, rollout: int) -> list[dict[str, Any]]:
        """Returns one row for each model call of a rollout, without prompts and answers."""
        with self._lock:
            self._calls.refresh()
            return [place.row for place in self._calls.rollouts.get(rollout, [])]

    def call(self, rollout: int, number: int) -> Any:
        """Returns one model call: the exact request and answer."""
        with self._lock:
            self._calls.refresh()
            return with_texts(msgspec.to_builtins(self._calls.read(rollout, number)))

    def search(self, rollout: int, words: str) -> list[int]:
        """Returns the numbers of the events in whose data, kind or seat `words` occurs, capitals or not."""
        wanted = words.casefold()
        with self._lock:
            self._refresh()
            return [e.index for e in self._log.read(rollout) if wanted in _searchable(e.kind, e.seat, e.data)]

    def rollout_numbers(self) -> list[int]:
        """Returns the rollouts in the log."""
        with self._lock:
            self._refresh()
            return list(self._log.rollouts)

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._looked > _FRESH_S:
            self._log.refresh()
            self._looked = time.monotonic()

    def _fold(self, rollout: int) -> RolloutFold:
        """Returns the columns of a rollout as far as the log goes now."""
        self._refresh()
        place = self._log.rollouts.get(rollout)
        fold = self._folds.pop(rollout, None)
        if fold is None or place is None or fold.n_events > place.n_events:
            graph = self.graph()
            fold = RolloutFold([*graph["seats"], *([PLANNER] if graph["planner"] else [])])
        fold.extend(self._log.read(rollout, fold.n_events))
        self._folds[rollout] = fold
        while len(self._folds) > _FOLDS:
            self._folds.popitem(last=False)
        return fold

    def _counts(self, row: dict[str, Any]) -> dict[str, Any]:
        """Returns how many rollouts ended and failed: as the log says, which is never behind."""
        states = [place.status for place in self._log.rollouts.values()]
        return {
            "done": sum(s != "open" for s in states),
            "failed": states.count("failed"),
            "open": states.count("open"),
        }

    def _report(self) -> str:
        """Returns `current`, `old` (the run has gone on since it was written), or nothing where there is no report."""
        report = self.path / "report.html"
        if not report.is_file():
            return ""
        written = [path.stat().st_mtime for path in (self.path / "status.json", self.path / "events") if path.exists()]
        return "old" if report.stat().st_mtime < max(written, default=0.0) else "current"

    def _description(self) -> str:
        try:
            return read_scenario(self._folder.scenario).description or ""
        except (RequestError, OSError):
            return ""

    def _seat_kinds(self, social: Any) -> tuple[dict[str, str], str | None]:
        """Returns the kind of agent in each seat, and of the planner; empty if the scenario is unreadable."""
        try:
            scenario = read_scenario(self._folder.scenario)
            kinds = {seat: group.kind for seat, group, *_ in deal_seats(scenario, social)}
        except (RequestError, OSError):
            return {}, None
        return kinds, None if scenario.planner.kind == "none" else scenario.planner.kind


def _event(line: LogLine) -> dict[str, Any]:
    found = {
        "i": line.index,
        "step": line.step,
        "kind": line.kind,
        "seat": line.seat,
        "audience": line.audience,
        "data": line.data,
    }
    if not has_large(line.data):
        return found
    return found | {"data": with_texts(line.data), "exact": json.dumps(line.data, indent=2, ensure_ascii=False)}


def _searchable(kind: str, seat: str | None, data: Any) -> str:
    return f"{kind} {seat or ''} {' '.join(_texts(data))}".casefold()


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [] if value is None else [str(value)]

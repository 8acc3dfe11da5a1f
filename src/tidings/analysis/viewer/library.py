"""What can be asked of the viewer: a path of names and numbers gives a JSON value, live or in a bundle."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tidings.analysis.compare import compare_runs
from tidings.analysis.viewer.catalog import Catalog, run_row
from tidings.analysis.viewer.exact import with_texts
from tidings.analysis.viewer.views import RunView
from tidings.core import DataError

__all__ = ["Library", "NotThereError"]

_MAX_QUERY = 500


class NotThereError(DataError):
    """Nothing is known under this path."""


class Library:
    """All runs, and the resources of each.

    | path | what |
    |---|---|
    | `runs` | the table of runs |
    | `compare/ID/ID` | two runs side by side |
    | `run/ID` | one run; `/rollouts/PAGE`, `/failures/PAGE`, `/summary/PAGE` |
    | `run/ID/R` | columns of a rollout; `/events/PAGE`, `/block/N`, `/facts`, `/fact/N`, `/planner`, `/calls`... |
    | `run/ID/R/search` | with `q`: numbers of the events that hold these words (live only) |
    """

    def __init__(self, sources: Iterable[Path]) -> None:
        """Looks for runs in folders.

        Raises:
            DataError: If one of them is no folder.
        """
        self.catalog = Catalog(sources)
        self._views: dict[str, RunView] = {}
        self._lock = threading.Lock()

    def json(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Returns a resource as JSON bytes; numbers that are not finite become null.

        Raises:
            NotThereError: If there is no such resource.
            RequestError: If the run cannot be read.
        """
        return msgspec.json.encode(self.get(path, query))

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Returns a resource as a value (see `json`)."""
        parts = path.split("/")
        match parts:
            case ["runs"]:
                return self.runs()
            case ["compare", first, second]:
                return self._compare(first, second)
            case ["run", name]:
                return {"id": name, "label": self.catalog.labels.get(name, ""), **self.view(name).head()}
            case ["run", name, "rollouts", page]:
                return self.view(name).rollouts(_number(page))
            case ["run", name, "failures", page]:
                return self.view(name).rollouts(_number(page), only_failures=True)
            case ["run", name, "summary", page]:
                return self.view(name).summary(_number(page))
            case ["run", name, rollout, *rest]:
                return self._of_rollout(self.view(name), _number(rollout), rest, query or {})
        raise NotThereError(path[:200], "nothing is there")

    def runs(self) -> list[dict[str, Any]]:
        """Returns the table of runs, looking again which there are."""
        with self._lock:
            self.catalog.refresh()
            found = list(self.catalog.paths.items())
        rows = []
        for name, path in found:
            row = run_row(path)
            if row.get("status") in ("running", "interrupted", "broken") and row.get("log") == "full":
                head = self.view(name).head()
                row |= {key: head[key] for key in ("done", "failed", "problem")}
            rows.append({"id": name, "label": self.catalog.labels.get(name, path.name), **row})
        return rows

    def view(self, name: str) -> RunView:
        """Returns the view of a run.

        Raises:
            NotThereError: If no run has this id.
        """
        with self._lock:
            path = self.catalog.paths.get(name)
            if path is None:
                raise NotThereError(name[:50], "no run has this id")
            view = self._views.get(name)
            if view is None or view.path != path:
                view = self._views[name] = RunView(path)
            return view

    def report(self, name: str) -> bytes:
        """Returns the report of a run, as it was written into its folder.

        Raises:
            NotThereError: If no run has this id, or it has no report.
        """
        path = self.view(name).path / "report.html"
        if not path.is_file():
            raise NotThereError(name[:50], "this run has no report", fix="tidings report RUN")
        return path.read_bytes()

    def _compare(self, first: str, second: str) -> dict[str, Any]:
        found = compare_runs(self.view(first).path, self.view(second).path).to_json()
        return {"labels": [self.catalog.labels[first], self.catalog.labels[second]], **with_texts(found)}

    def _of_rollout(self, view: RunView, rollout: int, rest: list[str], query: Mapping[str, str]) -> Any:
        match rest:
            case []:
                return view.columns(rollout)
            case ["events", page]:
                return view.events(rollout, _number(page))
            case ["block", number]:
                return view.block(rollout, _number(number))
            case ["facts"]:
                return view.facts(rollout)
            case ["fact", number]:
                return view.fact(rollout, _number(number))
            case ["planner"]:
                return view.planner(rollout)
            case ["calls"]:
                return view.calls(rollout)
            case ["call", number]:
                return view.call(rollout, _number(number))
            case ["search"] if query.get("q"):
                return view.search(rollout, query["q"][:_MAX_QUERY])
        raise NotThereError("/".join(rest)[:200], "nothing is there")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NotThereError(text[:50], "not a number")
    return int(text)

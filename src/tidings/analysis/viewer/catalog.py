"""The runs the viewer shows, by ids that are looked up in a table and never made into paths."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tidings.analysis.report.kinds import kind_of
from tidings.analysis.viewer.exact import with_texts
from tidings.core import DataError, RequestError
from tidings.runner.folder import RunFolder

__all__ = ["Catalog", "run_row"]

_DEPTH = 5
_INSIDE_A_RUN = frozenset({"events", "calls", "summary"})


class Catalog:
    """Runs found in some folders.

    Attributes:
        paths: Id -> folder.
        labels: Id -> how the run is called: its path below the folder it was found in.
    """

    def __init__(self, sources: Iterable[Path]) -> None:
        """Looks for runs.

        Raises:
            DataError: If a source is no folder.
        """
        self._sources = tuple(sources)
        for source in self._sources:
            if not source.is_dir():
                raise DataError(str(source), "no such folder", "a run folder, or a folder of runs", "tidings run")
        self.paths: dict[str, Path] = {}
        self.labels: dict[str, str] = {}
        self.refresh()

    def refresh(self) -> None:
        """Looks again: runs may have come or gone."""
        paths: dict[str, Path] = {}
        labels: dict[str, str] = {}
        for source in self._sources:
            for path in _find_runs(source):
                name = blake2b(os.fsencode(path.resolve()), digest_size=6).hexdigest()
                paths[name] = path
                labels[name] = path.resolve().name if path == source else path.relative_to(source).as_posix()
        self.paths, self.labels = paths, labels


def run_row(path: Path) -> dict[str, Any]:
    """Returns what the table of runs says about one run, the figure that answers its question first.

    Only small files are read.

    `problem` says what is wrong with a folder that cannot be read; then other keys may be missing.
    """
    try:
        folder = RunFolder(path)
        manifest, status = folder.read_json("manifest.json"), folder.read_status()
        written = folder.read_json("status.json").get("status")
        figures = {} if written == "running" else folder.read_json("metrics.json")
    except (RequestError, OSError) as error:
        return {"name": path.name, "problem": str(error)}
    began, key = path / "manifest.json", kind_of(manifest.get("environment", "")).key
    return {
        "name": manifest.get("name", path.name),
        "environment": manifest.get("environment", ""),
        "seed": with_texts(manifest.get("seed")),
        "log": manifest.get("log", "full"),
        "models": [str(model.get("id", name)) for name, model in manifest.get("models", {}).items()],
        "status": status.get("status", "unknown"),
        "message": status.get("message", ""),
        "rollouts": status.get("rollouts", manifest.get("rollouts", 0)),
        "done": status.get("done", 0),
        "failed": status.get("failed", 0),
        "calls": status.get("calls", 0),
        "cached": status.get("cached", 0),
        "tokens": status.get("tokens", 0),
        "usd": status.get("usd"),
        "elapsed_s": status.get("elapsed_s", 0.0),
        "began": began.stat().st_mtime if began.exists() else None,
        "metrics": [figures[name] for name in sorted(figures, key=lambda name: name != key)],
        "problem": "",
    }


def _find_runs(source: Path) -> Iterator[Path]:
    """Yields the run folders in and below a folder, never those inside a run."""
    for folder, names, files in os.walk(source, followlinks=False):
        path = Path(folder)
        if "scenario.yaml" in files and "manifest.json" in files:
            names.clear()
            yield path
        elif len(path.relative_to(source).parts) >= _DEPTH:
            names.clear()
        else:
            names[:] = sorted(name for name in names if not name.startswith(".") and name not in _INSIDE_A_RUN)

"""The table of suites: name -> `module:function`. Adding one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from tidings.core import RequestError, suggest

__all__ = ["SUITES", "Suite", "SuiteReport", "find_suite"]

SUITES: Mapping[str, str] = {
    "steering-analytical": "tidings.benchmarks.steering:run_analytical",
    "steering-extensions": "tidings.benchmarks.steering:run_extensions",
    "steering-hybrid": "tidings.benchmarks.steering:run_hybrid",
    "steering-llm": "tidings.benchmarks.steering:run_llm",
}


class SuiteReport(Protocol):
    """What a suite returns."""

    @property
    def n_failed(self) -> int:
        """Rollouts that failed."""
        ...

    def text(self) -> str:
        """Returns the tables as Markdown."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Returns the scores as JSON values."""
        ...


class Suite(Protocol):
    """Plays and scores a suite. The first line of its docstring is what `tidings list suites` shows."""

    def __call__(self, model: str | None, out: Path, *, is_full: bool) -> SuiteReport:
        """Returns the scores.

        Args:
            model: Language model as `provider/model`, for suites that need one.
            out: Folder for run folders.
            is_full: Whether to take the large grid.
        """
        ...


def find_suite(name: str) -> Suite:
    """Returns the function of a suite.

    Raises:
        RequestError: If there is no such suite.
    """
    if name not in SUITES:
        allowed = f"allowed: {', '.join(sorted(SUITES))}"
        raise RequestError("suite", f"no suite {name!r}", allowed, suggest(name, SUITES))
    module, _, function = SUITES[name].partition(":")
    return getattr(import_module(module), function)

"""The table of suites: name -> `module:function`. Adding one is one file and one line here."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from tidings.core import RequestError, suggest

__all__ = ["SUITES", "Suite", "SuiteReport", "check_options", "find_suite"]

SUITES: Mapping[str, str] = {
    "deliberation": "tidings.benchmarks.deliberation:run_deliberation",
    "dialop": "tidings.benchmarks.asymmetry.dialop_suite:run_dialop",
    "hidden_profile": "tidings.benchmarks.asymmetry.hidden_profile_suite:run_hidden_profile",
    "informative": "tidings.benchmarks.asymmetry.informative_suite:run_informative",
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
    """Plays and scores a suite. The first line of its docstring is what `tidings list suites` shows.

    A suite takes the options that it names as keywords: `data` (a path or `hf:owner/name`), `seeds`, `items`.
    """

    def __call__(self, model: str | None, out: Path, *, is_full: bool, **options: Any) -> SuiteReport:
        """Returns the scores.

        Args:
            model: Language model as `provider/model`, for suites that need one.
            out: Folder for run folders.
            is_full: Whether to take the large grid.
            **options: Those that the user gave.
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


def check_options(name: str, suite: Suite, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options that were given.

    Raises:
        RequestError: If the suite does not take one of them.
    """
    taken = inspect.signature(suite).parameters
    options = {option: value for option, value in given.items() if value is not None}
    for option in options:
        if option not in taken:
            raise RequestError(f"--{option}", f"the suite {name} does not take it", fix="leave it out")
    return options

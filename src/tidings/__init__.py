"""How news travels between agents who each know only a part of the truth, and what a planner can do about it.

    import tidings

    run = tidings.run("scenarios/quickstart.yaml", rollouts=20)
    run.metrics()

Importing this package loads no model, no Ray and no LangGraph.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tidings.analysis.run import Run, load_run
    from tidings.api import fork, load_scenario, resume, run
    from tidings.spec.scenario import Scenario

__all__ = ["Run", "Scenario", "fork", "load_run", "load_scenario", "resume", "run"]

_HOMES = {
    "Run": "tidings.analysis.run",
    "Scenario": "tidings.spec.scenario",
    "fork": "tidings.api",
    "load_run": "tidings.analysis.run",
    "load_scenario": "tidings.api",
    "resume": "tidings.api",
    "run": "tidings.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tidings' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

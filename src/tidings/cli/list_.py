"""`tidings list KIND`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["list_"]


class Kind(StrEnum):
    """What can be listed."""

    environments = "environments"
    agents = "agents"
    planners = "planners"
    metrics = "metrics"
    models = "models"
    graphs = "graphs"
    suites = "suites"


def list_(kind: Annotated[Kind, typer.Argument(help="What to list.")]) -> None:
    """List what a scenario can name, one a line with what it is."""
    for name, words in _entries(kind):
        print(f"{name:24} {words}".rstrip())


def _entries(kind: Kind) -> list[tuple[str, str]]:
    if kind is Kind.metrics:
        from tidings.metrics.table import FLOW, METRICS

        rows = [(name, f"rows  {env}: {_first(f)}") for env, table in METRICS.items() for name, f in table.items()]
        return rows + [(name, f"{metric.tier:4}  {metric.text}") for name, metric in FLOW.items()]
    if kind is Kind.graphs:
        from tidings.spec.graphs import GENERATORS

        return [(name, GENERATORS[name].text) for name in sorted(GENERATORS)]
    if kind is Kind.suites:
        from tidings.benchmarks.table import SUITES, find_suite

        return [(name, _first(find_suite(name))) for name in sorted(SUITES)]
    from tidings.simulation.registry import TABLES, find

    role = kind.value.removesuffix("s")
    entries = [(name, _first(find(role, name, role))) for name in sorted(TABLES[role])]  # type: ignore[arg-type, index]
    return [("none", "No planner: the free baseline precision."), *entries] if kind is Kind.planners else entries


def _first(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0].removeprefix("Returns ")

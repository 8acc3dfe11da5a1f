"""`tidings list KIND`."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from tidings.cli.output import AsJson, check_word, print_json

__all__ = ["list_"]


_KINDS = ("environments", "agents", "planners", "metrics", "models", "graphs", "suites")


def list_(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(_KINDS)}.", metavar="KIND")], json: AsJson = False
) -> None:
    """List what a scenario can name, one a line with what it is."""
    check_word("KIND", kind, _KINDS)
    entries = _entries(kind)
    if json:
        print_json(dict(entries))
        return
    for name, words in entries:
        print(f"{name:24} {words}".rstrip())


def _entries(kind: str) -> list[tuple[str, str]]:
    if kind == "metrics":
        from tidings.metrics.table import FLOW, METRICS

        rows = [(name, f"rows  {env}: {_first(f)}") for env, table in METRICS.items() for name, f in table.items()]
        return rows + [(name, f"{metric.tier:4}  {metric.text}") for name, metric in FLOW.items()]
    if kind == "graphs":
        from tidings.spec.graphs import GENERATORS

        return [(name, GENERATORS[name].text) for name in sorted(GENERATORS)]
    if kind == "suites":
        from tidings.benchmarks.table import SUITES, find_suite

        return [(name, _first(find_suite(name))) for name in sorted(SUITES)]
    from tidings.simulation.registry import TABLES, find

    role = kind.removesuffix("s")
    entries = [(name, _first(find(role, name, role))) for name in sorted(TABLES[role])]  # type: ignore[arg-type, index]
    if kind == "environments":
        entries = [(name, _first(import_module(find("environment", name, role).__module__))) for name, _ in entries]
    return [("none", "No planner: the free baseline precision."), *entries] if kind == "planners" else entries


def _first(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0].removeprefix("Returns ")

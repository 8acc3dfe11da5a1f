"""The rational twin of a run: the same scenario on the same seeds, with an exact reasoner in every seat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from tidings.core import Event
from tidings.metrics.table import ROWS
from tidings.simulation.compile import Compiled, compile_scenario
from tidings.simulation.loop import drive
from tidings.spec.io import check_scenario, make_source
from tidings.spec.items import read_items
from tidings.spec.scenario import Scenario
from tidings.theory.herd_events import places_of

__all__ = ["correct_actions", "has_twin", "twin_rows", "twin_scenario", "why_no_twin"]

_RATIONAL = {"hidden_profile": "tally", "many_states": "bayesian", "social_learning": "bayesian"}
_SETTINGS: Mapping[str, Mapping[str, Any]] = {"hidden_profile": {"cites": True}}
"""Environment -> settings under which its exact seats can tell each other what they know."""
_MODEL_PLANNERS = ("llm",)


def has_twin(scenario: Scenario) -> bool:
    """Returns whether the scenario has a rational twin that differs from it."""
    return not why_no_twin(scenario)


def why_no_twin(scenario: Scenario) -> str:
    """Returns why the scenario has no rational twin that differs from it; empty if it has one."""
    kind = scenario.environment.kind
    rational = _RATIONAL.get(kind)
    if rational is None:
        return f"the best play of {kind} is not known"
    if scenario.planner.kind in _MODEL_PLANNERS:
        return "its planner is a language model"
    if not _is_exact(scenario):
        return "not every fact says what it is worth"
    if all(group.kind == rational for group in scenario.agents):
        return f"every seat is {rational} already, so this run is its own"
    return ""


def twin_scenario(scenario: Scenario) -> Scenario:
    """Returns the scenario with a rational agent in every seat."""
    kind = scenario.environment.kind
    settings = [(f"environment.{name}", value) for name, value in _SETTINGS.get(kind, {}).items()]
    return check_scenario(make_source(scenario, [("agents", [{"kind": _RATIONAL[kind], "nodes": "rest"}]), *settings]))


def correct_actions(events: Iterable[Event]) -> tuple[str, list[bool | None]]:
    """Returns the true state of a rollout of social learning, and whether each agent was right, in order of play.

    An agent that failed to act keeps its place; it is None there.
    """
    truth, right = "", dict[str | None, bool | None]()
    for event in events:
        if event.kind == "setup":
            right = dict.fromkeys(places_of(event.data))
        elif event.kind == "state":
            truth = event.data["value"]
        elif event.kind == "action":
            right[event.seat] = event.data["action"] == truth
    return truth, list(right.values())


async def twin_rows(scenario: Scenario, rollouts: Iterable[int]) -> pl.DataFrame:
    """Returns one row of figures for each rollout of the twin, with `correct`: whether each agent was right."""
    compiled = compile_scenario(twin_scenario(scenario))
    played = [(rollout, await _events(compiled, rollout)) for rollout in rollouts]
    ended = [(rollout, events) for rollout, events in played if events[-1].data.get("status") == "ok"]
    correct = pl.Series("correct", [correct_actions(events)[1] for _, events in ended], dtype=pl.List(pl.Boolean))
    return ROWS[scenario.environment.kind].frame(ended).with_columns(correct)


def _is_exact(scenario: Scenario) -> bool:
    """Returns whether the worth of every fact is known; a hidden profile in free text has no exact solver."""
    if scenario.environment.kind != "hidden_profile":
        return True
    items = read_items(scenario.environment).rows
    return all(fact.get("points") for item in items for fact in (*item["shared"], *item["hidden"]))


async def _events(compiled: Compiled, rollout: int) -> list[Event]:
    events: list[Event] = []
    await drive(compiled.play(rollout), compiled.agents, events.extend, compiled.scenario.rollouts.on_failure)
    return events

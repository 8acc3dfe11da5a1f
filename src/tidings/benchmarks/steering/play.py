"""Plays one scenario and returns what the scores need: a row a rollout, a row a turn, a row a stated belief."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tidings.benchmarks.plays import play_missing, run_key
from tidings.core import Event
from tidings.environments.fact_sheet import FactSheet
from tidings.log.reader import read_rollouts
from tidings.log.store import ENDED
from tidings.metrics.beliefs import herd_beliefs
from tidings.metrics.herd import HERD_COLUMNS, free_precision, herd_row
from tidings.runner.folder import RunFolder
from tidings.spec.errors import validate
from tidings.spec.io import read_scenario
from tidings.spec.scenario import Scenario
from tidings.theory.herd_events import HerdBelief, follow_herd, places_of

__all__ = ["BELIEF_COLUMNS", "TURN_COLUMNS", "Played", "herd_turns", "play", "read_played"]

TURN_COLUMNS = {
    "rollout": pl.Int64,
    "position": pl.Int64,
    "state": pl.String,
    "belief": pl.Float64,
    "precision": pl.Float64,
    "free": pl.Float64,
    "cost": pl.Float64,
    "signal": pl.String,
    "told": pl.String,
    "action": pl.String,
}
"""Columns of a frame of turns: one row for each agent that acted; `belief` is the public one before it moved, `told`
the state to which the words of its message point (null where they point nowhere)."""

BELIEF_COLUMNS = {
    "rollout": pl.Int64,
    "step": pl.Int64,
    "seat": pl.String,
    "position": pl.Int64,
    "signal": pl.String,
    "precision": pl.Float64,
    "belief": pl.Float64,
    "public": pl.Float64,
    "bayes": pl.Float64,
}
"""Columns of a frame of stated beliefs, as `tidings.metrics.beliefs` makes them."""


@dataclass(frozen=True)
class Played:
    """What happened in the rollouts of one scenario.

    Attributes:
        folder: The run folder.
        rows: One row for each rollout that ended well: `rollout` and the columns of `herd_row`.
        turns: One row a turn (`TURN_COLUMNS`) of these rollouts; empty if only a summary was logged, or if there are
            more than two states.
        beliefs: One row a stated belief (`BELIEF_COLUMNS`) of these rollouts; likewise.
        n_rollouts: Rollouts asked for.
        n_failed: Rollouts that failed; none of their rows are here.
        failures: How often each kind of failure happened, as `boundary/kind`.
    """

    folder: Path
    rows: pl.DataFrame
    turns: pl.DataFrame
    beliefs: pl.DataFrame
    n_rollouts: int
    n_failed: int
    failures: dict[str, int]


def play(scenario: Scenario, out: Path) -> Played:
    """Plays what is missing of a scenario of herding in a run folder of its own under `out`; returns what happened.

    A run that a cap stopped counts its missing rollouts as failed.

    Raises:
        RequestError: If the scenario cannot be built.
        KeyboardInterrupt: If it was interrupted; the same call goes on.
    """
    folder = play_missing(scenario, out / f"{scenario.name}-{run_key(scenario)}")
    return read_played(folder.path, scenario.rollouts.count)


def read_played(path: Path, n_rollouts: int) -> Played:
    """Returns what happened in a run folder.

    Args:
        path: The run folder.
        n_rollouts: Rollouts asked for; those that did not end well count as failed.
    """
    folder = RunFolder.open(path)
    if folder.summary.is_dir():
        rows = pl.read_parquet(sorted(folder.summary.glob("*.parquet")))
        empty = pl.DataFrame(schema=TURN_COLUMNS), pl.DataFrame(schema=BELIEF_COLUMNS)
        return Played(path, rows, *empty, n_rollouts, n_rollouts - len(rows), {})
    environment = read_scenario(folder.scenario).environment
    given = environment.params.get("fact_sheet")
    sheet = None if given is None else validate(FactSheet, given, "environment.fact_sheet")
    is_binary = environment.kind == "social_learning"
    rows, turns, beliefs, failures = [], [], [], {}
    for rollout, lines in read_rollouts(folder.events):
        for line in lines:
            if line.kind == "failure":
                name = f"{line.data['boundary']}/{line.data['error']}"
                failures[name] = failures.get(name, 0) + 1
        if lines[-1].kind != ENDED or lines[-1].data["status"] != "ok":
            continue
        events = [line.event() for line in lines]
        rows.append({"rollout": rollout, **herd_row(events)})
        if is_binary:
            turns += [{"rollout": rollout, **turn} for turn in herd_turns(events, sheet)]
            beliefs += [{"rollout": rollout, **row} for row in herd_beliefs(events)]
    frames = (
        pl.DataFrame(rows, schema={"rollout": pl.Int64, **HERD_COLUMNS}),
        pl.DataFrame(turns, schema=TURN_COLUMNS),
        pl.DataFrame(beliefs, schema=BELIEF_COLUMNS),
    )
    return Played(path, *frames, n_rollouts, n_rollouts - len(rows), failures)


def herd_turns(events: Iterable[Event], sheet: FactSheet | None = None) -> Iterator[dict[str, Any]]:
    """Yields one row for each agent of one rollout that acted: the columns of `TURN_COLUMNS` but `rollout`.

    Without a planner `precision` is the free one and `cost` is 0. `belief` is the public belief of rational observers.

    Args:
        events: All events of the rollout, in order.
        sheet: The statements of which messages are made, if signals are told in words.
    """
    herd, state, signal, told, cost = HerdBelief(), "", "", None, 0.0
    places: Mapping[str, int] = {}
    for event in events:
        if event.kind == "setup":
            places = places_of(event.data)
        elif event.kind == "state":
            state = event.data["value"]
        elif event.kind == "precision":
            cost = event.data["cost"]
        elif event.kind == "signal":
            signal = event.data["value"]
            told = sheet.points_to(event.data["text"]) if sheet else signal
        elif event.kind == "action" and herd.setup is not None and event.seat is not None:
            yield {
                "position": places[event.seat],
                "state": state,
                "belief": herd.belief,
                "precision": herd.precision(event.seat),
                "free": free_precision(herd.setup, event.seat),
                "cost": cost,
                "signal": signal,
                "told": told,
                "action": event.data["action"],
            }
        herd = follow_herd(herd, event)

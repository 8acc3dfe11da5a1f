"""Playing a recorded run again, from its recorded calls and with no model, to show that nothing else went into it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tidings.core import ActionSpec, Agent, DataError, Event, Observation, ReplayError, Reply, ReplyError
from tidings.log.codec import encode_step
from tidings.log.gaps import names_gaps
from tidings.log.reader import count_rollouts, read_rollouts
from tidings.models.session import replay_from
from tidings.runner.execute import blocking
from tidings.runner.folder import RunFolder
from tidings.simulation.compile import Compiled, compile_scenario
from tidings.simulation.loop import drive
from tidings.simulation.play import replies_of
from tidings.simulation.vectorised import plan_herds
from tidings.spec.io import read_scenario

__all__ = ["replay_run"]


@names_gaps
def replay_run(path: Path) -> tuple[int, int]:
    """Plays every logged rollout again and compares event by event.

    Returns:
        Rollouts and events that were compared.

    Raises:
        DataError: If there is no such run.
        ReplayError: At the first difference; the text names rollout, step and event.
    """
    folder = RunFolder.open(path)
    folder.refuse_fork("replayed")
    scenario = read_scenario(folder.scenario)
    compiled = compile_scenario(
        scenario, replay_from(folder.calls, folder.read_json("manifest.json").get("models", {}))
    )
    if folder.read_json("manifest.json").get("log") == "summary":
        return _replay_summary(folder, compiled), 0
    counts = blocking(_replay_events(folder, compiled))
    n_ended, n_done = count_rollouts(folder.events).n_ended, folder.read_status().get("done", 0)
    if n_ended < n_done:
        raise ReplayError(f"{path}: {n_done} rollouts had ended, the log holds {n_ended} of them; it was cut")
    return counts


async def _replay_events(folder: RunFolder, compiled: Compiled) -> tuple[int, int]:
    n_rollouts = n_events = 0
    for rollout, lines in read_rollouts(folder.events):
        events = [line.event() for line in lines]
        await _replay_one(compiled, rollout, events)
        n_rollouts, n_events = n_rollouts + 1, n_events + len(events)
        await asyncio.sleep(0)
    return n_rollouts, n_events


class _AllComparedError(Exception):
    """All logged events of a rollout in flight were compared."""


async def _replay_one(compiled: Compiled, rollout: int, logged: Sequence[Event]) -> None:
    done = 0

    def compare(events: list[Event]) -> None:
        nonlocal done
        for event in events:
            if done == len(logged):
                raise _AllComparedError
            if encode_step(rollout, [event]) != encode_step(rollout, [logged[done]]):
                where = f"rollout {rollout}, step {event.step}, event {event.index}"
                raise ReplayError(f"{where}: logged {_short(logged[done])}, replayed {_short(event)}")
            done += 1
        if done == len(logged) and events[-1].kind != "ended":
            raise _AllComparedError

    agents = {seat: _in_record(agent, seat, logged) for seat, agent in compiled.agents.items()}
    try:
        await drive(compiled.play(rollout), agents, compare, compiled.scenario.rollouts.on_failure)
    except _AllComparedError:
        return
    if done != len(logged):
        raise ReplayError(f"rollout {rollout}: replayed {done} events, the log holds {len(logged)}")


class _RecordedSeat:
    """Stands in for a person: gives the replies that the log holds."""

    def __init__(self, seat: str, logged: Sequence[Event]) -> None:
        self._replies = {
            step: replies_of([e for e in logged if e.step == step and e.seat == seat])
            for step in {e.step for e in logged if e.seat == seat and e.kind in ("reply", "failure")}
        }

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        reply = self._replies.get(observation.step, {}).get(observation.seat)
        if reply is None or reply.failure:
            boundary, _, kind = (reply.failure if reply and reply.failure else "reply/missing").partition("/")
            error = ReplyError(kind, "as recorded")
            error.boundary = boundary
            raise error
        return reply


def _in_record(agent: Agent, seat: str, logged: Sequence[Event]) -> Agent:
    return _RecordedSeat(seat, logged) if getattr(agent, "is_human", False) else agent


def _short(event: Event) -> str:
    text = f"{event.kind} of {event.seat}: {event.data}"
    return text if len(text) <= 160 else text[:157] + "..."


def _replay_summary(folder: RunFolder, compiled: Compiled) -> int:
    plan = plan_herds(compiled)
    if plan is None:
        raise DataError(str(folder.path), "its rows came from rational seats, its scenario no longer does")
    n = 0
    for path in sorted(folder.summary.glob("*.parquet")):
        logged = pl.read_parquet(path)
        if not plan.rows(logged["rollout"].to_numpy()).equals(logged):
            raise ReplayError(f"{path}: the rows do not follow from the scenario and the seed")
        n += len(logged)
    return n

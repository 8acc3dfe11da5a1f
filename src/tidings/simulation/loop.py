"""The loop: ask the seats that are due, all at once, and commit what follows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from tidings.core import Agent, Event, LimitError, RecordError, ReplayError, Reply, RequestError, SeatError, Turn
from tidings.simulation.play import Play, failure_event

__all__ = ["OnFailure", "drive"]

OnFailure = Literal["stop", "abstain"]

_log = logging.getLogger("tidings")


async def drive(
    play: Play,
    agents: Mapping[str, Agent],
    commit: Callable[[list[Event]], None],
    on_failure: OnFailure = "stop",
    before_step: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Plays a rollout from where it stands to its end.

    Args:
        play: The rollout; opened here if nothing has happened yet.
        agents: Seat -> agent.
        commit: Called with the events of each step; what it has taken is never lost.
        on_failure: What a failed seat means: `stop` ends the rollout as failed, `abstain` lets the environment go on
            without that seat's action. Either way the failure is an event.
        before_step: Awaited before the seats of a step are asked; holds a rollout back that runs ahead of its log.

    Raises:
        LimitError: If a cap of the run was reached; the step in flight is not committed.
        RecordError: If a model call cannot be recorded; likewise.
    """
    if play.step == 0:
        commit(play.open())
    while turns := play.due():
        if before_step is not None:
            await before_step()
        replies, failures = await _ask_all(play, agents, turns)
        commit(play.advance(replies, failures, stop=bool(failures) and on_failure == "stop"))


async def _ask_all(
    play: Play, agents: Mapping[str, Agent], turns: tuple[Turn, ...]
) -> tuple[dict[str, Reply], list[Event]]:
    """Returns the replies of all due seats, and a failure event for each that gave none, in the order of `turns`."""
    if len(turns) == 1:
        results = [await _ask(play, agents[turns[0].seat], turns[0])]
    else:
        results = await asyncio.gather(*[_ask(play, agents[turn.seat], turn) for turn in turns], return_exceptions=True)
    replies: dict[str, Reply] = {}
    failures: list[Event] = []
    for turn, result in zip(turns, results, strict=True):
        if isinstance(result, BaseException):
            raise result
        reply, failure = result
        replies[turn.seat] = reply
        if failure is not None:
            failures.append(failure)
    return replies, failures


async def _ask(play: Play, agent: Agent, turn: Turn) -> tuple[Reply, Event | None]:
    """Returns a seat's checked reply, or the event that says why there is none."""
    try:
        reply = await agent.act(play.observe(turn.seat), turn.spec)
        return Reply(turn.spec.check(reply.action), reply.thoughts), None
    except (LimitError, RecordError, ReplayError, RequestError):
        raise
    except Exception as error:
        if not isinstance(error, SeatError):
            _log.exception("seat %s failed in rollout %d, step %d", turn.seat, play.rollout, play.step)
        failure = failure_event(turn.seat, error)
        return Reply(None, failure=f"{failure.data['boundary']}/{failure.data['error']}"), failure

"""What every agent must satisfy; outsiders run it on their own: `check_agent(make_agent)`.

A check that fails raises `AgentConformanceError` naming the promise that was broken and the turn it was broken in.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import NamedTuple

from tidings.core import (
    EVERYONE,
    ActionSpec,
    Agent,
    ChoiceSpec,
    Event,
    EventView,
    LimitError,
    NumberSpec,
    Observation,
    PublicRecord,
    Reply,
    SeatError,
    SeedPath,
    StructuredSpec,
    TextSpec,
    TidingsError,
)

__all__ = ["TURNS", "AgentConformanceError", "AgentTurn", "check_agent"]


class AgentConformanceError(TidingsError):
    """An agent breaks a promise that the rest of the house relies on."""


class AgentTurn(NamedTuple):
    """One turn to try an agent in.

    Attributes:
        name: What the error calls it.
        spec: What is asked.
        public: Events for everyone.
        private: Events for the seat.
        seat: The seat.
        step: The step being decided.
    """

    name: str
    spec: ActionSpec
    public: tuple[Event, ...] = ()
    private: tuple[Event, ...] = ()
    seat: str = "a0"
    step: int = 1

    def observation(self, seed: int = 0) -> Observation:
        """Returns a fresh observation with its own copy of every event."""
        record, private = PublicRecord(), [event._replace(data=deepcopy(event.data)) for event in self.private]
        record.events.extend(event._replace(data=deepcopy(event.data)) for event in self.public)
        path = SeedPath.root(seed).child("rollout", 0, "seat", self.seat, self.step)
        return Observation(self.seat, 0, self.step, path, record, EventView(private, len(private)))


_NEWS = (Event("message", EVERYONE, {"text": "It rains.", "round": 1}, "a1", 1, 2),)
_OWN = (
    Event("fact", ("a0",), {"fact": "f0", "value": "It is cold."}, "a0", 0, 1),
    Event("reply", ("a0",), {"action": "yes"}, "a0", 1, 3),
    Event("thought", ("a0",), {"about": "reasoning", "text": "Wait and see."}, "a0", 1, 4),
)
_CHOICE = ChoiceSpec(("yes", "no"), "Does it rain?")
_NUMBER = NumberSpec(0.0, 1.0, "How likely is rain?")

TURNS: tuple[AgentTurn, ...] = (
    AgentTurn("choice, nothing seen", _CHOICE),
    AgentTurn("choice", _CHOICE, _NEWS, _OWN, step=2),
    AgentTurn("number", _NUMBER, _NEWS, _OWN, step=2),
    AgentTurn("text", TextSpec(200, "What do you say?", allow_empty=True), _NEWS, _OWN, step=2),
    AgentTurn("structured", StructuredSpec({"belief": _NUMBER, "action": _CHOICE}), _NEWS, _OWN, step=2),
)
"""Turns of every kind, with and without a past."""


def check_agent(make_agent: Callable[[], Agent], turns: Sequence[AgentTurn] = TURNS) -> int:
    """Runs every check on an agent.

    An agent may decline a turn by raising a `SeatError` (a bayesian agent needs a setup), but not all of them. Checked:

    * it gives a `Reply` whose action the spec allows and whose thoughts are JSON objects, or raises a `SeatError`;
    * the same observation gives the same reply, from the same agent and from a fresh one;
    * it changes neither its observation nor what it once returned;
    * turns played at the same time give the same replies as turns played one by one.

    Args:
        make_agent: Makes a fresh agent for seat `a0`.
        turns: What to try it in.

    Returns:
        In how many turns it acted.

    Raises:
        AgentConformanceError: At the first broken promise.
    """
    return asyncio.run(_check(make_agent, turns))


async def _check(make_agent: Callable[[], Agent], turns: Sequence[AgentTurn]) -> int:
    agent = make_agent()
    first = [await _act(agent, turn) for turn in turns]
    if all(isinstance(outcome, str) for outcome in first):
        raise AgentConformanceError(f"it acts in none of {len(turns)} turns: {first[0]}")
    shown = [_bytes(outcome) for outcome in first]
    for again, who in ((agent, "the same agent"), (make_agent(), "a fresh agent")):
        for turn, before in zip(turns, shown, strict=True):
            if _bytes(await _act(again, turn)) != before:
                raise AgentConformanceError(f"{turn.name}: {who} gave another reply to the same observation")
    together = await asyncio.gather(*[_act(agent, turn) for turn in turns])
    for turn, outcome, before in zip(turns, together, shown, strict=True):
        if _bytes(outcome) != before:
            raise AgentConformanceError(f"{turn.name}: another reply when several turns are played at the same time")
    if [_bytes(outcome) for outcome in first] != shown:
        raise AgentConformanceError("a reply was changed after it had been given")
    return sum(isinstance(outcome, Reply) for outcome in first)


async def _act(agent: Agent, turn: AgentTurn) -> Reply | str:
    """Returns the checked reply, or the kind of failure."""
    observation = turn.observation()
    before = repr((observation.events, observation.seed, observation.step, observation.seat))
    try:
        reply = await agent.act(observation, turn.spec)
    except SeatError as error:
        return f"{error.boundary}/{error.kind}"
    except LimitError:
        raise
    except Exception as error:
        raise AgentConformanceError(f"{turn.name}: {type(error).__name__} instead of a SeatError: {error}") from error
    if repr((observation.events, observation.seed, observation.step, observation.seat)) != before:
        raise AgentConformanceError(f"{turn.name}: the observation was changed")
    _check_reply(reply, turn)
    return reply


def _check_reply(reply: Reply, turn: AgentTurn) -> None:
    if not isinstance(reply, Reply) or reply.failure is not None:
        raise AgentConformanceError(f"{turn.name}: need a Reply without failure, found {reply!r}")
    try:
        turn.spec.check(reply.action)
    except SeatError as error:
        raise AgentConformanceError(f"{turn.name}: the spec does not allow {reply.action!r}: {error}") from None
    if not isinstance(reply.thoughts, tuple) or not all(isinstance(thought, dict) for thought in reply.thoughts):
        raise AgentConformanceError(f"{turn.name}: thoughts must be a tuple of JSON objects, found {reply.thoughts!r}")
    try:
        if json.loads(_bytes(reply)) != [reply.action, list(reply.thoughts)]:
            raise AgentConformanceError(f"{turn.name}: action and thoughts must be JSON values")
    except (TypeError, ValueError) as error:
        raise AgentConformanceError(f"{turn.name}: action and thoughts must be JSON values: {error}") from None


def _bytes(outcome: Reply | str) -> str:
    shown = outcome if isinstance(outcome, str) else [outcome.action, outcome.thoughts]
    return json.dumps(shown, allow_nan=False, sort_keys=True)

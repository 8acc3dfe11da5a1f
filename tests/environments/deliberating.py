"""Plays deliberations with stub seats, for tests."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidings.core import PLANNER, Event, Observation, Reply, ReplyError, SeatContext, SeedPath, SocialGraph, World
from tidings.core.errors import SeatError
from tidings.environments.deliberation import Deliberation, DeliberationParams
from tidings.simulation.play import Play, failure_event
from tidings.simulation.registry import check_params

ITEM = {"id": "q", "kind": "number", "text": "What is 2 + 2?", "gold": ["4"]}


def seats_of(n: int) -> tuple[str, ...]:
    return tuple(f"a{i}" for i in range(n))


def complete(n: int) -> SocialGraph:
    seats = seats_of(n)
    return SocialGraph.from_edges(seats, [(u, v) for u in seats for v in seats if u < v], directed=False)


def environment(
    n: int = 4, *, graph: SocialGraph | None = None, items: Any = (ITEM,), planner: bool = True, **params: Any
) -> Deliberation:
    return Deliberation.build(DeliberationParams(**params), World(graph or complete(n), planner, {}, tuple(items)))


def planner(kind: str, rules: Deliberation, model: Any = None, **params: Any) -> Any:
    component, settings = check_params("planner", kind, params, "planner")
    context = SeatContext(PLANNER, "", lambda event: "", model, graph=rules.graph, settings=rules.params.model_dump())
    return component.build(settings, context)


@dataclass
class Played:
    """What happened, and what every seat had been shown when it was asked.

    `read` holds for each turn (seat, step) the texts of others that the events of the *current* round brought it.
    """

    events: list[Event] = field(default_factory=list)
    read: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    status: str = ""

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    @property
    def result(self) -> Mapping[str, Any]:
        return self.of("result")[0].data


Speak = Callable[[str, Observation], str]


def fresh(observation: Observation) -> list[Event]:
    """Returns the messages of others that a seat reads now: those since the round began."""
    events = observation.events
    start = max((i for i, event in enumerate(events) if event.kind == "round"), default=-1)
    return [e for e in events[start + 1 :] if e.kind == "message" and e.seat != observation.seat]


def deliberate(
    rules: Deliberation,
    steering: Any = None,
    speak: Speak | None = None,
    *,
    failing: Callable[[str, int], bool] = lambda seat, step: False,
    seed: int = 0,
    rollout: int = 0,
) -> Played:
    """Plays one rollout. `speak` gives the text of a seat from what it sees; by default all texts are different."""
    play, played = Play(rules, SeedPath.root(seed), rollout), Played()
    played.events += play.open()
    while turns := play.due():
        played.asked.append(tuple(turn.seat for turn in turns))
        replies: dict[str, Reply] = {}
        failures: list[Event] = []
        for turn in turns:
            seen = play.observe(turn.seat)
            try:
                if failing(turn.seat, play.step):
                    raise ReplyError("planted", "as the test says")
                if turn.seat == PLANNER:
                    reply = asyncio.run(steering.act(seen, turn.spec))
                else:
                    played.read[turn.seat, play.step] = [e.data["text"] for e in fresh(seen)]
                    text = (speak or unique)(turn.seat, seen)
                    reply = Reply(text)
                replies[turn.seat] = Reply(turn.spec.check(reply.action), reply.thoughts)
            except SeatError as error:
                failures.append(failure_event(turn.seat, error))
                replies[turn.seat] = Reply(None, failure=f"{error.boundary}/{error.kind}")
        played.events += play.advance(replies, failures)
    played.status = play.status
    for event in played.events:
        json.dumps(event.data, allow_nan=False)
    return played


def unique(seat: str, seen: Observation) -> str:
    return f"{seat} at step {seen.step}: The answer is {seen.step}{seat[1:]}"

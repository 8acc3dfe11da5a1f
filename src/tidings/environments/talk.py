"""Talk in rounds: everybody says something at once, and it reaches those who hear them.

The plainest place for news to travel. Seats may own private facts; in each round all seats speak at the same time, so
nobody reads what others say in the same round. Saying nothing is allowed.

| event | audience | data |
|---|---|---|
| `topic` | all | `text` |
| `fact` | its owner | `fact`, `value` |
| `message` | those who hear the speaker | `text`, `round` |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from tidings.core import (
    EVERYONE,
    Event,
    Reply,
    ScenarioError,
    SeedPath,
    SocialGraph,
    TextSpec,
    Transition,
    Turn,
    World,
    deliver,
    suggest,
)
from tidings.spec.base import Params

__all__ = ["Talk"]


class TalkParams(Params):
    """Settings of the environment `talk`."""

    rounds: Annotated[int, Field(ge=1)] = 3
    """How often everybody speaks."""
    topic: str = "Tell the others what you know."
    """What all seats are told at the beginning."""
    facts: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Seat -> (fact id -> its text): what each seat alone knows at the beginning."""
    max_chars: Annotated[int, Field(ge=1)] = 500
    """Longest message, in characters."""


class TalkState(NamedTuple):
    """Where a rollout stands: rounds already spoken."""

    done: int


@dataclass(frozen=True)
class Talk:
    """Rules of talk in rounds."""

    params: TalkParams
    graph: SocialGraph
    turns_of_a_round: tuple[Turn, ...]

    Params: ClassVar[type[Params]] = TalkParams

    @classmethod
    def build(cls, params: TalkParams, world: World) -> Talk:
        """Returns the environment on this graph.

        Raises:
            ScenarioError: If a fact is given to a seat that does not exist, or the scenario has a planner.
        """
        seats = world.graph.seats
        if world.has_planner:
            raise ScenarioError("planner.kind", "the environment talk has no planner's turn", "allowed: none")
        for seat in params.facts:
            if seat not in seats:
                found, hint = f"found seat {seat!r}", suggest(seat, seats)
                raise ScenarioError("environment.facts", found, f"{len(seats)} seats exist", hint)
        spec = TextSpec(params.max_chars, "What do you say to those who hear you?", allow_empty=True)
        return cls(params, world.graph, tuple(Turn(seat, spec) for seat in seats))

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats."""
        return self.graph.seats

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening: the topic for all, and each fact for its owner."""
        events = [Event("topic", EVERYONE, {"text": self.params.topic})]
        for seat, facts in self.params.facts.items():
            events += [Event("fact", (seat,), {"fact": fact, "value": text}, seat) for fact, text in facts.items()]
        return Transition(TalkState(0), tuple(events))

    def turns(self, state: TalkState) -> tuple[Turn, ...]:
        """Returns a turn for everybody until all rounds are spoken."""
        return self.turns_of_a_round if state.done < self.params.rounds else ()

    def apply(self, state: TalkState, replies: Mapping[str, Reply]) -> Transition:
        """Returns the messages of a round; a seat that failed or said nothing sends none."""
        number = state.done + 1
        events = tuple(
            Event("message", deliver(self.graph, seat), {"text": reply.action, "round": number}, seat)
            for seat, reply in replies.items()
            if not reply.failure and reply.action.strip()
        )
        return Transition(TalkState(number), events)

    def brief(self, seat: str) -> str:
        """Returns the rules in words."""
        return (
            f"You talk with others for {self.params.rounds} rounds. In each round all speak at the same time, and only "
            "those connected to you hear you. Say nothing if you have nothing to say."
        )

    def describe(self, event: Event, seat: str) -> str:
        """Returns one line of words for what a seat may see."""
        if event.kind == "topic":
            return event.data["text"]
        if event.kind == "fact":
            return f"Only you know this: {event.data['value']}"
        if event.kind == "message":
            return f"{'You' if event.seat == seat else event.seat} said: {event.data['text']}"
        return ""

"""Whispers: a number goes round a chain of people, each of whom hears it only from the one before.

The whole environment is this file. `docs/tutorial-environment.md` walks through it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from tidings.core import NOBODY, Event, NumberSpec, Reply, SeedPath, Transition, Turn, World
from tidings.spec.base import Params


class WhispersParams(Params):
    """Settings of the environment `whispers`."""

    low: int = 0
    """Smallest number."""
    high: Annotated[int, Field(le=1000)] = 9
    """Largest number."""


class WhispersState(NamedTuple):
    """Who speaks next, and what was whispered to them."""

    position: int
    number: int


@dataclass(frozen=True)
class Whispers:
    """The first seat learns a number; each seat in turn whispers a number to the next; the last one says it aloud."""

    params: WhispersParams
    seats: tuple[str, ...]

    Params: ClassVar[type[Params]] = WhispersParams

    @classmethod
    def build(cls, params: WhispersParams, world: World) -> "Whispers":
        """Returns the environment; the order of the seats is the chain."""
        return cls(params, world.graph.seats)

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Draws the number and tells it to the first seat only."""
        low, high = self.params.low, self.params.high
        number = seed.generator("number").randint(low, high)
        secret = {"fact": "number", "value": number}
        declared = secret | {"owners": [self.seats[0]], "visibility": ["*"], "prior_p": 1 / (high - low + 1)}
        events = (Event("fact_declared", NOBODY, declared), Event("fact", (self.seats[0],), secret))
        return Transition(WhispersState(0, number), events)

    def turns(self, state: WhispersState) -> tuple[Turn, ...]:
        """Asks the next seat in the chain; nobody when all have spoken."""
        if state.position == len(self.seats):
            return ()
        spec = NumberSpec(self.params.low, self.params.high, "Which number do you pass on?", is_integer=True)
        return (Turn(self.seats[state.position], spec),)

    def apply(self, state: WhispersState, replies: Mapping[str, Reply]) -> Transition:
        """Passes the number on to the next seat; the last seat's number is heard by everybody."""
        (seat, reply) = next(iter(replies.items()))
        if reply.failure:  # nobody speaks in the place of a seat that failed: the chain breaks here
            return Transition(WhispersState(len(self.seats), state.number), ())
        number = int(reply.action)
        following = state.position + 1
        audience = ("*",) if following == len(self.seats) else (self.seats[following],)
        claim = {"fact": "number", "value": number, "polarity": 1, "hedged": False}
        event = Event("message", audience, {"text": f"The number is {number}.", "claims": [claim]}, seat)
        return Transition(WhispersState(following, number), (event,))

    def brief(self, seat: str) -> str:
        """Says the rules in words."""
        return "A number is whispered from one person to the next. Pass on what you heard."

    def describe(self, event: Event, seat: str) -> str:
        """Says one event in words."""
        if event.kind == "fact":
            return f"You are told the number {event.data['value']}."
        return f"{event.seat} said: {event.data['text']}" if event.kind == "message" else ""

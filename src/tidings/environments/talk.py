"""Talk in rounds: everybody says something at once, and it reaches those who hear them.

The plainest place for news to travel. Seats may own private facts; in each round all seats speak at the same time, so
nobody reads what others say in the same round. Saying nothing is allowed.

| event | audience | data |
|---|---|---|
| `topic` | all | `text` |
| `fact_declared` | nobody | the fact as the analyst knows it, see docs/design/003 |
| `fact` | its owner | `fact`, `value`, perhaps `text` |
| `message` | those who hear the speaker | `text`, `round`, and with `claims` what the speaker says it claims |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from tidings.core import (
    EVERYONE,
    ChoiceSpec,
    Event,
    Reply,
    ScenarioError,
    SeedPath,
    SocialGraph,
    StructuredSpec,
    TextSpec,
    Transition,
    Turn,
    World,
    deliver,
)
from tidings.environments.talk_facts import DrawnFact, check_facts, draw_facts, reword_fact
from tidings.spec.base import Params

__all__ = ["Talk"]

_ASSERTS, _DENIES = "asserts", "denies"
_SURE, _UNSURE = "sure", "unsure"


class TalkParams(Params):
    """Settings of the environment `talk`."""

    rounds: Annotated[int, Field(ge=1)] = 3
    """How often everybody speaks."""
    topic: str = "Tell the others what you know."
    """What all seats are told at the beginning."""
    facts: dict[str, dict[str, str | DrawnFact]] = Field(default_factory=dict)
    """Seat -> (fact id -> its text, or what it is drawn from): what each seat alone knows at the beginning."""
    claims: Annotated[int, Field(ge=0)] = 0
    """How many claims a speaker may state beside its text; with 0 a reply is a plain text."""
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
        if world.has_planner:
            raise ScenarioError("planner.kind", "the environment talk has no planner's turn", "allowed: none")
        check_facts(params.facts, world.graph.seats)
        text = TextSpec(params.max_chars, "What do you say to those who hear you?", allow_empty=True)
        spec = (
            StructuredSpec({"text": text, **_claim_fields(params)}, optional=_names(params)) if params.claims else text
        )
        return cls(params, world.graph, tuple(Turn(seat, spec) for seat in world.graph.seats))

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats."""
        return self.graph.seats

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening: the topic for all, and each fact for its owner."""
        topic = Event("topic", EVERYONE, {"text": self.params.topic})
        return Transition(TalkState(0), (topic, *draw_facts(self.params.facts, seed)))

    def turns(self, state: TalkState) -> tuple[Turn, ...]:
        """Returns a turn for everybody until all rounds are spoken."""
        return self.turns_of_a_round if state.done < self.params.rounds else ()

    def apply(self, state: TalkState, replies: Mapping[str, Reply]) -> Transition:
        """Returns the messages of a round; a seat that failed or said nothing sends none."""
        number = state.done + 1
        said = ((seat, self._said(reply.action)) for seat, reply in replies.items() if not reply.failure)
        events = tuple(
            Event("message", deliver(self.graph, seat), {**data, "round": number}, seat)
            for seat, data in said
            if data["text"].strip() or data.get("claims")
        )
        return Transition(TalkState(number), events)

    def _said(self, action: Any) -> dict[str, Any]:
        """Returns the data of a message: its text, and the claims that the speaker stated itself."""
        if not self.params.claims:
            return {"text": action}
        claims = [
            {
                "fact": action[name]["fact"],
                "value": action[name]["value"],
                "polarity": -1 if action[name].get("stance") == _DENIES else 1,
                "hedged": action[name].get("certainty") == _UNSURE,
            }
            for name in _claim_fields(self.params)
            if name in action
        ]
        return {"text": action["text"], "claims": claims}

    def with_fact(self, event: Event, value: Any, seed: SeedPath, rollout: int) -> Event:
        """Returns the event as it would be if the fact in it had this value."""
        return reword_fact(self.params.facts, event, value)

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
            return f"Only you know this: {event.data.get('text', event.data['value'])}"
        if event.kind == "message":
            return f"{'You' if event.seat == seat else event.seat} said: {event.data['text']}"
        return ""


def _names(params: TalkParams) -> frozenset[str]:
    return frozenset(_claim_fields(params))


def _claim_fields(params: TalkParams) -> dict[str, StructuredSpec]:
    """Returns the parts of a reply in which a speaker states its claims, each of which may be left out."""
    spec = StructuredSpec(
        {
            "fact": TextSpec(200, "Which fact?"),
            "value": TextSpec(params.max_chars, "Which value do you state or deny?"),
            "stance": ChoiceSpec((_ASSERTS, _DENIES), "Do you state it or deny it?"),
            "certainty": ChoiceSpec((_SURE, _UNSURE), "Are you sure?"),
        },
        "Which fact does your message state?",
        frozenset({"stance", "certainty"}),
    )
    return {f"claim_{n}": spec for n in range(1, params.claims + 1)}

"""Hidden profiles: a group votes, talks, and votes again; what all know favours a wrong option.

Everybody holds the shared facts and one hidden fact, each person reading them in an order of their own. All vote, then
speak in rounds (at the same time, heard over the graph), then vote again. Which hidden fact goes to whom and the order
of the options are drawn anew for every rollout; votes are the options' own words, so nothing has to be mapped back.

An item (`environment.items`) is `{"id", "text", "options": [...], "gold", "shared": [facts], "hidden": [facts]}`; a
fact is `{"fact", "text"}`, perhaps with `"points": {"option", "weight": 1 | -1}` where its worth is known exactly, and
with `"otherwise"`, the text that would be true if it were not so (for what-if questions). An item with fewer hidden
facts than there are seats is played by the first seats.

| event | audience | data |
|---|---|---|
| `question` | all | `text`, `options` in the order of this rollout |
| `gold` | nobody | `value`, `item` |
| `fact_declared` | nobody | as in `docs/design/003`; `phrases` holds the text |
| `fact` | its holder | `fact`, `value`, `text` |
| `vote` | the voter | `phase` (`before` or `after`), `ballot`, `option` |
| `message` | those of the item who hear the speaker | `text`, `round`, perhaps `claims` |
| `unknown_claim` | nobody | `fact`: cited by a speaker who was neither given nor told it |

The value of a fact is what it is worth, such as `Alder House +1`, or its text where that is not known. With `cites` a
message says which facts it states, `h1, h2: Alder House +1`; its `claims` are these words and nothing the environment
knows better: a fact cited without a value has the value null.

Votes stand in no transcript: they measure, and nobody reads them. So several ballots of one seat are independent.

Source: Stasser, Titus 1985; HiddenBench, arXiv 2505.11556.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from tidings.core import (
    EVERYONE,
    NOBODY,
    ActionSpec,
    ChoiceSpec,
    DataError,
    Event,
    Reply,
    RequestError,
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
from tidings.spec.base import Params
from tidings.spec.errors import validate

__all__ = ["HiddenProfile", "HiddenProfileItem", "HiddenProfileParams", "ItemFact"]

_SAY = "In one or two sentences: what do you tell the others?"
_CITE = "Which facts does it state? Their ids, separated by commas."
_CLAIM = re.compile(r"\s*\[?([^\s:;,\[\]]+)\]?(?:\s*:\s*([^,;]*))?")
_VOTE = "Which option is right?"


class HiddenProfileParams(Params):
    """Settings of the environment `hidden_profile`."""

    rounds: Annotated[int, Field(ge=0)] = 5
    """How often everybody speaks between the votes; with 0 there is one vote only, called `after`."""
    information: Literal["private", "full", "shared"] = "private"
    """What a seat holds: the shared facts and one hidden fact, all facts (the ceiling), or the shared ones alone."""
    voters: Annotated[int, Field(ge=1)] | None = None
    """Only so many of the seats vote and speak; all by default. One is the single agent."""
    ballots: Annotated[int, Field(ge=1)] = 1
    """Independent votes of each seat after the talk; more than one for self-consistency at equal calls."""
    cites: bool = False
    """Whether a message names the facts it states by their ids; this fills its `claims`."""
    max_chars: Annotated[int, Field(ge=1)] = 400
    """Longest message, in characters."""


class Points(Params):
    """What a fact is worth."""

    option: str
    """The option it speaks for or against."""
    weight: Literal[1, -1]
    """1 speaks for it, -1 against."""


class ItemFact(Params):
    """A fact of an item."""

    fact: str
    """Id, unique within the item."""
    text: str
    """What it says."""
    points: Points | None = None
    """What it is worth, where that is known exactly."""
    otherwise: str = ""
    """What it would say if it spoke the other way; then forks can swap it, and messages about it have bits."""
    variable: str = ""
    """What it is about, in words; a probe asks for the value of it."""

    @property
    def value(self) -> str:
        """What the fact comes to: option and weight, or the text where they are not known."""
        return f"{self.points.option} {self.points.weight:+d}" if self.points else self.text

    @property
    def texts(self) -> dict[str, str]:
        """Each value that it could have -> what it says then; one value alone if no other text is known."""
        other = f"{self.points.option} {-self.points.weight:+d}" if self.points else self.otherwise
        return {self.value: self.text} | ({other: self.otherwise} if self.otherwise else {})


class HiddenProfileItem(Params):
    """A task."""

    id: str
    """Unique within the file."""
    group: str = ""
    """Tasks that belong together, for the analyst."""
    text: str
    """The question as it is put."""
    options: tuple[str, ...]
    """The answers."""
    gold: str
    """The right one."""
    shared: tuple[ItemFact, ...]
    """What everybody holds."""
    hidden: Annotated[tuple[ItemFact, ...], Field(min_length=1)]
    """What one person each holds."""

    def problem(self) -> str:
        """Returns what is wrong with the item as a whole; empty if nothing is."""
        if len(set(self.options)) != len(self.options) or len(self.options) < 2:
            return f"options: found {list(self.options)}; need two or more, all different"
        if self.gold not in self.options:
            return f"gold: found {self.gold!r}; need one of the options"
        ids = [fact.fact for fact in (*self.shared, *self.hidden)]
        if len(set(ids)) != len(ids):
            return f"fact: an id comes twice among {ids}; need different ones"
        if same := [fact.fact for fact in (*self.shared, *self.hidden) if fact.otherwise == fact.text]:
            return f"otherwise: fact {same[0]!r} says the same either way; need another text"
        strange = {fact.points.option for fact in (*self.shared, *self.hidden) if fact.points} - set(self.options)
        return f"points: found {sorted(strange)}; need options of the item" if strange else ""


class HiddenProfileState(NamedTuple):
    """Where a rollout stands.

    Attributes:
        item: Number of the item.
        seats: Who takes part.
        options: In the order of this rollout.
        held: Seat -> ids of the facts it holds or was told by claim.
        phase: Steps done: the vote before (unless there is no talk), the rounds, the ballots after.
    """

    item: int
    seats: tuple[str, ...]
    options: tuple[str, ...]
    held: Mapping[str, frozenset[str]]
    phase: int


@dataclass(frozen=True)
class HiddenProfile:
    """Rules of a vote, a talk and a vote on hidden profiles."""

    params: HiddenProfileParams
    graph: SocialGraph
    items: tuple[HiddenProfileItem, ...]

    Params: ClassVar[type[Params]] = HiddenProfileParams

    @classmethod
    def build(cls, params: HiddenProfileParams, world: World) -> HiddenProfile:
        """Returns the environment on this graph.

        Raises:
            ScenarioError: If there are no items, a planner, or fewer seats than `voters`.
            RequestError: If an item is malformed, or has a hidden fact that nobody can hold; the error names the item.
        """
        n_seats = len(world.graph.seats)
        if world.has_planner:
            raise ScenarioError("planner.kind", "the environment hidden_profile has no planner's turn", "allowed: none")
        if not world.items:
            fix = "`tidings bench hidden_profile` writes some from its generator"
            raise ScenarioError("environment.items", "found none", "a file with one task a line, or a list", fix)
        if params.voters is not None and params.voters > n_seats:
            raise ScenarioError(
                "environment.voters", f"found {params.voters}", f"at most {n_seats}, the seats there are"
            )
        items = tuple(_read_item(row, number, n_seats) for number, row in enumerate(world.items, 1))
        return cls(params, world.graph, items)

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats."""
        return self.graph.seats

    @property
    def n_steps(self) -> int:
        """Steps of a rollout after the opening."""
        return bool(self.params.rounds) + self.params.rounds + self.params.ballots

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening: the question for all, and to each seat its facts in an order of its own."""
        number = rollout % len(self.items)
        item = self.items[number]
        holders = self.graph.seats[: len(item.hidden)]
        seats = holders[: self.params.voters]
        options = tuple(_shuffled(item.options, seed.child("options")))
        owner = dict(zip((f.fact for f in _shuffled(item.hidden, seed.child("hidden"))), holders, strict=True))
        held = {seat: self._facts_of(item, seat, owner) for seat in seats}
        events = [
            Event("question", EVERYONE, {"text": item.text, "options": list(options)}),
            Event("gold", NOBODY, {"value": item.gold, "item": item.id}),
        ]
        events += [self._declared(fact, held, owner.get(fact.fact)) for fact in (*item.shared, *item.hidden)]
        for seat in seats:
            events += [_given(fact, seat) for fact in _shuffled(held[seat], seed.child("view", seat))]
        ids = {seat: frozenset(fact.fact for fact in facts) for seat, facts in held.items()}
        return Transition(HiddenProfileState(number, seats, options, ids, 0), tuple(events))

    def turns(self, state: HiddenProfileState) -> tuple[Turn, ...]:
        """Returns a turn for every seat that takes part: to vote, to speak, to vote again."""
        if state.phase == self.n_steps:
            return ()
        spec = self._message_spec() if self._round(state.phase) else ChoiceSpec(state.options, _VOTE)
        return tuple(Turn(seat, spec) for seat in state.seats)

    def apply(self, state: HiddenProfileState, replies: Mapping[str, Reply]) -> Transition:
        """Returns the votes or the messages of a step; a seat that failed has none."""
        after = state._replace(phase=state.phase + 1)
        answers = {seat: replies[seat].action for seat in state.seats if not replies[seat].failure}
        number = self._round(state.phase)
        if not number:
            phase, ballot = self._ballot(state.phase)
            votes = [
                Event("vote", (seat,), {"phase": phase, "ballot": ballot, "option": option}, seat)
                for seat, option in answers.items()
            ]
            return Transition(after, tuple(votes))
        events: list[Event] = []
        held = dict(state.held)
        for seat, answer in answers.items():
            text, cites = (answer, "") if isinstance(answer, str) else (answer["text"], answer.get("cites", ""))
            if not text.strip():
                continue
            claims = _claims(cites)
            data = {"text": text, "round": number} | ({"claims": claims} if self.params.cites else {})
            audience = self._audience(state.seats, seat)
            events.append(Event("message", audience, data, seat))
            told = frozenset(claim["fact"] for claim in claims)
            unknown = sorted(told - state.held[seat])
            events += [Event("unknown_claim", NOBODY, {"fact": fact}, seat) for fact in unknown]
            for hearer in state.seats if audience == EVERYONE else audience:
                held[hearer] = held[hearer] | told
        return Transition(after._replace(held=held), tuple(events))

    def brief(self, seat: str) -> str:
        """Returns the rules in words."""
        if self.params.rounds == 0:
            return "You choose the right one of a few options. Use all the facts you have."
        return (
            "You are one of a group that must choose the right one of a few options. You know some facts; the others "
            f"may know facts that you do not. You talk for {self.params.rounds} rounds: in each round all speak at the "
            "same time, in one or two sentences, and those connected to you hear you. Then everybody votes."
        )

    def describe(self, event: Event, seat: str) -> str:
        """Returns one line of words for what a seat may see."""
        if event.kind == "question":
            return event.data["text"]
        if event.kind == "fact":
            name = f" [{event.data['fact']}]" if self.params.cites and self.params.rounds else ""
            return f"You know{name}: {event.data['text']}"
        if event.kind == "message":
            claims = [claim["fact"] for claim in event.data.get("claims", ())]
            cited = f" [{', '.join(claims)}]" if claims else ""
            return f"{'You' if event.seat == seat else event.seat} said{cited}: {event.data['text']}"
        return ""

    def with_fact(self, event: Event, value: Any, seed: SeedPath, rollout: int) -> Event:
        """Returns the event as it would be if the fact in it had this value.

        Raises:
            RequestError: If the item does not say what its text would be then.
        """
        item = self.items[rollout % len(self.items)]
        fact = next(fact for fact in (*item.shared, *item.hidden) if fact.fact == event.data["fact"])
        text = fact.texts.get(value) if fact.points or fact.otherwise else value
        if not isinstance(text, str):
            found, fix = f"no text for {fact.fact} = {value!r}", "say in the item what it would be: `otherwise`"
            raise RequestError("swap", found, f"values with a text: {', '.join(map(repr, fact.texts))}", fix)
        data = {**event.data, "value": value}
        return event._replace(data=data | ({"text": text} if "text" in data else {"phrases": [text]}))

    def _audience(self, seats: tuple[str, ...], speaker: str) -> tuple[str, ...]:
        return deliver(self.graph, speaker, None if seats == self.graph.seats else seats)

    def _facts_of(self, item: HiddenProfileItem, seat: str, owner: Mapping[str, str]) -> tuple[ItemFact, ...]:
        if self.params.information == "full":
            return (*item.shared, *item.hidden)
        own = () if self.params.information == "shared" else tuple(f for f in item.hidden if owner[f.fact] == seat)
        return (*item.shared, *own)

    def _declared(self, fact: ItemFact, held: Mapping[str, Sequence[ItemFact]], owner: str | None) -> Event:
        holders = [seat for seat, facts in held.items() if fact in facts]
        data: dict[str, Any] = {
            "fact": fact.fact,
            "value": fact.value,
            "owners": [owner] if owner and self.params.information == "private" and owner in held else holders,
            "visibility": ["*"],  # everybody may be told: that is what the talk is for
            "prior_p": 0.5,
            "phrases": [fact.text],
        }
        if fact.otherwise:
            data["domain"] = sorted(fact.texts)  # an order that does not tell which one is true
        if fact.variable:
            data["variable"] = fact.variable
        return Event("fact_declared", NOBODY, data)

    def _message_spec(self) -> ActionSpec:
        text = TextSpec(self.params.max_chars, _SAY, allow_empty=True)
        if not self.params.cites:
            return text
        cites = TextSpec(self.params.max_chars, _CITE, allow_empty=True)
        return StructuredSpec({"text": text, "cites": cites}, optional=frozenset({"cites"}))

    def _round(self, phase: int) -> int:
        """Returns the number of the round that a step is, from 1; 0 for a vote."""
        return phase if self.params.rounds and 1 <= phase <= self.params.rounds else 0

    def _ballot(self, phase: int) -> tuple[str, int]:
        first_after = self.params.rounds + bool(self.params.rounds)
        return ("before", 0) if phase < first_after else ("after", phase - first_after)


def _given(fact: ItemFact, seat: str) -> Event:
    return Event("fact", (seat,), {"fact": fact.fact, "value": fact.value, "text": fact.text}, seat)


def _claims(cites: str) -> list[dict[str, Any]]:
    """Returns what a speaker cited as claims, each fact once, in the order said."""
    stated = {
        match[1]: match[2].strip() if match[2] else None
        for match in map(_CLAIM.match, re.split("[,;]", cites))
        if match
    }
    return [{"fact": fact, "value": value, "polarity": 1, "hedged": False} for fact, value in stated.items()]


def _shuffled(things: Sequence[Any], seed: SeedPath) -> list[Any]:
    order = list(things)
    seed.generator().shuffle(order)
    return order


def _read_item(row: Mapping[str, Any], number: int, n_seats: int) -> HiddenProfileItem:
    where = f"environment.items, item {number}"
    item = validate(HiddenProfileItem, dict(row), f"environment.items.{number - 1}")
    if problem := item.problem():
        raise DataError(f"{where} ({item.id})", problem)
    if len(item.hidden) > n_seats:
        found = (
            f"{len(item.hidden)} hidden facts for {n_seats} seats, so nobody would hold fact {item.hidden[-1].fact!r}"
        )
        raise DataError(f"{where} ({item.id})", found, "a seat for each hidden fact", f"graph.n: {len(item.hidden)}")
    return item

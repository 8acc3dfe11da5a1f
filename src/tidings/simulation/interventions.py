"""What would have happened if: changes to a rollout that act on its events, before anybody sees them.

An intervention is a pure function from event to event. It holds for every environment, because events are all that ever
reaches a seat, and it cannot break the barrier: it takes seats out of an audience, or changes the words of a fact that
its owner is told anyway; it never adds a seat (`edit_events` refuses to).

| intervention | what it changes |
|---|---|
| `Drop(message)` | the message is said, and nobody (or not the seats named) hears it |
| `Mute(seat)` | whatever the seat says later reaches nobody |
| `Swap(fact, value)` | the owner is told another value of a private fact |

The rules and their hidden state stay as they were: a swap changes what a seat is told, not what is true. A fact that
derives from a swapped one (`derived_from`) has to be named too, since only the author of the scenario knows what it
would be. Where an environment says a fact in words of its own, it offers `with_fact`, see `RewordsFacts`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

from tidings.core import PLANNER, Environment, Event, RequestError, SeedPath, suggest
from tidings.metrics.facts import domain_prior

__all__ = [
    "SPOKEN",
    "Drop",
    "Intervention",
    "Mute",
    "RewordsFacts",
    "Swap",
    "check_interventions",
    "edit_events",
    "swapped",
]

SPOKEN = ("message", "action")
"""Kinds of events with which one seat reaches others: messages, and actions that others see."""


@dataclass(frozen=True)
class Drop:
    """A message that was said does not arrive.

    Attributes:
        message: Its index in the rollout.
        seats: The seats that do not get it; None for everybody but the one who said it.
    """

    message: int
    seats: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the intervention as JSON values."""
        return {"drop": self.message} | ({} if self.seats is None else {"seats": list(self.seats)})


@dataclass(frozen=True)
class Mute:
    """What a seat says from some step on reaches nobody.

    Attributes:
        seat: The seat.
        after: The last step in which it was still heard; None for the step of the fork.
    """

    seat: str
    after: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the intervention as JSON values."""
        return {"mute": self.seat, "after_step": self.after}


@dataclass(frozen=True)
class Swap:
    """A seat is told another value of a private fact.

    Attributes:
        fact: Id of the fact.
        value: The value it is told instead (JSON value).
    """

    fact: str
    value: Any

    def to_json(self) -> dict[str, Any]:
        """Returns the intervention as JSON values."""
        return {"swap": self.fact, "value": self.value}


Intervention: TypeAlias = Drop | Mute | Swap


@runtime_checkable
class RewordsFacts(Protocol):
    """What an environment may offer that tells a fact in words of its own making."""

    def with_fact(self, event: Event, value: Any, seed: SeedPath, rollout: int) -> Event:
        """Returns the event as it would be if the fact in it had this value; audience, seat, step and index stay.

        Args:
            event: It tells or declares the fact.
            value: The value. With the one that the fact has, the event stays as it is.
            seed: Seed path of the rollout, as for `initial`: the same draw words both values.
            rollout: Its number.

        Raises:
            RequestError: If no words are known for this value.
        """
        ...


def edit_events(
    interventions: Iterable[Intervention], environment: Environment, seed: SeedPath, rollout: int
) -> Callable[[Event], Event] | None:
    """Returns what the interventions together make of an event; None if there are none.

    Args:
        interventions: In the order in which they act.
        environment: The rules, asked to reword facts if they can.
        seed: Seed path of the rollout.
        rollout: Its number.
    """
    seats = tuple(environment.seats)  # to write out who is left of an audience of everybody
    steps = [_editor(one, environment, seats, seed, rollout) for one in interventions]
    if not steps:
        return None

    def edit(event: Event) -> Event:
        edited = event
        for step in steps:
            edited = step(edited)
        if edited is not event and not _audience(edited, seats) <= _audience(event, seats):
            raise RuntimeError(f"an intervention added seats to the audience of event {event.index}")
        return edited

    return edit


def swapped(event: Event, value: Any) -> Event:
    """Returns an event about a fact as it would be if the fact had this value, where the environment leaves that open.

    A `text` beside the value must state it in one place, so that it can be exchanged there; phrases that do not are
    left out.

    Raises:
        RequestError: If a text says the fact in other words.
    """
    old, data = event.data.get("value"), dict(event.data)
    data["value"] = value
    if "text" in data:
        data["text"] = _exchange(data["text"], _words(old), _words(value), str(data["fact"]))
    if "phrases" in data:
        data["phrases"] = _stated(data["phrases"], _words(old), _words(value), str(data["fact"]))
    if event.kind == "fact_declared":
        data = _with_prior(data, event.data)
    return event._replace(data=data)


def check_interventions(interventions: Iterable[Intervention], events: Iterable[Event], seats: Collection[str]) -> None:
    """Checks that each intervention finds in the logged rollout what it changes.

    Raises:
        RequestError: At the first that does not; the text says what there is.
    """
    logged, wanted = list(events), list(interventions)
    swaps = {one.fact for one in wanted if isinstance(one, Swap)}
    for one in wanted:
        if isinstance(one, Drop):
            _check_drop(one, logged, seats)
        elif isinstance(one, Mute):
            _check_mute(one, logged, seats)
        elif isinstance(one, Swap):
            _check_swap(one, logged, swaps)


def _check_drop(drop: Drop, logged: list[Event], seats: Collection[str]) -> None:
    found = next((event for event in logged if event.index == drop.message), None)
    if found is None or found.kind not in SPOKEN:
        what = "no such event" if found is None else f"event {drop.message} is a {found.kind}"
        some = [str(event.index) for event in logged if event.kind in SPOKEN]
        allowed = f"messages of this rollout: {', '.join(some[:20])}{', ...' if len(some) > 20 else ''}" * bool(some)
        raise RequestError("drop", what, allowed or "this rollout holds no message")
    hearers = _audience(found, seats) - {found.seat}
    missing = [seat for seat in drop.seats or () if seat not in hearers]
    if missing:
        allowed = f"who heard it: {', '.join(sorted(hearers)) or 'nobody'}"
        raise RequestError("drop", f"message {drop.message} did not reach {missing[0]!r}", allowed)


def _check_mute(mute: Mute, logged: list[Event], seats: Collection[str]) -> None:
    if mute.seat == PLANNER:
        fix = "another planner takes over with --planner"
        raise RequestError("mute", "the planner steers and sends no messages", "a seat that others hear", fix)
    if mute.seat not in seats:
        allowed = f"seats: {', '.join(sorted(seats)[:20])}"
        raise RequestError("mute", f"no seat {mute.seat!r}", allowed, suggest(mute.seat, seats))
    if not any(event.kind in SPOKEN for event in logged):
        raise RequestError("mute", "nobody says anything in this rollout", "a rollout with messages or actions")


def _check_swap(swap: Swap, logged: list[Event], swaps: Collection[str]) -> None:
    about = [event for event in logged if event.data.get("fact") == swap.fact and event.kind not in SPOKEN]
    if not about:
        known = dict.fromkeys(str(event.data["fact"]) for event in logged if "fact" in event.data)
        allowed = f"facts of this rollout: {', '.join(list(known)[:20]) or 'none'}"
        raise RequestError("swap", f"no fact {swap.fact!r}", allowed, suggest(swap.fact, known))
    for event in about:
        domain = event.data.get("domain")
        if isinstance(domain, list) and swap.value not in domain:
            raise RequestError("swap", f"{swap.fact} = {swap.value!r}", f"values of this fact: {json.dumps(domain)}")
    for event in logged:
        if event.kind == "fact_declared" and swap.fact in _sources(event) and event.data["fact"] not in swaps:
            derived, fix = event.data["fact"], "swap it too: only you know what it would be"
            raise RequestError("swap", f"{derived!r} derives from {swap.fact!r}", fix=fix)


def _sources(event: Event) -> list[str]:
    sources = event.data.get("derived_from") or []
    return [sources] if isinstance(sources, str) else list(sources)


def _editor(
    one: Intervention, environment: Environment, seats: tuple[str, ...], seed: SeedPath, rollout: int
) -> Callable[[Event], Event]:
    if isinstance(one, Drop):
        return lambda event: _unheard(event, one.seats, seats) if event.index == one.message else event
    if isinstance(one, Mute):
        return lambda event: (
            _unheard(event, None, seats)
            if event.seat == one.seat and event.step > (-1 if one.after is None else one.after) and event.kind in SPOKEN
            else event
        )

    def swap(event: Event) -> Event:
        if event.kind in SPOKEN or event.data.get("fact") != one.fact:
            return event
        if isinstance(environment, RewordsFacts):
            return environment.with_fact(event, one.value, seed, rollout)
        return swapped(event, one.value)

    return swap


def _unheard(event: Event, deaf: tuple[str, ...] | None, seats: tuple[str, ...]) -> Event:
    """Returns the event without some seats in its audience; the one it comes from always keeps it."""
    if deaf is None:
        own = event.seat is not None and event.seat in _audience(event, seats)
        return event._replace(audience=(event.seat,) if own and event.seat else ())
    kept = [seat for seat in seats if seat in _audience(event, seats) and seat not in deaf]
    return event._replace(audience=tuple(kept))


def _audience(event: Event, seats: Collection[str]) -> set[str]:
    """Returns the audience written out."""
    named = {seat for seat in event.audience if seat != "*"}
    return named | {seat for seat in seats if seat != PLANNER} if "*" in event.audience else named


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _stated(phrases: Iterable[Any], old: str, new: str, fact: str) -> list[str]:
    """Returns the phrases for the new value; none if one does not state the old value."""
    try:
        return [_exchange(phrase, old, new, fact) for phrase in phrases]
    except RequestError:
        return []


def _exchange(said: Any, old: str, new: str, fact: str) -> str:
    """Returns a text that states the new value where it stated the old one, as whole words."""
    is_whole = re.compile(rf"(?<!\w){re.escape(old)}(?!\w)")
    if not isinstance(said, str) or len(is_whole.findall(said)) != 1:
        fix = "its environment has to offer with_fact"
        raise RequestError("swap", f"the text of fact {fact!r} does not state its value {old!r} once", fix=fix)
    return is_whole.sub(lambda _: new, said)


def _with_prior(data: dict[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a declaration whose `prior_p` belongs to the new value, as far as it is known; else without it."""
    if "prior_p" not in data or data["value"] == declared["value"]:
        return data
    del data["prior_p"]
    if (law := domain_prior(declared)) is not None:
        data["prior_p"] = law[list(declared["domain"]).index(data["value"])]
    return data

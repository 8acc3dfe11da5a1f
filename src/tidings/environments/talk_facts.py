"""The private facts of `talk`: given as texts, or drawn from values that they could have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator

from tidings.core import EVERYONE, NOBODY, Event, RequestError, ScenarioError, SeedPath, suggest
from tidings.spec.base import Params

__all__ = ["DrawnFact", "check_facts", "draw_facts", "reword_fact"]

Facts = Mapping[str, Mapping[str, "str | DrawnFact"]]


class DrawnFact(Params):
    """A private fact with what may be known about it beforehand."""

    value: str | None = None
    """Its value; drawn from `values` by default."""
    values: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    """All values it could have."""
    weights: tuple[Annotated[float, Field(gt=0.0)], ...] | None = None
    """How probable each of `values` is, up to a common factor; equally by default."""
    prior: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    """Probability of the value before anybody speaks, where `values` are not listed."""
    text: str = "{value}"
    """What its owner is told; {value} is filled in."""
    variable: str = ""
    """What it is the value of, in words that messages may use."""
    phrases: tuple[str, ...] = ()
    """Texts that state it, by which it is found in messages; {value} is filled in."""
    visibility: tuple[str, ...] = EVERYONE
    """Seats that may know it; everybody by default. A delivery to anybody else is a leak."""
    also: tuple[str, ...] = ()
    """Further seats that own it."""

    @model_validator(mode="after")
    def _check_values(self) -> DrawnFact:
        if self.value is None and self.values is None:
            raise ValueError("value: found neither value nor values; need one of them")
        if self.values is not None and len(set(self.values)) != len(self.values):
            raise ValueError(f"values: found {list(self.values)}; need different ones")
        if self.value is not None and self.values is not None and self.value not in self.values:
            raise ValueError(f"value: found {self.value!r}; allowed: {list(self.values)}")
        if self.weights is not None and len(self.weights) != len(self.values or ()):
            raise ValueError(f"weights: found {len(self.weights)}; need one for each of values")
        if self.prior is not None and self.values is not None:
            raise ValueError("prior: found beside values; their weights say how probable each is")
        return self

    def draw(self, seed: SeedPath) -> str:
        """Returns the value: the one that is fixed, or one drawn from `values`."""
        if self.value is not None:
            return self.value
        assert self.values is not None
        point, reached = seed.uniform() * sum(self._weights), 0.0
        for value, weight in zip(self.values, self._weights, strict=True):
            reached += weight
            if point < reached:
                return value
        return self.values[-1]

    @property
    def law(self) -> list[float]:
        """How probable each of `values` is."""
        return [weight / sum(self._weights) for weight in self._weights]

    def probability(self, value: str) -> float | None:
        """Returns how probable the value is beforehand; None if nothing says so."""
        if self.values is None:
            return self.prior if value == self.value else None
        return self.law[self.values.index(value)]

    @property
    def _weights(self) -> tuple[float, ...]:
        return self.weights or (1.0,) * len(self.values or ())


def check_facts(facts: Facts, seats: Sequence[str]) -> None:
    """Checks that facts name seats that exist, and that no two have the same id.

    Raises:
        ScenarioError: At the first that does not.
    """
    known: dict[str, str] = {}
    for owner, owned in facts.items():
        for fact, what in owned.items():
            named = (owner,) if isinstance(what, str) else (owner, *what.also, *what.visibility)
            for seat in named:
                if seat not in seats and seat != "*":
                    found, hint = f"found seat {seat!r}", suggest(seat, seats)
                    raise ScenarioError("environment.facts", found, f"{len(seats)} seats exist", hint)
            if fact in known:
                found = f"found {fact!r} again, as for {known[fact]!r}"
                raise ScenarioError(f"environment.facts.{owner}", found, "each id once; name further owners in `also`")
            known[fact] = owner
        if owner not in seats:
            raise ScenarioError("environment.facts", f"found seat {owner!r}", f"{len(seats)} seats exist")


def draw_facts(facts: Facts, seed: SeedPath) -> Iterator[Event]:
    """Yields the opening events of all facts: what the analyst knows of each, and each for its owners."""
    for owner, owned in facts.items():
        for fact, what in owned.items():
            drawn = DrawnFact(value=what) if isinstance(what, str) else what
            value = drawn.draw(seed.child("fact", fact))
            owners = tuple(dict.fromkeys((owner, *drawn.also)))
            yield Event("fact_declared", NOBODY, _declared(fact, drawn, value, owners))
            for seat in owners:
                yield Event("fact", (seat,), _told(fact, drawn, value), seat)


def reword_fact(facts: Facts, event: Event, value: Any) -> Event:
    """Returns an event of `draw_facts` as it would be if the fact had this value.

    Raises:
        RequestError: If the value is no text.
    """
    fact = event.data["fact"]
    if not isinstance(value, str):
        raise RequestError("swap", f"{fact} = {value!r}", "a text")
    what = next(owned[fact] for owned in facts.values() if fact in owned)
    drawn = DrawnFact(value=what) if isinstance(what, str) else what
    is_told = event.kind == "fact"
    data = _told(fact, drawn, value) if is_told else _declared(fact, drawn, value, tuple(event.data["owners"]))
    return event._replace(data=data)


def _told(fact: str, drawn: DrawnFact, value: str) -> dict[str, Any]:
    """Returns what its owner is told."""
    text = drawn.text.replace("{value}", value)
    return {"fact": fact, "value": value} | ({"text": text} if text != value else {})


def _declared(fact: str, drawn: DrawnFact, value: str, owners: tuple[str, ...]) -> dict[str, Any]:
    visibility = drawn.visibility if "*" in drawn.visibility else tuple(dict.fromkeys((*owners, *drawn.visibility)))
    data: dict[str, Any] = {
        "fact": fact,
        "value": value,
        "owners": list(owners),
        "visibility": list(visibility),
        "prior_p": drawn.probability(value),
    }
    optional = {
        "variable": drawn.variable,
        "domain": list(drawn.values or ()),
        "domain_p": drawn.law if drawn.weights else (),
        "phrases": [phrase.replace("{value}", value) for phrase in drawn.phrases],
    }
    return data | {name: given for name, given in optional.items() if given}

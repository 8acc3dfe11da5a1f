"""The rational seat of hidden profiles: it tells all it knows, and votes for what the facts it knows add up to.

Only facts whose value says what they are worth (`Alder House +1`) count; their texts are never read. Where everything
that is known reaches everybody, its vote is the right one. A tie is a fair draw from the seat's own seed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from tidings.core import ActionSpec, ChoiceSpec, Observation, Reply, ReplyError, SeatContext, StructuredSpec, TextSpec
from tidings.spec.base import Params

__all__ = ["TallyAgent", "TallyParams"]

_WORTH = re.compile(r"(.+) ([+-]\d+)")


class TallyParams(Params):
    """Settings of the agent `tally`: there are none."""


@dataclass(frozen=True)
class TallyAgent:
    """Adds up what speaks for and against each option, exactly, and passes every fact on once."""

    seat: str

    Params: ClassVar[type[Params]] = TallyParams
    plays: ClassVar[tuple[str, ...]] = ("hidden_profile", "talk")

    @classmethod
    def build(cls, params: TallyParams, context: SeatContext) -> TallyAgent:
        """Returns the agent."""
        return cls(context.seat)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the option with the highest sum of points, or a message of all facts not passed on yet.

        Raises:
            ReplyError: `not_applicable` if no fact has points, or something else than a vote or a message is asked.
        """
        facts: dict[str, _Fact] = {}
        for name, fact in _facts(observation):
            facts.setdefault(name, fact)  # what it was given itself, or heard first
        if isinstance(spec, ChoiceSpec):
            return Reply(_vote(facts, spec, observation))
        told = {claim["fact"] for e in observation.events if e.seat == self.seat for claim in e.data.get("claims", ())}
        new = [name for name in facts if name not in told]
        fields = spec.fields if isinstance(spec, StructuredSpec) else {"text": spec}
        text = fields.get("text")
        if not isinstance(text, TextSpec):
            raise ReplyError("not_applicable", f"tally has no answer to a {type(spec).__name__}")
        said = _fitting([(name, facts[name]) for name in new], text.max_chars)
        words = " ".join(facts[name].text for name in said)
        if isinstance(spec, TextSpec):
            return Reply(spec.check(words))
        return Reply(spec.check({"text": words, "cites": ", ".join(f"{name}: {facts[name].value}" for name in said)}))


class _Fact(NamedTuple):
    """What a seat knows of a fact: its value, and words for it."""

    value: str
    text: str


def _facts(observation: Observation) -> Iterable[tuple[str, _Fact]]:
    """Yields (id, fact) of all this seat was given or was told by claim."""
    for event in observation.events:
        if event.kind == "fact":
            yield event.data["fact"], _Fact(event.data["value"], event.data.get("text", event.data["value"]))
        for claim in event.data.get("claims", ()) if event.kind == "message" and event.seat != observation.seat else ():
            if claim["value"]:
                yield claim["fact"], _Fact(claim["value"], f"{claim['fact']} comes to {claim['value']}.")


def _fitting(facts: list[tuple[str, _Fact]], max_chars: int) -> list[str]:
    """Returns the first facts that can be told in one message, counting ids and values too."""
    kept: list[str] = []
    n_chars = 0
    for name, fact in facts:
        n_chars += max(len(fact.text), len(name) + len(fact.value) + 3) + 1
        if n_chars > max_chars:
            break
        kept.append(name)
    return kept


def _vote(facts: dict[str, _Fact], spec: ChoiceSpec, observation: Observation) -> str:
    totals = dict.fromkeys(spec.options, 0)
    points = [match for fact in facts.values() if (match := _WORTH.fullmatch(fact.value))]
    if not points:
        raise ReplyError("not_applicable", "no fact says what it is worth, so there is nothing to add up")
    for point in points:
        totals[point[1]] = totals.get(point[1], 0) + int(point[2])
    best = [option for option in spec.options if totals[option] == max(totals[name] for name in spec.options)]
    return best[int(observation.seed.uniform("tie") * len(best))]

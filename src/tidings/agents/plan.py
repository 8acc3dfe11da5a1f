"""The plan of InfoNav as data: which facts are needed, which are known, from where, and whether that is sound.

Source: iAgents (arXiv 2406.14928), section 3; there the plan is a text with brackets, here facts with ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tidings.core import Observation

__all__ = ["PLAN", "Plan", "PlanFact", "is_fake", "last_plan", "normalise", "plan_words"]

PLAN = "plan"
"""`about` of the thoughts that hold a seat's plan."""

Status = Literal["unknown", "known", "fake", "conflict"]

_FAKE = re.compile(
    r"(unknown|none|null|nothing|n/?a|not (yet )?(known|clear|sure|specified|mentioned|given|provided|available|stated)"
    r"|unclear|unspecified|undetermined|to be (determined|confirmed)|tbd|\?+|-+|no information.*"
    r"|i do(n't| not) know.*)",
    re.IGNORECASE,
)


def normalise(value: str) -> str:
    """Returns a value for comparison: case, punctuation and spaces do not count."""
    return " ".join(re.sub(r"[\W_]+", " ", value.casefold()).split())


def is_fake(value: str) -> bool:
    """Returns whether a value only says that the fact is not known: it would look solved and is not."""
    bare = value.strip().strip(".!\"'")
    return not bare or _FAKE.fullmatch(bare) is not None or normalise(bare) in ("unknown", "not known", "")


@dataclass(frozen=True)
class PlanFact:
    """One fact that the plan needs.

    Attributes:
        id: `p1`, `p2`, ...
        text: What must be known, in words.
        status: `unknown`; `known`; `fake` (a value that says it is unknown); `conflict` (two different values).
        value: The value, or the values of a conflict with ` / ` between them.
        sources: Ids of the facts it rests on, as the model named them and the seat knows them.
        source_event: Index of the event from which the first source is known.
        turn: The seat's turn in which the status last changed.
        was_fake: Whether it was ever fake.
    """

    id: str
    text: str
    status: Status = "unknown"
    value: str = ""
    sources: tuple[str, ...] = ()
    source_event: int | None = None
    turn: int = 0
    was_fake: bool = False

    def learn(self, value: str, sources: Sequence[str], source_event: int | None, turn: int) -> PlanFact:
        """Returns the fact after an update that gives it this value."""
        if is_fake(value):
            return self if self.status in ("known", "conflict") else replace(self, status="fake", was_fake=True)
        if self.status == "known" and normalise(value) != normalise(self.value):
            both = tuple(dict.fromkeys((*self.sources, *sources)))
            return replace(self, status="conflict", value=f"{self.value} / {value}", sources=both, turn=turn)
        if self.status in ("known", "conflict"):
            return replace(self, sources=tuple(dict.fromkeys((*self.sources, *sources))))
        event = source_event
        return replace(self, status="known", value=value, sources=tuple(sources), source_event=event, turn=turn)


@dataclass(frozen=True)
class Plan:
    """All facts a seat needs.

    Attributes:
        facts: In order of their ids.
        turn: The seat's turn.
        n_unknown_keys: Ids in updates that the plan does not have; counted, never used.
        quiet: Turns in a row in which nothing new became known.
    """

    facts: tuple[PlanFact, ...]
    turn: int = 1
    n_unknown_keys: int = 0
    quiet: int = 0

    @classmethod
    def of(cls, texts: Iterable[str]) -> Plan:
        """Returns a plan in which everything is open; facts of equal text count once."""
        unique: dict[str, str] = {}
        for text in texts:
            if key := normalise(text):
                unique.setdefault(key, text.strip())
        return cls(tuple(PlanFact(f"p{i}", text) for i, text in enumerate(unique.values(), 1)))

    @property
    def open(self) -> tuple[PlanFact, ...]:
        """Facts that are not known."""
        return tuple(fact for fact in self.facts if fact.status in ("unknown", "fake"))

    @property
    def known(self) -> tuple[PlanFact, ...]:
        """Facts with one value."""
        return tuple(fact for fact in self.facts if fact.status == "known")

    def update(
        self, values: Mapping[str, tuple[str, Sequence[str]]], events: Mapping[str, int], *, heard_news: bool
    ) -> Plan:
        """Returns the plan after an update.

        Args:
            values: Plan id -> (value, ids of the facts it rests on).
            events: Fact id -> event it is known from; other ids are dropped.
            heard_news: Whether the seat was told or found something new since its last turn.
        """
        turn = self.turn + 1
        facts: list[PlanFact] = []
        for fact in self.facts:
            if fact.id in values:
                value, given = values[fact.id]
                sources = [source for source in given if source in events]
                fact = fact.learn(value.strip(), sources, events[sources[0]] if sources else None, turn)
            facts.append(fact)
        ids = {fact.id for fact in self.facts}
        unknown = self.n_unknown_keys + sum(key not in ids for key in values)
        is_news = heard_news or sum(f.status == "known" for f in facts) > len(self.known)
        return Plan(tuple(facts), turn, unknown, 0 if is_news else self.quiet + 1)

    def thought(self) -> dict[str, Any]:
        """Returns the thought that keeps the plan in the log."""
        facts = [{**asdict(fact), "sources": list(fact.sources)} for fact in self.facts]
        kept = {"turn": self.turn, "n_unknown_keys": self.n_unknown_keys, "quiet": self.quiet}
        return {"about": PLAN, "facts": facts, **kept}


def last_plan(observation: Observation) -> Plan | None:
    """Returns the plan a seat made last, from its own thoughts."""
    thoughts = [e.data for e in observation.private if e.kind == "thought" and e.data.get("about") == PLAN]
    if not thoughts:
        return None
    data = thoughts[-1]
    facts = tuple(PlanFact(**{**fact, "sources": tuple(fact["sources"])}) for fact in data["facts"])
    return Plan(facts, data["turn"], data["n_unknown_keys"], data["quiet"])


def plan_words(plan: Plan) -> str:
    """Returns the plan for a prompt: what is known and with which sources, what is open, what contradicts itself."""
    lines = ["Your plan, the facts you need:"]
    for fact in plan.facts:
        cited = f" [{', '.join(fact.sources)}]" if fact.sources else ""
        state = {"known": f"= {fact.value}{cited}", "conflict": f"CONTRADICTION: {fact.value}{cited}"}
        lines.append(f"{fact.id}: {fact.text} {state.get(fact.status, '(unknown)')}")
    return "\n".join(lines)

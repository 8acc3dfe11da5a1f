"""What a seat knows: facts it was given, facts it was told, and lines it looked up. All of it is in its observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tidings.core import ArchiveLine, Event, Observation

__all__ = ["RECALL", "KnownFact", "find_task", "known_facts", "recall_thought", "told_by"]

RECALL = "recall"
"""`about` of the thoughts that hold what a seat looked up."""


@dataclass(frozen=True)
class KnownFact:
    """A fact as one seat knows it.

    Attributes:
        id: Id of the fact.
        text: The fact in words.
        owner: Seat that said it first.
        name: What others call that person.
        time: Position on the clock of what was said before.
        source: `own` (given), `recalled` (looked up) or `told`.
        teller: Seat that told it; None for own facts.
        event: Index of the event it is known from.
        step: Its step.
    """

    id: str
    text: str
    owner: str
    name: str
    time: float
    source: Literal["own", "recalled", "told"]
    teller: str | None
    event: int
    step: int

    def line(self) -> str:
        """Returns the fact as prompts show it."""
        return f"[{self.id}] {self.name}: {self.text}"

    def to_json(self) -> dict[str, Any]:
        """Returns what a reader is given of it."""
        return {"fact": self.id, "text": self.text, "owner": self.owner, "name": self.name, "time": self.time}


def known_facts(observation: Observation) -> dict[str, KnownFact]:
    """Returns the facts a seat knows, by id, in the order in which it came to know them; the first source counts."""
    known: dict[str, KnownFact] = {}
    for event in observation.events:
        for fact in _facts_of(event, observation.seat):
            known.setdefault(fact.id, fact)
    return known


def _facts_of(event: Event, seat: str) -> Iterable[KnownFact]:
    data = event.data
    if event.kind == "message" and event.seat != seat:
        for claim in data.get("claims", ()):
            yield _make(claim, "value", "told", event)
    elif event.kind == "fact":
        yield _make(data, "value", "own", event)
    elif event.kind == "thought" and data.get("about") == RECALL:
        for line in data["lines"]:
            yield _make(line, "text", "recalled", event)


def _make(data: Mapping[str, Any], key: str, source: Literal["own", "recalled", "told"], event: Event) -> KnownFact:
    owner = data.get("owner", event.seat or "")
    teller = event.seat if source == "told" else None
    name, time = data.get("name", owner), data.get("time", 0)
    return KnownFact(data["fact"], str(data[key]), owner, name, time, source, teller, event.index, event.step)


def told_by(observation: Observation) -> dict[str, set[str]]:
    """Returns contact -> ids of the facts that this seat has told it, or has from it."""
    shared: dict[str, set[str]] = {}
    for event in observation.private:
        if event.kind == "message":
            ids = {claim["fact"] for claim in event.data["claims"]}
            for other in event.data["to"] if event.seat == observation.seat else (event.seat or "",):
                shared.setdefault(other, set()).update(ids)
    return shared


def find_task(observation: Observation) -> dict[str, Any]:
    """Returns what the seat was asked; empty if it was asked nothing."""
    return next((event.data for event in observation.private if event.kind == "task"), {})


def recall_thought(
    way: str, asked: Any, lines: Iterable[ArchiveLine], names: Mapping[str, str], **more: Any
) -> dict[str, Any]:
    """Returns the thought that records a search and what it found.

    Args:
        way: `clear` or `fuzzy`.
        asked: Keywords or query.
        lines: What was found.
        names: Seat -> name, as far as the seat knows them.
        more: What else there is to say, JSON values.
    """
    found = [
        {"fact": x.id, "text": x.text, "owner": x.speaker, "name": names.get(x.speaker, x.speaker), "time": x.time}
        for x in lines
    ]
    return {"about": RECALL, "way": way, "asked": asked, "lines": found, **more}

"""The labelled messages, and how good a detector is on them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from tidings.core import Event
from tidings.metrics.canonical import Matcher
from tidings.metrics.claims import Claim, structured_claims
from tidings.metrics.facts import DeclaredFact, canonical, declared_fact

PATH = Path(__file__).parents[1] / "fixtures" / "flow" / "labelled_messages.jsonl"


class Labelled(NamedTuple):
    text: str
    side: list[dict[str, Any]] | None
    claims: list[tuple[str, str, int]]


def read() -> tuple[list[DeclaredFact], list[Labelled]]:
    head, *rows = (json.loads(line) for line in PATH.read_text().splitlines())
    facts = [
        declared_fact(Event("fact_declared", (), {"owners": ["a"], "prior_p": None, **fact}), "a")
        for fact in head["facts"]
    ]
    labels = [
        Labelled(row["text"], row.get("side"), [(fact, canonical(value), sign) for fact, value, sign in row["claims"]])
        for row in rows
    ]
    return facts, labels


def detect(facts: list[DeclaredFact], message: Labelled) -> list[Claim]:
    if message.side is not None:
        event = Event("message", (), {"text": message.text, "claims": message.side}, "a")
        return structured_claims(event, {fact.fact: fact for fact in facts})[0]
    return Matcher(facts).find(message.text)


def measure(*, side: bool) -> tuple[float, float, int, dict[str, tuple[int, int]], list[str]]:
    """Returns precision, recall, messages, right and all finds by kind, and the messages where it errs."""
    facts, labels = read()
    messages = [message for message in labels if (message.side is not None) == side]
    n_right = n_found = n_labelled = 0
    kinds: dict[str, Counter[bool]] = {}
    errors: list[str] = []
    for message in messages:
        found = detect(facts, message)
        right = [claim for claim in found if (claim.fact, claim.value, claim.polarity) in message.claims]
        n_right, n_found, n_labelled = n_right + len(right), n_found + len(found), n_labelled + len(message.claims)
        for claim in found:
            kind = "denied" if claim.polarity == -1 else "hedged" if claim.hedged else "plain"
            kinds.setdefault(kind, Counter())[claim in right] += 1
        if len(right) != len(found) or len(right) != len(message.claims):
            errors.append(f"{message.text!r}: {[c[:3] for c in found]}, labelled {message.claims}")
    by_kind = {kind: (count[True], count.total()) for kind, count in kinds.items()}
    return n_right / n_found, n_right / n_labelled, len(messages), by_kind, errors

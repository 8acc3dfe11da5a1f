"""Small logs for the tests of information flow, written by hand or drawn."""

from collections.abc import Sequence
from random import Random
from typing import Any

from tidings.core import EVERYONE, NOBODY, Event, SocialGraph
from tidings.metrics.evidence import Evidence
from tidings.metrics.facts import canonical


def numbered(events: Sequence[tuple[int, Event]]) -> list[Event]:
    """Returns events with their steps and places."""
    return [event._replace(step=step, index=index) for index, (step, event) in enumerate(events)]


def declare(fact: str, owner: str, value: Any = "yes", visibility: Sequence[str] = EVERYONE, **more: Any) -> Event:
    data = {"fact": fact, "value": value, "owners": [owner], "visibility": list(visibility), "prior_p": 0.25}
    return Event("fact_declared", NOBODY, data | more)


def give(fact: str, owner: str, value: Any = "yes") -> Event:
    return Event("fact", (owner,), {"fact": fact, "value": value}, owner)


def say(sender: str, to: Sequence[str], *claims: tuple[str, Any] | tuple[str, Any, int], text: str = "well") -> Event:
    stated = [{"fact": c[0], "value": c[1], "polarity": c[2] if len(c) > 2 else 1, "hedged": False} for c in claims]
    return Event("message", (sender, *to), {"text": text, "claims": stated}, sender)


def evidence(*rollouts: Sequence[Event], seats: Sequence[str] = "abcd", **more: Any) -> Evidence:
    graph = SocialGraph.from_edges(seats, [(a, b) for a in seats for b in seats if a < b], directed=False)
    return Evidence(lambda: enumerate(rollouts), graph, **more)


def drawn_log(
    rng: Random, n_seats: int = 6, n_facts: int = 4, n_messages: int = 30
) -> tuple[list[Event], dict[str, Any]]:
    """Returns the events of a rollout with one message a step, and the same as a fact log of the theory room."""
    seats = [f"s{i}" for i in range(n_seats)]
    facts, drafts, messages = [], [], []
    for i in range(n_facts):
        owner, visible = rng.choice(seats), sorted(rng.sample(seats, rng.randint(1, n_seats)))
        visible = sorted({*visible, owner})
        drafts += [(0, declare(f"f{i}", owner, "A", visible)), (0, give(f"f{i}", owner, "A"))]
        facts.append({"fact_id": f"f{i}", "owner": owner, "bits": 2.0, "visibility": visible, "value": canonical("A")})
    for step in range(1, n_messages + 1):
        sender = rng.choice(seats)
        to = rng.sample([seat for seat in seats if seat != sender], rng.randint(0, 3))
        said = [(fact["fact_id"], rng.choice("AAB")) for fact in rng.sample(facts, rng.randint(0, 2))]
        drafts.append((step, say(sender, to, *said)))
        mentions = [{"fact_id": fact, "value": canonical(value)} for fact, value in said]
        messages.append({"msg_id": step, "t": step, "sender": sender, "recipients": to, "tokens": 1, "facts": mentions})
    return numbered(drafts), {"agents": seats, "facts": facts, "messages": messages}

"""The ledger of one rollout: who knew which fact since when and from whom, and every claim with its fate.

Time is the step. Seats of one step answer at the same time, so what a sender knows is what it had learned in earlier
steps. Between equal steps the order of the log decides who told it first. Everything else is as in
`tidings.theory.information.fact_trace`, with which it agrees where every step has one message.

* A seat knows a fact from the step in which it is declared its owner, in which an event with that `fact` names it in
  the audience, or in which a message that claims it is delivered to it, whatever the claim says.
* Beliefs are canonical values, or `not:` and a value; both frozen at the first exposure.
* A leak is a delivery to a seat outside the fact's visibility; its path runs from where the fact came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import filterfalse
from typing import NamedTuple

from tidings.core.errors import DataError
from tidings.core.events import PLANNER, Event
from tidings.metrics.canonical import Matcher, matcher_for
from tidings.metrics.claims import Claim, one_per_fact, structured_claims
from tidings.metrics.facts import DeclaredFact, declared_fact, holds
from tidings.theory.information.fact_trace import FactTrace

__all__ = ["ClaimMade", "Grant", "Leak", "Ledger", "read_ledger"]

Judged = Mapping[tuple[int, int], Sequence[Claim]]
"""(rollout, index of a message) -> what a judge read in it."""


class ClaimMade(NamedTuple):
    """A claim in a message, and what became of it.

    Attributes:
        claim: What was claimed.
        step: When.
        event: Index of the message.
        sender: Who claimed it.
        recipients: Whom the message reached, the sender left out.
        learned: Of these, who did not know the fact before.
        leaked: Of these, who may not know it.
        is_supported: Whether the sender knew the fact.
        is_distorted: Whether the sender knew it and stated what does not go with its belief.
        is_true: Whether the statement goes with the true value.
        path: Over which seats it came to the sender, itself included, where it leaked; empty where it did not.
    """

    claim: Claim
    step: int
    event: int
    sender: str
    recipients: tuple[str, ...]
    learned: tuple[str, ...]
    leaked: tuple[str, ...]
    is_supported: bool
    is_distorted: bool
    is_true: bool
    path: tuple[str, ...]


class Leak(NamedTuple):
    """One delivery of a fact to a seat that may not know it.

    Attributes:
        fact: Id of the fact.
        seat: Who got it.
        step: When.
        event: Index of the event that delivered it.
        path: Seats over which it came, from its source to `seat`.
    """

    fact: str
    seat: str
    step: int
    event: int
    path: tuple[str, ...]


class Grant(NamedTuple):
    """The environment gave a fact to a seat.

    Attributes:
        fact: Id of the fact.
        seat: Who got it.
        step: When.
        event: Index of the event that gave it.
        value: What was told, canonical JSON text.
    """

    fact: str
    seat: str
    step: int
    event: int
    value: str


@dataclass(slots=True)
class Ledger:
    """What became of every fact in one rollout. Filled by `read_ledger`; to be read, not changed.

    Attributes:
        rollout: Its number.
        seats: All agent seats.
        facts: Id -> fact, as declared.
        traces: Id -> provenance of the fact; its `bits` are NaN without a prior.
        claims: Every claim in order of the log.
        grants: Every event by which the environment gave a fact to a seat.
        leaks: Every leak in order of the log.
        n_messages: Messages.
        n_words: Words of all messages, split at white space.
        n_unknown: Claims of side fields about facts that nobody declared.
        n_undeclared: Events that give a fact that nobody declared.
        messages: Indices of all messages.
        last_step: Step of the last message; 0 without messages.
    """

    rollout: int
    seats: tuple[str, ...]
    facts: dict[str, DeclaredFact] = field(default_factory=dict)
    traces: dict[str, FactTrace] = field(default_factory=dict)
    claims: list[ClaimMade] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    n_messages: int = 0
    n_words: int = 0
    n_unknown: int = 0
    n_undeclared: int = 0
    messages: list[int] = field(default_factory=list)
    last_step: int = 0

    @property
    def detectors(self) -> tuple[str, ...]:
        """The detectors that the claims come from."""
        return tuple(sorted({made.claim.detector for made in self.claims}))


def read_ledger(
    events: Iterable[Event],
    seats: Sequence[str],
    rollout: int = 0,
    *,
    reads_texts: bool = True,
    judged: Judged | None = None,
    judge_first: bool = False,
) -> Ledger:
    """Returns the ledger of one rollout, in one pass over its events.

    Args:
        events: All events of the rollout in order.
        seats: All agent seats.
        rollout: Its number.
        reads_texts: Whether claims are also looked for in texts (`canonical`).
        judged: What a judge read in the messages.
        judge_first: Whether the judge counts before `canonical` where both find something about a fact.
    """
    ledger = Ledger(rollout, tuple(seats))
    everyone, read = _Recipients(ledger.seats), judged or {}
    matcher: Matcher | None = None
    for event in events:
        if event.kind == "fact_declared":
            _declare(ledger, event)
            matcher = None
        elif event.kind == "message":
            if matcher is None and reads_texts:
                matcher = matcher_for(tuple(ledger.facts.values()))
            more = read.get((rollout, event.index), ())
            _read_message(ledger, event, everyone, matcher, more, judge_first=judge_first)
        elif "fact" in event.data and event.audience:
            _read_gift(ledger, event, everyone)
    return ledger


class _Recipients:
    """Audiences as seats, worked out once for each."""

    def __init__(self, seats: tuple[str, ...]) -> None:
        self._seats = seats
        self._known: dict[tuple[tuple[str, ...], str | None], tuple[str, ...]] = {}

    def of(self, audience: tuple[str, ...], sender: str | None) -> tuple[str, ...]:
        key = (audience, sender)
        found = self._known.get(key)
        if found is None:
            named = dict.fromkeys((*self._seats, *audience) if "*" in audience else audience)
            found = self._known[key] = tuple(seat for seat in named if seat not in ("*", sender))
        return found


def _declare(ledger: Ledger, event: Event) -> None:
    fact = declared_fact(event, ledger.seats)
    if fact.fact in ledger.facts:
        where = f"rollout {ledger.rollout}, event {event.index}"
        raise DataError(where, f"fact {fact.fact!r} is declared again", "each fact once in a rollout")
    ledger.facts[fact.fact] = fact
    visible = fact.visibility if fact.visibility is not None else frozenset((*ledger.seats, PLANNER))
    trace = FactTrace(fact.fact, fact.owners, fact.value, True, fact.bits, visible)
    ledger.traces[fact.fact] = trace
    for owner in fact.owners:
        trace.since[owner], trace.parent[owner], trace.belief[owner] = event.step, None, fact.value


def _read_gift(ledger: Ledger, event: Event, everyone: _Recipients) -> None:
    """Notes a fact that the environment itself gives to somebody."""
    fact = ledger.facts.get(event.data["fact"])
    if fact is None:
        ledger.n_undeclared += 1
        return
    trace = ledger.traces[fact.fact]
    for seat in everyone.of(event.audience, None):
        ledger.grants.append(Grant(fact.fact, seat, event.step, event.index, fact.value))
        if seat not in trace.since:
            trace.since[seat], trace.parent[seat], trace.belief[seat] = event.step, None, fact.value
        if seat not in trace.visibility and seat not in trace.owners:
            trace.leaks.append((event.index, seat))
            ledger.leaks.append(Leak(fact.fact, seat, event.step, event.index, (seat,)))


def _read_message(
    ledger: Ledger,
    event: Event,
    everyone: _Recipients,
    matcher: Matcher | None,
    judged: Sequence[Claim],
    *,
    judge_first: bool,
) -> None:
    ledger.n_messages += 1
    ledger.messages.append(event.index)
    ledger.last_step = event.step
    text = str(event.data["text"] if "claims" not in event.data else event.data.get("text", ""))
    ledger.n_words += len(text.split())
    claims, n_unknown = structured_claims(event, ledger.facts)
    ledger.n_unknown += n_unknown
    found = matcher.find(text) if matcher is not None and text else []
    if judged:
        known = [claim for claim in judged if claim.fact in ledger.facts]
        found = known + found if judge_first else found + known
    claims += found
    if claims and event.seat is not None:
        recipients = everyone.of(event.audience, event.seat)
        ledger.claims += [_trace(ledger, event, event.seat, claim, recipients) for claim in one_per_fact(claims)]


def _trace(ledger: Ledger, event: Event, sender: str, claim: Claim, recipients: tuple[str, ...]) -> ClaimMade:
    """Follows one claim to everybody it reaches."""
    trace, stated = ledger.traces[claim.fact], claim.stated
    trace.n_mentions += 1
    is_supported = sender in trace.since and trace.since[sender] < event.step
    is_distorted = is_supported and not holds(stated, trace.belief[sender])
    if not is_supported:
        trace.unsupported.append(event.index)
    elif is_distorted:
        trace.distortions.append(event.index)
    learned = tuple(filterfalse(trace.since.__contains__, recipients))
    leaked = tuple(filterfalse(trace.visibility.__contains__, recipients))
    path: tuple[str, ...] = ()
    for seat in learned:
        trace.since[seat], trace.parent[seat], trace.belief[seat] = event.step, sender, stated
        trace.learned_from[seat] = event.index
    trace.n_useful += len(learned)
    trace.n_redundant += len(recipients) - len(learned)
    if leaked:
        source = trace.path_to(sender) if is_supported else None
        path = tuple(map(str, source or (sender,)))
        trace.leaks += [(event.index, seat) for seat in leaked]
        ledger.leaks += [Leak(claim.fact, seat, event.step, event.index, (*path, seat)) for seat in leaked]
    fate = (is_supported, is_distorted, holds(stated, str(trace.truth)), path)
    return ClaimMade(claim, event.step, event.index, sender, recipients, learned, leaked, *fate)

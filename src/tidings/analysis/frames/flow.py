"""Frames of the fact ledger: facts, claims, deliveries, exposures. Built column by column: they can be long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from tidings.analysis.frames.frame import ID_COLUMNS, Column, Frame
from tidings.core import Event
from tidings.metrics.facts import canonical
from tidings.metrics.ledger import Ledger

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["CLAIMS", "DELIVERIES", "EXPOSURES", "FACTS"]

_ROLLOUT, _STEP, _INDEX = (ID_COLUMNS[name] for name in ("rollout", "step", "index"))
_FACT = Column(pl.String, "id of the fact")
_EDGE = Column(pl.String, "`sender->recipient`; null where the environment is the source")
_ROWS = 200_000


class _Builder:
    """Rows gathered column by column, and made into a frame part by part, so that few are held as objects."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._schema = {name: column.type for name, column in columns.items()}
        self._lists: dict[str, list[Any]] = {name: [] for name in columns}
        self._adders = tuple(values.append for values in self._lists.values())
        self._first = next(iter(self._lists.values()))
        self._parts: list[pl.DataFrame] = []

    def add(self, *row: Any) -> None:
        for add, value in zip(self._adders, row, strict=True):
            add(value)
        if len(self._first) >= _ROWS:
            self._flush()

    def frame(self) -> pl.DataFrame:
        self._flush()
        return pl.concat(self._parts)

    def _flush(self) -> None:
        self._parts.append(pl.DataFrame(self._lists, schema=self._schema))
        for values in self._lists.values():
            values.clear()


def _from_ledgers(
    columns: Mapping[str, Column], add: Callable[[_Builder, Ledger, list[Event]], None]
) -> Callable[[Run], pl.DataFrame]:
    def rows(run: Run) -> pl.DataFrame:
        builder = _Builder(columns)
        for ledger, events in run.ledgers():
            add(builder, ledger, events)
        return builder.frame()

    return rows


def _add_facts(builder: _Builder, ledger: Ledger, events: list[Event]) -> None:
    told: dict[str, list[str]] = {}
    unknown: dict[str, Event] = {}
    for event in events:
        if event.kind not in ("fact_declared", "message") and "fact" in event.data and event.audience:
            told.setdefault(event.data["fact"], []).extend(event.audience)
            if event.data["fact"] not in ledger.facts:
                unknown.setdefault(event.data["fact"], event)
    n_seats = len(ledger.seats)
    for fact in ledger.facts.values():
        seen = None if fact.visibility is None else sorted(fact.visibility)
        known = sum(seat in ledger.traces[fact.fact].since for seat in ledger.seats)
        bits = None if fact.prior_p is None else fact.bits
        owner = fact.owners[0] if fact.owners else None
        audience = list(dict.fromkeys(told.get(fact.fact, ())))
        told_and_value = (owner, list(fact.owners), audience, fact.value, seen)
        derived = list(fact.derived_from)
        builder.add(
            ledger.rollout,
            fact.step,
            fact.index,
            fact.fact,
            *told_and_value,
            fact.prior_p,
            bits,
            derived,
            known,
            n_seats,
        )
    for name, event in unknown.items():
        audience = list(dict.fromkeys(told[name]))
        value = canonical(event.data.get("value"))
        told_and_value = (event.seat, None, audience, value, None)
        builder.add(ledger.rollout, event.step, event.index, name, *told_and_value, None, None, None, None, n_seats)


def _add_claims(builder: _Builder, ledger: Ledger, events: list[Event]) -> None:
    for made in ledger.claims:
        claim = made.claim
        counts = (len(made.recipients), len(made.learned), len(made.leaked))
        fate = (made.is_supported, made.is_distorted, made.is_true)
        builder.add(ledger.rollout, made.step, made.event, made.sender, *claim, *fate, *counts)


def _add_deliveries(builder: _Builder, ledger: Ledger, events: list[Event]) -> None:
    claimed: dict[int, list[str]] = {}
    for made in ledger.claims:
        claimed.setdefault(made.event, []).append(made.claim.fact)
    nothing: list[str] = []
    for event in events:
        if event.kind in ("message", "action") and event.seat is not None:
            sender, facts = event.seat, claimed.get(event.index, nothing)
            for to in _recipients(event, ledger.seats):
                builder.add(ledger.rollout, event.step, event.index, sender, to, f"{sender}->{to}", event.kind, facts)


def _recipients(event: Event, seats: tuple[str, ...]) -> Iterator[str]:
    audience = event.audience
    named = dict.fromkeys((*seats, *audience)) if "*" in audience else audience
    return (seat for seat in named if seat not in ("*", event.seat))


def _add_exposures(builder: _Builder, ledger: Ledger, events: list[Event]) -> None:
    rollout, known = ledger.rollout, set()
    for fact in ledger.facts.values():
        for owner in fact.owners:
            known.add((fact.fact, owner))
            builder.add(
                rollout, fact.step, fact.index, fact.fact, owner, "owner", None, None, fact.value, True, False, [owner]
            )
    leaks = {(leak.event, leak.fact, leak.seat): leak.path for leak in ledger.leaks}
    for grant in ledger.grants:
        name, seat = grant.fact, grant.seat
        if seat in ledger.facts[name].owners:
            continue
        is_first = (name, seat) not in known
        known.add((name, seat))
        is_leak = (grant.event, name, seat) in leaks
        builder.add(
            rollout, grant.step, grant.event, name, seat, "given", None, None, grant.value, is_first, is_leak, [seat]
        )
    for made in ledger.claims:
        name, sender, stated = made.claim.fact, made.sender, made.claim.stated
        trace, learned, leaked = ledger.traces[name], made.learned, made.leaked
        for seat in made.recipients:
            is_first, is_leak = seat in learned, seat in leaked
            path = leaks[made.event, name, seat] if is_leak else trace.path_to(seat) if is_first else None
            whole = None if path is None else list(path)
            edge = f"{sender}->{seat}"
            builder.add(
                rollout, made.step, made.event, name, seat, "told", sender, edge, stated, is_first, is_leak, whole
            )


_FACT_COLUMNS = {
    "rollout": _ROLLOUT,
    "step": _STEP,
    "index": _INDEX,
    "fact": _FACT,
    "seat": Column(pl.String, "its first owner"),
    "owners": Column(pl.List(pl.String), "seats that hold it from the start; null for a fact that nobody declared"),
    "audience": Column(pl.List(pl.String), "seats that were given it by the environment"),
    "value": Column(pl.String, "its value as JSON text"),
    "visibility": Column(pl.List(pl.String), "seats that may know it; null: everybody"),
    "prior_p": Column(pl.Float64, "probability of the value beforehand; null if not declared"),
    "bits": Column(pl.Float64, "-log2 of that"),
    "derived_from": Column(pl.List(pl.String), "facts it follows from"),
    "n_knowers": Column(pl.Int64, "agent seats that know it in the end; null for a fact that nobody declared"),
    "n_seats": Column(pl.Int64, "agent seats"),
}
_CLAIM_COLUMNS = {
    "rollout": _ROLLOUT,
    "step": _STEP,
    "index": _INDEX,
    "seat": Column(pl.String, "who claimed it"),
    "fact": _FACT,
    "value": Column(pl.String, "what is stated or denied, as JSON text"),
    "polarity": Column(pl.Int64, "1 states the value, -1 denies it"),
    "hedged": Column(pl.Boolean, "whether the sender says that it is not sure"),
    "detector": Column(pl.String, "who found the claim: `structured`, `canonical`, or a judge"),
    "confidence": Column(
        pl.Float64, "share of such finds that are right on labelled messages; of a judge, the probability of its answer"
    ),
    "is_supported": Column(pl.Boolean, "whether the sender knew the fact"),
    "is_distorted": Column(pl.Boolean, "whether it knew the fact and stated what does not go with its belief"),
    "is_true": Column(pl.Boolean, "whether the statement goes with the true value"),
    "n_reached": Column(pl.Int64, "seats that got the message"),
    "n_learned": Column(pl.Int64, "of these, seats that did not know the fact"),
    "n_leaked": Column(pl.Int64, "of these, seats that may not know the fact"),
}
_DELIVERY_COLUMNS = {
    "rollout": _ROLLOUT,
    "step": _STEP,
    "index": _INDEX,
    "seat": Column(pl.String, "who spoke or acted"),
    "to": Column(pl.String, "who got it"),
    "edge": _EDGE,
    "kind": Column(pl.String, "`message` or `action`"),
    "facts": Column(pl.List(pl.String), "facts it claims something about"),
}
_EXPOSURE_COLUMNS = {
    "rollout": _ROLLOUT,
    "step": _STEP,
    "index": _INDEX,
    "fact": _FACT,
    "seat": Column(pl.String, "who was exposed to it"),
    "how": Column(pl.String, "`owner`, `given` by the environment, or `told` by another seat"),
    "parent": Column(pl.String, "who told it; null otherwise"),
    "edge": _EDGE,
    "stated": Column(pl.String, "what was told: a JSON value, or `not:` and a value"),
    "is_first": Column(pl.Boolean, "whether the seat did not know the fact before; its row in the first-exposure tree"),
    "is_leak": Column(pl.Boolean, "whether the seat may not know the fact"),
    "path": Column(
        pl.List(pl.String), "seats over which it came; null for repeats, and where the chain of tellers loops"
    ),
}


def _flow_frame(
    words: str, columns: Mapping[str, Column], add: Callable[[_Builder, Ledger, list[Event]], None]
) -> Frame:
    return Frame(words, columns, _from_ledgers(columns, add))


FACTS = _flow_frame("one row for each private fact", _FACT_COLUMNS, _add_facts)
CLAIMS = _flow_frame("one row for each claim that a message makes about a declared fact", _CLAIM_COLUMNS, _add_claims)
DELIVERIES = _flow_frame("one row for each seat that a message or action reached", _DELIVERY_COLUMNS, _add_deliveries)
EXPOSURES = _flow_frame(
    "one row for each time a seat was exposed to a fact: the full provenance", _EXPOSURE_COLUMNS, _add_exposures
)

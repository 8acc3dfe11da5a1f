"""Frames of the fact ledger: facts, claims, deliveries, exposures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tidings.analysis.frames.builder import Builder
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


def _from_ledgers(
    columns: Mapping[str, Column], add: Callable[[Builder, Ledger, list[Event]], None]
) -> Callable[[Run], pl.DataFrame]:
    """Returns what makes a frame from the ledger and the events of each rollout."""

    def rows(run: Run) -> pl.DataFrame:
        builder, evidence = Builder(_schema(columns)), run.evidence()
        for rollout, lines in run.rollout_lines():
            events = [line.event() for line in lines]
            add(builder, evidence.read(rollout, events), events)
        return builder.frame()

    return rows


def _schema(columns: Mapping[str, Column]) -> dict[str, Any]:
    return {name: column.type for name, column in columns.items()}


def _add_facts(builder: Builder, ledger: Ledger, events: list[Event]) -> None:
    told: dict[str, list[str]] = {}
    unknown: dict[str, Event] = {}
    for event in events:
        if event.kind not in ("fact_declared", "message") and "fact" in event.data and event.audience:
            told.setdefault(event.data["fact"], []).extend(event.audience)
            if event.data["fact"] not in ledger.facts:
                unknown.setdefault(event.data["fact"], event)
    n_seats = len(ledger.seats)
    for fact in ledger.facts.values():
        seen = None if fact.visibility is None else tuple(sorted(fact.visibility))
        known = sum(seat in ledger.traces[fact.fact].since for seat in ledger.seats)
        bits = None if fact.prior_p is None else fact.bits
        owner = fact.owners[0] if fact.owners else None
        audience = tuple(dict.fromkeys(told.get(fact.fact, ())))
        told_and_value = (owner, fact.owners, audience, fact.value, seen)
        worth = (fact.prior_p, bits, fact.derived_from)
        builder.add(ledger.rollout, fact.step, fact.index, fact.fact, *told_and_value, *worth, known, n_seats)
    for name, event in unknown.items():
        audience = tuple(dict.fromkeys(told[name]))
        value = canonical(event.data.get("value"))
        told_and_value = (event.seat, None, audience, value, None)
        builder.add(ledger.rollout, event.step, event.index, name, *told_and_value, None, None, None, None, n_seats)


def _claims(run: Run) -> pl.DataFrame:
    builder = Builder(_schema(_CLAIM_COLUMNS))
    for ledger in run.ledgers():
        for made in ledger.claims:
            counts = (len(made.recipients), len(made.learned), len(made.leaked))
            fate = (made.is_supported, made.is_distorted, made.is_true)
            builder.add(ledger.rollout, made.step, made.event, made.sender, *made.claim, *fate, *counts)
    return builder.frame()


def _add_deliveries(builder: Builder, ledger: Ledger, events: list[Event]) -> None:
    claimed: dict[int, tuple[str, ...]] = {}
    for made in ledger.claims:
        claimed[made.event] = (*claimed.get(made.event, ()), made.claim.fact)
    for event in events:
        if event.kind in ("message", "action") and event.seat is not None:
            sender, facts = event.seat, claimed.get(event.index, ())
            for to in _recipients(event, ledger.seats):
                builder.add(ledger.rollout, event.step, event.index, sender, to, f"{sender}->{to}", event.kind, facts)


def _recipients(event: Event, seats: tuple[str, ...]) -> Iterator[str]:
    audience = event.audience
    named = dict.fromkeys((*seats, *audience)) if "*" in audience else audience
    return (seat for seat in named if seat not in ("*", event.seat))


def _exposures(run: Run) -> pl.DataFrame:
    """Returns the frame from two tables: what was told, once for all who heard it; and what it was to each of them."""
    names = ("rollout", "step", "index", "fact", "how", "parent", "stated")
    types = _schema(_EXPOSURE_COLUMNS)
    tellings = Builder({**{name: types[name] for name in names}, "n": pl.Int64})
    hearers = Builder({name: types[name] for name in ("seat", "is_first", "is_leak", "path")})
    for ledger in run.ledgers():
        _add_given(tellings, hearers, ledger)
        _add_told(tellings, hearers, ledger)
    told = tellings.frame()
    rows = np.repeat(np.arange(len(told)), told["n"].to_numpy())
    edge = pl.concat_str("parent", pl.lit("->"), "seat").alias("edge")
    return told.drop("n")[rows].hstack(hearers.frame()).with_columns(edge).select(*types)


def _add_given(tellings: Builder, hearers: Builder, ledger: Ledger) -> None:
    """Adds who owned a fact, and to whom else the environment gave it."""
    known: set[tuple[str, str]] = set()
    for fact in ledger.facts.values():
        n = len(fact.owners)
        known.update((fact.fact, owner) for owner in fact.owners)
        tellings.add(ledger.rollout, fact.step, fact.index, fact.fact, "owner", None, fact.value, n)
        hearers.extend(fact.owners, [True] * n, [False] * n, [(owner,) for owner in fact.owners])
    for fact, seat, step, event, value in ledger.grants:
        trace = ledger.traces[fact]
        if seat not in trace.owners:
            tellings.add(ledger.rollout, step, event, fact, "given", None, value, 1)
            is_first = (fact, seat) not in known and seat not in trace.learned_from
            hearers.add(seat, is_first, seat not in trace.visibility, (seat,))
            known.add((fact, seat))


def _add_told(tellings: Builder, hearers: Builder, ledger: Ledger) -> None:
    """Adds who was told a fact by another seat."""
    for made in ledger.claims:
        seats, learned, leaked, fact = made.recipients, made.learned, made.leaked, made.claim.fact
        trace, stated = ledger.traces[fact], made.claim.stated
        tellings.add(ledger.rollout, made.step, made.event, fact, "told", made.sender, stated, len(seats))
        paths = [
            (*made.path, seat) if seat in leaked else trace.path_to(seat) if seat in learned else None for seat in seats
        ]
        hearers.extend(seats, [seat in learned for seat in seats], [seat in leaked for seat in seats], paths)


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


FACTS = Frame("one row for each private fact", _FACT_COLUMNS, _from_ledgers(_FACT_COLUMNS, _add_facts))
CLAIMS = Frame("one row for each claim that a message makes about a declared fact", _CLAIM_COLUMNS, _claims)
DELIVERIES = Frame(
    "one row for each seat that a message or action reached",
    _DELIVERY_COLUMNS,
    _from_ledgers(_DELIVERY_COLUMNS, _add_deliveries),
)
EXPOSURES = Frame(
    "one row for each time a seat was exposed to a fact: the full provenance", _EXPOSURE_COLUMNS, _exposures
)

"""The facts a rollout declares: `fact_declared` events as values (docs/design/003)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tidings.core.events import EVERYONE, Event

__all__ = ["DeclaredFact", "canonical", "declared_fact", "domain_prior", "holds"]

DENIED = "not:"
"""Stands before a canonical value that is denied."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class DeclaredFact:
    """One private fact, as its environment declares it.

    Attributes:
        fact: Id.
        value: Its value as canonical JSON text.
        owners: Seats that hold it from `step` on.
        visibility: Seats that may know it; None for everybody.
        prior_p: Probability of the value before anybody speaks; None if the scenario does not say.
        step: When it was declared.
        index: Event that declared it.
        variable: What it is the value of, in words.
        domain: All values it could have, as canonical JSON texts; empty if not told.
        phrases: Texts that state it.
        derived_from: Facts it follows from.
        is_decoy: Whether it is there to distract.
    """

    fact: str
    value: str
    owners: tuple[str, ...]
    visibility: frozenset[str] | None
    prior_p: float | None
    step: int
    index: int
    variable: str = ""
    domain: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    is_decoy: bool = False

    @property
    def bits(self) -> float:
        """-log2 of the prior probability. Undefined: NaN without one."""
        return math.nan if self.prior_p is None else -math.log2(self.prior_p) if self.prior_p > 0 else math.inf

    def may_know(self, seat: str) -> bool:
        """Returns whether the seat may know it."""
        return self.visibility is None or seat in self.visibility


def canonical(value: Any) -> str:
    """Returns a JSON value as text, the same text for equal values."""
    return _ENCODER.encode(value)


def domain_prior(declared: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Returns the probability of each value of a fact's `domain`, as its declaration says; None if it does not.

    `domain_p` states them all. `prior_p`, that of the true value, is enough if all are equal or there are two.
    """
    domain, p = declared.get("domain") or (), declared.get("prior_p")
    if (stated := declared.get("domain_p")) is not None:
        return tuple(stated)
    if p is not None and abs(p * len(domain) - 1) < 1e-9:
        return (1 / len(domain),) * len(domain)
    if p is not None and len(domain) == 2:
        return tuple(p if value == declared["value"] else 1 - p for value in domain)
    return None


def holds(stated: str, value: str) -> bool:
    """Returns whether a statement is compatible with a value.

    Args:
        stated: Canonical value, or `not:` and a canonical value.
        value: Canonical value, or a statement in the same form, which is then taken for what is believed.
    """
    if stated.startswith(DENIED) != value.startswith(DENIED):
        return stated.removeprefix(DENIED) != value.removeprefix(DENIED)
    return stated == value


def declared_fact(event: Event, seats: Iterable[str]) -> DeclaredFact:
    """Returns the fact that a `fact_declared` event declares.

    Args:
        event: The event.
        seats: All seats, for owners given as `["*"]`.
    """
    data: Mapping[str, Any] = event.data
    visibility = tuple(data.get("visibility", EVERYONE))
    owners = tuple(data["owners"])
    return DeclaredFact(
        data["fact"],
        canonical(data["value"]),
        tuple(seats) if owners == EVERYONE else owners,
        None if "*" in visibility else frozenset(visibility),
        data.get("prior_p"),
        event.step,
        event.index,
        str(data.get("variable") or ""),
        tuple(canonical(value) for value in data.get("domain") or ()),
        tuple(data.get("phrases") or ()),
        tuple(data.get("derived_from") or ()),
        bool(data.get("decoy", False)),
    )

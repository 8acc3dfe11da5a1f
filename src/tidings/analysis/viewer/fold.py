"""One rollout as columns: who did what when, who may know of it, and what each seat believes and knows.

The columns hold a few numbers for each event; texts stay on the disk until somebody looks at them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tidings.core import PLANNER, Event
from tidings.core.events import is_visible
from tidings.log.codec import LogLine
from tidings.metrics.canonical import Matcher, matcher_for
from tidings.metrics.claims import one_per_fact
from tidings.metrics.facts import DeclaredFact, declared_fact, holds

__all__ = ["STEPS_PER_BLOCK", "Fact", "RolloutFold", "Track"]

STEPS_PER_BLOCK = 64
"""Steps for which the states of the seats are sent at once: all states at the first, then what changed."""


@dataclass
class Fact:
    """One fact of a rollout.

    Attributes:
        name: Its id.
        value: Its value; None if only claims about it are known.
        owners: Seats it was given to.
        step: Step in which it was declared or first given.
        prior_p: Probability of its value before anybody spoke, if declared.
        is_decoy: Whether it was planted to mislead, if declared.
        is_declared: Whether an event declared it; else its owner is whom it was given to first.
        visibility: Names of the seats that may know it; None for all.
        known: Seat number -> (step, index) of the event through which the seat first met it.
        wrong: Indices of messages that claimed another value, or denied it.
    """

    name: str
    value: Any = None
    owners: list[str] = field(default_factory=list)
    step: int = 0
    prior_p: float | None = None
    is_decoy: bool = False
    is_declared: bool = False
    visibility: frozenset[str] | None = None
    known: dict[int, tuple[int, int]] = field(default_factory=dict)
    wrong: list[int] = field(default_factory=list)

    def is_leak(self, seat: str) -> bool:
        """Returns whether this seat may not know the fact."""
        return self.visibility is not None and seat not in self.visibility and seat not in self.owners


class Track:
    """A number for each seat that changes over the steps.

    Attributes:
        steps, seats, values: One entry for each change, in order of steps.
    """

    def __init__(self) -> None:
        self.steps, self.seats, self.values = array("i"), array("i"), array("d")

    def set(self, step: int, seat: int, value: float) -> None:
        """Records that `seat` holds `value` from the end of `step` on."""
        self.steps.append(step)
        self.seats.append(seat)
        self.values.append(value)

    def block(self, first: int, last: int, n_seats: int) -> dict[str, Any]:
        """Returns the values of all seats before step `first` (None: none yet), and the changes before step `last`."""
        steps = np.frombuffer(self.steps, dtype=np.intc)
        begin, end = (int(np.searchsorted(steps, step)) for step in (first, last))
        base = np.full(n_seats, np.nan)
        base[np.frombuffer(self.seats, dtype=np.intc)[:begin]] = np.frombuffer(self.values, dtype=np.float64)[:begin]
        return {
            "base": [None if value != value else value for value in base.tolist()],
            "steps": self.steps[begin:end].tolist(),
            "seats": self.seats[begin:end].tolist(),
            "values": self.values[begin:end].tolist(),
        }


class RolloutFold:
    """The columns of one rollout; grows with it.

    Attributes:
        seats: All seats: those of the graph, the planner, and any other that the log names.
        kinds: Kinds of events, in order of first use.
        audiences: Distinct audiences, in order of first use.
        step_sizes: Number of events of each step.
        kind, seat, audience: For each event the number of its kind, seat (-1: none) and audience.
        facts: Facts by id.
        tracks: `belief` (last stated), `known` (facts met so far), `action` (number of the last action in `actions`).
        actions: Distinct public actions, as text.
        truth: The true state, where the environment logs one.
        read: Index of a message -> (fact, what it states of it) for claims found in its text, not in its side field.
    """

    def __init__(self, seats: Iterable[str]) -> None:
        """Begins with the seats of the graph, and the planner if there is one."""
        self.seats = list(seats)
        self._seat = {seat: i for i, seat in enumerate(self.seats)}
        self.kinds: dict[str, int] = {}
        self.audiences: dict[tuple[str, ...], int] = {}
        self.step_sizes: array[int] = array("i")
        self.kind, self.seat, self.audience = array("i"), array("i"), array("i")
        self.facts: dict[str, Fact] = {}
        self.tracks = {"belief": Track(), "known": Track(), "action": Track()}
        self.actions: dict[str, int] = {}
        self.truth: str | None = None
        self.read: dict[int, list[tuple[str, str]]] = {}
        self._declared: dict[str, DeclaredFact] = {}
        self._matcher: Matcher | None = None
        self._n_known: dict[int, int] = {}
        self._reach: dict[int, list[int]] = {}

    @property
    def n_events(self) -> int:
        """Events taken in so far."""
        return len(self.kind)

    def extend(self, lines: Iterable[LogLine]) -> None:
        """Takes in the next events, in order."""
        for line in lines:
            self._add(line)

    def reach(self, audience: int) -> list[int]:
        """Returns the numbers of the seats that may know of an event with this audience.

        Decided for every seat by `core.is_visible`, the function the rules of the barrier are written in.
        """
        found = self._reach.get(audience)
        if found is None:
            event = Event("", list(self.audiences)[audience], {})
            found = [i for i, seat in enumerate(self.seats) if is_visible(event, seat)]
            self._reach[audience] = found
        return found

    def columns(self) -> dict[str, Any]:
        """Returns the columns as JSON values; `reach` holds for each audience the seats that may know."""
        return {
            "n": self.n_events,
            "seats": self.seats,
            "kinds": list(self.kinds),
            "audiences": [list(names) for names in self.audiences],
            "reach": [self.reach(i) for i in range(len(self.audiences))],
            "step_sizes": self.step_sizes.tolist(),
            "kind": self.kind.tolist(),
            "seat": self.seat.tolist(),
            "audience": self.audience.tolist(),
            "actions": list(self.actions),
            "truth": self.truth,
            "n_facts": len(self.facts),
            "has": {name: bool(track.steps) for name, track in self.tracks.items()},
        }

    def block(self, number: int) -> dict[str, Any]:
        """Returns the states of all seats in one block of steps."""
        first = number * STEPS_PER_BLOCK
        last = first + STEPS_PER_BLOCK
        return {name: track.block(first, last, len(self.seats)) for name, track in self.tracks.items()}

    def _add(self, line: LogLine) -> None:
        while len(self.step_sizes) <= line.step:
            self.step_sizes.append(0)
        self.step_sizes[line.step] += 1
        audience = self.audiences.setdefault(line.audience, len(self.audiences))
        for name in (*line.audience, line.seat):
            if name is not None and name != "*" and name not in self._seat:
                self._seat[name] = len(self.seats)
                self.seats.append(name)
                self._reach.clear()
        self.kind.append(self.kinds.setdefault(line.kind, len(self.kinds)))
        self.seat.append(-1 if line.seat is None else self._seat[line.seat])
        self.audience.append(audience)
        self._note(line, audience)

    def _note(self, line: LogLine, audience: int) -> None:
        """Takes what an event says about beliefs, actions and facts."""
        data = line.data
        if line.kind == "reply":
            belief = data["action"].get("belief") if isinstance(data.get("action"), dict) else None
            if isinstance(belief, int | float) and not isinstance(belief, bool) and line.seat is not None:
                self.tracks["belief"].set(line.step, self._seat[line.seat], float(belief))
        elif line.kind == "action" and line.seat is not None and isinstance(data.get("action"), str | int | float):
            number = self.actions.setdefault(str(data["action"]), len(self.actions))
            self.tracks["action"].set(line.step, self._seat[line.seat], number)
        elif line.kind == "state" and isinstance(data.get("value"), str | int):
            self.truth = str(data["value"])
        elif line.kind == "fact_declared":
            self._declare(line)
        elif isinstance(data.get("fact"), str):
            self._give(line, audience)
        if line.kind == "message":
            said = self._claim(line, audience)
            if self._declared and line.seat is not None and isinstance(data.get("text"), str):
                self._read_text(line, audience, said)

    def _declare(self, line: LogLine) -> None:
        data = line.data
        fact = self._fact(str(data["fact"]), line.step)
        if "value" in data and "owners" in data:
            self._declared[fact.name], self._matcher = declared_fact(line.event(), self.seats), None
        fact.value, fact.owners = data.get("value"), [str(owner) for owner in data.get("owners") or ()]
        fact.prior_p, fact.is_decoy, fact.is_declared = data.get("prior_p"), bool(data.get("decoy")), True
        visibility = data.get("visibility")
        if isinstance(visibility, list) and "*" not in visibility:
            fact.visibility = frozenset(map(str, visibility))
        self._learn(fact, line, [self._seat[owner] for owner in fact.owners if owner in self._seat])

    def _give(self, line: LogLine, audience: int) -> None:
        fact = self._fact(line.data["fact"], line.step)
        if not fact.is_declared and not fact.known:
            fact.value = line.data.get("value")
            fact.owners = [line.seat] if line.seat is not None and line.seat != PLANNER else []
        self._learn(fact, line, self.reach(audience))

    def _claim(self, line: LogLine, audience: int) -> set[str]:
        """Takes in the claims of the side field; returns the facts they are about."""
        claims = line.data.get("claims")
        said: set[str] = set()
        for claim in claims if isinstance(claims, list) else ():
            if not isinstance(claim, dict) or not isinstance(claim.get("fact"), str):
                continue
            said.add(claim["fact"])
            fact = self._fact(claim["fact"], line.step)
            self._learn(fact, line, [seat for seat in self.reach(audience) if self.seats[seat] != line.seat])
            is_other = fact.value is not None and "value" in claim and claim["value"] != fact.value
            if is_other or claim.get("polarity", 1) == -1:
                fact.wrong.append(line.index)
        return said

    def _read_text(self, line: LogLine, audience: int, said: set[str]) -> None:
        """Takes in claims found in the text, as the metrics' ledger does, about facts the side field leaves out."""
        if self._matcher is None:
            self._matcher = matcher_for(tuple(self._declared.values()))
        for claim in one_per_fact(self._matcher.find(line.data["text"])):
            if claim.fact in said:
                continue
            fact = self.facts[claim.fact]
            self._learn(fact, line, [seat for seat in self.reach(audience) if self.seats[seat] != line.seat])
            self.read.setdefault(line.index, []).append((claim.fact, claim.stated))
            if not holds(claim.stated, self._declared[claim.fact].value):
                fact.wrong.append(line.index)

    def _fact(self, name: str, step: int) -> Fact:
        fact = self.facts.get(name)
        if fact is None:
            fact = self.facts[name] = Fact(name, step=step)
        return fact

    def _learn(self, fact: Fact, line: LogLine, seats: list[int]) -> None:
        if len(fact.known) == len(self.seats):
            return
        for seat in seats:
            if seat not in fact.known:
                fact.known[seat] = (line.step, line.index)
                self._n_known[seat] = self._n_known.get(seat, 0) + 1
                self.tracks["known"].set(line.step, seat, self._n_known[seat])

"""What the planner of a deliberation sees: the answers on the table. It has no field for a right answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidings.core import ActionSpec, EdgesSpec, Observation, ReplyError, StructuredSpec

__all__ = ["Table", "allowed_edges", "ask_samples", "has_rounds", "plan_action", "read_table", "stop_action"]

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """The answers of a deliberation, as the planner may know them.

    Attributes:
        question: The question as shown.
        seats: Seats whose answer stands, in seat order.
        texts: Seat -> its whole answer.
        keys: Seat -> what the answer says in comparable form; None if nothing can be compared.
        round: Rounds of reading that are over.
        plans: The planner's own earlier plans, first one first.
    """

    question: Mapping[str, Any]
    seats: tuple[str, ...]
    texts: Mapping[str, str]
    keys: Mapping[str, str | None]
    round: int
    plans: tuple[Mapping[str, Any], ...]


def read_table(observation: Observation) -> Table:
    """Returns the table of the planner's observation.

    Raises:
        ReplyError: `not_applicable` outside a deliberation.
    """
    question: Mapping[str, Any] | None = None
    texts: dict[str, str] = {}
    ledger: Mapping[str, Any] = {"answers": [], "round": 0}
    plans: list[Mapping[str, Any]] = []
    for event in observation.events:
        if event.kind == "question":
            question = event.data
        elif event.kind == "message" and event.seat is not None:
            texts[event.seat] = event.data["text"]
        elif event.kind == "ledger":
            ledger = event.data
        elif event.kind == "plan":
            plans.append(event.data)
    if question is None:
        raise ReplyError("not_applicable", "this planner needs the events of deliberation")
    rows = ledger["answers"]
    seats = tuple(row["seat"] for row in rows)
    keys = {row["seat"]: row["key"] for row in rows}
    return Table(question, seats, {seat: texts[seat] for seat in seats}, keys, ledger["round"], tuple(plans))


def ask_samples(spec: ActionSpec) -> bool:
    """Returns whether the planner is asked how many first answers it wants."""
    return isinstance(spec, StructuredSpec) and "samples" in spec.fields


def has_rounds(spec: ActionSpec) -> bool:
    """Returns whether another round may be played.

    Raises:
        ReplyError: `not_applicable` if the turn is none of a deliberation's planner.
    """
    if not isinstance(spec, StructuredSpec) or "stop" not in spec.fields:
        raise ReplyError("not_applicable", "this planner draws graphs for deliberation; it cannot answer this turn")
    return "new" in spec.fields


def allowed_edges(spec: ActionSpec, pairs: Pairs) -> Pairs:
    """Returns the pairs that the social graph allows."""
    assert isinstance(spec, StructuredSpec)
    edges = spec.fields["new"]
    assert isinstance(edges, EdgesSpec)
    return [pair for pair in pairs if edges.allowed is None or pair in edges.allowed]


def plan_action(
    new: Pairs, last: Pairs | None = None, weights: Mapping[str, float] | None = None, choice: str | None = None
) -> dict[str, Any]:
    """Returns the action that plays a round along these edges."""
    action: dict[str, Any] = {"stop": "no", "new": [list(pair) for pair in new]}
    action["last"] = [list(pair) for pair in last or []]
    return action | _stated(weights, choice)


def stop_action(weights: Mapping[str, float] | None = None, choice: str | None = None) -> dict[str, Any]:
    """Returns the action that ends the deliberation."""
    return {"stop": "yes"} | _stated(weights, choice)


def _stated(weights: Mapping[str, float] | None, choice: str | None) -> dict[str, Any]:
    stated = {"weights": None if weights is None else dict(weights), "choice": choice}
    return {name: value for name, value in stated.items() if value is not None}

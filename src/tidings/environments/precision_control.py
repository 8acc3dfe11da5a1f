"""What a planner may do to the precision of signals, what it pays, and how that is put in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidings.core import PLANNER, Event, Reply, ScenarioError
from tidings.theory.steering.costs import PrecisionCost, load_shape, make_cost

__all__ = ["PrecisionControl", "describe_line"]


@dataclass(frozen=True)
class PrecisionControl:
    """The declared powers of the planner's seat.

    Attributes:
        objective: `altruistic` (right decisions; never below the free precision) or `biased` (the action `target`).
        target: The action a biased planner wants.
        cost: What a deviation from the free precision costs.
        budget: Most it may pay in a rollout; None for no limit.
        error_cost: What one wrong (altruistic) or unwanted (biased) decision costs it.
        states: The states, which are also the actions.
        sees_all: Whether it sees the agents' private signals too; else only what is public.
        delta: Weight of each later agent relative to the one before; None where it was not declared (counts as 1).
    """

    objective: str
    target: str | None
    cost: PrecisionCost
    budget: float | None
    error_cost: float
    states: tuple[str, ...]
    delta: float | None = None
    sees_all: bool = False

    @property
    def least(self) -> float:
        """The precision of a signal that says nothing: one over the number of states."""
        return 1.0 / len(self.states)

    @classmethod
    def build(cls, planner: Mapping[str, Any], states: tuple[str, ...]) -> PrecisionControl:
        """Returns the powers that a scenario declares.

        Raises:
            ScenarioError: If the target is no action, or the cost cannot be used.
        """
        target = planner.get("target")
        if target is not None and target not in states:
            raise ScenarioError("planner.target", f"found {target!r}", f"allowed: {' or '.join(states)}")
        declared = planner.get("cost") or {"kind": "linear", "weight": 0.0}
        objective = planner.get("objective", "altruistic")
        cost = _cost(declared["kind"], declared["weight"])
        budget, delta = planner.get("budget"), planner.get("delta")
        return cls(
            objective, target, cost, budget, planner.get("error_cost", 1.0), states, delta, planner.get("sees") == "all"
        )

    def declared(self) -> dict[str, Any]:
        """Returns what the planner's seat is told about its task, as JSON values."""
        return {
            "objective": self.objective,
            "target": self.target,
            "cost": {"kind": self.cost.kind, "weight": self.cost.weight},
            "budget": self.budget,
            "error_cost": self.error_cost,
            "delta": self.delta,
        }

    def affordable(self, baseline: float, spent: float) -> tuple[float, float]:
        """Returns the lowest and highest precision the planner may set now.

        An altruistic planner does not go below the free precision; nobody spends more than the budget leaves.
        """
        low = self.least if self.objective == "biased" else baseline
        if self.budget is None:
            return low, 1.0
        return self.cost.affordable(baseline, low, self.budget - spent)

    def choice(self, seat: str, baseline: float, reply: Reply, audience: tuple[str, ...]) -> Event:
        """Returns the event of the planner's choice for a seat; one that failed leaves the free precision unpaid."""
        q = baseline if reply.failure else float(reply.action)
        data = {"seat": seat, "precision": q, "cost": self.cost.of(q - baseline)}
        return Event("precision", audience, data, None if reply.failure else PLANNER)

    def brief(self, baseline: float | dict[str, float]) -> str:
        """Returns what the planner can do, in words; what it wants and pays its seat says itself."""
        free = f"right with probability {baseline:g}" if isinstance(baseline, float | int) else "as good as they are"
        return (
            f"You set how often each hint is right, from {self.least:.4g} (noise) to 1 (certain), one person after "
            "another. "
            f"Everybody knows what you set. Left alone, hints are {free}: that is free."
        )


def _cost(kind: str, weight: float) -> PrecisionCost:
    try:
        return make_cost(load_shape(kind, "planner.cost"), weight, "planner.cost")
    except ValueError as error:
        where, _, words = str(error).partition(": ")
        raise ScenarioError(where, words) from None


def describe_line(event: Event, seat: str) -> str:
    """Returns one line of words for what a seat sees of agents that decide one after another; empty for the rest."""
    data = event.data
    if event.kind == "precision":
        who = "Your" if data["seat"] == seat else f"{data['seat']}'s"
        return f"{who} private hint is right with probability {data['precision']:g}."
    if event.kind == "signal":
        mine = event.seat == seat
        p = f"{data['precision']:g}"
        if "text" in data:
            who = "You are" if mine else f"{event.seat} is"
            return f"{who} told in private: {data['text']} On balance this points to what is true with probability {p}."
        who = "Your" if mine else f"{event.seat}'s"
        return f"{who} private hint says {data['value']}. It is right with probability {p}."
    return f"{event.seat} decided {data['action']}." if event.kind == "action" else ""

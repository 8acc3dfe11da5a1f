"""The planner `lookahead`: plans by running the same line of agents forward, wherever the exact theory does not reach.

It steers lines on any graph, with more than two states, precisions or losses by seat, either tie rule, budgets and
costs of one's own. It sees what is public (all actions) and takes later agents for rational; see
`tidings.theory.steering.lookahead` for the method.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import Field

from tidings.core import (
    ActionSpec,
    Event,
    NumberSpec,
    Observation,
    Reply,
    ReplyError,
    ScenarioError,
    SeatContext,
    SeedPath,
)
from tidings.planners.belief import herd_of
from tidings.spec.base import Params
from tidings.theory.herd_events import of_seat
from tidings.theory.many_states import LineBelief, follow_line
from tidings.theory.steering.costs import PrecisionCost, load_shape, make_cost
from tidings.theory.steering.lines import CommonLine, Line, NetworkLine
from tidings.theory.steering.lookahead import Aim, Plan, plan_precision

__all__ = ["LookaheadPlanner"]


class LookaheadParams(Params):
    """Settings of the planner `lookahead`."""

    depth: Annotated[int, Field(ge=1)] | None = None
    """Agents to follow one by one; to the end of the line by default (six on graphs that are not complete)."""
    width: Annotated[int, Field(ge=1)] | None = None
    """Most situations followed side by side before they are sampled; 256 by default (24 on other graphs)."""
    n_uniform: Annotated[int, Field(ge=0)] = 9
    """Evenly spread precisions to try, beside the free one, certainty and where behaviour changes."""
    max_ancestors: Annotated[int, Field(ge=1, le=24)] = 16
    """On graphs that are not complete: most agents whose actions are enumerated (cost doubles with each)."""


@dataclass(frozen=True)
class LookaheadPlanner:
    """Tries precisions by running the line forward under simple rules for everybody after.

    Attributes:
        params: How far and how widely to look.
        cost: What a deviation costs.
        settings: The declared objective, target, error cost, discount factor and budget.
    """

    params: LookaheadParams
    cost: PrecisionCost
    settings: dict[str, Any]

    Params: ClassVar[type[Params]] = LookaheadParams
    plays: ClassVar[tuple[str, ...]] = ("social_learning", "many_states")

    @classmethod
    def build(cls, params: LookaheadParams, context: SeatContext) -> LookaheadPlanner:
        """Returns the planner.

        Raises:
            ScenarioError: If the cost cannot be used.
        """
        declared = context.planner.get("cost") or {"kind": "linear", "weight": 0.0}
        try:
            cost = make_cost(load_shape(declared["kind"]), float(declared["weight"]))
        except ValueError as error:
            raise ScenarioError("planner.cost", str(error)) from None
        return cls(params, cost, dict(context.planner))

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the precision with the best forecast, and that forecast as a thought.

        Raises:
            ReplyError: `not_applicable` where agents do not decide in line; `too_many_ancestors` if exact Bayes on
                this graph would pass the stated size.
        """
        setup = next((event.data for event in observation.public if event.kind == "setup"), None)
        if setup is None or not isinstance(spec, NumberSpec):
            raise ReplyError("not_applicable", "this planner steers agents that decide one after another")
        chosen = [event for event in observation.public if event.kind == "precision"]
        spent = sum(event.data["cost"] for event in chosen)
        position = len(chosen)
        try:
            line, situation = _line_of(observation, setup, chosen, self.params.max_ancestors)
            limits = (self.params.n_uniform, self.params.depth, self.params.width)
            plan = _plan(line, self._aim(setup, spent), situation, position, (spec.low, spec.high), *limits)
        except ValueError as error:
            raise ReplyError("too_many_ancestors", str(error)) from None
        belief = list(line.belief(situation))
        thought = {"belief": belief[1] if len(belief) == 2 else belief, "wanted": plan.precision, "value": plan.value}
        return Reply(plan.precision, (thought | {"rule": plan.rule, "is_exact": plan.is_exact},))

    def _aim(self, setup: dict[str, Any], spent: float) -> Aim:
        planner = self.settings
        target, budget, delta = planner.get("target"), planner.get("budget"), planner.get("delta")
        return Aim(
            self.cost,
            float(planner.get("error_cost", 1.0)),
            1.0 if delta is None else float(delta),
            setup["states"].index(target) if planner.get("objective") == "biased" else None,
            None if budget is None else float(budget) - spent,
        )


@lru_cache(maxsize=4096)
def _plan(
    line: Line,
    aim: Aim,
    situation: Hashable,
    position: int,
    bounds: tuple[float, float],
    n_uniform: int,
    depth: int | None,
    width: int | None,
) -> Plan:
    """Returns the plan: a function of what is publicly known, the same in every rollout, samples included."""
    is_network = isinstance(line, NetworkLine)
    depth, width = depth or (6 if is_network else None), width or (24 if is_network else 256)
    seed = SeedPath.root(0).child("lookahead", position)
    limits = {"n_uniform": n_uniform, "depth": depth, "width": width}
    return plan_precision(line, aim, situation, position, bounds, seed=seed, **limits)  # type: ignore[arg-type]


def _line_of(
    observation: Observation, setup: dict[str, Any], chosen: Sequence[Event], max_ancestors: int
) -> tuple[Line, Hashable]:
    """Returns the line of agents and what is publicly known now."""
    order = setup["order"]
    free = tuple(float(of_seat(setup["precision"], seat)) for seat in order)
    if isinstance(setup["prior"], list):
        belief = observation.fold_public(follow_line, LineBelief()).belief
        return CommonLine(free, len(setup["states"])), belief
    thresholds = tuple(float(of_seat(setup["threshold"], seat)) for seat in order)
    if setup["seen"] is None:
        good = herd_of(observation).belief
        return CommonLine(free, 2, thresholds, setup["ties"]), (1.0 - good, good)
    place = {seat: i for i, seat in enumerate(order)}
    seen = tuple(tuple(place[other] for other in setup["seen"][seat]) for seat in order)
    line = NetworkLine(free, seen, setup["prior"], thresholds, setup["ties"], max_ancestors)
    actions = {
        place[event.seat]: int(event.data["action"] == setup["states"][1])
        for event in observation.public
        if event.kind == "action" and event.seat is not None
    }
    return line, line.situation(actions, [float(event.data["precision"]) for event in chosen])

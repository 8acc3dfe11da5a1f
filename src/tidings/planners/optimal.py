"""Planners that follow the theory: `optimal` looks at all agents to come, `myopic` at the next one only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import Field

from tidings.core import ActionSpec, Observation, Reply, ScenarioError, SeatContext
from tidings.planners.belief import herd_of, require_classic_model
from tidings.spec.base import Params
from tidings.theory.steering import PlannerSolution, load_shape, solve_planner, solve_planner_finite

__all__ = ["MyopicPlanner", "OptimalPlanner"]


class OptimalParams(Params):
    """Settings of the planner `optimal`."""

    horizon: Annotated[int, Field(ge=1)] | None = None
    """Solve for exactly so many agents; an endless line of agents by default."""


class MyopicParams(Params):
    """Settings of the planner `myopic`: none of its own."""


@dataclass(frozen=True)
class OptimalPlanner:
    """Plays the solved policy: the best precision at the public belief, for all agents to come.

    Attributes:
        solution: The solved control problem.
        is_mirrored: Whether the wanted action is the first state: then beliefs count from the other side.
        budget: Whether a budget may forbid what the policy wants; it then plays the nearest allowed precision.
    """

    solution: Any
    is_mirrored: bool
    horizon: int | None = None

    Params: ClassVar[type[Params]] = OptimalParams
    plays: ClassVar[tuple[str, ...]] = ("social_learning", "many_states")

    @classmethod
    def build(cls, params: OptimalParams, context: SeatContext) -> OptimalPlanner:
        """Returns the planner with its problem solved (once per problem and process).

        Raises:
            ScenarioError: If the exact solution does not apply, or the problem itself is not well posed.
        """
        free = require_classic_model(context, "optimal")
        delta = context.planner.get("delta")
        if delta is None:
            raise ScenarioError("planner.delta", "missing", "need a number from 0 to 1", "try delta: 0.9")
        if delta >= 1.0 and params.horizon is None:
            fix = "set planner.horizon to the number of agents"
            raise ScenarioError("planner.delta", f"found {delta:g}", "below 1 for an endless line of agents", fix)
        solution = _solve(context, free, delta, params.horizon)
        return cls(solution, _is_mirrored(context), params.horizon)

    @property
    def is_stationary(self) -> bool:
        """Whether the choice depends on the belief alone, not on the position."""
        return self.horizon is None

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the policy's precision at the public belief, or the nearest one that is allowed."""
        herd = herd_of(observation)
        # Agents that failed to act had their turn too: what counts is how many precisions were set.
        is_stationary = self.horizon is None
        position = 0 if is_stationary else sum(event.kind == "precision" for event in observation.public)
        wanted = self.precision(herd.belief, position)
        allowed = min(max(wanted, spec.low), spec.high)  # type: ignore[union-attr]
        return Reply(allowed, ({"belief": herd.belief, "wanted": wanted},))

    def precision(self, belief: float, position: int) -> float:
        """Returns the policy's precision at this public belief and position; a pure function."""
        b = 1.0 - belief if self.is_mirrored else belief
        if self.horizon is None:
            return self.solution.precision(b)
        return self.solution.precision(b, max(self.horizon - position, 1))

    def value(self, belief: float, position: int = 0) -> float:
        """Returns the expected discounted reward from this public belief on."""
        b = 1.0 - belief if self.is_mirrored else belief
        return self.solution.value(b) if self.horizon is None else self.solution.value(b, self.horizon - position)


@dataclass(frozen=True)
class MyopicPlanner:
    """Does what is best for the next agent alone: the optimum with discount factor 0."""

    solution: PlannerSolution
    is_mirrored: bool

    Params: ClassVar[type[Params]] = MyopicParams
    plays: ClassVar[tuple[str, ...]] = ("social_learning", "many_states")
    is_stationary: ClassVar[bool] = True

    @classmethod
    def build(cls, params: MyopicParams, context: SeatContext) -> MyopicPlanner:
        """Returns the planner.

        Raises:
            ScenarioError: If the exact solution does not apply.
        """
        free = require_classic_model(context, "myopic")
        return cls(_solve(context, free, 0.0, None), _is_mirrored(context))

    act = OptimalPlanner.act
    horizon: ClassVar[None] = None
    precision = OptimalPlanner.precision
    value = OptimalPlanner.value


def _is_mirrored(context: SeatContext) -> bool:
    states = context.settings.get("states", ("B", "G"))
    return context.planner.get("objective") == "biased" and context.planner.get("target") == states[0]


def _solve(context: SeatContext, free: float, delta: float, horizon: int | None) -> Any:
    planner = context.planner
    cost = planner.get("cost") or {"kind": "linear", "weight": 0.0}
    try:
        price = cost["kind"], float(cost["weight"])
        return _solved(planner["objective"], free, *price, float(delta), planner["error_cost"], horizon)
    except ValueError as error:
        raise ScenarioError("planner", str(error)) from None


@lru_cache(maxsize=64)
def _solved(
    objective: str, free: float, kind: str, weight: float, delta: float, error_cost: float, horizon: int | None
) -> Any:
    shape = load_shape(kind, "planner.cost.kind")
    if horizon is not None:
        return solve_planner_finite(objective, free, shape, weight, delta, horizon, error_cost)
    return solve_planner(objective, free, shape, weight, delta, error_cost)

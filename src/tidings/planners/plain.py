"""Planners that pay no attention to history: the controls every clever planner is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from tidings.core import ActionSpec, NumberSpec, Observation, Reply, ReplyError, SeatContext
from tidings.planners.belief import require_allowed
from tidings.planners.table import allowed_edges, ask_samples, has_rounds, plan_action, read_table, stop_action
from tidings.planners.topology import draw_graph, first_answers
from tidings.spec.base import Params

__all__ = ["ConstantPlanner", "RandomPlanner", "ScriptedPlanner"]

Precision = Annotated[float, Field(ge=0.5, le=1.0)]


class ConstantParams(Params):
    """Settings of the planner `constant`."""

    precision: Precision
    """The precision of every signal."""


@dataclass(frozen=True)
class ConstantPlanner:
    """Sets one precision for everybody."""

    params: ConstantParams

    Params: ClassVar[type[Params]] = ConstantParams
    plays: ClassVar[tuple[str, ...]] = ("social_learning", "many_states")
    is_stationary: ClassVar[bool] = True

    @classmethod
    def build(cls, params: ConstantParams, context: SeatContext) -> ConstantPlanner:
        """Returns the planner.

        Raises:
            ScenarioError: If an altruistic planner would go below the free precision.
        """
        require_allowed(context, (params.precision,))
        return cls(params)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the precision."""
        return Reply(self.params.precision)

    def precision(self, belief: float, position: int) -> float:
        """Returns what is set at this public belief and position; a pure function, for the array path."""
        return self.params.precision


class RandomParams(Params):
    """Settings of the planner `random`."""

    low: Precision = 0.5
    """Lowest precision drawn."""
    high: Precision = 1.0
    """Highest precision drawn."""
    n_edges: Annotated[int, Field(ge=0)] | None = None
    """In a deliberation: edges of each round's graph; drawn by default."""


@dataclass(frozen=True)
class RandomPlanner:
    """Draws whatever it is asked for: each precision uniformly, each graph of a deliberation anew."""

    params: RandomParams

    Params: ClassVar[type[Params]] = RandomParams
    plays: ClassVar[tuple[str, ...]] = ("social_learning", "many_states", "deliberation")

    @classmethod
    def build(cls, params: RandomParams, context: SeatContext) -> RandomPlanner:
        """Returns the planner."""
        return cls(params)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns a uniform draw between the stated bounds and what the spec allows, or a random graph."""
        if not isinstance(spec, NumberSpec):
            return self._graph(observation, spec)
        low, high = max(self.params.low, spec.low), min(self.params.high, spec.high)
        if low > high:
            words = f"[{self.params.low:g}, {self.params.high:g}] holds nothing that is allowed"
            raise ReplyError("out_of_range", words)
        return Reply(low + (high - low) * observation.seed.uniform("precision"))

    def _graph(self, observation: Observation, spec: ActionSpec) -> Reply:
        if ask_samples(spec):
            return first_answers(observation)
        if not has_rounds(spec):
            return Reply(stop_action())
        drawn = draw_graph(read_table(observation).seats, observation.seed.child("graph"), self.params.n_edges)
        return Reply(plan_action(allowed_edges(spec, drawn)))


class ScriptedParams(Params):
    """Settings of the planner `scripted`."""

    precisions: Annotated[tuple[Precision, ...], Field(min_length=1)]
    """One for each agent in the order of play; the last one holds for all later agents."""


@dataclass(frozen=True)
class ScriptedPlanner:
    """Sets the precisions it was given, one after another."""

    params: ScriptedParams

    Params: ClassVar[type[Params]] = ScriptedParams
    is_stationary: ClassVar[bool] = False

    @classmethod
    def build(cls, params: ScriptedParams, context: SeatContext) -> ScriptedPlanner:
        """Returns the planner.

        Raises:
            ScenarioError: If an altruistic planner would go below the free precision.
        """
        require_allowed(context, params.precisions)
        return cls(params)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the precision for the next agent."""
        position = sum(event.kind == "precision" for event in observation.public)
        return Reply(self.precision(0.5, position))

    def precision(self, belief: float, position: int) -> float:
        """Returns what is set for this position; a pure function, for the array path."""
        return self.params.precisions[min(position, len(self.params.precisions) - 1)]

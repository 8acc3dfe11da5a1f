"""A planner that always sets the same precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from tidings.core import ActionSpec, Observation, Reply, SeatContext
from tidings.spec.base import Params

__all__ = ["ConstantPlanner"]


class ConstantParams(Params):
    """Settings of the planner `constant`."""

    precision: Annotated[float, Field(ge=0.5, le=1.0)]
    """The precision of every signal."""


@dataclass(frozen=True)
class ConstantPlanner:
    """Sets one precision for everybody: the control in which attention to history is worth nothing."""

    params: ConstantParams

    Params: ClassVar[type[Params]] = ConstantParams
    is_stationary: ClassVar[bool] = True

    @classmethod
    def build(cls, params: ConstantParams, context: SeatContext) -> ConstantPlanner:
        """Returns the planner."""
        return cls(params)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the precision."""
        return Reply(self.params.precision)

    def precision(self, belief: float, position: int) -> float:
        """Returns what is set at this public belief and position; a pure function, for the vectorised path."""
        return self.params.precision

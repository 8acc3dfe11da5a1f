"""A plain seat for the speed comparisons: one model call a turn, no graph around it."""

from dataclasses import dataclass
from typing import ClassVar

from tidings.core import (
    ActionSpec,
    CallKey,
    LanguageModel,
    ModelRequest,
    Observation,
    PromptMessage,
    Reply,
    SeatContext,
)
from tidings.spec.base import Params


class AskingParams(Params):
    """Settings of the seat: none."""


@dataclass(frozen=True)
class Asking:
    """Says what its model says."""

    model: LanguageModel

    Params: ClassVar[type[Params]] = AskingParams

    @classmethod
    def build(cls, params: AskingParams, context: SeatContext) -> "Asking":
        """Returns the seat."""
        assert context.model is not None
        return cls(context.model)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Asks and answers."""
        key = CallKey(observation.rollout, observation.seat, observation.step, 0)
        response = await self.model.respond(ModelRequest(key, (PromptMessage("user", "Say something."),), max_tokens=8))
        return Reply(response.text)

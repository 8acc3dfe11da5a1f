"""The model calls of one turn, numbered and seeded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tidings.core import CallKey, LanguageModel, ModelRequest, ModelResponse, Observation, PromptMessage
from tidings.core.calls import RequestKind

__all__ = ["TurnCalls"]


class TurnCalls:
    """Asks a model on behalf of one seat in one turn.

    The n-th call of the turn has draw n in its key and the seed `observation.seed / "call" / n`, so that equal prompts
    of two seats, or of two calls, stay two samples, and a replay finds every one of them again.

    Attributes:
        n_calls: Calls made so far.
    """

    __slots__ = ("_model", "_observation", "n_calls")

    def __init__(self, model: LanguageModel, observation: Observation) -> None:
        self._model, self._observation, self.n_calls = model, observation, 0

    async def respond(
        self,
        messages: str | Iterable[PromptMessage | tuple[str, str]],
        *,
        kind: RequestKind = "text",
        options: tuple[str, ...] = (),
        schema: dict[str, Any] | None = None,
        continuation: str = "",
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        stop: tuple[str, ...] = (),
    ) -> ModelResponse:
        """Returns the model's answer; see `ModelRequest` for the arguments.

        Args:
            messages: The chat as (role, content) pairs, or one text that stands for one user message.
            kind: `text`, `json`, `choice` or `score`.
            options: For `choice`.
            schema: For `json`.
            continuation: For `score`.
            max_tokens: Longest answer, in tokens.
            temperature: 0 is greedy.
            top_p: Nucleus mass.
            stop: Texts that end the answer.

        Raises:
            ModelError: If the call failed for good.
            LimitError: If a cap of the run is reached.
        """
        draw, seen = self.n_calls, self._observation
        self.n_calls += 1
        chat = (PromptMessage("user", messages),) if isinstance(messages, str) else _chat(messages)
        key, seed = CallKey(seen.rollout, seen.seat, seen.step, draw), seen.seed.child("call", draw).key
        request = ModelRequest(
            key, chat, kind, options, schema, continuation, max_tokens, temperature, top_p, stop, seed
        )
        return await self._model.respond(request)


def _chat(messages: Iterable[PromptMessage | tuple[str, str]]) -> tuple[PromptMessage, ...]:
    return tuple(message if isinstance(message, PromptMessage) else PromptMessage(*message) for message in messages)

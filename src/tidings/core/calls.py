"""Requests to language models and their answers, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

__all__ = ["CallKey", "ModelRequest", "ModelResponse", "PromptMessage", "RequestKind"]

RequestKind = Literal["text", "json", "choice", "score"]


class CallKey(NamedTuple):
    """Which call of a run this is. Part of the cache key, so that equal prompts of two agents stay two samples.

    Attributes:
        rollout: Number of the rollout.
        seat: The seat that asks.
        step: The step being decided.
        draw: Number of the call within the turn.
    """

    rollout: int
    seat: str
    step: int
    draw: int


class PromptMessage(NamedTuple):
    """One message of a chat prompt. `role` is `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True)
class ModelRequest:
    """One question to a model.

    Attributes:
        key: Which call of the run this is.
        messages: The chat prompt.
        kind: `text` (free text), `json` (text that fits `schema`), `choice` (exact probabilities of `options` as the
            answer's beginning) or `score` (log-probabilities of `continuation` after the prompt).
        options: For `choice`.
        schema: For `json`: a JSON Schema.
        continuation: For `score`.
        max_tokens: Longest answer, in tokens.
        temperature: 0 is greedy.
        top_p: Nucleus mass in (0, 1].
        stop: Texts that end the answer.
        seed: 64-bit seed of the sampling.
    """

    key: CallKey
    messages: tuple[PromptMessage, ...]
    kind: RequestKind = "text"
    options: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None
    continuation: str = ""
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class ModelResponse:
    """One answer of a model.

    Attributes:
        text: The answer. For `choice` the most probable option, for `score` empty.
        model: Id of the model that answered, as it names itself.
        tokens_in: Prompt tokens.
        tokens_out: Answer tokens.
        finish: `stop` or `length`.
        probabilities: For `choice`: probability of each option, renormalised over the options; sums to 1.
        mass: For `choice`: the probability the model gave to all options together before renormalising.
        logprobs: For `score`: natural-log probability of each token of the continuation.
        extra: What else the server said, JSON values only.
    """

    text: str
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    finish: Literal["stop", "length"] = "stop"
    probabilities: tuple[float, ...] | None = None
    mass: float | None = None
    logprobs: tuple[float, ...] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

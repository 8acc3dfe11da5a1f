"""The part of a chat completion that tidings reads, checked: whatever else a server sends is its own failure."""

from __future__ import annotations

from typing import Any

import msgspec

from tidings.models.failures import AttemptError

__all__ = ["Choice", "Completion", "read_completion"]

_DETAIL_CHARS = 500


class TokenLogprob(msgspec.Struct):
    """A token and its natural-log probability."""

    token: str
    logprob: float


class Position(msgspec.Struct):
    """One token of the answer: its most probable alternatives."""

    top_logprobs: list[TokenLogprob] = []


class Logprobs(msgspec.Struct):
    """Log-probabilities of the answer, token by token."""

    content: list[Position] | None = None


class Message(msgspec.Struct):
    """What the model said."""

    content: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct):
    """One answer."""

    message: Message
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class TokenCounts(msgspec.Struct):
    """What the server counted."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Completion(msgspec.Struct):
    """A chat completion.

    Attributes:
        choices: The answers, at least one.
        model: Id of the model that answered.
        usage: Token counts, if the server counts.
        system_fingerprint: What the server calls its state.
        prompt_logprobs: For each prompt token: token id -> its log-probability. Only some servers send it.
    """

    choices: list[Choice]
    model: str | None = None
    usage: TokenCounts | None = None
    system_fingerprint: str | None = None
    prompt_logprobs: list[dict[str, Any] | None] | None = None


_decoder = msgspec.json.Decoder(Completion)


def read_completion(body: bytes) -> Completion:
    """Returns the completion that a body holds.

    Raises:
        AttemptError: `server`, if it holds none.
    """
    try:
        completion = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        said = body[:_DETAIL_CHARS].decode("utf-8", "replace")
        raise AttemptError("server", "the answer is not a chat completion", detail=f"{error}: {said}") from None
    if not completion.choices:
        raise AttemptError("server", "the answer holds no choice")
    return completion

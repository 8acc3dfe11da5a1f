"""Requests that tests of models put together."""

from __future__ import annotations

from typing import Any

from tidings.core import CallKey, ModelRequest, PromptMessage


def ask(
    question: str = "How are you?", *, seat: str = "a0", step: int = 0, draw: int = 0, **fields: Any
) -> ModelRequest:
    """Returns a text request with one question, unless fields say otherwise."""
    return ModelRequest(CallKey(0, seat, step, draw), (PromptMessage("user", question),), **fields)

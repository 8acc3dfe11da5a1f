"""A scripted model that keeps the prompts it was shown."""

from typing import Any

SEEN: list[tuple[int, str, str]] = []


def answer(request: Any) -> str:
    SEEN.append((request.key.step, request.key.seat, "\n".join(message.content for message in request.messages)))
    return f"step {request.key.step} of {request.key.seat}: The answer is {request.key.step}"

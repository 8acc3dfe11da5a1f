"""A scripted model for the suite `deliberation`: a1 is always right, a2 never, a3 cannot be read."""

from typing import Any

from tidings.core import ModelRequest

CALLS: list[tuple[int, str, int, int]] = []


def answer(request: ModelRequest) -> Any:
    key = request.key
    CALLS.append(tuple(key))
    if key.seat == "a3":
        return "I do not know."
    is_right = key.seat == "a1" or (key.seat == "a0" and key.rollout % 4 == 0)
    return f"{key.seat} thinks again in step {key.step}. The answer is {4 if is_right else 5}"

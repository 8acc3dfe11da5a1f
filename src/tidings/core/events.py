"""Events, and who may know of them.

An event is one thing that happened. Its **audience** names the seats that may ever see it; there is no other way for
anything to reach a seat.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["EVERYONE", "NOBODY", "PLANNER", "Event", "is_visible"]

EVERYONE: tuple[str, ...] = ("*",)
"""The audience of all agent seats. The planner is never part of it: it must be named."""

NOBODY: tuple[str, ...] = ()
"""The audience of what only the analyst sees: the hidden state, a failure."""

PLANNER = "planner"
"""The planner's seat."""


class Event(NamedTuple):
    """One thing that happened.

    Attributes:
        kind: What it is, for example `signal`, `action`, `message`, `fact`.
        audience: The seats that may know of it; `"*"` stands for all agent seats. Empty: only the analyst.
        data: JSON values only (str, int, float, bool, None, list, dict with text keys). Never changed after creation.
        seat: The seat that caused it or that it is about, if any.
        step: Position of the step that made it; 0 is the opening. Set by the loop.
        index: Position in the rollout. Set by the loop.
    """

    kind: str
    audience: tuple[str, ...]
    data: dict[str, Any]
    seat: str | None = None
    step: int = -1
    index: int = -1  # pyright: ignore[reportIncompatibleMethodOverride] - hides tuple.index, which nobody needs here


def is_visible(event: Event, seat: str) -> bool:
    """Returns whether `seat` may know of `event`."""
    audience = event.audience
    return seat in audience or ("*" in audience and seat != PLANNER)

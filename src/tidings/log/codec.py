"""One event as one line of JSON, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from tidings.core.events import Event

__all__ = ["LogLine", "decode_line", "encode_step"]


class LogLine(msgspec.Struct, omit_defaults=True):
    """A line of the event log. Fields at their default are left out.

    Attributes:
        rollout: Number of the rollout.
        step: Step that made the event; 0 is the opening.
        index: Position in the rollout.
        kind: What happened.
        audience: The seats that may know of it; `"*"` stands for all agent seats.
        data: JSON values.
        seat: The seat it comes from or is about.
        commit: Whether the line ends a step: a step without this mark never happened.
    """

    rollout: int
    step: int
    index: int
    kind: str
    audience: tuple[str, ...]
    data: dict[str, Any]
    seat: str | None = None
    commit: bool = False

    def event(self) -> Event:
        """Returns the event of this line."""
        return Event(self.kind, self.audience, self.data, self.seat, self.step, self.index)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(LogLine)


def encode_step(rollout: int, events: Iterable[Event]) -> bytes:
    """Returns the lines of one step, the last one marked as its commit; empty for no events."""
    lines = [LogLine(rollout, e.step, e.index, e.kind, e.audience, e.data, e.seat) for e in events]
    if lines:
        lines[-1].commit = True
    return _encoder.encode_lines(lines)


def decode_line(line: bytes) -> LogLine:
    """Returns the record of one line.

    Raises:
        ValueError: If the line is not a whole record of this form.
    """
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None

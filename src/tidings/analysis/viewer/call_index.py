"""Which recorded model calls belong to which turn: byte offsets by rollout, never whole records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tidings.core import DataError
from tidings.core.calls import CallKey
from tidings.log.calls import CallRecord

__all__ = ["CallIndex", "CallPlace"]


@dataclass(frozen=True)
class CallPlace:
    """Where one call stands, and what a list of calls shows of it.

    Attributes:
        path: Its file.
        offset: Where its line begins, in bytes.
        length: Of the line, in bytes.
        row: Seat, step, draw, kind, model, status, tokens, price, latency.
    """

    path: Path
    offset: int
    length: int
    row: dict[str, Any]


class _Request(msgspec.Struct):
    key: CallKey
    kind: str = "text"


class _Error(msgspec.Struct):
    kind: str


class _Head(msgspec.Struct):
    model: str
    request: _Request
    error: _Error | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    latency_s: float = 0.0
    attempts: int = 1


_head = msgspec.json.Decoder(_Head)
_record = msgspec.json.Decoder(CallRecord)


class CallIndex:
    """The calls of one run, in the order in which they were written."""

    def __init__(self, folder: Path) -> None:
        """Prepares the index of a `calls` folder; nothing is read before `refresh`."""
        self._folder = folder
        self._ends: dict[Path, int] = {}
        self.rollouts: dict[int, list[CallPlace]] = {}

    def refresh(self) -> None:
        """Reads the whole lines that were written since the last call.

        Raises:
            DataError: If one cannot be read.
        """
        for path in sorted(p for p in self._folder.glob("*.jsonl") if p.stem.isdigit()):
            end = self._ends.get(path, 0)
            if path.stat().st_size > end:
                self._ends[path] = self._read(path, end)

    def read(self, rollout: int, number: int) -> CallRecord:
        """Returns one call of a rollout.

        Raises:
            DataError: If there is none.
        """
        places = self.rollouts.get(rollout, [])
        if not 0 <= number < len(places):
            raise DataError(f"rollout {rollout}", f"no call {number}", f"{len(places)} calls")
        place = places[number]
        with place.path.open("rb") as file:
            file.seek(place.offset)
            return _record.decode(file.read(place.length))

    def _read(self, path: Path, end: int) -> int:
        with path.open("rb") as file:
            file.seek(end)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                try:
                    head = _head.decode(line)
                except msgspec.MsgspecError as error:
                    raise DataError(str(path), f"unreadable line at byte {end} ({error})", "one call a line") from None
                key = head.request.key
                self.rollouts.setdefault(key.rollout, []).append(CallPlace(path, end, len(line), _row(head)))
                end += len(line)
        return end


def _row(head: _Head) -> dict[str, Any]:
    key = head.request.key
    return {
        "seat": key.seat,
        "step": key.step,
        "draw": key.draw,
        "kind": head.request.kind,
        "model": head.model,
        "status": "answered" if head.error is None else head.error.kind,
        "tokens_in": head.tokens_in,
        "tokens_out": head.tokens_out,
        "usd": head.cost_usd,
        "latency_s": head.latency_s,
        "attempts": head.attempts,
    }

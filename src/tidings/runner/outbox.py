"""What a player has to tell the driver: gathered for a moment, bounded, taken as parcels."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from tidings.runner.parcels import CallNews, Parcel, Steps

__all__ = ["FULL_BYTES", "GATHER_S", "PARCEL_BYTES", "Outbox"]

PARCEL_BYTES = 1024 * 1024
"""A parcel of steps is sent once it is so large."""

FULL_BYTES = 4 * 1024 * 1024
"""Rollouts wait while so much has not been taken."""

GATHER_S = 0.2
"""Longest time that steps wait for more; calls do not wait."""

_BREATH_S = 0.01
"""How long rollouts that never wait may keep the event loop from everything else."""


class Outbox:
    """The parcels of one batch. Rollouts put in, one reader takes out; a slow reader makes the rollouts wait."""

    def __init__(self) -> None:
        self._lines: dict[int, list[bytes]] = {}
        self._statuses: dict[int, str] = {}
        self._calls: list[CallNews] = []
        self._error: Exception | None = None
        self._n_bytes = 0
        self._is_over = False
        self._has_some, self._is_due, self._has_room = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._breathed = time.monotonic()

    def put_step(self, rollout: int, lines: bytes, status: str) -> None:
        """Takes the lines of one step; `status` is that of the rollout after it."""
        self._lines.setdefault(rollout, []).append(lines)
        self._statuses[rollout] = status
        self._n_bytes += len(lines)
        self._has_some.set()
        if self._n_bytes >= PARCEL_BYTES:
            self._is_due.set()

    def put_call(self, news: CallNews) -> None:
        """Takes news of a model call: they go out at once."""
        self._calls.append(news)
        self._has_some.set()
        self._is_due.set()

    def put_error(self, error: Exception) -> None:
        """Takes the error that ends the run; the first one counts."""
        self._error = self._error or error
        self._has_some.set()
        self._is_due.set()

    def end(self) -> None:
        """Says that nothing more will come."""
        self._is_over = True
        self._has_some.set()
        self._is_due.set()

    async def wait_for_room(self) -> None:
        """Waits until the reader has caught up; lets everything else run now and then also while it has."""
        if self._n_bytes >= FULL_BYTES:
            self._has_room.clear()
            await self._has_room.wait()
        elif time.monotonic() - self._breathed > _BREATH_S:
            await asyncio.sleep(0)
        else:
            return
        self._breathed = time.monotonic()

    async def parcels(self) -> AsyncIterator[Parcel]:
        """Yields what was put in, until the end."""
        while True:
            await self._has_some.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), GATHER_S)
            is_last, parcel = self._is_over, self._take()
            if parcel != Parcel():
                yield parcel
            if is_last:
                return

    def _take(self) -> Parcel:
        steps = tuple(
            Steps(rollout, b"".join(lines), len(lines), self._statuses[rollout])
            for rollout, lines in self._lines.items()
        )
        parcel = Parcel(steps, tuple(self._calls), self._error)
        self._lines, self._statuses, self._calls, self._error, self._n_bytes = {}, {}, [], None, 0
        if not self._is_over:
            self._has_some.clear()
            self._is_due.clear()
        self._has_room.set()
        return parcel

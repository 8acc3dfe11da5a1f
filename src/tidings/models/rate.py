"""How fast a model may be asked: a token bucket a minute, and a cap on concurrency that gives way to a busy server."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

__all__ = ["ConcurrencyGate", "TokenBucket"]


class TokenBucket:
    """A rate per minute, first come, first served.

    The bucket fills at `per_minute / 60` a second and holds `burst_s` seconds' worth; whoever takes more than is there
    leaves a debt that later ones wait for. So in any 60 s at most `per_minute * (1 + burst_s / 60)` are let through,
    plus the size of one request. Kept as the time at which the bucket is full again (generic cell rate algorithm).
    """

    def __init__(self, per_minute: float, clock: Callable[[], float], burst_s: float = 1.0) -> None:
        """Starts full.

        Args:
            per_minute: Units a minute; more than 0.
            clock: Seconds that only go up.
            burst_s: Seconds' worth that may be taken at once.
        """
        self._seconds_per_unit, self._clock, self._burst_s = 60.0 / per_minute, clock, burst_s
        self._full_at = -math.inf

    def take(self, n: float) -> float:
        """Takes `n` units and returns how many seconds to wait before using them."""
        now = self._clock()
        wait_s = max(0.0, self._full_at - self._burst_s - now)
        self._full_at = max(self._full_at, now) + n * self._seconds_per_unit
        return wait_s

    def correct(self, n: float) -> None:
        """Takes `n` units more after the fact; gives back if `n` is negative."""
        self._full_at += n * self._seconds_per_unit


class ConcurrencyGate:
    """Lets at most so many calls in at once; the number halves on a refusal and grows by one a round of answers.

    Additive increase, multiplicative decrease. Refusals of calls that were let in before the last decrease do not
    decrease it again: they are news of the same congestion.

    Attributes:
        allowed: How many may be in now; infinite if there is no cap and nothing was refused yet.
        n_inside: How many are in.
    """

    def __init__(self, cap: int | None = None) -> None:
        self._cap = math.inf if cap is None else float(cap)
        self.allowed, self.n_inside = self._cap, 0
        self._era = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> int:
        """Waits for a place, in order of arrival, and returns the era in which it was given (see `refused`)."""
        if self.n_inside + 1 > self.allowed or self._waiting:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            try:
                await future  # whoever wakes it has counted it in
            except asyncio.CancelledError:
                if future.done() and not future.cancelled():
                    self.leave()
                raise
        else:
            self.n_inside += 1
        return self._era

    def leave(self) -> None:
        """Gives the place to the next in line."""
        self.n_inside -= 1
        self._admit()

    def refused(self, era: int) -> None:
        """Halves what is allowed, unless the refused call is from before the last decrease."""
        if era == self._era:
            self.allowed = max(1.0, min(self.allowed, self.n_inside) / 2)
            self._era += 1

    def answered(self) -> None:
        """Allows a little more: one more after as many answers as are allowed at once."""
        if self.allowed < self._cap:
            self.allowed = min(self._cap, self.allowed + 1.0 / self.allowed)
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self.n_inside + 1 <= self.allowed:
            future = self._waiting.popleft()
            if not future.done():
                self.n_inside += 1
                future.set_result(None)

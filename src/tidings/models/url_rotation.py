"""Which of several addresses of one model is asked next: in turn, passing over those that do not answer."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["FIRST_REST_S", "LONGEST_REST_S", "UrlRotation"]

FIRST_REST_S = 2.0
"""How long an address is left alone after it did not answer, in seconds; doubles with every further time."""

LONGEST_REST_S = 60.0


class UrlRotation:
    """Round robin over addresses with a health for each.

    An address that could not be reached rests for a while, and is asked again when the others are resting too: an
    attempt at an address that may be back is worth more than no attempt.
    """

    def __init__(self, n_urls: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Starts with all addresses healthy.

        Args:
            n_urls: How many there are.
            clock: Seconds that only go up.
        """
        self._clock = clock
        self._n_failures = [0] * n_urls
        self._rests_until = [0.0] * n_urls
        self._last = -1

    def next(self) -> int:
        """Returns the number of the address to ask: the next healthy one, or the one whose rest ends first."""
        n, now = len(self._rests_until), self._clock()
        order = [(self._last + 1 + i) % n for i in range(n)]
        healthy = next((number for number in order if self._rests_until[number] <= now), None)
        self._last = min(order, key=self._rests_until.__getitem__) if healthy is None else healthy
        return self._last

    def answered(self, number: int) -> None:
        """Notes that an address answered, be it with an error of its own."""
        self._n_failures[number], self._rests_until[number] = 0, 0.0

    def failed(self, number: int) -> None:
        """Notes that an address did not answer, and lets it rest."""
        self._n_failures[number] += 1
        rest_s = min(LONGEST_REST_S, FIRST_REST_S * 2.0 ** (self._n_failures[number] - 1))
        self._rests_until[number] = self._clock() + rest_s

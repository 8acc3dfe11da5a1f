"""Which rollouts are handed out next, and how many at once."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator

from tidings.log.store import EventStore

__all__ = ["LARGEST_BATCH", "RolloutQueue"]

LARGEST_BATCH = 64
"""Most rollouts of a batch, where the scenario does not say."""

_WINDOW = 256


class RolloutQueue:
    """First what has to be played again, then the rest in order, within a window of the log.

    The window bounds how far a rollout may run ahead of the lowest unfinished one, and so the number of open files.
    Batches grow smaller towards the end (guided self-scheduling), so that all players end at about the same time.
    """

    def __init__(self, store: EventStore, n_batches: int, batch_size: int | None, smallest: int) -> None:
        """Makes an empty queue.

        Args:
            store: The log.
            n_batches: Batches handed out at the same time.
            batch_size: Rollouts of a batch; chosen here by default.
            smallest: Fewest rollouts of a batch where there are enough.
        """
        self._store, self._n_batches, self._batch_size, self._smallest = store, n_batches, batch_size, smallest
        self._window = max(_WINDOW, 2 * n_batches * (batch_size or smallest))
        self._again: list[int] = []
        self._missing: Iterator[int] = iter(())
        self._ahead: int | None = None
        self._n_left = 0

    def fill(self, rollouts: Iterable[int]) -> None:
        """Takes the rollouts to hand out, in order."""
        missing = rollouts if isinstance(rollouts, range) else list(rollouts)
        self._n_left, self._missing = len(missing), iter(missing)
        self._ahead = next(self._missing, None)

    @property
    def is_empty(self) -> bool:
        """Whether everything has been handed out."""
        return not self._again and self._ahead is None

    def give_back(self, rollouts: Iterable[int]) -> None:
        """Takes back what was handed out and not finished."""
        for rollout in rollouts:
            heapq.heappush(self._again, rollout)
            self._n_left += 1

    def take(self) -> list[int]:
        """Returns the rollouts of the next batch; none while the window is full, or when all are handed out."""
        guided = max(self._smallest, min(LARGEST_BATCH, math.ceil(self._n_left / (2 * self._n_batches))))
        taken: list[int] = []
        while len(taken) < (self._batch_size or guided) and (rollout := self._next()) is not None:
            taken.append(rollout)
        self._n_left -= len(taken)
        return taken

    def _next(self) -> int | None:
        if self._again:
            return heapq.heappop(self._again)
        rollout = self._ahead
        if rollout is None or rollout >= self._store.next_rollout + self._window:
            return None
        self._ahead = next(self._missing, None)
        return rollout

"""Puts requests that arrive together into one batch, and runs batches one after another in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Batcher"]

T = TypeVar("T")
R = TypeVar("R")


class _Item(NamedTuple):
    job: object
    group: Hashable
    size: int
    future: Future[object]
    arrived: float


class Batcher(Generic[T, R]):
    """A queue in front of a function of batches.

    A batch holds jobs of one group, first come, first served. It starts when it is full, or `max_wait_s` after its
    first job came in or the batch before it ended, whichever is later: callers just answered often ask again at once,
    and without that moment two halves of them would take turns in half-full batches for good.
    """

    def __init__(
        self,
        run: Callable[[Sequence[T]], Sequence[R | BaseException]],
        max_batch: int,
        max_size: int,
        max_wait_s: float,
    ) -> None:
        """Takes the function.

        Args:
            run: Gets jobs of one group, returns a result or an error for each, in the same order.
            max_batch: Most jobs of a batch.
            max_size: Largest padded size of a batch: its jobs times its largest job.
            max_wait_s: Longest wait for more jobs, in seconds.
        """
        self._run, self._max_batch, self._max_size, self._max_wait_s = run, max_batch, max_size, max_wait_s
        self._queue: deque[_Item] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._ended = 0.0

    async def submit(self, job: T, group: Hashable, size: int = 1) -> R:
        """Returns the function's result for this job.

        A caller that gives up takes its job out of the queue; one that already runs is finished for the others.
        """
        future: Future[object] = Future()
        with self._changed:
            if self._is_closed:
                raise RuntimeError("the batcher is closed")
            self._queue.append(_Item(job, group, size, future, time.monotonic()))
            self._start()
            self._changed.notify()
        return await asyncio.wrap_future(future)  # type: ignore[return-value]

    def close(self) -> None:
        """Ends the thread after the batch in flight and cancels what waits."""
        with self._changed:
            self._is_closed = True
            for item in self._queue:
                item.future.cancel()
            self._queue.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="tidings-batches", daemon=True)
            self._thread.start()

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._is_closed)
                if self._is_closed:
                    return
                self._wait_for_more()
                batch = self._take()
            if batch:
                self._finish(batch)

    def _wait_for_more(self) -> None:
        """Waits until the first job's batch is full or the job has waited long enough."""
        while self._queue and not self._is_closed:
            left_s = max(self._queue[0].arrived, self._ended) + self._max_wait_s - time.monotonic()
            if left_s <= 0 or sum(item.group == self._queue[0].group for item in self._queue) >= self._max_batch:
                return
            self._changed.wait(left_s)

    def _take(self) -> list[_Item]:
        """Removes and returns the next batch, leaving out jobs whose callers gave up."""
        batch: list[_Item] = []
        rest: deque[_Item] = deque()
        largest = 0
        for item in self._queue:
            size = max(largest, item.size)
            fits = len(batch) < self._max_batch and size * (len(batch) + 1) <= self._max_size
            if not batch or (item.group == batch[0].group and fits):
                if item.future.set_running_or_notify_cancel():
                    batch.append(item)
                    largest = size
            else:
                rest.append(item)
        self._queue = rest
        return batch

    def _finish(self, batch: list[_Item]) -> None:
        try:
            results = self._run([item.job for item in batch])  # type: ignore[misc]
        except BaseException as error:
            results = [error] * len(batch)
        self._ended = time.monotonic()
        for item, result in zip(batch, results, strict=True):
            if isinstance(result, BaseException):
                item.future.set_exception(result)
            else:
                item.future.set_result(result)

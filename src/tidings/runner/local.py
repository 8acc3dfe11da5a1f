"""The local runner: rollouts as coroutines of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from tidings.core import Event, LimitError
from tidings.log.store import EventStore
from tidings.runner.progress import Progress
from tidings.simulation.compile import Compiled
from tidings.simulation.loop import drive

__all__ = ["WINDOW", "run_rollouts"]

WINDOW = 256
"""How far a rollout may run ahead of the lowest unfinished one; bounds the number of open files."""


class _StoppedError(Exception):
    """Another rollout stopped the run; this one ended with the step it was in."""


class _Workers:
    """Coroutines that take rollouts from one queue until it is empty or one of them must stop."""

    def __init__(self, compiled: Compiled, store: EventStore, queue: Iterator[int], progress: Progress) -> None:
        self._compiled, self._store, self._queue, self._progress = compiled, store, queue, progress
        self._settled = asyncio.Condition()
        self._is_stopping = False

    async def work(self) -> None:
        """Plays rollouts one after another."""
        try:
            for rollout in self._queue:
                await self._wait_for_window(rollout)
                await self._play(rollout)
                async with self._settled:
                    self._settled.notify_all()
        except _StoppedError:
            return
        except BaseException:
            self._is_stopping = True
            async with self._settled:
                self._settled.notify_all()
            raise

    async def _wait_for_window(self, rollout: int) -> None:
        if rollout < self._store.next_rollout + WINDOW:
            return
        async with self._settled:
            await self._settled.wait_for(lambda: self._is_stopping or rollout < self._store.next_rollout + WINDOW)
        if self._is_stopping:
            raise _StoppedError

    async def _play(self, rollout: int) -> None:
        if self._is_stopping:
            raise _StoppedError
        play = self._compiled.play(rollout)
        play.replay(self._store.unfinished.pop(rollout, ()))

        def commit(events: list[Event]) -> None:
            self._store.append(rollout, events)
            self._progress.advance(play.status)
            if self._is_stopping and play.status == "running":
                raise _StoppedError

        await drive(play, self._compiled.agents, commit, self._compiled.scenario.rollouts.on_failure)
        self._store.finish(rollout)
        self._progress.finish(play.status)


async def run_rollouts(
    compiled: Compiled, store: EventStore, rollouts: Iterable[int], concurrency: int, progress: Progress
) -> None:
    """Plays rollouts, at most `concurrency` at once, and logs every step as it happens.

    Raises:
        LimitError: If a cap was reached; steps in flight elsewhere are finished and kept.
        OSError: If the log cannot be written.
    """
    workers = _Workers(compiled, store, iter(rollouts), progress)
    tasks = [asyncio.create_task(workers.work()) for _ in range(concurrency)]
    try:
        results = await asyncio.gather(*tasks, return_exceptions=True)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    errors = [result for result in results if isinstance(result, BaseException)]
    errors.sort(key=lambda error: isinstance(error, LimitError))
    if errors:
        raise errors[0]

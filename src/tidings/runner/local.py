"""The local runner: rollouts as coroutines of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tidings.core import Event, LimitError
from tidings.log.store import EventStore
from tidings.runner.progress import Progress
from tidings.simulation.compile import Compiled
from tidings.simulation.loop import drive

__all__ = ["WINDOW", "run_rollouts"]

WINDOW = 256
"""How far a rollout may run ahead of the lowest unfinished one; bounds the number of open files."""


async def run_rollouts(
    compiled: Compiled, store: EventStore, rollouts: Iterable[int], concurrency: int, progress: Progress
) -> None:
    """Plays rollouts, at most `concurrency` at once, and logs every step as it happens.

    Raises:
        LimitError: If a cap was reached; steps in flight elsewhere are finished and kept.
        OSError: If the log cannot be written.
    """
    queue = iter(rollouts)
    settled = asyncio.Condition()
    workers = [asyncio.create_task(_work(compiled, store, queue, settled, progress)) for _ in range(concurrency)]
    try:
        results = await asyncio.gather(*workers, return_exceptions=True)
    except asyncio.CancelledError:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        raise
    errors = [result for result in results if isinstance(result, BaseException)]
    errors.sort(key=lambda error: isinstance(error, LimitError))
    if errors:
        raise errors[0]


async def _work(
    compiled: Compiled, store: EventStore, queue: Iterable[int], settled: asyncio.Condition, progress: Progress
) -> None:
    for rollout in queue:
        if rollout >= store.next_rollout + WINDOW:
            async with settled:
                await settled.wait_for(lambda number=rollout: number < store.next_rollout + WINDOW)
        await _play_one(compiled, store, rollout, progress)
        async with settled:
            settled.notify_all()


async def _play_one(compiled: Compiled, store: EventStore, rollout: int, progress: Progress) -> None:
    play = compiled.play(rollout)
    play.replay(store.unfinished.pop(rollout, ()))

    def commit(events: list[Event]) -> None:
        store.append(rollout, events)
        progress.advance(play)

    await drive(play, compiled.agents, commit, compiled.scenario.rollouts.on_failure)
    store.finish(rollout)
    progress.finish(play)

"""Rollouts on players elsewhere, written by one writer here.

Every player has a few lanes; a lane takes the next batch of rollouts, writes what comes back, and takes the next one.
Asking for the next parcel of a batch acknowledges the last one, so a player runs only a little ahead of the log. When a
player is lost, a new one is started, and what was not written of its rollouts is played again.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable

from tidings.core import LimitError, ScenarioError
from tidings.log.store import EventStore
from tidings.models.session import ModelSession
from tidings.runner.cluster import Cluster, LostError, PlayerHandle
from tidings.runner.desk import Desk, Line, PlayerModel
from tidings.runner.engines import EngineModel
from tidings.runner.parcels import Batch, EngineJob, Parcel, PlayerJob, ProcessSettings
from tidings.runner.parcels import Stop as StopOrder
from tidings.runner.progress import Progress
from tidings.runner.queue import RolloutQueue
from tidings.simulation.compile import Compiled

__all__ = ["MOST_BARREN", "dispatch_rollouts"]

MOST_BARREN = 10
"""So often in a row may players be lost with no step written in between; then the run stops."""

_LANES = 2
"""Batches of a player: while one is written the other is played."""


async def dispatch_rollouts(
    cluster: Cluster,
    compiled: Compiled,
    session: ModelSession,
    store: EventStore,
    rollouts: Iterable[int],
    concurrency: int,
    progress: Progress,
    process: ProcessSettings | None = None,
) -> None:
    """Plays rollouts on the players of a cluster and logs every step as it comes in.

    Args:
        cluster: Where players and engines run.
        compiled: What is played, as the driver built it.
        session: The account; its guards are used here, their models elsewhere.
        store: The log.
        rollouts: Which rollouts, in order.
        concurrency: Rollouts that one player plays at the same time.
        progress: What to tell.
        process: What players and engines take over from this process.

    Raises:
        LimitError: If a cap was reached; steps in flight elsewhere are finished and kept.
        OSError: If the log or the record of calls cannot be written.
        RuntimeError: If players are lost again and again before they write a step.
    """
    scenario = compiled.scenario
    store.unfinished.clear()  # players get the lines, not these events
    if any(group.kind == "human" for group in scenario.agents) or scenario.planner.kind == "human":
        raise ScenarioError("runner.kind", "a person sits in a seat", "people play where the command runs: local")
    engines = frozenset(n for n, guard in session.guards.items() if getattr(guard.model, "runs_in_engine", False))
    for name, guard in session.guards.items():
        if name in engines:
            job = EngineJob(scenario, name, process)
            guard.model = EngineModel(guard.model, lambda job=job: cluster.start_engine(job), cluster.n_engines)
        else:
            guard.model = PlayerModel(guard.model)
    job = PlayerJob(scenario, session.describe(), engines, concurrency, compiled.items_sha256, process)
    await _Dispatcher(cluster, job, store, session, progress).run(rollouts)


class _Dispatcher:
    """One run: its lanes, what they have out, and why it stops."""

    def __init__(
        self, cluster: Cluster, job: PlayerJob, store: EventStore, session: ModelSession, progress: Progress
    ) -> None:
        spec = job.scenario.runner
        self._cluster, self._job, self._store, self._progress = cluster, job, store, progress
        self._desk = Desk(session.guards, self._stop)
        n_batches = spec.in_flight or _LANES * cluster.n_players
        self._n_players = min(cluster.n_players, n_batches)
        self._n_lanes = math.ceil(n_batches / self._n_players)
        smallest = math.ceil(job.concurrency / self._n_lanes)
        self._queue = RolloutQueue(store, n_batches, spec.batch_size, smallest)
        self._lines: set[Line] = set()
        self._n_streams = self._n_out = self._n_barren = 0
        self._changed = asyncio.Event()
        self._error: Exception | None = None

    async def run(self, rollouts: Iterable[int]) -> None:
        """Plays everything, or stops at the first error that ends the run."""
        self._queue.fill(rollouts)
        keepers = [asyncio.create_task(self._keep_player()) for _ in range(self._n_players)]
        try:
            # Not until the keepers end: one may wait for room on the cluster long after others have played everything.
            while not self._is_over():
                self._changed.clear()
                await self._changed.wait()
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
        if self._error is not None:
            raise self._error

    def _is_over(self) -> bool:
        if self._error is None:
            return self._queue.is_empty and self._n_out == 0
        return self._n_streams == 0 or not isinstance(self._error, LimitError)

    def _stop(self, error: Exception) -> None:
        """Ends the run: at once, or at a cap after the steps in flight. The first error counts, unless it is a cap."""
        if self._error is None or isinstance(self._error, LimitError):
            self._error = self._error if self._error and isinstance(error, LimitError) else error
            for line in self._lines:
                line.send(StopOrder())
        self._changed.set()

    async def _keep_player(self) -> None:
        """Keeps one player playing; starts another one when it is lost."""
        try:
            while self._error is None:
                player = self._cluster.start_player(self._job)
                try:
                    await self._use(player)
                    return
                except LostError:
                    self._n_barren += 1
                finally:
                    player.kill()
                if self._n_barren >= MOST_BARREN:
                    words = f"players were lost {self._n_barren} times in a row before a step was written"
                    raise RuntimeError(f"{words}; look for a seat that ends its process, or for too little memory")
        except Exception as error:
            self._stop(error)

    async def _use(self, player: PlayerHandle) -> None:
        """Plays with one player until nothing is left.

        Raises:
            LostError: If it is gone.
        """
        if (error := await player.ready()) is not None:
            raise error
        line = Line(player)
        self._lines.add(line)
        lanes = [asyncio.create_task(self._play_batches(player, line)) for _ in range(self._n_lanes)]
        try:
            await asyncio.gather(*lanes)
        finally:
            self._lines.discard(line)
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
            await self._desk.hang_up(line)

    async def _play_batches(self, player: PlayerHandle, line: Line) -> None:
        while batch := await self._next_batch():
            left = set(batch)
            self._n_streams += 1
            try:
                given = Batch(tuple((rollout, self._store.logged_lines(rollout)) for rollout in batch))
                async for parcel in player.play(given):
                    self._write(parcel, left)
                    for news in parcel.calls:
                        self._desk.take(line, news)
                    if parcel.error is not None:
                        self._stop(parcel.error)
            finally:
                self._n_streams -= 1
                self._n_out -= len(left)
                self._queue.give_back(left)
                self._changed.set()

    async def _next_batch(self) -> list[int]:
        """Waits for rollouts to play; returns none when the run is over."""
        while True:
            if self._error is not None or (self._queue.is_empty and self._n_out == 0):
                return []
            if taken := self._queue.take():
                self._n_out += len(taken)
                return taken
            self._changed.clear()
            await self._changed.wait()

    def _write(self, parcel: Parcel, left: set[int]) -> None:
        for steps in parcel.steps:
            self._store.append_lines(steps.rollout, steps.lines)
            self._n_barren = 0
            if steps.status != "running":
                self._store.finish(steps.rollout)
                self._progress.finish(steps.status)
                left.discard(steps.rollout)
                self._n_out -= 1
                self._changed.set()
            try:
                self._progress.advance(steps.status, steps.n_steps)
            except LimitError as error:
                self._stop(error)

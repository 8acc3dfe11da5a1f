"""The process that plays rollouts for a driver. It writes no file and keeps no account; what it loses can be redone."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tidings.core import DataError, Event, LanguageModel, LimitError, ModelRequest, ModelResponse, TidingsError
from tidings.log.codec import decode_line, encode_step
from tidings.models.guard import GuardParams
from tidings.runner.asking import AskingModel, Calls
from tidings.runner.outbox import Outbox
from tidings.runner.parcels import Batch, CallNews, EngineJob, Order, Parcel, PlayerJob, ProcessSettings, Stop
from tidings.simulation.compile import Compiled, build_model, compile_scenario
from tidings.simulation.loop import drive

__all__ = ["OWN_SETTINGS", "Engine", "Player"]

OWN_SETTINGS = "TIDINGS_"
"""How the names of tidings' own environment variables begin; a process elsewhere has those of the driver."""


class _StoppedError(Exception):
    """The driver said stop; the rollout ended with the step it was in."""


class Player:
    """Plays batches of rollouts and streams their steps."""

    def __init__(self, job: PlayerJob) -> None:
        """Takes what to play; `ready` builds it."""
        self._job = job
        self._places = asyncio.Semaphore(job.concurrency)
        self._outboxes: dict[int, Outbox] = {}
        self._calls = Calls(self._send)
        self._compiled: Compiled | None = None
        self._is_stopping = False

    async def ready(self) -> Exception | None:
        """Builds the scenario; returns why that failed, or None."""
        try:
            _settle(self._job.process)
            compiled = compile_scenario(self._job.scenario, self._make)
            _check_items(self._job, compiled)
        except TidingsError as error:
            return error
        self._compiled = compiled
        return None

    async def play(self, batch: Batch) -> AsyncIterator[Parcel]:
        """Plays the rollouts of a batch from where their lines end; yields their further steps and their calls."""
        outbox = Outbox()
        self._outboxes.update((rollout, outbox) for rollout, _ in batch.rollouts)
        work = asyncio.create_task(self._play_all(batch, outbox))
        try:
            async for parcel in outbox.parcels():
                yield parcel
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            for rollout, _ in batch.rollouts:
                del self._outboxes[rollout]

    async def hear(self, orders: Iterable[Order]) -> None:
        """Takes orders of the driver."""
        for order in orders:
            if isinstance(order, Stop):
                self._is_stopping = True
            else:
                self._calls.hear(order)

    async def process_id(self) -> int:
        """Returns the id of its process."""
        return os.getpid()

    async def close(self) -> None:
        """Closes its models."""
        if self._compiled is not None:
            await self._compiled.close()

    async def _play_all(self, batch: Batch, outbox: Outbox) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for rollout, logged in batch.rollouts:
                    group.create_task(self._play_one(rollout, logged, outbox))
        finally:
            outbox.end()

    async def _play_one(self, rollout: int, logged: bytes, outbox: Outbox) -> None:
        async with self._places:
            try:
                await self._play_on(rollout, logged, outbox)
            except (_StoppedError, LimitError):
                return  # the driver knows: it said so
            except Exception as error:
                outbox.put_error(error if isinstance(error, TidingsError) else _in_words(rollout, error))

    async def _play_on(self, rollout: int, logged: bytes, outbox: Outbox) -> None:
        assert self._compiled is not None, "ready comes before play"
        if self._is_stopping:
            raise _StoppedError
        play = self._compiled.play(rollout)
        play.replay([decode_line(line).event() for line in logged.splitlines(keepends=True)])

        def commit(events: list[Event]) -> None:
            outbox.put_step(rollout, encode_step(rollout, events), play.status)
            if self._is_stopping and play.status == "running":
                raise _StoppedError

        on_failure = self._compiled.scenario.rollouts.on_failure
        await drive(play, self._compiled.agents, commit, on_failure, outbox.wait_for_room)

    def _make(self, name: str, build: Callable[[], LanguageModel], settings: Mapping[str, Any]) -> LanguageModel:
        described = self._job.models[name]
        inner = None if name in self._job.engines else build()
        about = described["id"], frozenset(described["kinds"])
        return AskingModel(self._calls, name, about, GuardParams.of(settings), inner)

    def _send(self, rollout: int, news: CallNews) -> None:
        if (outbox := self._outboxes.get(rollout)) is not None:
            outbox.put_call(news)


class Engine:
    """One local model in a process of its own; requests of all rollouts meet in its batcher."""

    def __init__(self, job: EngineJob) -> None:
        """Builds the model; its weights are loaded at the first request."""
        _settle(job.process)
        self._model = build_model(job.scenario, job.model)

    async def respond(self, request: ModelRequest) -> ModelResponse | Exception:
        """Returns the answer, or why there is none."""
        try:
            return await self._model.respond(request)
        except TidingsError as error:
            return error

    async def process_id(self) -> int:
        """Returns the id of its process."""
        return os.getpid()

    async def close(self) -> None:
        """Frees the weights."""
        await self._model.close()


def _settle(settings: ProcessSettings | None) -> None:
    """Makes a fresh process like the driver's, as far as rollouts depend on it."""
    if settings is None:
        return
    for name in [name for name in os.environ if name.startswith(OWN_SETTINGS)]:
        del os.environ[name]
    os.environ.update(settings.environment)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.path.extend(path for path in settings.paths if path not in sys.path and Path(path).exists())
    gc.set_threshold(50_000, 20, 100)


def _check_items(job: PlayerJob, compiled: Compiled) -> None:
    if compiled.items_sha256 != job.items_sha256:
        where = str(job.scenario.environment.items)
        raise DataError(where, "this node has other items than the driver", "the same file on every node")


def _in_words(rollout: int, error: Exception) -> RuntimeError:
    return RuntimeError(f"rollout {rollout}: {type(error).__name__}: {error}")

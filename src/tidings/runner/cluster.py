"""The port to what runs processes elsewhere, and a fake that runs everything here.

`tidings.runner.ray_seam` is the real one. `InlineCluster` has the same behaviour in one process, messages copied as a
wire would copy them, and its players and engines can be killed: the dispatcher's logic is tested on it in milliseconds.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Sequence
from typing import Protocol, TypeVar

from tidings.core import ModelRequest, ModelResponse
from tidings.runner.parcels import Batch, EngineJob, Order, Parcel, PlayerJob
from tidings.runner.player import Engine, Player

__all__ = ["Cluster", "EngineHandle", "InlineCluster", "InlineEngine", "InlinePlayer", "LostError", "PlayerHandle"]

T = TypeVar("T")


class LostError(Exception):
    """A player or an engine is gone: its process was killed, or its node has left."""


class PlayerHandle(Protocol):
    """A player somewhere."""

    async def ready(self) -> Exception | None:
        """Waits until it has built the scenario; returns why it cannot.

        Raises:
            LostError: If it is gone.
        """
        ...

    def play(self, batch: Batch) -> AsyncIterator[Parcel]:
        """Yields the parcels of a batch. Asking for the next one says that the last one was written.

        Raises:
            LostError: If it is gone.
        """
        ...

    def hear(self, orders: Sequence[Order]) -> None:
        """Sends orders; to one that is gone they are lost."""
        ...

    def kill(self) -> None:
        """Ends it at once."""
        ...


class EngineHandle(Protocol):
    """A local model somewhere."""

    async def respond(self, request: ModelRequest) -> ModelResponse | Exception:
        """Returns the answer, or why there is none.

        Raises:
            LostError: If it is gone for good.
        """
        ...

    def kill(self) -> None:
        """Ends it at once."""
        ...


class Cluster(Protocol):
    """Where players and engines run.

    Attributes:
        n_players: Players to start, as asked for or as there is room.
        n_engines: Engines for each local model.
    """

    n_players: int
    n_engines: int

    def start_player(self, job: PlayerJob) -> PlayerHandle:
        """Starts a player; it may take a while until it is ready."""
        ...

    def start_engine(self, job: EngineJob) -> EngineHandle:
        """Starts an engine."""
        ...

    def close(self) -> None:
        """Ends everything that was started."""
        ...


def _copy(value: T) -> T:
    """Returns the value as the other side of a wire gets it."""
    return pickle.loads(pickle.dumps(value))


class InlinePlayer:
    """A player in this process.

    Attributes:
        is_dead: Whether it was killed.
        n_parcels: Parcels taken from it.
    """

    def __init__(self, cluster: InlineCluster, job: PlayerJob) -> None:
        self._cluster, self._player = cluster, Player(_copy(job))
        self._death = asyncio.Event()
        self.is_dead, self.n_parcels = False, 0

    async def ready(self) -> Exception | None:
        """Builds the scenario."""
        if self.is_dead:
            raise LostError("killed")
        return await self._player.ready()

    async def play(self, batch: Batch) -> AsyncIterator[Parcel]:
        """Yields the parcels of a batch until it is killed."""
        stream = self._player.play(_copy(batch))
        death = asyncio.ensure_future(self._death.wait())
        parcel = asyncio.ensure_future(anext(stream, None))
        try:
            while True:
                await asyncio.wait((parcel, death), return_when=asyncio.FIRST_COMPLETED)
                if self.is_dead:
                    raise LostError("killed")
                if (taken := parcel.result()) is None:
                    return
                self.n_parcels += 1
                yield _copy(taken)
                self._cluster.on_parcel(self)
                parcel = asyncio.ensure_future(anext(stream, None))
        finally:
            death.cancel()
            parcel.cancel()
            await asyncio.gather(parcel, return_exceptions=True)
            await stream.aclose()  # pyright: ignore[reportAttributeAccessIssue]

    def hear(self, orders: Sequence[Order]) -> None:
        """Hands orders over, a little later."""
        if not self.is_dead:
            task = asyncio.get_running_loop().create_task(self._player.hear(_copy(list(orders))))
            self._cluster.tasks.add(task)
            task.add_done_callback(self._cluster.tasks.discard)

    def kill(self) -> None:
        """Ends it: what it has not handed over is lost."""
        self.is_dead = True
        self._death.set()


class InlineEngine:
    """An engine in this process."""

    def __init__(self, job: EngineJob) -> None:
        self._engine = Engine(_copy(job))
        self.is_dead = False

    async def respond(self, request: ModelRequest) -> ModelResponse | Exception:
        """Returns the answer."""
        if self.is_dead:
            raise LostError("killed")
        answer = _copy(await self._engine.respond(_copy(request)))
        if self.is_dead:
            raise LostError("killed")
        return answer

    def kill(self) -> None:
        """Ends it: answers under way are lost."""
        self.is_dead = True


class InlineCluster:
    """Players and engines in this process.

    Attributes:
        players: All that were started.
        engines: All that were started.
        tasks: Orders on their way.
    """

    def __init__(self, n_players: int = 2, n_engines: int = 1) -> None:
        self.n_players, self.n_engines = n_players, n_engines
        self.players: list[InlinePlayer] = []
        self.engines: list[InlineEngine] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def start_player(self, job: PlayerJob) -> InlinePlayer:
        """Starts a player."""
        self.players.append(InlinePlayer(self, job))
        return self.players[-1]

    def start_engine(self, job: EngineJob) -> InlineEngine:
        """Starts an engine."""
        self.engines.append(InlineEngine(job))
        return self.engines[-1]

    def on_parcel(self, player: InlinePlayer) -> None:
        """Called when a parcel was written; tests that kill players override it."""

    def close(self) -> None:
        """Ends all."""
        for part in (*self.players, *self.engines):
            part.kill()

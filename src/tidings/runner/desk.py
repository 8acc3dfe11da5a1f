"""The one account of a run that is played elsewhere: every call of every player passes the guards of the driver.

The guards are those of a local run (cache, caps, rates, concurrency, retries, record); only the attempt itself is made
by the player that asked, or by an engine. So a cap or a rate holds over all workers as it holds over one process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from tidings.core import LanguageModel, LimitError, ModelRequest, ModelResponse
from tidings.core.calls import RequestKind
from tidings.models.guard import GuardedModel
from tidings.runner.cluster import PlayerHandle
from tidings.runner.parcels import Answer, Ask, CallNews, Cancel, Go, Order, Outcome

__all__ = ["Desk", "Line", "PlayerModel"]


class Line:
    """The way to one player; orders of one turn of the event loop travel together."""

    def __init__(self, player: PlayerHandle) -> None:
        self._player = player
        self._orders: list[Order] = []
        self.asked: dict[int, _Asked] = {}

    def send(self, order: Order) -> None:
        """Sends an order soon."""
        if not self._orders:
            asyncio.get_running_loop().call_soon(self._flush)
        self._orders.append(order)

    def _flush(self) -> None:
        orders, self._orders = self._orders, []
        self._player.hear(orders)


class _Asked:
    """One call under way."""

    __slots__ = ("attempt", "id", "line", "outcome", "task")

    def __init__(self, line: Line, number: int) -> None:
        self.line, self.id, self.attempt = line, number, 0
        self.outcome: asyncio.Future[ModelResponse] | None = None
        self.task: asyncio.Task[None] | None = None

    async def make_attempt(self) -> ModelResponse:
        """Has the player make one attempt, and returns what it gave."""
        self.attempt += 1
        number = self.attempt
        self.outcome = asyncio.get_running_loop().create_future()
        self.line.send(Go(self.id, number))
        try:
            return await self.outcome
        except asyncio.CancelledError:
            self.line.send(Cancel(self.id, number))
            raise

    def hear(self, news: Outcome) -> None:
        """Takes the outcome of an attempt; one that was given up means nothing any more."""
        if self.outcome is None or self.outcome.done() or news.attempt != self.attempt:
            return
        if isinstance(news.result, Exception):
            self.outcome.set_exception(news.result)
        else:
            self.outcome.set_result(news.result)

    def is_own(self, result: ModelResponse | BaseException) -> bool:
        """Returns whether the player already holds this result: it is what its own last attempt gave."""
        if self.outcome is None or not self.outcome.done() or self.outcome.cancelled():
            return False
        error = self.outcome.exception()
        return result is (self.outcome.result() if error is None else error)


_ASKED: ContextVar[_Asked] = ContextVar("asked")


class PlayerModel:
    """Stands in the driver's guard for a model whose attempts the asking player makes."""

    def __init__(self, inner: LanguageModel) -> None:
        """Takes the model for its name and kinds."""
        self._inner = inner

    @property
    def name(self) -> str:
        """Id with provider."""
        return self._inner.name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """The request kinds it answers."""
        return self._inner.kinds

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns what the player's attempt gave."""
        return await _ASKED.get().make_attempt()

    async def close(self) -> None:
        """Closes the model inside."""
        await self._inner.close()


class Desk:
    """Takes the calls of all players to the guards, and their answers back."""

    def __init__(self, guards: Mapping[str, GuardedModel], stop: Callable[[Exception], Any]) -> None:
        """Opens the desk.

        Args:
            guards: Name in the scenario -> the guard around the model.
            stop: Told of an error that ends the run.
        """
        self._guards, self._stop = guards, stop

    def take(self, line: Line, news: CallNews) -> None:
        """Takes news of a call."""
        if isinstance(news, Ask):
            asked = line.asked[news.id] = _Asked(line, news.id)
            asked.task = asyncio.get_running_loop().create_task(self._serve(asked, news))
        elif (asked := line.asked.get(news.id)) is None:
            return
        elif isinstance(news, Outcome):
            asked.hear(news)
        else:
            assert asked.task is not None
            asked.task.cancel()

    async def hang_up(self, line: Line) -> None:
        """Gives up the calls of a player that is gone; what they had reserved is given back."""
        tasks = [asked.task for asked in line.asked.values() if asked.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, asked: _Asked, ask: Ask) -> None:
        _ASKED.set(asked)
        result: ModelResponse | Exception
        try:
            result = await self._guards[ask.model].respond(ask.request)
        except OSError as error:
            self._stop(error)  # the record cannot be written: no seat may go on with an answer that is not on the disk
            return
        except Exception as error:
            result = error
            if isinstance(error, LimitError):
                self._stop(error)
        finally:
            del asked.line.asked[ask.id]
        asked.line.send(Answer(ask.id, asked.attempt, None if asked.is_own(result) else result))

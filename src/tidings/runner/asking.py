"""The player's end of a model call: asks the driver, makes the attempts it is told to make, goes on with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from tidings.core import LanguageModel, ModelError, ModelRequest, ModelResponse, TidingsError
from tidings.core.calls import RequestKind
from tidings.models.guard import GuardParams
from tidings.runner.parcels import Answer, Ask, CallNews, Cancel, Drop, Go, Outcome

__all__ = ["AskingModel", "Calls"]


class Calls:
    """All calls of one player that are under way."""

    def __init__(self, send: Callable[[int, CallNews], None]) -> None:
        """Takes how to send news of a call: rollout, news."""
        self._send = send
        self._ids = count()
        self._inboxes: dict[int, asyncio.Queue[Go | Cancel | Answer]] = {}

    def hear(self, order: Go | Cancel | Answer) -> None:
        """Hands an order of the driver to its call; one for a call that has ended means nothing any more."""
        if (inbox := self._inboxes.get(order.id)) is not None:
            inbox.put_nowait(order)

    async def respond(
        self, model: str, request: ModelRequest, attempt: Callable[[], asyncio.Task[ModelResponse]]
    ) -> ModelResponse:
        """Returns the answer to a request.

        Args:
            model: Name of the model in the scenario.
            request: What is asked.
            attempt: Begins an attempt in this process.

        Raises:
            ModelError: If the call failed for good.
            LimitError: If a cap of the run is reached.
        """
        rollout, number = request.key.rollout, next(self._ids)
        inbox = self._inboxes[number] = asyncio.Queue()
        attempts: dict[int, asyncio.Task[ModelResponse]] = {}
        given_up: set[int] = set()
        is_answered = False
        self._send(rollout, Ask(number, model, request))
        try:
            while True:
                order = await inbox.get()
                if isinstance(order, Go):
                    if order.attempt in given_up:
                        continue
                    task = attempts[order.attempt] = attempt()
                    task.add_done_callback(self._report(rollout, number, order.attempt))
                elif isinstance(order, Cancel):
                    given_up.add(order.attempt)  # orders may overtake each other on the wire
                    if (task := attempts.get(order.attempt)) is not None:
                        task.cancel()
                else:
                    is_answered = True
                    return _result(order, attempts)
        finally:
            del self._inboxes[number]
            for task in attempts.values():
                task.cancel()
            if not is_answered:
                self._send(rollout, Drop(number))

    def _report(self, rollout: int, number: int, attempt: int) -> Callable[[asyncio.Task[ModelResponse]], None]:
        def report(task: asyncio.Task[ModelResponse]) -> None:
            if task.cancelled():
                return
            error = task.exception()
            result = task.result() if error is None else _portable(error)
            self._send(rollout, Outcome(number, attempt, result))

        return report


class AskingModel:
    """A model as the seats of a player see it."""

    def __init__(
        self,
        calls: Calls,
        name: str,
        described: tuple[str, frozenset[RequestKind]],
        params: GuardParams,
        inner: LanguageModel | None,
    ) -> None:
        """Puts the driver between a seat and its model.

        Args:
            calls: The player's calls.
            name: Name in the scenario.
            described: Id with provider, and the request kinds it answers.
            params: What the scenario sets for this model; the driver's guard applies the same.
            inner: Makes the attempts; None if an engine does.
        """
        self._calls, self._scenario_name, self._params, self._inner = calls, name, params, inner
        self._name, self._kinds = described

    @property
    def name(self) -> str:
        """Id with provider."""
        return self._name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """The request kinds it answers."""
        return self._kinds

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns the answer; see `Calls.respond`."""
        return await self._calls.respond(self._scenario_name, request, lambda: self._begin(request))

    async def close(self) -> None:
        """Closes the model inside."""
        if self._inner is not None:
            await self._inner.close()

    def _begin(self, request: ModelRequest) -> asyncio.Task[ModelResponse]:
        assert self._inner is not None, "the driver sends engines what engines answer"
        return asyncio.ensure_future(self._inner.respond(self._params.apply(request)))  # pyright: ignore[reportReturnType]


def _result(answer: Answer, attempts: dict[int, asyncio.Task[ModelResponse]]) -> ModelResponse:
    if isinstance(answer.result, Exception):
        raise answer.result
    return attempts[answer.attempt].result() if answer.result is None else answer.result


def _portable(error: BaseException) -> Exception:
    """Returns an error that every process can read: those of tidings as they are, others by their words."""
    if isinstance(error, ModelError | TidingsError):
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")

"""One graph run for all turns of a rollout that are due together.

A LangGraph run costs some 200 microseconds and another 100 for every superstep, whatever it does, and a thousand runs
at the same time cost twice as much each. The seats of one step are asked together and the step waits for all of them;
so they go through the graph side by side, in one run. Each turn keeps its own questions, calls, answer and failure, and
is done as soon as its own answer is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from tidings.agents.langgraph_seam import run_graph
from tidings.core import Reply

__all__ = ["SharedGraph", "TurnInProgress", "await_each", "for_each"]


class TurnInProgress(Protocol):
    """What a shared graph must know of a turn: where its reply goes."""

    @property
    def outcome(self) -> asyncio.Future[Reply]:
        """The reply, or what went wrong."""
        ...


T = TypeVar("T", bound=TurnInProgress)


class SharedGraph(Generic[T]):
    """A compiled graph whose state is `{"turns": [...]}` and that turns of many seats go through together."""

    def __init__(self, graph: Any) -> None:
        """Keeps the graph.

        Args:
            graph: Its nodes must set the outcome of every turn; use `for_each` and `await_each`.
        """
        self._graph = graph
        self._waiting: dict[tuple[asyncio.AbstractEventLoop, int], list[T]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def play(self, turn: T, group: int) -> Reply:
        """Returns the reply of a turn, after a run with all turns of its group that begin at the same moment.

        Args:
            turn: The turn; its outcome must be pending.
            group: Turns of different groups never wait for each other: the number of the rollout.

        Raises:
            SeatError: What went wrong in this turn.
        """
        key = (asyncio.get_running_loop(), group)
        if key not in self._waiting:
            self._waiting[key] = []
            key[0].call_soon(self._start, key)
        self._waiting[key].append(turn)
        return await turn.outcome

    def _start(self, key: tuple[asyncio.AbstractEventLoop, int]) -> None:
        task = key[0].create_task(self._run(self._waiting.pop(key)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, turns: list[T]) -> None:
        try:
            await run_graph(self._graph, {"turns": turns})
            error: BaseException = RuntimeError("the graph ended without an outcome")
        except Exception as problem:
            error = problem
        except asyncio.CancelledError:
            for turn in turns:
                turn.outcome.cancel()
            raise
        for turn in turns:
            if not turn.outcome.done():
                turn.outcome.set_exception(error)


def for_each(turns: Iterable[T], work: Callable[[T], None]) -> None:
    """Works on all turns without an outcome; what one raises becomes its own outcome, nobody else's."""
    for turn in turns:
        if not turn.outcome.done():
            try:
                work(turn)
            except Exception as error:
                turn.outcome.set_exception(error)


async def await_each(turns: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Does the same with work that waits, for all turns at the same time; a turn that is given up is stopped."""
    await asyncio.gather(*[_guarded(turn, work) for turn in turns if not turn.outcome.done()])


async def _guarded(turn: T, work: Callable[[T], Awaitable[None]]) -> None:
    task = asyncio.current_task()
    assert task is not None

    def give_up(outcome: asyncio.Future[Reply]) -> None:
        if outcome.cancelled():
            task.cancel()

    turn.outcome.add_done_callback(give_up)
    try:
        await work(turn)
    except asyncio.CancelledError:
        if not turn.outcome.cancelled():
            raise
    except Exception as error:
        if not turn.outcome.done():
            turn.outcome.set_exception(error)
    finally:
        turn.outcome.remove_done_callback(give_up)

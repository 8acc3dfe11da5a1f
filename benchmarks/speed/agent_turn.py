"""What a turn costs inside the agents room: CPU microseconds for a seat's `act`, with a model that answers at once.

All seats are due together, as in one step of a simultaneous environment, or one after another. Rows: a bare asyncio
loop with the same number of coroutines, a scripted seat, an llm seat (together: one shared graph run; one by one: a
graph run of its own), and a seat that holds a user's graph of one node. Ratios are to the bare loop of the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypedDict

from tidings.agents.langgraph_agent import LangGraphAgent, LangGraphParams
from tidings.agents.langgraph_seam import compile_graph
from tidings.agents.llm import LLMAgent, LLMParams
from tidings.agents.scripted import ScriptedAgent, ScriptedParams
from tidings.core import (
    EVERYONE,
    Agent,
    Event,
    EventView,
    ModelRequest,
    ModelResponse,
    Observation,
    PublicRecord,
    SeatContext,
    SeedPath,
    TextSpec,
)
from tidings.core.calls import RequestKind

SPEC = TextSpec(500, "What do you say to those who hear you?", allow_empty=True)
REPEATS = 7
CALM = (50_000, 20, 100)


class Instant:
    """A model that answers at once."""

    name = "scripted/instant"
    kinds: frozenset[RequestKind] = frozenset({"text"})

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns the same words to everybody."""
        return ModelResponse("ka lo", self.name)

    async def close(self) -> None:
        """Frees nothing."""


class State(TypedDict):
    """State of the user's graph."""

    transcript: list[str]
    model: Any
    action: str


async def own_node(state: State) -> dict[str, Any]:
    response = await state["model"].respond("\n".join(state["transcript"]))
    return {"action": response.text}


def observations(n: int, n_events: int) -> list[Observation]:
    """Returns one observation a seat, each with its own private messages."""
    record, root, found = PublicRecord(), SeedPath.root(1), []
    record.events.append(Event("message", EVERYONE, {"text": "Tell the others what you know."}, None, 0, 0))
    for i in range(n):
        own = (f"a{i}",)
        private = [Event("message", own, {"text": f"ka lo mi ne {j}"}, "a1", 1, j + 1) for j in range(n_events)]
        found.append(Observation(own[0], 0, 2, root.child("seat", i), record, EventView(private, len(private))))
    return found


def context(seat: str) -> SeatContext:
    return SeatContext(
        seat, "You talk with others.", lambda event: f"{event.seat} said: {event.data['text']}", Instant()
    )


def seats(n: int, kind: str) -> list[Agent]:
    """Returns the agents of one kind."""
    if kind == "scripted":
        return [ScriptedAgent.build(ScriptedParams(policy="talk", text="ka lo"), context(f"a{i}")) for i in range(n)]
    if kind == "llm":
        return [LLMAgent.build(LLMParams(), context(f"a{i}")) for i in range(n)]
    graph = compile_graph(State, {"node": own_node}, [], {})
    return [LangGraphAgent(LangGraphParams(graph="own:graph"), context(f"a{i}"), graph) for i in range(n)]


async def together(acts: Sequence[Callable[[], Awaitable[Any]]]) -> None:
    await asyncio.gather(*[act() for act in acts])


async def one_by_one(acts: Sequence[Callable[[], Awaitable[Any]]]) -> None:
    for act in acts:
        await act()


def cost(acts: Sequence[Callable[[], Awaitable[Any]]], play: Callable[..., Awaitable[None]]) -> float:
    """Returns CPU microseconds a turn, the best of some repeats."""

    async def measure() -> float:
        best = float("inf")
        for _ in range(REPEATS):
            start = time.process_time()
            await play(acts)
            best = min(best, time.process_time() - start)
        return best

    return asyncio.run(measure()) / len(acts) * 1e6


async def bare() -> str:
    await asyncio.sleep(0)
    return "ka lo"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seats", type=int, default=1000)
    parser.add_argument("--events", type=int, default=20, help="messages each seat has heard")
    words = "collect garbage less often: many graph runs at once hold many objects that the collector walks over"
    parser.add_argument("--calm", action="store_true", help=words)
    given = parser.parse_args()
    if given.calm:
        gc.set_threshold(*CALM)
    seen = observations(given.seats, given.events)
    base = cost([bare] * given.seats, together)
    print(f"CPU microseconds a turn, {given.seats} seats, {given.events} messages in each transcript")
    print(f"  {'bare asyncio loop':34} {base:8.1f}")
    rows = [
        ("scripted, together", "scripted", together, "60"),
        ("llm, together", "llm", together, "500"),
        ("llm, one by one", "llm", one_by_one, "500"),
        ("own graph of one node, together", "own", together, "-"),
        ("own graph of one node, one by one", "own", one_by_one, "-"),
    ]
    for name, kind, play, goal in rows:
        agents = seats(given.seats, kind)
        acts = [partial(agent.act, one, SPEC) for agent, one in zip(agents, seen, strict=True)]
        found = cost(acts, play)
        print(f"  {name:34} {found:8.1f}   {found / base:7.1f} x bare   (goal: {goal})")


if __name__ == "__main__":
    main()

"""A model that answers from a function, and observations made by hand."""

import asyncio
from collections.abc import Callable
from typing import Any

from tidings.core import (
    EVERYONE,
    Event,
    EventView,
    ModelRequest,
    ModelResponse,
    Observation,
    PublicRecord,
    SeatContext,
    SeedPath,
    is_visible,
)

ALL_KINDS = ("text", "json", "choice")


class StubModel:
    """Answers with what `answer(request)` returns (a text or a response), and remembers every request."""

    name = "stub/model"

    def __init__(self, answer: Callable[[ModelRequest], Any], kinds: tuple[str, ...] = ALL_KINDS) -> None:
        self.answer, self.kinds = answer, frozenset(kinds)
        self.requests: list[ModelRequest] = []
        self.latency = lambda request: 0.0

    async def respond(self, request: ModelRequest) -> ModelResponse:
        self.requests.append(request)
        if latency := self.latency(request):
            await asyncio.sleep(latency)
        answer = self.answer(request)
        return answer if isinstance(answer, ModelResponse) else ModelResponse(answer, self.name)

    async def close(self) -> None:
        pass


def saying(*answers: Any) -> StubModel:
    """Returns a model that gives these answers one after another, the last one for ever."""
    left = list(answers)
    return StubModel(lambda request: left.pop(0) if len(left) > 1 else left[0])


def choosing(*probabilities: float, mass: float = 0.9) -> StubModel:
    """Returns a model that gives these probabilities to a choice, in the order shown."""
    return StubModel(lambda request: ModelResponse(request.options[0], "stub", probabilities=probabilities, mass=mass))


def observe(events: list[Event], seat: str = "a0", *, step: int = 1, rollout: int = 0, seed: int = 0) -> Observation:
    """Returns what a seat sees of these events, numbered in their order."""
    record, private = PublicRecord(), []
    for index, event in enumerate(events):
        if is_visible(event, seat):
            place = record.events if event.audience == EVERYONE else private
            place.append(event._replace(index=index))
    path = SeedPath.root(seed).child("rollout", rollout, "seat", seat, step)
    return Observation(seat, rollout, step, path, record, EventView(private, len(private)))


def describe(event: Event) -> str:
    """Returns the event's text, with its speaker."""
    words = event.data.get("text", event.data.get("value"))
    return {"message": f"{event.seat} said: {words}", "fact": f"You know: {words}"}.get(event.kind, "")


def context(model: Any = None, seat: str = "a0", **more: Any) -> SeatContext:
    return SeatContext(seat, "It may rain.", describe, model, **more)


def message(text: str, *audience: str, seat: str = "a1") -> Event:
    return Event("message", audience or EVERYONE, {"text": text}, seat)

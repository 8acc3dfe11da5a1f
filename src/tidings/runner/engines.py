"""Local models that live in engines: one model, several engines, each request to the one with the least to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidings.core import LanguageModel, ModelRequest, ModelResponse
from tidings.core.calls import RequestKind
from tidings.models.failures import AttemptError
from tidings.runner.cluster import EngineHandle, LostError

__all__ = ["EngineModel"]


@dataclass
class _Place:
    engine: EngineHandle
    n_waiting: int = 0


class EngineModel:
    """Stands in the driver's guard for a model that engines hold."""

    def __init__(self, inner: LanguageModel, start: Callable[[], EngineHandle], n_engines: int) -> None:
        """Starts the engines.

        Args:
            inner: The model as the driver knows it, for its name and kinds.
            start: Starts one engine.
            n_engines: How many.
        """
        self._inner, self._start = inner, start
        self._places = [_Place(start()) for _ in range(n_engines)]

    @property
    def name(self) -> str:
        """Id with provider."""
        return self._inner.name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """The request kinds it answers."""
        return self._inner.kinds

    @property
    def engines(self) -> Sequence[EngineHandle]:
        """The engines that are up now."""
        return [place.engine for place in self._places]

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns the answer of one attempt.

        Raises:
            ModelError: As the model says; `connection` if the engine was lost (a new one is started).
        """
        place = min(self._places, key=lambda place: place.n_waiting)
        engine = place.engine
        place.n_waiting += 1
        try:
            answer = await engine.respond(request)
        except LostError as error:
            if place.engine is engine:
                place.engine = self._start()
            raise AttemptError("connection", "the model's engine was lost") from error
        finally:
            place.n_waiting -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Ends the engines."""
        for place in self._places:
            place.engine.kill()
        await self._inner.close()

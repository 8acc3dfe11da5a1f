"""A model that answers only from recorded calls: the replay of a run needs no model, no key and no network."""

from __future__ import annotations

from tidings.core import ModelError, ModelRequest, ModelResponse, ReplayError
from tidings.core.calls import RequestKind
from tidings.log.calls import CallStore
from tidings.models.guard import GuardParams

__all__ = ["RecordedModel"]


class RecordedModel:
    """Gives the recorded answer, or the recorded failure, of the very same call."""

    def __init__(
        self, calls: CallStore, name: str, kinds: frozenset[RequestKind], params: GuardParams | None = None
    ) -> None:
        """Opens the record.

        Args:
            calls: The calls of the run.
            name: Name of the model that was asked.
            kinds: The request kinds it could answer; agents may choose how to ask by them.
            params: The settings it was asked with.
        """
        self._calls, self._name, self._kinds, self._params = calls, name, kinds, params or GuardParams()

    @property
    def name(self) -> str:
        """Name of the model that was asked."""
        return self._name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """The request kinds the recorded model could answer."""
        return self._kinds

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns the recorded answer.

        Raises:
            ModelError: If the recorded call failed for good; with the same kind and message.
            ReplayError: If there is no such call in the record.
        """
        record = self._calls.find(self._params.apply(request), self._name)
        if record is not None and record.response is not None:
            return record.response
        if record is not None and record.error is not None:
            raise ModelError(record.error.kind, record.error.message)
        rollout, seat, step, draw = request.key
        where = f"rollout {rollout}, step {step}, seat {seat!r}, call {draw}"
        raise ReplayError(f"{where}: {self._name} was never asked this {request.kind}; the prompt or the seed differs")

    async def close(self) -> None:
        """Does nothing: the record belongs to the run."""

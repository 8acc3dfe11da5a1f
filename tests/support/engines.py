"""A model for tests that lives in engines, named in scenarios as `engines:Batching`."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from tidings.core import ModelRequest, ModelResponse
from tidings.models.scripted import ScriptedModel, ScriptedParams
from tidings.models.transformers.batcher import Batcher


class Batching(ScriptedModel):
    """Answers like `scripted/...`, in batches; an answer says how many rollouts were in its batch."""

    Params = ScriptedParams
    runs_in_engine: ClassVar[bool] = True

    def __init__(self, name: str, params: ScriptedParams) -> None:
        super().__init__(name, params.model_copy(update={"latency_s": 0.0}))
        self._wait_s = params.latency_s if isinstance(params.latency_s, float) else params.latency_s[1]
        # A slow engine waits longer for those it has just answered, so that a busy machine does not split its batches.
        wait_s = max(0.01, self._wait_s / 2)
        self._batcher: Batcher[ModelRequest, ModelResponse] = Batcher(self._run, 64, 1 << 20, wait_s)

    async def respond(self, request: ModelRequest) -> ModelResponse:
        return await self._batcher.submit(request, "text")

    async def close(self) -> None:
        await asyncio.to_thread(self._batcher.close)

    def _run(self, requests: Sequence[ModelRequest]) -> list[ModelResponse | BaseException]:
        time.sleep(self._wait_s)
        n_rollouts = len({request.key.rollout for request in requests})
        return [replace(self._shape(r, self._answer(r)), extra={"n_rollouts": n_rollouts}) for r in requests]

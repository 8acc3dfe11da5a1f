"""Continuous batching: requests join and leave the batch at every token, by the manager that Transformers ships.

For CUDA, where a batch that waits for its longest answer leaves the device idle. Temperature and nucleus are those of
each request; the noise is not: it is drawn for the batch as a whole, so a sampled answer depends on who else is in it.
Recorded runs replay all the same; equal seeds do not give equal answers. Greedy answers (temperature 0) are as before,
up to the numerics of another kernel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from itertools import count
from typing import Any

from tidings.core import ModelRequest
from tidings.models.failures import AttemptError

__all__ = ["ContinuousGenerator"]

_PAGE_TOKENS = 256
_ALL = 1 << 20
"""More tokens than any vocabulary has: a top-k that keeps all."""


class ContinuousGenerator:
    """The manager of one model, started at the first request and again after it broke."""

    def __init__(self, model: Any, end_ids: Collection[int], max_batch_tokens: int) -> None:
        """Takes the model.

        Args:
            model: A causal language model of Transformers, on its device.
            end_ids: Tokens that end an answer.
            max_batch_tokens: Most tokens kept at once on a CPU; on a GPU the free memory decides.
        """
        self._model, self._end_ids, self._max_batch_tokens = model, sorted(end_ids), max_batch_tokens
        self._manager: Any = None
        self._ids = count()

    async def generate(self, request: ModelRequest, prompt: Sequence[int]) -> list[int]:
        """Returns the tokens of the answer, its end mark included.

        Raises:
            ModelError: `server`, if the manager broke.
        """
        manager = self._running()
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        name = str(next(self._ids))
        manager.register_result_handler(name, lambda result: done.done() or done.set_result(result))
        is_greedy = request.temperature <= 0
        manager.add_request(
            list(prompt),
            request_id=name,
            max_new_tokens=request.max_tokens,
            temperature=1.0 if is_greedy else float(request.temperature),
            top_k=1 if is_greedy else min(_ALL, self._model.config.vocab_size),
            top_p=1.0 if is_greedy else float(request.top_p),
        )
        try:
            result = await self._unless_broken(manager, done)
        except asyncio.CancelledError:
            manager.cancel_request(name)
            raise
        if result.error is not None:
            raise AttemptError("server", "the generation broke", detail=str(result.error)[:500])
        return list(result.generated_tokens)

    def close(self) -> None:
        """Stops the manager; answers in flight are given up."""
        if self._manager is not None:
            self._manager.stop(block=True)
        self._manager = None

    async def _unless_broken(self, manager: Any, done: asyncio.Future[Any]) -> Any:
        """Waits for a result, looking now and then whether any can still come."""
        while True:
            finished, _ = await asyncio.wait((done,), timeout=1.0)
            if finished:
                return done.result()
            if not manager.is_running():
                raise AttemptError("server", "the generation broke", detail="the manager has stopped")

    def _running(self) -> Any:
        if self._manager is not None and self._manager.is_running():
            return self._manager
        from transformers import GenerationConfig
        from transformers.generation.configuration_utils import ContinuousBatchingConfig

        # Values other than the neutral ones, so that each kind of processor exists; every request brings its own.
        settings = GenerationConfig(
            do_sample=True,
            temperature=0.5,
            top_k=50,
            top_p=0.5,
            eos_token_id=self._end_ids,
            pad_token_id=self._end_ids[0],
        )
        bounds: dict[str, Any] = {}
        if self._model.device.type == "cpu":
            n_blocks = max(2, -(-self._max_batch_tokens // _PAGE_TOKENS))
            bounds = {"num_blocks": n_blocks, "max_batch_tokens": min(512, self._max_batch_tokens)}
        config = ContinuousBatchingConfig(per_request_processors=True, page_size=_PAGE_TOKENS, **bounds)
        self._manager = self._model.init_continuous_batching(
            generation_config=settings, continuous_batching_config=config
        )
        self._manager.start()
        return self._manager

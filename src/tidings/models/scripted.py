"""`scripted/...`: a model that answers from a script. Deterministic, costs nothing, can be slow and can fail on demand.

models:
  fast: {use: scripted/fast}                                  # answers drawn from what is allowed
  yes: {use: scripted/yes, answers: ["A", "B"]}               # by step, over and over
  cast: {use: scripted/cast, seats: {a0: ["A"], "*": ["B"]}}  # by seat, then by step
  mine: {use: scripted/mine, function: my_study.script:reply} # called with the ModelRequest
  law: {use: scripted/law, law: my_study.script:law}          # ModelRequest -> text: probability; also for score
  bad: {use: scripted/bad, latency_s: [0.1, 0.5], failures: [{step: 3, kind: rate_limit, retry_after_s: 1}]}
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Collection
from importlib import import_module
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from tidings.core import CallKey, ModelRequest, ModelResponse, RequestError, ScenarioError, SeedPath
from tidings.core.calls import RequestKind
from tidings.models.failures import AttemptError
from tidings.models.guard import GuardParams
from tidings.models.scripted_draws import draw_answer, draw_logprobs
from tidings.models.scripted_law import answer_by_law
from tidings.spec.base import Params

__all__ = ["GARBAGE", "Answer", "ScriptedFailure", "ScriptedModel", "ScriptedParams"]

GARBAGE = '\ufffd\ufffd{"act'
"""What a model that has lost its mind says."""

Answer: TypeAlias = str | dict[str, Any]
"""A text; or an object: the JSON of a `json` answer, or the probability of each option of a `choice`."""

_Answers: TypeAlias = tuple[Answer | tuple[Answer, ...], ...]
_Seconds = Annotated[float, Field(ge=0)]


class ScriptedFailure(Params):
    """Calls that fail, and how."""

    kind: Literal[
        "timeout", "rate_limit", "server", "connection", "request", "context_length", "refusal", "empty", "garbage"
    ] = "server"
    """Kind of the failure; `garbage` answers with nonsense instead."""
    seat: str = "*"
    """The seat whose calls fail; `*` for every seat."""
    step: int | None = None
    """The step in which they fail; every step by default."""
    draw: int | None = None
    """The call of the turn that fails; every call by default."""
    times: Annotated[int, Field(ge=1)] | None = 1
    """So many attempts of such a call fail, later ones are answered; null for all."""
    retry_after_s: _Seconds | None = None
    """What a Retry-After header would say, in seconds."""

    def is_hit(self, key: CallKey, attempt: int) -> bool:
        """Returns whether this attempt (from 1) of the call fails."""
        return (
            self.seat in ("*", key.seat)
            and self.step in (None, key.step)
            and self.draw in (None, key.draw)
            and (self.times is None or attempt <= self.times)
        )


class ScriptedParams(GuardParams):
    """Parameters of a scripted model. Without a rule it draws from what is allowed."""

    answers: _Answers | None = None
    """Answers by step, over and over; a list in the place of an answer holds those of the turn's calls one by one."""
    seats: dict[str, _Answers] | None = None
    """Answers of each seat, each like `answers`; `*` for all others."""
    function: str | None = None
    """`package.module:function`; it gets the ModelRequest and returns a text, an object or a ModelResponse."""
    law: str | None = None
    """`package.module:function`; it gets the ModelRequest and returns the probability of each text that may be said."""
    latency_s: _Seconds | tuple[_Seconds, _Seconds] = 0.0
    """Seconds until the answer, or the two ends of a uniform draw."""
    failures: tuple[ScriptedFailure, ...] = ()
    """Calls that fail."""


class ScriptedModel:
    """Answers from a script. Every answer is a function of the request alone, whatever the order of arrival."""

    Params = ScriptedParams

    def __init__(self, name: str, params: ScriptedParams) -> None:
        """Makes the model.

        Raises:
            ScenarioError: If more than one rule is given, or the function cannot be found.
        """
        rules = [rule for rule in ("answers", "seats", "function", "law") if getattr(params, rule) is not None]
        if len(rules) > 1:
            raise ScenarioError(f"models: scripted/{name}", f"found {' and '.join(rules)}", "need one of them")
        self._name, self._params = f"scripted/{name}", params
        self._function = _find_function(self._name, params.function) if params.function else None
        self._law = _find_function(self._name, params.law, "law") if params.law else None
        self._attempts: dict[CallKey, int] = {}

    @classmethod
    def build(cls, params: ScriptedParams, name: str) -> ScriptedModel:
        """Returns the model of these parameters; `name` is what follows `scripted/`."""
        return cls(name, params)

    @property
    def name(self) -> str:
        """Id with provider."""
        return self._name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """All kinds."""
        return frozenset(("text", "json", "choice", "score"))

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns the scripted answer, after the scripted latency.

        Raises:
            ModelError: If the script says that this attempt fails.
            RequestError: If the script has no answer for this seat, or one that does not fit the question.
        """
        if self._params.latency_s:
            await asyncio.sleep(self._latency_s(request))
        failure = self._failure(request.key) if self._params.failures else None
        if failure is None and self._law is not None:
            return answer_by_law(request, self._name, self._law(request))
        if failure is None:
            return self._shape(request, self._answer(request))
        if failure.kind == "garbage" and request.kind in ("text", "json"):
            return self._shape(request, GARBAGE)
        kind = "server" if failure.kind == "garbage" else failure.kind
        raise AttemptError(kind, "as the script says", failure.retry_after_s)

    async def close(self) -> None:
        """Forgets which calls were tried before."""
        self._attempts.clear()

    def _latency_s(self, request: ModelRequest) -> float:
        latency_s = self._params.latency_s
        if isinstance(latency_s, tuple):
            low, high = latency_s
            return low + (high - low) * SeedPath(request.seed).uniform("latency", *request.key)
        return latency_s

    def _failure(self, key: CallKey) -> ScriptedFailure | None:
        attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
        return next((failure for failure in self._params.failures if failure.is_hit(key, attempt)), None)

    def _answer(self, request: ModelRequest) -> Any:
        params, key = self._params, request.key
        if self._function is not None:
            return self._function(request)
        answers = params.answers
        if params.seats is not None:
            answers = params.seats.get(key.seat, params.seats.get("*"))
            if answers is None:
                raise RequestError(f"{self._name}.seats", f"no answers for seat {key.seat!r}", "name it, or add '*'")
        if answers is None:
            return draw_answer(request)
        if not answers:
            raise RequestError(self._name, "its list of answers is empty", "need at least one")
        answer = answers[key.step % len(answers)]
        return answer[min(key.draw, len(answer) - 1)] if isinstance(answer, tuple) else answer

    def _shape(self, request: ModelRequest, answer: Any) -> ModelResponse:
        """Returns the answer as a response of the kind that was asked for."""
        if isinstance(answer, ModelResponse):
            return answer
        tokens_in = sum(len(message.content) for message in request.messages) // 4 + 1
        if request.kind == "choice":
            return self._shape_choice(request, answer, tokens_in)
        if request.kind == "score":
            logprobs = draw_logprobs(request)
            return ModelResponse("", self._name, tokens_in, len(logprobs), logprobs=logprobs)
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        return _cut(text, request, self._name, tokens_in)

    def _shape_choice(self, request: ModelRequest, answer: Any, tokens_in: int) -> ModelResponse:
        options = request.options
        weights = {answer: 1.0} if isinstance(answer, str) else answer
        if not _are_probabilities(weights, options):
            allowed = f"need one of {list(options)}, or an object of their probabilities"
            raise RequestError(self._name, f"answered {answer!r} to a choice", allowed)
        total = math.fsum(weights.values())
        probabilities = tuple(weights.get(option, 0.0) / total for option in options)
        best = options[probabilities.index(max(probabilities))]
        return ModelResponse(best, self._name, tokens_in, 1, probabilities=probabilities, mass=min(1.0, total))


def _are_probabilities(weights: Any, options: Collection[str]) -> bool:
    """Returns whether a script's answer gives options probabilities, with a sum in (0, 1]."""
    if not isinstance(weights, dict) or not set(weights) <= set(options):
        return False
    values = list(weights.values())
    are_numbers = all(isinstance(value, int | float) and value >= 0 for value in values)
    return are_numbers and 0 < sum(values) <= 1 + 1e-9


def _cut(text: str, request: ModelRequest, name: str, tokens_in: int) -> ModelResponse:
    """Returns the text up to the first stop text and the token limit; a token is a word."""
    ends = [end for stop in request.stop if (end := text.find(stop)) >= 0]
    text = text[: min(ends)] if ends else text
    if len(text) <= request.max_tokens:
        return ModelResponse(text, name, tokens_in, max(1, text.count(" ") + 1))
    words = text.split(" ")
    if len(words) <= request.max_tokens:
        return ModelResponse(text, name, tokens_in, len(words))
    return ModelResponse(" ".join(words[: request.max_tokens]), name, tokens_in, request.max_tokens, "length")


def _find_function(where: str, path: str, field: str = "function") -> Callable[[ModelRequest], Any]:
    module_name, _, function_name = path.partition(":")
    try:
        function = getattr(import_module(module_name), function_name)
    except (ImportError, AttributeError, ValueError) as error:
        fix = "is it installed, or on PYTHONPATH?"
        raise ScenarioError(
            f"{where}.{field}", f"found {path!r} ({error})", "need package.module:function", fix
        ) from None
    if not callable(function):
        raise ScenarioError(f"{where}.{field}", f"{path!r} is no function", "need package.module:function")
    return function

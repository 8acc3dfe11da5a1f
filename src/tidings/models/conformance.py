"""What every language model must satisfy; outsiders run it on their own: `await check_model(model)`.

A check that fails raises `ModelConformanceError` naming the promise that was broken.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from typing import get_args

import msgspec

from tidings.core import CallKey, LanguageModel, ModelError, ModelRequest, ModelResponse, PromptMessage, TidingsError
from tidings.core.calls import RequestKind

__all__ = ["ModelConformanceError", "check_model"]

_KINDS: tuple[RequestKind, ...] = get_args(RequestKind)
_SCHEMA = {
    "type": "object",
    "properties": {"action": {"type": "string", "enum": ["left", "right"]}},
    "required": ["action"],
    "additionalProperties": False,
}


class ModelConformanceError(TidingsError):
    """A model breaks a promise that the rest of the house relies on."""


async def check_model(model: LanguageModel, *, is_repeatable: bool = True) -> None:
    """Runs every check on a model; makes about twenty short calls.

    Args:
        model: The model; left open.
        is_repeatable: Whether equal requests must get equal answers, also when they are asked together with others.
            Many servers cannot promise that.

    Raises:
        ModelConformanceError: At the first broken promise.
    """
    _check_names(model)
    for kind, check in _CHECKS.items():
        if kind in model.kinds:
            await check(model)
        else:
            await _check_refuses(model, kind)
    if is_repeatable:
        await _check_repeats(model)


def _need(is_kept: bool, promise: str) -> None:
    if not is_kept:
        raise ModelConformanceError(promise)


def _ask(kind: RequestKind, number: int = 0, **fields: object) -> ModelRequest:
    words = f"Say something nice about the number {number}. Go left or right? Answer with A, B or C."
    given: dict[str, object] = {"max_tokens": 12, "seed": number}
    given |= {"choice": {"options": ("A", "B", "C")}, "json": {"schema": _SCHEMA, "max_tokens": 64}}.get(kind, {})
    given |= {"continuation": " I go left, said number one."} if kind == "score" else {}
    key = CallKey(0, f"a{number}", 0, 0)
    return ModelRequest(key, (PromptMessage("user", words),), kind, **{**given, **fields})  # type: ignore[arg-type]


def _check_names(model: LanguageModel) -> None:
    provider, _, name = model.name.partition("/")
    _need(bool(provider and name), f"name: need provider/model, found {model.name!r}")
    _need(bool(model.kinds) and model.kinds <= set(_KINDS), f"kinds: need some of {_KINDS}, found {set(model.kinds)}")


async def _respond(model: LanguageModel, request: ModelRequest) -> ModelResponse:
    """Returns the answer after the checks that hold for every kind."""
    answer = await model.respond(request)
    _need(isinstance(answer, ModelResponse), f"{request.kind}: need a ModelResponse, found {type(answer).__name__}")
    _need(bool(answer.model), f"{request.kind}: the response does not name the model that answered")
    _need(answer.tokens_in >= 0 and answer.tokens_out >= 0, f"{request.kind}: token counts must not be negative")
    _need(
        answer.finish in ("stop", "length"), f"{request.kind}: finish must be stop or length, found {answer.finish!r}"
    )
    again = msgspec.json.decode(msgspec.json.encode(answer), type=ModelResponse)
    _need(again == answer, f"{request.kind}: the response changes when it is written as JSON and read back")
    return answer


async def _check_text(model: LanguageModel) -> None:
    answer = await _respond(model, _ask("text"))
    _need(bool(answer.text.strip()), "text: an empty answer must be a ModelError of kind 'empty', never a text")
    _need(answer.tokens_out <= 12, f"text: max_tokens is 12, the answer has {answer.tokens_out}")
    longer = await _respond(model, _ask("text", temperature=0.0))
    stop = longer.text.strip()[2:4]
    if stop.strip():
        cut = await _respond(model, _ask("text", temperature=0.0, stop=(stop,)))
        _need(stop not in cut.text, f"text: the answer goes on past the stop text {stop!r}")


async def _check_json(model: LanguageModel) -> None:
    answer = await _respond(model, _ask("json"))
    _need(bool(answer.text.strip()), "json: the answer is empty")
    if answer.extra.get("json_mode", "json_schema") != "json_schema":
        return  # the server knows no schemas: the seat reads what came and asks again
    try:
        value = json.loads(answer.text)
    except ValueError:
        raise ModelConformanceError(f"json: found {answer.text!r}, which is no JSON") from None
    is_fit = isinstance(value, dict) and value.get("action") in ("left", "right") and len(value) == 1
    _need(is_fit, f"json: found {answer.text!r}, which does not fit the schema")


async def _check_choice(model: LanguageModel) -> None:
    request = _ask("choice")
    answer = await _respond(model, request)
    probabilities, mass = answer.probabilities, answer.mass
    if probabilities is None or mass is None:
        raise ModelConformanceError("choice: need probabilities and mass")
    _need(len(probabilities) == len(request.options), "choice: need one probability an option, in their order")
    _need(min(probabilities) >= 0 and abs(math.fsum(probabilities) - 1) < 1e-6, "choice: probabilities must sum to 1")
    _need(0 < mass <= 1 + 1e-6, f"choice: mass must lie in (0, 1], found {mass!r}")
    best = request.options[probabilities.index(max(probabilities))]
    _need(answer.text == best, f"choice: text must be the most probable option {best!r}, found {answer.text!r}")


async def _check_score(model: LanguageModel) -> None:
    answer = await _respond(model, _ask("score"))
    _need(answer.text == "", "score: text must be empty")
    _need(bool(answer.logprobs), "score: need a log-probability a token")
    for logprob in answer.logprobs or ():
        _need(math.isfinite(logprob) and logprob <= 1e-6, f"score: {logprob!r} is no log-probability")


async def _check_refuses(model: LanguageModel, kind: RequestKind) -> None:
    try:
        await model.respond(_ask(kind))
    except ModelError as error:
        _need(
            error.kind == "request", f"{kind}: not among kinds, so the error's kind must be request, found {error.kind}"
        )
    else:
        raise ModelConformanceError(f"{kind}: not among kinds, yet answered")


async def _check_repeats(model: LanguageModel) -> None:
    """Checks that an answer does not depend on what else is asked at the same time."""
    kinds: list[RequestKind] = [kind for kind in ("text", "choice") if kind in model.kinds]
    requests = [_ask(kind, number, temperature=0.7 * (number % 2)) for number in range(4) for kind in kinds]
    alone = [await model.respond(request) for request in requests]
    together = await asyncio.gather(*(model.respond(request) for request in reversed(requests)))
    for request, one, other in zip(requests, alone, reversed(together), strict=True):
        _need(one.text == other.text, f"{request.kind}: {one.text!r} alone, {other.text!r} beside other requests")


_CHECKS: dict[RequestKind, Callable[[LanguageModel], Awaitable[None]]] = {
    "text": _check_text,
    "json": _check_json,
    "choice": _check_choice,
    "score": _check_score,
}

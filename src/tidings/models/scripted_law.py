"""A scripted model whose law is stated: it draws from it, gives its probabilities, and scores texts by it, exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tidings.core import ModelRequest, ModelResponse, RequestError, SeedPath

__all__ = ["answer_by_law"]


def answer_by_law(request: ModelRequest, name: str, law: Mapping[str, float]) -> ModelResponse:
    """Returns the answer of a model that says each text with its stated probability.

    A text counts as one token. A text outside the law has probability 0: its score has no log-probabilities, and
    `extra` says `is_impossible`, since JSON holds no infinity.

    Args:
        request: Of any kind; the options of a `choice` are texts of the law, and take what it gives them.
        name: Of the model.
        law: Text -> probability.

    Raises:
        RequestError: If these are no probabilities, or give all options together none.
    """
    if not law or any(not p >= 0 for p in law.values()) or abs(math.fsum(law.values()) - 1) > 1e-9:
        raise RequestError(f"{name}.law", f"found {dict(law)!r}", "need probabilities that sum to 1")
    tokens_in = sum(len(message.content) for message in request.messages) // 4 + 1
    if request.kind == "score":
        p = law.get(request.continuation, 0.0)
        if p == 0:
            return ModelResponse("", name, tokens_in, 1, extra={"is_impossible": True})
        return ModelResponse("", name, tokens_in, 1, logprobs=(math.log(p),))
    if request.kind == "choice":
        weights = [law.get(option, 0.0) for option in request.options]
        mass = math.fsum(weights)
        if mass == 0:
            raise RequestError(f"{name}.law", f"gives none of {list(request.options)} a probability")
        probabilities = tuple(weight / mass for weight in weights)
        best = request.options[probabilities.index(max(probabilities))]
        return ModelResponse(best, name, tokens_in, 1, probabilities=probabilities, mass=min(1.0, mass))
    return ModelResponse(_drawn(law, SeedPath(request.seed).uniform("law", *request.key)), name, tokens_in, 1)


def _drawn(law: Mapping[str, float], point: float) -> str:
    reached, last = 0.0, ""
    for text, p in law.items():
        reached += p
        last = text if p > 0 else last
        if point < reached:
            return text
    return last

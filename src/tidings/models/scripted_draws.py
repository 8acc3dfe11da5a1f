"""What a scripted model says when it has no script: a draw from what is allowed, so that any scenario can be played."""

from __future__ import annotations

from random import Random
from typing import Any

from tidings.core import ModelRequest, SeedPath
from tidings.core.seeds import part_key

__all__ = ["draw_answer", "draw_json", "draw_logprobs"]

_SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "ta")


def draw_answer(request: ModelRequest) -> Any:
    """Returns a uniform draw from what a text, json or choice request allows: a function of its seed and key."""
    path = SeedPath(request.seed).child("answer", *request.key)
    if request.kind == "choice":
        return request.options[int(path.uniform() * len(request.options))]
    if request.kind == "json":
        return draw_json(request.schema or {"type": "object"}, path.generator())
    if request.kind == "text":
        return _words(path.generator(), 6)
    return ""


def draw_logprobs(request: ModelRequest) -> tuple[float, ...]:
    """Returns natural-log probabilities in (-6, 0], one a word of the continuation: a function of prompt and text."""
    words = request.continuation.split()
    path = SeedPath(part_key(repr(request.messages))).child(request.continuation)
    return tuple(-6.0 * path.uniform(number) for number in range(len(words)))


def draw_json(schema: dict[str, Any], rng: Random) -> Any:
    """Returns a value that fits a JSON Schema made of the common words (type, enum, properties, items, ranges)."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return draw_json(schema[word][0], rng)
    kind = schema.get("type", "object")
    draw = _DRAWS.get(kind[0] if isinstance(kind, list) else kind)
    return None if draw is None else draw(schema, rng)


def _number(schema: dict[str, Any], rng: Random) -> float:
    low = schema.get("minimum", 0.0)
    return round(rng.uniform(low, schema.get("maximum", max(1.0, low))), 3)


def _integer(schema: dict[str, Any], rng: Random) -> int:
    low = int(schema.get("minimum", 0))
    return rng.randint(low, int(schema.get("maximum", max(9, low))))


def _text(schema: dict[str, Any], rng: Random) -> str:
    return _words(rng, 4)[: schema.get("maxLength")].strip()


def _object(schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    return {name: draw_json(part, rng) for name, part in schema.get("properties", {}).items()}


def _array(schema: dict[str, Any], rng: Random) -> list[Any]:
    n_items = min(schema.get("maxItems", 2), max(schema.get("minItems", 0), 2))
    return [draw_json(schema.get("items", {"type": "string"}), rng) for _ in range(n_items)]


_DRAWS: dict[str, Any] = {
    "number": _number,
    "integer": _integer,
    "string": _text,
    "boolean": lambda schema, rng: rng.random() < 0.5,
    "object": _object,
    "array": _array,
}


def _words(rng: Random, n: int) -> str:
    return " ".join("".join(rng.choice(_SYLLABLES) for _ in range(2)) for _ in range(n))

"""Action specs: what kind of answer a turn asks for. A spec checks itself and checks the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from tidings.core.edges import EdgesSpec
from tidings.core.errors import ReplyError, RequestError, suggest

__all__ = ["ActionSpec", "ChoiceSpec", "NumberSpec", "StructuredSpec", "TextSpec", "draw_action"]


@dataclass(frozen=True)
class ChoiceSpec:
    """One of a few options.

    Attributes:
        options: The allowed answers, in order; all different.
        question: What is asked, in words.
    """

    options: tuple[str, ...]
    question: str = ""

    def __post_init__(self) -> None:
        if not self.options or len(set(self.options)) != len(self.options):
            raise RequestError("ChoiceSpec.options", f"found {self.options!r}", "need one or more, all different")

    def check(self, value: object) -> str:
        """Returns the answer if it is one of the options.

        Raises:
            ReplyError: `not_an_option`, if it is anything else. Upper and lower case differ.
        """
        if isinstance(value, str) and value in self.options:
            return value
        hint = suggest(value, self.options)
        raise ReplyError("not_an_option", f"{value!r} is none of {list(self.options)}" + (f"; {hint}" if hint else ""))

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of an answer."""
        return {"type": "string", "enum": list(self.options)}


@dataclass(frozen=True)
class NumberSpec:
    """A number in a closed interval.

    Attributes:
        low: Smallest allowed value.
        high: Largest allowed value.
        question: What is asked, in words.
        is_integer: Whether only whole numbers are allowed.
    """

    low: float
    high: float
    question: str = ""
    is_integer: bool = False

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise RequestError("NumberSpec", f"found low {self.low!r}, high {self.high!r}", "need low <= high")

    def check(self, value: object) -> float:
        """Returns the answer if it is a finite number inside the interval.

        Raises:
            ReplyError: `not_a_number` or `out_of_range`. Nothing is clipped.
        """
        if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
            raise ReplyError("not_a_number", f"{value!r} is not a finite number")
        if not self.low <= value <= self.high:
            raise ReplyError("out_of_range", f"{str(value)[:40]} is outside [{self.low:g}, {self.high:g}]")
        if self.is_integer and value != int(value):
            raise ReplyError("not_an_integer", f"{value!r} is not a whole number")
        return int(value) if self.is_integer else value

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of an answer."""
        return {"type": "integer" if self.is_integer else "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class TextSpec:
    """Free text.

    Attributes:
        max_chars: Longest allowed answer, in characters.
        question: What is asked, in words.
        allow_empty: Whether saying nothing is an answer.
    """

    max_chars: int = 4000
    question: str = ""
    allow_empty: bool = False

    def __post_init__(self) -> None:
        if self.max_chars < 1:
            raise RequestError("TextSpec.max_chars", f"found {self.max_chars!r}", "need at least 1")

    def check(self, value: object) -> str:
        """Returns the text unchanged.

        Raises:
            ReplyError: `not_text`, `empty` or `too_long`. Nothing is cut.
        """
        if not isinstance(value, str):
            raise ReplyError("not_text", f"{type(value).__name__} is not text")
        if not value.strip() and not self.allow_empty:
            raise ReplyError("empty", "the answer is empty")
        if len(value) > self.max_chars:
            raise ReplyError("too_long", f"{len(value)} characters, at most {self.max_chars} are allowed")
        return value

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of an answer."""
        return {"type": "string", "maxLength": self.max_chars}


@dataclass(frozen=True)
class StructuredSpec:
    """Several named answers at once.

    Attributes:
        fields: Name -> spec of that part, in the order in which they are asked.
        question: What is asked, in words.
        optional: Names that may be missing.
    """

    fields: Mapping[str, ActionSpec]
    question: str = ""
    optional: frozenset[str] = frozenset()

    def check(self, value: object) -> dict[str, Any]:
        """Returns the answer with every part checked, in the spec's order.

        Raises:
            ReplyError: `not_structured`, `missing_field`, `unknown_field`, or what a part's own check raises.
        """
        if not isinstance(value, Mapping):
            raise ReplyError("not_structured", f"{type(value).__name__} has no fields; need {list(self.fields)}")
        unknown = [name for name in value if name not in self.fields]
        if unknown:
            raise ReplyError("unknown_field", f"{unknown} not among {list(self.fields)}")
        missing = [name for name in self.fields if name not in value and name not in self.optional]
        if missing:
            raise ReplyError("missing_field", f"{missing} missing; need {list(self.fields)}")
        return {name: spec.check(value[name]) for name, spec in self.fields.items() if name in value}

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of an answer; no further keys are allowed."""
        return {
            "type": "object",
            "properties": {name: spec.json_schema() for name, spec in self.fields.items()},
            "required": [name for name in self.fields if name not in self.optional],
            "additionalProperties": False,
        }


ActionSpec: TypeAlias = ChoiceSpec | NumberSpec | TextSpec | StructuredSpec | EdgesSpec


def draw_action(spec: ActionSpec, rng: Random) -> Any:
    """Returns an action the spec allows, drawn uniformly (a text is a few syllables); for floors and tests."""
    if isinstance(spec, ChoiceSpec):
        return rng.choice(spec.options)
    if isinstance(spec, NumberSpec):
        if spec.is_integer:
            return rng.randint(math.ceil(spec.low), math.floor(spec.high))
        return rng.uniform(spec.low, spec.high)
    if isinstance(spec, EdgesSpec):
        return spec.draw(rng)
    if isinstance(spec, TextSpec):
        words = ["".join(rng.choice(("ka", "lo", "mi", "ne", "ru", "ta")) for _ in range(2)) for _ in range(3)]
        return " ".join(words)[: spec.max_chars]
    return {name: draw_action(part, rng) for name, part in spec.fields.items()}

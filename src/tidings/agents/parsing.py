"""Reading answers: from the text of a language model to a value that an action spec allows.

Strict on purpose. What can be read in two ways is an error, never a guess: a wrong reading looks like data. Nothing is
evaluated. Every function raises `ReplyError` with a stable `kind`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tidings.core import ActionSpec, ChoiceSpec, EdgesSpec, NumberSpec, ReplyError, StructuredSpec, TextSpec

__all__ = [
    "find_json_object",
    "read_action",
    "read_choice",
    "read_edges",
    "read_json_value",
    "read_number",
    "read_text",
]

_NUMBER = re.compile(
    r"(?<![\w.,/<>≤≥])[-+]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?(?![\w/]|[.,]\d)"
    r"(?:\s*%|\s+percent\b)?"
)
_NAME_WITH_DIGITS = re.compile(r"(?<![\w.])[A-Za-z_]\w*\d\w*(?:\.\w+)*")
_MARKED = re.compile(r"\banswer\s*(?:is\s*)?:\s*([^\n]+)", re.IGNORECASE)
_WRAPPING = " \t\r\n\"'`*_"
_MAX_SHOWN = 120


def read_action(text: str, spec: ActionSpec) -> Any:
    """Returns the action in a plain-text answer.

    A structured answer is looked for as one JSON object; see `read_choice`, `read_number`, `read_text` for the rest.

    Raises:
        ReplyError: If there is none, if there are several, or if the spec does not allow it.
    """
    if isinstance(spec, StructuredSpec):
        return read_json_value(find_json_object(text), spec)
    if isinstance(spec, ChoiceSpec):
        return read_choice(text, spec)
    if isinstance(spec, EdgesSpec):
        return read_edges(text, spec)
    return read_number(text, spec) if isinstance(spec, NumberSpec) else read_text(text, spec)


def read_text(text: str, spec: TextSpec) -> str:
    """Returns free text without the white space around it.

    Raises:
        ReplyError: `not_text` if it holds half a character (a lone surrogate), or what the spec's check raises.
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ReplyError("not_text", "the answer holds half a character")
    return spec.check(text.strip())


def read_edges(text: str, spec: EdgesSpec) -> list[list[str]]:
    """Returns the graph in a text made of pairs `a0 -> a1` and nothing else, or of the word NONE.

    Raises:
        ReplyError: `not_edges` if it holds anything else, or what the spec's check raises.
    """
    bare = text.strip(_WRAPPING + ".[]")
    if bare.casefold() == "none":
        return spec.check([])
    pairs = [re.fullmatch(r"\s*(\S+?)\s*->\s*(\S+)\s*", part) for part in re.split(r"[,;\n]", bare)]
    if not all(pairs):
        raise ReplyError("not_edges", f"{_shown(text)} is no list of pairs such as a0 -> a1")
    return spec.check([[pair[1], pair[2]] for pair in pairs if pair])


def read_number(text: str, spec: NumberSpec) -> float:
    """Returns the one number in a text.

    `70%` means 0.7 where the spec ends at 1 or below, and 70 where it ends at 100; elsewhere it is an error. A number
    after `Answer:` counts before all others. The same number said twice is one number.

    Raises:
        ReplyError: `not_a_number` if there is none, `ambiguous` if there are several or it is written in a way that can
            be read in two ways (1/2, 0,7, 1.000.000), or what the spec's check raises.
    """
    marked = _MARKED.findall(text)
    values = {_number(match, spec) for part in (marked or [text]) for match in _numbers(part)}
    if not values:
        raise ReplyError("not_a_number", f"no number in {_shown(text)}")
    if len(values) > 1:
        raise ReplyError("ambiguous", f"several numbers in {_shown(text)}")
    return _check_number(values.pop(), spec)


def read_choice(text: str, spec: ChoiceSpec, labels: Mapping[str, str] | None = None) -> str:
    """Returns the option that a text names.

    What follows `Answer:` counts before all else; otherwise every line that is an option, a label (`B`, `(B)`, `B.`) or
    both (`B) wait`), upper or lower case; otherwise a label with its sign at the very beginning (`B) because ...`).
    Options inside a sentence are not looked for ("I would not wait" names none), and two different ones are ambiguous,
    so that an answer which repeats the list of options is never taken for the first of them.

    Args:
        text: The answer.
        spec: The options.
        labels: Label -> option, as the prompt showed them.

    Raises:
        ReplyError: `not_an_option` if nothing is named, `ambiguous` if it can be read in two ways.
    """
    shown = dict(labels or {})
    marked = _MARKED.findall(text)
    lines = marked or [text, *text.splitlines()]
    found = {option for place in lines for option in _named(place, spec.options, shown)}
    if not marked and not found:
        found = _labelled(text.strip(_WRAPPING), shown)
    if len(found) > 1:
        raise ReplyError("ambiguous", f"{_shown(text)} names {sorted(found)}")
    if not found:
        raise ReplyError("not_an_option", f"{_shown(text)} is none of {list(spec.options)}")
    return found.pop()


def find_json_object(text: str) -> dict[str, Any]:
    """Returns the one JSON object in a text, whatever stands around it (prose, a code fence).

    Raises:
        ReplyError: `not_json` if there is none or it is cut off, `ambiguous` if there are several different ones or a
            key stands twice in one.
    """
    found: dict[str, dict[str, Any]] = {}
    start = text.find("{")
    while start >= 0:
        end = start
        try:
            value, end = _DECODER.raw_decode(text, start)
            found[json.dumps(value, sort_keys=True)] = value
        except (ValueError, RecursionError):
            end = _closing(text, start)
        start = text.find("{", end)
    if not found:
        raise ReplyError("not_json", f"no JSON object in {_shown(text)}")
    if len(found) > 1:
        raise ReplyError("ambiguous", f"{len(found)} different JSON objects in the answer")
    return found.popitem()[1]


def read_json_value(value: Any, spec: ActionSpec) -> Any:
    """Returns a JSON value as the spec wants it.

    Numbers may be written as texts (`"70%"`), options in another case. Missing parts stay missing, `null` for an
    optional part counts as missing.

    Raises:
        ReplyError: If the spec does not allow it; a part that fails is named.
    """
    if isinstance(spec, StructuredSpec) and isinstance(value, Mapping):
        return spec.check({name: _part(name, item, spec) for name, item in _given(value, spec).items()})
    if isinstance(spec, NumberSpec):
        return read_number(value, spec) if isinstance(value, str) else _check_number(value, spec)
    if isinstance(spec, ChoiceSpec) and isinstance(value, str):
        return read_choice(value, spec)
    return read_text(value, spec) if isinstance(spec, TextSpec) and isinstance(value, str) else spec.check(value)


def _given(value: Mapping[str, Any], spec: StructuredSpec) -> dict[str, Any]:
    return {name: item for name, item in value.items() if item is not None or name not in spec.optional}


def _part(name: str, value: Any, spec: StructuredSpec) -> Any:
    part = spec.fields.get(name)
    if part is None:
        return value
    try:
        return read_json_value(value, part)
    except ReplyError as error:
        raise ReplyError(error.kind, f"{name}: {error.message}") from None


def _numbers(text: str) -> list[str]:
    """Returns the numbers in a text as they are written.

    Raises:
        ReplyError: `ambiguous` if digits are left over that are no plain number.
    """
    without_names = _NAME_WITH_DIGITS.sub(" ", text)
    found = _NUMBER.findall(without_names)
    if any(character.isnumeric() for character in _NUMBER.sub(" ", without_names)):
        raise ReplyError("ambiguous", f"not written as one plain number: {_shown(text)}")
    return found


def _number(written: str, spec: NumberSpec) -> float:
    plain = written.removesuffix("percent").removesuffix("%")
    value = float(plain)
    if plain == written:
        return value
    if spec.high <= 1:
        return value / 100
    if spec.high == 100:
        return value
    raise ReplyError("ambiguous", f"a percentage where a number from {spec.low:g} to {spec.high:g} is asked for")


def _check_number(value: object, spec: NumberSpec) -> float:
    try:
        return spec.check(value)
    except OverflowError:
        raise ReplyError("out_of_range", f"a number too large to hold; need {spec.low:g} to {spec.high:g}") from None


def _named(place: str, options: tuple[str, ...], labels: Mapping[str, str]) -> set[str]:
    """Returns the options that a short text may name; more than one means it is ambiguous."""
    bare = place.strip(_WRAPPING)
    if bare in options:
        return {bare}
    bare = bare.rstrip(_WRAPPING + ".,!")
    words = {bare.casefold(), bare.strip("(): ").casefold()} - {""}
    found = {option for option in options if option.casefold() == bare.casefold()}
    for name, option in labels.items():
        with_option = rf"\(?{re.escape(name)}\s*[).:]+\s*{re.escape(option)}"
        if name.casefold() in words or re.fullmatch(with_option, bare, re.IGNORECASE):
            found.add(option)
    return found


def _labelled(text: str, labels: Mapping[str, str]) -> set[str]:
    """Returns the options whose label, with its sign, stands in the text, if one of them is its beginning.

    The option whose words follow that beginning is among them: a label with another option's words is ambiguous.
    """
    signs = {name: rf"(?<!\w)\(?{re.escape(name)}[).:]\s*" for name in labels}
    first = next((match for sign in signs.values() if (match := re.match(sign, text))), None)
    if first is None:
        return set()
    rest = text[first.end() :].casefold()
    longest = max((o for o in labels.values() if rest.startswith(o.casefold())), key=len, default=None)
    found = {labels[name] for name, sign in signs.items() if re.search(sign, text)}
    return found if longest is None else found | {longest}


def _closing(text: str, start: int) -> int:
    """Returns the position after the brace that closes the one at `start`; the end of the text if none does."""
    depth, in_string, is_escaped = 0, False, False
    for position in range(start, len(text)):
        character = text[position]
        if in_string:
            in_string = is_escaped or character != '"'
            is_escaped = character == "\\" and not is_escaped
        elif character == '"':
            in_string = True
        elif character in "{}":
            depth += 1 if character == "{" else -1
            if depth == 0:
                return position + 1
    return len(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ReplyError("ambiguous", f"a key stands twice in the JSON object: {sorted(names)}")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ReplyError("not_json", f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "...")

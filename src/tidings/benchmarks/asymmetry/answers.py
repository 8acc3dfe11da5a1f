"""Reading an answer from text, and writing one: what cannot be read is an error, never a wrong answer."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

from tidings.benchmarks.asymmetry.dialop import parse_proposal, write_proposal
from tidings.benchmarks.asymmetry.records import Answer, Gold, GoldKind, Question
from tidings.core.errors import ReplyError

__all__ = [
    "join_spans",
    "normalise",
    "option_keys",
    "parse_answer",
    "parse_integer",
    "parse_names",
    "parse_option",
    "parse_spans",
    "write_answer",
]

_LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DAY_MIN = 24 * 60
_NOTHING = frozenset({"none", "[]", "{}", "nothing", "no one", "never"})
_TIME = r"(\d{1,2}):(\d\d)"
_SPAN = re.compile(rf"{_TIME}\s*(?:-|–|—|to|until|till)\s*{_TIME}", re.IGNORECASE)


def normalise(text: str) -> str:
    """Returns a text for comparison: NFKC, case folded, punctuation as single spaces, no article in front.

    Only the first word can be an article: `Hospital A` must not become `hospital`.
    """
    words = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("a", "an", "the") else words)


def option_keys(options: Sequence[str]) -> dict[str, str]:
    """Returns the key each option is shown with -> the option.

    Keys are letters; numbers where an option holds a single letter as a word (`Hospital B`), so that a reply `B` can
    only mean one thing; there are none where options hold both.
    """
    words = {word for option in options for word in normalise(option).split()}
    for keys in (_LETTERS, tuple(str(i + 1) for i in range(len(options)))):
        if not words & {key.casefold() for key in keys} and len(options) <= len(keys):
            return dict(zip(keys, options, strict=False))
    return {}


def parse_answer(question: Question, gold: Gold, text: str) -> Answer:
    """Returns the answer a text gives, in the form of `gold.kind`; the gold's value is not looked at.

    Raises:
        ReplyError: `empty` when there is no text, else why it cannot be read.
    """
    if not text.strip():
        raise ReplyError("empty", "no answer was given")
    if gold.kind == "integer":
        return parse_integer(text)
    if gold.kind == "names":
        return parse_names(text, gold.catalogue)
    if gold.kind == "spans":
        return parse_spans(text)
    if gold.kind == "option":
        return parse_option(text, question.options)
    if gold.kind == "assignment":
        return parse_proposal(text)
    return text.strip()


def parse_integer(text: str) -> int:
    """Returns the one whole number in a text; the same number may come twice.

    Raises:
        ReplyError: `unparsable` when there is none, or several different ones.
    """
    numbers = {int(number) for number in re.findall(r"(?<![\d.:])[-+]?\d+(?![\d:]|\.\d)", text)}
    if len(numbers) != 1:
        raise ReplyError("unparsable", f"expected one whole number, found {len(numbers)}")
    return numbers.pop()


def parse_names(text: str, catalogue: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns the sorted set of names in a text, each in the catalogue's spelling where it is known there.

    Names are a JSON list, or stand apart by commas, semicolons, line ends or `and`. A name outside the catalogue
    stays, and so counts as wrong. `none` is the empty set.
    """
    if text.strip().casefold().rstrip(".") in _NOTHING:
        return ()
    spelling = {_fold(name): name for name in catalogue}
    # A name of the catalogue may hold an `and` itself: it is taken whole.
    pieces = [piece for line in _split_list(text) for piece in _split_and(line, spelling)]
    return tuple(sorted({spelling.get(_fold(piece), _fold(piece)) for piece in pieces if _fold(piece)}))


def parse_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Returns the joined spans of a text such as `7:00-8:30, 12:00-14:00`, in minutes since midnight.

    `none` is the empty set; the end of the day is `24:00`.

    Raises:
        ReplyError: `unparsable` when there is no span, a span ends before it begins or leaves the day, or a time
            belongs to no span.
    """
    if text.strip().casefold().rstrip(".") in _NOTHING:
        return ()
    spans = [tuple(map(int, match.groups())) for match in _SPAN.finditer(text)]
    minutes = [(a * 60 + b, c * 60 + d) for a, b, c, d in spans]
    if not minutes or len(re.findall(_TIME, text)) != 2 * len(minutes):
        raise ReplyError("unparsable", "expected spans as H:MM-H:MM, separated by commas")
    if any(not start < end <= _DAY_MIN for start, end in minutes) or any(m > 59 for s in spans for m in s[1::2]):
        raise ReplyError("unparsable", "a span does not lie within one day, 0:00 to 24:00")
    return join_spans(minutes)


def join_spans(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Returns the same set of times as disjoint spans in order; touching spans become one, empty ones go."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            start, end = joined[-1][0], max(end, joined.pop()[1])
        joined.append((start, end))
    return tuple(joined)


def parse_option(text: str, options: Sequence[str]) -> str:
    """Returns the option a text names: its key (see `option_keys`), its text, or the only one it contains.

    Raises:
        ReplyError: `not_an_option` when it names none of them, or several.
    """
    keys = {key.casefold(): option for key, option in option_keys(options).items()}
    normal = [normalise(option) for option in options]
    if normalise(text) in normal:
        return options[normal.index(normalise(text))]
    if normalise(text) in keys:
        return keys[normalise(text)]
    words = f" {normalise(text)} "
    named = [option for option, key in zip(options, normal, strict=True) if f" {key} " in words]
    # `Camp A` inside `Camp A (north)`: the longer name is the one that was meant.
    meant = [o for o in named if not any(o != other and normalise(o) in normalise(other) for other in named)]
    if len(meant) != 1:
        raise ReplyError("not_an_option", f"expected one of {', '.join(options)}")
    return meant[0]


def write_answer(kind: GoldKind, answer: Answer) -> str:
    """Returns an answer as the text that `parse_answer` reads back."""
    if kind == "assignment":
        return write_proposal(answer)  # type: ignore[arg-type]
    if not isinstance(answer, tuple):
        return str(answer)
    if not answer:
        return "none"
    if kind == "spans":
        return ", ".join(f"{_time(start)}-{_time(end)}" for start, end in answer)  # type: ignore[misc]
    return json.dumps(list(answer))


def _time(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"


def _fold(name: str) -> str:
    return " ".join(name.strip(" \t\n.*\"'`-").casefold().split())


def _split_list(text: str) -> list[str]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return re.split(r"[,;\n]", text.strip().strip("[]{}"))
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    return [value] if isinstance(value, str) else [text]


def _split_and(piece: str, spelling: dict[str, str]) -> list[str]:
    if _fold(piece) in spelling:
        return [piece]
    return re.split(r"\band\b", piece, flags=re.IGNORECASE)

"""The words that language-model seats read: plain functions from values to text, and nothing else.

A prompt is made of the brief of the environment, the seat's persona, what the seat may see, and the question. Nobody
else's facts can enter: none of these functions is given more than an observation holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from tidings.core import ActionSpec, ChoiceSpec, EdgesSpec, NumberSpec, StructuredSpec, TextSpec

__all__ = [
    "NOTHING",
    "SKIP",
    "ask_choice",
    "ask_edges",
    "ask_json",
    "ask_number",
    "ask_reasons",
    "ask_text",
    "labels_for",
    "planner_text",
    "question_words",
    "repair_text",
    "system_text",
    "transcript_text",
]

NOTHING = "NOTHING"
"""What a seat answers to say nothing, where that is allowed."""

SKIP = "SKIP"
"""What a seat answers to leave out an optional part."""

_LONG = 4000
"""Longest text limit, in characters, that a prompt states."""

_SHAPES = {"linear": "d", "quadratic": "d squared", "sqrt": "the square root of d"}


def system_text(brief: str, seat: str, persona: str, planner: Mapping[str, Any]) -> str:
    """Returns the system message: the situation, who the seat is, and what it wants if it is the planner."""
    parts = [brief, f"You are {seat}." + (f" {persona}" if persona else "")]
    if planner:
        parts.append(planner_text(planner))
    return "\n\n".join(part for part in parts if part)


def planner_text(settings: Mapping[str, Any]) -> str:
    """Returns the declared aim, cost and budget of the planner's seat in words."""
    error_cost = _plain(settings.get("error_cost", 1.0))
    if settings.get("objective") == "biased":
        target = settings.get("target")
        lines = [f"You want everybody to decide {target}, whatever is true: any other decision costs you {error_cost}."]
    else:
        lines = [f"You want everybody to decide right: each wrong decision costs you {error_cost}."]
    if cost := settings.get("cost"):
        shape = _SHAPES.get(cost["kind"], f"what {cost['kind']} says for d")
        lines.append(f"A choice that is d away from what is free costs you {_plain(cost['weight'])} times {shape}.")
    if settings.get("budget") is not None:
        lines.append(f"You may pay at most {_plain(settings['budget'])} in all.")
    if settings.get("delta") is not None:
        lines.append(f"What happens one decision later counts {_plain(settings['delta'])} times as much.")
    return " ".join(lines)


def transcript_text(lines: Sequence[str], n_left_out: int) -> str:
    """Returns what the seat knows, one line each; says how many lines were left out.

    A line break inside a line is indented, so that nobody can say something that looks like a line of its own.
    """
    if not lines and not n_left_out:
        return "You have no news yet."
    head = [f"({n_left_out} earlier {'line is' if n_left_out == 1 else 'lines are'} left out.)"] if n_left_out else []
    return "\n".join(["What you know so far:", *head, *[f"- {indent(line)}" for line in lines]])


def indent(line: str) -> str:
    """Returns the line with whatever breaks it indented."""
    return "\n  ".join(line.splitlines()) if len(line.splitlines()) > 1 else line


def question_words(spec: ActionSpec) -> str:
    """Returns what a spec asks, in words; the questions of its parts if it has none of its own."""
    if spec.question or not isinstance(spec, StructuredSpec):
        return spec.question or "What do you do?"
    return " ".join(part.question for part in spec.fields.values() if part.question) or "What do you do?"


def ask_reasons(question: str) -> str:
    """Returns the request to think before the answer."""
    return f"Soon you will be asked: {question}\nThink about it in at most three short sentences. Do not answer yet."


def ask_choice(question: str, shown: Sequence[tuple[str, str]], *, is_optional: bool = False) -> str:
    """Returns a question with its options as (label, option); without labels the option itself is asked for."""
    if shown[0][0]:
        listed = [f"{label}) {option}" for label, option in shown]
        names = [label for label, _ in shown]
        request = f"Answer with one of {', '.join(names)} and nothing else."
    else:
        listed = [f"- {option}" for _, option in shown]
        request = "Answer with one of these, word for word, and nothing else."
    return "\n".join([question, *listed, request + _or_skip(is_optional)])


def ask_number(question: str, spec: NumberSpec, *, is_optional: bool = False) -> str:
    """Returns a question for one number."""
    return f"{question}\nAnswer with {_shape(spec)} and nothing else." + _or_skip(is_optional)


def ask_text(question: str, spec: TextSpec, *, is_optional: bool = False) -> str:
    """Returns a question for free text."""
    nothing = f" If you have nothing to say, answer {NOTHING}." if spec.allow_empty else ""
    # A limit that no answer reaches is only a number that weak models repeat.
    limit = f"\nAnswer in at most {spec.max_chars} characters." if spec.max_chars <= _LONG else ""
    return f"{question}{limit}{nothing}" + _or_skip(is_optional)


def ask_edges(question: str, *, is_optional: bool = False) -> str:
    """Returns a question for the pairs of a graph."""
    form = "Answer with pairs such as a0 -> a1, separated by commas, or NONE, and nothing else."
    return f"{question}\n{form}" + _or_skip(is_optional)


def ask_json(question: str, spec: StructuredSpec, order: Mapping[tuple[str, ...], Sequence[str]]) -> str:
    """Returns a question for one JSON object.

    Args:
        question: What is asked.
        spec: The fields.
        order: Path of a choice -> its options in the order in which they are shown.
    """
    lines = [question] if question else []
    lines.append("Answer with one JSON object and nothing else, with these keys:")
    return "\n".join([*lines, *_fields(spec, order, (), "")])


def repair_text(problem: str, request: str) -> str:
    """Returns what a model is told when its answer could not be used."""
    return f"That answer cannot be used: {problem}.\nPlease answer again.\n{request}"


def labels_for(options: Sequence[str]) -> tuple[str, ...]:
    """Returns a label for each option: letters, else digits, else empty texts.

    A kind of label is only used where no option looks like one: with the options B and G, "B" would be ambiguous.
    """
    taken = {option.strip().casefold() for option in options}
    for alphabet in (ascii_uppercase, "123456789"):
        labels = tuple(alphabet[: len(options)])
        if len(labels) == len(options) and not taken & {label.casefold() for label in labels}:
            return labels
    return ("",) * len(options)


def _fields(
    spec: StructuredSpec, order: Mapping[tuple[str, ...], Sequence[str]], path: tuple[str, ...], margin: str
) -> list[str]:
    lines: list[str] = []
    for name, part in spec.fields.items():
        here = (*path, name)
        may = " (may be left out)" if name in spec.optional else ""
        what = _shape(part, order.get(here, ()))
        lines.append(f'{margin}"{name}": {what}{may}' + (f" - {part.question}" if part.question else ""))
        if isinstance(part, StructuredSpec):
            lines += _fields(part, order, here, margin + "  ")
    return lines


def _shape(spec: ActionSpec, options: Sequence[str] = ()) -> str:
    if isinstance(spec, ChoiceSpec):
        return "one of " + ", ".join(f'"{option}"' for option in options or spec.options)
    if isinstance(spec, NumberSpec):
        return f"one {'whole number' if spec.is_integer else 'number'} from {_plain(spec.low)} to {_plain(spec.high)}"
    if isinstance(spec, TextSpec):
        return f"a text of at most {spec.max_chars} characters" + (", may be empty" if spec.allow_empty else "")
    if isinstance(spec, EdgesSpec):
        return "a list of pairs [from, to] of " + ", ".join(f'"{node}"' for node in spec.nodes)
    return "an object with these keys:"


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def _or_skip(is_optional: bool) -> str:
    return f" To leave it out, answer {SKIP}." if is_optional else ""

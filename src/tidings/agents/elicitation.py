"""How an action is asked for: one or more questions to a model, and how their answers become an action.

| strategy | a choice | a number | a text | a structured answer |
|---|---|---|---|---|
| `json` | one request of kind `json` each, with the spec's schema | | | one request for all fields |
| `text` | its label, in plain text | in plain text | in plain text | one JSON object, in plain text |
| `choice` | exact probabilities of the labels | the same, of a grid | in plain text | field by field |

Numbers are asked by `choice` only of models that also `score` (they know the probability of whole texts, not of first
tokens alone), in steps of a twentieth of the interval; a model that cannot count then still states a belief.

`auto` takes the first that the model can: for a choice `choice`, `json`, `text`; for a structured answer `json`,
`choice`, `text`; for a number `json`, `choice`, `text`; for a text `text`, `json`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tidings.agents import prompts
from tidings.agents.parsing import find_json_object, read_action, read_choice, read_json_value
from tidings.core import (
    ActionSpec,
    ChoiceSpec,
    EdgesSpec,
    ModelResponse,
    NumberSpec,
    ReplyError,
    ScenarioError,
    SeedPath,
    StructuredSpec,
    TextSpec,
)
from tidings.core.calls import RequestKind

__all__ = ["Elicit", "Question", "assemble", "check_elicit", "plan_questions", "read_answer", "read_probabilities"]

Elicit = Literal["auto", "json", "text", "choice"]
Way = Literal["json", "text", "choice"]

ORDERS: Mapping[type, tuple[Way, ...]] = {
    ChoiceSpec: ("choice", "json", "text"),
    StructuredSpec: ("json", "choice", "text"),
    NumberSpec: ("json", "choice", "text"),
    TextSpec: ("text", "json"),
    EdgesSpec: ("json", "text"),
}
"""What `auto` tries first, by kind of answer."""

_SHORT_TOKENS = 32
_GRID_STEPS = 20
_DECIMALS = 6
_WRAPPED = "answer"


@dataclass(frozen=True)
class Question:
    """One request to a model.

    Attributes:
        path: Where the answer belongs in the action; empty for the whole of it.
        spec: What kind of answer it is.
        kind: How the model is asked.
        text: The question in words, with the form of the answer.
        labels: Label (or option) the model answers with -> option, in the order shown; for choices.
        schema: For `json`.
        is_optional: Whether this part may be left out.
    """

    path: tuple[str, ...]
    spec: ActionSpec
    kind: RequestKind
    text: str
    labels: Mapping[str, str]
    schema: dict[str, Any] | None = None
    is_optional: bool = False

    def value(self, option: str) -> Any:
        """Returns what an option of a choice stands for."""
        return float(option) if isinstance(self.spec, NumberSpec) else option

    def max_tokens(self, allowed: int) -> int:
        """Returns how long the answer may be: numbers and choices are short."""
        is_short = self.kind == "choice" or (self.kind == "text" and isinstance(self.spec, ChoiceSpec | NumberSpec))
        return min(allowed, _SHORT_TOKENS) if is_short else allowed


def check_elicit(elicit: Elicit, kinds: Iterable[RequestKind], model: str) -> None:
    """Checks that a model can be asked this way.

    Raises:
        ScenarioError: If it cannot.
    """
    known = sorted(kinds)
    if elicit != "auto" and elicit not in known:
        raise ScenarioError("elicit", f"found {elicit!r}", f"{model} answers {', '.join(known)}", "use elicit: auto")
    if "text" not in known and not (elicit == "json" or (elicit == "auto" and "json" in known)):
        raise ScenarioError("elicit", f"found {elicit!r}, which needs text", f"{model} answers {', '.join(known)}")


def plan_questions(
    spec: ActionSpec, elicit: Elicit, kinds: frozenset[RequestKind], seed: SeedPath | None, *, has_labels: bool = True
) -> tuple[Question, ...]:
    """Returns the questions that together ask for an action.

    Args:
        spec: The action.
        elicit: The strategy.
        kinds: What the model can be asked for.
        seed: Options are shuffled by `seed / "options" / path`; None keeps the spec's order.
        has_labels: Whether a choice is answered with a label where one can be told from the options.
    """
    way: Way = next(way for way in ORDERS[type(spec)] if way in kinds) if elicit == "auto" else elicit
    if way == "choice" and isinstance(spec, StructuredSpec):
        return tuple(_parts(spec, (), seed, has_labels, "score" in kinds))
    if way == "json" or isinstance(spec, StructuredSpec):
        return (_json_question(spec, seed, "json" if way == "json" else "text"),)
    if isinstance(spec, ChoiceSpec):
        return (_choice_question(spec, (), seed, has_labels, by_choice=way == "choice"),)
    return (_plain_question(spec, (), by_grid=way == "choice" and "score" in kinds),)


def read_answer(question: Question, response: ModelResponse) -> Any:
    """Returns the value in an answer to a question of kind `text` or `json`; None if an optional part is skipped.

    Raises:
        ReplyError: If there is none that the spec allows; `cut_off` if a text did not come to its end.
    """
    text, spec = response.text, question.spec
    if question.kind == "json":
        return _unwrap(find_json_object(text), spec)
    is_cut = response.finish == "length"
    if question.is_optional and text.strip(" .\n") == prompts.SKIP:
        return None
    if isinstance(spec, ChoiceSpec):
        labels = {name: option for name, option in question.labels.items() if name != option}
        return read_choice(text + "…" * is_cut, spec, labels)  # the last word of a cut answer may be half a word
    if is_cut and (isinstance(spec, TextSpec) or text.rstrip()[-1:] in "0123456789."):
        raise ReplyError("cut_off", "the answer was cut off at its longest allowed length")
    if isinstance(spec, TextSpec):
        return "" if spec.allow_empty and text.strip(" .\n") == prompts.NOTHING else read_action(text, spec)
    return read_action(text, spec)


def read_probabilities(
    question: Question, response: ModelResponse, temperature: float, draw: float
) -> tuple[str, dict[str, Any]]:
    """Returns the option chosen by exact probabilities, and the thought that records them.

    The option is the most probable one at temperature 0 (the one shown first among equals), otherwise the one at `draw`
    under probabilities proportional to p ** (1 / temperature).

    Args:
        question: A question of kind `choice`.
        response: Probabilities in the order of `question.labels`, and their mass before renormalising.
        temperature: Of the seat.
        draw: Uniform in [0, 1).

    Raises:
        ReplyError: `no_probabilities` if the model gave none that can be used.
    """
    given, options = response.probabilities or (), list(question.labels.values())
    total = math.fsum(given)
    if len(given) != len(options) or not all(p >= 0 for p in given) or not 0 < total < math.inf:
        raise ReplyError("no_probabilities", f"{response.model} gave no probabilities for {len(options)} options")
    probabilities = [p / total for p in given]
    option = options[_pick(probabilities, temperature, draw)]
    thought = {
        "about": "choice",
        "field": ".".join(question.path),
        "probabilities": {name: round(p, _DECIMALS) for name, p in zip(options, probabilities, strict=True)},
        "mass": None if response.mass is None else round(response.mass, _DECIMALS),
    }
    return option, thought


def assemble(spec: ActionSpec, answers: Mapping[tuple[str, ...], Any]) -> Any:
    """Returns the action made of the answers by path, checked as a whole; parts that were skipped are left out.

    Raises:
        ReplyError: If the spec does not allow it.
    """
    if () in answers:
        return spec.check(answers[()])
    action: dict[str, Any] = {}
    for path, value in answers.items():
        place = action
        for name in path[:-1]:
            place = place.setdefault(name, {})
        if value is not None:
            place[path[-1]] = value
    return spec.check(action)


def _pick(probabilities: list[float], temperature: float, draw: float) -> int:
    best = max(probabilities)
    if temperature == 0:
        return probabilities.index(best)
    # Relative to the largest, so that a low temperature never makes all weights zero.
    weights = [(p / best) ** (1 / temperature) for p in probabilities]
    point, reached = draw * math.fsum(weights), 0.0
    for i, weight in enumerate(weights):
        reached += weight
        if point < reached:
            return i
    return max(i for i, weight in enumerate(weights) if weight > 0)


def _parts(
    spec: StructuredSpec, path: tuple[str, ...], seed: SeedPath | None, has_labels: bool, has_scores: bool
) -> Iterable[Question]:
    for name, part in spec.fields.items():
        here, is_optional = (*path, name), name in spec.optional
        if isinstance(part, StructuredSpec):
            yield from _parts(part, here, seed, has_labels, has_scores)
        elif isinstance(part, ChoiceSpec):
            # Probabilities cannot say "I leave it out".
            yield _choice_question(part, here, seed, has_labels, by_choice=not is_optional, is_optional=is_optional)
        else:
            yield _plain_question(part, here, is_optional=is_optional, by_grid=has_scores and not is_optional)


def _choice_question(
    spec: ChoiceSpec,
    path: tuple[str, ...],
    seed: SeedPath | None,
    has_labels: bool,
    *,
    by_choice: bool,
    is_optional: bool = False,
) -> Question:
    options = _order(spec.options, path, seed)
    labels = prompts.labels_for(options) if has_labels else ("",) * len(options)
    shown = list(zip(labels, options, strict=True))
    text = prompts.ask_choice(_words(spec, path), shown, is_optional=is_optional)
    answers = {label or option: option for label, option in shown}
    return Question(path, spec, "choice" if by_choice else "text", text, answers, is_optional=is_optional)


def _plain_question(
    spec: NumberSpec | TextSpec | EdgesSpec, path: tuple[str, ...], *, is_optional: bool = False, by_grid: bool = False
) -> Question:
    if isinstance(spec, NumberSpec):
        if by_grid and (grid := _grid(spec)):
            return Question(path, spec, "choice", prompts.ask_number(_words(spec, path), spec), {x: x for x in grid})
        text = prompts.ask_number(_words(spec, path), spec, is_optional=is_optional)
    elif isinstance(spec, EdgesSpec):
        text = prompts.ask_edges(_words(spec, path), is_optional=is_optional)
    else:
        text = prompts.ask_text(_words(spec, path), spec, is_optional=is_optional)
    return Question(path, spec, "text", text, {}, is_optional=is_optional)


def _words(spec: ActionSpec, path: tuple[str, ...]) -> str:
    return spec.question or (f"What is your {path[-1]}?" if path else prompts.question_words(spec))


def _grid(spec: NumberSpec) -> tuple[str, ...]:
    """Returns texts of evenly spaced numbers; empty if one would be the beginning of another, or for whole numbers."""
    step = (spec.high - spec.low) / _GRID_STEPS
    if spec.is_integer or step <= 0 or spec.low < 0:
        return ()
    n_decimals = next(n for n in range(1, 17) if n == 16 or abs(round(step, n) - step) < 1e-12)
    grid = tuple(dict.fromkeys(f"{spec.low + i * step:.{n_decimals}f}" for i in range(_GRID_STEPS + 1)))
    is_clear = len({len(text) for text in grid}) == 1 and all(spec.low <= float(text) <= spec.high for text in grid)
    return grid if is_clear else ()


def _json_question(spec: ActionSpec, seed: SeedPath | None, kind: Literal["json", "text"]) -> Question:
    shape = spec if isinstance(spec, StructuredSpec) else StructuredSpec({_WRAPPED: spec})
    order = dict(_orders(shape, (), seed))
    schema = shape.json_schema() if kind == "json" else None
    return Question((), spec, kind, prompts.ask_json(shape.question, shape, order), {}, schema)


def _orders(
    spec: StructuredSpec, path: tuple[str, ...], seed: SeedPath | None
) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    for name, part in spec.fields.items():
        here = (*path, name)
        if isinstance(part, ChoiceSpec):
            yield here, _order(part.options, here, seed)
        elif isinstance(part, StructuredSpec):
            yield from _orders(part, here, seed)


def _order(options: tuple[str, ...], path: tuple[str, ...], seed: SeedPath | None) -> tuple[str, ...]:
    """Returns the options shuffled (Fisher-Yates, one draw of the seed path for each place)."""
    if seed is None:
        return options
    order, here = list(options), seed.child("options", *path)
    for i in range(len(order) - 1, 0, -1):
        j = int(here.uniform(i) * (i + 1))
        order[i], order[j] = order[j], order[i]
    return tuple(order)


def _unwrap(value: dict[str, Any], spec: ActionSpec) -> Any:
    if isinstance(spec, StructuredSpec):
        return read_json_value(value, spec)
    return read_json_value(value, StructuredSpec({_WRAPPED: spec}))[_WRAPPED]

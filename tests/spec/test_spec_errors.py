"""The errors of `validate`: path, value, what is allowed, what to type."""

import pickle
from datetime import date
from enum import Enum
from math import inf, nan
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, model_validator

from tidings.core import RequestError, ScenarioError
from tidings.spec.base import Params
from tidings.spec.errors import InvalidScenarioError, not_json, validate
from tidings.spec.yaml_source import load_yaml


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


Precision = Annotated[float, Field(ge=0.5, le=1.0)]


class Inner(Params):
    """A part."""

    size: Annotated[int, Field(gt=0)] = 1
    """How large."""


class Model(Params):
    """Everything that can be wrong."""

    precision: Precision | dict[str, Precision] = 0.7
    """How precise."""
    count: Annotated[int, Field(ge=1)] = 1
    """How many."""
    mode: Literal["fast", "slow"] = "fast"
    """How."""
    colour: Colour = Colour.RED
    """Which."""
    label: str = ""
    """A name."""
    flag: bool = False
    """Whether."""
    pair: tuple[int, str] = (1, "a")
    """Two."""
    words: tuple[str, ...] = ()
    """Some."""
    some: Annotated[tuple[int, ...], Field(min_length=2, max_length=3)] = (1, 2)
    """Two or three."""
    inner: Inner = Inner()
    """A part."""
    parts: dict[str, Inner] = Field(default={})
    """Named parts."""
    limit: float | None = None
    """Perhaps a number."""
    day: date | None = None
    """A type without words of its own."""
    slug: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    """Small letters."""

    @model_validator(mode="after")
    def _check(self) -> "Model":
        if self.mode == "slow" and self.count > 1:
            raise ValueError("count: found several; need one\ninner.size: also wrong\nthis: is about no field")
        return self


class Needed(Params):
    """A model with a field without default."""

    kind: Annotated[int, Field(ge=0)]
    """Must be there."""


def complaint(data: dict[str, Any], model: type[Params] = Model) -> str:
    with pytest.raises(InvalidScenarioError) as caught:
        validate(model, data, "environment")
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"count": "5"}, "count: found '5', text; allowed: a whole number >= 1; write 5 without quotes"),
        ({"count": True}, "count: found true, a truth value; allowed: a whole number >= 1"),
        ({"count": 2.0}, "count: found 2.0, a number; allowed: a whole number >= 1; write 2"),
        ({"count": 2.5}, "count: found 2.5, a number; allowed: a whole number >= 1"),
        ({"count": 0}, "count: found 0; allowed: a whole number >= 1"),
        ({"count": None}, "count: found nothing (null); allowed: a whole number >= 1"),
        ({"precision": 0.3}, "precision: found 0.3; allowed: a number in [0.5, 1.0] or a mapping"),
        ({"precision": {"a0": 0.3}}, "precision.a0: found 0.3; allowed: a number in [0.5, 1.0]"),
        ({"precision": "0.7"}, "precision: found '0.7', text; allowed: a number in [0.5, 1.0] or a mapping; "
         "write 0.7 without quotes"),
        ({"mode": "slwo"}, "mode: found 'slwo'; allowed: 'fast', 'slow'; did you mean 'slow'?"),
        ({"mode": 3}, "mode: found 3; allowed: 'fast', 'slow'"),
        ({"colour": "bleu"}, "colour: found 'bleu'; allowed: 'red', 'blue'; did you mean 'blue'?"),
        ({"label": 3}, "label: found 3, a whole number; allowed: text; put it in quotes, '3'"),
        ({"label": False}, "label: found false, a truth value; allowed: text; "
         "YAML reads false as false: put it in quotes, 'false'"),
        ({"flag": "yes"}, "flag: found 'yes', text; allowed: true or false; write yes without quotes"),
        ({"flag": "maybe"}, "flag: found 'maybe', text; allowed: true or false"),
        ({"flag": 2.0}, "flag: found 2.0, a number; allowed: true or false"),
        ({"words": None}, "words: found nothing (null); allowed: a list of: text"),
        ({"day": "soon"},
         "day: found 'soon'; Input should be a valid date in the format YYYY-MM-DD, input is too short"),
        ({"flag": 1}, "flag: found 1, a whole number; allowed: true or false"),
        ({"pair": [1, 2]}, "pair.1: found 2, a whole number; allowed: text; put it in quotes, '2'"),
        ({"pair": [1]}, "pair.1: 1 is missing; need text"),
        ({"pair": [1, "a", 3]}, "pair: found [1, 'a', 3]; allowed: a list of 2: a whole number, text"),
        ({"words": "one"}, "words: found 'one', text; allowed: a list of: text; put it in brackets, [one]"),
        ({"words": {"a": 1}}, "words: found a mapping with a; allowed: a list of: text"),
        ({"some": [1]}, "some: found [1]; allowed: a list of length 2 to 3 of: a whole number"),
        ({"some": [1, "x"]}, "some.1: found 'x', text; allowed: a whole number"),
        ({"inner": 3}, "inner: found 3; allowed: a mapping with size"),
        ({"inner": {"size": 0}}, "inner.size: found 0; allowed: a whole number > 0"),
        ({"parts": {"x": {"sise": 1}}}, "parts.x.sise: found 'sise'; allowed: size; did you mean 'size'?"),
        ({"parts": {"x.y": {"size": "a"}}}, "parts.x.y.size: found 'a', text; allowed: a whole number > 0"),
        ({"limit": "a"}, "limit: found 'a', text; allowed: a number"),
        ({"slug": "A"}, "slug: found 'A'; allowed: text like ^[a-z]+$"),
        ({"precison": 0.7}, "precison: found 'precison'; allowed: precision, count, mode, colour, label, flag, pair, "
         "words, some, inner, parts, limit, day, slug; did you mean 'precision'?"),
        ({"limit": nan}, "limit: found nan, which is no finite number; allowed: plain values"),
        ({"limit": inf}, "limit: found inf, which is no finite number; allowed: plain values"),
        ({"parts": {1: {}}}, "parts: found the key 1, which is no text; allowed: plain values"),
        ({"label": "\ud800"}, "label: found '\\ud800', which is no valid text; allowed: plain values"),
        ({"label": b"x"}, "label: found b'x' of type bytes; allowed: plain values"),
        ({"label": "x" * 99, "count": "x" * 99}, f"count: found '{'x' * 76}..., text; allowed: a whole number >= 1"),
    ],
)  # fmt: skip
def test_one_line(data: dict[str, Any], text: str) -> None:
    assert complaint(data) == f"environment.{text}"


def test_missing_field() -> None:
    assert complaint({}, Needed) == "environment.kind: 'kind' is missing; need a whole number >= 0"


def test_what_a_model_says_itself() -> None:
    lines = complaint({"mode": "slow", "count": 2}).splitlines()
    assert lines == [
        "environment.count: found several; need one",
        "environment.inner.size: also wrong",
        "environment: this: is about no field",
    ]


def test_a_complaint_about_everything_is_about_the_scenario() -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        validate(Model, {"mode": "slow", "count": 2})
    assert str(caught.value.problems[-1]) == "scenario: this: is about no field"


def test_values_are_checked_but_not_converted() -> None:
    data = {"precision": 1, "pair": (1, "a"), "words": ["x"], "limit": 3, "parts": {"x": {"size": 2}}}
    model = validate(Model, data)
    assert (model.precision, model.words, model.limit) == (1.0, ("x",), 3.0)
    assert isinstance(model.limit, float)
    assert model.parts["x"] == Inner(size=2)


def test_every_problem_is_listed_in_the_order_of_the_file() -> None:
    source = load_yaml("environment:\n  mode: fats\n  extra: 1\n  count: no\n  inner:\n    size: 0\n", "s.yaml")
    with pytest.raises(InvalidScenarioError) as caught:
        validate(Model, source.data["environment"], "environment", source)
    problems = caught.value.problems
    assert [problem.where for problem in problems] == [
        "s.yaml:2 environment.mode",
        "s.yaml:3 environment.extra",
        "s.yaml:4 environment.count",
        "s.yaml:6 environment.inner.size",
    ]
    assert str(caught.value) == "\n".join(map(str, problems))
    assert isinstance(caught.value, ScenarioError)
    assert isinstance(caught.value, RequestError)


def test_yaml_words_are_shown_as_written() -> None:
    source = load_yaml("label: no\n", "s.yaml")
    with pytest.raises(InvalidScenarioError, match="YAML reads no as false: put it in quotes, 'no'"):
        validate(Model, source.data, "", source)


def test_hints_know_the_keys_beside() -> None:
    with pytest.raises(InvalidScenarioError, match="did you mean 'kind'"):
        validate(Model, {"kinds": 1}, "environment", None, ["kind"])


def test_long_lists_of_problems_are_counted() -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        validate(Model, {f"key{i}": 1 for i in range(30)})
    assert len(caught.value.problems) == 30
    assert str(caught.value).splitlines()[-1] == "... and 10 more problems"
    assert len(str(caught.value).splitlines()) == 21


def test_keys_cannot_break_the_line() -> None:
    assert "\n" not in complaint({"a\nb": 1})
    assert "\n" not in complaint({"label": 3, "mode": "x\ny"}).replace("\nenvironment.", " ")


def test_errors_survive_pickling() -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        validate(Model, {"count": 0, "flag": 3})
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert len(copy.problems) == 2


def test_not_json_names_every_place() -> None:
    value = {"a": [1, nan], "b": {"c": object()}, "d": (1.5, "x", None, True)}
    assert [path for path, _ in not_json(value)] == [("a", 1), ("b", "c")]

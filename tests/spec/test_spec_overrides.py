"""Dotted overrides: values, paths, and what is refused."""

from typing import Any

import pytest

from tidings.core import ScenarioError
from tidings.spec.overrides import apply_overrides, parse_override, split_path
from tidings.spec.yaml_source import YamlSource, load_yaml

TEXT = """\
name: x
graph: {kind: complete, n: 3}
agents:
  - {kind: bayesian, count: 1}
  - {kind: llm, nodes: rest, model: small}
environment: {kind: social_learning, precision: 0.7, losses: {good: 1}}
planner:
models: {small: {use: a/b}, gpt-4.1: {use: c/d}}
"""


def changed(*overrides: Any) -> dict[str, Any]:
    return apply_overrides(load_yaml(TEXT, "s.yaml"), overrides).data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=0.7", 0.7),
        ("a=1e-3", 0.001),
        ("a=5", 5),
        ("a=true", True),
        ("a=null", None),
        ("a=", None),
        ("a=llm", "llm"),
        ("a='5'", "5"),
        ("a=\"a: b\"", "a: b"),
        ("a=[1, x]", [1, "x"]),
        ("a={b: 1, c: [2]}", {"b": 1, "c": [2]}),
        ("a=x=y", "x=y"),
        ("a=Item #5", "Item #5"),
        ("a=5 #2", "5 #2"),
        ("a=one\ntwo", "one\ntwo"),
        (" a = 5 ", 5),
    ],
)  # fmt: skip
def test_values(text: str, value: Any) -> None:
    assert parse_override(text) == ("a", value)


def test_paths() -> None:
    assert split_path('models."gpt-4.1".use') == ("models", "gpt-4.1", "use")
    assert split_path("a.0.b") == ("a", "0", "b")
    for bad in ("", "a.", ".a", "a..b", 'a."b', "a b.", '"a"b'):
        with pytest.raises(ScenarioError):
            split_path(bad)


def test_changes() -> None:
    assert changed("agents.0.kind=llm")["agents"][0] == {"kind": "llm", "count": 1}
    assert changed("agents.1.model=big")["agents"][0] == {"kind": "bayesian", "count": 1}
    assert changed('models."gpt-4.1".use=e/f')["models"]["gpt-4.1"] == {"use": "e/f"}
    assert changed("models.new={use: e/f}")["models"]["new"] == {"use": "e/f"}
    assert changed("rollouts.seed=5")["rollouts"] == {"seed": 5}
    assert changed("planner.kind=constant", "planner.precision=0.8")["planner"] == {
        "kind": "constant",
        "precision": 0.8,
    }
    assert changed("planner.cost.kind=linear")["planner"] == {"cost": {"kind": "linear"}}
    assert changed("environment.losses.good=2")["environment"]["losses"] == {"good": 2}
    assert changed("environment.fresh=2")["environment"]["fresh"] == 2, "components check their own parameters"
    assert changed(("environment.precision", {"a0": 0.5}))["environment"]["precision"] == {"a0": 0.5}


def test_an_empty_section_can_be_filled() -> None:
    assert apply_overrides(YamlSource({}), ["models.q={use: a/b}"]).data == {"models": {"q": {"use": "a/b"}}}


def test_the_original_stays() -> None:
    source = load_yaml(TEXT)
    apply_overrides(source, ["agents.0.kind=llm", "environment.losses.good=2"])
    assert source.data == load_yaml(TEXT).data


def test_errors_after_an_override_name_it() -> None:
    source = apply_overrides(load_yaml(TEXT, "s.yaml"), ["environment.precision=no"])
    assert source.where("environment.precision") == "override environment.precision"
    assert source.where("environment.precision.deeper") == "override environment.precision.deeper"
    assert source.where("environment.kind") == "s.yaml:6 environment.kind"
    assert source.written("environment.precision") is None


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("rolouts.count=3", "override rolouts: found 'rolouts'; allowed: name, description, graph, agents, "
         "environment, planner, models, rollouts, limits, metrics, sweep, runner; did you mean 'rollouts'?"),
        ("rollouts.cuont=3", "override rollouts.cuont: found 'cuont'; allowed: count, seed, concurrency, on_failure, "
         "log; did you mean 'count'?"),
        ("agents.2.kind=llm", "override agents.2: found '2'; agents is a list of 2: positions 0 to 1; "
         "for example agents.0"),
        ("agents.-1.kind=llm", "override agents.-1: found '-1'; agents is a list of 2: positions 0 to 1; "
         "for example agents.0"),
        ("agents.kind=llm", "override agents.kind: found 'kind'; agents is a list of 2: positions 0 to 1; "
         "for example agents.0"),
        ("environment.loses.good=2", "override environment.loses: there is no 'loses' to change; found here: kind, "
         "items, archive, precision, losses; did you mean 'losses'?"),
        ("models.smal.use=a/b", "override models.smal: there is no 'smal' to change; found here: small, gpt-4.1; "
         "did you mean 'small'?"),
        ("name.x=b", "override name.x: nothing lies below name; it is a single value"),
        ("x", "override 'x': found no path and value; write path=value, for example rollouts.count=10"),
        ("=5", "override '=5': found no path and value; write path=value, for example rollouts.count=10"),
        ("a..b=5", "override a..b: found an empty or unfinished part; need names with dots between"),
        ("description=a: b", "override description: found 'a: b'; allowed: one value, [a list] or {a: mapping}; "
         "put text in quotes: description='\"...\"'"),
        ("description=- a", "override description: found '- a'; allowed: one value, [a list] or {a: mapping}; "
         "put text in quotes: description='\"...\"'"),
        ("rollouts.count=010", "override rollouts.count: found '010', which not every YAML reader takes for the same; "
         "put it in quotes if it is text, else write a plain decimal number"),
    ],
)  # fmt: skip
def test_refused(override: str, text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        changed(override)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "override", ["description=[1,", "description='x", "description=*a", "description=!!python/x y"]
)
def test_values_that_are_no_yaml(override: str) -> None:
    with pytest.raises(ScenarioError, match=r"^override description: "):
        changed(override)


def test_a_bomb_in_a_value() -> None:
    with pytest.raises(ScenarioError, match="nested too deeply"):
        changed("description=" + "[" * 1000)


@pytest.mark.parametrize("text", ["graph={kind:complete,n:5}", "graph={kind: complete, n:5}"])
def test_a_colon_without_a_space_is_named(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"found '\S+' without a value; write a space after") as caught:
        parse_override(text)
    assert "\n" not in str(caught.value)


def test_a_key_in_quotes_may_hold_a_colon() -> None:
    assert parse_override('a={"b:c": , d: 1}') == ("a", {"b:c": None, "d": 1})

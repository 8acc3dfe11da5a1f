"""Out and in again: the resolved text reads back equal, whatever the scenario holds."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.core import ScenarioError
from tidings.spec.io import check_scenario, dump_scenario, make_scenario
from tidings.spec.scenario import ComponentSpec, Scenario
from tidings.spec.yaml_source import load_yaml

BASE: dict[str, Any] = {
    "name": "x",
    "graph": {"edges": [["a", "b"], ["b", 3, {"weight": 0.5}]], "directed": True},
    "agents": [{"kind": "bayesian", "nodes": "rest"}],
    "environment": {"kind": "social_learning"},
}

TRAPS = ["1e-3", "1e3", "010", "0x1F", "1:30", "no", "on", "Yes", "~", "null", "", " ", "2024-01-01", ".inf", "1_000",
         "=", "<<", "- a", "a: b", "#x", "x #y", "'", '"', "*a", "&a", "!a", "%a", "@a", "`a", "|", "{", "[", "?", ",",
         "a\nb", "a\n\n b\n", "\n", " a", "a ", "\t", "\x00", "\x85", "\u2028", "\ufeff", "é", "😀",
         "\x7f", "n", "y"]  # fmt: skip
texts = st.sampled_from(TRAPS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
own = st.dictionaries(st.from_regex(r"p_[a-z]{1,6}", fullmatch=True), values, max_size=4)
cost = st.none() | st.fixed_dictionaries({"kind": st.sampled_from(["linear", "m.x:f"]), "weight": st.floats(0, 1e9)})
rollouts = st.fixed_dictionaries(
    {"count": st.integers(1, 10**6), "seed": st.integers(0, 2**63 - 1)},
    optional={"log": st.sampled_from(["auto", "full"]), "concurrency": st.none() | st.integers(1, 9)},
)
sweep = st.fixed_dictionaries(
    {},
    optional={
        "environment.a": st.lists(numbers, min_size=1, unique=True),
        "b": st.just({"start": 0.1, "stop": 1, "num": 3}),
    },
)


def parts(agents: Any, environment: Any, planner: Any, model: Any, **rest: Any) -> dict[str, Any]:
    return {
        **BASE,
        "agents": [{"kind": "llm", "nodes": "rest", **agents}],
        "environment": {"kind": "a.b:C", **environment},
        "planner": {"kind": "optimal", **planner},
        "models": {"m.1": {"use": "a/b c", **model}},
        **rest,
    }


persona = st.fixed_dictionaries({"persona": texts | st.lists(texts, min_size=1, max_size=3)})
scenarios = st.builds(
    parts,
    st.builds(lambda a, b: {**a, **b, "model": "m.1"}, own, persona),
    own,
    st.builds(lambda a, c: {**a, "cost": c, "target": "G"}, own, cost),
    own,
    rollouts=rollouts,
    sweep=sweep,
    description=texts,
)


@settings(max_examples=150, deadline=None)
@given(scenarios)
def test_round_trip(data: dict[str, Any]) -> None:
    scenario = make_scenario(data)
    text = dump_scenario(scenario)
    again = check_scenario(load_yaml(text))
    assert again == scenario
    assert dump_scenario(again) == text
    assert again.environment.params == {key: value for key, value in data["environment"].items() if key != "kind"}


@settings(max_examples=150, deadline=None)
@given(values)
def test_other_readers_see_the_same_values(value: Any) -> None:
    text = dump_scenario(make_scenario({**BASE, "environment": {"kind": "e", "value": value}}))
    assert yaml.safe_load(text)["environment"].get("value") == value


def test_the_text_holds_every_default_and_is_stable() -> None:
    text = dump_scenario(make_scenario(BASE))
    data = yaml.safe_load(text)
    assert set(data) == set(Scenario.model_fields)
    assert data["rollouts"] == {"count": 1, "seed": 0, "on_failure": "stop", "log": "auto"}
    assert data["graph"] == BASE["graph"]
    assert data["limits"] == {}
    assert "&" not in text
    assert text == dump_scenario(make_scenario(dict(reversed(BASE.items()))))


def test_own_parameters_that_are_null_stay() -> None:
    scenario = make_scenario({**BASE, "environment": {"kind": "e", "horizon": None}})
    assert check_scenario(load_yaml(dump_scenario(scenario))).environment.params == {"horizon": None}


def test_what_yaml_cannot_hold_is_refused() -> None:
    environment = ComponentSpec.model_validate({"kind": "e", "x": float("nan")})
    scenario = make_scenario(BASE).model_copy(update={"environment": environment})
    with pytest.raises(ScenarioError, match=r"environment.x: found nan"):
        dump_scenario(scenario)

"""The JSON Schema accepts what the check accepts, and refuses the same mistakes."""

from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import Field

from tidings.spec.base import Params
from tidings.spec.generators import GENERATORS
from tidings.spec.io import dump_scenario, make_scenario
from tidings.spec.scenario import AgentGroup, Scenario
from tidings.spec.schema import scenario_schema
from tidings.spec.yaml_source import load_yaml


class Inner(Params):
    """A part."""

    size: int
    """How large."""


class Rules(Params):
    """Settings of the rules."""

    precision: Annotated[float, Field(ge=0.5, le=1.0)] = 0.7
    """How precise."""
    part: Inner | None = None
    """A part."""


class Talker(Params):
    """Settings of the talker."""

    style: Literal["short", "long"]
    """How it talks."""


class Other(Params):
    """Settings of another agent."""


class Sampling(Params):
    """Settings of the provider."""

    temperature: float = 0.0
    """How random."""


COMPONENTS = {
    "environment": {"rules": Rules},
    "agent": {"talker": Talker, "other": Other},
    "planner": {"fixed": Rules},
    "model": {"openai": Sampling},
}
SCHEMA = scenario_schema(COMPONENTS, ["welfare"])
CHECK = jsonschema.Draft202012Validator(SCHEMA)

GOOD: dict[str, Any] = {
    "name": "x",
    "graph": {"kind": "path", "n": 3},
    "agents": [{"kind": "talker", "count": 2, "style": "short", "model": "m"}, {"kind": "other", "nodes": ["a2"]}],
    "environment": {"kind": "rules", "precision": 0.8, "part": {"size": 3}},
    "planner": {"kind": "fixed", "precision": 0.9, "budget": 3},
    "models": {"m": {"use": "openai/gpt", "temperature": 1}},
    "metrics": ["welfare"],
    "sweep": {"environment.precision": [0.5, 0.6], "rollouts.seed": {"start": 1, "stop": 3, "step": 1}},
}


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("2020-12/schema")


def test_good_scenarios_pass() -> None:
    CHECK.validate(GOOD)
    CHECK.validate(load_yaml(dump_scenario(make_scenario(GOOD))).data)
    CHECK.validate({**GOOD, "planner": {"kind": "none"}})
    CHECK.validate({**GOOD, "x-anchors": [1]})
    CHECK.validate({**GOOD, "environment": {"kind": "my.module:Rules", "anything": [1]}})
    CHECK.validate({**GOOD, "models": {"m": {"use": "my.module:Model/x", "anything": 1}}})
    CHECK.validate({**GOOD, "graph": {"file": "net.graphml", "format": "graphml"}})
    CHECK.validate({**GOOD, "graph": {"edges": [["a", 1], [1, "b", {"weight": 2}]], "nodes": ["a", 1, "b"]}})


def changed(part: str, /, **changes: Any) -> dict[str, Any]:
    return {**GOOD, part: {**GOOD[part], **changes}}


@pytest.mark.parametrize(
    "bad",
    [
        changed("environment", precison=0.8),
        changed("environment", precision=0.3),
        changed("environment", part={}),
        changed("environment", kind="ruels"),
        changed("planner", budget=-1),
        changed("planner", style="short"),
        changed("planner", kind="optimal"),
        changed("graph", k=3),
        changed("graph", n=0),
        changed("graph", kind="paht"),
        {**GOOD, "graph": {"kind": "path"}},
        {**GOOD, "graph": {"kind": "path", "n": 3, "file": "x"}},
        {**GOOD, "graph": {"file": None}},
        {**GOOD, "agents": []},
        {**GOOD, "agents": [{"kind": "talker", "count": 3}]},
        {**GOOD, "agents": [{"kind": "other", "style": "short", "count": 3}]},
        {**GOOD, "agents": [{"kind": "talker", "style": "shrot", "count": 3}]},
        {**GOOD, "models": {"m": {"use": "gpt"}}},
        {**GOOD, "models": {"m": {"use": "openai/gpt", "temprature": 1}}},
        {**GOOD, "metrics": ["wlefare"]},
        {**GOOD, "rolouts": {}},
        {**GOOD, "sweep": {"a": 3}},
        {key: value for key, value in GOOD.items() if key != "environment"},
    ],
)
def test_bad_scenarios_fail(bad: dict[str, Any]) -> None:
    assert not CHECK.is_valid(bad)


def test_completion_knows_every_kind_with_its_own_parameters() -> None:
    agents = SCHEMA["$defs"][AgentGroup.__name__]["oneOf"]
    by_kind = {option["properties"]["kind"].get("const"): option for option in agents}
    assert set(by_kind) == {"talker", "other", None}
    assert "style" in by_kind["talker"]["properties"]
    assert "style" not in by_kind["other"]["properties"]
    graphs = SCHEMA["$defs"]["GraphSpec"]["oneOf"]
    assert [g["properties"]["kind"]["const"] for g in graphs if "kind" in g["properties"]] == list(GENERATORS)


def test_every_field_is_described() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                target = SCHEMA["$defs"].get(field.get("$ref", "").removeprefix("#/$defs/"), {})
                assert field.get("description") or target.get("description"), name
            for below in node.values():
                walk(below)
        elif isinstance(node, list):
            for below in node:
                walk(below)

    walk(SCHEMA)
    assert all(field.description for field in Scenario.model_fields.values())


def test_a_parameter_that_hides_a_field_is_refused() -> None:
    class Clash(Params):
        """A parameter by the name of a field beside it."""

        model: str = ""
        """Hidden."""

    with pytest.raises(ValueError, match=r"agent clash: found the parameters \['model'\]"):
        scenario_schema({"agent": {"clash": Clash}})

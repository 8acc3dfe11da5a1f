"""The JSON Schema of scenarios, for editors: completion and checks follow the `kind` that was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from tidings.spec.base import Params
from tidings.spec.generators import GENERATORS, generator_params
from tidings.spec.graphs import GraphSpec
from tidings.spec.scenario import AgentGroup, ComponentSpec, ModelSpec, PlannerSpec, Scenario

__all__ = ["scenario_schema"]

_SHARED: Mapping[str, type[BaseModel]] = {
    "environment": ComponentSpec,
    "agent": AgentGroup,
    "planner": PlannerSpec,
    "model": ModelSpec,
}
"""Role of a component -> the part of the scenario that holds its parameters."""

_FOREIGN = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*"


def scenario_schema(
    components: Mapping[str, Mapping[str, type[Params]]], metrics: Iterable[str] = ()
) -> dict[str, Any]:
    """Returns the JSON Schema (draft 2020-12) of a scenario file.

    Args:
        components: Role (`environment`, `agent`, `planner`, `model`) -> kind -> its parameter model.
        metrics: Names of metrics; any name is allowed if there are none.

    Raises:
        ValueError: If a component has a parameter by the name of a field that stands beside it.
    """
    schema = Scenario.model_json_schema()
    definitions = schema["$defs"]
    for role, shared in _SHARED.items():
        kinds = components.get(role, {})
        definitions[shared.__name__] = _component(role, definitions[shared.__name__], kinds, definitions)
    definitions["GraphSpec"] = _graph(definitions["GraphSpec"], definitions)
    if names := list(metrics):
        schema["properties"]["metrics"]["items"] = {"type": "string", "enum": names}
    schema["patternProperties"] = {"^x-": {"description": "Free space for anchors; ignored."}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "tidings scenario"}


def _component(
    role: str, shared: dict[str, Any], kinds: Mapping[str, type[Params]], definitions: dict[str, Any]
) -> dict[str, Any]:
    """Returns one alternative for each kind, the part for `none`, and one for classes of the user's own."""
    key = "use" if role == "model" else "kind"
    alternatives = []
    for kind, params in kinds.items():
        if clash := sorted(set(params.model_fields) & set(shared["properties"])):
            raise ValueError(f"{role} {kind}: found the parameters {clash}, which every {role} has; rename them")
        if role == "model":
            choice = {"type": "string", "pattern": f"^{kind}/.+", "examples": [f"{kind}/"]}
        else:
            choice = {"const": kind}
        alternatives.append(_alternative(shared, key, choice, _hoisted(params, f"{role}_{kind}", definitions)))
    if role == "planner":
        alternatives.append(_alternative(shared, key, {"const": "none"}, {}))
    ending = "/.+" if role == "model" else "$"
    foreign = {"type": "string", "pattern": _FOREIGN + ending}
    alternatives.append(_alternative(shared, key, foreign, {}) | {"additionalProperties": True})
    return {"description": shared.get("description", ""), "type": "object", "required": [key], "oneOf": alternatives}


def _graph(shared: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Returns one alternative for each generator, one for files and one for listed edges."""
    fields = shared["properties"]
    alternatives = []
    for kind, generator in GENERATORS.items():
        own = _hoisted(generator_params(kind), f"graph_{kind}", definitions)
        bare = {"properties": {"kind": fields["kind"]}, "required": ["kind"]}
        alternatives.append(_alternative(bare, "kind", {"const": kind, "description": generator.text}, own))
    for source, names in (("file", ("file", "format", "directed")), ("edges", ("edges", "nodes", "directed"))):
        alternatives.append(
            {
                "type": "object",
                "title": source,
                "properties": {name: _without_null(fields[name]) for name in names},
                "required": [source],
                "additionalProperties": False,
            }
        )
    return {"description": GraphSpec.__doc__, "type": "object", "oneOf": alternatives}


def _alternative(shared: dict[str, Any], key: str, choice: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema of one kind: the fields of every kind, then its own."""
    name = choice.get("const", choice.get("pattern"))
    fields = {**shared["properties"], key: {**shared["properties"][key], **choice}}
    return {
        "type": "object",
        "title": f"{key}: {name}",
        "description": own.get("description", ""),
        "properties": {**fields, **own.get("properties", {})},
        "required": sorted({key, *shared.get("required", []), *own.get("required", [])}),
        "additionalProperties": False,
    }


def _hoisted(params: type[BaseModel], prefix: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema of a parameter model after moving its own definitions up under names with the prefix."""
    schema = params.model_json_schema(ref_template=f"#/$defs/{prefix}_{{model}}")
    definitions |= {f"{prefix}_{name}": below for name, below in schema.pop("$defs", {}).items()}
    return schema


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """Returns a field that must have a value where it is written."""
    options = [option for option in field.get("anyOf", ()) if option.get("type") != "null"]
    rest = {name: value for name, value in field.items() if name not in ("anyOf", "default")}
    return {**rest, **(options[0] if len(options) == 1 else {"anyOf": options})} if options else field

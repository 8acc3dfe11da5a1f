"""Scenarios in and out: files, mappings, and the resolved text that a run keeps.

`read_scenario` checks the shape, the graph and the seats. It knows no component, so the parameters of environments,
agents, planners and models are checked by `tidings.load_scenario`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from tidings.core import ScenarioError, SeedPath
from tidings.spec.errors import InvalidScenarioError, not_json, validate
from tidings.spec.graphs import argument_problems, build_graph, seat_name
from tidings.spec.overrides import Override, apply_overrides
from tidings.spec.problems import dotted, raise_problems
from tidings.spec.scenario import Scenario
from tidings.spec.seats import deal_groups
from tidings.spec.yaml_scalars import is_text_when_plain
from tidings.spec.yaml_source import YamlSource, read_yaml

__all__ = ["check_scenario", "dump_scenario", "make_scenario", "make_source", "read_scenario", "read_source"]


def read_scenario(path: str | Path, overrides: Iterable[Override] = ()) -> Scenario:
    """Returns the scenario in a YAML file.

    Args:
        path: The file.
        overrides: Values to change first: `rollouts.count=10` texts, or pairs of path and value.

    Raises:
        ScenarioError: If it is not valid; every problem has a line of its own.
        DataError: If its graph file is not usable.
    """
    return check_scenario(read_source(path, overrides))


def read_source(path: str | Path, overrides: Iterable[Override] = ()) -> YamlSource:
    """Returns the values of a scenario file with line numbers, overrides applied, not yet checked.

    Raises:
        ScenarioError: If the file is no YAML mapping, or an override leads nowhere.
    """
    return apply_overrides(read_yaml(path), overrides)


def make_scenario(data: Mapping[str, Any], overrides: Iterable[Override] = ()) -> Scenario:
    """Returns the scenario of a mapping as it would stand in a file.

    Raises:
        ScenarioError: If it is not valid.
        DataError: If its graph file is not usable.
    """
    return check_scenario(make_source(data, overrides))


def make_source(data: Mapping[str, Any] | Scenario, overrides: Iterable[Override] = ()) -> YamlSource:
    """Returns the values of a mapping or of a scenario as a source, overrides applied, not yet checked.

    Raises:
        ScenarioError: If an override leads nowhere.
    """
    values = _fields(data) if isinstance(data, Scenario) else dict(data)
    return apply_overrides(YamlSource(values), overrides)


def check_scenario(source: YamlSource, known_seats: dict[str, list[str]] | None = None) -> Scenario:
    """Returns the scenario of these values after its shape, graph and seats are checked.

    Top-level keys that begin with `x-` are free space for anchors and are dropped.

    Args:
        source: The values.
        known_seats: Seats of graphs that were built before, filled here; spares variants of one scenario the same work.

    Raises:
        ScenarioError: If it is not valid.
        DataError: If its graph file is not usable.
    """
    data = {key: value for key, value in source.data.items() if not str(key).startswith("x-")}
    try:
        scenario = _with_absolute_files(validate(Scenario, data, source=source), source.folder)
    except InvalidScenarioError as error:
        raise InvalidScenarioError([*error.problems, *argument_problems(data.get("graph"), source)]) from None
    known = {} if known_seats is None else known_seats
    key = f"{scenario.rollouts.seed if scenario.graph.follows_run_seed else ''} {scenario.graph.model_dump_json()}"
    if key not in known:
        graph = build_graph(scenario.graph, SeedPath.root(scenario.rollouts.seed).child("graph"), source)
        known[key] = [seat_name(node) for node in graph]
    deal_groups(scenario.agents, known[key], source)
    return scenario


def dump_scenario(scenario: Scenario) -> str:
    """Returns the scenario as YAML with every default written out; reading it gives an equal scenario.

    Equal scenarios give equal texts.

    Raises:
        ScenarioError: If a parameter holds something that YAML cannot, such as NaN.
    """
    data = _fields(scenario)
    raise_problems([ScenarioError(dotted(path) or "scenario", text) for path, text in not_json(data)])
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def _with_absolute_files(scenario: Scenario, folder: Path | None) -> Scenario:
    """Returns the scenario with its files named so that they are found from anywhere, a run folder too."""

    def absolute(file: str) -> str:
        return str(Path(folder or "", Path(file).expanduser()).resolve())

    changes: dict[str, BaseModel] = {}
    if scenario.graph.file is not None:
        changes["graph"] = scenario.graph.model_copy(update={"file": absolute(scenario.graph.file)})
    environment = scenario.environment
    files = {name: getattr(environment, name) for name in ("items", "archive")}
    named = {name: absolute(file) for name, file in files.items() if isinstance(file, str)}
    if named:
        changes["environment"] = environment.model_copy(update=named)
    return scenario.model_copy(update=changes) if changes else scenario


def _fields(value: Any) -> Any:
    """Returns a model as plain values; fields that are None by default and None are left out."""
    if isinstance(value, BaseModel):
        own = {name: getattr(value, name) for name in type(value).model_fields}
        declared = {name: item for name, item in own.items() if not _is_unset(value, name)}
        return {name: _fields(item) for name, item in (declared | (value.model_extra or {})).items()}
    if isinstance(value, Mapping):
        return {name: _fields(item) for name, item in value.items()}
    return [_fields(item) for item in value] if isinstance(value, list | tuple) else value


def _is_unset(model: BaseModel, name: str) -> bool:
    field = type(model).model_fields[name]
    return getattr(model, name) is None and not field.is_required() and field.default is None


class _Dumper(yaml.SafeDumper):
    """Writes text that every YAML reader takes for text, and nothing twice by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if is_text_when_plain(text) else "'"
    # PyYAML writes U+0085 and its like as they are, and reads them back as line breaks; escapes survive.
    style = style if text.replace("\n", "").isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)

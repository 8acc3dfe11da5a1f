"""Dotted overrides: `agents.0.kind=llm` changes one value of a scenario before it is checked.

Values are YAML scalars or flow collections: `0.7`, `true`, `llm`, `[1, 2]`, `{kind: linear, weight: 0.1}`. A key that
holds a dot goes in quotes: `models."gpt-4.1".temperature=0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import yaml

from tidings.core import ScenarioError, suggest
from tidings.spec.describe import Target, allowed_names, is_mapping, is_open, targets_at
from tidings.spec.problems import join_names, raise_problems
from tidings.spec.scenario import Scenario
from tidings.spec.yaml_source import NodeReader, YamlSource, compose

__all__ = ["Override", "apply_overrides", "parse_override", "parse_value", "split_path"]

Override = str | tuple[str, Any]
"""`path=value` as text, or a path and its value."""

_PART = re.compile(r'"([^"]*)"|([^."]+)')
_HOW = "write path=value, for example rollouts.count=10"


def parse_override(text: str) -> tuple[str, Any]:
    """Returns path and value of `path=value`.

    Raises:
        ScenarioError: If it is no override, or its value no YAML.
    """
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise ScenarioError(f"override {text!r}", "found no path and value", fix=_HOW)
    return path.strip(), parse_value(value, path.strip())


def parse_value(text: str, path: str) -> Any:
    """Returns the value of a YAML scalar or flow collection; other text stays as it is, to the letter.

    Raises:
        ScenarioError: If it is another kind of YAML, or none.
    """
    where = f"override {path}"
    text = text.strip()
    try:
        node = compose(text, "")
    except ScenarioError as error:
        fix = "put text with special characters in quotes inside the value"
        raise ScenarioError(where, f"found {text!r}", error.found, fix) from None
    if node is None:
        return None
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        fix = f"put text in quotes: {path}='\"...\"'"
        raise ScenarioError(where, f"found {text!r}", "allowed: one value, [a list] or {a: mapping}", fix)
    reader = NodeReader("")
    value = reader.read(node)
    raise_problems([ScenarioError(where, problem.found) for problem in reader.problems])
    is_plain_text = isinstance(value, str) and isinstance(node, yaml.ScalarNode) and not node.style
    # YAML would end plain text at ` #` and fold its line breaks; what was typed is what is meant.
    return text if is_plain_text or _is_cut(node, text) else value


def split_path(path: str) -> tuple[str, ...]:
    """Returns the parts of a dotted path; a part in double quotes may hold dots.

    Raises:
        ScenarioError: If a part is empty.
    """
    parts: list[str] = []
    end = -1
    for match in _PART.finditer(path):
        if match.start() != end + 1 or (parts and path[end] != "."):
            break
        parts.append(match[1] if match[1] is not None else match[2])
        end = match.end()
    if end != len(path):
        raise ScenarioError(f"override {path}", "found an empty or unfinished part", "need names with dots between")
    return tuple(parts)


def apply_overrides(source: YamlSource, overrides: Iterable[Override], label: str = "override") -> YamlSource:
    """Returns the source with values replaced in order; the original is not changed.

    Args:
        source: What to change.
        overrides: `path=value` texts, or pairs of path and value.
        label: What errors about a changed value begin with.

    Raises:
        ScenarioError: If a path leads nowhere, or a value is no YAML.
    """
    for override in overrides:
        path, value = parse_override(override) if isinstance(override, str) else override
        parts = split_path(path)
        data = _set(source.data, parts, value, _Place(parts, label))
        source = replace(source, data=data, changed={**source.changed, ".".join(parts): label})
    return source


class _Place:
    """Where in an override's path we are, for errors."""

    def __init__(self, parts: tuple[str, ...], label: str) -> None:
        self.parts, self._label = parts, label

    def error(self, depth: int, found: str, allowed: str, fix: str = "") -> ScenarioError:
        """Returns the error for the part at this depth."""
        return ScenarioError(f"{self._label} {'.'.join(self.parts[: depth + 1])}", found, allowed, fix)


def _set(value: Any, parts: tuple[str, ...], new: Any, place: _Place, depth: int = 0) -> Any:
    """Returns a copy of the value with one place below it replaced."""
    if depth == len(parts):
        return new
    targets = targets_at(Scenario, parts[:depth])
    if isinstance(value, list | tuple):
        index = _index(value, parts[depth], place, depth)
        below = _set(value[index], parts, new, place, depth + 1)
        return [*value[:index], below, *value[index + 1 :]]
    if value is None and is_mapping(targets):
        value = {}
    if not isinstance(value, Mapping):
        raise place.error(depth, f"nothing lies below {'.'.join(parts[:depth])}", "it is a single value")
    is_last = depth == len(parts) - 1
    _check_key(value, targets, is_last, place, depth)
    return {**value, parts[depth]: _set(value.get(parts[depth]), parts, new, place, depth + 1)}


def _check_key(value: Mapping[str, Any], targets: list[Target], is_last: bool, place: _Place, depth: int) -> None:
    """Refuses a key that no scenario can have here, and a way through something that is not there."""
    key, names = place.parts[depth], allowed_names(targets)
    if key in value or key in names:
        return
    known = [*names, *(name for name in value if name not in names)]
    if names and not is_open(targets):
        raise place.error(depth, f"found {key!r}", f"allowed: {join_names(known)}", suggest(key, known))
    if not is_last:
        fix = suggest(key, known) or f"set all of {'.'.join(place.parts[:depth])} at once"
        raise place.error(
            depth, f"there is no {key!r} to change", f"found here: {join_names(known)}" if known else "", fix
        )


def _index(value: list[Any] | tuple[Any, ...], part: str, place: _Place, depth: int) -> int:
    if part.isdecimal() and int(part) < len(value):
        return int(part)
    where = ".".join(place.parts[:depth])
    allowed = f"{where} is a list of {len(value)}: positions 0 to {len(value) - 1}" if value else f"{where} is empty"
    raise place.error(depth, f"found {part!r}", allowed, f"for example {where}.0" if value else "")


def _is_cut(node: yaml.Node, text: str) -> bool:
    """Whether something stands behind a plain value that YAML takes for a comment: `5 #2`."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value != text and bool(node.value)

"""Variants: a scenario with a sweep stands for every combination of the values it names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import product
from math import prod
from typing import Any

from tidings.core import ScenarioError
from tidings.spec.io import check_scenario
from tidings.spec.overrides import apply_overrides, split_path
from tidings.spec.problems import show
from tidings.spec.scenario import Scenario
from tidings.spec.sweep_spec import MAX_VALUES, RangeSpec
from tidings.spec.yaml_source import YamlSource

__all__ = ["Variant", "expand", "variant_id"]

_LONGEST_NAME = 60


@dataclass(frozen=True)
class Variant:
    """One combination of swept values.

    Attributes:
        id: Name that fits a folder; depends on the values alone, so a longer sweep keeps the ids it had.
        overrides: Dotted path -> value.
        scenario: The scenario with these values, without a sweep.
        source: Its values before the check, for line numbers in later errors.
    """

    id: str
    overrides: Mapping[str, Any]
    scenario: Scenario
    source: YamlSource


@dataclass(frozen=True)
class _Axis:
    key: str
    paths: tuple[str, ...]
    points: tuple[tuple[Any, ...], ...]


def expand(source: YamlSource) -> tuple[Variant, ...]:
    """Returns every variant of a scenario, the last swept path varying fastest; one, `base`, without a sweep.

    Paths joined by a comma move together: `"agents.0.count, graph.n": [[5, 5], [10, 10]]`.

    Raises:
        ScenarioError: If a swept path leads nowhere, a variant is not valid, or there are more than 10,000.
    """
    scenario = check_scenario(source)
    axes = [_axis(key, values, source) for key, values in scenario.sweep.items()]
    n_variants = prod(len(axis.points) for axis in axes)
    if n_variants > MAX_VALUES:
        found = f"found {' x '.join(str(len(axis.points)) for axis in axes)} = {n_variants:,} variants"
        raise ScenarioError(source.where("sweep"), found, f"allowed: {MAX_VALUES:,}", "sweep fewer values at once")
    base = replace(source, data={key: value for key, value in source.data.items() if key != "sweep"})
    seats: dict[str, list[str]] = {}
    return tuple(_variant(base, source, axes, points, seats) for points in product(*(axis.points for axis in axes)))


def variant_id(overrides: Mapping[str, Any]) -> str:
    """Returns a name for these values that fits a folder: last parts of the paths, values, and a hash of all."""
    if not overrides:
        return "base"
    words = "_".join(f"{split_path(path)[-1]}={_word(value)}" for path, value in overrides.items())
    text = json.dumps(overrides, sort_keys=True, separators=(",", ":"))
    digest = blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9._=+-]+', '-', words)[:_LONGEST_NAME]}-{digest}"


def _word(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("kind", "-".join(map(str, value))))
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _axis(key: str, values: RangeSpec | tuple[Any, ...], source: YamlSource) -> _Axis:
    where = source.where(f"sweep.{key}")
    paths = tuple(part.strip() for part in key.split(","))
    for path in paths:
        if split_path(path)[0] in ("sweep", "name"):
            raise ScenarioError(where, f"found {path!r}", "allowed: anything but the name and the sweep itself")
    points: tuple[Any, ...] = values.values() if isinstance(values, RangeSpec) else values
    if len(paths) == 1:
        return _Axis(key, paths, tuple((point,) for point in points))
    for point in points:
        if not isinstance(point, list) or len(point) != len(paths):
            raise ScenarioError(where, f"found {show(point)}", f"need lists of {len(paths)} values, one for each path")
    return _Axis(key, paths, tuple(tuple(point) for point in points))


def _variant(
    base: YamlSource,
    source: YamlSource,
    axes: list[_Axis],
    points: tuple[tuple[Any, ...], ...],
    seats: dict[str, list[str]],
) -> Variant:
    overrides: dict[str, Any] = {}
    for axis, point in zip(axes, points, strict=True):
        label = f"{source.place(f'sweep.{axis.key}')} sweep".strip()
        pairs = list(zip(axis.paths, point, strict=True))
        base = apply_overrides(base, pairs, label)
        for path, value in pairs:
            if path in overrides:
                raise ScenarioError(source.where(f"sweep.{axis.key}"), f"{path!r} is swept twice", "need it once")
            overrides[path] = value
    return Variant(variant_id(overrides), overrides, check_scenario(base, seats), base)

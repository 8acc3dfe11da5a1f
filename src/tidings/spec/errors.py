"""The one check of values against a model, with errors a user can act on.

`validate` serves the scenario and every component's parameters alike. Values are checked as JSON: lists become tuples,
whole numbers may stand for numbers, and nothing else is converted (`"5"` is not 5, `true` is not 1).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tidings.core import ScenarioError, suggest
from tidings.spec.describe import Target, allowed_names, describe, is_one_thing, targets_at
from tidings.spec.problems import InvalidScenarioError, dotted, join_names, raise_problems, show
from tidings.spec.yaml_source import YamlSource

__all__ = ["InvalidScenarioError", "not_json", "validate"]

M = TypeVar("M", bound=BaseModel)
_Path = tuple[str | int, ...]

# `too_short` counts items after the bad ones are taken out.
_NOT_OF_KIND = frozenset({"literal_error", "enum", "none_required", "too_short"})
_TYPE_NAMES = {str: "text", bool: "a truth value", int: "a whole number", float: "a number", dict: "a mapping"}


def validate(
    model_class: type[M],
    data: Mapping[str, Any],
    where: str = "",
    source: YamlSource | None = None,
    also_allowed: Iterable[str] = (),
) -> M:
    """Returns the model of these values.

    Args:
        model_class: A frozen, strict pydantic model.
        data: JSON values; tuples count as lists.
        where: Dotted path of the values in the scenario, for example `agents.0`.
        source: The file they came from, for line numbers.
        also_allowed: Further keys that may stand beside the model's own and were taken out of `data`, for hints.

    Raises:
        InvalidScenarioError: If something is wrong; it lists everything that is.
    """
    origin = source or YamlSource({})
    base = tuple(where.split(".")) if where else ()
    raise_problems([_problem(origin, (*base, *path), text, "allowed: plain values") for path, text in not_json(data)])
    try:
        return model_class.model_validate_json(json.dumps(data, allow_nan=False))
    except ValidationError as error:
        reader = _Reader(model_class, data, base, origin, tuple(also_allowed))
        raise InvalidScenarioError(reader.problems(error.errors(include_url=False))) from None


def not_json(value: Any, path: _Path = ()) -> list[tuple[_Path, str]]:
    """Returns path and description of everything in a value that JSON cannot hold."""
    if value is None or isinstance(value, bool | int):
        return []
    if isinstance(value, float):
        return [] if math.isfinite(value) else [(path, f"found {value}, which is no finite number")]
    if isinstance(value, str):
        return [] if value.isascii() or _is_unicode(value) else [(path, f"found {value!a}, which is no valid text")]
    if isinstance(value, list | tuple):
        return [problem for i, item in enumerate(value) for problem in not_json(item, (*path, i))]
    if isinstance(value, dict):
        bad_keys = [(path, f"found the key {key!r}, which is no text") for key in value if not isinstance(key, str)]
        good = {key: item for key, item in value.items() if isinstance(key, str)}
        return bad_keys + [problem for key, item in good.items() for problem in not_json(item, (*path, key))]
    return [(path, f"found {show(value)} of type {type(value).__name__}")]


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _problem(source: YamlSource, path: _Path, found: str, allowed: str, fix: str = "") -> ScenarioError:
    return ScenarioError(source.where(dotted(path)) or "scenario", found, allowed, fix)


class _Reader:
    """Turns what pydantic says about one failed check into problems."""

    def __init__(
        self, model_class: type[BaseModel], data: Any, base: _Path, source: YamlSource, also_allowed: tuple[str, ...]
    ) -> None:
        self._model, self._data, self._base, self._source = model_class, data, base, source
        self._also_allowed = also_allowed

    def problems(self, errors: list[ErrorDetails]) -> list[ScenarioError]:
        """Returns one problem for each place, in the order of the file."""
        at: dict[_Path, list[ErrorDetails]] = {}
        for error in errors:
            at.setdefault(self._path(error), []).append(error)
        kept = {path: group for path, group in at.items() if not self._is_other_branch(path, group, at)}
        found = [(path, problem) for path, group in kept.items() for problem in self._at(path, group)]
        ordered = sorted(found, key=lambda item: self._source.line(".".join(map(str, (*self._base, *item[0])))))
        return list({str(problem): problem for _, problem in ordered}.values())

    def _path(self, error: ErrorDetails) -> _Path:
        """Returns where in the data an error is; pydantic's own names of union branches are left out."""
        path: _Path = ()
        value = self._data
        for part in error["loc"]:
            if _has(value, part):
                path, value = (*path, part), value[part]
        return self._whole((*path, error["loc"][-1]) if error["type"] == "missing" else path)

    def _whole(self, path: _Path) -> _Path:
        """Returns the nearest place above that is described as one thing, such as an edge, or the path itself."""
        above = (path[:n] for n in range(1, len(path)))
        return next((prefix for prefix in above if is_one_thing(self._targets(prefix))), path)

    def _is_other_branch(self, path: _Path, group: list[ErrorDetails], at: Iterable[_Path]) -> bool:
        """Whether these errors only say that another branch of a union was not meant: one got deeper into the value."""
        if not all(error["type"].endswith("_type") or error["type"] in _NOT_OF_KIND for error in group):
            return False
        return any(len(other) > len(path) and other[: len(path)] == path for other in at)

    def _at(self, path: _Path, group: list[ErrorDetails]) -> list[ScenarioError]:
        makers = {"missing": self._missing, "extra_forbidden": self._unknown_key, "value_error": self._said}
        if path and _has(_get(self._data, path[:-1]), path[-1]):
            del makers["missing"]
        special = [error for error in group if error["type"] in makers]
        problems = [problem for error in special for problem in makers[error["type"]](path, error)]
        return problems or [self._wrong_value(path, group)]

    def _missing(self, path: _Path, error: ErrorDetails) -> list[ScenarioError]:
        words = describe(self._targets(path))
        return [self._make(path, f"{show(path[-1])} is missing", f"need {words}" if words else "")]

    def _unknown_key(self, path: _Path, error: ErrorDetails) -> list[ScenarioError]:
        beside = self._also_allowed if len(path) == 1 else ()
        names = list(dict.fromkeys([*allowed_names(self._targets(path[:-1])), *beside]))
        allowed = f"allowed: {join_names(names)}" if names else "allowed: no keys at all"
        return [self._make(path, f"found {show(path[-1])}", allowed, suggest(path[-1], names))]

    def _said(self, path: _Path, error: ErrorDetails) -> list[ScenarioError]:
        """Returns what a model's own check said; a line may begin with the field it is about: `states: found ...`."""
        lines = error["msg"].removeprefix("Value error, ").splitlines()
        value = _get(self._data, path)
        fields = {*allowed_names(self._targets(path)), *(value if isinstance(value, Mapping) else ())}
        problems = []
        for line in lines:
            head, colon, rest = line.partition(": ")
            is_path = bool(colon) and head.partition(".")[0] in fields
            problems.append(self._make((*path, *head.split(".")), rest) if is_path else self._make(path, line))
        return problems

    def _wrong_value(self, path: _Path, group: list[ErrorDetails]) -> ScenarioError:
        value, targets = _get(self._data, path), self._targets(path)
        words = describe(targets)
        if not words or words == "another value":
            return self._make(path, f"found {show(value)}", "; ".join(dict.fromkeys(error["msg"] for error in group)))
        written = self._source.written(".".join(map(str, (*self._base, *path))))
        return self._make(path, _found(value, targets), f"allowed: {words}", _fix(value, targets, written, words))

    def _targets(self, path: _Path) -> list[Target]:
        return targets_at(self._model, path)

    def _make(self, path: _Path, found: str, allowed: str = "", fix: str = "") -> ScenarioError:
        return _problem(self._source, (*self._base, *path), found, allowed, fix)


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)


def _get(data: Any, path: _Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _found(value: Any, targets: Iterable[Target]) -> str:
    """Returns the value, with its type where only the type is wrong."""
    if isinstance(value, Mapping):
        return f"found a mapping with {join_names(value)}" if value else "found an empty mapping"
    if isinstance(value, list | tuple):
        text = show(value)
        return f"found a list of {len(value)}" if text.endswith("...") else f"found {text}"
    kinds = {target.annotation for target in targets}
    is_of_kind = type(value) in kinds or (isinstance(value, int) and float in kinds)
    name = _TYPE_NAMES.get(type(value))
    is_about_type = not is_of_kind and any(kind in _TYPE_NAMES or _is_list(kind) for kind in kinds)
    return f"found {show(value)}" + (f", {name}" if name and is_about_type else "")


def _fix(value: Any, targets: Iterable[Target], written: str | None, words: str) -> str:
    """Returns what to type instead, for the mistakes that YAML invites."""
    kinds = {target.annotation for target in targets}
    options = re.findall(r"'([^']*)'", words)
    if isinstance(value, str):
        if kinds & {int, float} and re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", value):
            return f"write {value} without quotes"
        if bool in kinds and value.lower() in ("true", "false", "yes", "no"):
            return f"write {value} without quotes"
        if hint := suggest(value, options):
            return hint
    if isinstance(value, bool) and (str in kinds or options):
        raw = written or str(value).lower()
        return f"YAML reads {raw} as {str(value).lower()}: put it in quotes, {raw!r}"
    if isinstance(value, int | float) and str in kinds:
        return f"put it in quotes, '{written or value}'"
    if isinstance(value, float) and value.is_integer() and int in kinds:
        return f"write {int(value)}"
    is_single = value is not None and not isinstance(value, list | tuple | Mapping) and type(value) not in kinds
    if is_single and any(_is_list(kind) for kind in kinds):
        return f"put it in brackets, [{written or value}]"
    return ""


def _is_list(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", annotation) in (tuple, list)

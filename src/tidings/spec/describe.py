"""What a field allows, in words, read off its annotation: errors and schema never disagree with the check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tidings.spec.problems import join_names

__all__ = ["Phrase", "Target", "allowed_names", "describe", "is_mapping", "is_one_thing", "is_open", "targets_at"]


@dataclass(frozen=True)
class Phrase:
    """Put into `Annotated`, it replaces the words made up from the type.

    Attributes:
        text: What is allowed, in words.
    """

    text: str


class Target(NamedTuple):
    """One type that is allowed at a place, with its constraints."""

    annotation: Any
    metadata: tuple[Any, ...]


def targets_at(root: Any, path: Iterable[str | int]) -> list[Target]:
    """Returns every type allowed at a path below a model; empty if the path leads nowhere.

    Args:
        root: A model class or annotation.
        path: Keys and list positions.
    """
    targets = list(_unfold(root, ()))
    for part in path:
        targets = [below for target in targets for below in _below(target, part)]
    return targets


def allowed_names(targets: Iterable[Target]) -> list[str]:
    """Returns the field names of the models among the targets, in order of definition."""
    models = [target.annotation for target in targets if _is_model(target.annotation)]
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def is_open(targets: Iterable[Target]) -> bool:
    """Whether some model among the targets takes further keys."""
    return any(_is_model(t.annotation) and t.annotation.model_config.get("extra") == "allow" for t in targets)


def is_one_thing(targets: Iterable[Target]) -> bool:
    """Whether some target is described by a phrase of its own, so that its parts are not worth naming."""
    return any(_phrase(target.metadata) for target in targets)


def is_mapping(targets: Iterable[Target]) -> bool:
    """Whether some target has keys."""
    return any(_is_model(t.annotation) or get_origin(t.annotation) in (dict, Mapping) for t in targets)


def describe(targets: Sequence[Target]) -> str:
    """Returns what the targets allow, for example `a number in [0.5, 1] or a mapping`."""
    some = [target for target in targets if target.annotation is not NoneType]
    return " or ".join(dict.fromkeys(_words(target) for target in some))


def _unfold(annotation: Any, metadata: tuple[Any, ...]) -> Iterator[Target]:
    """Yields the members of unions, with aliases and `Annotated` opened."""
    annotation = getattr(annotation, "__value__", annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        yield from _unfold(inner, (*metadata, *_flat(extra)))
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _unfold(member, metadata)
    else:
        yield Target(annotation, metadata)


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from item.metadata
        else:
            yield item


def _below(target: Target, part: str | int) -> Iterator[Target]:
    annotation, origin, arguments = target.annotation, get_origin(target.annotation), get_args(target.annotation)
    if _is_model(annotation):
        field = annotation.model_fields.get(str(part))
        if field is not None:
            yield from _unfold(field.annotation, tuple(_flat(field.metadata)))
    elif origin in (dict, Mapping):
        yield from _unfold(arguments[1], ())
    elif origin in (tuple, list, Sequence) and arguments and str(part).isdecimal():
        is_fixed = origin is tuple and Ellipsis not in arguments
        if not is_fixed or int(part) < len(arguments):
            yield from _unfold(arguments[int(part) if is_fixed else 0], ())


def _words(target: Target) -> str:
    annotation, metadata = target
    origin, arguments = get_origin(annotation), get_args(annotation)
    if phrase := _phrase(metadata):
        return phrase
    if origin is Literal:
        return join_names(repr(value) for value in arguments)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return join_names(repr(member.value) for member in annotation)
    if _is_model(annotation):
        return f"a mapping with {join_names(annotation.model_fields)}"
    if annotation is dict or origin in (dict, Mapping):
        return "a mapping"
    if annotation in (tuple, list) or origin in (tuple, list, Sequence):
        return _list_words(arguments, metadata)
    if annotation is Any:
        return "any value"
    nouns = {int: "a whole number", float: "a number", str: "text", bool: "true or false", NoneType: "null"}
    return nouns.get(annotation, "another value") + _bounds(metadata)


def _list_words(arguments: tuple[Any, ...], metadata: tuple[Any, ...]) -> str:
    if not arguments or arguments[0] is Any:
        return f"a list{_bounds(metadata)}"
    if Ellipsis in arguments or len(arguments) == 1:
        return f"a list{_bounds(metadata)} of: {describe(list(_unfold(arguments[0], ())))}"
    return f"a list of {len(arguments)}: " + ", ".join(describe(list(_unfold(item, ()))) for item in arguments)


def _bounds(metadata: Iterable[Any]) -> str:
    """Returns the constraints as ` in [0, 1]`, ` >= 1`, ` of 1 or more`; empty if there are none."""
    limits: dict[str, Any] = {}
    for item in metadata:
        limits |= {
            name: value
            for name in ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern")
            if (value := getattr(item, name, None)) is not None
        }
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    text = ""
    if low is not None and high is not None:
        text = f" in {'[' if 'ge' in limits else '('}{low}, {high}{']' if 'le' in limits else ')'}"
    elif low is not None:
        text = f" {'>=' if 'ge' in limits else '>'} {low}"
    elif high is not None:
        text = f" {'<=' if 'le' in limits else '<'} {high}"
    if "multiple_of" in limits:
        text += f", a multiple of {limits['multiple_of']}"
    if "max_length" in limits:
        text += f" of length {limits.get('min_length', 0)} to {limits['max_length']}"
    elif "min_length" in limits:
        text += f" of length {limits['min_length']} or more"
    return text + (f" like {limits['pattern']}" if "pattern" in limits else "")


def _phrase(metadata: Iterable[Any]) -> str:
    return next((item.text for item in metadata if isinstance(item, Phrase)), "")


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

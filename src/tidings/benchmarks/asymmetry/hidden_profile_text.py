"""Sentences that speak for or against an option, and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tidings.benchmarks.streams import Draws

__all__ = ["CRITERIA", "OPTIONS", "Point", "net_points", "read_point", "write_point"]


class Point(NamedTuple):
    """One thing that speaks for (+1) or against (-1) an option.

    Attributes:
        option: The option.
        criterion: What it is about.
        weight: +1 or -1.
    """

    option: str
    criterion: str
    weight: int


OPTIONS = (
    "Alder House", "Birch Court", "Cedar Hall", "Dune Lodge", "Elm Wharf", "Fern Mill", "Gorse Farm", "Heron Dock",
    "Iris Manor", "Juniper Yard", "Kelp Quay", "Larch Works",
)  # fmt: skip

CRITERIA = (
    "the roof", "the heating", "the access road", "the kitchen", "the water supply", "the lighting", "the rent",
    "the noise level", "the storage space", "the fire exits", "the internet line", "the parking", "the insulation",
    "the lease terms", "the neighbours", "the ventilation", "the plumbing", "the staircase", "the garden",
    "the windows",
)  # fmt: skip

_TEMPLATES = {
    1: (
        "At {option}, {criterion} turned out well.",
        "Experts praise {criterion} at {option}.",
        "{option} scores high on {criterion}.",
        "A strong point of {option}: {criterion}.",
        "Regarding {criterion}, {option} has an advantage.",
    ),
    -1: (
        "At {option}, {criterion} turned out badly.",
        "Experts criticise {criterion} at {option}.",
        "{option} scores low on {criterion}.",
        "A weak point of {option}: {criterion}.",
        "Regarding {criterion}, {option} has a drawback.",
    ),
}

_FIELDS = {"option": r"(?P<option>[A-Z][a-z]+ [A-Z][a-z]+)", "criterion": r"(?P<criterion>the [a-z ]+)"}


def _pattern(template: str) -> re.Pattern[str]:
    text = re.escape(template)
    for field, regex in _FIELDS.items():
        text = text.replace(re.escape("{" + field + "}"), regex)
    return re.compile(text)


_PATTERNS = tuple((weight, _pattern(template)) for weight, group in _TEMPLATES.items() for template in group)


def write_point(draws: Draws, point: Point) -> str:
    """Returns one of the sentences that make a point."""
    return draws.pick(_TEMPLATES[point.weight]).format(option=point.option, criterion=point.criterion)


def read_point(text: str) -> Point | None:
    """Returns the point a sentence makes, or None when it makes none."""
    for weight, pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            return Point(match["option"], match["criterion"], weight)
    return None


def net_points(options: Iterable[str], texts: Iterable[str]) -> dict[str, int]:
    """Returns option -> advantages minus drawbacks in these sentences; a point made twice counts once."""
    totals = dict.fromkeys(options, 0)
    for point in {read_point(text) for text in texts}:
        if point is not None and point.option in totals:
            totals[point.option] += point.weight
    return totals

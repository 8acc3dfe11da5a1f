"""What a fork changes, and where: as a value, and read from the texts of the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tidings.core import RequestError
from tidings.simulation.interventions import Drop, Intervention, Mute, Swap
from tidings.spec.overrides import parse_value

__all__ = ["MIN_SAMPLES", "ForkSpec", "parse_fork"]

MIN_SAMPLES = 5
"""Samples of each arm by default."""


@dataclass(frozen=True)
class ForkSpec:
    """What to change, and where.

    Attributes:
        rollout: Rollout of the parent.
        at: Index of an event: every seat does what it did up to the step of this event. None for the step of the
            dropped message or of the swapped fact, else for the opening.
        interventions: What is changed.
        planner: Kind and parameters of another planner for the time after the fork; None leaves the planner.
        n: Samples of each arm.
    """

    rollout: int
    at: int | None = None
    interventions: tuple[Intervention, ...] = ()
    planner: Mapping[str, Any] | None = None
    n: int = MIN_SAMPLES


def parse_fork(
    at: str = "0",
    *,
    drop: Iterable[str] = (),
    swap: Iterable[str] = (),
    mute: Iterable[str] = (),
    planner: str | Mapping[str, Any] | None = None,
    n: int = MIN_SAMPLES,
) -> ForkSpec:
    """Returns what the texts of the command line stand for.

    Args:
        at: `rollout:index` of an event, or a rollout alone.
        drop: Indices of messages, or `index:seat,seat`.
        swap: `fact=value` texts; a value is JSON, or else text.
        mute: Seats.
        planner: Kind of a planner, or a mapping (as YAML text too) of kind and parameters.
        n: Samples of each arm.

    Raises:
        RequestError: If a text cannot be read.
    """
    rollout, colon, index = at.partition(":")
    if not rollout.isdigit() or (colon and not index.isdigit()):
        raise RequestError("at", f"found {at!r}", "need rollout:index, for example 0:12, or a rollout")
    wanted = parse_value(planner, "planner") if isinstance(planner, str) else planner
    wanted = {"kind": wanted} if isinstance(wanted, str) else wanted
    if wanted is not None and not (isinstance(wanted, Mapping) and "kind" in wanted):
        raise RequestError("planner", f"found {planner!r}", "need a kind, or {kind: ..., ...}")
    changes = (*map(_parse_drop, drop), *map(_parse_swap, swap), *map(Mute, mute))
    return ForkSpec(int(rollout), int(index) if colon else None, changes, wanted, n)


def _parse_drop(text: str) -> Drop:
    index, colon, seats = text.partition(":")
    if not index.isdigit():
        raise RequestError("drop", f"found {text!r}", "need the index of a message, or index:seat,seat")
    return Drop(int(index), tuple(seats.split(",")) if colon else None)


def _parse_swap(text: str) -> Swap:
    fact, equals, value = text.partition("=")
    if not equals or not fact:
        raise RequestError("swap", f"found {text!r}", "need fact=value")
    try:
        return Swap(fact, json.loads(value))
    except ValueError:
        return Swap(fact, value)

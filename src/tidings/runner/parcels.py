"""What the driver and its players say to each other: plain values, so that any engine can carry them.

    driver                                    player (a process that plays rollouts)
      play(Batch)          ------------->       plays, step by step
      writes, then answers <-------------       Parcel: steps to be logged; calls to be accounted
      hear([Go, Answer...]) ------------>       makes the attempt, goes on with the answer

A step is committed when the driver has written it. A call passes the driver's guard (cache, budget, rates, retries);
only the attempt itself is made by the player, when it is told to `Go`, or by an engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tidings.core import ModelRequest, ModelResponse
from tidings.spec.scenario import Scenario

__all__ = [
    "Answer",
    "Ask",
    "Batch",
    "CallNews",
    "Cancel",
    "Drop",
    "EngineJob",
    "Go",
    "Order",
    "Outcome",
    "Parcel",
    "PlayerJob",
    "ProcessSettings",
    "Steps",
    "Stop",
]


class Batch(NamedTuple):
    """Rollouts handed to a player.

    Attributes:
        rollouts: Number and the lines that the log already holds of it, for each.
    """

    rollouts: tuple[tuple[int, bytes], ...]


class Steps(NamedTuple):
    """Steps of one rollout, ready to be written.

    Attributes:
        rollout: Its number.
        lines: The lines of whole steps (see `log.codec.encode_step`).
        n_steps: How many steps.
        status: Of the rollout after them: `running`, `ok` or `failed`.
    """

    rollout: int
    lines: bytes
    n_steps: int
    status: str


class Ask(NamedTuple):
    """A seat wants an answer of a model; `model` is its name in the scenario."""

    id: int
    model: str
    request: ModelRequest


class Outcome(NamedTuple):
    """What an attempt gave: a response or an error."""

    id: int
    attempt: int
    result: ModelResponse | Exception


class Drop(NamedTuple):
    """The seat that asked has given up."""

    id: int


CallNews = Ask | Outcome | Drop


class Parcel(NamedTuple):
    """What a player sends at once. `error` is one that ends the run."""

    steps: tuple[Steps, ...] = ()
    calls: tuple[CallNews, ...] = ()
    error: Exception | None = None


class Go(NamedTuple):
    """Make this attempt now."""

    id: int
    attempt: int


class Cancel(NamedTuple):
    """Give this attempt up: it took too long, or nobody waits for it."""

    id: int
    attempt: int


class Answer(NamedTuple):
    """The end of a call: the result of the player's own `attempt`, or a result from elsewhere."""

    id: int
    attempt: int
    result: ModelResponse | Exception | None = None


class Stop(NamedTuple):
    """Finish the steps in flight and begin no more."""


Order = Go | Cancel | Answer | Stop


@dataclass(frozen=True)
class ProcessSettings:
    """What a fresh process takes over from the driver.

    Attributes:
        paths: Where modules of the user's own are found.
        environment: Settings of tidings itself (`TIDINGS_...`); never a key.
    """

    paths: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlayerJob:
    """What a player is made of.

    Attributes:
        scenario: What it plays.
        models: Name -> what `ModelSession.describe` says of it.
        engines: The models that engines hold; players do not build them.
        concurrency: Rollouts played at the same time.
        items_sha256: Hash of the file of items as the driver read it.
        process: Settings of a process of its own; None in the driver's.
    """

    scenario: Scenario
    models: Mapping[str, Mapping[str, Any]]
    engines: frozenset[str]
    concurrency: int
    items_sha256: str | None = None
    process: ProcessSettings | None = None


@dataclass(frozen=True)
class EngineJob:
    """What an engine is made of: one model of a scenario.

    Attributes:
        scenario: Where it is defined.
        model: Its name there.
        process: Settings of a process of its own; None in the driver's.
    """

    scenario: Scenario
    model: str
    process: ProcessSettings | None = None

"""What a suite is made of: sets of items, the scenarios that play them, and the rows that are read from the plays.

    items.jsonl (one line a question)
         |   x seeds: rollout r plays item r modulo n with its own draws
    plays: one scenario each -> one run folder each, resumable (`tidings.benchmarks.asymmetry.plays`)
         |
    rows: a score of every rollout of a play (`rows`) -> intervals, tests, cost -> Markdown and JSON (`tables`)

One play can serve several rows: the votes before a talk are the row without communication of the votes after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidings.core import Event, RequestError

__all__ = [
    "FEWEST_QUESTIONS",
    "FEWEST_SEEDS",
    "CombineRollouts",
    "FreshFloors",
    "Item",
    "PlaySpec",
    "RolloutScore",
    "RowSpec",
    "ScoreRollout",
    "SetPlan",
    "SuiteOptions",
    "SymbolicRow",
    "suite_options",
]

FEWEST_SEEDS, FEWEST_QUESTIONS = 3, 300
"""Below these a table says that it is for a look, not for claims."""

Item = Mapping[str, Any]
"""One line of an items file. It has at least `id` and `group`; what else it has is known to its environment."""


@dataclass(frozen=True)
class RolloutScore:
    """What one rollout is worth in one row.

    Attributes:
        value: In [0, 1]; NaN when there is no answer, and `failure` says why.
        failure: `empty`, `unparsable`, `budget` and the like; empty when there is a value.
        n_failed: Answers within the rollout that failed although others gave a value (votes of a group).
        stop: Why the talk ended; empty when there is nothing to tell.
        last_step: Last step whose calls this row pays for; None for all.
        seats: Seats whose calls this row pays for; None for all.
        n_scanned: Messages that memory looked through; None where no memory is searched.
        extra: Further figures to be averaged apart for high and low scores.
    """

    value: float
    failure: str = ""
    n_failed: int = 0
    stop: str = ""
    last_step: int | None = None
    seats: tuple[str, ...] | None = None
    n_scanned: int | None = None
    extra: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def failed(cls, failure: str, stop: str = "") -> RolloutScore:
        """Returns the score of a rollout without an answer."""
        return cls(math.nan, failure, stop=stop)


ScoreRollout = Callable[[Item, Sequence[Event]], RolloutScore]
"""(item, events of a rollout that ended well) -> its score."""

CombineRollouts = Callable[[Item, Sequence[Sequence[Event]]], RolloutScore]
"""(item, events of the repeats that ended well) -> one score of all: a vote, a consensus."""


@dataclass(frozen=True)
class PlaySpec:
    """A scenario to be played over all items and seeds.

    Attributes:
        name: Short name, part of the folder's name: lower-case letters, digits and `-`.
        scenario: As it would stand in a file, without `name`, `environment.items` and `rollouts.count`.
        repeats: Rollouts of each question and seed: more than one for self-consistency at equal calls.
    """

    name: str
    scenario: Mapping[str, Any]
    repeats: int = 1


@dataclass(frozen=True)
class RowSpec:
    """A row that is read from a play.

    Attributes:
        name: As the table shows it.
        play: Name of the play.
        score: What a rollout is worth; the mean over the repeats of the play is taken.
        about: What the row is, in a few words.
        combine: What the repeats are worth together, instead of the mean; the row then pays for all of them.
    """

    name: str
    play: str
    score: ScoreRollout
    about: str = ""
    combine: CombineRollouts | None = None


@dataclass(frozen=True)
class SymbolicRow:
    """A row that needs no play: a solver, a constant, people who played the game.

    Attributes:
        name: As the table shows it.
        values: Question id -> score; questions that are missing are not in the row.
        about: What the row is, in a few words.
    """

    name: str
    values: Mapping[str, float]
    about: str = ""


@dataclass(frozen=True)
class FreshFloors:
    """What can be scored without communication, measured on other questions of the same generator.

    Attributes:
        means: Who answers -> mean score.
        n: Questions measured.
    """

    means: Mapping[str, float]
    n: int

    def best(self) -> tuple[str, float]:
        """Returns who scores most, and how much."""
        return max(self.means.items(), key=lambda pair: pair[1])


@dataclass(frozen=True)
class SetPlan:
    """One set of questions with everything that is played on it.

    Attributes:
        name: Short name: lower-case letters, digits and `-`.
        items: The questions, ids all different.
        plays: What is played.
        rows: What is read from the plays, in the order of the table.
        symbolic: What needs no play.
        floor: Name of the row without communication.
        ceiling: Name of the row with all information.
        full: Name of the row of the full system; all other played rows are tested against it.
        measure: What the score is.
        about: Source, version, hash, licence: printed above the table.
        seed: First seed of the plays.
        n_seeds: Plays of each question.
        fresh: The floor on many more questions, where it is known: a few questions show little of it.
    """

    name: str
    items: tuple[Item, ...]
    plays: tuple[PlaySpec, ...]
    rows: tuple[RowSpec, ...]
    symbolic: tuple[SymbolicRow, ...]
    floor: str
    ceiling: str
    full: str
    measure: str
    about: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    n_seeds: int = FEWEST_SEEDS
    fresh: FreshFloors | None = None

    def __post_init__(self) -> None:
        names = [row.name for row in (*self.rows, *self.symbolic)]
        plays = {play.name for play in self.plays}
        assert len(set(names)) == len(names), f"{self.name}: a row comes twice: {names}"
        assert {self.floor, self.ceiling, self.full} <= set(names), f"{self.name}: floor, ceiling, full among {names}"
        assert all(row.play in plays for row in self.rows), f"{self.name}: a row without a play; plays are {plays}"
        assert len({item["id"] for item in self.items}) == len(self.items), f"{self.name}: a question comes twice"

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the questions, in order."""
        return tuple(item["id"] for item in self.items)

    @property
    def groups(self) -> tuple[str, ...]:
        """Group of each question."""
        return tuple(item["group"] for item in self.items)


@dataclass(frozen=True)
class SuiteOptions:
    """What a user can say about a suite.

    Attributes:
        model: Language model as `provider/model`; None: only what needs none is played.
        out: Folder of the suite.
        is_full: Whether the sizes are those of claims.
        data: Local path, or `hf:owner/name`; None for the suite's own generator.
        n_seeds: Plays of each question.
        n_items: Questions of each set; None for all of a file.
        max_tokens: Longest answer of a seat, in tokens; None for the agent's own.
    """

    model: str | None
    out: Path
    is_full: bool
    data: str | None
    n_seeds: int
    n_items: int | None
    max_tokens: int | None = None


def suite_options(
    model: str | None,
    out: Path,
    *,
    is_full: bool,
    data: str | None = None,
    seeds: int | None = None,
    items: int | None = None,
    few: int = 4,
) -> SuiteOptions:
    """Returns the options of a suite with their defaults: a few questions for a look, or the sizes of claims.

    Raises:
        RequestError: If a number is not positive.
    """
    for name, value in (("--seeds", seeds), ("--items", items)):
        if value is not None and value < 1:
            raise RequestError(name, f"found {value}", "1 or more")
    n_items = items if items is not None else (None if data else FEWEST_QUESTIONS) if is_full else few
    return SuiteOptions(model, out, is_full, data, seeds if seeds is not None else FEWEST_SEEDS, n_items)

"""The values every information-asymmetry suite shares: people, private items, questions, golds.

What a player may read and what only the scorer may read are different types: a `Question` has no gold in it, and its
evidence ids are for the analyst.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tidings.core.errors import DataError

__all__ = [
    "PUBLIC",
    "Answer",
    "DataError",
    "Gold",
    "GoldKind",
    "Person",
    "PrivateItem",
    "Problem",
    "Question",
    "Relation",
    "TaskSet",
    "is_visible_to",
    "visible_items",
]

PUBLIC = "*"
"""The owner of an item everybody holds from the start."""

Answer = int | str | tuple[str, ...] | tuple[tuple[int, int], ...]
"""An answer in its exact form; which one is told by `Gold.kind`."""

GoldKind = Literal["integer", "names", "spans", "option", "exact", "assignment"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with private information.

    Attributes:
        id: Unique within the problem; never shown.
        name: What others call this person.
        role: Part played in the problem, for example `coordinator`; empty when there is none.
        profile: Text this person alone holds about themselves; empty when there is none.
    """

    id: str
    name: str
    role: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """An edge of the social graph, undirected unless `affinity` says how `a` stands to `b`.

    Attributes:
        a: Person id.
        b: Person id.
        context: What the relation is; empty when not told.
        affinity: Tier `a` grants `b`, for example `close`; empty when not told.
    """

    a: str
    b: str
    context: str = ""
    affinity: str = ""


@dataclass(frozen=True, slots=True)
class PrivateItem:
    """One line or fact that some people hold and others do not.

    Attributes:
        fact: Id in the fact ledger, unique within the problem.
        owner: Person id of the speaker or holder; `PUBLIC` for what everybody holds.
        text: The only part a player may read.
        time: Position on the problem's clock; only the order has a meaning.
        hearers: Person ids who also hold it.
        session: Id of the conversation it belongs to; empty when it belongs to none.
    """

    fact: str
    owner: str
    text: str
    time: int
    hearers: tuple[str, ...] = ()
    session: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answer needs what several people hold.

    Attributes:
        id: Unique within the set. Never shown: in some sets it tells the gold.
        group: Questions of one group share facts and are resampled together.
        type: Suite and kind, for example `schedule-hard`.
        asked: Person ids; the first is the asker.
        mode: `pair` names the partner, `open` does not (the partner must be found), `group` asks all at once.
        text: The question as it is put.
        options: Allowed answers in the order shown; empty when the answer is free.
        evidence: Fact ids needed from each of `asked`, in the same order.
        n_hops: Number of facts to be joined.
        distance: Edges between the asker and the partner; 0 when there is no graph.
    """

    id: str
    group: str
    type: str
    asked: tuple[str, ...]
    mode: Literal["pair", "open", "group"]
    text: str
    options: tuple[str, ...] = ()
    evidence: tuple[tuple[str, ...], ...] = ()
    n_hops: int = 2
    distance: int = 1


@dataclass(frozen=True, slots=True)
class Gold:
    """The right answer to one question.

    Attributes:
        question: Question id.
        kind: How an answer is read and scored.
        value: `integer`: a number; `names`: a sorted tuple of names; `spans`: joined (start, end) in minutes since
            midnight; `option`, `exact`: a text; `assignment`: (row, column) pairs.
        catalogue: For `names`: the spelling of every name that exists.
        table: For `assignment`: the rewards `[n_rows, n_columns]`.
    """

    question: str
    kind: GoldKind
    value: Answer
    catalogue: tuple[str, ...] = ()
    table: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """People, what they hold, whom they know, and what is asked.

    Attributes:
        id: Unique within the set.
        people: Everybody.
        items: In time order.
        relations: Edges of the social graph.
        questions: What is asked.
    """

    id: str
    people: tuple[Person, ...]
    items: tuple[PrivateItem, ...]
    relations: tuple[Relation, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class TaskSet:
    """A generated or loaded set of problems with its golds.

    Attributes:
        suite: For example `schedule`.
        level: For example `balanced/hard`; empty when the suite has none.
        seed: Seed of the streams (of the option order only, in a loaded set).
        version: Generator version, or `source:<sha256>` of the file a loaded set came from.
        problems: The problems.
        golds: One gold per question.
    """

    suite: str
    level: str
    seed: int
    version: str
    problems: tuple[Problem, ...]
    golds: tuple[Gold, ...] = field(repr=False)

    def gold_of(self) -> Mapping[str, Gold]:
        """Returns the golds by question id."""
        return {gold.question: gold for gold in self.golds}


def is_visible_to(item: PrivateItem, person: str) -> bool:
    """Returns whether `person` holds `item` from the start."""
    return item.owner in (person, PUBLIC) or person in item.hearers


def visible_items(items: Iterable[PrivateItem], *people: str) -> tuple[PrivateItem, ...]:
    """Returns the items at least one of `people` holds, in the given order."""
    return tuple(item for item in items if any(is_visible_to(item, person) for person in people))

"""The questions of a deliberation: one item a rollout, what may be shown apart from what grades it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from tidings.core import RequestError, ScenarioError, SeedPath
from tidings.spec.base import Params
from tidings.spec.errors import validate
from tidings.theory.extraction import TaskKind
from tidings.theory.option_order import shuffle_options
from tidings.theory.questions import Question

__all__ = ["Item", "read_item"]


class ItemParams(Params):
    """One item of the environment `deliberation`."""

    id: str
    """Unique name, for example gsm8k/17."""
    kind: TaskKind
    """What the answer is: number, choice, text or code."""
    text: str
    """The question; for code the beginning of the program."""
    options: tuple[str, ...] = ()
    """Texts of the options, for a choice."""
    entry_point: str = ""
    """Name of the function asked for, for code."""
    gold: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Right keys: numbers, texts, or letters of the options as written here; known to nobody but the scorer."""
    tests: str = Field(default="", repr=False)
    """Checks of a program, run outside tidings."""


@dataclass(frozen=True)
class Item:
    """A question with what grades it, kept apart: `question` has no field of the gold.

    Attributes:
        question: What is shown, options in the order of the file.
        gold: Right keys as in the file; None if the item has none.
        tests: Checks of a program.
    """

    question: Question
    gold: tuple[str, ...] | None
    tests: str

    def shown(self, seed: SeedPath, *, is_shuffled: bool) -> tuple[Question, dict[str, Any]]:
        """Returns the question as it is shown, and the data of its `gold` event (for nobody but the analyst).

        The data: `keys` as shown, `keys_source` and `order` (source position of each shown option) to map back.
        """
        question, keys, order = self.question, self.gold, None
        if question.options and is_shuffled:
            moved = shuffle_options(question, seed)
            question, order = moved.apply(question), list(moved.sources)
            keys = None if keys is None else tuple(sorted(moved.to_shown(letter) for letter in keys))
        gold = {
            "question": question.id,
            "kind": question.kind,
            "keys": None if keys is None else list(keys),
            "keys_source": None if self.gold is None else list(self.gold),
            "order": order,
            "tests": self.tests,
        }
        return question, gold


def read_item(row: Mapping[str, Any], number: int) -> Item:
    """Returns the item of one row.

    Raises:
        ScenarioError: If a key is missing or unknown, or the question does not hold together.
    """
    where = f"environment.items.{number}"
    params = validate(ItemParams, dict(row), where)
    try:
        question = Question(params.id, params.kind, params.text, params.options, params.entry_point)
    except RequestError as error:
        raise ScenarioError(where, str(error)) from None
    letters = question.letters
    if params.kind == "choice" and (odd := [key for key in params.gold or () if key not in tuple(letters)]):
        raise ScenarioError(f"{where}.gold", f"found {odd[0]!r}", f"letters of the options: {', '.join(letters)}")
    if params.kind == "code" and not params.entry_point:
        raise ScenarioError(f"{where}.entry_point", "missing", "need the name of the function asked for")
    return Item(question, params.gold, params.tests)

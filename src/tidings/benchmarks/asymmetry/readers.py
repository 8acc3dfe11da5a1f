"""The perfect reader of every generated suite, found by a question's type.

A reader answers from nothing but the items it is given. On all items it gives the gold; on those of one person it is
the symbolic own-view row; behind a scripted pair of agents it is the ceiling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tidings.benchmarks.asymmetry import dialop, hidden_profile, needle, schedule, town
from tidings.benchmarks.asymmetry.records import Answer, PrivateItem, Question
from tidings.core.errors import RequestError

__all__ = ["answer_from_items"]

_Reader = Callable[[Question, Iterable[PrivateItem]], Answer | None]

_READERS: dict[str, _Reader] = {
    "schedule": schedule.answer_from_items,
    "needle": needle.answer_from_items,
    "town": town.answer_from_items,
    "hidden-profile": hidden_profile.answer_from_items,
    "dialop": dialop.answer_from_items,
}


def answer_from_items(question: Question, items: Iterable[PrivateItem]) -> Answer | None:
    """Returns what a perfect reader of these items answers, or None when they do not determine an answer.

    Raises:
        RequestError: No reader knows this type of question.
    """
    for suite, reader in _READERS.items():
        if question.type == suite or question.type.startswith(f"{suite}-"):
            return reader(question, items)
    raise RequestError("question.type", f"found {question.type!r}", f"types of {', '.join(_READERS)}")

"""The perfect readers as the agent `oracle` calls them: a question and facts as an observation holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidings.benchmarks.asymmetry.answers import write_answer
from tidings.benchmarks.asymmetry.readers import answer_from_items
from tidings.benchmarks.asymmetry.records import GoldKind, PrivateItem, Question
from tidings.benchmarks.asymmetry.town import subject_of
from tidings.benchmarks.asymmetry.town_text import read_claim

__all__ = ["ANSWER_KINDS", "read_answer", "town_cues"]

ANSWER_KINDS: Mapping[str, GoldKind] = {
    "schedule-easy": "integer",
    "schedule-medium": "names",
    "schedule-medium-total": "option",
    "schedule-hard": "spans",
    "needle-same": "exact",
    "needle-opposite": "exact",
    "town-chain": "option",
    "town-common": "option",
    "town-stale": "option",
}
"""Question type -> form of its answer."""


def read_answer(question: Mapping[str, Any], facts: Sequence[Mapping[str, Any]]) -> str | None:
    """Returns the answer that follows from the facts, as text; None if none does.

    Args:
        question: The data of a `task` event.
        facts: `fact`, `text`, `owner` and `time` of each fact known.

    Raises:
        RequestError: If no reader knows the type of the question.
    """
    items = [PrivateItem(fact["fact"], fact["owner"], fact["text"], fact["time"]) for fact in facts]
    answer = answer_from_items(_question(question), items)
    return None if answer is None else write_answer(ANSWER_KINDS[question["type"]], answer)


def town_cues(question: Mapping[str, Any], facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns what to look up in the town: the thing asked about, and whoever is known to have it."""
    subject = subject_of(_question(question))
    claims = (read_claim(fact["text"]) for fact in facts)
    return [subject, *(claim.value for claim in claims if claim and claim.kind == "with" and claim.subject == subject)]


def _question(task: Mapping[str, Any]) -> Question:
    asked = tuple(task.get("asked", ()))
    return Question("", "", task["type"], asked, "pair", task["question"], tuple(task["options"]))

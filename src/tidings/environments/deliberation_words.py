"""What seats of a deliberation are told and asked, in words."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.core import PLANNER, Event
from tidings.theory.extraction import TaskKind
from tidings.theory.extraction.choice import LETTERS

__all__ = ["ask_first", "ask_judge", "ask_revision", "brief", "describe"]

_ENDINGS: Mapping[TaskKind, str] = {
    "number": "End with one line: The answer is <number>.",
    "choice": "End with one line: The answer is (<letter>).",
    "text": "End with one line: The answer is <a few words>.",
    "code": "Give the whole program in one code block.",
}


def ask_first(kind: TaskKind) -> str:
    """Returns what is asked for the first answer."""
    return f"Solve it step by step. {_ENDINGS[kind]}"


def ask_revision(kind: TaskKind, *, has_read: bool) -> str:
    """Returns what is asked for a revised answer."""
    if not has_read:
        return f"Review your last answer step by step and correct it where it is wrong. {_ENDINGS[kind]}"
    advice = "The answers of others may be wrong: judge them, do not copy them, and improve your own."
    return f"{advice} Solve it step by step. {_ENDINGS[kind]}"


def ask_judge() -> str:
    """Returns what the judge is asked."""
    return "Which of the answers is right, or closest to right?"


def brief(seat: str, judge: str | None, rounds: int) -> str:
    """Returns the rules in words for a seat."""
    if seat == PLANNER:
        return (
            "Several people answer one question. You decide how many first answers are asked for and then, for at most "
            f"{rounds} rounds, who reads whose answer before answering again. You may stop early, say what each answer "
            "counts, and whose answer you would give. You do not know the right answer."
        )
    if seat == judge:
        return "Several people answer one question. You read their answers and choose one of them."
    return "You answer a question. You may be shown answers of others and asked to answer again."


def describe(event: Event, seat: str) -> str:
    """Returns one line of words for what a seat may see; the empty text for what it need not be told again."""
    data = event.data
    if event.kind == "question":
        options = [f"{letter}) {option}" for letter, option in zip(LETTERS, data["options"], strict=False)]
        return "\n".join([f"Question: {data['text']}", *options])
    if event.kind == "standing":
        return f"Your last answer: {data['text']}"
    if event.kind == "message" and event.seat != seat:
        return f"{data['label']} answered: {data['text']}"
    if event.kind == "ledger" and seat == PLANNER:
        rows = [f"{row['seat']}: {row['key'] or 'unreadable'}, {row['psi']:.2f}" for row in data["answers"]]
        return f"Answers after round {data['round']} and how close each is to all: {'; '.join(rows)}"
    return ""

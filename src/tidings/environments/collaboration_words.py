"""The words of a collaboration: the rules for a prompt, and one line for each event a seat may see."""

from __future__ import annotations

from typing import Any

from tidings.core import Event
from tidings.environments.collaboration_params import CollaborationParams

__all__ = ["brief_words", "describe_event"]


def brief_words(params: CollaborationParams) -> str:
    """Returns the rules in words."""
    lines = ["You act for one person and know only what this person said or heard."]
    if params.information == "private":
        lines.append(
            "Others act for other people and hold other facts; a question needs facts of several people, so you must "
            f"talk. You have at most {params.rounds} rounds. Only your contacts hear you."
        )
        lines.append("Facts have ids in square brackets: name the ids of the facts that you pass on.")
        if params.depth and params.width != 0:
            n = "as many contacts as you like" if params.width is None else f"at most {params.width} contacts"
            lines.append(f"You may bring in {n} who are not in the conversation yet, by writing to them.")
    lines.append("Never make up a fact.")
    return " ".join(lines)


def describe_event(event: Event, seat: str) -> str:
    """Returns one line of words for what a seat may see."""
    data = event.data
    if event.kind == "task":
        return _task(data)
    if event.kind == "fact":
        return f"[{data['fact']}] {data['name']}: {data['value']}"
    if event.kind == "message":
        return _message(data, is_own=event.seat == seat)
    if event.kind == "refused":
        return f"Your message did not go to {data['name'] or 'anybody'}: {data['reason']}."
    return ""


def _task(data: dict[str, Any]) -> str:
    source = f"{data['from']} brings you in" if "from" in data else "You are asked"
    lines = [f"You act for {data['you']}. {source}. The question: {data['question']}"]
    if data["options"]:
        lines.append(f"Possible answers: {', '.join(data['options'])}.")
    if "partner" in data:
        lines.append(f"{data['partner']} knows what you do not know.")
    if "routes" in data:
        lines.append(f"You reach {data['partner']} only through {', '.join(data['routes']) or 'others'}.")
    if data["contacts"]:
        lines.append(f"Your contacts: {', '.join(data['contacts'].values())}.")
    return " ".join(lines)


def _message(data: dict[str, Any], *, is_own: bool) -> str:
    speaker = "You" if is_own else data["name"]
    to = f" to {', '.join(data['to_names'])}" if is_own or len(data["to_names"]) > 1 else ""
    cited = f" [tells {', '.join(claim['fact'] for claim in data['claims'])}]" if data["claims"] else ""
    return f"{speaker} said{to}: {data['text']}{cited}"

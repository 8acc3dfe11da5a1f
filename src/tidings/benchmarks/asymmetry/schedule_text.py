"""A day told in chat messages, and the messages read back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tidings.benchmarks.asymmetry.records import PrivateItem
from tidings.benchmarks.asymmetry.schedule_golds import Activity
from tidings.benchmarks.streams import Draws

__all__ = ["CHATS", "TEMPLATES", "clock", "read_message", "tell_days", "told_days", "write_message"]

CHATS = (("A", "B"), ("A", "C"), ("D", "E"), ("D", "F"))
"""The conversations in which the messages are exchanged."""

TEMPLATES = (
    "From {start} to {end} I have {what}.",
    "{what} takes me from {start} until {end}.",
    "I am down for {what} between {start} and {end}.",
    "My calendar says {what}, {start} to {end}.",
    "Do not count on me between {start} and {end}: {what}.",
    "It starts at {start} and ends at {end}: {what}.",
    "Until {end} I am busy with {what}, beginning at {start}.",
)
"""What a person may say about one activity; `what` is its name and, if any, the others who take part."""

_FIELDS = {"what": r"(?P<what>[A-Z][\w &'/-]*)", "start": r"(?P<start>\d{1,2}:\d\d)", "end": r"(?P<end>\d{1,2}:\d\d)"}


def _pattern(template: str) -> re.Pattern[str]:
    text = re.escape(template)
    for field, regex in _FIELDS.items():
        text = text.replace(re.escape("{" + field + "}"), regex)
    return re.compile(text)


_PATTERNS = tuple(_pattern(template) for template in TEMPLATES)


def clock(slot: int) -> str:
    """Returns the time of day at which a half-hour slot begins, `7:30`; slot 48 is `24:00`."""
    return f"{slot // 2}:{slot % 2 * 30:02d}"


def write_message(template: str, activity: Activity, others: Iterable[str]) -> str:
    """Returns the sentence in which a participant tells an activity; `others` are the names of the rest."""
    what = " with ".join([activity.name, *([" and ".join(others)] if others else [])])
    return template.format(what=what, start=clock(activity.start), end=clock(activity.end))


def read_message(text: str) -> Activity | None:
    """Returns the activity a sentence tells, `people` being the others named, or None when it tells none."""
    for pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            name, _, others = match["what"].partition(" with ")
            people = tuple(others.split(" and ")) if others else ()
            return Activity(name, _slot(match["start"]), _slot(match["end"]), people)
    return None


def tell_days(draws: Draws, days: Mapping[str, Iterable[Activity]], names: Mapping[str, str]) -> list[PrivateItem]:
    """Returns the messages of all chats: each person tells each own activity exactly once.

    A and D have two chats each; a coin decides in which of the two an activity is told.

    Args:
        draws: The item's stream.
        days: Person -> activities.
        names: Person -> name.
    """
    lines: dict[tuple[str, str], list[tuple[str, str]]] = {chat: [] for chat in CHATS}
    for person, activities in days.items():
        for activity in activities:
            others = [names[other] for other in activity.people if other != person]
            sentence = write_message(draws.pick(TEMPLATES), activity, others)
            lines[draws.pick([chat for chat in CHATS if person in chat])].append((person, sentence))
    items: list[PrivateItem] = []
    for chat, told in lines.items():
        for person, sentence in draws.shuffled(told):
            hearer = chat[1] if person == chat[0] else chat[0]
            items.append(PrivateItem(f"m{len(items)}", person, sentence, len(items), (hearer,), "-".join(chat)))
    return items


def told_days(items: Iterable[PrivateItem]) -> dict[str, list[Activity]]:
    """Returns the days that messages tell: owner -> activities, in the order told; other lines are passed over."""
    days: dict[str, list[Activity]] = {}
    for item in items:
        activity = read_message(item.text)
        if activity is not None:
            days.setdefault(item.owner, []).append(activity)
    return days


def _slot(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 2 + int(minutes) // 30

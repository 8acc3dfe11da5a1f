"""Small talk, and the sentences that hide a needle in it."""

from __future__ import annotations

import re

from tidings.benchmarks.streams import Draws

__all__ = [
    "ACTS",
    "DISLIKES",
    "LIKES",
    "MODIFIERS",
    "N_VALUES",
    "OBJECTS",
    "content_words",
    "draw_small_talk",
    "draw_values",
    "read_needle",
]

ACTS = (
    "repairing", "polishing", "collecting", "engraving", "sketching", "cataloguing", "restoring", "sewing", "carving",
    "trading", "varnishing", "photographing", "tuning", "wrapping",
)  # fmt: skip

MODIFIERS = (
    "brass", "velvet", "bamboo", "crystal", "copper", "marble", "wicker", "amber", "ceramic", "leather", "striped",
    "miniature", "foldable",
)  # fmt: skip

OBJECTS = (
    "clocks", "lanterns", "compasses", "puppets", "kites", "teapots", "harmonicas", "umbrellas", "telescopes", "masks",
    "dice", "bookends", "birdhouses", "typewriters",
)  # fmt: skip

N_VALUES = len(ACTS) * len(MODIFIERS) * len(OBJECTS)
"""Number of different needle values, such as `repairing brass clocks`."""

LIKES = (
    "I could spend a whole weekend {value}.",
    "Lately I really enjoy {value}.",
    "Nothing cheers me up like {value}.",
    "By the way, I am quite fond of {value}.",
    "I found out how much I like {value}.",
    "Give me an hour of {value} and I am happy.",
)

DISLIKES = (
    "I cannot stand {value}.",
    "Honestly, {value} bores me to tears.",
    "You will never catch me {value}.",
    "Please never ask me to help with {value}.",
    "I would pay good money to get out of {value}.",
    "I gave up on {value} for good.",
)

_VALUE = rf"(?P<value>(?:{'|'.join(ACTS)}) (?:{'|'.join(MODIFIERS)}) (?:{'|'.join(OBJECTS)}))"


def _patterns(templates: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(re.escape(t).replace(re.escape("{value}"), _VALUE)) for t in templates)


_LIKE_PATTERNS, _DISLIKE_PATTERNS = _patterns(LIKES), _patterns(DISLIKES)

_OPENERS = ("Hi {other}, good to hear from you.", "Hello {other}! How have you been?", "Hey {other}, long time no see.")
_SUBJECTS = ("The weather", "My week", "The bus ride", "The new neighbour", "Our street", "Work", "The bakery")
_VERDICTS = ("was calm", "was a surprise", "kept me busy", "made me smile", "was rather slow", "turned out fine")
_TIMES = ("this morning", "yesterday", "on Monday", "last night", "since spring", "for once")
_QUESTIONS = ("How about you?", "What is new on your side?", "Did you sleep well?", "Any plans?", "And your family?")
_ANSWERS = ("Glad to hear it.", "I see what you mean.", "That sounds about right.", "Tell me more another time.")
_CLOSERS = ("Take care, {other}.", "See you soon, {other}.", "Talk to you later, {other}.")


def draw_values(draws: Draws, n: int) -> list[str]:
    """Returns `n` needle values in random order, no two with the same act or the same object (n at most 14)."""
    acts, objects = draws.sample(ACTS, n), draws.sample(OBJECTS, n)
    return [f"{act} {draws.pick(MODIFIERS)} {thing}" for act, thing in zip(acts, objects, strict=True)]


def draw_small_talk(draws: Draws, names: tuple[str, str], n_turns: int) -> list[tuple[int, str]]:
    """Returns a base dialogue without any needle word: (speaker 0 or 1, sentence), speakers in turn."""
    lines = [(0, draws.pick(_OPENERS).format(other=names[1]))]
    for turn in range(1, n_turns - 1):
        sentence = f"{draws.pick(_SUBJECTS)} {draws.pick(_VERDICTS)} {draws.pick(_TIMES)}."
        before = draws.pick(_ANSWERS) + " " if draws.coin() else ""
        after = " " + draws.pick(_QUESTIONS) if draws.coin() else ""
        lines.append((turn % 2, before + sentence + after))
    last = (n_turns - 1) % 2
    return [*lines, (last, draws.pick(_CLOSERS).format(other=names[1 - last]))]


def read_needle(text: str) -> tuple[str, bool] | None:
    """Returns (value, whether it is liked) of a needle sentence, None for any other sentence."""
    for patterns, is_liked in ((_LIKE_PATTERNS, True), (_DISLIKE_PATTERNS, False)):
        for pattern in patterns:
            match = pattern.fullmatch(text)
            if match:
                return match["value"], is_liked
    return None


def content_words(text: str) -> frozenset[str]:
    """Returns the words of a text in lower case, those of three letters or fewer left out."""
    return frozenset(word for word in re.findall(r"[a-z]+", text.casefold()) if len(word) > 3)

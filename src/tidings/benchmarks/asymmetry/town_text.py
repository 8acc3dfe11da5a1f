"""What people of the town say: facts that matter, and small talk that only mentions the same things."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tidings.benchmarks.streams import Draws

__all__ = ["EVENTS", "OBJECTS", "PLACES", "TEMPLATES", "Claim", "draw_filler", "read_claim", "write_claim"]


class Claim(NamedTuple):
    """What a sentence tells.

    Attributes:
        kind: `with` (object, person), `keeps` (person, place), `goes` and `asked` (event, person), `at` (object,
            place).
        subject: The first of the two.
        value: The second.
    """

    kind: str
    subject: str
    value: str


TEMPLATES: dict[str, tuple[str, ...]] = {
    "with": (
        "{value} has the {subject} at the moment.",
        "The {subject} is with {value} these days.",
        "I lent the {subject} to {value}.",
        "{value} walked off with the {subject}.",
        "If you want the {subject}, {value} has it.",
        "{value} is looking after the {subject}.",
    ),
    "keeps": (
        "{subject} keeps everything at the {value}.",
        "Whatever {subject} owns ends up at the {value}.",
        "{subject} stores all belongings at the {value}.",
        "The {value} is where {subject} puts things.",
        "You will find what {subject} has at the {value}.",
        "{subject} uses the {value} as a storeroom.",
    ),
    "goes": (
        "{value} is going to the {subject}.",
        "{value} said yes to the {subject}.",
        "I saw {value} on the guest list of the {subject}.",
        "The {subject} will have {value} among its guests.",
        "{value} bought a ticket for the {subject}.",
        "{value} will be at the {subject}, I hear.",
    ),
    "asked": (
        "{value} was asked to help at the {subject}.",
        "They asked {value} to lend a hand at the {subject}.",
        "{value} got a call about helping out at the {subject}.",
        "The {subject} wants {value} as a helper.",
        "The people behind the {subject} picked {value} to help.",
        "{value} is wanted as a helper for the {subject}.",
    ),
    "at": (
        "The {subject} is at the {value}.",
        "I saw the {subject} at the {value}.",
        "Somebody put the {subject} at the {value}.",
        "The {subject} was moved to the {value}.",
        "You can find the {subject} at the {value}.",
        "The {subject} turned up at the {value}.",
    ),
}
"""Six ways to tell each kind of fact."""


def _product(first: str, second: str) -> tuple[str, ...]:
    return tuple(f"{a} {b}" for b in second.split() for a in first.split())


OBJECTS = _product(
    "amber brass carved checked chipped copper dented engraved faded gilded glazed green knitted lacquered orange "
    "painted patched pewter purple quilted silver striped tin velvet",
    "accordion basket birdcage bugle candlestick compass drum fiddle globe hourglass kettle kite lantern mirror "
    "mortar music-box puppet sextant sledge spyglass stool teapot tricycle weathervane",
)
PLACES = _product(
    "disused eastern little lower new northern old southern stone timber upper western",
    "barn boathouse brewery chapel cellar forge granary laundry mill quarry shed tower",
)
EVENTS = _product(
    "autumn candle cherry harbour lantern midnight orchard river spring winter",
    "ball banquet bazaar contest fair festival market parade picnic regatta",
)

_PERSON, _THING = r"[A-Z][a-z]+", r"[a-z]+ [a-z-]+"
_FIELDS = {
    "with": (_THING, _PERSON),
    "keeps": (_PERSON, _THING),
    "goes": (_THING, _PERSON),
    "asked": (_THING, _PERSON),
    "at": (_THING, _THING),
}


def _pattern(template: str, subject: str, value: str) -> re.Pattern[str]:
    text = re.escape(template)
    text = text.replace(re.escape("{subject}"), f"(?P<subject>{subject})")
    return re.compile(text.replace(re.escape("{value}"), f"(?P<value>{value})"))


_PATTERNS = tuple(
    (kind, _pattern(template, *_FIELDS[kind])) for kind, templates in TEMPLATES.items() for template in templates
)

_SUBJECTS = (
    "my aunt", "the baker", "our neighbour", "the postman", "the choir", "my cousin", "the teacher", "the gardener",
    "half the street", "the new clerk", "the ferryman", "my brother", "the cat", "everybody",
)  # fmt: skip
_VERBS = (
    "complained about", "laughed at", "forgot", "talked about", "worried about", "asked after", "slept through",
    "praised", "cooked for", "sang about", "waited for", "missed", "argued about", "wrote about",
)  # fmt: skip
_THINGS = (
    "the rain", "the early bus", "the soup", "the long queue", "the broken bell", "the noise", "the wedding",
    "the holidays", "the exam", "the match", "the power cut", "the new bridge", "the fog", "the strawberries",
)  # fmt: skip
_WHENS = ("again", "yesterday", "all morning", "last week", "on Sunday", "before lunch", "as usual", "for hours")
_OPENINGS = ("", "", "Well, ", "Honestly, ", "You know, ", "As I said, ", "Believe it or not, ")
_IDLE = (
    "I dreamt of the {thing} last night.",
    "Why does everybody talk about the {thing}?",
    "The {thing} is prettier than people say.",
    "A song about the {thing} is stuck in my head.",
    "Some day I will paint the {thing}.",
)
_P_IDLE = 0.05


def write_claim(draws: Draws, claim: Claim) -> str:
    """Returns one of the sentences that tell a fact."""
    return draws.pick(TEMPLATES[claim.kind]).format(subject=claim.subject, value=claim.value)


def draw_filler(draws: Draws, things: Sequence[str]) -> str:
    """Returns a sentence that tells no fact; one in twenty names one of `things` idly."""
    if things and draws.coin(_P_IDLE):
        return draws.pick(_IDLE).format(thing=draws.pick(things))
    sentence = f"{draws.pick(_SUBJECTS)} {draws.pick(_VERBS)} {draws.pick(_THINGS)} {draws.pick(_WHENS)}."
    opening = draws.pick(_OPENINGS)
    return opening + sentence if opening else sentence[0].upper() + sentence[1:]


@lru_cache(maxsize=1 << 17)
def read_claim(text: str) -> Claim | None:
    """Returns the fact a sentence tells, or None when it tells none."""
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            return Claim(kind, match["subject"], match["value"])
    return None

"""Scanning recorded prompts: does a prompt hold the text of a fact that its seat neither owns nor was told?

The audiences of events are checked by the conformance suite. This looks at the other end of the pipe: at the very words
that reached a model, whatever agent, memory or prompt made them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from tidings.core import Event, ModelRequest
from tidings.core.events import is_visible

__all__ = ["BarrierScan", "PromptLeak", "scan_prompts"]

_MIN_WORDS = 3
_WORD = re.compile(r"[^\W_]+")


class PromptLeak(NamedTuple):
    """A prompt that holds what its seat cannot know.

    Attributes:
        rollout: Of the call.
        seat: Who was asked.
        step: The step that was being decided.
        draw: Number of the call within the turn.
        fact: Id of the fact.
        phrase: Its text as declared.
    """

    rollout: int
    seat: str
    step: int
    draw: int
    fact: str
    phrase: str


class BarrierScan(NamedTuple):
    """What a scan found.

    Attributes:
        leaks: In the order of the calls.
        n_prompts: Prompts that were read.
        n_looks: Pairs of a prompt and a text that its seat did not know then: 0 means that nothing could have leaked.
    """

    leaks: tuple[PromptLeak, ...]
    n_prompts: int
    n_looks: int


class _Known:
    """When each seat first could know each text."""

    def __init__(self, events: Sequence[Event], phrases: dict[str, tuple[str, ...]], told_by: Collection[str]) -> None:
        self._since: dict[tuple[str, str], int] = {}
        self._words = {phrase: _words(phrase) for texts in phrases.values() for phrase in texts}
        self._phrases = phrases
        self._values = {e.data["fact"]: e.data.get("value") for e in events if e.kind == "fact_declared"}
        self._seats = sorted({seat for e in events for seat in (*e.audience, e.seat) if seat and seat != "*"})
        for event in events:
            if event.kind == "fact_declared":
                self._own(event)
            elif event.kind in told_by:
                self._hear(event)

    def _own(self, event: Event) -> None:
        own = self._phrases[event.data["fact"]]
        text = _joined(own)
        held = [phrase for phrase, words in self._words.items() if words in text]
        # `visibility` says who may be told, not who knows
        for seat in (*event.data.get("owners", ()), *event.data.get("same_words", ())):
            self._tell(self._seats if seat == "*" else [seat], held, -1)

    def _hear(self, event: Event) -> None:
        claims = event.data.get("claims") or ()
        right = [c["fact"] for c in claims if c["fact"] in self._values and c.get("value") == self._values[c["fact"]]]
        told = [phrase for fact in right for phrase in self._phrases[fact]]
        text = _joined(_texts(event.data))
        told += [phrase for phrase, words in self._words.items() if words in text]
        self._tell([seat for seat in self._seats if is_visible(event, seat)], told, event.step)

    def _tell(self, seats: Iterable[str], phrases: Iterable[str], step: int) -> None:
        for seat in seats:
            for phrase in phrases:
                key = (seat, self._words[phrase])
                self._since[key] = min(step, self._since.get(key, step))

    def say(self, seat: str, text: str, step: int) -> None:
        """Notes what a seat's own model said: its words may stand in its later prompts."""
        words = _words(text)
        self._tell([seat], [phrase for phrase, inner in self._words.items() if inner in words], step - 1)

    def unknown(self, seat: str, step: int) -> Iterable[tuple[str, str, str]]:
        """Yields (fact, phrase, words) for every text this seat cannot know when it decides this step."""
        for fact, texts in self._phrases.items():
            for phrase in texts:
                since = self._since.get((seat, self._words[phrase]))
                if since is None or since >= step:
                    yield fact, phrase, self._words[phrase]


def scan_prompts(
    events: Iterable[Event], calls: Iterable[tuple[ModelRequest, str]], told_by: Collection[str] = ("message",)
) -> BarrierScan:
    """Returns the leaks in the prompts of one rollout.

    A seat may read the text of a fact if the declaration names it as an owner or lets it see the fact, if a message
    that reached it in an earlier step holds it or claims its value, if another fact it may know holds the same words
    (`same_words` of the declaration names seats of whom this is known otherwise), or if its own model said these words
    before. That some other event showed it the text is no excuse: that would be the
    leak. Texts are compared as words: case, punctuation and line ends do not matter.

    Args:
        events: The events of the rollout; `fact_declared` names the facts. The texts looked for are its `phrases`, else
            a `value` that is a text of three words or more; a fact with neither cannot be looked for.
        calls: (request, answer) of this rollout in the order in which they were made; an empty answer if there is none.
        told_by: Kinds of events by which one seat tells another.
    """
    events = sorted(events, key=lambda event: event.index)
    phrases = {e.data["fact"]: _phrases(e) for e in events if e.kind == "fact_declared"}
    known = _Known(events, phrases, told_by)
    leaks: list[PromptLeak] = []
    n_prompts = n_looks = 0
    for request, answer in calls:
        key, n_prompts = request.key, n_prompts + 1
        prompt = _joined([*(message.content for message in request.messages), *request.options])
        for fact, phrase, words in known.unknown(key.seat, key.step):
            n_looks += 1
            if words in prompt:
                leaks.append(PromptLeak(key.rollout, key.seat, key.step, key.draw, fact, phrase))
        known.say(key.seat, answer, key.step)
    return BarrierScan(tuple(leaks), n_prompts, n_looks)


def _phrases(event: Event) -> tuple[str, ...]:
    value, texts = event.data.get("value"), event.data.get("phrases")
    if texts is None:
        texts = [value] if isinstance(value, str) and len(_words(value).split()) >= _MIN_WORDS else []
    return tuple(text for text in texts if _words(text).strip())


def _texts(data: object) -> Iterable[str]:
    """Yields every text in JSON values."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)


def _words(text: str) -> str:
    """Returns a text as its words between single spaces, with one at either end."""
    return " ".join(["", *_WORD.findall(text.casefold()), ""])


def _joined(texts: Iterable[str]) -> str:
    """Returns texts as words; no word sequence runs from one text into the next."""
    return "|".join(map(_words, texts))

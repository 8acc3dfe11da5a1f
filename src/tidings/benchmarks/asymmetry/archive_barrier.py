"""Which lines of an archive stand in recorded prompts of seats that hold no line of these words.

Only lines that matter are declared in the log; a memory that hands out another seat's lines would hand out any. So the
prompts are searched for every line of the archive. What is found is declared for the scan of `scan_prompts`, which
knows what a seat was told or said itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tidings.core import NOBODY, Archive, Event, ModelRequest

__all__ = ["ArchiveTexts"]

_FEWEST_WORDS, _START = 6, 3
_PIECES = 1 << 16
_WORD = re.compile(r"[^\W_]+")
_Words = tuple[str, ...]


class ArchiveTexts:
    """The texts of an archive, found in prompts by their words."""

    def __init__(self, archive: Archive, reads_all: Iterable[str] = ()) -> None:
        """Indexes the texts of six words or more; shorter ones are what people say every day, and so do prompts.

        Args:
            archive: The lines, as seats read them.
            reads_all: Seats that may read every line.
        """
        self._reads_all = frozenset(reads_all)
        self._holders: dict[_Words, set[str]] = {}
        self._text: dict[_Words, tuple[str, str]] = {}
        for line in archive.lines:
            words = _words(line.text)
            if len(words) >= _FEWEST_WORDS:
                self._holders.setdefault(words, set()).update((line.speaker, *line.hearers))
                self._text.setdefault(words, (line.id, line.text))
        # Prompts of a seat repeat most of their lines, so each line is looked at once, unless a text may span several.
        self._spans_lines = any("\n" in text for _, text in self._text.values())
        self._starts: dict[_Words, list[_Words]] = {}
        for words in self._holders:
            self._starts.setdefault(words[:_START], []).append(words)
        self._n_held = Counter(seat for holders in self._holders.values() for seat in holders)
        self._found_in = lru_cache(maxsize=_PIECES)(self._search)

    def n_unknown(self, seat: str) -> int:
        """Returns how many texts a seat holds no line of."""
        return 0 if seat in self._reads_all else len(self._holders) - self._n_held[seat]

    def declare(self, requests: Iterable[ModelRequest], declared: Sequence[Event]) -> list[Event]:
        """Returns a declaration for each text in a prompt of a seat that holds no such line.

        Args:
            requests: What was asked in one rollout.
            declared: What the log of the rollout declares itself; it is not declared again.
        """
        known = {event.data["fact"] for event in declared}
        strange: dict[_Words, None] = {}
        for request in requests:
            seat = request.key.seat
            if seat in self._reads_all:
                continue
            for message in request.messages:
                for piece in [message.content] if self._spans_lines else message.content.split("\n"):
                    strange |= dict.fromkeys(self._strange_to(seat, self._found_in(piece)))
        return [self._event(words) for words in strange if self._text[words][0] not in known]

    def _strange_to(self, seat: str, found: Sequence[_Words]) -> Iterable[_Words]:
        """Yields the texts of a piece that stand in no line this seat holds."""
        held = ["\0".join(("", *words, "")) for words in found if seat in self._holders[words]]
        for words in found:
            if seat not in self._holders[words] and not any("\0".join(("", *words, "")) in own for own in held):
                yield words

    def _search(self, piece: str) -> tuple[_Words, ...]:
        words = _words(piece)
        found: list[_Words] = []
        for i in range(len(words) - _FEWEST_WORDS + 1):
            starts = self._starts.get(words[i : i + _START], ())
            found += [text for text in starts if words[i : i + len(text)] == text]
        return tuple(found)

    def _event(self, words: _Words) -> Event:
        fact, text = self._text[words]
        data = {"fact": fact, "value": text, "owners": sorted(self._holders[words]), "phrases": [text]}
        return Event("fact_declared", NOBODY, data, None, 0, 0)


def _words(text: str) -> _Words:
    return tuple(_WORD.findall(text.casefold()))

"""The detector `canonical`: finds statements of declared facts in texts by their phrases and values.

It looks for a fact's `phrases`, and for its value and the other values of its `domain`. Values that could stand in any
sentence (numbers, single plain words) count only where the fact's `variable` is named in the same sentence. Matches are
whole tokens; case and spacing do not matter. What stands around a match decides what is claimed:

* a negation in the same clause denies it; two negations state it ("nobody denies"), and those that deny something else
  do not count ("don't tell anyone", "no doubt");
* hedges and reports ("maybe", "they say") make it hedged;
* questions, conditions, wishes and ignorance ("if", "whether", "I wish") claim nothing.

It cannot see paraphrases, pronouns, irony, or negations far away. How often it is right is measured on labelled
messages, see `detectors.MEASURED`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from tidings.metrics.claims import Claim
from tidings.metrics.facts import DeclaredFact

__all__ = ["CONFIDENCE", "Matcher", "matcher_for"]

CONFIDENCE = {"plain": 0.87, "hedged": 0.92, "denied": 0.91}
"""Kind of find -> share that is right on the labelled messages; a test measures it again."""

_TOKEN = re.compile(r"(\w+(?:[-'.,/:]\w+)*)")
_SENTENCE_ENDS = frozenset(".!?;\n")
_CLAUSE_ENDS = frozenset(",:")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CLAUSE_WORDS = _set("but however though although yet because while whereas")
_NEGATIONS = _set(
    "not no never nobody none neither nor without cannot false untrue wrong incorrect deny denies denied denying doubt "
    "doubts hardly lie lies nonsense rubbish myth"
)
_AFTER = _set("false untrue wrong incorrect lie lies nonsense rubbish myth")
_NOT_OF_THE_FACT = _set(
    "tell forget say repeat mention doubt secret only just question wonder worry breathe joke joking kidding"
)
_AUXILIARIES = _set("is was are were does do did has have had will would can could")
_FILLERS = _set("really actually already indeed just definitely probably certainly")
_NOTHING_SAID = _set(
    "if whether unless wish wishes suppose imagine pretend wonder wondering hope hopes until when once"
)
_HEDGES = _set(
    "maybe perhaps possibly probably might may could think thinks thought guess believe believes seems apparently "
    "allegedly unsure likely heard hear rumour rumor supposedly suspect say says said claims claim told reportedly "
    "unlikely"
)
_TAGS = _set("right ok okay correct yes eh hm")
_IGNORANCE = re.compile(r"\b(?:do not know|no idea|ask(?:ed|s)? (?:me |him |her |them )?(?:about|for)|find out)\b")
_FACTIVE = re.compile(r"^(?:(?:did|do) you (?:even )?know(?: that)?|have you heard(?: that)?|guess what|you know)\b")


class _Sentence(NamedTuple):
    """The words of one sentence.

    Attributes:
        words: Its words `[n_words]`.
        clauses: Where the clause of each word begins, as a place among the words `[n_words]`.
        is_question: Whether it ends with a question mark.
    """

    words: list[str]
    clauses: list[int]
    is_question: bool


class _Key(NamedTuple):
    """Words by which a fact is found, and those of its variable where they must stand in the same sentence."""

    words: tuple[str, ...]
    fact: str
    value: str
    variable: tuple[str, ...]


class Matcher:
    """Finds claims about a fixed set of facts."""

    def __init__(self, facts: Iterable[DeclaredFact]) -> None:
        self._by_first: dict[str, list[_Key]] = {}
        self.undetectable: tuple[str, ...] = ()
        for fact in facts:
            keys = list(_keys(fact))
            if not keys:
                self.undetectable = (*self.undetectable, fact.fact)
            for key in keys:
                self._by_first.setdefault(key.words[0], []).append(key)
        for keys in self._by_first.values():
            keys.sort(key=lambda key: -len(key.words))
        self._needles = _needles(key for keys in self._by_first.values() for key in keys)

    def find(self, text: str) -> list[Claim]:
        """Returns the claims of a text in order, at most one for each fact, value and polarity."""
        plain = _plain(text)
        if not any(needle in plain for needle in self._needles):
            return []
        found: dict[tuple[str, str, int], Claim] = {}
        for sentence in _sentences(plain):
            if not self._by_first.keys().isdisjoint(sentence.words):
                for claim in self._claims(sentence):
                    found.setdefault((claim.fact, claim.value, claim.polarity), claim)
        return list(found.values())

    def _claims(self, sentence: _Sentence) -> Iterator[Claim]:
        """Yields what a sentence claims; words that state a fact are used up for it by the first and longest match."""
        taken: list[tuple[str, int, int]] = []
        for start, word in enumerate(sentence.words):
            for key in self._by_first.get(word, ()):
                stop, negated = _match(key.words, sentence.words, start)
                if stop is None or any(f == key.fact and start < e and b < stop for f, b, e in taken):
                    continue
                if key.variable and not _has(sentence.words, key.variable):
                    continue
                taken.append((key.fact, start, stop))
                claim = _judge(key, sentence, start, stop, negated)
                if claim is not None:
                    yield claim


@lru_cache(maxsize=512)
def matcher_for(facts: tuple[DeclaredFact, ...]) -> Matcher:
    """Returns the matcher of these facts, made once."""
    return Matcher(facts)


def _keys(fact: DeclaredFact) -> Iterable[_Key]:
    """Yields the word sequences by which a fact is found."""
    for phrase in fact.phrases:
        if words := _words(phrase):
            yield _Key(tuple(words), fact.fact, fact.value, ())
    variable = tuple(_words(fact.variable))
    for value in dict.fromkeys((fact.value, *fact.domain)):
        text = json.loads(value)
        words = tuple(_words(text if isinstance(text, str) else value))
        is_distinctive = isinstance(text, str) and (
            len(words) > 2 or (len(text) > 3 and any(c.isdigit() for c in text) and len(words) > 0)
        )
        if not words or not isinstance(text, str | int | float) or isinstance(text, bool):
            continue
        if is_distinctive:
            yield _Key(words, fact.fact, value, ())
        elif variable:
            yield _Key(words, fact.fact, value, variable)


def _needles(keys: Iterable[_Key]) -> tuple[str, ...]:
    """Returns pieces of text, one of which is in every text that a key matches: the longest word that each key needs.

    All words of a key and of its variable must stand in the text as they are, so a text without this one cannot match.
    """
    return tuple(dict.fromkeys(max((*key.variable, *key.words), key=len) for key in keys))


def _judge(key: _Key, sentence: _Sentence, start: int, stop: int, negated: int) -> Claim | None:
    """Returns what is claimed by a match; None where it claims nothing."""
    words = sentence.words
    before, after, near = words[:start], words[stop:], words[sentence.clauses[start] : start]
    is_unsure = ("not", "sure") in pairwise(before)
    is_hedged = is_unsure or not _HEDGES.isdisjoint(before) or not _HEDGES.isdisjoint(after[:4])
    if sentence.is_question:
        n_tag = _length_of_tag(after)
        if not n_tag and not _FACTIVE.match(" ".join(before)):
            return None
        is_hedged = is_hedged or n_tag > 0
        after = after[: len(after) - n_tag]
    elif not _NOTHING_SAID.isdisjoint(before) or _IGNORANCE.search(" ".join(before)) or "if" in after[:1]:
        return None
    n = negated + _n_negations(near) + _n_after(after)
    polarity = -1 if n % 2 else 1
    kind = "denied" if polarity == -1 else "hedged" if is_hedged else "plain"
    return Claim(key.fact, key.value, polarity, is_hedged, "canonical", CONFIDENCE[kind])


def _length_of_tag(after: Sequence[str]) -> int:
    """Returns how many words at the end of a question only ask for assent: `..., right?`, `..., didn't it?`."""
    if len(after) > 2 and after[-3] in _AUXILIARIES and after[-2] == "not":
        return 3
    return 1 if after and after[-1] in _TAGS else 0


def _n_negations(words: Sequence[str]) -> int:
    """Returns the negations among words before a match that bear on it."""
    if _NEGATIONS.isdisjoint(words):
        return 0
    found = [word for word, after in pairwise((*words, "")) if word in _NEGATIONS and _bears(word, after)]
    return len(found) - ("neither" in found and "nor" in found)


def _bears(word: str, after: str) -> bool:
    return after not in _NOT_OF_THE_FACT and (word, after) != ("not", "sure")


def _n_after(words: Sequence[str]) -> int:
    """Returns the negations right after a match: `... is not true`, `... is a lie`."""
    near = words[:5]
    if not near or (near[0] not in _AUXILIARIES and near[0] != "that"):
        return 0
    return int("not" in near[:3]) + sum(word in _AFTER for word in near)


def _match(key: Sequence[str], words: Sequence[str], start: int) -> tuple[int | None, int]:
    """Returns where a key that begins at `start` ends, and the negations inside it; None if it is not there."""
    i, n_skipped, negated = start, 0, 0
    for word in key:
        while i < len(words) and words[i] != word:
            skipped = words[i]
            if n_skipped == 2 or i == start or (skipped not in _FILLERS and skipped not in ("not", "never")):
                return None, 0
            negated += skipped in ("not", "never")
            n_skipped, i = n_skipped + 1, i + 1
        if i == len(words):
            return None, 0
        i += 1
    return i, negated


def _has(words: Sequence[str], wanted: tuple[str, ...]) -> bool:
    n = len(wanted)
    return any(tuple(words[i : i + n]) == wanted for i in range(len(words) - n + 1))


def _plain(text: str) -> str:
    """Returns the text in small letters, with short forms of "not" written out."""
    plain = text.lower().replace("’", "'").replace("no doubt", "surely")
    if "n't" in plain:
        plain = plain.replace("won't", "will not").replace("can't", "can not").replace("n't", " not")
    return plain


def _words(text: str) -> list[str]:
    return _TOKEN.findall(_plain(text))


def _sentences(plain: str) -> Iterator[_Sentence]:
    """Yields the sentences of a text in small letters; the last may be empty."""
    words: list[str] = []
    clauses: list[int] = []
    clause = 0
    parts = _TOKEN.split(plain)
    for between, word in zip(parts[::2], parts[1::2], strict=False):
        if words and not _SENTENCE_ENDS.isdisjoint(between):
            yield _Sentence(words, clauses, "?" in between)
            words, clauses, clause = [], [], 0
        elif word in _CLAUSE_WORDS or not _CLAUSE_ENDS.isdisjoint(between):
            clause = len(words)
        words.append(word)
        clauses.append(clause)
    yield _Sentence(words, clauses, "?" in parts[-1])
